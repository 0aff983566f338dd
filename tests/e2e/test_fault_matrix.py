"""The table of blame (docs/routing.md) as clients see it: each row, plain, streamed and as a form, before and after the first
output, on one to three backends. For every cell: the culprit alone feels it, all others are served at the first attempt, and
no more is tried than the table says; what the backends got is counted by what each request says. A WebSocket is refused in
every cell, and no backend hears of it. Prints a table (pytest -s).

What reaches no further than a deployment is played with a deployment for each cell, at gateways that all share; what
reaches further has a gateway of its own.
"""

import asyncio
import collections
import json
import math
import time

import httpx
import pytest

import harness
from faults import ROWS
from harness import sse_events, stream_text
from scripted import Backend, completion, healthy

CULPRIT = {"api-key": harness.CLIENT_KEY}
OTHERS = {"api-key": "other-client-key-1"}
CLIENTS = [{"name": "culprit", "key": harness.CLIENT_KEY}, {"name": "others", "key": OTHERS["api-key"]}]
POISON = "POISON"
ALL_AT_ONCE = 12
FAULTY_ROUNDS = 12


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
            return await row.act(answer, request.body[:1] == b"{" and bool(request.json().get("stream")), after)

        return handle

    def stop(self):
        self.gateway.stop()
        for one in self.backends:
            one.stop()


class Cell:
    def __init__(self, pool, client, row, shape, after, faulty=()):
        self.pool, self.client, self.row, self.shape, self.after = pool, client, row, shape, after
        self.stream = shape == "stream"
        self.deployment = f"cell-{len(pool.cells)}"
        pool.cells[self.deployment] = (row, after, faulty)

    async def send(self, text, headers, shape):
        before = self.pool.asked[self.deployment]
        url, text = harness.chat_url(self.pool.gateway.url, self.deployment), f"{text} {self.deployment}"
        if shape == "form":
            url = url.replace("/chat/completions?", "/audio/transcriptions?")
            files = {"prompt": (None, text), "file": ("a.wav", b"RIFF" * 99, "audio/wav")}
            answer = await self.client.post(url, headers=headers, files=files)
        else:
            body = harness.chat_body(text, stream=shape == "stream", max_tokens=20)
            answer = await self.client.post(url, headers=headers, json=body)
        attempts = self.pool.asked[self.deployment] - before
        return answer, attempts

    async def good_one(self, text, attempts_at_most=1):
        for shape in ("plain", "stream", *(["form"] if self.shape == "form" else [])):
            answer, attempts = await self.send(text, OTHERS, shape)
            assert answer.status_code == 200, f"a good request got {answer.status_code}: {answer.text[:200]}"
            if shape == "stream":
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
            answer, attempts = await self.send(f"{POISON} {number // 2}", CULPRIT, self.shape)
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
            answer, attempts = await self.send(f"Number {number}", OTHERS, self.shape)
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
            answer, attempts = await self.send("Anything", CULPRIT, self.shape)
            assert answer.status_code == 429, f"{answer.status_code}: {answer.text[:200]}"
            assert int(answer.headers["retry-after"]) >= 1
        assert attempts == 0, "that it is used up is known"
        other = Cell(self.pool, self.client, self.row, "plain", False)
        await other.good_one("Another deployment")
        return attempts

    async def socket(self):
        """WebSockets are not served: that is said before any backend is asked, whatever state they are in."""
        url = f"{self.pool.gateway.url}/openai/v1/realtime?model={self.deployment}"
        fields = {**CULPRIT, "connection": "upgrade", "upgrade": "websocket", "sec-websocket-version": "13"}
        heard = sum(len(b.seen) for b in self.pool.backends) if self.row.wide else self.pool.asked[self.deployment]
        answer = await self.client.get(url, headers={**fields, "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ=="})
        assert answer.status_code == 426, f"{answer.status_code}: {answer.text[:200]}"
        now = sum(len(b.seen) for b in self.pool.backends) if self.row.wide else self.pool.asked[self.deployment]
        assert now == heard, "a backend heard of it"
        return 0


async def play(folder, count):
    shared = Pool(folder, count)
    gate = asyncio.Semaphore(ALL_AT_ONCE)
    results, wrong = collections.defaultdict(dict), []
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=ALL_AT_ONCE)
    async with httpx.AsyncClient(timeout=30, limits=limits) as client:

        async def run(row, how, after, what, faulty=()):
            async with gate:
                pool = await asyncio.to_thread(Pool, folder, count) if row.wide else shared
                try:
                    seen = await cell(pool, row, how, after, what, faulty)
                except (AssertionError, httpx.HTTPError) as why:
                    wrong.append(f"{row.name}, {shape(how, after)}, {what}, {count} backends: {why!r}")
                    seen = "WRONG"
                finally:
                    if row.wide:
                        await asyncio.to_thread(pool.stop)
                results[row.name, shape(how, after)][what] = seen

        async def cell(pool, row, how, after, what, faulty):
            one = Cell(pool, client, row, how, after, faulty)
            seen = await getattr(one, what)()
            results[row.name, shape(how, after)]["socket"] = await one.socket()
            return seen

        cells = []
        for row in ROWS:
            for how in row.shapes.split():
                for after in (False, True) if how == "stream" and row.says else (False,):
                    if not row.quota:
                        cells.append(run(row, how, after, "poisoned"))
                    elif not after:
                        cells.append(run(row, how, after, "used_up", range(count)))
                    if count > 1 and row.elsewhere and not after:
                        cells.append(run(row, how, after, "faulty", (0,)))
        await asyncio.gather(*cells)
    shared.stop()
    return results, wrong


def shape(how, after):
    return how + (", after output" if after else "")


@pytest.mark.parametrize("count", [1, 2, 3])
def test_the_culprit_alone_feels_it(tmp_path, count):
    results, wrong = asyncio.run(play(tmp_path, count))
    print(f"\n{count} backends: most attempts of one request at fault; attempts of {FAULTY_ROUNDS} with one faulty backend")
    for (name, how), seen in results.items():
        print(f"  {name:30} {how:22} {seen.get('poisoned', seen.get('used_up', '')):>5} {seen.get('faulty', ''):>5}")
    print(f"  {len(results)} cells, and a WebSocket in each: 426, nothing at a backend")
    assert not wrong, "\n".join(wrong)
