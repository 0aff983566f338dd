"""The end of a gateway: nobody is refused while the balancers learn of it, answers finish, and what cannot finish is told."""

import concurrent.futures
import json
import signal
import socket
import sqlite3
import time

import httpx
import pytest

from harness import API_VERSION, CLIENT_KEY, chat_body, chat_url, post_chat, sse_events, wait_until

HEADERS = {"api-key": CLIENT_KEY}
# 200 tokens: 40 s.
SLOW = ("--ttft", "10ms", "--tokens-per-second", "5")
LONG = "Write a long story about a river."


class Stream:
    """An event stream that is read in the background; `text` is what came, `failure` how it broke."""

    def __init__(self, pool, url, body, **options):
        self.text = ""
        self.failure = None
        self.done = pool.submit(self.read, url, body, options)

    def read(self, url, body, options):
        try:
            with (
                httpx.Client(timeout=60, **options) as client,
                client.stream("POST", url, headers=HEADERS, json=body) as answer,
            ):
                assert answer.status_code == 200, answer.read()
                for text in answer.iter_text():
                    self.text += text
        except httpx.HTTPError as failure:
            self.failure = failure

    def begun(self):
        return self.text.count("data:") >= 2

    def events(self):
        self.done.result(timeout=30)
        assert self.failure is None, f"cut: {self.failure}"
        return sse_events(self.text)


@pytest.fixture
def pool():
    with concurrent.futures.ThreadPoolExecutor(40) as threads:
        yield threads


def bodies(gateway):
    """One of each shape of stream: URL and body. (That gpt-4o completes texts takes a lenient resource.)"""
    base = gateway.url
    responses = f"{base}/openai/v1/responses"
    yield chat_url(base), chat_body(LONG, stream=True, max_tokens=200)
    yield responses, {"model": "gpt-4o", "input": LONG, "stream": True, "max_output_tokens": 200}
    yield (
        f"{base}/openai/deployments/gpt-4o/completions?api-version={API_VERSION}",
        {"prompt": LONG, "stream": True, "max_tokens": 200},
    )


def rows(path):
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as db:
        return db.execute("SELECT completion_tokens, prompt_tokens, charged_tokens, estimated FROM usage").fetchall()


def check_told(events):
    error = events[-1].get("error", events[-1])
    assert error["code"] == "shutting_down", events[-1]
    assert "shut down" in error["message"]


@pytest.mark.parametrize("hurried", [False, True], ids=["grace", "second signal"])
def test_what_cannot_finish_is_told_and_recorded(stack, pool, tmp_path, hurried):
    ledger = tmp_path / "usage.db"
    grace = "600" if hurried else "1"
    running = stack(
        resources=2, emulator_args=[*SLOW, "--lenient"], ledger={"path": str(ledger)}, options=("--grace", grace, "--keep-accepting", "0")
    )
    gateway = running.gateway
    streams = [Stream(pool, url, body) for url, body in list(bodies(gateway)) * 6]
    wait_until(lambda: all(stream.begun() for stream in streams))
    # An answer that is not streamed, and one stream that has shown nothing yet.
    running.emulator.fault(0, "hang")
    running.emulator.fault(1, "hang")
    plain = pool.submit(post_chat, gateway.url, text=LONG)
    silent = Stream(pool, chat_url(gateway.url), chat_body("Hello.", stream=True))
    wait_until(lambda: sum(running.emulator.requests()) == len(streams) + 2)

    gateway.process.send_signal(signal.SIGTERM)
    if hurried:
        wait_until(lambda: "draining" in gateway.log_text())
        gateway.process.send_signal(signal.SIGTERM)
    began = time.monotonic()
    assert gateway.process.wait(8) == 0
    assert time.monotonic() - began < 5
    for stream in streams:
        events = stream.events()
        assert len(events) > 2
        check_told(events)
    refusal = plain.result()
    assert refusal.status_code == 503
    assert refusal.json()["error"]["code"] == "shutting_down"
    assert refusal.headers["retry-after"] == "1"
    with pytest.raises(AssertionError, match="503"):
        silent.done.result()

    lines = gateway.access_lines(len(streams) + 2, seconds=1)
    assert len(lines) == len(streams) + 2
    assert {line["outcome"] for line in lines} == {"shutdown"}
    served = [line for line in lines if line["status"] == 200]
    assert len(served) == len(streams)
    assert all(line["tokens_out"] > 0 and line["bytes_out"] > 0 for line in served)
    # What was seen of each stream is charged.
    charged = [row for row in rows(ledger) if row[2] > 0]
    assert len(charged) == len(streams)
    assert all(completion > 0 and prompt > 0 and estimated for completion, prompt, _, estimated in charged)


