"""Change without loss: reloads, renewed certificates and upgrades to a new process, all the while with clients that ask one
question after the other and with open streams, over TLS. What must hold: see Churn.violations().

As a program: churn.py [SECONDS [RELOADS CERTIFICATES UPGRADES STREAMS]]."""

import asyncio
import collections
import contextlib
import json
import os
import pathlib
import random
import re
import signal
import ssl
import sys
import tempfile
import time

import h2.exceptions
import httpx

import certificates
import harness
import http2_client
from scripted import DONE, Backend, completion, delta

QUESTIONERS = 8
SHARED = 25  # streams on a connection with HTTP/2, which every other one has
PATIENCE = 120
# A silent handshake is cut after 10 s, also when it is this program that had no time on a machine that does much else.
HEAD_TIMEOUT = "60s"


class Client:
    """HTTP/1.1 over TLS, no more than the test needs: so that each byte which is missing is seen."""

    def __init__(self, port, trust):
        self.port, self.trust, self.stream = port, trust, None

    async def close(self):
        if self.stream:
            self.stream[1].close()
            with contextlib.suppress(OSError, ssl.SSLError):
                await self.stream[1].wait_closed()
            self.stream = None

    async def ask(self, identity, key=harness.CLIENT_KEY, **body):
        """The status and the whole body. On the connection of the last time, unless that was the last answer on it."""
        if not self.stream:
            self.stream = await asyncio.open_connection("127.0.0.1", self.port, ssl=self.trust)
        reader, writer = self.stream
        body = json.dumps(harness.chat_body(identity, **body))
        writer.write((
            f"POST {harness.chat_url('')} HTTP/1.1\r\nHost: 127.0.0.1\r\napi-key: {key}\r\nx-request-id: {identity}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}"
        ).encode())  # fmt: skip
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        if "transfer-encoding: chunked" in head:
            answer = b""
            while size := int(await reader.readline(), 16):
                answer += await reader.readexactly(size)
                await reader.readexactly(2)
            await reader.readexactly(2)
        else:
            answer = await reader.readexactly(int(re.search(r"content-length: (\d+)", head)[1]))
        if "connection: close" in head:
            await self.close()
        return int(head.split()[1]), answer.decode()

    def serial(self):
        return self.stream[1].get_extra_info("ssl_object").getpeercert()["serialNumber"]


