"""More of each kind of the cases in test_field_gateway.py: other services' words and shapes for the same thing."""

import asyncio
import json
import time

import httpx
import pytest

import harness
from harness import sse_events, stream_text
from scripted import DONE, Backend, completion, delta, healthy
from test_field_gateway import HEADERS, chat, field, says, streams  # noqa: F401

RESPONSES = "/openai/v1/responses"


def respond(gateway, **more):
    body = {"model": "m", "input": "x", "stream": True, **more}
    return httpx.post(gateway.url + RESPONSES, headers=HEADERS, json=body, timeout=60)


def typed(kind, **more):
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **more})}\n\n"


def error(message="x", **more):
    return {"error": {"message": message, **more}}


def event(what):
    return what if isinstance(what, str) else f"data: {json.dumps(what)}\n\n"


# c01: a field that the gateway adds, and the service refuses
REFUSED_OPTIONS = {
    "vLLM": says(422, {"detail": [{"type": "extra_forbidden", "loc": ["body", "stream_options"], "msg": "not permitted"}]}),
    "old api-version": says(400, error("Unrecognized request argument supplied: stream_options")),
    "by path": says(400, {"error": {"code": 400, "message": "Validation error at #/stream_options: not permitted"}}),
    "by its member": says(400, error("Extra inputs are not permitted", param="include_usage")),
}


@pytest.mark.parametrize("what", REFUSED_OPTIONS)
def test_stream_options_are_taken_back(field, what):
    async def strict(request, answer):
        handler = REFUSED_OPTIONS[what] if "stream_options" in request.json() else healthy
        await handler(request, answer)

    gateway, backends = field({"a": strict})
    for _ in range(2):
        answer = chat(gateway, stream=True)
        assert answer.status_code == 200, answer.text
        assert stream_text(sse_events(answer.text)) == "hello"
    assert len(backends["a"].seen) == 3, "asked with it once, and never again"
    own = chat(gateway, stream=True, stream_options={"include_usage": True})
    assert own.status_code in (400, 422), "what the client sent itself it is told"
    assert len(backends["a"].seen) == 4


# c02: complete streams in other shapes
USAGE = 'data: {"id":"x","object":"chat.completion.chunk","choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5}}\n\n'
SECOND = 'data: {"choices":[{"index":1,"delta":{},"finish_reason":"stop"}]}\n\n'
WHOLE = {
    "usage last": (delta("a"), delta(finish="stop"), USAGE),
    "length": (delta("a"), delta(finish="length")),
    "tool calls": (delta("a"), delta(finish="tool_calls")),
    "text and end in one": ('data: {"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":"stop"}]}\n\n',),
    "two answers": (delta("a"), delta(finish="stop"), SECOND),
    "no blank line at the end": (delta("a"), delta(finish="stop").rstrip("\n")),
    "comments at the end": (delta("a"), delta(finish="stop"), ": bye\n\n"),
    "old completions": ('data: {"object":"text_completion","choices":[{"index":0,"text":"a","finish_reason":"stop"}]}\n\n',),
}


@pytest.mark.parametrize("closes", [False, True])
@pytest.mark.parametrize("what", WHOLE)
def test_a_stream_is_whole_without_its_mark(field, what, closes):
    async def to_the_end(_, answer):
        await answer.raw("HTTP/1.0 200 OK\r\ncontent-type: text/event-stream\r\n\r\n" + "".join(WHOLE[what]))
        return False

    gateway, _ = field({"a": to_the_end if closes else streams(*WHOLE[what])})
    answer = chat(gateway, stream=True, n=2 if what == "two answers" else 1, stream_options={"include_usage": True})
    assert answer.text == "".join(WHOLE[what])
    line = gateway.access_lines(1)[0]
    assert line["outcome"] == "ok"
    assert gateway.backends()["a"]["state"] == "available"


def test_a_stream_without_an_end_is_told_as_cut(field):
    gateway, _ = field({"a": streams(delta("a"), delta("b"))})
    events = sse_events(chat(gateway, stream=True).text)
    assert events[-1]["error"]["code"] == "stream_cut"


