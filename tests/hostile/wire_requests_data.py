"""HTTP/1 requests that two readers could understand differently. Each is sent on a connection of its own, with a marked
good request right behind it.

What is expected of a case (RFC 9112 unless it says otherwise):
    refused(status, …)  one answer with one of these, then the connection is closed; the backend gets nothing
    answered(status)    as an answer of the gateway's own, after which the connection goes on: the marked one is served
    served(body)        the backend gets this request with exactly this body, then the marked one
    last(body)          the same, but the connection is closed after it
`why` is there where a purist would refuse what is served."""

import dataclasses

from wire import KEY, PATH

P = PATH.encode()
HOST = b"Host: gw\r\n"
AUTH = b"api-key: " + KEY.encode() + b"\r\n"
HEAD = HOST + AUTH
MARKED = b"GET %s?marked HTTP/1.1\r\n%sConnection: close\r\n\r\n" % (P, HEAD)
EVIL = b"GET %s?smuggled HTTP/1.1\r\n%s\r\n" % (P, HEAD)


@dataclasses.dataclass
class Case:
    name: str
    data: bytes
    verdict: str  # refused, answered, served, last
    statuses: tuple = ()
    body: bytes = b""
    method: bytes = b"POST"
    target: bytes = P
    why: str = ""
    has: tuple = ()  # field lines that the backend must get
    lacks: tuple = ()  # names of fields that it must not get


CASES = []


def post(fields=b"", body=b"", first=b"POST %s HTTP/1.1" % P):
    return first + b"\r\n" + HEAD + fields + b"\r\n" + body


def get(fields=b"", first=b"GET %s HTTP/1.1" % P, head=HEAD):
    return first + b"\r\n" + head + fields + b"\r\n"


def refused(name, data, *statuses):
    CASES.append(Case(name, data, "refused", statuses or (400,)))


def answered(name, data, *statuses):
    CASES.append(Case(name, data, "answered", statuses))


def served(name, data, body=b"", verdict="served", **more):
    if data.startswith(b"GET") or b"\r\nGET" in data[:12]:
        more.setdefault("method", b"GET")
    CASES.append(Case(name, data, verdict, body=body, **more))


def last(name, data, body=b"", **more):
    served(name, data, body, "last", **more)


# Lengths and codings that contradict each other (§6.1, §6.3)
CL, TE = b"Content-Length: ", b"Transfer-Encoding: chunked\r\n"
END = b"0\r\n\r\n"
CHUNKED_EVIL = b"%x\r\n%s\r\n0\r\n\r\n" % (len(EVIL), EVIL)
refused("CL.TE", post(CL + b"%d\r\n" % (len(END) + len(EVIL)) + TE, END + EVIL))
refused("TE.CL", post(TE + CL + b"4\r\n", CHUNKED_EVIL))
refused("CL.TE, length 0", post(CL + b"0\r\n" + TE, EVIL))
refused("TE in HTTP/1.0", post(TE, END + EVIL, b"POST %s HTTP/1.0" % P))
refused("TE and CL in HTTP/1.0", post(TE + CL + b"5\r\n", END + EVIL, b"POST %s HTTP/1.0" % P))
# A coding that is not known may be answered with 501 (§6.1); one that is no list of tokens with 400.
for line in (
    b"Transfer-Encoding: xchunked", b"Transfer-Encoding: identity, chunked", b"Transfer-Encoding: chunked, identity",
    b'Transfer-Encoding: "chunked"', b"Transfer-Encoding: gzip, chunked", b"Transfer-Encoding: ch\xffunked",
    b"Transfer-Encoding: chunked;q=1", b"Transfer-Encoding: ,chunked", b"Transfer-Encoding: chunked,",
    b"Transfer-Encoding: \xa0chunked", b"Transfer-Encoding: 'chunked'", b"Transfer-Encoding: identity",
    b"Transfer-Encoding: chunked chunked", b"Transfer-Encoding: ", b"Transfer-Encoding: cow",
    b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity", b"Transfer-Encoding: x\r\nTransfer-Encoding: chunked",
    b"TRANSFER-ENCODING: chunked, chunked",
):  # fmt: skip
    refused(f"TE.TE {line!r}", post(line + b"\r\n" + CL + b"4\r\n", CHUNKED_EVIL), 400, 501)
