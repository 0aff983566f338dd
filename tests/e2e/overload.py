"""Ten times more than the backends sustain, with large bodies, beside a client that behaves: what is served, what it
costs, and what the other client feels. scripts/overload runs it for a minute; test_overload.py a short one.

Everything goes through real sockets with TLS. The backend is a process that works on a known number of requests at a
time and lets others queue without end (as a model server does), or refuses them with 503. The flood is made by
processes of its own; its body is made once, and sent in pieces until an answer comes.
"""

import argparse
import asyncio
import contextlib
import json
import multiprocessing
import os
import pathlib
import ssl
import sys
import tempfile
import threading
import time

import certificates
import harness
import scripted

FLOOD_KEY = "flood-key-6a0d1c55e2"
MIB = 1 << 20
PIECE = 64 * 1024


class Plan:
    places = 8  # requests that the backend works on at a time
    to_first, whole = 0.1, 0.4  # seconds that each takes
    body = 4 * MIB
    guest_rate = 5
    factor = 10
    memory = 128 * MIB
    senders = 2

    @property
    def most(self):
        return self.places / self.whole


PLAN = Plan()


# The backend


def backend_main(port, queues):
    busy = 0
    places = asyncio.Semaphore(PLAN.places)

    async def handle(request, answer):
        nonlocal busy
        if not queues and busy >= PLAN.places:
            await answer.send(503, {"error": {"message": "overloaded", "type": "server_error", "code": "overloaded"}})
            return
        busy += 1
        try:
            async with places:
                began = asyncio.get_running_loop().time()
                await asyncio.sleep(PLAN.to_first)
                await answer.head()
                await answer.chunk(scripted.delta("hello"))
                while (left := began + PLAN.whole - asyncio.get_running_loop().time()) > 0:
                    await asyncio.sleep(min(left, 0.05))
                    await answer.chunk(scripted.delta("."))
                for event in (scripted.delta(finish="stop"), scripted.DONE):
                    await answer.chunk(event)
                await answer.end()
        finally:
            busy -= 1

    backend = scripted.Backend("one", handle, port=port)
    while True:
        time.sleep(1)
        backend.seen.clear()


# Clients


def head_of(path, key, length):
    return (
        f"POST {path} HTTP/1.1\r\nHost: gateway\r\nContent-Type: application/json\r\n"
        f"api-key: {key}\r\nContent-Length: {length}\r\n\r\n"
    ).encode()


def body_of(size):
    text = json.dumps({"model": harness.CHAT, "stream": True, **harness.chat_body("@")})
    return text.replace("@", "x" * max(1, size - len(text) + 1)).encode()


def context_for(cert):
    context = ssl.create_default_context(cafile=cert)
    context.set_alpn_protocols(["http/1.1"])
    return context


async def read_answer(reader):
    """Status, whether the stream was whole, and when its first event came."""
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    status = int(head.split(b" ", 2)[1])
    if b"transfer-encoding: chunked" not in head:
        length = int(head.split(b"content-length: ")[1].split(b"\r\n")[0])
        return status, False, 0.0, await reader.readexactly(length)
    first, text = 0.0, b""
    while True:
        size = int((await reader.readuntil(b"\r\n"))[:-2], 16)
        piece = await reader.readexactly(size + 2)
        if size == 0:
            return status, b"[DONE]" in text, first, text
        if not first and b"hello" in piece:
            first = time.monotonic()
        text += piece[:-2]