# c03: what concerns one backend, in other services' words
CONCERNS_ONE = {
    "Ollama": (404, error("model 'gpt-4o' not found, try pulling it first", type="api_error")),
    "vLLM": (404, {"object": "error", "message": "The model `x` does not exist.", "type": "NotFoundError", "code": 404}),
    "DeepSeek": (400, error("Model Not Exist", type="invalid_request_error", code="invalid_request_error")),
    "OpenRouter": (400, error("gpt-4o is not a valid model ID", code=400)),
    "Groq": (400, error("The model has been decommissioned", type="invalid_request_error", code="model_decommissioned")),
    "Mistral": (400, {"object": "error", "message": "Invalid model: x", "type": "invalid_model", "code": "1500"}),
    "GitHub": (400, error("Unknown model: x", code="unknown_model")),
    "Azure, withdrawn": (410, error("The model is deprecated and no longer available", code="ModelDeprecated")),
    "Azure, wrong path": (404, error("Resource not found", code="404")),
    "Azure, no role": (401, error("The principal lacks the required data action", code="PermissionDenied")),
    "Azure, private": (403, error("Public access is disabled. Please configure private endpoint.", code="403")),
    "Azure, not ready": (400, error("The model is not available in this region", code="UnavailableModel")),
    "front end's 401": (401, {"statusCode": 401, "message": "Unauthorized. Access token is missing, invalid or expired."}),
    "bad gateway": (502, "<html><h1>502 Bad Gateway</h1></html>"),
    "Cloudflare": (524, "<html>A timeout occurred</html>"),
    "nothing at all": (503, b""),
    "white space": (200, b" \r\n"),
    "a word": (200, {"error": "overloaded"}),
    "a page that calls itself JSON": (200, "<!DOCTYPE html><html>log in</html>"),
}


@pytest.mark.parametrize("what", CONCERNS_ONE)
def test_what_concerns_one_backend_is_not_shown(field, what):
    status, body = CONCERNS_ONE[what]
    gateway, backends = field({"bad": says(status, body), "good": healthy})
    for number in range(16):
        stream = number % 2 == 1
        answer = chat(gateway, text=f"Number {number}", stream=stream)
        assert answer.status_code == 200, answer.text
        if stream:
            assert stream_text(sse_events(answer.text)) == "hello"
        else:
            assert answer.json() == completion()
    assert backends["bad"].seen


# c04: one client's own mistake inside a 200 stream, in other shapes
MISTAKES = {
    "vLLM": {"object": "error", "message": "max_tokens is too large", "type": "BadRequestError", "param": None, "code": 400},
    "llama.cpp": error("the request exceeds the available context size", code=400, type="exceed_context_size_error"),
    "Anthropic": 'event: error\ndata: {"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long"}}\n\n',
    "Gemini": error("Request contains an invalid argument.", status="INVALID_ARGUMENT"),
    "a status": error("Unprocessable", status=422),
    "words alone": error("This model's maximum context length is 8192 tokens. Please reduce the length of the messages."),
    "a string": {"error": "prompt is too long: 210000 tokens > 200000 maximum"},
    "its parameter": error("Invalid value", type=None, code=None, param="temperature"),
    "413": error("Payload too large", code="413"),
    "policy": error("Your request was rejected", code="content_policy_violation"),
    "picture": error("Could not download", code="failed_to_download_image"),
    "tools": error("Failed to call a function", type="invalid_request_error", code="tool_use_failed"),
}


@pytest.mark.parametrize("what", MISTAKES)
def test_a_mistake_is_its_clients_alone(field, what):
    mistake = event(MISTAKES[what])

    async def handler(request, answer):
        await (streams(delta(""), mistake) if b"POISON" in request.body else healthy)(request, answer)

    gateway, backends = field({name: handler for name in "abc"})
    for _ in range(4):
        assert mistake in chat(gateway, text="POISON", stream=True).text
        assert chat(gateway).status_code == 200
    assert sum(b"POISON" in r.body for b in backends.values() for r in b.seen) == 4, "each was asked once"


