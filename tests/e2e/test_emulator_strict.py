"""The emulated resources refuse what Azure refuses: the official client meets the same errors."""

import json

import openai
import pytest

import harness


@pytest.fixture(scope="module")
def resource(tmp_path_factory):
    folder = tmp_path_factory.mktemp("strict")
    port = harness.free_ports(3)
    config = {
        "base_port": port, "admin_port": port + 2, "api_key": harness.RESOURCE_KEY,
        "latency": {"ttft": "1ms", "tokens_per_second": 0},
        "deployments": [
            {"name": "gpt-4o"}, {"name": "prod", "model": "o3-mini"}, {"name": "o1", "model": "gpt-4o"},
            {"name": "instruct", "model": "gpt-35-turbo-instruct"}, {"name": "text-embedding-3-small"},
        ],
        "resources": [{"name": "strict"}, {"name": "lenient", "strict": False}],
    }  # fmt: skip
    (folder / "emulator.yaml").write_text(json.dumps(config))
    process = harness.Process(folder, "emulator", ["emulate", "--config", "emulator.yaml"])
    process.wait_ready(f"http://127.0.0.1:{port + 2}/stats")
    yield port
    process.stop()


def client(port, version=harness.API_VERSION):
    return openai.AzureOpenAI(
        azure_endpoint=f"http://127.0.0.1:{port}", api_key=harness.RESOURCE_KEY, api_version=version, max_retries=0
    )


HELLO = [{"role": "user", "content": "Say hello."}]
JSON_MODE = {"type": "json_object"}
PICTURE = [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}]}]
REFUSED = [
    ({"extra_body": {"thinking": True}}, "Unrecognized request argument supplied: thinking"),
    ({"temperature": 3}, "Expected a value <= 2, but got 3 instead."),
    ({"max_tokens": 5, "max_completion_tokens": 5}, "at the same time"),
    ({"response_format": JSON_MODE}, "must contain the word 'json'"),
    ({"model": "prod", "max_tokens": 5}, "Use 'max_completion_tokens' instead."),
    ({"model": "prod", "temperature": 0.5}, "Only the default (1) value is supported."),
    ({"model": "prod", "stop": "x"}, "Unsupported parameter: 'stop' is not supported with this model."),
    ({"extra_body": {"user": 5}}, "Invalid type for 'user': expected a string, but got an integer instead."),
    ({"messages": [{"role": "user", "content": [{"type": "picture"}]}]}, "Invalid value: 'picture'. Supported values"),
    ({"model": "prod", "messages": PICTURE}, "image_url is only supported by certain models."),
    ({"response_format": {"type": "xml"}}, "Invalid value: 'xml'. Supported values"),
    ({"tools": [{"type": "function", "function": {"name": "two words"}}]}, "string does not match pattern"),
    ({"logit_bias": {"1": 101}}, "Expected a value <= 100, but got 101 instead."),
    ({"max_tokens": 20_000}, "This model supports at most 16384 completion tokens"),
]


@pytest.mark.parametrize("more, told", REFUSED)
def test_what_azure_refuses(resource, more, told):
    with pytest.raises(openai.BadRequestError) as error:
        client(resource).chat.completions.create(**{"model": "gpt-4o", "messages": HELLO, **more})
    assert told in error.value.message


@pytest.mark.parametrize("more, told", REFUSED)
def test_a_lenient_resource_takes_it(resource, more, told):
    answer = client(resource + 1).chat.completions.create(**{"model": "gpt-4o", "messages": HELLO, **more})
    assert answer.choices[0].message.content


def test_the_model_counts_and_not_the_deployments_name(resource):
    assert client(resource).chat.completions.create(model="o1", messages=HELLO, max_tokens=5, temperature=0.5)
    assert client(resource).chat.completions.create(model="prod", messages=HELLO, max_completion_tokens=5)


def test_versions_are_those_that_were_released(resource):
    with pytest.raises(openai.NotFoundError, match="Resource not found"):
        client(resource, "2019-01-01").chat.completions.create(model="gpt-4o", messages=HELLO)
    assert client(resource + 1, "2019-01-01").chat.completions.create(model="gpt-4o", messages=HELLO)
    assert client(resource, "2025-04-01-preview").chat.completions.create(model="gpt-4o", messages=HELLO)


def test_chat_models_do_not_complete(resource):
    with pytest.raises(openai.BadRequestError, match="The completion operation does not work"):
        client(resource).completions.create(model="gpt-4o", prompt="Once")
    assert client(resource).completions.create(model="instruct", prompt="Once")
    assert client(resource + 1).completions.create(model="gpt-4o", prompt="Once")


def test_embeddings_have_a_most_number_of_inputs(resource):
    with pytest.raises(openai.BadRequestError, match="max number of inputs is 2048"):
        client(resource).embeddings.create(model="text-embedding-3-small", input=["a"] * 2049)
    assert len(client(resource).embeddings.create(model="text-embedding-3-small", input=["a"] * 2048).data) == 2048


def test_a_prompt_beyond_the_window_is_not_out_of_quota(resource):
    with pytest.raises(openai.BadRequestError) as error:
        client(resource).chat.completions.create(
            model="gpt-4o", messages=[{"role": "user", "content": "word " * 130_000}]
        )
    assert error.value.code == "context_length_exceeded"


def test_a_strict_schema_is_closed(resource):
    def ask(**more):
        schema = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"], **more}
        form = {"type": "json_schema", "json_schema": {"name": "n", "strict": True, "schema": schema}}
        return client(resource).chat.completions.create(model="gpt-4o", messages=HELLO, response_format=form)

    with pytest.raises(openai.BadRequestError, match="'additionalProperties' is required to be supplied"):
        ask()
    assert "a" in json.loads(ask(additionalProperties=False).choices[0].message.content)


def test_embeddings_have_an_input_and_the_models_dimensions(resource):
    def embed(**more):
        return client(resource).embeddings.create(**{"model": "text-embedding-3-small", "input": "a", **more})

    for wrong in ({"input": ""}, {"input": "word " * 9_000}, {"dimensions": 2_000}, {"encoding_format": "hex"}):
        with pytest.raises(openai.BadRequestError):
            embed(**wrong)
    assert len(embed(dimensions=1_536).data[0].embedding) == 1_536


def test_responses_have_their_own_arguments_and_beginning(resource):
    def respond(version=harness.API_VERSION, **more):
        return client(resource, version).responses.create(model="gpt-4o", input="Say hello.", extra_body=more)

    with pytest.raises(openai.BadRequestError, match="this parameter has moved to 'max_output_tokens'"):
        respond(max_tokens=20)
    with pytest.raises(openai.BadRequestError, match="Unknown parameter: 'thinking'"):
        respond(thinking=True)
    with pytest.raises(openai.BadRequestError, match="only for api-version 2025-03-01-preview and later"):
        respond("2024-10-21")
    assert respond().output_text


def test_instruct_models_do_not_chat(resource):
    with pytest.raises(openai.BadRequestError, match="The chatCompletion operation does not work"):
        client(resource).chat.completions.create(model="instruct", messages=HELLO)
