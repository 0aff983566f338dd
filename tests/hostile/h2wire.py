"""HTTP/2 frame by frame, for what no library would send."""

import contextlib
import socket
import ssl
import time

import hpack
from hyperframe.frame import (
    ContinuationFrame,
    DataFrame,
    Frame,
    GoAwayFrame,
    HeadersFrame,
    RstStreamFrame,
    SettingsFrame,
    WindowUpdateFrame,
)
from wire import KEY

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


def trust(certificate, alpn=("h2",)):
    context = ssl.create_default_context(cafile=certificate["cert"])
    context.set_alpn_protocols(list(alpn))
    return context


class Connection:
    def __init__(self, port, context, settings=None, receive_buffer=None):
        plain = socket.socket()
        if receive_buffer:
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        plain.settimeout(5)
        plain.connect(("127.0.0.1", port))
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket = context.wrap_socket(plain, server_hostname="127.0.0.1")
        self.encoder, self.decoder = hpack.Encoder(), hpack.Decoder()
        self.buffer = b""
        self.closed = False
        self.send(PREFACE, SettingsFrame(0, settings=settings or {}))

    def close(self):
        self.socket.close()

    def send(self, *frames):
        self.socket.sendall(b"".join(f if isinstance(f, bytes) else f.serialize() for f in frames))

    def head(self, stream, fields, end=True, complete=True, plain=True):
        """A HEADERS frame; `plain` writes the fields as literals, whatever they hold."""
        frame = HeadersFrame(stream)
        frame.data = literals(fields) if plain else self.encoder.encode(fields)
        if end:
            frame.flags.add("END_STREAM")
        if complete:
            frame.flags.add("END_HEADERS")
        return frame

    def frames(self, seconds=2.0):
        """Frames until the other side closes or `seconds` are over."""
        end = time.monotonic() + seconds
        while True:
            while len(self.buffer) >= 9:
                frame, size = Frame.parse_frame_header(memoryview(self.buffer[:9]))
                if len(self.buffer) < 9 + size:
                    break
                frame.parse_body(memoryview(self.buffer[9 : 9 + size]))
                self.buffer = self.buffer[9 + size :]
                yield frame
            left = end - time.monotonic()
            if left <= 0 or self.closed:
                return
            try:
                self.socket.settimeout(left)
                piece = self.socket.recv(1 << 16)
            except TimeoutError:
                return
            except OSError:
                piece = b""
            self.closed = not piece
            self.buffer += piece

    def answer(self, stream, seconds=2.0):
        """(status, body, reset) of a stream: reset is the code of RST_STREAM or ("goaway", code)."""
        status, body = None, b""
        for frame in self.frames(seconds):
            if isinstance(frame, SettingsFrame) and "ACK" not in frame.flags:
                with contextlib.suppress(OSError):
                    self.send(SettingsFrame(0, flags=["ACK"]))
            if isinstance(frame, GoAwayFrame) and frame.error_code:
                return status, body, ("goaway", frame.error_code)
            if isinstance(frame, HeadersFrame):
                fields = dict(self.decoder.decode(frame.data))
                if frame.stream_id == stream:
                    status = int(fields.get(":status", 0))
            if frame.stream_id != stream:
                continue
            if isinstance(frame, RstStreamFrame):
                return status, body, frame.error_code
            if isinstance(frame, DataFrame):
                body += frame.data
                if frame.data:
                    self.send(WindowUpdateFrame(stream, window_increment=len(frame.data)),
                              WindowUpdateFrame(0, window_increment=len(frame.data)))  # fmt: skip
            if "END_STREAM" in frame.flags and status:
                return status, body, None
        return status, body, None if not self.closed else "closed"


def text(value):
    return value if isinstance(value, bytes) else value.encode()


def integer(value, bits, first=0):
    most = (1 << bits) - 1
    if value < most:
        return bytes([first | value])
    out, value = bytes([first | most]), value - most
    while value >= 128:
        out, value = out + bytes([value % 128 + 128]), value // 128
    return out + bytes([value])


def literals(fields):
    """RFC 7541 §6.2.2: literals without indexing, not Huffman coded, so that each byte is as it is here."""
    out = b""
    for name, value in fields:
        name, value = text(name), text(value)
        out += b"\0" + integer(len(name), 7) + name + integer(len(value), 7) + value
    return out


def request(path, method="GET", *more, scheme="https", authority="gw", key=KEY):
    fields = [(":method", method), (":scheme", scheme), (":path", path)]
    if authority is not None:
        fields.append((":authority", authority))
    return [*fields, ("api-key", key), *more]


def data(stream, content, end=True):
    frame = DataFrame(stream, content)
    if end:
        frame.flags.add("END_STREAM")
    return frame


def more_fields(stream, fields, complete=True):
    frame = ContinuationFrame(stream, literals(fields))
    if complete:
        frame.flags.add("END_HEADERS")
    return frame