def test_an_error_object_without_an_event_is_one(field):
    mistake = json.dumps(error("too long", code="context_length_exceeded"))

    async def handler(request, answer):
        await (streams(mistake) if b"POISON" in request.body else healthy)(request, answer)

    gateway, backends = field({name: handler for name in "ab"})
    assert sse_events(chat(gateway, text="POISON", stream=True).text) == [json.loads(mistake)]
    assert chat(gateway).status_code == 200
    assert sum(b"POISON" in r.body for b in backends.values() for r in b.seen) == 1


FAILED_RESPONSES = {
    "picture": {"code": "image_parse_error", "message": "x"},
    "prompt": {"code": "invalid_prompt", "message": "x"},
    "policy": {"code": "cyber_policy_violation", "message": "x"},
}


@pytest.mark.parametrize("what", FAILED_RESPONSES)
def test_a_response_that_failed_by_its_request_is_told_once(field, what):
    failed = typed("response.failed", response={"id": "resp_1", "status": "failed", "error": FAILED_RESPONSES[what]})
    gateway, backends = field({name: streams(typed("response.created", response={"id": "resp_1"}), failed) for name in "ab"})
    assert failed in respond(gateway).text
    assert sum(len(b.seen) for b in backends.values()) == 1
    assert {one["state"] for one in gateway.backends().values()} == {"available"}


# c05: one failure in twenty of other kinds, of one backend alone
async def closes(_, answer):
    return False


RARE = {
    "502": says(502, "<html>bad gateway</html>", "text/html"),
    "529": says(529, error("Overloaded", type="overloaded_error")),
    "nothing": says(200, b""),
    "an error under 200": says(200, error("Provider returned error", code=502)),
    "a cut": closes,
    "a stream's error": streams(delta(""), event(error("oops", type="server_error"))),
    "401": says(401, error("Token expired")),
}


@pytest.mark.parametrize("what", RARE)
def test_a_lonely_backend_is_not_taken_away(field, what):
    count = 0

    async def sometimes(request, answer):
        nonlocal count
        count += 1
        return await (RARE[what] if count % 20 == 10 else healthy)(request, answer)

    gateway, backends = field({"a": sometimes})
    failed = [number for number in range(60) if chat(gateway, text=f"Number {number}", stream=True).status_code != 200]
    assert len(failed) <= 3, failed
    assert len(backends["a"].seen) >= 60, "nobody was refused without being asked for"


def test_a_lonely_backend_that_comes_back_is_used_at_once(field):
    gateway, backends = field({"a": healthy})
    port = backends["a"].port
    backends["a"].stop()
    backends["a"].loop.run_until_complete(asyncio.wait_for(_closed(backends["a"].server), 5))
    for _ in range(4):
        assert chat(gateway).status_code == 503
    again = Backend("a", healthy, port=port)
    try:
        assert chat(gateway).status_code == 200
    finally:
        again.stop()


async def _closed(server):
    server.close()


# c06: larger than one deployment's whole quota, not than the other's
def test_a_large_request_goes_where_it_fits(field):
    gateway, backends = field({"small": healthy, "large": healthy},
                              per_backend={"small": {"tpm": 1000}, "large": {"tpm": 100000}})  # fmt: skip
    for number in range(12):
        answer = chat(gateway, text=f"Number {number}", max_tokens=5000)
        assert answer.status_code == 200, answer.text
    assert not backends["small"].seen
    whole = chat(gateway, max_tokens=500000)
    assert (whole.status_code, whole.json()["error"]["code"]) == (429, "request_too_large")
    assert whole.headers["x-should-retry"] == "false"
    assert chat(gateway, max_tokens=20).status_code == 200


# c07: other signs of life
@pytest.mark.parametrize("sign", [":\n\n", ": OPENROUTER PROCESSING\n\n", "event: ping\ndata: {}\n\n",
                                  'event: ping\ndata: {"type": "ping"}\n\n'])  # fmt: skip
