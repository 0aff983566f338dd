"""Cases that people who run such gateways have reported, each with its right outcome."""

import asyncio
import concurrent.futures
import json
import os
import socket
import threading
import time

import httpx
import pytest

import harness
import scripted
from scripted import DONE, Backend, completion, delta, healthy

HEADERS = {"api-key": harness.CLIENT_KEY}


@pytest.fixture
def field(tmp_path):
    """field({name: handler…}, **settings) → gateway, backends by name."""
    started = []

    def start(handlers, **settings):
        per_backend = settings.pop("per_backend", {})
        backends = {name: Backend(name, handler) for name, handler in handlers.items()}
        started.extend(backends.values())
        configs = [b.config(**per_backend.get(b.name, {})) for b in backends.values()]
        gateway = harness.Gateway(tmp_path, configs, server={"threads": 1, **settings.pop("server", {})}, **settings)
        started.append(gateway)
        return gateway, backends

    yield start
    for one in reversed(started):
        one.stop()


def chat(gateway, **more):
    return httpx.post(harness.chat_url(gateway.url), headers=HEADERS, json=harness.chat_body(**more), timeout=30)


def says(status, body, content_type="application/json"):
    async def handler(_, answer):
        await answer.send(status, body, content_type)

    return handler


def streams(*events, content_type="text/event-stream"):
    async def handler(_, answer):
        await answer.head(content_type)
        for event in events:
            await answer.chunk(event)
        await answer.end()

    return handler


# c01: a field that the gateway adds, and the service refuses
def test_stream_options_are_taken_back_where_they_are_refused(field):
    async def strict(request, answer):
        if "stream_options" in request.json():
            await answer.send(400, {"error": {"message": "Unknown parameter: 'stream_options'.", "code": "x"}})
        else:
            await healthy(request, answer)

    gateway, backends = field({"a": strict})
    for _ in range(2):
        answer = chat(gateway, stream=True)
        assert answer.status_code == 200
        assert harness.stream_text(harness.sse_events(answer.text)) == "hello"
    assert len(backends["a"].seen) == 3, "asked with it once, and never again"
    chat(gateway, stream=True, data_sources=[{"type": "azure_search"}])
    assert b"stream_options" not in backends["a"].seen[-1].body


# c02
def test_a_stream_is_complete_with_its_finish_reason(field):
    gateway, _ = field({"a": streams(delta("all of it"), delta(finish="stop"))})
    answer = chat(gateway, stream=True)
    assert "error" not in answer.text
    assert gateway.access_lines(1)[0]["outcome"] == "ok"
    assert chat(gateway, stream=True).status_code == 200, "nobody was tripped"


# c03: what concerns one backend only
CONCERNS_ONE = {
    "404 DeploymentNotFound": (404, {"error": {"code": "DeploymentNotFound", "message": "does not exist"}}),
    "404 model_not_found": (404, {"error": {"code": "model_not_found", "message": "no such model"}}),
    "403": (403, {"error": {"code": "403", "message": "Access denied due to Virtual Network/Firewall rules."}}),
    "408": (408, {"error": {"code": "Timeout", "message": "The operation was timeout."}}),
    "409": (409, {"error": {"code": "409", "message": "conflict"}}),
    "424": (424, {"error": {"code": "424", "message": "Failed dependency"}}),
    "402": (402, {"error": {"message": "Insufficient credits", "code": 402}}),
    "499": (499, {"error": {"message": "client closed"}}),
    "529": (529, {"error": {"message": "Overloaded"}}),
    "400 OperationNotSupported": (400, {"error": {"code": "OperationNotSupported", "message": "does not work"}}),
    "200 with an error": (200, {"error": {"message": "Provider returned error", "code": 502}}),
    "200 and nothing": (200, b""),
    "200 and a page": (200, "<html><body>please log in</body></html>"),
}


@pytest.mark.parametrize("what", CONCERNS_ONE)
def test_what_concerns_one_backend_is_not_shown_to_clients(field, what):
    status, body = CONCERNS_ONE[what]
    gateway, _ = field({"bad": says(status, body), "good": healthy})
    for _ in range(12):
        answer = chat(gateway)
        assert answer.status_code == 200
        assert answer.json()["choices"][0]["message"]["content"] == "hello"