class Client:
    """Keeps its connections, as the official clients do."""

    def __init__(self, port, cert, path, key, body):
        self.port, self.context, self.body = port, context_for(cert), body
        self.head = head_of(path, key, len(body))
        self.idle = []

    async def ask(self):
        """(status, whole, seconds to the first event, seconds in all)"""
        began = time.monotonic()
        keep, writer = False, None
        try:
            reader, writer = self.idle.pop() if self.idle else await asyncio.open_connection(
                "127.0.0.1", self.port, ssl=self.context, limit=1 << 20, ssl_handshake_timeout=60
            )
            task = asyncio.ensure_future(read_answer(reader))
            writer.write(self.head)
            body, sent = memoryview(self.body), 0
            with contextlib.suppress(ConnectionError):
                while sent < len(body) and not task.done() and not writer.transport.is_closing():
                    writer.write(body[sent : sent + PIECE])
                    sent += PIECE
                    await writer.drain()
                    if sent == PIECE:  # whoever refuses by the head has done so
                        await asyncio.wait([task], timeout=0.005)
            status, whole, first, _ = await task
            keep = whole
            return status, whole, first - began if first else 0.0, time.monotonic() - began
        except (OSError, asyncio.IncompleteReadError, TimeoutError):
            return 0, False, 0.0, time.monotonic() - began
        finally:
            if keep:
                self.idle.append((reader, writer))
            elif writer is not None:
                writer.transport.abort()


async def at_rate(client, rate, seconds, results):
    """Open loop: asks at `rate`, whatever becomes of those before. Returns how far behind it ever was."""
    loop = asyncio.get_running_loop()
    tasks, late = set(), 0.0
    began = loop.time()
    for number in range(int(rate * seconds)):
        due = began + number / rate
        if (wait := due - loop.time()) > 0:
            await asyncio.sleep(wait)
        late = max(late, loop.time() - due)

        async def one():
            results.append((time.monotonic(), *await client.ask()))

        task = loop.create_task(one())
        tasks.add(task)
        task.add_done_callback(tasks.discard)
    if tasks:
        _, left = await asyncio.wait(tasks, timeout=30)
        for task in left:
            task.cancel()
    return late


async def in_turn(client, concurrency, seconds, results):
    """Closed loop: `concurrency` requests are always under way."""
    end = time.monotonic() + seconds

    async def one():
        while time.monotonic() < end:
            results.append((time.monotonic(), *await client.ask()))

    await asyncio.gather(*(one() for _ in range(concurrency)))
    return 0.0


def flood_main(pipe, port, cert, path, kind, amount, seconds):
    client = Client(port, cert, path, FLOOD_KEY, body_of(PLAN.body))
    results = []
    late = asyncio.run((at_rate if kind == "rate" else in_turn)(client, amount, seconds, results))
    pipe.send((results, late))


class Flood:
    """Processes that send; their results are there once they have ended."""

    def __init__(self, gateway, cert, path, kind, amount, seconds):
        context = multiprocessing.get_context("spawn")
        self.parts = []
        for _ in range(PLAN.senders):
            ours, theirs = context.Pipe()
            part = amount / PLAN.senders if kind == "rate" else amount // PLAN.senders
            process = context.Process(
                target=flood_main, args=(theirs, gateway.port, str(cert), path, kind, part, seconds), daemon=True
            )
            process.start()
            self.parts.append((process, ours))

    def results(self):
        out, late = [], 0.0
        for process, pipe in self.parts:
            some, behind = pipe.recv()
            out += some
            late = max(late, behind)
            process.join()
        return out, late


# What is measured


class Resident(threading.Thread):
    """The most resident memory of a process, in MiB."""

    def __init__(self, process):
        super().__init__(daemon=True)
        self.process, self.most, self.over = process, 0, False

    def run(self):
        while not self.over:
            with contextlib.suppress(OSError):
                self.most = max(self.most, self.process.resident_mib())
            time.sleep(0.02)


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, int(len(values) * share))] if values else float("inf")


def served_per_second(results, seconds):
    times = [when for when, _, whole, *_ in results if whole]
    return sum(1 for when in times if when <= max(r[0] for r in results)) / seconds if times else 0.0