def test_signs_of_life_of_other_services(field, sign):
    async def thinks(_, answer):
        await answer.head()
        for _ in range(4):
            await answer.chunk(sign)
            await asyncio.sleep(0.5)
        for one in (delta("42"), delta(finish="stop"), DONE):
            await answer.chunk(one)
        await answer.end()

    gateway, backends = field({"a": thinks}, per_backend={"a": {"timeouts": {"first_token": "10s"}}})
    answer = httpx.post(harness.chat_url(gateway.url), headers=HEADERS, timeout=1.5, json=harness.chat_body(stream=True))
    assert answer.text.startswith(":")
    assert "42" in answer.text and answer.text.endswith(DONE)
    assert len(backends["a"].seen) == 1


def test_a_backends_comments_pass_as_they_are(field):
    whole = (": ping\n\n", ":\n\n", delta("a"), ": ping\n\n", delta("b"), delta(finish="stop"), DONE)
    gateway, _ = field({"a": streams(*whole)})
    assert chat(gateway, stream=True).text == "".join(whole)


# c09: other things that come bit by bit
BITS = {
    "speech as PCM": ("/openai/v1/audio/speech", "audio/pcm"),
    "speech as WAV": ("/openai/v1/audio/speech", "audio/wav"),
    "speech by path": ("/openai/deployments/tts/audio/speech?api-version=2025-03-01-preview", "application/octet-stream"),
    "lines of JSON": ("/openai/v1/chat/completions", "application/x-ndjson"),
    "pictures": ("/openai/v1/images/generations", "text/event-stream"),
}


@pytest.mark.parametrize("what", BITS)
def test_bits_pass_as_they_come(field, what):
    path, content_type = BITS[what]
    read = asyncio.Event()

    async def drips(_, answer):
        await answer.head(content_type)
        await answer.chunk(b'{"first": "bit"}\n')
        try:
            await asyncio.wait_for(read.wait(), 8)
        except TimeoutError:
            return False
        await answer.chunk(b'{"last": "bit"}\n')
        await answer.end()

    gateway, backends = field({"a": drips})
    body = {"model": "m", "input": "x", "prompt": "x", "stream": True, "messages": []}
    with httpx.stream("POST", gateway.url + path, headers=HEADERS, json=body, timeout=12) as answer:
        parts = answer.iter_raw()
        whole = next(parts)
        backends["a"].loop.call_soon_threadsafe(read.set)
        whole += b"".join(parts)
    assert whole == b'{"first": "bit"}\n{"last": "bit"}\n'


# c10: other large events
PICTURE = "a" * (6 << 20)
LARGE = {
    "a delta": (event({"choices": [{"index": 0, "delta": {"images": [{"image_url": {"url": PICTURE}}]}}]}), delta(finish="stop"), DONE),
    "on lines of their own": (f'data: {{"choices":[{{"index":0,\ndata: "delta":{{"content":"{PICTURE}"}}}}]}}\n\n', delta(finish="stop"), DONE),
    "20 MB": (event({"choices": [{"index": 0, "delta": {"content": "b" * (20 << 20)}}]}), delta(finish="stop"), DONE),
}  # fmt: skip


@pytest.mark.parametrize("what", LARGE)
def test_large_events_pass(field, what):
    gateway, _ = field({"a": streams(*LARGE[what])})
    answer = httpx.post(harness.chat_url(gateway.url), headers=HEADERS, json=harness.chat_body(stream=True), timeout=60)
    assert answer.text == "".join(LARGE[what])
    assert gateway.access_lines(1)[0]["outcome"] == "ok"


def test_the_usage_of_a_large_response_is_counted(field):
    done = typed("response.completed", response={
        "id": "resp_000000001", "output": [{"type": "image_generation_call", "result": PICTURE}],
        "usage": {"input_tokens": 5, "output_tokens": 7, "total_tokens": 12}})  # fmt: skip
    gateway, _ = field({"a": streams(typed("response.created", response={"id": "resp_000000001"}), done)})
    assert respond(gateway).text.endswith(done)
    line = gateway.access_lines(1)[0]
    assert (line["outcome"], line["tokens_in"], line["tokens_out"]) == ("ok", 5, 7)


