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
from h2wire import Connection, data, literals, request
from hyperframe.frame import (
    ContinuationFrame,
    DataFrame,
    GoAwayFrame,
    HeadersFrame,
    PingFrame,
    PriorityFrame,
    RstStreamFrame,
    SettingsFrame,
    WindowUpdateFrame,
)
from wire import KEY, PATH, Recorder, Tally

MOST_MEDIAN_MS = 40  # or twenty times what it is alone: below one, but both cores are shared with the attacker here
MOST_MEMORY_MIB = 48
BUDGET_MIB = 64  # limits.memory, for answers that are held
MOST_CPU = 1.5  # seconds of the gateway's, of some 2 s of attack
SENDING = 2.0  # seconds of it, at most
SLOW, LARGE = f"{PATH}?slow", f"{PATH}?large"
ATTACKS = []


def attack(name, why="", settings=None, read=False, wait=4.0, receive_buffer=None, connections=1, memory=MOST_MEMORY_MIB, silent=False):
    """The function yields what is sent, given a Connection. `wait`: seconds until it must be closed; `silent`: what comes
    is read only after them."""

    def decorate(function):
        ATTACKS.append((name, function, why, settings, read, wait, receive_buffer, connections, memory, silent))
        return function

    return decorate


def many(frames, count=100):
    """Frames as one text that is sent again and again."""
    text = b"".join(frame.serialize() for frame in frames)
    for _ in range(count):
        yield text


def reset(stream, code=8):
    return RstStreamFrame(stream, error_code=code).serialize()


def heads(first=1, count=10_000, path=PATH, end=True, behind=lambda stream: b"", method="GET"):
    for stream in range(first, first + 2 * count, 2):
        frame = HeadersFrame(stream, literals(request(path, method)), flags=["END_HEADERS", *(["END_STREAM"] if end else [])])
        yield frame.serialize() + behind(stream)


@attack("rapid reset (CVE-2023-44487)")
def _(c):
    yield from heads(behind=reset)


@attack("rapid reset of requests that are at work")
def _(c):
    yield from heads(path=SLOW, behind=reset)


@attack("rapid reset with bodies")
def _(c):
    yield from heads(end=False, method="POST", behind=lambda s: data(s, b"{}").serialize() + reset(s))


@attack("rapid reset, a hundred at a time")
def _(c):
    for first in range(1, 20_000, 200):
        yield b"".join(heads(first, 100)) + b"".join(reset(s) for s in range(first, first + 200, 2))


def work():
    """A request that is at work: whatever comes now, no time-out ends it."""
    return b"".join(heads(path=SLOW, count=1))


for sort, frame in {
    "window overflow": lambda s: WindowUpdateFrame(s, window_increment=0x7FFFFFFF).serialize(),
    "window of 0": lambda s: b"\0\0\4\x08\0" + s.to_bytes(4, "big") + b"\0\0\0\0",
    "PRIORITY of 4 bytes": lambda s: b"\0\0\4\2\0" + s.to_bytes(4, "big") + b"\0\0\0\0",
    "depends on itself": lambda s: PriorityFrame(s, depends_on=s, stream_weight=1).serialize(),
    "DATA after the end": lambda s: data(s, b"x").serialize(),
    "HEADERS after the end": lambda s: HeadersFrame(s, literals([("x", "y")]), flags=["END_HEADERS", "END_STREAM"]).serialize(),
}.items():  # fmt: skip

    @attack(f"MadeYouReset (CVE-2025-8671): {sort}")
    def _(c, frame=frame):
        yield from heads(path=SLOW, behind=frame, count=3000)


@attack("MadeYouReset: content-length that is wrong")
def _(c):
    for stream in range(1, 6000, 2):
        fields = request(PATH, "POST", ("content-length", "5"))
        yield HeadersFrame(stream, literals(fields), flags=["END_HEADERS"]).serialize() + data(stream, b"123456789").serialize()


