"""The official Python client, unmodified, against the gateway and against an emulated resource directly."""

import json

import httpx
import openai
import pytest

from harness import API_VERSION, CHAT, CLIENT_KEY, EMBEDDING, RESOURCE_KEY

WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather of a city",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
HELLO = [{"role": "user", "content": "Say hello."}]
# The emulator's prompt filter refuses this mark.
FILTERED = [{"role": "user", "content": "trigger content_filter please"}]


def make_client(target, kind, key, **options):
    options = {"api_key": key, "max_retries": 0, "timeout": 30, **options}
    if kind == "azure":
        return openai.AzureOpenAI(azure_endpoint=target, api_version=API_VERSION, **options)
    return openai.OpenAI(base_url=f"{target}/openai/v1", **options)


@pytest.fixture(params=["gateway", "emulator"])
def target(request, shared):
    """(base URL, key)"""
    if request.param == "gateway":
        return shared.gateway.url, CLIENT_KEY
    return shared.emulator.urls[0], RESOURCE_KEY


@pytest.fixture(params=["azure", "openai"])
def client(request, target):
    with make_client(target[0], request.param, target[1]) as made:
        yield made


def test_chat(client):
    answer = client.chat.completions.create(model=CHAT, messages=HELLO)
    assert answer.object == "chat.completion"
    assert answer.choices[0].message.role == "assistant"
    assert answer.choices[0].message.content
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage.prompt_tokens > 0
    assert answer.usage.completion_tokens > 0
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens


def test_chat_stops_at_max_tokens(client):
    answer = client.chat.completions.create(model=CHAT, messages=HELLO, max_tokens=2)
    assert answer.choices[0].finish_reason == "length"
    assert answer.usage.completion_tokens == 2


def test_chat_stream_gives_the_same_text_as_plain(client):
    plain = client.chat.completions.create(model=CHAT, messages=HELLO)
    chunks = list(client.chat.completions.create(model=CHAT, messages=HELLO, stream=True))
    text = "".join(c.delta.content or "" for chunk in chunks for c in chunk.choices)
    assert text == plain.choices[0].message.content
    assert [c.finish_reason for chunk in chunks for c in chunk.choices if c.finish_reason] == ["stop"]
    assert all(chunk.usage is None for chunk in chunks)


def test_chat_stream_with_usage(client):
    chunks = list(
        client.chat.completions.create(
            model=CHAT, messages=HELLO, stream=True, stream_options={"include_usage": True}
        )
    )
    assert chunks[-1].choices == []
    assert chunks[-1].usage.completion_tokens > 0
    assert all(chunk.usage is None for chunk in chunks[:-1])


def test_tool_call_and_answer_to_it(client):
    messages = [{"role": "user", "content": "What is the weather in Seoul?"}]
    answer = client.chat.completions.create(
        model=CHAT, messages=messages, tools=[WEATHER], tool_choice="required"
    )
    assert answer.choices[0].finish_reason == "tool_calls"
    call = answer.choices[0].message.tool_calls[0]
    assert call.function.name == "get_weather"
    assert "city" in json.loads(call.function.arguments)
    messages += [
        answer.choices[0].message.model_dump(exclude_none=True),
        {"role": "tool", "tool_call_id": call.id, "content": '{"sky": "clear"}'},
    ]
    answer = client.chat.completions.create(model=CHAT, messages=messages, tools=[WEATHER])
    assert answer.choices[0].finish_reason == "stop"
    assert answer.choices[0].message.content


def test_tool_call_streamed(client):
    chunks = client.chat.completions.create(
        model=CHAT,
        messages=[{"role": "user", "content": "What is the weather in Seoul?"}],
        tools=[WEATHER],
        tool_choice="required",
        stream=True,
    )
    name, arguments, finish = "", "", None
    for chunk in chunks:
        for choice in chunk.choices:
            finish = choice.finish_reason or finish
            for call in choice.delta.tool_calls or []:
                name += call.function.name or ""
                arguments += call.function.arguments or ""
    assert (name, finish) == ("get_weather", "tool_calls")
    assert "city" in json.loads(arguments)


def test_embeddings_are_deterministic_unit_vectors(client):
    texts = ["a river", "물 흐르는 소리"]
    first = client.embeddings.create(model=EMBEDDING, input=texts)
    again = client.embeddings.create(model=EMBEDDING, input=texts)
    assert [item.index for item in first.data] == [0, 1]
    assert first.data[0].embedding == again.data[0].embedding
    assert first.data[0].embedding != first.data[1].embedding
    assert sum(x * x for x in first.data[0].embedding) == pytest.approx(1, abs=1e-3)
    assert first.usage.prompt_tokens == first.usage.total_tokens > 0


