"""What is made or used in uncommon shapes has an owner and a price, too."""

import json

import httpx
import pytest

import harness
import scripted

A, B = "key-of-a-0123456789", "key-of-b-0123456789"
CLIENTS = [{"name": "a", "key": A}, {"name": "b", "key": B}]
RESPONSE = "resp_0123456789abcdef"
CREATED = {"type": "response.created", "sequence_number": 0, "response": {"id": RESPONSE, "status": "queued", "background": True}}
OUTPUT = {"type": "response.output_text.delta", "sequence_number": 1, "delta": "x"}
COMPLETED = {"type": "response.completed", "sequence_number": 2, "response": {"id": RESPONSE, "status": "completed"}}


def event(what):
    return f"event: {what['type']}\ndata: {json.dumps(what)}\n\n"


@pytest.fixture
def one(tmp_path):
    started = []

    def start(handler, **settings):
        backend = scripted.Backend("x", handler)
        started.append(backend)
        gateway = harness.Gateway(tmp_path, [backend.config()], **{"clients": CLIENTS, **settings})
        started.append(gateway)
        return gateway, backend

    yield start
    for thing in reversed(started):
        thing.stop()


def call(gateway, key, method, path, **more):
    return httpx.request(method, gateway.url + "/openai/v1" + path, headers={"api-key": key, **more.pop("headers", {})}, timeout=20, **more)


async def responses(request, answer):
    if request.method == "GET":
        return await answer.send(200, {"id": request.target.rpartition("/")[2], "object": "response", "status": "completed"})
    await answer.head()
    for what in (CREATED, OUTPUT, COMPLETED):
        await answer.chunk(event(what))
    await answer.end()


@pytest.mark.parametrize("stream", [{}, {"late_commit": False}], ids=["late commit", "early commit"])
def test_a_streamed_background_response_has_an_owner(one, stream):
    gateway, _ = one(responses, stream=stream)
    made = call(gateway, A, "POST", "/responses", json={"model": "m", "input": "x", "background": True, "stream": True})
    assert RESPONSE in made.text
    assert call(gateway, A, "GET", f"/responses/{RESPONSE}").status_code == 200
    assert call(gateway, B, "GET", f"/responses/{RESPONSE}").status_code == 404


def test_streamed_background_work_keeps_what_it_reserved(one):
    made = iter(range(100))

    async def handler(request, answer):
        await answer.head()
        created = {**CREATED, "response": {**CREATED["response"], "id": f"resp_{next(made):016d}"}}
        await answer.chunk(event(created))
        await answer.chunk(event(OUTPUT))
        await answer.end()
        return False

    gateway, _ = one(handler, clients=[{"name": "a", "key": A, "limits": {"tokens_per_minute": 10_000}}])
    body = {"model": "m", "input": "x", "background": True, "stream": True, "max_output_tokens": 9_000}
    statuses = [call(gateway, A, "POST", "/responses", json=body).status_code for _ in range(4)]
    assert statuses == [200, 429, 429, 429]


OPAQUE = {
    "pictures": ("/images/generations", {"json": {"model": "gpt-image-1", "prompt": "x", "stream": True}}),
    "a transcript": ("/audio/transcriptions", {"files": {"file": ("a.wav", b"RIFF")}, "data": {"model": "w", "stream": "true"}}),
    "a run": ("/threads/thread_00000001/runs", {"json": {"assistant_id": "asst_00000001", "stream": True}}),
}  # fmt: skip


@pytest.mark.parametrize("what", OPAQUE)
def test_usage_in_any_event_stream_is_charged(one, what):
    usage = {"input_tokens": 1000, "output_tokens": 4000, "total_tokens": 5000}

    async def handler(_, answer):
        await answer.head()
        await answer.chunk(event({"type": "x.completed", "usage": usage}))
        await answer.end()

    gateway, _ = one(handler, tenancy="shared", clients=[{"name": "a", "key": A, "limits": {"tokens_per_minute": 4_000}}])
    path, more = OPAQUE[what]
    statuses = [call(gateway, A, "POST", path, **more).status_code for _ in range(3)]
    assert statuses == [200, 429, 429]