# c08: an item of an earlier answer, named alone
def test_an_item_of_an_earlier_answer_is_looked_for_where_it_is(field):
    missing = error("Item with id 'rs_0123abcd' not found.", type="invalid_request_error")

    async def has_none(request, reply):
        await reply.send(404, missing)

    async def has_it(request, reply):
        await reply.send(200, {"id": "resp_000000001", "status": "completed", "output": [],
                               "usage": {"input_tokens": 1, "output_tokens": 1, "total_tokens": 2}})  # fmt: skip

    gateway, backends = field({"a": has_none, "b": has_it})
    for number in range(30):
        item = {"id": f"rs_0123abcd{number}", "type": "item_reference"}
        answer = httpx.post(gateway.url + RESPONSES, headers=HEADERS, json={"model": "m", "input": [item]}, timeout=20)
        assert answer.status_code == 200, answer.text
    assert backends["a"].seen, "first, for one or the other"


# c12: other junk names
@pytest.mark.parametrize("answer", [(404, error("no such model", code="model_not_found")),
                                    (400, error("Unknown model", code="unknown_model"))])  # fmt: skip
def test_junk_names_in_bodies_do_not_push_out_real_ones(field, answer):
    async def serves(request, reply):
        name = request.json()["model"]
        if name.startswith("junk"):
            await reply.send(*answer)
        elif name == "busy":
            await reply.send(429, error("slow down"), retry_after=30)
        else:
            await healthy(request, reply)

    gateway, _ = field({"a": serves})
    with httpx.Client(timeout=30, headers=HEADERS) as client:

        def ask(name):
            return client.post(f"{gateway.url}/v1/chat/completions", json=harness.chat_body(model=name)).status_code

        assert ask("real") == 200
        assert all(ask(f"junk-{number}") == answer[0] for number in range(300))
        assert ask("busy") == 429
        assert ask("real") == 200
        assert ask("new") == 200


# c14b: more that a client with a list may and may not
def test_a_list_of_deployments_holds_for_every_way_to_name_one(field):
    async def any_answer(_, answer):
        await answer.send(200, {"object": "list", "data": []})

    gateway, backends = field({"a": any_answer}, clients=[
        {"name": "e2e", "key": harness.CLIENT_KEY, "deployments": ["gpt-4o", "whisper-1"]}])  # fmt: skip
    sound = ("a.wav", b"RIFF" * 1000)
    with httpx.Client(timeout=30, headers=HEADERS, base_url=gateway.url) as client:
        # The model behind the file; named twice; named by the path and otherwise by the form.
        form = client.post("/v1/audio/transcriptions", files=[("file", sound), ("model", (None, "gpt-image-1"))])
        twice = client.post("/v1/audio/transcriptions",
                            files=[("model", (None, "whisper-1")), ("file", sound), ("model", (None, "gpt-image-1"))])  # fmt: skip
        path = client.post("/openai/deployments/whisper-1/audio/transcriptions?api-version=1",
                           files=[("file", sound), ("model", (None, "gpt-image-1"))])  # fmt: skip
        for refused in (form, twice):
            assert refused.status_code == 403, refused.text
        assert path.status_code in (200, 403)
        assert not any(b"gpt-image-1" in r.body for r in backends["a"].seen), "not by any way"
        assert client.post("/v1/embeddings", json={"model": "ada", "input": "x"}).status_code == 403
        assert client.get("/v1/models/o1").status_code in (403, 404)
        for method, url in (("GET", "/v1/fine_tuning/jobs"), ("DELETE", "/v1/files/file-12345678"), ("POST", "/v1/conversations"),
                            ("GET", "/v1/vector_stores"), ("POST", "/v1/uploads"), ("GET", "/v1/containers")):  # fmt: skip
            assert client.request(method, url, json={} if method == "POST" else None).status_code == 200, url


