"""Suite: HTTP/2 requests that would be two requests, or another one, if they were written down as HTTP/1.1 carelessly
(RFC 9113 §8.2, §8.3, §10.3)."""

import h2wire
import wire
from h2wire import Connection, data, request
from wire import KEY, PATH, Recorder, Tally

P = PATH
SMUGGLED = f"GET {P}?smuggled HTTP/1.1\r\nHost: gw\r\n\r\n"
REFUSED, SERVED = "refused", "served"
CASES = []  # (name, frames of a connection, verdict, body, why)


def case(name, fields, verdict=REFUSED, body=b"", why="", frames=None):
    def default(c):
        return [c.head(1, fields, end=not body), *([data(1, body)] if body else [])]

    CASES.append((name, frames or default, verdict, body, why))


def field(name, value=""):
    return request(P, "POST", (name, value))


for sort, byte in {"CR": "\r", "LF": "\n", "CRLF": "\r\n", "NUL": "\0"}.items():
    case(f"{sort} in a value", field("openai-beta", f"a{byte}x: y"))
    case(f"{sort} in a name", field(f"x{byte}y", "a"))
    case(f"{sort} in :path", request(f"{P}?a{byte}b"))
    case(f"{sort} in :method", request(P, f"GET{byte}X"))
    case(f"{sort} in :authority", request(P, authority=f"gw{byte}x"))
    case(f"{sort} at a value's end", field("openai-beta", f"a{byte}"))
case("a request in a value", field("openai-beta", f"a\r\n\r\n{SMUGGLED}"))
case("a request in a name", field(f"x: y\r\n\r\n{SMUGGLED}", "a"))
case("a request in :path", request(f"{P} HTTP/1.1\r\nHost: gw\r\n\r\n{SMUGGLED}"))
case("a request in :method", request(P, f"GET {P} HTTP/1.1\r\nHost: gw\r\n\r\nGET"))
case("a request in :authority", request(P, authority=f"gw\r\n\r\n{SMUGGLED}"))
case("a request in :scheme", request(P, scheme=f"https://gw{P} HTTP/1.1\r\n\r\n{SMUGGLED}"))
for sort, path in {"space": f"{P} x", "space and version": f"{P} HTTP/1.1", "tab": f"{P}\tx", "empty": "",
        "no slash": "openai/v1/files", "absolute": f"http://gw{P}",
                   "asterisk": "*", "fragment": f"{P}#x", "bytes over 127": P.encode() + b"/\xc3\xa9",
                   "backslash": "\\openai", "dots": "/openai/v1/../admin"}.items():  # fmt: skip
    case(f":path: {sort}", request(path))
for name in ("transfer-encoding", "connection", "keep-alive", "proxy-connection", "upgrade"):
    value = {"transfer-encoding": "chunked", "connection": "content-length", "upgrade": "h2c"}.get(name, "x")
    case(f"{name} (§8.2.2)", field(name, value), body=b"0\r\n\r\n" + SMUGGLED.encode())
case("TE of something else", field("te", "chunked"))
case("Transfer-Encoding in capitals", field("Transfer-Encoding", "chunked"), body=b"0\r\n\r\n")
case("transfer-encoding, spaced", field("transfer-encoding ", "chunked"), body=b"0\r\n\r\n")
case("capitals in a name", field("OpenAI-Beta", "x"))
case("no name", field("", "x"))
case("space in a name", field("x y", "a"))
case("colon in a name", field("x:y", "a"))
case("a name that begins with a colon", field(":x", "a"))
case("space before a value", field("openai-beta", " a"))
case("space after a value", field("openai-beta", "a "))
case("byte over 127 in a name", field("x\xe9", "a"))
for name in (":method", ":path", ":scheme", ":authority"):
    twice = request(P)
    twice.insert(4, (name, dict(twice)[name]))
    case(f"{name} twice", twice)
    if name != ":authority":
        case(f"no {name}", [f for f in request(P) if f[0] != name])
case("a pseudo-field after the others", [*request(P), (":path", "/admin")])
case(":status in a request", [(":status", "200"), *request(P)])
case(":protocol (RFC 8441)", [*request(P, "CONNECT")[:4], (":protocol", "websocket"), *request(P)[4:]])
case("CONNECT", [(":method", "CONNECT"), (":authority", "evil:443")])
case("CONNECT with a path", request(P, "CONNECT"))
case("TRACE", request(P, "TRACE"))
case("method with a space", request(P, "GET /x"))
case("method in small letters", request(P, "get"))
case("neither :authority nor host", request(P, authority=None))
case(":authority and another host", request(P, "GET", ("host", "evil")))
case("host twice", request(P, "GET", ("host", "gw"), ("host", "evil"), authority=None))
case(":authority with a user", request(P, authority="user@gw"))
case(":authority with a path", request(P, authority="gw/x"))
case("a list in :authority", request(P, authority="a, b"))


def lengths(name, value, body, **more):
    case(f"content-length: {name}", request(P, "POST", ("content-length", value)), body=body, **more)


lengths("too short", "3", b"hello")
lengths("too long", "9", b"hello")
lengths("0 with a body", "0", b"hello")
lengths("negative", "-5", b"hello")
lengths("signed", "+5", b"hello")
lengths("a list", "5, 5", b"hello")
lengths("letters", "5a", b"hello")
lengths("empty", "", b"hello")
case("content-length twice, differing", request(P, "POST", ("content-length", "5"), ("content-length", "6")), body=b"hello")
case("content-length without a body", request(P, "POST", ("content-length", "5")))
case("content-length in a trailer that is none", None, frames=lambda c: [
    c.head(1, request(P, "POST", ("content-length", "9")), end=False), data(1, b"hello", False), c.head(1, [("x-t", "v")])],
    body=b"hello")  # fmt: skip
