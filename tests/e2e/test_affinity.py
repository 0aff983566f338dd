"""What lives on one resource is found there, and long prompts go where their beginning is cached."""

import httpx
import openai
import pytest

import harness
from harness import CHAT, CLIENT_KEY


def client_of(gateway):
    return openai.OpenAI(base_url=f"{gateway.url}/openai/v1", api_key=CLIENT_KEY, max_retries=0)


def test_a_conversation_stays_on_the_resource_that_holds_it(stack):
    running = stack()
    with client_of(running.gateway) as client:
        last = client.responses.create(model=CHAT, input="Say hello.")
        for _ in range(10):
            last = client.responses.create(model=CHAT, input="And now?", previous_response_id=last.id)
    # One resource served all of it, and nobody else was asked.
    assert sorted(running.emulator.requests()) == [0, 0, 11]


def test_an_id_made_before_a_restart_is_found(stack, tmp_path):
    running = stack()
    with client_of(running.gateway) as client:
        first = [client.responses.create(model=CHAT, input=f"Say hello {i}.") for i in range(6)]
    other = harness.Gateway(
        tmp_path, [harness.backend(f"r{i + 1}", url) for i, url in enumerate(running.emulator.urls)]
    )
    try:
        before = sum(running.emulator.requests())
        with client_of(other) as client:
            for made in first:
                answer = client.responses.create(model=CHAT, input="And now?", previous_response_id=made.id)
                assert answer.previous_response_id == made.id
                # The second time it knows where.
                raw = client.responses.with_raw_response.create(
                    model=CHAT, input="And now?", previous_response_id=made.id
                )
                assert raw.headers["x-spillway-attempts"] == "1"
        assert sum(running.emulator.requests()) - before <= 6 * 3 + 6
    finally:
        other.stop()


def test_a_streamed_response_is_remembered(stack):
    running = stack()
    with client_of(running.gateway) as client:
        events = list(client.responses.create(model=CHAT, input="Say hello.", stream=True))
        made = events[-1].response.id
        raw = client.responses.with_raw_response.create(model=CHAT, input="Go on.", previous_response_id=made)
    assert raw.headers["x-spillway-attempts"] == "1"


@pytest.mark.parametrize("stream", [False, True])
def test_encrypted_reasoning_goes_back_to_the_resource_that_made_it(stack, stream):
    running = stack()
    include = ["reasoning.encrypted_content"]
    conversation = [{"role": "user", "content": "Say hello."}]
    attempts = []
    with client_of(running.gateway) as client:
        for turn in range(8):
            asked = {"model": CHAT, "input": conversation, "store": False, "include": include}
            if stream:
                raw = client.responses.with_raw_response.create(stream=True, **asked)
                answer = list(raw.parse())[-1].response
            else:
                raw = client.responses.with_raw_response.create(**asked)
                answer = raw.parse()
            assert answer.output[0].encrypted_content.startswith("gAAAA")
            attempts.append(raw.headers["x-spillway-attempts"])
            conversation += [item.model_dump(exclude_none=True) for item in answer.output]
            conversation.append({"role": "user", "content": f"And {turn}?"})
    assert attempts == ["1"] * 8
    assert sorted(running.emulator.requests()) == [0, 0, 8]


def test_encrypted_reasoning_made_through_another_replica_finds_its_resource(stack, tmp_path):
    running = stack()
    with client_of(running.gateway) as client:
        asked = {"model": CHAT, "store": False, "include": ["reasoning.encrypted_content"]}
        made = [client.responses.create(input=f"Say hello {i}.", **asked) for i in range(6)]
    backends = [harness.backend(f"r{i + 1}", url) for i, url in enumerate(running.emulator.urls)]
    other = harness.Gateway(tmp_path, backends)
    try:
        with client_of(other) as client:
            for answer in made:
                history = [item.model_dump(exclude_none=True) for item in answer.output]
                again = client.responses.create(input=[*history, {"role": "user", "content": "Go on."}], **asked)
                assert again.status == "completed"
            foreign = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAAAAB" + "x" * 58}
            with pytest.raises(openai.BadRequestError) as caught:
                client.responses.create(input=[foreign, {"role": "user", "content": "Go on."}], **asked)
            assert caught.value.code == "invalid_encrypted_content"
        assert {entry["state"] for entry in other.backends().values()} == {"available"}
    finally:
        other.stop()


def test_an_id_that_nobody_knows_is_the_clients_error(stack):
    running = stack()
    with client_of(running.gateway) as client, pytest.raises(openai.APIStatusError) as caught:
        client.responses.create(model=CHAT, input="Go on.", previous_response_id="resp_no_such_thing_at_all")
    assert caught.value.status_code in (400, 404)
    assert sum(running.emulator.requests()) == 3
    assert {entry["state"] for entry in running.gateway.backends().values()} == {"available"}


def cached_share(running, turns=8, chats=6):
    """Tokens from a prompt cache / prompt tokens, over chats whose histories grow turn by turn."""
    prompt = cached = 0
    for chat in range(chats):
        messages = [{"role": "system", "content": f"You are assistant {chat}. " + "Be kind and exact. " * 400}]
        for turn in range(turns):
            messages.append({"role": "user", "content": f"Question {turn}"})
            answer = httpx.post(
                harness.chat_url(running.gateway.url), headers={"api-key": CLIENT_KEY},
                json={"messages": messages, "max_tokens": 5}, timeout=30,
            )  # fmt: skip
            assert answer.status_code == 200
            body = answer.json()
            messages.append(body["choices"][0]["message"])
            prompt += body["usage"]["prompt_tokens"]
            cached += body["usage"].get("prompt_tokens_details", {}).get("cached_tokens", 0)
    return cached / prompt


def test_prompt_caches_are_used(stack):
    with_affinity = cached_share(stack())
    without = cached_share(stack(affinity={"prompt_cache": False}))
    print(f"cached share of prompt tokens: {with_affinity:.2f} with affinity, {without:.2f} without")
    assert with_affinity > 0.8
    assert with_affinity > without + 0.1


def test_a_full_backend_lets_its_prompts_spill_over(stack):
    running = stack()
    first = [{"role": "system", "content": "Be kind and exact. " * 400}, {"role": "user", "content": "Hello"}]
    ask = lambda: httpx.post(  # noqa: E731
        harness.chat_url(running.gateway.url), headers={"api-key": CLIENT_KEY}, json={"messages": first}, timeout=30
    )
    home = ask().headers["x-spillway-backend"]
    assert {ask().headers["x-spillway-backend"] for _ in range(10)} == {home}
    running.emulator.fault(int(home[1:]) - 1, "429", seconds=60, retry_after=30)
    assert {ask().status_code for _ in range(10)} == {200}
    assert home not in {ask().headers["x-spillway-backend"] for _ in range(5)}
