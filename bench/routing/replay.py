"""Open-loop replay of a simulated trace: bench/routing/live starts it.

Requests go out when the trace says, whatever became of those before. The resources' windows begin at random;
how far they are is read from the emulator when the replay starts, and the simulation is run with that.
"""

import argparse
import asyncio
import json
import pathlib
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tests/e2e"))

import harness
import httpx

AGREE = 0.03
# What the simulation has: 150 to 250 ms to the first token, then 100 tokens a second.
PACE = ("--ttft", "200ms", "--tokens-per-second", "100")
WORDS = "the quick brown fox jumps over the lazy dog while nobody looks and "


def body(job):
    """Costs what the trace says: as many characters, and an answer of as many tokens."""
    question = f"[[tokens:{job['output']}]]"
    system = (WORDS * (job["chars"] // len(WORDS) + 1))[: max(job["chars"] - len(question), 0)]
    out = {"messages": [{"role": "system", "content": system}, {"role": "user", "content": question}]}
    if job["max_tokens"]:
        out["max_tokens"] = job["max_tokens"]
    if job["streamed"]:
        out["stream"] = True
    return out


class Run:
    """One load: the stack, the replay, and the simulation of the same."""

    def __init__(self, bench, load, seconds, seed, folder):
        self.bench, self.load = bench, load
        self.what = [str(load), str(seconds), str(seed)]
        self.jobs = [json.loads(line) for line in self.ask("trace", *self.what).splitlines()]
        self.emulator = harness.Emulator(folder, capacity=30, extra=PACE)
        backends = [
            harness.backend(f"b{i}", url, tpm=30000, rpm=180) for i, url in enumerate(self.emulator.urls)
        ]
        self.gateway = harness.Gateway(folder, backends)
        self.url = harness.chat_url(self.gateway.url)
        self.served = self.refused = self.goodput = self.failed = self.wasted = 0
        self.latest = 0.0  # how late the latest request was sent, seconds

    def ask(self, *arguments):
        return subprocess.run([self.bench, *arguments], check=True, capture_output=True, text=True).stdout

    async def one(self, client, job, due):
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        self.latest = max(self.latest, time.monotonic() - due)
        try:
            answer = await client.post(self.url, headers={"api-key": harness.CLIENT_KEY}, json=body(job))
        except httpx.HTTPError:
            self.failed += 1
            return
        if answer.status_code == 429:
            self.refused += 1
        elif answer.status_code == 200 and (not job["streamed"] or answer.text.endswith("data: [DONE]\n\n")):
            self.served += 1
            self.goodput += job["charge"]
        else:
            self.failed += 1

    async def replay(self, client):
        answer = await client.get(f"{self.emulator.admin}/stats")
        begin = time.monotonic()
        self.resets = [
            str(deployment["reset_tokens"])
            for resource in answer.json()["resources"]
            for deployment in resource["deployments"]
            if deployment["name"] == harness.CHAT
        ]
        await asyncio.gather(*(self.one(client, job, begin + job["at"]) for job in self.jobs))
        self.wasted = sum(resource["throttled"] for resource in self.emulator.stats())
        self.simulated = json.loads(self.ask("simulate", *self.what, *self.resets))

    def stop(self):
        self.gateway.stop()
        self.emulator.stop()

    def agrees(self):
        """Prints the two beside each other; true if they agree and nothing broke."""
        sim = self.simulated
        count = sim["requests"]
        print(f"\n### {self.load:.0%} of the quotas, {count} requests, first resets after {', '.join(self.resets)} s\n")
        print("| | live | simulated | difference |\n|---|---:|---:|---:|")
        well = self.failed == 0 and len(self.jobs) == count
        for name, live, simulated, of in (
            ("served, % of requests", self.served, sim["served"], count),
            ("429s to clients, % of requests", self.refused, sim["refused"], count),
            ("goodput, % of the tokens offered", self.goodput, sim["goodput"], sim["offered"]),
        ):
            off = (live - simulated) / of
            well = well and abs(off) <= AGREE
            print(f"| {name} | {live / of:.2%} | {simulated / of:.2%} | {off:+.2%} |")
        off = self.goodput / sim["goodput"] - 1
        print(f"| goodput, tokens | {self.goodput} | {sim['goodput']:.0f} | {off:+.2%} |")
        wasted = 1000 * self.wasted / count, 1000 * sim["wasted"] / count
        print(f"| 429s from backends, per 1,000 | {wasted[0]:.1f} | {wasted[1]:.1f} | |")
        print(f"\n{self.failed} failed otherwise; sent at most {self.latest * 1000:.0f} ms late; "
              f"simulated goodput from {sim['least_goodput']} to {sim['most_goodput']}")  # fmt: skip
        return well and abs(off) <= AGREE


async def replay_all(runs):
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=100)
    async with httpx.AsyncClient(limits=limits, timeout=120) as client:
        await asyncio.gather(*(run.replay(client) for run in runs))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bench", required=True, help="the program routing_bench")
    parser.add_argument("--seconds", type=int, default=180)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--load", type=float, action="append", help="share of the quotas; may be repeated")
    given = parser.parse_args()
    runs = []
    with tempfile.TemporaryDirectory() as folder:
        try:
            for number, load in enumerate(given.load or [0.9, 1.5]):
                place = pathlib.Path(folder) / str(number)
                place.mkdir()
                runs.append(Run(given.bench, load, given.seconds, given.seed, place))
            asyncio.run(replay_all(runs))
        finally:
            for run in runs:
                run.stop()
    return all([run.agrees() for run in runs])


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
