"""Accounting that cannot be gone around: background work, looks at it, users, large numbers, pictures and tools.

The backend is scripted here: the emulator has no background responses."""

import http.server
import json
import socket
import threading

import httpx
import pytest

import harness
from harness import CLIENT_KEY, chat_url, wait_until

KEY = {"api-key": CLIENT_KEY}


class Backend:
    """Answers by `answer(method, path, body) -> object`."""

    def __init__(self, answer):
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self):
                length = int(self.headers.get("content-length") or 0)
                body = json.loads(self.rfile.read(length) or b"{}")
                data = json.dumps(outer.answer(self.command, self.path, body)).encode()
                self.send_response(200)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = handle_any

            def log_message(self, *_):
                pass

        self.answer = answer
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def gateway_for(tmp_path):
    """Makes a gateway in front of a scripted backend."""
    started = []

    def make(answer, **settings):
        backend = Backend(answer)
        started.append(backend)
        settings.setdefault("clients", [{"name": "e2e", "key": CLIENT_KEY}])
        gateway = harness.Gateway(tmp_path, [harness.backend("b", backend.url)], **settings)
        started.append(gateway)
        return gateway

    yield make
    for thing in reversed(started):
        thing.stop()


def completion(prompt, output=5):
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "ok"}}],
        "usage": {"prompt_tokens": prompt, "completion_tokens": output, "total_tokens": prompt + output},
    }


def post(gateway, body, key=KEY):
    return httpx.post(chat_url(gateway.url), headers=key, json=body, timeout=30)


def messages(text="Say hello.", **more):
    return {"messages": [{"role": "user", "content": text}], **more}


def used(gateway, name="e2e"):
    listed = httpx.get(f"{gateway.admin}/api/clients").json()["clients"]
    return next(entry for entry in listed if entry["name"] == name)["tokens_last_minute"]


def respond(gateway, **more):
    body = {"model": "gpt-4o", "input": "x", "background": True, **more}
    return httpx.post(f"{gateway.url}/openai/v1/responses", headers=KEY, json=body)


def test_background_responses_stay_within_the_limit(gateway_for):
    made = iter(range(10_000))

    def answer(*_):
        return {"id": f"resp_{next(made):016}", "object": "response", "status": "queued", "usage": None, "output": []}

    gateway = gateway_for(
        answer, clients=[{"name": "e2e", "key": CLIENT_KEY, "limits": {"tokens_per_minute": 10_000}}]
    )
    statuses = [respond(gateway, max_output_tokens=9_000).status_code for _ in range(50)]
    assert statuses.count(200) == 1
    assert statuses.count(429) == 49


def test_looking_at_a_response_charges_it_once(gateway_for):
    response = {"id": "resp_0000000000000001", "object": "response", "output": []}
    usage = {"input_tokens": 1_000, "output_tokens": 4_000, "total_tokens": 5_000}

    def answer(method, *_):
        if method == "POST":
            return {**response, "status": "queued", "usage": None}
        return {**response, "status": "completed", "usage": usage}

    gateway = gateway_for(answer)
    assert respond(gateway, max_output_tokens=9_000).status_code == 200
    wait_until(lambda: 9_000 <= used(gateway) <= 9_100)
    for _ in range(10):
        assert httpx.get(f"{gateway.url}/openai/v1/responses/{response['id']}", headers=KEY).status_code == 200
    wait_until(lambda: used(gateway) == 5_000)