# c04: one client's own mistake, told inside a 200 stream
MISTAKES = {
    "context_length_exceeded": '{"error":{"type":"invalid_request_error","code":"context_length_exceeded","message":"x"}}',
    "400": '{"error":{"type":"BadRequestError","code":400,"message":"bad image"}}',
}


@pytest.mark.parametrize("what", MISTAKES)
def test_a_faulty_request_is_its_clients_alone(field, what):
    async def handler(request, answer):
        if b"POISON" in request.body:
            await streams(f"data: {MISTAKES[what]}\n\n")(request, answer)
        else:
            await healthy(request, answer)

    gateway, backends = field({name: handler for name in "abc"})
    for _ in range(3):
        answer = chat(gateway, text="POISON", stream=True)
        assert MISTAKES[what] in answer.text
        assert chat(gateway).status_code == 200
    assert sum(b"POISON" in r.body for b in backends.values() for r in b.seen) == 3, "each was asked once"


# c05
def test_one_failure_does_not_close_the_only_backend(field):
    count = 0

    async def sometimes(request, answer):
        nonlocal count
        count += 1
        if count % 20 == 5:
            await answer.send(500, {"error": {"message": "hiccup", "code": "model_error"}})
        else:
            await healthy(request, answer)

    gateway, _ = field({"a": sometimes})
    statuses = [chat(gateway).status_code for _ in range(40)]
    assert statuses.count(200) >= 36
    assert set(statuses) <= {200, 500}, "what is not served is told as the backend told it"


# c07: long thinking
def test_comments_keep_a_waiting_client(field):
    async def thinks(request, answer):
        await asyncio.sleep(2.5)
        await healthy(request, answer)

    gateway, backends = field({"a": thinks}, stream={"heartbeat": "500ms"})
    start = time.monotonic()
    with httpx.stream("POST", harness.chat_url(gateway.url), headers=HEADERS, timeout=2,
                      json=harness.chat_body(stream=True)) as answer:  # fmt: skip
        first = None
        text = ""
        for part in answer.iter_text():
            first = first or time.monotonic() - start
            text += part
    assert first < 1.5
    assert text.startswith(": ")
    assert harness.stream_text(harness.sse_events(text)) == "hello"
    assert len(backends["a"].seen) == 1


@pytest.mark.parametrize("sign", [": PROCESSING\n\n", 'data: {"type":"keepalive","sequence_number":1}\n\n'])
def test_a_backends_signs_of_life_reach_the_client(field, sign):
    async def thinks(request, answer):
        await answer.head()
        await answer.chunk(delta())
        for _ in range(8):
            await answer.chunk(sign)
            await asyncio.sleep(0.5)
        for event in (delta("42"), delta(finish="stop"), DONE):
            await answer.chunk(event)
        await answer.end()

    # By default, and so that its own heartbeats come too late.
    gateway, backends = field({"a": thinks})
    answer = httpx.post(harness.chat_url(gateway.url), headers=HEADERS, timeout=2.5, json=harness.chat_body(stream=True))
    assert answer.text.startswith(": ")
    assert harness.stream_text([e for e in harness.sse_events(answer.text) if "choices" in e]) == "42"
    assert len(backends["a"].seen) == 1


def test_signs_of_life_are_no_output(field):
    async def never(_, answer):
        await answer.head()
        for _ in range(40):
            await answer.chunk(": PROCESSING\n\n")
            await asyncio.sleep(0.1)

    gateway, _ = field({"a": never}, per_backend={"a": {"timeouts": {"first_token": "1s"}}})
    answer = chat(gateway, stream=True)
    assert harness.sse_events(answer.text)[-1]["error"]["code"] == "timeout"
    assert gateway.backends()["a"]["state"] == "available"


