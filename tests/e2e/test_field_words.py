"""Answers of real services that say the same thing in words of their own."""

import json

import httpx
import pytest

import harness
from harness import sse_events, stream_text
from scripted import DONE, delta, healthy
from test_field_gateway import HEADERS, chat, field, says, streams  # noqa: F401


def error(message="x", **more):
    return {"error": {"message": message, **more}}


def post(gateway, path, **body):
    return httpx.post(gateway.url + path, headers=HEADERS, json=body, timeout=30)


TOO_LARGE = error("Request too large for gpt-4o in organization org-1 on tokens per min (TPM): Limit 30000, Requested 45000.",
                  type="tokens", code="rate_limit_exceeded")  # fmt: skip


@pytest.mark.parametrize("streamed", [False, True])
def test_a_request_that_no_quota_holds_leaves_the_others_alone(field, streamed):
    async def handler(request, answer):
        if b"LARGE" not in request.body:
            return await healthy(request, answer)
        if not streamed:
            return await answer.send(429, TOO_LARGE)
        return await streams(f"data: {json.dumps(TOO_LARGE)}\n\n")(request, answer)

    gateway, _ = field({"a": handler, "b": handler})
    large = chat(gateway, stream=streamed, messages=[{"role": "user", "content": "LARGE"}])
    assert large.status_code == 429 and large.json()["error"]["code"] == "request_too_large", large.text
    assert large.headers["x-should-retry"] == "false"
    assert [chat(gateway).status_code for _ in range(4)] == [200] * 4


def test_a_model_without_embeddings_keeps_its_chat(field):
    async def handler(request, answer):
        if "embeddings" in request.target:
            await answer.send(404, error("The model does not exist", code="model_not_found"))
        else:
            await healthy(request, answer)

    gateway, backends = field({"a": handler, "b": healthy})
    for _ in range(4):
        post(gateway, "/v1/embeddings", model="gpt-4o", input="x")
    before = len(backends["a"].seen)
    assert all(chat(gateway).status_code == 200 for _ in range(20))
    assert len(backends["a"].seen) > before + 3


@pytest.mark.parametrize("streamed", [False, True])
def test_a_flagged_prompt_is_its_clients(field, streamed):
    flagged = {"error": {"code": 403, "message": "Your input was flagged", "metadata": {"reasons": ["violence"], "flagged_input": "x"}}}

    async def handler(request, answer):
        if b"FLAG" not in request.body:
            await healthy(request, answer)
        elif streamed:
            await streams(f"data: {json.dumps(flagged)}\n\n")(request, answer)
        else:
            await answer.send(403, flagged)

    gateway, backends = field({"a": handler, "b": handler})
    told = chat(gateway, stream=streamed, messages=[{"role": "user", "content": "FLAG"}])
    assert "Your input was flagged" in told.text
    assert sum(len(b.seen) for b in backends.values()) == 1
    assert all(chat(gateway).headers["x-spillway-attempts"] == "1" for _ in range(6))


@pytest.mark.parametrize("path", ["/v1/moderations", "/v1/rerank", "/v1/responses/input_tokens",
                                  "/openai/deployments/gpt-4o/extensions/chat/completions?api-version=1"])  # fmt: skip
def test_whatever_asks_a_model_goes_where_it_is(field, path):
    gateway, _ = field({"a": says(404, error(code="DeploymentNotFound")), "b": healthy})
    for _ in range(6):
        assert post(gateway, path, model="gpt-4o", input="x").status_code == 200


@pytest.mark.parametrize("path", ["/v1/responses/resp_67ccd2bed1ec81", "/v1/fine_tuning/jobs/ftjob-abc123456"])
def test_a_look_at_what_failed_is_no_failure(field, path):
    failed = {"id": path.rpartition("/")[2], "object": "x", "error": {"code": "server_error", "message": "m"}, "status": "failed"}
    gateway, _ = field({"a": says(200, failed)})
    answer = httpx.get(gateway.url + path, headers=HEADERS)
    assert answer.status_code == 200 and answer.json() == failed


