"""Backends that throttle, fail and die: what clients see, and which backend gets what."""

import asyncio
import time

import pytest

import harness
from harness import CLIENT_KEY, chat_load, post_chat


def statuses(results):
    return sorted({status for status, _ in results})


def test_one_throttled_of_three_is_not_seen_by_1000_requests(stack):
    running = stack()
    running.emulator.fault(0, "429", seconds=600, retry_after=60)
    results = asyncio.run(chat_load(running.gateway.url, 1000))
    assert [status for status, _ in results].count(200) == 1000
    assert {name for _, name in results} == {"r2", "r3"}


def test_retry_after_5_is_obeyed_and_then_traffic_returns(stack):
    running = stack()
    running.emulator.fault(0, "429", count=1, retry_after=5)
    # Drive until the one 429 has been given.
    while not running.emulator.requests()[0]:
        assert post_chat(running.gateway.url).status_code == 200
    throttled_at = time.monotonic()
    before = running.emulator.requests()[0]
    while time.monotonic() < throttled_at + 4.7:
        assert post_chat(running.gateway.url).status_code == 200
        seen = running.emulator.requests()[0]
        if time.monotonic() < throttled_at + 4.7:
            assert seen == before, "a request within Retry-After"
        time.sleep(0.02)

    def back():
        assert post_chat(running.gateway.url).status_code == 200
        return running.emulator.requests()[0] > before + 5

    harness.wait_until(back, seconds=20)


def test_two_of_three_down_is_not_seen_by_1000_requests(stack):
    running = stack()
    running.emulator.fault(0, "refuse", seconds=600)
    running.emulator.fault(2, "500", seconds=600)
    results = asyncio.run(chat_load(running.gateway.url, 1000))
    assert [status for status, _ in results].count(200) == 1000
    assert {name for _, name in results} == {"r2"}


def test_all_throttled_answers_with_the_soonest_retry_after(stack):
    running = stack()
    for resource, seconds in enumerate((30, 12, 20)):
        running.emulator.fault(resource, "429", seconds=600, retry_after=seconds)
    for _ in range(2):  # the first learns it from the backends, the second knows
        answer = post_chat(running.gateway.url)
        assert answer.status_code == 429
        # Rounded up, with a little on top: who waits exactly that long is not early.
        assert 10 <= int(answer.headers["retry-after"]) <= 13
        assert 9_000 <= int(answer.headers["retry-after-ms"]) <= 12_100
        assert answer.json()["error"]["message"]
    assert sum(running.emulator.requests()) == 3


def test_all_refusing_answers_with_retry_after(stack):
    running = stack()
    for resource in range(3):
        running.emulator.fault(resource, "refuse", seconds=600)
    for _ in range(2):
        answer = post_chat(running.gateway.url)
        assert answer.status_code in (429, 503)
        assert 0 < int(answer.headers["retry-after"]) <= 10
        assert 0 < int(answer.headers["retry-after-ms"]) <= 10_000


def test_ptu_first_until_it_throttles(stack):
    running = stack(priorities=[1, 2, 2])
    results = asyncio.run(chat_load(running.gateway.url, 100))
    assert set(results) == {(200, "r1")}
    running.emulator.fault(0, "429", seconds=600, retry_after=60)
    results = asyncio.run(chat_load(running.gateway.url, 200))
    assert statuses(results) == [200]
    assert {name for _, name in results} == {"r2", "r3"}


def test_client_errors_are_not_retried(stack):
    running = stack()
    answer = post_chat(running.gateway.url, text="trigger content_filter please")
    assert answer.status_code == 400
    assert answer.headers["x-spillway-attempts"] == "1"
    assert sum(running.emulator.requests()) == 1


def test_attempts_are_counted_in_the_answer(stack):
    running = stack(priorities=[1, 2, 3])
    running.emulator.fault(0, "500", count=1)
    running.emulator.fault(1, "429", count=1, retry_after=1)
    answer = post_chat(running.gateway.url)
    assert (answer.status_code, answer.headers["x-spillway-backend"]) == (200, "r3")
    assert answer.headers["x-spillway-attempts"] == "3"
    line = running.gateway.access_lines(1)[0]
    assert [attempt["backend"] for attempt in line["attempts"]] == ["r1", "r2", "r3"]
    assert [attempt["status"] for attempt in line["attempts"]] == [500, 429, 200]


@pytest.mark.parametrize("streamed", [False, True])
def test_a_backend_killed_under_load_is_not_seen_before_the_answer_began(tmp_path, streamed):
    emulators = [harness.Emulator(tmp_path, resources=1, name=f"e{i}") for i in range(3)]
    gateway = harness.Gateway(
        tmp_path, [harness.backend(f"r{i + 1}", one.urls[0]) for i, one in enumerate(emulators)]
    )
    done = 0

    def on_each(_):
        nonlocal done
        done += 1
        if done == 150:
            emulators[1].kill()

    async def streams(count, concurrency=32):
        import httpx

        gate = asyncio.Semaphore(concurrency)
        async with httpx.AsyncClient(timeout=60, limits=httpx.Limits(max_connections=concurrency)) as client:

            async def one(number):
                async with gate:
                    answer = await client.post(
                        harness.chat_url(gateway.url),
                        headers={"api-key": CLIENT_KEY},
                        json=harness.chat_body(f"Say hello {number}.", stream=True),
                    )
                    on_each(number)
                    return answer.status_code, answer.headers.get("x-spillway-backend"), answer.text

            return await asyncio.gather(*(one(number) for number in range(count)))

    try:
        if streamed:
            results = asyncio.run(streams(600))
            assert {status for status, _, _ in results} == {200}
            for _, name, text in results:
                events = harness.sse_events(text)
                if events[-1] != "[DONE]":
                    # Only an answer that had begun on the killed one may fail, and it says so.
                    assert name == "r2"
                    assert "error" in events[-1]
                    assert harness.stream_text(events)
        else:
            results = asyncio.run(chat_load(gateway.url, 600, on_each=on_each))
            assert statuses(results) == [200]
            assert "r2" in {name for _, name in results}
        assert done == 600
        assert gateway.backends()["r2"]["state"] != "available"
    finally:
        gateway.stop()
        for one in emulators:
            one.stop()


def test_a_request_may_be_held_until_quota_frees(stack):
    running = stack(retry={"max_wait": "5s"})
    for resource in range(3):
        running.emulator.fault(resource, "429", count=1, retry_after=1 + resource)
    began = time.monotonic()
    answer = post_chat(running.gateway.url)
    assert answer.status_code == 200
    assert 0.9 < time.monotonic() - began < 3
    assert answer.headers["x-spillway-backend"] == "r1"
    assert answer.headers["x-spillway-attempts"] == "4"