for line in (
    b"Transfer-Encoding : chunked", b"Transfer-Encoding:\tchunked\x0b", b"Transfer-Encoding: chunked\x00",
    b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", b"Transfer-Encoding:\r\n chunked",
    b"X: y\nTransfer-Encoding: chunked", b"X: y\rTransfer-Encoding: chunked", b" Transfer-Encoding: chunked",
    b"\tTransfer-Encoding: chunked", b"Transfer-Encoding\x00: chunked", b"Transfer-Encoding: chunked \x0c",
    b"Transfer-Encoding; chunked", b"Transfer-Encoding chunked", b"Transfer-Encoding\t: chunked",
    b"\x0bTransfer-Encoding: chunked", b"Transfer-Encoding:\nchunked", b"Transfer-Encoding: chunked\n",
    b"X: y\r\r\nTransfer-Encoding: chunked", b"X: y\r\n\x00Transfer-Encoding: chunked", b"Tr\xc3\xa4nsfer-Encoding: chunked",
):  # fmt: skip
    refused(f"TE.TE {line!r}", post(line + b"\r\n" + CL + b"4\r\n", CHUNKED_EVIL))
served("a name that only looks like Transfer-Encoding", post(b"Transfer_Encoding: chunked\r\n" + CL + b"5\r\n", b"hello"),
       b"hello", lacks=("transfer_encoding",))  # fmt: skip
served("a name that only looks like Content-Length", post(b"Content_Length: 50\r\n" + CL + b"5\r\n", b"hello"), b"hello",
       lacks=("content_length",))  # fmt: skip

# Lengths (§6.3, RFC 9110 §8.6)
for value in (
    b"+5", b"-5", b"0x5", b"5 5", b"5,6", b"5;", b"5.0", b"", b" ", b"5\x00", b"5\x0b", b"18446744073709551621",
    b"99999999999999999999999", b"5e0", b"\xb2", b"5a", b"a5", b"'5'", b"\"5\"", b"5,", b",5", b"1_0", b"5\xa0",
    b"\xef\xbc\x95",
):  # fmt: skip
    refused(f"length {value!r}", post(CL + value + b"\r\n", b"hello"))
refused("length 5, 5 in one line", post(CL + b"5, 5\r\n", b"hello"))
refused("two lengths that differ", post(CL + b"5\r\n" + CL + b"6\r\n", b"hello!"))
refused("two lengths, 5 and 05x", post(CL + b"5\r\n" + CL + b"05x\r\n", b"hello"))
refused("space before a length's colon", post(b"Content-Length : 5\r\n", b"hello"))
refused("folded length", post(b"Content-Length:\r\n 5\r\n", b"hello"))
refused("4 GiB and a little", post(CL + b"4294967301\r\n", b"hello"), 413)
served("a length that is said twice", post(CL + b"5\r\n" + CL + b"5\r\n", b"hello"), b"hello",
       why="§6.3 lets a recipient take one length that is said again; one is passed on")  # fmt: skip
served("zeros before a length", post(CL + b"0005\t \r\n", b"hello"), b"hello",
       why="1*DIGIT (RFC 9110 §8.6); it is written anew")  # fmt: skip
served("a request for a body", get(CL + b"%d\r\n" % len(EVIL)) + EVIL, EVIL,
       why="a body of GET has no meaning, but a length (RFC 9110 §9.3.1); it goes up with it")  # fmt: skip