def test_a_retry_stays_silent_behind_comments(field):
    async def fails_late(_, answer):
        await asyncio.sleep(1.2)
        await answer.send(500, {"error": {"message": "x"}})

    gateway, _ = field({"a": fails_late, "b": healthy}, stream={"heartbeat": "300ms"},
                       per_backend={"b": {"priority": 2}})  # fmt: skip
    answer = chat(gateway, stream=True)
    assert answer.text.startswith(": ")
    assert harness.stream_text(harness.sse_events(answer.text)) == "hello"


def test_a_time_out_is_not_generated_twice_and_trips_nobody(field):
    async def silent(request, answer):
        if b"THINK" in request.body:
            await asyncio.sleep(3)
        await healthy(request, answer)

    gateway, backends = field({"a": silent, "b": silent}, per_backend={n: {"timeouts": {"first_token": "1s"}} for n in "ab"})
    answer = chat(gateway, text="THINK")
    assert answer.status_code == 504
    assert sum(len(b.seen) for b in backends.values()) == 1
    assert all(chat(gateway).status_code == 200 for _ in range(6))


# c09
def test_speech_passes_as_it_comes(field):
    async def speaks(_, answer):
        await answer.head("audio/mpeg")
        for _ in range(4):
            await answer.chunk(b"\xff\xfb" * 100)
            await asyncio.sleep(0.5)
        await answer.end()

    gateway, _ = field({"a": speaks})
    start = time.monotonic()
    with httpx.stream("POST", f"{gateway.url}/openai/v1/audio/speech", headers=HEADERS,
                      json={"model": "tts-1", "input": "x"}, timeout=10) as answer:  # fmt: skip
        next(answer.iter_raw())
        assert time.monotonic() - start < 1


@pytest.mark.parametrize("content_type", ["application/json", "application/json; charset=utf-8", "text/plain"])
def test_a_stream_is_one_whatever_it_calls_itself(field, content_type):
    read = threading.Event()

    async def drips(_, answer):
        await answer.head(content_type)
        await answer.chunk(delta("hel"))
        if not await asyncio.get_running_loop().run_in_executor(None, read.wait, 8):
            return False
        for event in (delta("lo"), delta(finish="stop"), DONE):
            await answer.chunk(event)
        await answer.end()

    gateway, _ = field({"a": drips})
    with httpx.stream("POST", harness.chat_url(gateway.url), headers=HEADERS, timeout=10,
                      json=harness.chat_body(stream=True)) as answer:  # fmt: skip
        parts = answer.iter_text()
        text = next(parts)
        read.set()
        text += "".join(parts)
    assert text == delta("hel") + delta("lo") + delta(finish="stop") + DONE


def test_json_in_answer_to_a_stream_is_shown_as_it_is(field):
    async def whole(_, answer):
        await answer.send(200, completion())

    gateway, _ = field({"a": whole})
    assert chat(gateway, stream=True).json() == completion()


# c10
def test_an_event_of_any_size_passes(field):
    picture = "event: response.image_generation_call.partial_image\ndata: " + json.dumps(
        {"type": "response.image_generation_call.partial_image", "partial_image_b64": "a" * (6 << 20)}
    ) + "\n\n"  # fmt: skip
    done = 'event: response.completed\ndata: {"type":"response.completed","sequence_number":2,"response":{}}\n\n'
    gateway, _ = field({"a": streams(picture, done)})
    answer = httpx.post(f"{gateway.url}/openai/v1/responses", headers=HEADERS,
                        json={"model": "m", "input": "x", "stream": True}, timeout=60)  # fmt: skip
    assert answer.text == picture + done


# c14
def test_a_forms_model_is_mapped_and_logged(field):
    async def hears(_, answer):
        await answer.send(200, {"text": "hello"})

    gateway, backends = field({"a": hears}, per_backend={"a": {"kind": "openai", "deployments": {"whisper-1": "my-whisper"}}})
    answer = httpx.post(f"{gateway.url}/v1/audio/transcriptions", headers=HEADERS,
                        data={"model": "whisper-1"}, files={"file": ("a.wav", b"RIFF" * 1000)})  # fmt: skip
    assert answer.status_code == 200
    assert b"my-whisper" in backends["a"].seen[0].body
    assert gateway.access_lines(1)[0]["deployment"] == "whisper-1"