def test_answers_finish_within_the_grace(stack, pool):
    running = stack(resources=1, emulator_args=("--ttft", "10ms", "--tokens-per-second", "50"))
    gateway = running.gateway
    streams = [Stream(pool, chat_url(gateway.url), chat_body(LONG, stream=True, max_tokens=100)) for _ in range(10)]
    plain = [pool.submit(post_chat, gateway.url, text=LONG, max_tokens=100) for _ in range(5)]
    wait_until(lambda: all(stream.begun() for stream in streams) and running.emulator.requests() == [15])
    gateway.process.send_signal(signal.SIGTERM)
    assert all(stream.events()[-1] == "[DONE]" for stream in streams)
    assert [one.result().status_code for one in plain] == [200] * 5
    assert gateway.process.wait(5) == 0
    assert {line["outcome"] for line in gateway.access_lines(15)} == {"ok"}


def test_nobody_is_refused_while_the_balancers_learn_of_the_end(stack):
    gateway = stack(resources=1, options=("--keep-accepting", "8")).gateway
    with httpx.Client() as kept:
        assert kept.post(chat_url(gateway.url), headers=HEADERS, json=chat_body()).status_code == 200
        gateway.process.send_signal(signal.SIGTERM)
        began = time.monotonic()
        wait_until(lambda: httpx.get(f"{gateway.admin}/readyz").status_code == 503)
        assert httpx.get(f"{gateway.admin}/readyz").text.startswith("draining")
        # On the old connection and on new ones, and each says that it is the last there.
        old = kept.post(chat_url(gateway.url), headers=HEADERS, json=chat_body())
        assert (old.status_code, old.headers["connection"]) == (200, "close")
        for _ in range(3):
            answer = post_chat(gateway.url)
            assert (answer.status_code, answer.headers["connection"]) == (200, "close")
    assert gateway.process.wait(15) == 0
    assert time.monotonic() - began > 8


def test_an_interrupt_does_not_wait_for_balancers(stack):
    gateway = stack(resources=1, options=("--keep-accepting", "30")).gateway
    gateway.process.send_signal(signal.SIGINT)
    assert gateway.process.wait(3) == 0


def test_who_does_not_read_is_recorded_as_well(stack, tmp_path):
    """A client whose socket takes no more holds up the end for two seconds, not for ever."""
    running = stack(resources=1, emulator_args=("--lenient", "--ttft", "1ms", "--tokens-per-second", "0"), options=("--grace", "1"))
    gateway = running.gateway
    body = json.dumps(chat_body(LONG, stream=True, max_tokens=100000)).encode()
    with socket.socket() as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.connect(("127.0.0.1", gateway.port))
        deaf.sendall(
            b"POST /openai/deployments/gpt-4o/chat/completions?api-version=%s HTTP/1.1\r\nHost: x\r\napi-key: %s\r\n"
            b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
            % (API_VERSION.encode(), CLIENT_KEY.encode(), len(body), body)
        )
        wait_until(lambda: running.emulator.requests() == [1])
        time.sleep(0.5)
        gateway.process.send_signal(signal.SIGTERM)
        began = time.monotonic()
        assert gateway.process.wait(10) == 0
        assert time.monotonic() - began < 7
    assert len(gateway.access_lines(1, seconds=1)) == 1