# Chunks (§7.1)
for name, body in {
    "size of 17 digits": b"FFFFFFFFFFFFFFFF5\r\nhello\r\n0\r\n\r\n",
    "size 2^64+5": b"10000000000000005\r\nhello\r\n0\r\n\r\n",
    "size -1": b"-1\r\nhello\r\n0\r\n\r\n", "size +5": b"+5\r\nhello\r\n0\r\n\r\n", "size 0x5": b"0x5\r\nhello\r\n0\r\n\r\n",
    "space before the size": b" 5\r\nhello\r\n0\r\n\r\n", "LF after the size": b"5\nhello\r\n0\r\n\r\n",
    "CR after the size": b"5\rhello\r\n0\r\n\r\n", "no CRLF after the data": b"5\r\nhello0\r\n\r\n",
    "LF after the data": b"5\r\nhello\n0\r\n\r\n", "data longer than the size": b"4\r\nhello\r\n0\r\n\r\n",
    "underscore in the size": b"1_0\r\nhello\r\n0\r\n\r\n", "no size": b"\r\nhello\r\n0\r\n\r\n",
    "size of a letter": b"g\r\nhello\r\n0\r\n\r\n",
    "LF in an extension": b"5;a\nb\r\nhello\r\n0\r\n\r\n", "CR in an extension": b"5;a\rb\r\nhello\r\n0\r\n\r\n",
    "NUL in an extension": b"5;a\x00\r\nhello\r\n0\r\n\r\n", "LF after the last": b"5\r\nhello\r\n0\n\n",
    "LF after a trailer": b"5\r\nhello\r\n0\r\nX: y\n\r\n", "digit of Unicode": b"\xc2\xb25\r\nhello\r\n0\r\n\r\n",
    "size with a comma": b"5,5\r\nhello\r\n0\r\n\r\n", "size in quotes": b'"5"\r\nhello\r\n0\r\n\r\n',
    "a request as trailer": b"5\r\nhello\r\n0\r\n" + EVIL, "folded trailer": b"5\r\nhello\r\n0\r\nX-T: v\r\n w\r\n\r\n",
    "space before a trailer's colon": b"5\r\nhello\r\n0\r\nX-T : v\r\n\r\n",
    "trailers of 40 KB": b"0\r\nX-T: " + b"v" * 40000 + b"\r\n\r\n",
    "TERM.EXT": b"5;\n" + b"x" * 3 + b"\r\nhello\r\n0\r\n\r\n", "negative zero": b"5\r\nhello\r\n-0\r\n\r\n",
}.items():  # fmt: skip
    refused(f"chunk: {name}", post(TE, body))
served("chunk: with extensions", post(TE, b'5;a=b;c="d"\r\nhello\r\n0;x\r\n\r\n'), b"hello", lacks=("transfer-encoding",))
served("chunk: 00 as the last", post(TE, b"5\r\nhello\r\n00\r\n\r\n"), b"hello", why="last-chunk = 1*(\"0\") (§7.1)")
served("chunk: space after the size", post(TE, b"5 \r\nhello\r\n0\r\n\r\n"), b"hello",
       why="BWS before an extension is read (§7.1.1), though here none follows; the body is framed anew")  # fmt: skip
served("chunk: extensions without names", post(TE, b"5;;;\r\nhello\r\n0\r\n\r\n"), b"hello",
       why="extensions are passed over unread, as §7.1.1 asks; the body is framed anew")  # fmt: skip
served("chunk: quote that is left open", post(TE, b'5;c="d\r\nhello\r\n0\r\n\r\n'), b"hello",
       why="a line ends where it ends, quotes or not: no CRLF can be quoted")  # fmt: skip
served("chunk: trailers that would say more",
    post(TE, b"5\r\nhello\r\n0\r\nX-T: v\r\nContent-Length: 50\r\napi-key: evil\r\n\r\n"),
       b"hello", lacks=("x-t",))  # fmt: skip
served("chunk: one byte each", post(TE, b"".join(b"1\r\n%c\r\n" % c for c in b"hello") + END), b"hello")
served("chunked in capitals", post(b"transfer-ENCODING:CHUNKED\r\n", b"5\r\nhello\r\n0\r\n\r\n"), b"hello")
served("chunked, then a request that is meant", post(TE, END), b"")

