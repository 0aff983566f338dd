"""Random faults under load for a while, and what must hold whatever happens: see Soak.violations().

Two of three resources are faulty by turns; the third is well, so every request that its client waits for is answered.
Clients leave, the configuration is reloaded, the admin port is read. One seed gives the same faults and the same clients.

As a program: soak.py MINUTES [SEED]."""

import asyncio
import collections
import json
import os
import pathlib
import random
import signal
import sys
import tempfile
import time

import httpx

import harness
from harness import CLIENT_KEY, chat_body, chat_url

FAULTS = [
    {"kind": "refuse"}, {"kind": "close"}, {"kind": "close", "share": 0.3}, {"kind": "429", "retry_after": 1},
    {"kind": "429", "retry_after": "none"}, {"kind": "500"}, {"kind": "503", "share": 0.5}, {"kind": "401"}, {"kind": "404"},
    {"kind": "200", "body": ""}, {"kind": "200", "body": "<html>"}, {"kind": "stream_error", "message": "sorry"},
    {"kind": "stream_error", "message": "sorry", "after_chunks": 9}, {"kind": "cut", "after_chunks": 9},
    {"kind": "silence", "silent": 1}, {"kind": "silence", "silent": 1, "phase": "first_token", "comments": 0.3},
    {"kind": "silence", "silent": 1, "phase": "output"}, {"kind": "slow", "ttft": 1, "tokens_per_second": 40},
]  # fmt: skip
BEGUN = "begun"  # a stream that ended by a fault after its output had begun: nobody can mend that
LEFT = "left"
GOOD = {"200", LEFT, BEGUN}
MOST_FAULTY_SECONDS = 3
MOST_GROWTH = 32  # MiB


class Soak:
    def __init__(self, folder, seconds, clients=12, seed=None):
        self.seed = random.SystemRandom().randrange(1 << 32) if seed is None else seed
        self.emulator = harness.Emulator(folder, resources=3)
        self.gateway = harness.Gateway(
            folder, [harness.backend(name, url) for name, url in zip("abc", self.emulator.urls, strict=True)]
        )
        self.clients = clients
        self.ends = time.monotonic() + seconds
        self.sent = {}  # request id: how it ended
        self.faults = 0

    def descriptors(self):
        return len(list(pathlib.Path(f"/proc/{self.gateway.process.pid}/fd").iterdir()))

    async def ask(self, http, identity, chance):
        """One request; how it ended."""
        stream = chance.random() < 0.6
        headers = {"api-key": CLIENT_KEY, "x-request-id": identity}
        body = chat_body(f"{identity} " + "word " * chance.randrange(200), max_tokens=40, stream=stream)
        patience = chance.uniform(0.01, 0.5) if chance.random() < 0.1 else 60
        output = False
        try:
            async with asyncio.timeout(patience):
                async with http.stream("POST", chat_url(self.gateway.url), headers=headers, json=body) as answer:
                    text = ""
                    async for piece in answer.aiter_text():
                        text += piece
                        output = output or '"content":"' in text
            if answer.status_code != 200:
                return f"{answer.status_code} {text[:200]}"
            if stream and "data: [DONE]" not in text:
                return BEGUN if output and '"error"' in text else f"unfinished: {text[-200:]}"
            return "200" if stream or json.loads(text)["usage"] else "no usage"
        except TimeoutError:
            return LEFT if patience < 60 else "no answer"
        except httpx.HTTPError as problem:
            return repr(problem)

    async def client(self, number):
        chance = random.Random(f"{self.seed} {number}")
        async with httpx.AsyncClient(timeout=None) as http:
            turn = 0
            while time.monotonic() < self.ends:
                identity = f"soak-{number}-{turn}"
                turn += 1
                self.sent[identity] = await self.ask(http, identity, chance)

    async def trouble(self):
        chance = random.Random(self.seed)
        async with httpx.AsyncClient(timeout=10) as http:
            while time.monotonic() < self.ends:
                fault = chance.choice(FAULTS) | {
                    "resource": chance.choice([1, 2]),
                    "seconds": round(chance.uniform(0.2, MOST_FAULTY_SECONDS), 1),
                }
                (await http.post(f"{self.emulator.admin}/faults", json=fault)).raise_for_status()
                self.faults += 1
                if chance.random() < 0.2:
                    self.gateway.process.send_signal(signal.SIGHUP)
                (await http.get(f"{self.gateway.admin}/metrics")).raise_for_status()
                await asyncio.sleep(chance.uniform(0, 0.5))

    async def play(self):
        """Plays it to its end; the first fifth lets memory find its size."""
        everyone = [asyncio.create_task(self.client(number)) for number in range(self.clients)]
        everyone.append(asyncio.create_task(self.trouble()))
        await asyncio.sleep((self.ends - time.monotonic()) / 5)
        self.had_descriptors, self.had_memory = self.descriptors(), self.gateway.resident_mib()
        await asyncio.gather(*everyone)
        self.emulator.clear()
        await asyncio.sleep(MOST_FAULTY_SECONDS)

    def violations(self):
        """What did not hold."""
        out = [f"{identity}: {end}" for identity, end in self.sent.items() if end not in GOOD]
        logged = collections.Counter(line["request_id"] for line in self.gateway.access_lines(0))
        for identity, end in self.sent.items():
            # Who leaves at once may not have asked.
            if logged[identity] > 1 or (logged[identity] == 0 and end != LEFT):
                out.append(f"{identity}: {logged[identity]} lines of log")
        metrics = httpx.get(f"{self.gateway.admin}/metrics").text
        for name in ("spillway_requests_in_flight", "spillway_backend_in_flight"):
            out += [line for line in metrics.splitlines() if line.startswith(name) and not line.endswith(" 0")]
        grown = self.gateway.resident_mib() - self.had_memory
        if grown > MOST_GROWTH:
            out.append(f"memory grew by {grown:.0f} MiB")
        if self.descriptors() > self.had_descriptors + 2 * self.clients:
            out.append(f"{self.descriptors()} descriptors, {self.had_descriptors} at first")
        if harness.post_chat(self.gateway.url).status_code != 200:
            out.append("it does not answer when all is well again")
        return out

    def summary(self):
        ends = collections.Counter(end if end in GOOD else "bad" for end in self.sent.values())
        told = ", ".join(f"{count} {end}" for end, count in sorted(ends.items()))
        return f"seed {self.seed}: {len(self.sent)} requests under {self.faults} faults: {told}"

    def stop(self):
        ended = [self.gateway.stop(), self.emulator.stop()]
        return [] if ended == [0, 0] else [f"ended with {ended}"]


def run(folder, seconds, seed=None):
    """Returns a summary, and what did not hold."""
    soak = Soak(folder, seconds, seed=seed)
    try:
        asyncio.run(soak.play())
        found = soak.violations()
        return soak.summary(), found + soak.stop()
    finally:
        soak.gateway.kill()
        soak.emulator.kill()


def main(minutes, seed=None):
    with tempfile.TemporaryDirectory() as folder:
        summary, found = run(pathlib.Path(folder), 60 * float(minutes), None if seed is None else int(seed))
    print(summary, *found[:50], f"{len(found)} violations", sep="\n")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
