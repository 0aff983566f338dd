"""What backends do wrong: the rows of the table of blame (docs/routing.md), and how each is played."""

import asyncio
import dataclasses
import json
import socket
import struct

from scripted import completion, delta


def error(code=None, kind=None, message="x", **more):
    return {"error": {"message": message, **({"code": code} if code else {}), **({"type": kind} if kind else {}), **more}}


# What a backend does to a request that meets the fault: awaited with the answer, whether a stream was asked for, and whether
# output is to come first. False ends the connection.


def answers(status, body="", content_type="application/json"):
    async def act(answer, stream, after):
        await answer.send(status, body, content_type)

    return act


def event(text):
    if isinstance(text, dict):
        text = f"data: {json.dumps(text)}\n\n"

    async def act(answer, stream, after):
        await answer.head()
        await answer.chunk(delta("first ") if after else delta(""))
        await answer.chunk(text)
        await answer.end()

    return act


async def cut(answer, stream, after):
    if not stream:
        whole = json.dumps(completion())
        await answer.raw(f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(whole)}\r\n\r\n")
        await answer.raw(whole[: len(whole) // 2])
        return False
    await answer.head()
    await answer.chunk(delta("first ") if after else delta(""))
    await asyncio.sleep(0.2 if after else 0)  # so that output goes down before
    return False


async def closed(answer, stream, after):
    return False


async def not_http(answer, stream, after):
    await answer.raw("SSH-2.0-OpenSSH_9.2\r\n\r\n")
    return False


async def bad_chunks(answer, stream, after):
    await answer.head("text/event-stream" if stream else "application/json")
    if stream:
        await answer.chunk(delta("first ") if after else delta(""))
        await asyncio.sleep(0.2 if after else 0)
    await answer.raw("zz\r\nnonsense\r\n")
    return False


def reset(answer):
    """The connection ends with RST instead of FIN."""
    answer.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    answer.writer.transport.abort()
    return False


async def reset_before_the_head(answer, stream, after):
    return reset(answer)


async def reset_in_the_head(answer, stream, after):
    await answer.raw("HTTP/1.1 200 OK\r\ncontent-ty")
    await asyncio.sleep(0.1)
    return reset(answer)


async def reset_in_the_body(answer, stream, after):
    await cut(answer, stream, after)
    await asyncio.sleep(0.1)
    return reset(answer)


async def flood_of_1xx(answer, stream, after):
    for _ in range(5000):
        await answer.raw("HTTP/1.1 102 Processing\r\n\r\n")
    return False


async def drip(answer, stream, after):
    """A head by the byte, for longer than anybody waits."""
    for byte in "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nx-padding: " + "x" * 100:
        await answer.raw(byte)
        await asyncio.sleep(0.2)
    return False


async def longer_than_said(answer, stream, after):
    """What comes after the length that was said is no answer to anybody. In one piece: what comes later, when the next
    request has gone up, nobody can tell from its answer (RFC 9112, section 9.3.2)."""
    whole = json.dumps(completion())
    head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(whole)}\r\n\r\n"
    await answer.raw(f'{head}{whole}HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n"smuggled')


async def two_lengths(answer, stream, after):
    await answer.raw("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 5\r\ncontent-length: 9\r\n\r\n{}   ")
    return False


async def half_then_silent(answer, stream, after):
    whole = json.dumps(completion())
    await answer.raw(f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(whole)}\r\n\r\n{whole[:40]}")
    await asyncio.sleep(20)
    return False


async def silent(answer, stream, after):
    if after:
        await answer.head()
        await answer.chunk(delta("first "))
    await asyncio.sleep(20)
    return False


async def silent_after_preamble(answer, stream, after):
    await answer.head()
    await answer.chunk(delta(""))
    await asyncio.sleep(20)
    return False


@dataclasses.dataclass
class Row:
    name: str
    act: object
    elsewhere: bool  # may another backend be asked before the first output?
    statuses: tuple  # that the culprit may see before it
    says: str = ""  # in what the culprit reads after it; empty: the row has no such cell
    shapes: str = "plain stream form"
    wide: bool = False  # reaches further than a deployment
    # A kept connection may have been closed before: the request goes to the same backend once more, by a new one.
    once_more: bool = False
    quota: bool = False  # a backend's to give: whoever uses it up, others on that deployment do without


CLIENTS_OWN = [
    Row("400 context_length_exceeded", answers(400, error("context_length_exceeded", "invalid_request_error")), False, (400,)),
    Row("400 content_filter", answers(400, error("content_filter", param="prompt")), False, (400,)),
    Row("413", answers(413, error("413")), False, (413,)),
    Row("422", answers(422, {"detail": [{"loc": ["body"], "msg": "field required"}]}), False, (422,)),
    Row("200 with a 400", answers(200, error(400, "BadRequestError")), False, (200,), shapes="plain form"),
]
IN_STREAM_OF_THE_CLIENT = {
    "invalid_request_error": error("context_length_exceeded", "invalid_request_error"),
    "code 400": error(400, "BadRequestError"),
    "content_filter": error("content_filter"),
    "invalid_prompt": error("invalid_prompt"),
    "no object": {"object": "error", "message": "too long", "type": "BadRequestError", "param": None, "code": 400},
    "event: error": 'event: error\ndata: {"type":"error","code":"invalid_image","message":"x","param":"input"}\n\n',
    "response.failed": 'event: response.failed\ndata: {"type":"response.failed","sequence_number":1,"response":{"id":"r",'
    '"status":"failed","error":{"code":"invalid_prompt","message":"flagged"}}}\n\n',
}
CLIENTS_OWN += [
    Row(f"stream {name}", event(what), False, (200,), "rror", "stream")
    for name, what in IN_STREAM_OF_THE_CLIENT.items()
]
PAIRS = [
    Row("404 DeploymentNotFound", answers(404, error("DeploymentNotFound")), True, (404,)),
    Row("404 model_not_found", answers(404, error("model_not_found", "invalid_request_error")), True, (404,)),
    Row("404 of vLLM", answers(404, {"object": "error", "message": "The model `x` does not exist.", "type": "NotFoundError",
                                     "param": None, "code": 404}), True, (404,)),
    Row("400 OperationNotSupported", answers(400, error("OperationNotSupported")), True, (400,)),
    Row("404 of a path", answers(404, error("404", message="Resource not found")), True, (404,)),
    Row("501", answers(501, error(501, "not_supported_error")), True, (501,), wide=True),
    Row("505", answers(505), True, (505,), wide=True),
]  # fmt: skip
CREDENTIALS = [
    Row("401", answers(401, error("401", message="Access denied due to invalid subscription key")), True, (503,), wide=True),
    Row("402", answers(402, error(402, message="Insufficient credits")), True, (503,), wide=True),
    Row("403", answers(403, error("403", message="Access denied due to Virtual Network/Firewall rules.")), True, (503,), wide=True),
]
DEPLOYMENTS = [
    *(Row(str(s), answers(s, error(str(s))), True, (s,)) for s in (408, 409, 424, 499, 500, 502, 503, 504, 529)),
    Row("500 and a page", answers(500, "<html>sorry</html>", "text/html"), True, (500,)),
    Row("200 with a 502", answers(200, error(502, message="Provider returned error")), True, (502,)),
    Row("200 with an error", answers(200, error(message="Provider returned error")), True, (503,)),
    # Of those that answer in JSON.
    Row("200 and nothing", answers(200), True, (503,), shapes="plain stream"),
    Row("200 and a page", answers(200, "<html>log in</html>", "text/html"), True, (503,), shapes="plain stream"),
    Row("closed", closed, True, (503,), once_more=True),
    Row("cut", cut, True, (503,), "stream_cut"),
    Row("not HTTP", not_http, True, (503,)),
    Row("bad chunks", bad_chunks, True, (503,), "stream_cut"),
    Row("reset before the head", reset_before_the_head, True, (503,), once_more=True),
    Row("reset in the head", reset_in_the_head, True, (503,)),
    Row("reset in the body", reset_in_the_body, True, (503,), "stream_cut"),
    Row("flood of 1xx", flood_of_1xx, True, (503,)),
    Row("two lengths", two_lengths, True, (503,)),
    Row("longer than said", longer_than_said, False, (200,), shapes="plain form"),
    Row("stream server_error", event(error("oops", "server_error")), True, (502,), "oops", "stream"),
    Row("stream overloaded_error", event({"type": "error", **error(None, "overloaded_error")}), True, (502,), "overloaded", "stream"),
    Row("stream code 503", event(error(503)), True, (502,), "503", "stream"),
]  # fmt: skip
TIMES = [
    Row("silence before the head", silent, False, (504,), shapes="plain form"),
    Row("a head by the byte", drip, False, (504,)),
    Row("silence in the body", half_then_silent, False, (504,), shapes="plain form"),
    Row("silence", silent, False, (504,), "timeout", "stream"),
    Row("silence after the preamble", silent_after_preamble, False, (504,), shapes="stream"),
]
QUOTAS = [
    Row("429", answers(429, error("429", message="Rate limit")), True, (429,), quota=True),
    Row("429 insufficient_quota", answers(429, error("insufficient_quota", "insufficient_quota")), True, (429,), quota=True),
    Row("stream rate_limit_exceeded", event(error("rate_limit_exceeded", "tokens")), True, (429,), "rate_limit", "stream",
        quota=True),
]  # fmt: skip
ROWS = CLIENTS_OWN + PAIRS + CREDENTIALS + DEPLOYMENTS + TIMES + QUOTAS
