"""The admin listener, the access log, and what must never be in either."""

import contextlib
import json
import re
import time

import httpx

from harness import CLIENT_KEY, RESOURCE_KEY, post_chat, wait_until


def test_health_and_readiness(shared):
    assert httpx.get(f"{shared.gateway.admin}/healthz").status_code == 200
    assert httpx.get(f"{shared.gateway.admin}/readyz").status_code == 200
    assert httpx.get(f"{shared.gateway.admin}/no-such-page").status_code == 404


def test_the_data_port_does_not_serve_the_admin_pages(shared):
    assert httpx.get(f"{shared.gateway.url}/metrics").status_code != 200
    assert httpx.get(f"{shared.gateway.url}/api/backends").status_code != 200


def test_metrics_are_prometheus_text_and_count_requests(stack):
    running = stack()
    for _ in range(7):
        assert post_chat(running.gateway.url).status_code == 200

    def counted():
        answer = httpx.get(f"{running.gateway.admin}/metrics")
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/plain")
        line = re.compile(r'[a-zA-Z_:][\w:]*(\{([a-zA-Z_]\w*="([^"\\]|\\.)*",?)*\})? (NaN|[+-]?(Inf|[\d.]+([eE][+-]?\d+)?))')
        for row in answer.text.splitlines():
            assert row.startswith("#") or line.fullmatch(row), row
        rows = re.findall(r"^spillway_requests_total\{[^}]*\} (\d+)", answer.text, re.M)
        return sum(map(int, rows)) == 7

    wait_until(counted, 3)


def test_backends_tell_state_why_and_until_when(stack):
    running = stack(priorities=[1, 2, 2])
    assert set(running.gateway.backends()) == {"r1", "r2", "r3"}
    assert running.gateway.backends()["r1"]["state"] == "available"
    running.emulator.fault(0, "429", count=1, retry_after=20)
    assert post_chat(running.gateway.url).status_code == 200
    told = running.gateway.backends()["r1"]
    assert told["state"] != "available"
    assert "429" in str(told["reason"]) or "throttl" in str(told["reason"])
    assert told["until"]


def test_not_ready_when_no_backend_is(stack):
    running = stack(resources=1)
    running.emulator.fault(0, "500", seconds=60)
    assert post_chat(running.gateway.url).status_code >= 429
    assert httpx.get(f"{running.gateway.admin}/healthz").status_code == 200


def test_one_access_line_per_request(stack):
    running = stack()
    answer = post_chat(running.gateway.url)
    assert post_chat(running.gateway.url, key="wrong").status_code == 401
    lines = running.gateway.access_lines(2)
    assert len(lines) == 2
    # Workers write on their own; lines of two of them may change places.
    good, refused = sorted(lines, key=lambda line: line["time"])
    assert good["client"] == "e2e"
    assert good["deployment"] == "gpt-4o"
    assert good["status"] == 200
    assert good["backend"] == answer.headers["x-spillway-backend"]
    assert good["attempts"][0]["backend"] == good["backend"]
    assert good["tokens_in"] == answer.json()["usage"]["prompt_tokens"]
    assert good["tokens_out"] == answer.json()["usage"]["completion_tokens"]
    assert 0 < good["first_byte_ms"] <= good["total_ms"]
    assert good["request_id"] == answer.headers["x-request-id"]
    assert refused["status"] == 401


def test_keys_are_never_told(stack):
    running = stack()
    wrong = "wrong-key-1f9b27"
    post_chat(running.gateway.url)
    post_chat(running.gateway.url, key=wrong)
    httpx.get(f"{running.gateway.url}/openai/models?api-key={CLIENT_KEY}", headers={"api-key": CLIENT_KEY})
    running.emulator.fault(0, "500", seconds=5)
    running.emulator.fault(1, "cut", seconds=5)
    for _ in range(5):
        post_chat(running.gateway.url)
    running.gateway.access_lines(8)
    told = {
        "log": running.gateway.log_text(),
        "access log": running.gateway.access_log.read_text(),
        "emulator's log": running.emulator.log_text(),
        "metrics": httpx.get(f"{running.gateway.admin}/metrics").text,
        "backends": httpx.get(f"{running.gateway.admin}/api/backends").text,
    }
    for where, text in told.items():
        for key in (CLIENT_KEY, RESOURCE_KEY, wrong):
            assert key not in text, f"a key is in the {where}"


def test_events_tell_the_picture_each_second_to_so_many(stack):
    running = stack(resources=1)
    with contextlib.ExitStack() as streams:

        def listen():
            return streams.enter_context(httpx.stream("GET", f"{running.gateway.admin}/api/events", timeout=10))

        first = listen()
        assert first.headers["content-type"] == "text/event-stream"
        lines = (json.loads(line[6:]) for line in first.iter_lines() if line.startswith("data: "))
        assert next(lines)["totals"]["served"] == 0
        assert post_chat(running.gateway.url).status_code == 200
        begun = time.monotonic()
        assert next(event for event in lines if event["totals"]["served"] == 1)["backends"][0]["name"] == "r1"
        assert time.monotonic() - begun < 3
        others = [listen() for _ in range(63)]
        assert {one.status_code for one in others} == {200}
        assert listen().status_code == 503
    # Those that left make room.
    with httpx.Client() as client:

        def fits():
            with client.stream("GET", f"{running.gateway.admin}/api/events") as answer:
                return answer.status_code == 200

        wait_until(fits, 5)
    assert httpx.head(f"{running.gateway.admin}/api/events").status_code == 404
