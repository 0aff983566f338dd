"""The table of blame (docs/routing.md) as clients see it: each row, plain and streamed, before and after the first output, on
one to three backends. For every cell: the culprit alone feels it, all others are served at the first attempt, and no more
is tried than the table says. Prints a table (pytest -s).

What reaches no further than a deployment is played with a deployment for each cell, at gateways that all share; what
reaches further has a gateway of its own.
"""

import asyncio
import collections
import contextlib
import dataclasses
import json
import math
import time

import httpx
import pytest

import harness
from harness import sse_events, stream_text
from scripted import Backend, completion, delta, healthy

CULPRIT = {"api-key": harness.CLIENT_KEY}
OTHERS = {"api-key": "other-client-key-1"}
CLIENTS = [{"name": "culprit", "key": harness.CLIENT_KEY}, {"name": "others", "key": OTHERS["api-key"]}]
POISON = "POISON"
ALL_AT_ONCE = 12
FAULTY_ROUNDS = 12


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
    shapes: str = "plain stream"
    wide: bool = False  # reaches further than a deployment
    # A kept connection may have been closed before: the request goes to the same backend once more, by a new one.
    once_more: bool = False
    quota: bool = False  # a backend's to give: whoever uses it up, others on that deployment do without


CLIENTS_OWN = [
    Row("400 context_length_exceeded", answers(400, error("context_length_exceeded", "invalid_request_error")), False, (400,)),
    Row("400 content_filter", answers(400, error("content_filter", param="prompt")), False, (400,)),
    Row("413", answers(413, error("413")), False, (413,)),
    Row("422", answers(422, {"detail": [{"loc": ["body"], "msg": "field required"}]}), False, (422,)),
    Row("200 with a 400", answers(200, error(400, "BadRequestError")), False, (200,), shapes="plain"),
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
    Row("200 and nothing", answers(200), True, (503,)),
    Row("200 and a page", answers(200, "<html>log in</html>", "text/html"), True, (503,)),
    Row("closed", closed, True, (503,), once_more=True),
    Row("cut", cut, True, (503,), "stream_cut"),
    Row("not HTTP", not_http, True, (503,)),
    Row("bad chunks", bad_chunks, True, (503,), "stream_cut"),
    Row("stream server_error", event(error("oops", "server_error")), True, (502,), "oops", "stream"),
    Row("stream overloaded_error", event({"type": "error", **error(None, "overloaded_error")}), True, (502,), "overloaded", "stream"),
    Row("stream code 503", event(error(503)), True, (502,), "503", "stream"),
]  # fmt: skip
TIMES = [
    Row("silence before the head", silent, False, (504,), shapes="plain"),
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


class Pool:
    """Scripted backends with a gateway in front. A deployment's name says which cell it is: `cells` has the row, whether
    output comes first, and which backends are at fault whoever asks (else the request is, wherever it goes)."""

    def __init__(self, folder, count):
        self.cells, self.asked = {}, collections.Counter()
        self.backends = [Backend(f"b{i}", self._handler(i)) for i in range(count)]
        timeouts = {"first_token": "1s", "stall": "1s", "connect": "2s"}
        self.gateway = harness.Gateway(
            folder,
            [b.config(timeouts=timeouts) for b in self.backends],
            clients=CLIENTS,
            server={"threads": 1},
            # The budget has tests of its own; here what the table allows is to be seen.
            retry={"budget": {"burst": 100000}},
        )

    def _handler(self, number):
        async def handle(request, answer):
            deployment = request.target.split("/")[3]
            row, after, faulty = self.cells[deployment]
            self.asked[deployment] += 1
            meets = number in faulty if faulty else POISON in request.body.decode()
            if not meets:
                return await healthy(request, answer)
            return await row.act(answer, bool(request.json().get("stream")), after)

        return handle

    def stop(self):
        self.gateway.stop()
        for one in self.backends:
            one.stop()


class Cell:
    def __init__(self, pool, client, row, stream, after, faulty=()):
        self.pool, self.client, self.row, self.stream, self.after = pool, client, row, stream, after
        self.deployment = f"cell-{len(pool.cells)}"
        pool.cells[self.deployment] = (row, after, faulty)

    async def send(self, text, headers, stream):
        before = self.pool.asked[self.deployment]
        answer = await self.client.post(
            harness.chat_url(self.pool.gateway.url, self.deployment),
            headers=headers,
            json=harness.chat_body(f"{text} {self.deployment}", stream=stream, max_tokens=20),
        )
        attempts = self.pool.asked[self.deployment] - before
        return answer, attempts

    async def good_one(self, text, attempts_at_most=1):
        for stream in (False, True):
            answer, attempts = await self.send(text, OTHERS, stream)
            assert answer.status_code == 200, f"a good request got {answer.status_code}: {answer.text[:200]}"
            if stream:
                events = sse_events(answer.text)
                assert events[-1] == "[DONE]" and stream_text(events) == "hello", answer.text[-200:]
            else:
                assert answer.json() == completion()
            assert 1 <= attempts <= attempts_at_most, f"a good request took {attempts} attempts"

    def judge(self, answer):
        if not self.after:
            assert answer.status_code in self.row.statuses, f"{answer.status_code}: {answer.text[:200]}"
            return
        assert answer.status_code == 200, answer.text[:200]
        events = sse_events(answer.text)
        assert stream_text(e for e in events if "choices" in e) == "first ", "what came first was shown"
        assert self.row.says in json.dumps(events[-1]), answer.text[-200:]
        assert sum("choices" not in e for e in events) == 1, "one error, once"

    async def poisoned(self):
        """One client's request is at fault, wherever it is asked; it sends it again and again."""
        most, count = 0, len(self.pool.backends)
        for number in range(3):
            answer, attempts = await self.send(f"{POISON} {number // 2}", CULPRIT, self.stream)
            self.judge(answer)
            allowed = count if self.row.elsewhere and not self.after else 1
            assert 1 <= attempts <= allowed * (2 if self.row.once_more else 1), f"{attempts} attempts"
            most = max(most, attempts)
            await self.good_one(f"Good {number}")
        return most

    async def faulty(self):
        """The first backend is at fault, whoever asks: nobody sees it, and it is passed over once that is known."""
        total, begin = 0, time.monotonic()
        for number in range(FAULTY_ROUNDS):
            answer, attempts = await self.send(f"Number {number}", OTHERS, self.stream)
            assert answer.status_code == 200, f"{answer.status_code}: {answer.text[:200]}"
            assert not self.stream or "error" not in answer.text, answer.text[-200:]
            assert attempts <= (3 if self.row.once_more else 2), f"{attempts} attempts"
            total += attempts
        if "404 of a path" != self.row.name:  # which teaches nothing
            # Three strikes, then a probe when an ejection ends: after 1 s, 2 s more, 4 s more.
            spare = (3 + math.log2(time.monotonic() - begin + 2)) * (2 if self.row.once_more else 1)
            assert total <= FAULTY_ROUNDS + spare, f"{total} attempts for {FAULTY_ROUNDS} requests"
        return total

    async def used_up(self):
        """No backend has quota left for this deployment: 429 and when to come again, and no attempt that is known to fail."""
        for _ in range(2):
            answer, attempts = await self.send("Anything", CULPRIT, self.stream)
            assert answer.status_code == 429, f"{answer.status_code}: {answer.text[:200]}"
            assert int(answer.headers["retry-after"]) >= 1
        assert attempts == 0, "that it is used up is known"
        other = Cell(self.pool, self.client, self.row, False, False)
        await other.good_one("Another deployment")
        return attempts


async def play(folder, count):
    shared = Pool(folder, count)
    gate = asyncio.Semaphore(ALL_AT_ONCE)
    results, wrong = collections.defaultdict(dict), []
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=ALL_AT_ONCE)
    async with httpx.AsyncClient(timeout=30, limits=limits) as client:

        async def run(row, stream, after, what, faulty=()):
            async with gate:
                pool = await asyncio.to_thread(Pool, folder, count) if row.wide else shared
                try:
                    seen = await getattr(Cell(pool, client, row, stream, after, faulty), what)()
                except (AssertionError, httpx.HTTPError) as why:
                    wrong.append(f"{row.name}, {shape(stream, after)}, {what}, {count} backends: {why!r}")
                    seen = "WRONG"
                finally:
                    if row.wide:
                        await asyncio.to_thread(pool.stop)
                results[row.name, shape(stream, after)][what] = seen

        cells = []
        for row in ROWS:
            for stream in (shape == "stream" for shape in row.shapes.split()):
                for after in (False, True) if stream and row.says else (False,):
                    if not row.quota:
                        cells.append(run(row, stream, after, "poisoned"))
                    elif not after:
                        cells.append(run(row, stream, after, "used_up", range(count)))
                    if count > 1 and row.elsewhere and not after:
                        cells.append(run(row, stream, after, "faulty", (0,)))
        await asyncio.gather(*cells)
    shared.stop()
    return results, wrong