# Line ends, folds and characters (§2.2, §5)
refused("LF alone everywhere", b"GET %s HTTP/1.1\nHost: gw\n%s\n\n" % (P, AUTH.strip()))
refused("LF alone at the head's end", b"GET %s HTTP/1.1\r\n%s\n" % (P, HEAD))
refused("LF alone after the request line", b"GET %s HTTP/1.1\n%s\r\n" % (P, HEAD))
refused("CR alone after the request line", b"GET %s HTTP/1.1\r%s\r\n" % (P, HEAD))
refused("CR alone in a value", get(b"X: a\rb\r\n"))
refused("CR CR LF", get(b"X: a\r\r\n"))
refused("folded line", get(b"X: a\r\n b\r\n"))
refused("folded with a tab", get(b"X: a\r\n\tb\r\n"))
refused("a fold that hides a request", get(b"X: a\r\n \r\n") + EVIL)
refused("NUL in a value", get(b"X: a\x00b\r\n"))
refused("DEL in a value", get(b"X: \x7f\r\n"))
refused("vertical tab in a value", get(b"X: a\x0bb\r\n"))
refused("NUL in the target", get(first=b"GET %s?\x00 HTTP/1.1" % P))
for name, line in {
    "space in a name": b"X Y: a", "no name": b": a", "no colon": b"XY", "byte over 127 in a name": b"X\xe9: a",
    "parenthesis": b"X(: a",
    "space before the colon": b"X : a", "tab before the colon": b"X\t: a", "CR in a name": b"X\rY: a",
    "quote in a name": b'"X": a',
    "only a space": b" ", "brackets": b"X[a]: b", "slash in a name": b"X/Y: a", "at in a name": b"a@b: c",
    "control in a name": b"X\x01: a",
}.items():  # fmt: skip
    refused(f"field: {name}", get(line + b"\r\n"))
refused("the first field is indented", b"GET %s HTTP/1.1\r\n X: y\r\n%s\r\n" % (P, HEAD))
served("bytes over 127 in a value", get(b"OpenAI-Beta: caf\xc3\xa9\r\n"), why="obs-text (RFC 9110 §5.5)")
served("empty lines before", b"\r\n" * 4 + get())
refused("LF before", b"\n" + get())
refused("a space before", b" " + get())
refused("a line of spaces before", b" \r\n" + get())

# The request line (§3)
for name, line in {
    "tabs": b"GET\t%s\tHTTP/1.1" % P, "two spaces before the target": b"GET  %s HTTP/1.1" % P,
    "two spaces after it": b"GET %s  HTTP/1.1" % P,
    "a space at the end": b"GET %s HTTP/1.1 " % P, "a space in the target": b"GET %s?a b HTTP/1.1" % P,
    "HTTP/0.9": b"GET %s" % P,
    "HTTP/1.10": b"GET %s HTTP/1.10" % P, "HTTP/2.0": b"GET %s HTTP/2.0" % P, "hTTp/1.1": b"GET %s hTTp/1.1" % P,
    "HTTP/1,1": b"GET %s HTTP/1,1" % P, "HTTP/01.1": b"GET %s HTTP/01.1" % P, "HTTP/1.1x": b"GET %s HTTP/1.1x" % P,
    "HTTP 1.1": b"GET %s HTTP 1.1" % P,
    "HTTP/1.2": b"GET %s HTTP/1.2" % P, "HTTP/9.9": b"GET %s HTTP/9.9" % P, "no target": b"GET HTTP/1.1",
    "no method": b"%s HTTP/1.1" % P,
    "bytes over 127 in the target": b"GET %s/caf\xc3\xa9 HTTP/1.1" % P, "overlong slash": b"GET %s/\xc0\xaf.. HTTP/1.1" % P,
    "method with a colon": b"GET: %s HTTP/1.1" % P, "method in brackets": b"[GET] %s HTTP/1.1" % P,
    "two requests in a line": b"GET %s HTTP/1.1 GET / HTTP/1.1" % P,
    "asterisk": b"GET * HTTP/1.1", "authority": b"GET gw:80 HTTP/1.1", "relative": b"GET openai/v1/files HTTP/1.1",
    "backslash": b"GET \\openai\\v1 HTTP/1.1",
    "scheme without an authority": b"GET http:///openai/v1/files HTTP/1.1", "another scheme": b"GET ftp://gw%s HTTP/1.1" % P,
    "half a scheme": b"GET http:/x HTTP/1.1",
    "preface of HTTP/2": b"PRI * HTTP/2.0",
}.items():  # fmt: skip
    refused(f"line: {name}", get(first=line))