def test_a_list_of_deployments_leaves_the_rest_open(field):
    async def any_answer(_, answer):
        await answer.send(200, {"object": "list", "data": []})

    gateway, _ = field({"a": any_answer}, clients=[
        {"name": "e2e", "key": harness.CLIENT_KEY, "deployments": ["gpt-4o", "whisper-1"]}])  # fmt: skip
    for path in ("/v1/files", "/v1/batches", "/v1/responses/resp_0123456789"):
        assert httpx.get(gateway.url + path, headers=HEADERS).status_code == 200, path
    models = httpx.get(f"{gateway.url}/v1/models", headers=HEADERS).json()
    assert [m["id"] for m in models["data"]] == ["gpt-4o", "whisper-1"]
    assert chat(gateway).status_code == 200
    refused = httpx.post(harness.chat_url(gateway.url, "o1"), headers=HEADERS, json=harness.chat_body())
    assert refused.status_code == 403


# c15
def test_the_border(field):
    gateway, backends = field({"a": healthy}, server={"cors": ["https://app.example"]})
    private = {"cookie": "session=abc", "x-forwarded-for": "10.1.2.3", "cf-connecting-ip": "10.1.2.3",
               "referer": "https://intranet.example", "origin": "https://app.example"}  # fmt: skip
    answer = httpx.post(harness.chat_url(gateway.url), headers={**HEADERS, **private}, json=harness.chat_body())
    assert answer.headers["access-control-allow-origin"] == "https://app.example"
    assert not set(private) & set(backends["a"].seen[0].headers)
    preflight = httpx.options(harness.chat_url(gateway.url), headers={
        "origin": "https://app.example", "access-control-request-method": "POST",
        "access-control-request-headers": "api-key"})  # fmt: skip
    assert preflight.status_code == 204
    assert preflight.headers["access-control-allow-headers"] == "api-key"
    upgrade = httpx.get(f"{gateway.url}/openai/v1/realtime", headers={
        **HEADERS, "connection": "upgrade", "upgrade": "websocket"})  # fmt: skip
    assert upgrade.status_code == 426
    assert httpx.request("TRACE", f"{gateway.url}/v1/models", headers=HEADERS).status_code == 405
    assert len(backends["a"].seen) == 1


# c16
def test_a_last_event_without_its_blank_line(field):
    gateway, _ = field({"a": streams(delta("a"), "data: [DONE]\n")})
    assert chat(gateway, stream=True).text == delta("a") + "data: [DONE]\n"


# c19
# Each base URL that people give, and what the clients of Azure and of the v1 API ask below it.
PASTED = {
    f"{base}{slash}{tail}": "/openai" + (tail if "deployments" in tail else "/v1" + tail).removeprefix("/openai")
    for base in ("", "/openai", "/openai/v1", "/v1")
    for slash in ("", "/")
    for tail in ("/chat/completions", "/openai/deployments/gpt-4o/chat/completions?api-version=1")
} | {"/models/chat/completions?api-version=2024-05-01-preview": "/models/chat/completions?api-version=2024-05-01-preview"}


@pytest.mark.parametrize("path", PASTED)
def test_paths_as_people_paste_them(field, path):
    gateway, backends = field({"a": healthy})
    body = json.dumps(harness.chat_body(model="gpt-4o")).encode()
    with socket.create_connection(("127.0.0.1", gateway.port)) as s:
        s.sendall(f"POST {path} HTTP/1.1\r\nHost: gw\r\nConnection: close\r\napi-key: {harness.CLIENT_KEY}\r\n"
                  f"content-length: {len(body)}\r\n\r\n".encode() + body)  # fmt: skip
        assert s.recv(100).startswith(b"HTTP/1.1 200")
    assert backends["a"].seen[0].target == PASTED[path]


