"""Suite: HTTP/2 connections that cost the server more than their client (CVE-2023-44487, CVE-2024-27316, CVE-2025-8671,
CVE-2019-9511 to -9518 and their kin). During each another client of the same worker goes on asking; the attacker's
connection is closed, or the case says why it may stay."""

import contextlib
import json
import os
import pathlib
import subprocess
import sys
import threading
import time

import h2wire
import victim
import wire
from flood_attacks import ATTACKS, BUDGET_MIB
from h2wire import Connection
from wire import KEY, Recorder, Tally

MOST_MEDIAN_MS = 40  # or twenty times what it is alone: below one, but both cores are shared with the attacker here
MOST_CPU = 1.5  # seconds of the gateway's, of some 2 s of attack
SENDING = 2.0  # seconds of it, at most


class Measured:
    """The gateway's process, and the other client."""

    def __init__(self, certificate):
        here = pathlib.Path(__file__)
        path = f"{here.parent}:{here.parents[1] / 'e2e'}"
        self.victim = subprocess.Popen(
            [sys.executable, here.with_name("victim.py"), certificate["cert"], KEY], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True,
            env={**os.environ, "PYTHONPATH": path},
        )  # fmt: skip
        port = int(self.victim.stdout.readline())
        self.backend = {"name": "b2", "url": f"http://127.0.0.1:{port}", "api_key": wire.BACKEND_KEY,
            "models": [victim.DEPLOYMENT]}

    def use(self, gateway):
        self.gateway = gateway
        self.start()
        time.sleep(1)
        times = self.stop()["ms"]
        self.alone = times[len(times) // 2]

    def close(self):
        self.victim.stdin.close()
        self.victim.wait(10)

    def start(self):
        self.victim.stdin.write(f"{self.gateway.port}\n")
        self.victim.stdin.flush()

    def stop(self):
        self.start()
        return json.loads(self.victim.stdout.readline())

    def memory(self):
        text = pathlib.Path(f"/proc/{self.gateway.process.pid}/status").read_text()
        return int(text.split("VmRSS:")[1].split()[0]) / 1024

    def cpu(self):
        fields = pathlib.Path(f"/proc/{self.gateway.process.pid}/stat").read_text().rpartition(") ")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def assault(c, function, read, until):
    """Sends until the other side has had enough, or `until`."""
    if read:
        threading.Thread(target=lambda: list(c.frames(8)), daemon=True).start()
    with contextlib.suppress(OSError):
        for piece in function(c):
            c.socket.sendall(piece)
            if time.monotonic() > until:
                break


def is_closed(c, end, read):
    """Whatever comes is thrown away."""
    while not c.closed and time.monotonic() < end:
        if read:  # by another thread
            time.sleep(0.02)
            continue
        c.socket.settimeout(max(end - time.monotonic(), 0.01))
        try:
            c.closed = not c.socket.recv(1 << 16)
        except TimeoutError:
            break
        except OSError:
            c.closed = True
    return c.closed


def one(measured, port, context, item):
    """(what is wrong, a line of figures)"""
    name, function, why, settings, read, wait, receive_buffer, connections, most_memory, silent = item
    memory, cpu = measured.memory(), measured.cpu()
    measured.start()
    began = time.monotonic()
    open_ones = [Connection(port, context, settings, receive_buffer) for _ in range(connections)]
    for c in open_ones:
        c.socket.settimeout(SENDING)
        assault(c, function, read, time.monotonic() + SENDING)
    time.sleep(0.1)
    grown = measured.memory() - memory
    end = time.monotonic() + (0.3 if why else wait)
    if silent:
        time.sleep(wait)
        end += 2
    closed = sum(is_closed(c, end, read) for c in open_ones)
    grown = max(grown, measured.memory() - memory)
    time.sleep(max(0, 0.6 - (time.monotonic() - began)))  # enough times for a median
    took = time.monotonic() - began
    seen = measured.stop()
    for c in open_ones:
        c.close()
    used = measured.cpu() - cpu
    times = seen["ms"] or [float("inf")]
    median, p99 = times[len(times) // 2], times[len(times) * 99 // 100]
    wrong = []
    if seen["lost"]:
        wrong.append(f"the other client lost {seen['lost'][:2]}")
    if median > max(MOST_MEDIAN_MS, 20 * measured.alone):
        wrong.append(f"the other client's median is {median:.0f} ms")
    if grown > most_memory:
        wrong.append(f"{grown:.0f} MiB more")
    if used > MOST_CPU + took * 0.2:
        wrong.append(f"{used:.1f} s of CPU")
    if not why and closed != connections:
        wrong.append(f"{connections - closed} of {connections} connections stay open")
    line = f"{name}: closed {closed}/{connections}, median {median:.1f} ms, p99 {p99:.1f}, +{grown:.0f} MiB, CPU {used:.2f} of {took:.1f} s"
    return wrong, line


def answer(message, send):
    if b"?slow" in message.first:
        time.sleep(5)
    return wire.ok(b"x" * 1_000_000) if b"?large" in message.first else wire.ok()


def run(folder, verbose=False):
    tally = Tally("HTTP/2 floods")
    folder = folder / "floods"
    folder.mkdir()
    recorder = Recorder(answer)
    certificate = wire.certificate(folder)
    context = h2wire.trust(certificate)
    limits = {"head_timeout": "1s", "body_timeout": "1s", "write_timeout": "2s", "keep_alive_timeout": "2s",
        "memory": f"{BUDGET_MIB}MiB"}
    worst = [0, 0]
    measured = Measured(certificate)
    backends = [recorder.config(models=["-"]), measured.backend]
    with wire.gateway(folder, backends, server={"tls": certificate}, limits=limits) as gateway:
        measured.use(gateway)
        for item in ATTACKS:
            wrong, line = one(measured, gateway.port, context, item)
            if wrong:  # the machine may have been busy with something else: what is so is so twice
                wrong, line = one(measured, gateway.port, context, item)
            if verbose:
                print(line, "; ".join(wrong), flush=True)
            worst = max(worst, [float(line.split("median ")[1].split(" ")[0]), 0])
            tally.add(item[0], "lenient" if item[2] else "refused", "; ".join(wrong))
    measured.close()
    tally.notes.append(f"the other client's worst median is {worst[0]:.1f} ms; alone it is {measured.alone:.1f} ms")
    recorder.close()
    return tally