# c15: more of what tells where a request came from
def test_where_a_request_came_from_stays_inside(field):
    gateway, backends = field({"a": healthy})
    private = ["cookie", "forwarded", "via", "x-real-ip", "x-client-ip", "true-client-ip", "x-forwarded-host", "x-forwarded-email",
               "cf-ray", "cf-ipcountry", "x-original-forwarded-for", "x-original-url", "x-azure-clientip", "x-azure-fdid",
               "x-envoy-external-address", "x-cluster-client-ip", "fastly-client-ip", "x-ms-client-principal",
               "x-ms-token-aad-access-token", "x-amzn-oidc-data", "x-goog-iap-jwt-assertion", "proxy-authorization", "x-api-key",
               "ocp-apim-subscription-key", "sec-fetch-site", "from"]  # fmt: skip
    secret = "secret-10.1.2.3"
    answer = httpx.post(harness.chat_url(gateway.url), headers={**{name: secret for name in private}, **HEADERS},
                        json=harness.chat_body())  # fmt: skip
    assert answer.status_code == 200, answer.text
    leaked = [name for name, value in backends["a"].seen[0].headers.items() if secret in value or harness.CLIENT_KEY in value]
    assert not leaked


# c22: other numbers
NUMBERS = [{"max_tokens": 2**64 - 1, "n": 2**32 - 1}, {"max_completion_tokens": 2**63 - 1, "n": 3}, {"max_tokens": 1e19, "n": 16},
           {"max_tokens": 50, "n": 2**63}, {"max_tokens": 2**32, "n": 2**32}, {"max_output_tokens": 2**63, "n": 2}]  # fmt: skip


def test_products_of_large_numbers_do_not_wrap(field):
    limits = {"tokens_per_minute": 10000, "tokens": {"day": 1000000}}
    gateway, backends = field({"a": healthy}, clients=[{"name": "e2e", "key": harness.CLIENT_KEY, "limits": limits}])
    for numbers in NUMBERS:
        answer = chat(gateway, **numbers)
        assert answer.status_code == 429, (numbers, answer.text)
        assert answer.headers["x-ratelimit-remaining-tokens"] == "10000"
    assert not backends["a"].seen
    assert chat(gateway, max_tokens=50).status_code == 200


# Who waits exactly as long as told is not refused again by the gateway.
def test_who_waits_as_told_is_served(field):
    until = 0

    async def throttles(request, answer):
        if time.monotonic() < until:
            await answer.send(429, error("slow down"), retry_after_ms=max(1, int((until - time.monotonic()) * 1000)))
        else:
            await healthy(request, answer)

    gateway, _ = field({"a": throttles, "b": throttles})
    for number in range(8):
        until = time.monotonic() + 0.3
        answer = chat(gateway, text=f"Number {number}")
        assert answer.status_code == 429
        time.sleep(int(answer.headers["retry-after-ms"]) / 1000)
        assert chat(gateway, text=f"Again {number}").status_code == 200, number


# What clients' packages see, as it is without a gateway (clients/semantics.py)
def test_statuses_and_their_errors_reach_the_client_as_sent(field):
    async def as_asked(request, answer):
        status = int(request.headers["x-status"])
        await answer.send(status, error(f"says {status}", type="a_type", param="p", code="a_code"))

    gateway, _ = field({"a": as_asked})
    for status in (400, 404, 408, 409, 413, 415, 418, 422, 424, 451, 500):
        answer = httpx.post(harness.chat_url(gateway.url, f"d{status}"), headers={**HEADERS, "x-status": str(status)},
                            json=harness.chat_body())  # fmt: skip
        assert answer.status_code == status
        assert answer.json() == error(f"says {status}", type="a_type", param="p", code="a_code")


def test_that_a_request_should_not_be_sent_again_reaches_the_client(field):
    async def final(_, answer):
        await answer.send(500, error("for good", code="model_error"), x_should_retry="false")

    gateway, _ = field({"a": final})
    answer = chat(gateway)
    assert (answer.status_code, answer.headers["x-should-retry"]) == (500, "false")


def test_the_ids_of_a_request_reach_the_client(field):
    async def named(_, answer):
        await answer.send(200, completion(), x_request_id="up-1", x_ms_region="west", openai_processing_ms="5")

    gateway, _ = field({"a": named})
    answer = chat(gateway)
    assert answer.headers["x-request-id"]
    assert answer.headers["x-spillway-upstream-request-id"] == "up-1"
    assert answer.headers["x-ms-region"] == "west" and answer.headers["openai-processing-ms"] == "5"