case("a pseudo-field in a trailer", None, frames=lambda c: [
    c.head(1, request(P, "POST"), end=False), data(1, b"hello", False), c.head(1, [(":path", "/admin")])], body=b"hello")  # fmt: skip
case("CRLF in a trailer", None, frames=lambda c: [
    c.head(1, request(P, "POST"), end=False), data(1, b"hello", False), c.head(1, [("x-t", f"v\r\n\r\n{SMUGGLED}")])],
    body=b"hello")  # fmt: skip
case("a second head that ends nothing", None, frames=lambda c: [
    c.head(1, request(P, "POST"), end=False), c.head(1, request(P, "POST"), end=False), data(1, b"hello")], body=b"hello")  # fmt: skip
case("data after the end", None, frames=lambda c: [c.head(1, request(P, "POST"), end=False), data(1, b"hello"),
    data(1, SMUGGLED.encode())],
     verdict="either", body=b"hello")  # fmt: skip
case("head of 40 KB", request(P, "GET", *((f"x-{i}", "a" * 1000) for i in range(40))))
case("200 fields", request(P, "GET", *((f"x-{i}", "a") for i in range(200))))

# What is served, and how it goes up
case("a plain request", request(P), SERVED)
case("a body without a length", request(P, "POST"), SERVED, b"hello")
case("a body with its length", request(P, "POST", ("content-length", "5")), SERVED, b"hello")
case("a request for a body", request(P, "POST"), SERVED, SMUGGLED.encode())
case("chunks for a body", request(P, "POST"), SERVED, b"0\r\n\r\n" + SMUGGLED.encode())
case("te: trailers", request(P, "GET", ("te", "trailers")), SERVED)
case("host instead of :authority", request(P, "GET", ("host", "gw"), authority=None), SERVED)
case("host as :authority", request(P, "GET", ("host", "GW")), SERVED)
case("cookies in crumbs", request(P, "GET", ("cookie", "a=b"), ("cookie", "c=d")), SERVED)
case("expect", request(P, "POST", ("expect", "100-continue")), SERVED, b"hello")
case("another :scheme", request(P, scheme="http"), SERVED,
    why="the scheme is not asked for: the backend's is in the configuration")
case("an unknown :scheme", request(P, scheme="gopher"), SERVED, why="as above")
case("trailers", None, SERVED, b"hello", frames=lambda c: [
    c.head(1, request(P, "POST"), end=False), data(1, b"hello", False), c.head(1, [("x-t", "v"), ("api-key", "evil")])])  # fmt: skip
case("a head in pieces", None, SERVED, frames=lambda c: [
    c.head(1, request(P), complete=False), *(h2wire.more_fields(1, [(f"x-{i}", "a")], i == 4) for i in range(5))])  # fmt: skip
case("empty data", None, SERVED, b"hello", frames=lambda c: [
    c.head(1, request(P, "POST"), end=False), *[data(1, b"", False)] * 5, data(1, b"hello"),])  # fmt: skip


def judge(verdict, body, answer, seen, faults):
    status, _, reset = answer
    wrong = list(faults)
    firsts = [one.first for one in seen]
    if verdict == REFUSED or (verdict == "either" and not seen):
        if not (reset or (status or 0) >= 400):
            wrong.append(f"not refused: {answer}")
        if seen:
            wrong.append(f"at the backend: {firsts}")
        return wrong
    if verdict == SERVED and (status, reset) != (200, None):
        wrong.append(f"the answer is {answer}")
    if len(seen) != 1 or f" {P} HTTP/1.1".encode() not in firsts[0] or seen[0].body != body:
        return [*wrong, f"at the backend: {firsts}, {[one.body for one in seen]}"]
    if any(seen[0].get(name) is not None for name in ("te", "expect", "cookie", "x-t", "authorization")):
        wrong.append(f"fields that stay: {seen[0].fields}")
    if len(seen[0].all("host")) != 1 or any(KEY.encode() in value for _, value in seen[0].fields):
        wrong.append(f"fields: {seen[0].fields}")
    return wrong


def run(folder):
    tally = Tally("HTTP/2 to HTTP/1.1")
    recorder = Recorder()
    (folder / "downgrade").mkdir()
    certificate = wire.certificate(folder / "downgrade")
    context = h2wire.trust(certificate)
    with wire.gateway(folder / "downgrade", recorder.config(), server={"tls": certificate},
            limits={"body_timeout": "500ms"}) as gateway:
        for name, frames, verdict, body, why in CASES:
            seen, faults = len(recorder.seen), len(recorder.faults)
            c = Connection(gateway.port, context)
            c.send(*frames(c))
            answer = c.answer(1)
            c.close()
            # What was left over anywhere would be met by the next request.
            c = Connection(gateway.port, context)
            c.send(c.head(1, request(f"{P}?marked")))
            wrong = [] if c.answer(1)[0] == 200 else ["the next request is not served"]
            c.close()
            mine = recorder.seen[seen:]
            if not mine or mine[-1].first != f"GET {P}?marked HTTP/1.1".encode():
                wrong.append("the next request is not the last one")
            wrong += judge(verdict, body, answer, mine[:-1], recorder.faults[faults:])
            tally.add(name, "refused" if verdict == REFUSED else "lenient" if why else "accepted", "; ".join(wrong))
    recorder.close()
    return tally