def continued(c, piece, count=4000):
    yield HeadersFrame(1, literals(request(PATH))).serialize()
    for _ in range(count):
        yield ContinuationFrame(1, piece).serialize()


@attack("CONTINUATION flood (CVE-2024-27316)")
def _(c):
    yield from continued(c, literals([("x", "a" * 4000)]))


@attack("CONTINUATION flood, empty")
def _(c):
    yield from continued(c, b"", 20_000)


@attack("CONTINUATION flood, one byte each")
def _(c):
    yield from continued(c, b"\0", 20_000)


@attack("CONTINUATION flood, of the dynamic table")
def _(c):
    yield HeadersFrame(1, literals(request(PATH)) + b"\x40\x01x" + h2wire.integer(3000, 7) + b"a" * 3000).serialize()
    for _ in range(4000):
        yield ContinuationFrame(1, b"\xbe" * 4000).serialize()


@attack("SETTINGS flood, unread (CVE-2019-9515)")
def _(c):
    yield from many([SettingsFrame(0, settings={4: 65535})] * 500)


@attack("SETTINGS flood of table sizes")
def _(c):
    yield from many([SettingsFrame(0, settings={1: 0}), SettingsFrame(0, settings={1: 4096})] * 250)


@attack("SETTINGS flood that opens and shuts windows")
def _(c):
    yield b"".join(heads(count=50, path=LARGE))
    yield from many([SettingsFrame(0, settings={4: 0}), SettingsFrame(0, settings={4: 65535})] * 250)


@attack("PING flood, unread (CVE-2019-9512)")
def _(c):
    yield work()
    yield from many([PingFrame(0, b"12345678")] * 500)


@attack("SETTINGS flood, read", read=True)
def _(c):
    yield from many([SettingsFrame(0, settings={4: 65535})] * 500)


@attack("PING flood, read", read=True)
def _(c):
    yield work()
    yield from many([PingFrame(0, b"12345678")] * 500)


@attack("empty DATA flood (CVE-2019-9518)")
def _(c):
    yield from heads(count=1, end=False, method="POST")
    yield from many([DataFrame(1, b"")] * 500)


@attack("DATA that is padding only")
def _(c):
    yield from heads(count=1, end=False, method="POST")
    yield from many([DataFrame(1, b"", pad_length=250, flags=["PADDED"])] * 100)


@attack("WINDOW_UPDATE flood")
def _(c):
    yield work()
    yield from many([WindowUpdateFrame(0, window_increment=1)] * 500)


@attack("WINDOW_UPDATE flood on a stream")
def _(c):
    yield from heads(count=1, end=False, method="POST")
    yield from many([WindowUpdateFrame(1, window_increment=1)] * 500)


@attack("PRIORITY flood (CVE-2019-9513)")
def _(c):
    yield work()
    yield from many([PriorityFrame(2 * i + 1, depends_on=0, stream_weight=3) for i in range(500)])


@attack("flood of unknown frames")
def _(c):
    yield work()
    for _ in range(100):
        yield b"\0\0\0\xfb\0\0\0\0\0" * 500


@attack("GOAWAY flood")
def _(c):
    yield from many([GoAwayFrame(0, last_stream_id=0, error_code=0)] * 500)


@attack("RST_STREAM of streams that never were")
def _(c):
    yield b"".join(reset(s) for s in range(1, 1000, 2))


@attack("HPACK bomb")
def _(c):
    yield HeadersFrame(1, literals(request(PATH)) + b"\x40\x01x" + h2wire.integer(3900, 7) + b"a" * 3900, flags=["END_HEADERS", "END_STREAM"]).serialize()
    for stream in range(3, 200, 2):
        yield HeadersFrame(stream, literals(request(PATH)) + b"\xbe" * 12_000, flags=["END_HEADERS", "END_STREAM"]).serialize()


@attack("HPACK: table sizes for ever")
def _(c):
    yield HeadersFrame(1, b"\x20\x3f\xe1\x1f" * 4000 + literals(request(PATH)), flags=["END_HEADERS", "END_STREAM"]).serialize()


