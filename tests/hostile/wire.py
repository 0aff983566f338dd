"""Both ends of a gateway in raw bytes: a client that says anything, a backend that keeps everything, and the tally of a
suite. Whoever reads a message here reads it as strictly as RFC 9112 lets a recipient be: what is odd is a fault."""

import contextlib
import dataclasses
import json
import re
import socket
import ssl
import subprocess
import threading

import harness

KEY = harness.CLIENT_KEY
BACKEND_KEY = "backend-key-of-the-hostile-suites"
PATH = "/openai/v1/files"
TOKEN = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
VALUE = re.compile(rb"[\t\x20-\x7e\x80-\xff]*")


class Fault(Exception):
    """A message that no strict recipient takes."""


@dataclasses.dataclass
class Message:
    """`first` is the request or status line; `fields` are as they were sent, names in lower case."""

    first: bytes
    fields: list
    body: bytes = b""
    connection: int = 0

    def all(self, name):
        return [value for n, value in self.fields if n == name]

    def get(self, name):
        return next(iter(self.all(name)), None)

    @property
    def status(self):
        return int(self.first.split(b" ")[1])


def read_head(text):
    """`text` ends before the empty line."""
    lines = text.split(b"\r\n")
    fields = []
    for line in lines:
        if not VALUE.fullmatch(line):
            raise Fault(f"control characters in {line!r}")
    for line in lines[1:]:
        name, colon, value = line.partition(b":")
        if not colon or not TOKEN.fullmatch(name):
            raise Fault(f"no field: {line!r}")
        fields.append((name.lower().decode(), value.strip(b" \t")))
    return Message(lines[0], fields)


def read_chunks(data):
    """(body, rest), or None if it is not there whole."""
    body = b""
    while True:
        line, end, rest = data.partition(b"\r\n")
        if not end:
            return None
        if not re.fullmatch(rb"[0-9a-fA-F]{1,16}(;[\t\x20-\x7e\x80-\xff]*)?", line):
            raise Fault(f"no chunk size: {line!r}")
        size = int(line.partition(b";")[0], 16)
        if size == 0:
            break
        if len(rest) < size + 2:
            return None
        if rest[size : size + 2] != b"\r\n":
            raise Fault("a chunk's data does not end where it should")
        body, data = body + rest[:size], rest[size + 2 :]
    while True:
        line, end, rest = rest.partition(b"\r\n")
        if not end:
            return None
        if not line:
            return body, rest


def read_message(data, answer_to=None, closed=False):
    """(message, rest) of the first message in `data`, or None if it is not there whole. `answer_to`: the method, if it
    is an answer."""
    head, end, rest = data.partition(b"\r\n\r\n")
    if not end:
        return None
    message = read_head(head)
    lengths, codings = message.all("content-length"), message.all("transfer-encoding")
    if lengths and codings:
        raise Fault("a length and a coding")
    if len(lengths) > 1 or len(codings) > 1 or any(not v.isdigit() for v in lengths) or codings not in ([], [b"chunked"]):
        raise Fault(f"lengths {lengths}, codings {codings}")
    if answer_to and (answer_to == "HEAD" or message.status < 200 or message.status in (204, 304)):
        return message, rest
    if codings:
        decoded = read_chunks(rest)
        if decoded is None:
            return None
        message.body, rest = decoded
    elif lengths or not answer_to:
        size = int(lengths[0]) if lengths else 0
        if len(rest) < size:
            return None
        message.body, rest = rest[:size], rest[size:]
    elif closed:
        message.body, rest = rest, b""
    else:
        return None
    return message, rest


def read_answers(data, methods=(), closed=True):
    """The whole answers in `data`, without 1xx, and what follows them."""
    methods = list(methods)
    found = []
    while data:
        read = read_message(data, methods[0] if methods else "GET", closed)
        if read is None:
            break
        message, data = read
        if message.status >= 200:
            found.append(message)
            methods = methods[1:]
    return found, data


