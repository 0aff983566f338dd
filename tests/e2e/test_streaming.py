"""Streams: late commit, honest failure, hidden usage, and clients that leave."""

import httpx
import pytest

import harness
from harness import CLIENT_KEY, chat_body, chat_url, sse_events, stream_text

LONG = "Write a long story about a river."


def read_stream(base, text="Say hello.", **more):
    answer = httpx.post(
        chat_url(base), headers={"api-key": CLIENT_KEY}, json=chat_body(text, stream=True, **more), timeout=30
    )
    return answer, sse_events(answer.text)


@pytest.mark.parametrize("kind", ["stream_error", "cut"])
def test_a_failure_before_the_first_output_is_retried_elsewhere(stack, kind):
    running = stack(priorities=[1, 2, 2])
    running.emulator.fault(0, kind, count=1, after_chunks=0)
    answer, events = read_stream(running.gateway.url)
    assert answer.status_code == 200
    assert answer.headers["x-spillway-backend"] in {"r2", "r3"}
    assert answer.headers["x-spillway-attempts"] == "2"
    assert events[-1] == "[DONE]"
    assert stream_text(events)
    assert not any("error" in event for event in events[:-1])
    # One answer, not the beginning of one and then another.
    assert len({event["id"] for event in events[:-1] if event["id"]}) == 1


@pytest.mark.parametrize("kind", ["stream_error", "cut"])
def test_a_failure_after_output_ends_with_an_error_event(stack, kind):
    running = stack(priorities=[1, 2, 2])
    running.emulator.fault(0, kind, count=1, after_chunks=5)
    answer, events = read_stream(running.gateway.url, LONG)
    assert answer.status_code == 200
    assert answer.headers["x-spillway-backend"] == "r1"
    assert stream_text(events)
    assert events[-1] != "[DONE]"
    assert events[-1]["error"]["message"]
    assert sum(running.emulator.requests()) == 1


def test_the_official_client_raises_on_a_failed_stream(stack):
    import openai

    running = stack(resources=1)
    running.emulator.fault(0, "cut", count=1, after_chunks=5)
    client = openai.AzureOpenAI(
        azure_endpoint=running.gateway.url, api_version=harness.API_VERSION, api_key=CLIENT_KEY, max_retries=0
    )
    with client, pytest.raises(openai.APIError):
        for _ in client.chat.completions.create(
            model=harness.CHAT, messages=[{"role": "user", "content": LONG}], stream=True
        ):
            pass


def test_usage_is_known_but_hidden_when_not_asked_for(stack):
    running = stack()
    _, events = read_stream(running.gateway.url)
    assert not any(event.get("usage") for event in events[:-1])
    assert all(event["choices"] or event.get("prompt_filter_results") for event in events[:-1])
    line = running.gateway.access_lines(1)[0]
    assert line["tokens_in"] > 0
    assert line["tokens_out"] > 0

    _, events = read_stream(running.gateway.url, stream_options={"include_usage": True})
    assert events[-2]["choices"] == []
    assert events[-2]["usage"]["completion_tokens"] == line["tokens_out"]


def test_a_client_that_leaves_cancels_the_upstream_within_a_second(stack):
    running = stack(resources=1)
    running.emulator.fault(0, "slow", seconds=60)
    with httpx.stream(
        "POST", chat_url(running.gateway.url), headers={"api-key": CLIENT_KEY},
        json=chat_body(LONG, stream=True, max_tokens=2000), timeout=30,
    ) as answer:  # fmt: skip
        assert answer.status_code == 200
        pieces = answer.iter_text()  # kept: httpx closes the connection when its iterator goes
        assert any('"content":' in piece for piece in pieces)
        assert running.emulator.stats()[0]["cancelled"] == 0
    harness.wait_until(lambda: running.emulator.stats()[0]["cancelled"] == 1, seconds=1)
    line = running.gateway.access_lines(1)[0]
    assert line["outcome"] == "client_left"
    assert line["tokens_out"] > 0


def test_chunks_pass_as_they_come(stack):
    running = stack(resources=1)
    running.emulator.fault(0, "slow", seconds=60)
    reads = 0
    with httpx.stream(
        "POST", chat_url(running.gateway.url), headers={"api-key": CLIENT_KEY},
        json=chat_body(LONG, stream=True, max_tokens=12), timeout=60,
    ) as answer:  # fmt: skip
        for _ in answer.iter_raw():
            reads += 1
    assert reads >= 5