def test_a_path_without_a_deployment_is_refused_with_its_reason(field):
    gateway, backends = field({"a": healthy})
    answer = httpx.post(f"{gateway.url}/openai/deployments//chat/completions?api-version=1", headers=HEADERS, json={})
    assert answer.status_code == 400
    assert "names no deployment" in answer.json()["error"]["message"]
    assert not backends["a"].seen


def test_no_connection_is_told_as_it_is(field):
    gateway, backends = field({"a": healthy})
    backends["a"].server.close()
    backends["a"].stop()
    answer = chat(gateway)
    assert answer.status_code == 503
    assert "no connection" in answer.json()["error"]["message"]
    attempt = gateway.access_lines(1)[0]["attempts"][0]
    assert attempt["detail"]


def test_insufficient_quota_reaches_the_client(field):
    error = {"error": {"message": "You exceeded your current quota", "type": "insufficient_quota",
                       "code": "insufficient_quota"}}  # fmt: skip
    gateway, _ = field({n: says(429, error) for n in "ab"})
    answer = chat(gateway)
    assert answer.status_code == 429
    assert answer.json()["error"]["code"] == "insufficient_quota"


def test_the_answer_that_all_gave_is_passed_on(field):
    error = {"error": {"message": "The model produced invalid content", "code": "model_error"}}
    gateway, _ = field({n: says(500, error) for n in "ab"})
    answer = chat(gateway)
    assert answer.status_code == 500
    assert answer.json() == error


@pytest.mark.parametrize("backends", ["a", "ab"])
def test_the_error_event_that_all_gave_is_passed_on(field, backends):
    event = 'data: {"error":{"message":"inner","type":"server_error","code":"oops","param":null}}\n\n'
    gateway, _ = field({n: streams(delta(""), event) for n in backends})
    answer = chat(gateway, stream=True)
    assert answer.status_code == 502
    assert answer.json()["error"] == {"message": "inner", "type": "server_error", "code": "oops", "param": None}


def test_nothing_of_a_healthy_answer_is_changed(field):
    gateway, _ = field({"a": healthy})
    assert chat(gateway).json() == completion()
    assert chat(gateway, stream=True).text == delta("hel") + delta("lo") + delta(finish="stop") + DONE
    assert scripted.completion() == completion()


def test_a_model_is_asked_for_where_it_is_served(field):
    async def a(request, answer):
        known = request.target == "/openai/v1/models/only-at-a"
        await answer.send(200 if known else 404, {"id": "only-at-a"} if known else {"error": {"code": "model_not_found"}})

    async def b(request, answer):
        known = request.target == "/openai/v1/models/org/only-at-b"
        await answer.send(200 if known else 404, {"id": "only-at-b"} if known else {"error": {"code": "model_not_found"}})

    gateway, backends = field({"a": a, "b": b})
    for _ in range(8):
        for name in ("only-at-a", "org/only-at-b"):
            answer = httpx.get(f"{gateway.url}/v1/models/{name}", headers=HEADERS)
            assert answer.status_code == 200, (name, answer.text)
        assert httpx.get(f"{gateway.url}/v1/models/nowhere", headers=HEADERS).status_code == 404
    assert {one["state"] for one in gateway.backends().values()} == {"available"}


def test_models_that_are_listed_are_told_by_the_gateway(field):
    gateway, backends = field({"a": healthy, "b": healthy},
                              per_backend={"a": {"models": ["gpt-4o"]}, "b": {"models": ["o3"], "deployments": {"mine": "d"}}})  # fmt: skip
    listed = httpx.get(f"{gateway.url}/v1/models", headers=HEADERS).json()
    assert [m["id"] for m in listed["data"]] == ["gpt-4o", "mine", "o3"]
    for entry in listed["data"]:
        assert httpx.get(f"{gateway.url}/v1/models/{entry['id']}", headers=HEADERS).json() == entry
    gone = httpx.get(f"{gateway.url}/v1/models/gpt-3", headers=HEADERS)
    assert (gone.status_code, gone.json()["error"]["code"]) == (404, "model_not_found")
    asked = httpx.post(f"{gateway.url}/v1/chat/completions", headers=HEADERS, json=harness.chat_body(model="gpt-3"))
    assert (asked.status_code, asked.json()["error"]["code"]) == (404, "model_not_found")
    asked = httpx.post(harness.chat_url(gateway.url, "gpt-3"), headers=HEADERS, json=harness.chat_body())
    assert (asked.status_code, asked.json()["error"]["code"]) == (404, "DeploymentNotFound")
    assert not backends["a"].seen and not backends["b"].seen