def test_tools_of_one_client_do_not_make_anothers_text_dear(gateway_for):
    def answer(_method, _path, body):
        text = sum(len(m["content"]) for m in body["messages"])
        return completion(text // 4 + 150 * len(body.get("tools", [])))

    limits = {"tokens_per_minute": 20_000}
    other = {"api-key": "another-client-key"}
    gateway = gateway_for(
        answer,
        clients=[
            {"name": "e2e", "key": CLIENT_KEY, "limits": limits},
            {"name": "agent", "key": other["api-key"]},
        ],
    )
    tools = [
        {
            "type": "function",
            "function": {
                "name": f"tool_{i}",
                "description": "x" * 400,
                "parameters": {"type": "object", "properties": {}},
            },
        }
        for i in range(15)
    ]
    for _ in range(30):
        assert post(gateway, messages("Find the weather, please. " * 30, tools=tools), other).status_code == 200
    river = "The river runs to the sea, and the sea is never full. " * 300
    assert post(gateway, messages(river, max_tokens=50)).status_code == 200
    assert used(gateway) <= len(river) // 4 + 10


def test_large_numbers_are_large(gateway_for):
    gateway = gateway_for(
        lambda *_: completion(10),
        clients=[{"name": "e2e", "key": CLIENT_KEY, "limits": {"tokens_per_minute": 10_000}}],
    )
    for numbers in (
        {"max_tokens": 2**63},
        {"max_tokens": 2**63, "n": 2},
        {"max_tokens": 2**62, "n": 4},
        {"max_tokens": 2**64 - 1},
        {"max_tokens": 2**64},
        {"max_tokens": 1e30},
        {"max_tokens": 128_000},
    ):
        answer = post(gateway, messages(**numbers))
        assert answer.status_code == 429, numbers
        assert answer.json()["error"]["code"] == "request_too_large"
        assert answer.headers["x-should-retry"] == "false"
    assert post(gateway, messages(max_tokens=50)).status_code == 200


def test_a_user_belongs_to_its_client(gateway_for):
    limits = {"requests_per_minute": 3}
    other = {"api-key": "another-client-key"}
    gateway = gateway_for(
        lambda *_: completion(10),
        users={"field": True, "limits": limits},
        clients=[
            {"name": "e2e", "key": CLIENT_KEY},
            {"name": "second", "key": other["api-key"], "limits": {"requests_per_minute": 5}},
        ],
    )
    assert [post(gateway, messages(user="alice"), other).status_code for _ in range(4)] == [200] * 3 + [429]
    assert post(gateway, messages(user="alice")).status_code == 200
    # Who is refused makes no account.
    for i in range(50):
        post(gateway, messages(user=f"made-up-{i}"), other)
    page = httpx.get(f"{gateway.admin}/api/clients", params={"limit": 2}).json()
    seen = page["clients"]
    while "next" in page:
        page = httpx.get(f"{gateway.admin}/api/clients", params={"limit": 2, "after": page["next"]}).json()
        seen += page["clients"]
    users = [(entry["client"], entry["name"]) for entry in seen if entry["kind"] == "user"]
    assert ("e2e", "alice") in users and ("second", "alice") in users
    assert len(users) <= 5
    live = httpx.get(f"{gateway.admin}/api/live").json()["clients"]
    assert {entry["kind"] for entry in live} == {"client"}


def test_made_up_users_cost_no_memory_and_others_no_place(gateway_for):
    """20,000 users that a client whose own limit is used up makes up, in a second or two."""
    gateway = gateway_for(
        lambda *_: completion(10),
        users={"field": True, "limits": {"requests_per_minute": 3}},
        clients=[
            {"name": "e2e", "key": CLIENT_KEY},
            {"name": "second", "key": "another-client-key", "limits": {"requests_per_minute": 1}},
        ],
    )
    assert post(gateway, messages(user="first"), {"api-key": "another-client-key"}).status_code == 200
    before = gateway.resident_mib()
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=20) as connection:
        answers = connection.makefile("rb")
        for batch in range(200):
            connection.sendall(b"".join(named_request(gateway, f"made-up-{batch}-{i}") for i in range(100)))
            for _ in range(100):
                assert answer_status(answers) == 429
    assert gateway.resident_mib() - before < 8
    for i in range(40):
        assert post(gateway, messages(user=f"new-{i}")).status_code == 200
    entries = httpx.get(f"{gateway.admin}/api/clients", params={"limit": 1000}).json()["clients"]
    assert len([entry for entry in entries if entry["kind"] == "user"]) == 41


def named_request(gateway, user):
    body = json.dumps(messages(user=user)).encode()
    path = httpx.URL(chat_url(gateway.url)).raw_path
    head = b"POST %s HTTP/1.1\r\nHost: x\r\nApi-Key: another-client-key\r\nContent-Length: %d\r\n\r\n"
    return head % (path, len(body)) + body


def answer_status(answers):
    status, length = int(answers.readline().split()[1]), 0
    while (line := answers.readline()) != b"\r\n":
        if line.lower().startswith(b"content-length:"):
            length = int(line.split(b":")[1])
    answers.read(length)
    return status