def shape(stream, after):
    return ("stream" if stream else "plain") + (", after output" if after else "")


@pytest.mark.parametrize("count", [1, 2, 3])
def test_the_culprit_alone_feels_it(tmp_path, count):
    results, wrong = asyncio.run(play(tmp_path, count))
    print(f"\n{count} backends: most attempts of one request at fault; attempts of {FAULTY_ROUNDS} with one faulty backend")
    for (name, how), seen in results.items():
        print(f"  {name:30} {how:22} {seen.get('poisoned', seen.get('used_up', '')):>5} {seen.get('faulty', ''):>5}")
    assert not wrong, "\n".join(wrong)


UNREACHABLE = {
    "refused": "http://127.0.0.1:{free}",
    "no such name": "http://no-such-name.invalid",
    "TLS where there is none": "https://127.0.0.1:{plain}",
}


@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize("what", UNREACHABLE)
def test_a_backend_that_cannot_be_reached_is_passed_over_at_once(tmp_path, what, count):
    with contextlib.ExitStack() as stack:
        rest = [Backend(f"b{i}", healthy) for i in range(1, count)]
        plain = Backend("plain", healthy)
        for one in (*rest, plain):
            stack.callback(one.stop)
        url = UNREACHABLE[what].format(free=harness.free_ports(1), plain=plain.port)
        gateway = harness.Gateway(tmp_path, [harness.backend("lost", url, timeouts={"connect": "2s"}, priority=1),
                                             *(b.config(priority=2) for b in rest)],
                                  server={"threads": 1})  # fmt: skip
        stack.callback(gateway.stop)
        with httpx.Client(timeout=30) as client:
            for number in range(12):
                answer = client.post(harness.chat_url(gateway.url), headers=CULPRIT,
                                     json=harness.chat_body(f"Number {number}", stream=number % 2 == 1))  # fmt: skip
                assert answer.status_code == (200 if rest else 503), answer.text
                if not rest:
                    assert "no connection" in answer.json()["error"]["message"]
        lines = gateway.access_lines(12)
        failed = [a for line in lines for a in line["attempts"] if a["backend"] == "lost"]
        assert all(a["detail"] for a in failed), "the access log has the reason"
        if rest:
            assert len(failed) <= 4, "an ejection lasts 1 s at first"
        assert failed
        shown = gateway.backends()["lost"]
        assert shown["state"] in ("failed", "probing"), shown