refused("line: HTTP/0.9, LF", b"GET %s\n" % P)
for name, target in {"fragment": P + b"#x", "backslash in the path": P + b"/..\\admin", "NUL escaped": P + b"/%00",
        "CRLF escaped": P + b"/a%0d%0aX:y",
                     "dot segments": b"/openai/v1/../admin", "escaped dots": b"/openai/v1/%2e%2e/x",
                     "escaped twice": b"/openai/v1/%252e%252e/x",
                     "escaped slash": b"/openai/v1/files%2fx"}.items():  # fmt: skip
    answered(f"target: {name}", get(first=b"GET %s HTTP/1.1" % target), 400)

# Host (§3.2) and the authority
refused("no Host", get(head=AUTH))
for name, lines in {"two": b"Host: gw\r\nHost: gw\r\n", "two that differ": b"Host: gw\r\nHost: evil\r\n",
        "a list": b"Host: a, b\r\n", "user": b"Host: a@b\r\n",
                    "empty": b"Host: \r\n", "path": b"Host: gw/x\r\n", "space": b"Host: g w\r\n",
                    "port of letters": b"Host: gw:80x\r\n",
                    "query": b"Host: gw?x\r\n", "open bracket": b"Host: [::1\r\n", "spaced colon": b"Host : gw\r\n",
                    "scheme": b"Host: http://gw\r\n", "folded": b"Host:\r\n gw\r\n", "backslash": b"Host: gw\\x\r\n",
                    "percent": b"Host: %67w%\r\n"}.items():  # fmt: skip
    refused(f"Host: {name}", get(head=lines + AUTH))
served("Host: port too large", get(head=b"Host: gw:99999\r\n" + AUTH),
       why="port = *DIGIT (RFC 3986 §3.2.3); the backend gets its own Host")  # fmt: skip
served("Host: an address, an escape, an underscore", get(head=b"Host: a_b%2d.example:\r\n" + AUTH))
served("Host: IPv6", get(head=b"Host: [::1]:8080\r\n" + AUTH))
served("absolute-form", get(first=b"GET http://gw%s HTTP/1.1" % P), lacks=("x-forwarded-host",))
served("absolute-form, another Host", get(first=b"GET http://evil%s HTTP/1.1" % P),
       why="§3.2.2: the target's host counts; here none does, the backend's own is sent")  # fmt: skip
last("HTTP/1.0", get(first=b"GET %s HTTP/1.0" % P))
last("HTTP/1.0 without Host", get(first=b"GET %s HTTP/1.0" % P, head=AUTH))
served("HTTP/1.0, keep-alive", get(b"Connection: keep-alive\r\n", b"GET %s HTTP/1.0" % P))
last("HTTP/1.0 with a length", post(CL + b"5\r\n", b"hello", b"POST %s HTTP/1.0" % P), b"hello")

# What belongs to one hop (RFC 9110 §7.6.1), and what is asked of a server
served("Connection names what frames the message",
    post(b"Connection: content-length, host, api-key, content-type\r\nContent-Type: text/x\r\n" + CL + b"5\r\n", b"hello"),
       b"hello", has=(b"content-length: 5",))  # fmt: skip