NO_ANSWERS = {
    "Responses": {"id": "resp_67cc" + "0" * 60, "object": "response", "created_at": 1, "status": "failed", "error": {"code": "server_error", "message": "m"}},
    "OpenRouter": {"id": "gen-1", "provider": "X", "model": "m", "object": "chat.completion", "created": 1, "error": {"message": "Provider returned error", "code": 502}},
    "an error's text": "upstream connect error or disconnect/reset before headers",
    "null": "null",
}  # fmt: skip


@pytest.mark.parametrize("what", NO_ANSWERS)
def test_a_200_that_is_no_answer_is_not_shown(field, what):
    gateway, _ = field({"bad": says(200, NO_ANSWERS[what]), "good": healthy})
    for _ in range(8):
        assert chat(gateway).json()["choices"], "of the other"


def test_the_way_to_a_login_page_is_no_answer(field):
    async def login(_, answer):
        await answer.send(302, b"", location="https://login.example/")

    gateway, _ = field({"bad": login, "good": healthy})
    assert all(chat(gateway).status_code == 200 for _ in range(8))


CONCERNS_ONE = {
    "LiteLLM": (400, error("Invalid model name passed in model=m. Call `/v1/models`", code="400")),
    "OpenAI": (400, error("invalid model ID", type="invalid_request_error")),
    "llama.cpp": (400, error("model 'x' not found", type="invalid_request_error")),
    "Bedrock": (400, {"message": "The provided model identifier is invalid."}),
    "not by this API": (400, error("m is not supported by the Responses API", code="unsupported_model")),
    "a bill": (400, error("Billing hard limit has been reached", code="billing_hard_limit_reached")),
    "Anthropic": (400, error("Your credit balance is too low to access the API", type="invalid_request_error")),
    "Gemini": (400, [{"error": {"code": 400, "message": "API key not valid. Please pass a valid API key.", "status": "INVALID_ARGUMENT"}}]),
    "xAI": (400, {"code": "Client specified an invalid argument", "error": "Incorrect API key provided: ab***cd."}),
}  # fmt: skip


@pytest.mark.parametrize("what", CONCERNS_ONE)
def test_what_concerns_one_backend_is_not_shown(field, what):
    gateway, _ = field({"bad": says(*CONCERNS_ONE[what]), "good": healthy})
    assert [chat(gateway).status_code for _ in range(8)] == [200] * 8


def test_models_of_all_backends_are_listed(field):
    def lists(*names):
        async def handler(_, answer):
            await answer.send(200, {"object": "list", "data": [{"id": n, "object": "model", "owned_by": "x"} for n in names]})

        return handler

    gateway, _ = field({"a": lists("m1", "m2"), "b": lists("m2", "m3"), "c": says(501, error())})
    for _ in range(4):
        answer = httpx.get(gateway.url + "/v1/models", headers=HEADERS)
        assert sorted(m["id"] for m in answer.json()["data"]) == ["m1", "m2", "m3"], answer.text


MISTAKES = {
    "TGI": {"error": "Input validation error: `best_of` must be > 0", "error_type": "validation"},
    "a number": error("x", http_status_code=422),
    "xAI": {"code": "Client specified an invalid argument", "error": "This model's maximum prompt length is 131072"},
    "Ollama": {"error": "m does not support tools"},
    "Anthropic": error("input length and `max_tokens` exceed context limit: 188240 + 21333 > 200000"),
    "wrapped": {"error": error("too long", code="context_length_exceeded")},
    "DashScope": error("Output data may contain inappropriate content.", code="data_inspection_failed"),
    "a guardrail": error("blocked", type="guardrail_intervened"),
}


@pytest.mark.parametrize("what", MISTAKES)
def test_a_mistake_in_a_stream_is_told_once(field, what):
    gateway, backends = field({name: streams(f"data: {json.dumps(MISTAKES[what])}\n\n") for name in "abc"})
    told = chat(gateway, stream=True)
    assert sse_events(told.text)[0] == MISTAKES[what]
    assert sum(len(b.seen) for b in backends.values()) == 1