def run(folder, seconds, queues=True, path=None, **limits):
    """A dict of what was seen."""
    path = path or f"/openai/deployments/{harness.CHAT}/chat/completions?api-version={harness.API_VERSION}"
    cert, key = certificates.self_signed(folder)
    port = harness.free_ports(1)
    context = multiprocessing.get_context("spawn")
    backend = context.Process(target=backend_main, args=(port, queues), daemon=True)
    backend.start()
    clients = [{"name": "flood", "key": FLOOD_KEY}, {"name": "guest", "key": harness.CLIENT_KEY}]
    gateway = harness.Gateway(
        folder,
        [{"name": "one", "url": f"http://127.0.0.1:{port}", "api_key": "backend-key-1"}],
        clients=clients,
        server={"tls": {"cert": str(cert), "key": str(key)}},
        limits={"memory": PLAN.memory, **limits},
    )
    try:
        return measure(gateway, cert, path, seconds)
    finally:
        gateway.stop()
        backend.kill()
        backend.join()


def measure(gateway, cert, path, seconds):
    short = max(5, seconds / 4)
    guest = Client(gateway.port, cert, path, harness.CLIENT_KEY, body_of(200))

    def ask_as_guest(length, wait=0):
        async def alone():
            await asyncio.sleep(wait)
            results = []
            await at_rate(guest, PLAN.guest_rate, length, results)
            for _, writer in guest.idle:
                writer.transport.abort()
            guest.idle.clear()
            return results

        return asyncio.run(alone())

    alone = ask_as_guest(short)
    peak_results, _ = Flood(gateway, cert, path, "turn", PLAN.places, short + 2).results()
    peak = sum(1 for r in peak_results if r[2]) / (short + 2)

    resident = Resident(gateway)
    resident.start()
    load = os.getloadavg()[0]
    began = time.monotonic()
    flood = Flood(gateway, cert, path, "rate", PLAN.factor * PLAN.most, seconds)
    beside = ask_as_guest(seconds - 2, wait=2)
    results, late = flood.results()
    resident.over = True
    end = began + seconds + 1
    served = sum(1 for r in results if r[2] and r[0] <= end) + sum(1 for r in beside if r[2] and r[0] <= end)
    statuses = {}
    for r in results:
        statuses[r[1]] = statuses.get(r[1], 0) + 1
    guest_lost = sum(1 for r in beside if not r[2])
    whole = [[r[4] for r in some if r[2]] for some in (alone, beside)]
    first = [[r[3] for r in some if r[2]] for some in (alone, beside)]
    return {
        "seconds": seconds,
        "load_before": round(load, 1),
        "peak_goodput": round(peak, 2),
        "offered": round(len(results) / seconds, 1),
        "generator_behind_s": round(late, 2),
        "statuses": statuses,
        "goodput": round(served / seconds, 2),
        "goodput_ratio": round(served / seconds / peak, 3) if peak else 0,
        "guest_alone_p99_s": round(percentile(whole[0], 0.99), 3),
        "guest_p50_s": round(percentile(whole[1], 0.5), 3),
        "guest_p99_s": round(percentile(whole[1], 0.99), 3),
        "guest_p99_ratio": round(percentile(whole[1], 0.99) / percentile(whole[0], 0.99), 2),
        "guest_first_p99_ratio": round(percentile(first[1], 0.99) / percentile(first[0], 0.99), 2),
        "guest_asked": len(beside),
        "guest_lost": guest_lost,
        "resident_most_mib": round(resident.most),
        "memory_limit_mib": PLAN.memory // MIB,
        "deployment": gateway.backends()["one"]["deployments"],
        "log": [line for line in gateway.log_text().splitlines() if "sustain" in line],
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("seconds", nargs="?", type=float, default=60)
    parser.add_argument("--refuses", action="store_true", help="the backend refuses what is too much, with 503")
    parser.add_argument("--v1", action="store_true", help="the deployment is named in the body alone")
    parser.add_argument("--off", action="store_true", help="without limits.adaptive_concurrency, to compare")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        seen = run(
            pathlib.Path(folder),
            options.seconds,
            queues=not options.refuses,
            path="/v1/chat/completions" if options.v1 else None,
            adaptive_concurrency=not options.off,
        )
    print(json.dumps(seen, indent=1))
    good = (
        seen["goodput_ratio"] >= 0.9
        and seen["guest_p99_ratio"] < 2
        and seen["resident_most_mib"] < seen["memory_limit_mib"] + 64
    )
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