def test_responses(client):
    answer = client.responses.create(model=CHAT, input="Say hello.")
    assert answer.status == "completed"
    assert answer.output_text
    assert answer.usage.output_tokens > 0


def test_responses_streamed(client):
    events = list(client.responses.create(model=CHAT, input="Say hello.", stream=True))
    assert events[0].type == "response.created"
    assert events[-1].type == "response.completed"
    text = "".join(event.delta for event in events if event.type == "response.output_text.delta")
    assert text and text == events[-1].response.output_text
    assert events[-1].response.usage.output_tokens > 0


@pytest.mark.parametrize("kind", ["azure", "openai"])
def test_wrong_key_is_an_authentication_error(target, kind):
    with make_client(target[0], kind, "not-a-key") as client, pytest.raises(openai.AuthenticationError) as caught:
        client.chat.completions.create(model=CHAT, messages=HELLO)
    assert caught.value.status_code == 401


def test_bearer_is_as_good_as_api_key(target):
    with openai.AzureOpenAI(
        azure_endpoint=target[0], api_version=API_VERSION, azure_ad_token=target[1], max_retries=0
    ) as client:
        assert client.chat.completions.create(model=CHAT, messages=HELLO).choices[0].message.content


def test_unknown_deployment_is_not_found(client):
    with pytest.raises(openai.NotFoundError) as caught:
        client.chat.completions.create(model="no-such-deployment", messages=HELLO)
    assert caught.value.code == "DeploymentNotFound"


def test_content_filter_is_a_bad_request(client):
    with pytest.raises(openai.BadRequestError) as caught:
        client.chat.completions.create(model=CHAT, messages=FILTERED)
    assert caught.value.code == "content_filter"
    assert caught.value.param == "prompt"
    assert caught.value.body["innererror"]["code"] == "ResponsibleAIPolicyViolation"


@pytest.mark.parametrize("kind", ["azure", "openai"])
@pytest.mark.parametrize("through", ["gateway", "emulator"])
def test_quota_gone_is_a_rate_limit_error(stack, kind, through):
    small = stack(resources=1, capacity=1)
    url, key = (small.gateway.url, CLIENT_KEY) if through == "gateway" else (small.emulator.urls[0], RESOURCE_KEY)
    with make_client(url, kind, key) as client, pytest.raises(openai.RateLimitError) as caught:
        for _ in range(3):
            client.chat.completions.create(model=CHAT, messages=HELLO, max_tokens=600)
    assert caught.value.status_code == 429
    assert 0 < float(caught.value.response.headers["retry-after"]) <= 60


def test_the_client_waits_as_told_and_gets_its_answer(stack):
    one = stack(resources=1)
    one.emulator.fault(0, "429", count=1, retry_after=1)
    with make_client(one.gateway.url, "azure", CLIENT_KEY, max_retries=4) as client:
        assert client.chat.completions.create(model=CHAT, messages=HELLO).choices[0].message.content


def test_plain_v1_path_works_through_the_gateway(shared):
    with openai.OpenAI(base_url=f"{shared.gateway.url}/v1", api_key=CLIENT_KEY, max_retries=0) as client:
        assert client.chat.completions.create(model=CHAT, messages=HELLO).choices[0].message.content


def test_async_client(shared):
    import asyncio

    async def ask():
        async with openai.AsyncAzureOpenAI(
            azure_endpoint=shared.gateway.url, api_version=API_VERSION, api_key=CLIENT_KEY
        ) as client:
            stream = await client.chat.completions.create(model=CHAT, messages=HELLO, stream=True)
            return "".join([c.delta.content or "" async for chunk in stream for c in chunk.choices])

    assert asyncio.run(ask())


def test_answers_say_who_served(shared):
    with make_client(shared.gateway.url, "azure", CLIENT_KEY) as client:
        raw = client.chat.completions.with_raw_response.create(model=CHAT, messages=HELLO)
    assert raw.headers["x-spillway-backend"] in {"r1", "r2", "r3"}
    assert raw.headers["x-spillway-attempts"] == "1"
    assert raw.headers["x-request-id"]
    assert raw.headers["apim-request-id"]


def test_the_emulator_answers_with_azure_headers(shared):
    answer = httpx.post(
        f"{shared.emulator.urls[0]}/openai/deployments/{CHAT}/chat/completions?api-version={API_VERSION}",
        headers={"api-key": RESOURCE_KEY},
        json={"messages": HELLO},
    )
    for name in ("apim-request-id", "x-ms-region", "x-ratelimit-remaining-requests", "x-ratelimit-remaining-tokens"):
        assert name in answer.headers