served("Connection names a field", get(b"Connection: openai-beta\r\nOpenAI-Beta: x\r\n"), lacks=("openai-beta", "connection"))
last("Connection: close, keep-alive", get(b"Connection: close, keep-alive\r\n"), lacks=("connection",))
refused("Connection of what is no token", get(b"Connection: a b\r\n"))
refused("Connection of 40 options", get(b"Connection: " + b", ".join(b"x%d" % i for i in range(40)) + b"\r\n"))
served("Keep-Alive, TE, Trailer, Proxy-Connection",
    get(b"Keep-Alive: 5\r\nTE: trailers\r\nTrailer: X\r\nProxy-Connection: keep-alive\r\n"),
       lacks=("keep-alive", "te", "trailer", "proxy-connection"))  # fmt: skip
served("upgrade to h2c",
    get(b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n"),
       lacks=("upgrade", "http2-settings", "connection"))  # fmt: skip
served("upgrade to h2c, with a body",
    post(b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n" + CL + b"5\r\n", b"hello"),
    b"hello",
       lacks=("upgrade", "http2-settings"))  # fmt: skip
answered("upgrade to a socket where there is none",
         get(b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"), 426)  # fmt: skip
served("Expect", post(b"Expect: 100-continue\r\n" + CL + b"5\r\n", b"hello"), b"hello", lacks=("expect",))
served("Expect twice", post(b"Expect: 100-continue\r\nExpect: 100-continue\r\n" + CL + b"5\r\n", b"hello"), b"hello",
    lacks=("expect",))
served("Expect without a body", get(b"Expect: 100-continue\r\n"), lacks=("expect",))
served("Expect, smuggled", post(b"Expect: 100-continue\r\n" + CL + b"%d\r\n" % len(EVIL), EVIL), EVIL, lacks=("expect",))
served("Expect of a body of 0", post(b"Expect: 100-continue\r\n" + CL + b"0\r\n"), lacks=("expect",))
served("other methods and URLs in fields",
    post(b"X-HTTP-Method-Override: DELETE\r\nX-Method-Override: DELETE\r\nX-Original-URL: /admin\r\nX-Rewrite-URL: /admin\r\n" + CL + b"2\r\n", b"{}"),
       b"{}", lacks=("x-http-method-override", "x-method-override", "x-original-url", "x-rewrite-url"))  # fmt: skip
served("Max-Forwards, Range and conditions", get(b"Max-Forwards: 0\r\nRange: bytes=0-\r\n"))
served("a request in a query", get(first=b"GET %s?x=%%0d%%0a%%0d%%0aGET%%20/smuggle HTTP/1.1" % P),
    target=P + b"?x=%0d%0a%0d%0aGET%20/smuggle")
answered("TRACE", get(first=b"TRACE %s HTTP/1.1" % P), 405)
answered("CONNECT with a path", get(first=b"CONNECT %s HTTP/1.1" % P), 405)
refused("CONNECT with an authority", get(first=b"CONNECT evil:443 HTTP/1.1"), 400, 405)
answered("unknown method", get(first=b"M-SEARCH!# %s HTTP/1.1" % P), 405)
answered("method in small letters", get(first=b"get %s HTTP/1.1" % P), 405)
refused("method of 40 KB", get(first=b"A" * 40000 + b" %s HTTP/1.1" % P), 431)
answered("key twice, the wrong one first", get(b"api-key: %s\r\n" % KEY.encode(), head=HOST + b"api-key: wrong\r\n"), 401)
served("key twice, the right one first", get(b"api-key: wrong\r\n"), lacks=("authorization",),
       why="the first counts, here and above: the second gives nobody anything, and neither goes up")  # fmt: skip
refused("head of 33 KB", get(b"X: " + b"a" * 33000 + b"\r\n"), 431)
refused("200 fields", get(b"".join(b"a%d: b\r\n" % i for i in range(200))), 431)
refused("target of 40 KB", get(first=b"GET %s?%s HTTP/1.1" % (P, b"a" * 40000)), 431)
