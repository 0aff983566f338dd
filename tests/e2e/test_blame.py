"""Whose fault it is: what one client's mistake, or one backend's, does to others (docs/routing.md)."""

import contextlib
import http.server
import json
import threading
import time

import httpx
import pytest

import harness
from harness import CLIENT_KEY

ANSWER = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1,
    "model": "gpt-4o",
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "hello"}}],
    "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15},
}


class Backend:
    """A backend that answers as `behave(number, path, body)` says: a status and a body, a list of events, or
    None for a good answer."""

    def __init__(self, behave=lambda number, path, body: None):
        self.seen = 0
        lock = threading.Lock()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                with lock:
                    outer.seen += 1
                    number = outer.seen
                what = behave(number, self.path, body)
                if isinstance(what, list):
                    return self.reply(200, "".join(what), "text/event-stream")
                status, answer = what or (200, ANSWER)
                if not isinstance(answer, str):
                    answer = json.dumps(answer)
                self.reply(status, answer, "text/html" if answer.startswith("<") else "application/json")

            def reply(self, status, text, kind):
                data = text.encode()
                self.send_response(status)
                self.send_header("content-type", kind)
                self.send_header("content-length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

            def handle_error(self, *_):
                pass

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


@contextlib.contextmanager
def gateway(folder, behaviours, **settings):
    backends = [Backend(behave) for behave in behaviours]
    running = harness.Gateway(
        folder, [harness.backend(f"r{i + 1}", one.url) for i, one in enumerate(backends)], **settings
    )
    try:
        yield running, backends
    finally:
        running.stop()
        for one in backends:
            one.stop()


def good(number, path, body):
    return None


def post(url, text="Say hello.", path=None, **more):
    body = {"messages": [{"role": "user", "content": text}], **more}
    return httpx.post(path or harness.chat_url(url), headers={"api-key": CLIENT_KEY}, json=body, timeout=30)


def error(code, message="x", **more):
    return {"error": {"code": code, "message": message, **more}}


ONLY_ITS_OWN = {
    "DeploymentNotFound": (404, error("DeploymentNotFound")),
    "model_not_found": (404, error("model_not_found", type="invalid_request_error")),
    "vllm": (404, {"object": "error", "message": "The model `x` does not exist.", "type": "NotFoundError", "code": 404}),
    "OperationNotSupported": (400, error("OperationNotSupported")),
    "payment": (402, error(402)),
    "network rules": (403, error("403", "Access denied due to Virtual Network/Firewall rules.")),
    "timeout": (408, error("Timeout")),
    "conflict": (409, error("409")),
    "dependency": (424, error("424")),
    "closed": (499, error("499")),
    "not implemented": (501, error("501")),
    "overloaded": (529, error("529")),
    "error under 200": (200, error(502, "Provider returned error")),
    "empty": (200, ""),
    "page": (200, "<html><body>Bad gateway</body></html>"),
}


@pytest.mark.parametrize("name", ONLY_ITS_OWN)
def test_what_concerns_one_backend_only_is_not_seen(tmp_path, name):
    with gateway(tmp_path, [lambda *_: ONLY_ITS_OWN[name], good]) as (running, backends):
        for _ in range(40):
            answer = post(running.url)
            assert answer.status_code == 200, answer.text
            assert answer.json()["id"] == "chatcmpl-1"
        assert backends[0].seen <= 10, "it is passed over once that is known"


IN_STREAM = {
    "context length": [
        'data: {"error":{"message":"maximum context length","type":"invalid_request_error","code":"context_length_exceeded"}}\n\n'
    ],
    "number": ['data: {"error":{"message":"bad image","type":"BadRequestError","param":null,"code":400}}\n\n'],
}


@pytest.mark.parametrize("name", IN_STREAM)
def test_a_faulty_request_is_asked_once_and_hurts_nobody(tmp_path, name):
    def behave(number, path, body):
        return IN_STREAM[name] if b"POISON" in body else None

    with gateway(tmp_path, [behave] * 3) as (running, backends):
        answer = post(running.url, "POISON", stream=True)
        assert answer.status_code == 200
        assert answer.text == "".join(IN_STREAM[name])
        assert sum(one.seen for one in backends) == 1
        assert post(running.url).status_code == 200
        assert {b["state"] for b in running.backends().values()} == {"available"}


def test_one_poisoned_client_in_a_loop_is_not_felt_by_others(tmp_path):
    def behave(number, path, body):
        return (500, error("InternalServerError", "The model produced invalid content.")) if b"POISON" in body else None

    with gateway(tmp_path, [behave] * 3) as (running, backends):
        end = time.monotonic() + 10
        sent = [0]

        def loop():
            while time.monotonic() < end:
                assert post(running.url, "POISON").status_code == 500
                sent[0] += 1
                time.sleep(0.05)

        poisoner = threading.Thread(target=loop)
        poisoner.start()
        results = []
        while time.monotonic() < end:
            results.append(post(running.url, f"Good one {len(results)}.").status_code)
            time.sleep(0.1)
        poisoner.join()
        assert set(results) == {200}
        assert sum(one.seen for one in backends) <= 1.2 * (sent[0] + len(results))


def test_a_single_backend_is_never_taken_away_by_a_500_in_twenty(tmp_path):
    def behave(number, path, body):
        return (500, error("500", "Sorry about that!")) if number % 20 == 0 else None

    with gateway(tmp_path, [behave]) as (running, _):
        statuses = [post(running.url, f"Number {i}.").status_code for i in range(200)]
        assert statuses.count(500) == 10
        assert statuses.count(200) == 190


def test_an_operation_or_deployment_that_fails_takes_no_other_with_it(tmp_path):
    def behave(number, path, body):
        if "embeddings" in path:
            return 501, error(501, "This server does not support embeddings.")
        return (500, error("500", "o1 is unwell")) if "/o1/" in path else None

    with gateway(tmp_path, [behave]) as (running, _):
        for _ in range(5):
            embeddings = harness.chat_url(running.url).replace("chat/completions", "embeddings")
            assert post(running.url, path=embeddings, input="x").status_code == 501
            assert post(running.url, path=harness.chat_url(running.url).replace(harness.CHAT, "o1")).status_code == 500
            assert post(running.url).status_code == 200


def test_a_request_larger_than_the_whole_quota_hurts_nobody(stack):
    running = stack(capacity=10)
    assert post(running.gateway.url, max_tokens=20).status_code == 200
    for _ in range(3):
        large = post(running.gateway.url, max_tokens=15_000)
        assert large.status_code == 429
        assert large.json()["error"]["code"] == "request_too_large"
        assert large.headers["x-should-retry"] == "false"
        assert post(running.gateway.url, max_tokens=20).status_code == 200


def test_made_up_names_do_not_push_out_real_ones(tmp_path):
    def behave(number, path, body):
        if "/nope" in path:
            return 404, error("DeploymentNotFound")
        return (429, error("429")) if "/busy/" in path else None

    with gateway(tmp_path, [behave]) as (running, _):
        url = harness.chat_url(running.url)
        for i in range(300):
            assert post(running.url, path=url.replace(harness.CHAT, f"nope-{i}")).status_code == 404
        assert post(running.url, path=url.replace(harness.CHAT, "busy")).status_code == 429
        assert post(running.url, path=url.replace(harness.CHAT, "new-and-good")).status_code == 200


def test_why_a_backend_is_out_is_said_once(tmp_path):
    with gateway(tmp_path, [good, good]) as (running, backends):
        backends[0].stop()
        for i in range(40):
            assert post(running.url, f"Number {i}.").status_code == 200
        shown = running.backends()["r1"]
        assert shown["state"] in ("failed", "probing")
        harness.wait_until(lambda: "backend 'r1' is out for" in running.log_text())
        assert "connect" in running.log_text()
        backends[0].stop = lambda: None