def test_the_id_of_background_work_comes_at_once(field):
    read = asyncio.Event()
    created = typed("response.created", sequence_number=0, response={"id": "resp_000000001", "status": "queued"})

    async def works(_, answer):
        await answer.head()
        await answer.chunk(created)
        try:
            await asyncio.wait_for(read.wait(), 8)
        except TimeoutError:
            return False
        await answer.chunk(typed("response.some_new_event", sequence_number=1, foo=1))
        await answer.chunk(typed("response.completed", sequence_number=2, response={"id": "resp_000000001"}))
        await answer.end()

    gateway, backends = field({"a": works})
    body = {"model": "m", "input": "x", "stream": True, "background": True}
    with httpx.stream("POST", gateway.url + RESPONSES, headers=HEADERS, json=body, timeout=12) as answer:
        parts = answer.iter_text()
        text = next(parts)
        assert text == created
        backends["a"].loop.call_soon_threadsafe(read.set)
        text += "".join(parts)
    assert "response.some_new_event" in text and text.endswith(typed("response.completed", sequence_number=2,
                                                                   response={"id": "resp_000000001"}))  # fmt: skip


def test_large_uploads_pass(field):
    async def takes(request, answer):
        await answer.send(200, {"id": "file-123456789", "bytes": len(request.body)})

    gateway, backends = field({"a": takes})
    large = b"x" * (64 << 20)
    for path, files in {
        "/v1/uploads/upload_123456789/parts": {"data": ("a", large)},
        "/v1/files": {"purpose": (None, "assistants"), "file": ("a", large[: 40 << 20])},
        "/v1/images/edits": [("prompt", (None, "x")), *[("image[]", (name, large[: 20 << 20])) for name in "ab"]],
    }.items():
        answer = httpx.post(gateway.url + path, headers=HEADERS, files=files, timeout=60)
        assert answer.status_code == 200 and answer.json()["bytes"] > 40 << 20, path
    too_large = httpx.post(f"{gateway.url}/v1/files", headers=HEADERS, files={"file": ("a", large * 2)}, timeout=60)
    assert too_large.status_code == 413
    too_large = httpx.post(gateway.url + RESPONSES, headers=HEADERS, content=large + b"x", timeout=60)
    assert too_large.status_code == 413
    assert len(backends["a"].seen) == 3


# c16: the wire, byte by byte
SMILE = 'data: {"choices":[{"index":0,"delta":{"content":"Grüße 😀 你好"}}]}\n\n'
WIRE = {
    "CRLF lines": streams(*(e.replace("\n", "\r\n") for e in (delta("a"), delta(finish="stop"), DONE))),
    "no space": streams(*(e.replace("data: ", "data:") for e in (delta("a"), delta(finish="stop"), DONE))),
    "several lines": streams('data: {"choices":[{"index":0,\ndata: "delta":{"content":"ab"}}]}\n\n', DONE),
    "comments and blank events": streams(": ping\n\n", ":\n\n", delta("a"), ": ping\n\n", "\n\n", delta("b"),
                                         "event: ping\ndata: {}\n\n", DONE),
    "other fields": streams("retry: 3000\n\n", "id: 1\nevent: message\n" + delta("a"), "id: 2\n" + delta("b"), DONE),
    "byte by byte": streams(*(bytes([b]) for b in SMILE.encode()), DONE),
    "no blank line": streams(delta("a"), "data: [DONE]\n"),
    "filter results": streams('data: {"choices":[],"prompt_filter_results":[{"prompt_index":0}]}\n\n', delta("a"),
                              'data: {"choices":[{"index":0,"finish_reason":null,"content_filter_offsets":{"check_offset":1}}]}\n\n',
                              delta(finish="stop"), DONE),
}  # fmt: skip


@pytest.mark.parametrize("what", WIRE)
def test_streams_pass_byte_by_byte(field, what):
    gateway, backends = field({"a": WIRE[what]})
    body = harness.chat_body(stream=True)
    direct = httpx.post(harness.chat_url(f"http://127.0.0.1:{backends['a'].port}"), json=body, timeout=30)
    through = chat(gateway, stream=True)
    assert through.content == direct.content
    assert gateway.access_lines(1)[0]["outcome"] == "ok"
    assert through.headers["x-spillway-attempts"] == "1"