@attack("HPACK: integer without an end")
def _(c):
    yield HeadersFrame(1, b"\xff" + b"\x80" * 12_000, flags=["END_HEADERS", "END_STREAM"]).serialize()


@attack("HPACK: cookies in crumbs", why="refused with 431; the connection may go on")
def _(c):
    for stream in range(1, 100, 2):
        yield HeadersFrame(stream, literals(request(PATH)) + b"\x0f\x11\x00" * 4000, flags=["END_HEADERS", "END_STREAM"]).serialize()


@attack("1,000 streams at once", why="those beyond the 100 that were allowed are refused", read=True)
def _(c):
    yield b"".join(heads(path=SLOW, count=1000))


@attack("answers that are never read, window 0", settings={4: 0}, wait=8, memory=2 * BUDGET_MIB)
def _(c):
    yield b"".join(heads(path=LARGE, count=100))


@attack("the same on 10 connections", settings={4: 0}, wait=8, connections=10, memory=2 * BUDGET_MIB)
def _(c):
    yield b"".join(heads(path=LARGE, count=50))


@attack("answers byte by byte (CVE-2019-9511)", settings={4: 1}, why="each byte is progress, though none that costs more than its frame; write_timeout is of a write without any")
def _(c):
    yield b"".join(heads(path=LARGE, count=100))
    for _ in range(20):
        yield b"".join(WindowUpdateFrame(s, window_increment=1).serialize() for s in range(1, 200, 2))


@attack("answers that the socket does not take", settings={4: 0x7FFFFFFF}, receive_buffer=4096, wait=6, silent=True, memory=2 * BUDGET_MIB)
def _(c):
    yield WindowUpdateFrame(0, window_increment=0x7FFF0000).serialize()
    yield b"".join(heads(path=LARGE, count=100))


@attack("heads that never end", connections=50)
def _(c):
    yield HeadersFrame(1, literals(request(PATH))).serialize()


@attack("bodies that never come", wait=6, why="each request is refused with 408; the connection may go on until keep_alive_timeout")
def _(c):
    yield b"".join(heads(count=100, end=False, method="POST"))


@attack("silence after the preface", connections=50, wait=6)
def _(c):
    yield b""


class Measured:
    """The gateway's process, and the other client."""

    def __init__(self, certificate):
        here = pathlib.Path(__file__)
        path = f"{here.parent}:{here.parents[1] / 'e2e'}"
        self.victim = subprocess.Popen(
            [sys.executable, here.with_name("victim.py"), certificate["cert"], KEY], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env={**os.environ, "PYTHONPATH": path},
        )  # fmt: skip
        port = int(self.victim.stdout.readline())
        self.backend = {"name": "b2", "url": f"http://127.0.0.1:{port}", "api_key": wire.BACKEND_KEY, "models": [victim.DEPLOYMENT]}

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
    time.sleep(max(0, 0.3 - (time.monotonic() - began)))  # enough times for a median
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
    limits = {"head_timeout": "1s", "body_timeout": "1s", "write_timeout": "2s", "keep_alive_timeout": "2s", "memory": f"{BUDGET_MIB}MiB"}
    worst = [0, 0]
    measured = Measured(certificate)
    backends = [recorder.config(models=["-"]), measured.backend]
    with wire.gateway(folder, backends, server={"tls": certificate}, limits=limits) as gateway:
        measured.use(gateway)
        for item in ATTACKS:
            wrong, line = one(measured, gateway.port, context, item)
            if verbose:
                print(line, "; ".join(wrong), flush=True)
            worst = max(worst, [float(line.split("median ")[1].split(" ")[0]), 0])
            tally.add(item[0], "lenient" if item[2] else "refused", "; ".join(wrong))
    measured.close()
    tally.notes.append(f"the other client's worst median is {worst[0]:.1f} ms; alone it is {measured.alone:.1f} ms")
    recorder.close()
    return tally