@pytest.mark.parametrize("status, name", [(202, "operation-location"), (302, "location"), (201, "content-location")])
def test_a_backend_that_names_itself_is_named_as_the_gateway(field, status, name):
    async def names_itself(request, answer):
        if "/operations/" in request.target:
            return await answer.send(200, {"status": "succeeded"})
        where = f"http://{request.headers['host']}/openai/operations/images/1?api-version=1"
        await answer.send(status, {"id": "1"}, **{name.replace("-", "_"): where})

    gateway, _ = field({"a": names_itself})
    url = f"{gateway.url}/openai/images/generations:submit?api-version=2023-06-01-preview"
    answer = httpx.post(url, headers=HEADERS, json={"prompt": "x"})
    assert answer.status_code == status
    assert answer.headers[name] == f"{gateway.url}/openai/operations/images/1?api-version=1"
    assert httpx.get(answer.headers[name], headers=HEADERS).json() == {"status": "succeeded"}
    behind = httpx.post(url, headers={**HEADERS, "host": "gw.example", "x-forwarded-proto": "https"}, json={"prompt": "x"})
    assert behind.headers[name] == "https://gw.example/openai/operations/images/1?api-version=1"


def test_a_place_elsewhere_stays(field):
    async def elsewhere(_, answer):
        await answer.send(302, b"", location="https://blob.example/f?sig=1")

    gateway, _ = field({"a": elsewhere})
    answer = httpx.get(f"{gateway.url}/v1/files/file-12345678/content", headers=HEADERS)
    assert answer.headers["location"] == "https://blob.example/f?sig=1"


def test_deployments_have_times_of_their_own(field):
    async def thinks(request, answer):
        await asyncio.sleep(1.5)
        await healthy(request, answer)

    gateway, _ = field({"a": thinks}, limits={"request_timeout": "1s"}, per_backend={
        "a": {"timeouts": {"first_token": "1s", "deployments": {"o3*": {"first_token": "10s"}}}}})  # fmt: skip
    for stream in (False, True):
        body = harness.chat_body(stream=stream)
        assert httpx.post(harness.chat_url(gateway.url, "o3-pro"), headers=HEADERS, json=body, timeout=20).status_code == 200
        slow = httpx.post(harness.chat_url(gateway.url), headers=HEADERS, json=body, timeout=20)
        assert slow.status_code == 504


# c07: SPILLWAY_SILENCE=110 for the time that a reasoning model takes.
def test_a_long_thought_is_served_with_the_defaults(tmp_path):
    silence = float(os.environ.get("SPILLWAY_SILENCE", "3"))
    emulator = harness.Emulator(tmp_path, 3)
    gateway = harness.Gateway(tmp_path, [harness.backend(f"r{i}", url) for i, url in enumerate(emulator.urls)])
    try:
        for resource in range(3):
            emulator.fault(resource, "silence", silent=silence, phase="head", contains='"max_tokens":21')
            emulator.fault(resource, "silence", silent=silence, phase="first_token", contains='"max_tokens":22')
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            asked = [
                pool.submit(harness.post_chat, gateway.url, stream=stream, max_tokens=tokens, timeout=silence + 30)
                for stream, tokens in ((False, 21), (True, 21), (True, 22))
            ]
            plain, streamed, held = (one.result() for one in asked)
        assert plain.status_code == 200 and plain.elapsed.total_seconds() >= silence
        for answer in (streamed, held):
            assert answer.status_code == 200
            events = harness.sse_events(answer.text)
            assert events[-1] == "[DONE]" and harness.stream_text(events)
        assert sum(emulator.requests()) == 3, "each was generated once"
    finally:
        gateway.stop()
        emulator.stop()
