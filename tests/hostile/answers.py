"""Suite: answers of a backend that is hostile or broken. Nothing of what it adds is given to another client: behind each
case stands another client's request, which must get its own answer."""

import gzip
import re
import time

import harness
import wire
from wire import BACKEND_KEY, KEY, PATH, Fault, Recorder, Tally, ok, read_answers, talk

H = b"HTTP/1.1 200 OK\r\n"
EVIL = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nX-Evil: 1\r\n\r\nEVIL"
CHUNKED = b"Transfer-Encoding: chunked\r\n"
JSON = b"Content-Type: application/json\r\n"
SSE = b"Content-Type: text/event-stream\r\n"
GET = f"GET {PATH}?case HTTP/1.1\r\nHost: gw\r\napi-key: {KEY}\r\nConnection: close\r\n\r\n".encode()
NEXT = GET.replace(b"?case", b"?next")
BODY = wire.dump(harness.chat_body(stream=True))
STREAM = (f"POST /openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21 HTTP/1.1\r\nHost: gw\r\napi-key: {KEY}\r\n"
          f"Content-Type: application/json\r\nConnection: close\r\nContent-Length: {len(BODY)}\r\n\r\n").encode() + BODY  # fmt: skip
CASES = []


def say(*pieces, close=False, pause=0.05):
    def speak(send):
        for number, piece in enumerate(pieces):
            if number:
                time.sleep(pause)
            send(piece)
        return False if close else None

    return speak


def case(name, speak, verdict="refused", statuses=(502, 503, 504), body=None, request=GET, lacks=(), why="", wait=0):
    CASES.append((name, speak if callable(speak) else say(speak, close=True), verdict, statuses, body, request, lacks, why,
        wait))


def served(name, speak, body, statuses=(200,), **more):
    case(name, speak, "accepted", statuses, body, **more)


def cut(name, speak, **more):
    """The head has gone out already; the client sees that the rest is missing."""
    case(name, speak, "cut", (200,), None, **more)


# Framing (RFC 9112 §6)
case("CL and TE", H + b"Content-Length: 3\r\n" + CHUNKED + b"\r\n0\r\n\r\n" + EVIL)
case("TE and CL", H + CHUNKED + b"Content-Length: 300\r\n\r\n2\r\nhi\r\n0\r\n\r\n")
case("two lengths that differ", H + b"Content-Length: 2\r\nContent-Length: 40\r\n\r\nhi" + EVIL)
for value in (b"-1", b"+2", b"0x2", b"2, 3", b"2 3", b"", b"18446744073709551616", b"2\x00", b"two"):
    case(f"length {value!r}", H + b"Content-Length: " + value + b"\r\n\r\nhi")