class Recorder:
    """A backend. `answer(message, send)` gives the bytes of an answer, None if it sent it itself, False to hang up. Its
    requests are in `seen`; `faults` says what no strict recipient would have taken."""

    def __init__(self, answer=None):
        self.answer = answer or (lambda message, send: ok())
        self.seen, self.faults, self.connections = [], [], 0
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def config(self, **more):
        return {"name": "b1", "url": f"http://127.0.0.1:{self.port}", "api_key": BACKEND_KEY, **more}

    def close(self):
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self.connections += 1
                threading.Thread(target=self._serve, args=(connection, self.connections), daemon=True).start()

    def _serve(self, connection, number):
        data = b""
        with contextlib.suppress(OSError), connection:
            while True:
                try:
                    read = read_message(data)
                except Fault as fault:
                    self.faults.append(f"{fault} in {data[:200]!r}")
                    return
                if read is None:
                    piece = connection.recv(1 << 20)
                    if not piece:
                        if data:
                            self.faults.append(f"an unfinished request: {data[:200]!r}")
                        return
                    data += piece
                    continue
                message, data = read
                if data:
                    self.faults.append(f"bytes behind a request, before its answer: {data[:200]!r}")
                message.connection = number
                self.seen.append(message)
                said = self.answer(message, connection.sendall)
                if said is False:
                    return
                if said:
                    connection.sendall(said)


def ok(body=b'{"mine":1}', *fields):
    lines = [b"HTTP/1.1 200 OK", b"Content-Type: application/json", *fields, b"Content-Length: %d" % len(body)]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def talk(port, *pieces, seconds=2.0, tls=None, pause=0.0):
    """Sends `pieces`, reads until the other side closes or says nothing for `seconds`: (bytes, whether it closed)."""
    out, closed = b"", False
    with contextlib.ExitStack() as stack:
        connection = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=5))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls:
            connection = stack.enter_context(tls.wrap_socket(connection))
        connection.settimeout(seconds)
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            for number, piece in enumerate(pieces):
                if number and pause:
                    threading.Event().wait(pause)
                connection.sendall(piece)
        try:
            while True:
                piece = connection.recv(1 << 18)
                if not piece:
                    closed = True
                    break
                out += piece
        except TimeoutError:
            pass
        except (ConnectionError, ssl.SSLError):
            closed = True
    return out, closed


def certificate(folder):
    """Paths of a certificate for 127.0.0.1 that signed itself, and of its key."""
    cert, key = folder / "cert.pem", folder / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "7", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost", "-keyout", key, "-out", cert],
        check=True, capture_output=True,
    )  # fmt: skip
    return {"cert": str(cert), "key": str(key)}


@contextlib.contextmanager
def gateway(folder, backend, **settings):
    """One worker and one backend, so that whatever is left over meets the next request."""
    settings["server"] = {"threads": 1, **settings.get("server", {})}
    folder.mkdir(parents=True, exist_ok=True)
    running = harness.Gateway(folder, backend if isinstance(backend, list) else [backend], **settings)
    try:
        yield running
        assert running.process.poll() is None, f"the gateway has ended:\n{running.log_text()[-2000:]}"
    finally:
        status = running.stop()
    assert status == 0, f"exit status {status}:\n{running.log_text()[-2000:]}"


class Tally:
    """What became of a suite's cases: "refused", "accepted" as it should be, "lenient" (accepted, though a stricter
    reader would refuse; the case says why), or wrong."""

    def __init__(self, name):
        self.name = name
        self.counts = {"refused": 0, "accepted": 0, "lenient": 0}
        self.wrong, self.notes = [], []
        self.complete = True  # False where a tool was not there

    def add(self, case, verdict, wrong=""):
        if wrong:
            self.wrong.append(f"{case}: {wrong}")
        else:
            self.counts[verdict] += 1

    def require(self, case, verdict, good, seen):
        """`good`, or wrong with what was `seen`."""
        self.add(case, verdict, "" if good else f"{seen!r}"[:600])

    @property
    def cases(self):
        return sum(self.counts.values()) + len(self.wrong)

    def row(self):
        counts = self.counts
        return (self.name, self.cases, counts["refused"], counts["accepted"], counts["lenient"], len(self.wrong))


def table(tallies):
    lines = ["{:34} {:>6} {:>8} {:>9} {:>8} {:>6}".format("suite", "cases", "refused", "accepted", "lenient", "wrong")]
    lines += ["{:34} {:6} {:8} {:9} {:8} {:6}".format(*tally.row()) for tally in tallies]
    return "\n".join(lines + [f"    {tally.name}: {note}" for tally in tallies for note in tally.notes])


def dump(value):
    return json.dumps(value).encode()