LISTS = ['{"object":"list","files":[{"id":"file-12345678","name":"PRIVATE"}]}', '[{"id":"file-12345678","name":"PRIVATE"}]',
         '\ufeff{"object":"list","data":[{"id":"file-12345678","name":"PRIVATE"}]}']  # fmt: skip


@pytest.mark.parametrize("answer", LISTS)
def test_a_list_in_another_shape_shows_nothing(one, answer):
    async def handler(_, to):
        await to.send(200, answer)

    gateway, _ = one(handler)
    assert "PRIVATE" not in call(gateway, B, "GET", "/files").text


def test_references_in_any_shape_are_found(one):
    async def handler(request, answer):
        if request.target.endswith("/files") and request.method == "POST":
            return await answer.send(200, {"id": "file-0123456789", "object": "file"})
        await answer.send(200, {"id": "x", "object": "thing", "data": [], "output": []})

    gateway, backend = one(handler)
    assert call(gateway, A, "POST", "/files", files={"file": ("a", b"x")}).status_code == 200
    before = len(backend.seen)
    theirs = "file-0123456789"
    uses = [
        ("/images/edits", {"json": {"model": "m", "images": [{"file_id": theirs}]}}),
        ("/responses", {"json": {"model": "m", "input": "x", "tools": [{"type": "image_generation", "input_image_mask": {"file_id": theirs}}]}}),
        ("/uploads", {"files": [("file_id", (None, theirs)), ("file_id", (None, "none"))]}),
        ("/vector_stores", {"files": [("file_ids[]", (None, theirs))]}),
        ("/vector_stores", {"content": f"file_ids={theirs}", "headers": {"content-type": "application/x-www-form-urlencoded"}}),
        ("/vector_stores", {"content": f"--b\r\n\r\n{theirs}\r\n--b--\r\n", "headers": {"content-type": "multipart/mixed; boundary=b"}}),
    ]  # fmt: skip
    for path, more in uses:
        assert call(gateway, B, "POST", path, **more).status_code in (400, 404), (path, more)
    assert len(backend.seen) == before


def test_what_comes_into_being_beside_an_answer_has_its_owner(one):
    container = {"type": "code_interpreter_call", "container_id": "cntr_0123456789"}
    batch = {"id": "batch_0123456789", "object": "batch", "output_file_id": "file-out0123456"}

    async def handler(request, answer):
        if request.target.endswith("/responses"):
            return await answer.send(200, {"id": RESPONSE, "object": "response", "status": "completed", "output": [container]})
        if request.target.endswith("/calls"):
            return await answer.send(201, "v=0", "application/sdp", location="/v1/realtime/calls/rtc_0123456789")
        if request.method == "POST":
            return await answer.send(200, {**batch, "output_file_id": None})
        await answer.send(200, {"object": "list", "data": [batch]} if request.target.endswith("/batches") else {"id": "x"})

    gateway, _ = one(handler)
    call(gateway, A, "POST", "/responses", json={"model": "m", "input": "x"})
    call(gateway, A, "POST", "/batches", json={"endpoint": "/v1/chat/completions"})
    call(gateway, A, "GET", "/batches")
    call(gateway, A, "POST", "/realtime/calls", content="v=0", headers={"content-type": "application/sdp"})
    for path in ("/containers/cntr_0123456789/files", "/files/file-out0123456/content"):
        assert call(gateway, B, "GET", path).status_code == 404, path
        assert call(gateway, A, "GET", path).status_code == 200, path
    assert call(gateway, B, "POST", "/realtime/calls/rtc_0123456789/hangup").status_code == 404


def test_models_are_not_deleted_by_one_of_many(one):
    gateway, backend = one(responses)
    assert call(gateway, B, "DELETE", "/models/ft:gpt-4o:org::abc").status_code == 403
    assert not backend.seen


@pytest.mark.parametrize("status", [400, 401, 422, 500])
def test_a_backend_that_repeats_its_key_is_not_heard(one, status):
    async def handler(_, answer):
        await answer.send(status, {"error": {"message": "Incorrect API key provided: backend-key-1", "code": "x"}})

    gateway, _ = one(handler)
    answer = call(gateway, A, "POST", "/chat/completions", json=harness.chat_body())
    assert "backend-key-1" not in answer.text
    assert "backend-key-1" not in json.dumps(gateway.access_lines(1)) + gateway.log_text()