case("a list of one length", H + b"Content-Length: 2, 2\r\n\r\nhi")
cut("4 GB said, then closed", H + b"Content-Length: 4294967296\r\n\r\nhi")
served("a length said twice", say(H + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\nhi"), b"hi",
       why="one length, and one is passed on (RFC 9112 §6.3)")  # fmt: skip
for coding in (b"xchunked", b"gzip, chunked", b"chunked, gzip", b"identity", b'"chunked"', b"chunked;q=1", b"",
        b"chunked\r\nTransfer-Encoding: chunked"):
    case(f"coding {coding!r}", H + b"Transfer-Encoding: " + coding + b"\r\n\r\n2\r\nhi\r\n0\r\n\r\n")
case("coding, spaced", H + b"Transfer-Encoding : chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n")
case("coding in HTTP/1.0", b"HTTP/1.0 200 OK\r\n" + CHUNKED + b"\r\n2\r\nhi\r\n0\r\n\r\n")
served("until the end", say(H + JSON + b"\r\n{}", close=True), b"{}")
served("HTTP/1.0", say(b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi", close=True), b"hi")
for name, chunks in {"size -5": b"-5\r\nhello\r\n0\r\n\r\n", "size of 17 digits": b"FFFFFFFFFFFFFFFFF\r\nhello\r\n0\r\n\r\n",
        "LF alone": b"5\nhello\n0\n\n",
                     "no CRLF after data": b"5\r\nhello0\r\n\r\n", "no size": b"\r\nhello\r\n0\r\n\r\n",
                     "0x": b"0x5\r\nhello\r\n0\r\n\r\n",
                     "trailers of 1 MB": b"5\r\nhello\r\n0\r\nX: " + b"a" * 1_000_000 + b"\r\n\r\n",
                     "extension of 1 MB": b"5;" + b"a" * 1_000_000 + b"\r\nhello\r\n0\r\n\r\n",
                     "trailer with a space": b"5\r\nhello\r\n0\r\nX : y\r\n\r\n", "closed inside": b"5\r\nhe",
                     "closed before the last": b"5\r\nhello\r\n"}.items():  # fmt: skip
    cut(f"chunks: {name}", H + JSON + CHUNKED + b"\r\n" + chunks)
served("chunks: 100,000 of one byte", say(H + CHUNKED + b"\r\n" + b"1\r\na\r\n" * 100_000 + b"0\r\n\r\n"), b"a" * 100_000)
served("chunks: trailers that say more",
    say(H + CHUNKED + b"\r\n2\r\nhi\r\n0\r\nX-Spillway-Backend: evil\r\nContent-Length: 9\r\n\r\n"), b"hi", lacks=(b"evil",))

# Bytes behind an answer, on a connection that is kept
served("longer than its length", say(H + b"Content-Length: 2\r\n\r\nhi" + EVIL), b"hi")
served("a second answer", say(ok(b"{}") + EVIL), b"{}")
# (Once another request has gone up, nobody could tell such an answer from its own: so the next one waits until it is there.)
served("a second answer, 50 ms later", say(ok(b"{}"), EVIL), b"{}", wait=0.1)
served("half a second answer, later", say(ok(b"{}"), EVIL[:30]), b"{}", wait=0.1)
served("a second answer after chunks", say(H + CHUNKED + b"\r\n2\r\nhi\r\n0\r\n\r\n" + EVIL), b"hi")
served("half a head behind", say(ok(b"{}") + b"HTTP/1.1 200 OK\r\nX-Evil: "), b"{}")
served("CRLF behind", say(ok(b"{}") + b"\r\n"), b"{}")
served("204 with a body", say(b"HTTP/1.1 204 No Content\r\n\r\n" + EVIL), b"", (204,))
served("204 with a length and a body", say(b"HTTP/1.1 204 No Content\r\nContent-Length: %d\r\n\r\n" % len(EVIL) + EVIL), b"",
    (204,))
served("304 with a body", say(b"HTTP/1.1 304 Not Modified\r\n\r\n" + EVIL), b"", (304,))
served("HEAD with a body", say(ok(b"EVIL")), b"", request=GET.replace(b"GET", b"HEAD"))
served("HEAD with chunks", say(H + CHUNKED + b"\r\n4\r\nEVIL\r\n0\r\n\r\n"), b"", request=GET.replace(b"GET", b"HEAD"))

# 1xx
served("10,000 × 100", say(b"HTTP/1.1 100 Continue\r\n\r\n" * 10_000 + ok(b"{}")), b"{}", statuses=(200, 502, 503),
       why="passed over as they come, within first_token; none is held")  # fmt: skip
served("103, then the answer", say(b"HTTP/1.1 103 Early Hints\r\nLink: </EVIL>\r\n\r\n" + ok(b"{}")), b"{}")
case("101 unasked", b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n" + EVIL)
case("102 with a length", b"HTTP/1.1 102 X\r\nContent-Length: 70\r\n\r\n")
case("100 for ever", say(*[b"HTTP/1.1 100 Continue\r\n\r\n"] * 40, pause=0.05, close=True))

# Heads
for name, head in {"LF in a value": b"X-A: a\nSet-Cookie: evil=1\r\n", "CR in a value": b"X-A: a\rSet-Cookie: evil=1\r\n",
        "NUL in a value": b"X-A: a\x00b\r\n",
                   "folded": b"X-A: a\r\n b\r\n", "space before a colon": b"X-A : b\r\n", "no colon": b"X-A\r\n",
                   "no name": b": b\r\n",
                   "first field indented": b" X-A: b\r\n", "101 fields": b"".join(b"X-%d: a\r\n" % i for i in range(101)),
                   "a field of 1 MB": b"X-A: " + b"a" * 1_000_000 + b"\r\n",
                   "Connection of 40": b"Connection: " + b",".join(b"x%d" % i for i in range(40)) + b"\r\n"}.items():  # fmt: skip
    case(f"head: {name}", H + head + b"Content-Length: 2\r\n\r\nhi")
case("head: endless", say(H + b"".join(b"X-%d: aaaaaaaaaaaaaaaaaaaaaaaa\r\n" % i for i in range(60_000)), close=True))
for line in (b"HTTP/1.1 99 X", b"HTTP/1.1 1000 X", b"HTTP/1.1 abc X", b"HTTP/1.1 2 X", b"HTTP/1.1 -20 X", b"HTTP/2 200 OK",
        b"HTTP/1.1  200 OK", b"ICY 200 OK", b"http/1.1 200 OK",
             b"HTTP/1.1 200 O\nK", b"HTTP/1.1 200 O\x00K", b"HTTP/1.1\t200 OK", b" HTTP/1.1 200 OK",
             b"\x00\x00\x12\x04\x00\x00\x00\x00\x00", b"hello world", b"HTTP/1.1 200 O\rK"):  # fmt: skip
    case(f"line: {line!r}", line + b"\r\nContent-Length: 2\r\n\r\nhi")
case("status 000", b"HTTP/1.1 000 X\r\nContent-Length: 2\r\n\r\nhi")
for status in (600, 999):
    served(f"status {status}", say(b"HTTP/1.1 %d X\r\nContent-Length: 2\r\n\r\nhi" % status), b"hi", (status,),
           why="three digits, framed like any other: taken for a 5xx (RFC 9110 §15), and told as it is if no other backend answers")  # fmt: skip
case("HTTP/1.2", b"HTTP/1.2 200 OK\r\nContent-Length: 2\r\n\r\nhi")
case("nothing", b"")
case("closed in the head", H + b"Content-Le")
cut("closed in the body", H + JSON + b"Content-Length: 10\r\n\r\nhi")
case("head drips", say(*[bytes([c]) for c in H], pause=0.1, close=True))
served("Connection names what frames it",
    say(H + b"Connection: content-length, x-spillway-backend\r\nContent-Length: 2\r\n\r\nhi"), b"hi")
served("own fields, and ours",
    say(H + b"X-Spillway-Backend: evil\r\nX-Spillway-Attempts: 9\r\nServer: x\r\nContent-Length: 2\r\n\r\nhi"), b"hi",
    lacks=(b"evil", b"attempts: 9"))
served("our key comes back",
    say(H + f"api-key: {BACKEND_KEY}\r\nAuthorization: Bearer {BACKEND_KEY}\r\nContent-Length: 2\r\n\r\nhi".encode()), b"hi",
    lacks=(BACKEND_KEY.encode(),))
served("Set-Cookie", say(H + b"Set-Cookie: evil=1\r\nContent-Length: 2\r\n\r\nhi"), b"hi", lacks=(b"evil",))
for field in (b"Keep-Alive: timeout=5", b"Proxy-Authenticate: Basic", b"Upgrade: h2c", b"Trailer: x", b"TE: x",
        b"Proxy-Connection: x"):
    served(f"hop by hop: {field.decode()}", say(H + field + b"\r\nContent-Length: 2\r\n\r\nhi"), b"hi", lacks=(field,))

# What is said of limits and usage
for name, more in {"Retry-After of 20 digits": b"Retry-After: 99999999999999999999",
        "negative": b"Retry-After: -5\r\nretry-after-ms: nan", "not a date": b"Retry-After: Thu, 99 Foo 2099",
                   "limits without sense": b"x-ratelimit-remaining-tokens: -99999999999999999999\r\nx-ratelimit-reset-tokens: 1e400s\r\nx-ratelimit-limit-tokens: 0"}.items():  # fmt: skip
    case(f"429: {name}", say(b"HTTP/1.1 429 X\r\n" + more + b"\r\nContent-Length: 0\r\n\r\n"), statuses=(429, 503))
for name, text in {"huge": b'{"usage":{"prompt_tokens":99999999999999999999999,"completion_tokens":-5,"total_tokens":1e308}}',
        "deep": b'{"usage":' + b'{"a":' * 3000 + b"1" + b"}" * 3000 + b"}",
                   "an array": b'{"usage":[1,2,3]}', "twice": b'{"usage":{"prompt_tokens":1},"usage":{"prompt_tokens":2}}',
                   "no JSON": b'{"usage":{'}.items():  # fmt: skip
    served(f"usage: {name}", say(ok(text)), text)
bomb = gzip.compress(b"\0" * 10_000_000)
served("a bomb, packed", say(H + JSON + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(bomb) + bomb), bomb)

# Streams
OK_EVENT = b'data: {"choices":[{"index":0,"delta":{"content":"hi"}}]}\n\n'


def chunk(data):
    return b"%x\r\n%s\r\n" % (len(data), data)


def stream(name, *pieces, verdict="cut", **more):
    case(f"stream: {name}", say(H + SSE + CHUNKED + b"\r\n", *pieces, close=True, pause=0), verdict, (200, 502, 503), None,
        STREAM, **more)


stream("cut in an event", chunk(OK_EVENT), chunk(b'data: {"choi'))
stream("cut in a chunk", chunk(OK_EVENT), b"50\r\ndata: ")
stream("bad chunk", chunk(OK_EVENT), b"zz\r\n")
stream("event of 8 MB", chunk(OK_EVENT), chunk(b"data: " + b"a" * 8_000_000 + b"\n\n"), verdict="any")
stream("no line ever ends", chunk(OK_EVENT), chunk(b"d" * 8_000_000), verdict="any")
stream("10 MB of comments first", chunk(b": ping\n\n" * 1_250_000), chunk(OK_EVENT), verdict="any")
stream("bytes that are no UTF-8", chunk(OK_EVENT), chunk(b"data: \xff\xfe\x00\n\n"), b"0\r\n\r\n", verdict="any")
stream("a second answer behind", chunk(OK_EVENT), chunk(b"data: [DONE]\n\n"), b"0\r\n\r\n" + EVIL, verdict="any")
stream("events after the end", chunk(OK_EVENT), chunk(b"data: [DONE]\n\n"), chunk(b"data: EVIL\n\n"), b"0\r\n\r\n",
    verdict="any")


def whole(out, method):
    """The answer, if it ends as it said it would."""
    try:
        answers, rest = read_answers(out, [method], closed=False)
    except Fault as fault:
        return None, [f"the answer is malformed: {fault}"]
    if len(answers) > 1 or (answers and rest):
        return None, ["more than one answer"]
    return (answers[0] if answers else None), []


def judge(case, out, closed):
    _, _, verdict, statuses, body, request, lacks, _, _ = case
    answer, wrong = whole(out, request.split(b" ")[0].decode())
    head = out.partition(b"\r\n\r\n")[0]
    if not closed:
        wrong.append("the connection stays open")
    if not re.fullmatch(rb"HTTP/1.1 \d{3} .*", head.partition(b"\r\n")[0]):
        return [*wrong, f"no answer: {out[:80]!r}"]
    status = int(head[9:12])
    if re.search(rb"\r[^\n]|[^\r]\n", head):
        wrong.append("CR or LF alone in the head")
    wrong += [f"{part!r} is passed on" for part in (*lacks, BACKEND_KEY.encode()) if part in out]
    if b"EVIL" in out and verdict != "any":
        wrong.append("the second answer is passed on")
    told = answer is not None and (b'"error"' in answer.body)
    if verdict == "cut" and (answer is None or told):
        # Either the client sees an end that is none, or nothing but an error has gone out.
        return wrong
    if verdict != "any" and status not in statuses:
        wrong.append(f"status {status}, not one of {statuses}: {out[:300]!r}")
    elif verdict == "accepted" and (answer is None or (body is not None and answer.body != body)):
        wrong.append(f"the body is {out[len(head) : len(head) + 100]!r}")
    elif verdict == "cut":
        wrong.append("an answer that was cut looks whole")
    elif verdict == "refused" and not told:
        wrong.append(f"no error: {out[:300]!r}")
    return wrong


def run(folder):
    tally = Tally("answers of hostile backends")
    speak = [None]
    recorder = Recorder(lambda message, send: ok() if b"?next" in message.first else speak[0](send))
    backend = recorder.config(timeouts={"first_token": "1s", "stall": "1s"})
    retry = {"default_cool_down": "10ms", "max_cool_down": "10ms", "max_attempts": 1}
    with wire.gateway(folder / "answers", backend, retry=retry) as gateway:
        for case in CASES:
            speak[0] = case[1]
            out, closed = talk(gateway.port, case[5], seconds=6)
            wrong = judge(case, out, closed)
            time.sleep(case[8])
            wrong += next_one(gateway.port)
            verdict = {"cut": "refused", "any": "accepted"}.get(case[2], case[2])
            tally.add(case[0], "lenient" if case[7] else verdict, "; ".join(wrong))
    recorder.close()
    return tally


def next_one(port):
    """Another client's request, once the backend may be asked again: its own answer, or an error that is the gateway's."""
    for _ in range(50):
        out, _ = talk(port, NEXT, seconds=6)
        if b"EVIL" in out or b"evil" in out:
            return [f"POISONED: {out[:200]!r}"]
        if out.endswith(b'{"mine":1}') and out.count(b"HTTP/1.1") == 1:
            return []
        if not out.startswith((b"HTTP/1.1 429", b"HTTP/1.1 503", b"HTTP/1.1 502")):
            break
        time.sleep(0.02)
    return [f"the next client gets {out[:300]!r}"]