class Churn:
    def __init__(self, folder, seconds, reloads, renewals, upgrades, streams):
        self.wanted = {"reloads": reloads, "certificates": renewals, "upgrades": upgrades}
        self.seconds, self.streams = seconds, streams
        self.words = max(8, int(min(30, seconds / 4)))  # one a second
        folder.chmod(0o755)
        self.authority = certificates.Authority(folder / "pki")
        self.trust = certificates.context(self.authority.pem)
        self.trust2 = certificates.context(self.authority.pem, alpn=["h2"])
        self.shown = folder / "server.pem"
        self.renew()
        self.backends = [Backend(name, self.answer) for name in "ab"]
        tls = {"cert": str(self.shown), "key": str(self.shown)}
        self.gateway = harness.Gateway(
            folder, [b.config() for b in self.backends], server={"tls": tls, "threads": 2},
            limits={"head_timeout": HEAD_TIMEOUT}, ledger={"path": str(folder / "usage.db")},
        )  # fmt: skip
        self.pids = [self.gateway.process.pid]
        self.done = collections.Counter()
        self.clients2 = []
        self.open, self.most_open = 0, 0
        self.ends = {}  # request id: how it ended
        self.wrong = []
        self.over = False
        self.steady = asyncio.Lock()  # held by changes that look at what came of them

    async def answer(self, request, answer):
        if not request.json().get("stream"):
            return await answer.send(200, completion())
        await answer.head()
        for word in range(self.words):
            await answer.chunk(delta(f"{word} "))
            await asyncio.sleep(1)
        for event in (delta(finish="stop"), DONE):
            await answer.chunk(event)
        await answer.end()

    async def whole(self, client, identity, stream):
        """One request; "" or what is wrong with its answer."""
        try:
            async with asyncio.timeout(PATIENCE):
                status, text = await client.ask(identity, stream=stream)
        except (OSError, EOFError, ValueError, TimeoutError, AssertionError, h2.exceptions.H2Error) as problem:
            await client.close()
            return f"{time.monotonic() - self.begin:.1f} s: {problem!r}"
        if status != 200:
            return f"{status} {text[:200]}"
        if not stream:
            return "" if json.loads(text) == completion() else text[:200]
        events = harness.sse_events(text)
        expected = "".join(f"{word} " for word in range(self.words))
        good = events[-1] == "[DONE]" and harness.stream_text(events) == expected
        return "" if good else f"{len(events)} events: {text[-200:]}"

    async def questioner(self, number):
        """Every other one on a connection that is kept, every fourth with HTTP/2."""
        client = self.client2() if number % 4 == 0 else Client(self.gateway.port, self.trust)
        turn = 0
        while not self.over:
            identity = f"plain-{number}-{turn}"
            turn += 1
            self.ends[identity] = await self.whole(client, identity, False)
            if number % 2:
                await client.close()
            await asyncio.sleep(0.02)
        await client.close()

    def client2(self):
        self.clients2.append(http2_client.Client(self.gateway.port, self.trust2))
        return self.clients2[-1]

    async def streamer(self, number, client):
        await asyncio.sleep(random.uniform(0, min(5, self.words)))
        turn = 0
        while not self.over:
            identity = f"stream-{number}-{turn}"
            turn += 1
            self.open += 1
            self.most_open = max(self.most_open, self.open)
            self.ends[identity] = await self.whole(client, identity, True)
            self.open -= 1
        await client.close()

    def renew(self):
        """Another certificate in the place of the last one, as cert-manager does it. Returns its serial number."""
        fresh = self.authority.issue("ip:127.0.0.1", common_name="server", usage=certificates.SERVER)
        serial = int(fresh.stem.rsplit("-", 1)[1])
        fresh.replace(self.shown)
        return serial

    async def each(self, what, change):
        """Makes the changes of one kind, spread over the time."""
        count = self.wanted[what]
        begin = time.monotonic()
        for number in range(count):
            await asyncio.sleep(begin + number * self.seconds / count - time.monotonic())
            try:
                await change(number)
                self.done[what] += 1
            except (AssertionError, OSError, httpx.HTTPError, asyncio.IncompleteReadError) as problem:
                self.wrong.append(f"{time.monotonic() - self.begin:.1f} s: {what} {number}: {problem!r}")

    async def reload(self, number):
        """Half of them with a new key, which is then good; the others at any moment, also while a process takes over."""
        if number % 2:
            os.kill(self.pids[-1], signal.SIGHUP)
            return
        async with self.steady:
            config = json.loads(self.gateway.config.read_text())
            key = f"key-of-guest-{number}"
            config["clients"][1:] = [{"name": "guest", "key": key, "limits": {"tokens_per_minute": 100000 + number}}]
            config["limits"] = {"max_body": f"{100 + number}KiB", "head_timeout": HEAD_TIMEOUT}
            fresh = self.gateway.config.with_suffix(".new")  # nobody is to read half of it
            fresh.write_text(json.dumps(config))
            fresh.replace(self.gateway.config)
            async with httpx.AsyncClient(timeout=20) as admin:
                said = (await admin.post(f"{self.gateway.admin}/api/reload")).json()
            assert said["reloaded"], said
            client = Client(self.gateway.port, self.trust)
            for turn in range(50):  # workers take it a moment later
                status, _ = await client.ask(f"guest-{number}-{turn}", key)
                await client.close()
                if status == 200:
                    return
                await asyncio.sleep(0.05)
            raise AssertionError(f"{key} is not known")

    async def change_certificate(self, number):
        serial = self.renew()
        if number % 2:
            os.kill(self.pids[-1], signal.SIGHUP)
        client = Client(self.gateway.port, self.trust)
        seen, end = None, time.monotonic() + 30
        while seen != serial and time.monotonic() < end:
            client.stream = await asyncio.open_connection("127.0.0.1", self.gateway.port, ssl=self.trust)
            seen = int(client.serial(), 16)
            await client.close()
            await asyncio.sleep(0.1)
        assert seen == serial, f"certificate {serial} is not taken, {seen} is shown"

    async def upgrade(self, number):
        async with self.steady:
            before = len(self.taken_over())
            os.kill(self.pids[-1], signal.SIGUSR2)
            end = time.monotonic() + 30
            while len(self.taken_over()) == before:
                assert time.monotonic() < end, self.gateway.log_text()[-500:]
                await asyncio.sleep(0.05)
            self.pids.append(int(self.taken_over()[-1]))

    def taken_over(self):
        return re.findall(r"process (\d+) has taken over", self.gateway.log_text())

    async def play(self):
        self.begin = time.monotonic()
        everyone = [asyncio.create_task(self.questioner(n)) for n in range(QUESTIONERS)]
        shared = [self.client2() for _ in range(self.streams // 2 // SHARED + 1)]
        for n in range(self.streams):
            client = shared[n // 2 % len(shared)] if n % 2 else Client(self.gateway.port, self.trust)
            everyone.append(asyncio.create_task(self.streamer(n, client)))
        await asyncio.sleep(min(6, self.words))  # until all streams are open
        await asyncio.gather(
            self.each("reloads", self.reload),
            self.each("certificates", self.change_certificate),
            self.each("upgrades", self.upgrade),
        )
        self.over = True
        await asyncio.gather(*everyone)

    def logged(self):
        return collections.Counter(line["request_id"] for line in self.gateway.access_lines(0))

    def violations(self):
        """What did not hold."""
        out = [f"the gateway said: {line}" for line in self.gateway.log_text().splitlines() if " error " in line][:5]
        out += self.wrong
        out += [f"{what}: {self.done[what]} of {count}" for what, count in self.wanted.items() if self.done[what] != count]
        out += [f"{identity}: {end}" for identity, end in self.ends.items() if end]
        if self.most_open < self.streams:
            out.append(f"{self.most_open} streams at once, not {self.streams}")
        made = collections.Counter(r.json()["messages"][0]["content"] for b in self.backends for r in b.seen)
        with contextlib.suppress(AssertionError):  # the last ones come a moment later
            harness.wait_until(lambda: self.ends.keys() <= self.logged().keys(), 10, every=0.5)
        logged = self.logged()
        for identity in self.ends:
            if made[identity] != 1 or logged[identity] != 1:
                out.append(f"{identity}: {made[identity]} times at the backends, {logged[identity]} in the log")
        # Those that were followed end by themselves once their streams are done.
        for pid in self.pids[:-1]:
            with contextlib.suppress(AssertionError):
                harness.wait_until(lambda pid=pid: not running(pid), 10)
                continue
            out.append(f"process {pid} does not end")
        return out

    def summary(self):
        streams = sum(identity.startswith("stream") for identity in self.ends)
        changes = ", ".join(f"{self.done[what]} {what}" for what in self.wanted)
        failed = sum(bool(end) for end in self.ends.values())
        return (
            f"{changes} in {self.seconds:.0f} s: {len(self.ends) - streams} answers and {streams} streams of "
            f"{self.words} s, {self.most_open} at once; {failed} not whole, "
            f"{sum(client.again for client in self.clients2)} asked again after GOAWAY"
        )

    def stop(self):
        for pid in self.pids:
            if running(pid):
                os.kill(pid, signal.SIGTERM)
        for pid in self.pids:
            harness.wait_until(lambda pid=pid: not running(pid), 20)
        for backend in self.backends:
            backend.stop()

    def kill(self):
        for pid in self.pids:
            if running(pid):
                os.kill(pid, signal.SIGKILL)


def running(pid):
    with contextlib.suppress(OSError):
        return "State:\tZ" not in pathlib.Path(f"/proc/{pid}/status").read_text()
    return False


def run(folder, seconds, reloads, renewals, upgrades, streams):
    """Returns a summary, and what did not hold."""
    churn = Churn(folder, seconds, reloads, renewals, upgrades, streams)
    try:
        asyncio.run(churn.play())
        found = churn.violations()
        churn.stop()
        return churn.summary(), found
    finally:
        churn.kill()


def main(seconds=240, reloads=200, renewals=50, upgrades=20, streams=500):
    with tempfile.TemporaryDirectory() as folder:
        summary, found = run(pathlib.Path(folder), float(seconds), *map(int, (reloads, renewals, upgrades, streams)))
    print(summary, *found[:50], f"{len(found)} violations", sep="\n")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