@pytest.mark.parametrize("empty", ["", {}])
def test_an_empty_error_beside_text_is_none(field, empty):
    chunks = [f"data: {json.dumps({**json.loads(delta(text)[6:]), 'error': empty})}\n\n" for text in ("a", "b")]
    gateway, _ = field({"a": streams('data: {"code":0,"message":"Success"}\n\n', *chunks, delta(finish="stop"), DONE)})
    told = chat(gateway, stream=True)
    assert told.status_code == 200 and stream_text([e for e in sse_events(told.text) if "choices" in e]) == "ab"
    assert gateway.access_lines(1)[0]["outcome"] == "ok"


@pytest.mark.parametrize("status", [200, 400, 404, 500])
def test_stream_options_are_taken_back_however_they_are_refused(field, status):
    refusal = error("Unknown parameter: 'stream_options'.", code=400)

    async def strict(request, answer):
        if "stream_options" not in request.json():
            await healthy(request, answer)
        elif status == 200:
            await streams(f"data: {json.dumps(refusal)}\n\n")(request, answer)
        else:
            await answer.send(status, refusal)

    gateway, backends = field({"a": strict})
    for _ in range(2):
        told = chat(gateway, stream=True)
        assert stream_text(sse_events(told.text)) == "hello", told.text
    assert len(backends["a"].seen) == 3, "asked with it once, and never again"


def test_a_form_names_one_model(field):
    gateway, backends = field({"a": healthy}, clients=[
        {"name": "e2e", "key": harness.CLIENT_KEY, "deployments": ["whisper-1"]}])  # fmt: skip
    sound = ("file", ("a.wav", b"RIFF" * 100))
    parts = [("model", (None, "forbidden")), sound, ("model", (None, "whisper-1"))]
    answer = httpx.post(gateway.url + "/v1/audio/transcriptions", headers=HEADERS, files=parts)
    assert answer.status_code in (400, 403)
    body = (b'--b\r\nContent-Disposition: form-data; x="; name=prompt; y"; name="model"\r\n\r\nforbidden\r\n--b\r\n'
            b'Content-Disposition: form-data; name="model"\r\n\r\nwhisper-1\r\n--b--\r\n')  # fmt: skip
    answer = httpx.post(gateway.url + "/v1/audio/transcriptions", content=body,
                        headers={**HEADERS, "content-type": "multipart/form-data; boundary=b"})  # fmt: skip
    assert answer.status_code in (400, 403)
    for path, extra in (("/v1/videos", {}), ("/v1/realtime/client_secrets", {"session": {"model": "gpt-realtime"}}),
                        ("/v1/images/generations", {"prompt": "x"})):  # fmt: skip
        assert post(gateway, path, **extra).status_code == 403, path
    assert not backends["a"].seen


def test_who_sits_at_the_browser_stays_inside(field):
    inside = ["x-ms-token-aad-refresh-token", "x-amz-security-token", "x-vault-token", "x-litellm-api-key", "x-openwebui-user-email",
              "x-consumer-username", "x-goog-authenticated-user-email", "x-ssl-client-cert", "x-nf-client-connection-ip",
              "x-akamai-edgescape", "x-source-ip", "x-waws-unencoded-url", "x-org-user", "x-secret", "x-cookie", "x-email"]  # fmt: skip
    passes = ["x-ms-useragent", "x-stainless-lang", "x-idempotency-key", "x-title", "x-ms-oai-image-generation-deployment"]
    gateway, backends = field({"a": healthy})
    httpx.post(harness.chat_url(gateway.url), headers={**HEADERS, **dict.fromkeys(inside + passes, "v")}, json=harness.chat_body())
    seen = backends["a"].seen[0].headers
    assert not [name for name in inside if name in seen]
    assert not [name for name in passes if name not in seen]
