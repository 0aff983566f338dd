"""Suite: the admin listener and the pages, as a web page in an operator's browser meets them (DNS rebinding, forged
requests, frames), and as someone does who can only connect (paths, tokens, streams that are never read)."""

import contextlib
import json
import resource
import socket
import time

import harness
import wire
from wire import Fault, Recorder, Tally, read_answers, talk

TOKEN, VIEWER = "admin-token-51c0ffee", "viewer-token-0ddba11"
DRAIN = "/api/backends/b1/drain"
EVIL = "evil.example"


class Chat(harness.Process):
    def __init__(self, folder, endpoint):
        self.port = harness.free_ports(1)
        settings = {"OPENAI_HOST": "azure_custom", "AZURE_OPENAI_CUSTOM_URL": endpoint,
            "AZURE_OPENAI_CHATGPT_DEPLOYMENT": harness.CHAT,
                    "AZURE_OPENAI_API_KEY_OVERRIDE": wire.KEY}  # fmt: skip
        super().__init__(folder, "chat", ["chat", "--listen", f"127.0.0.1:{self.port}", "--database", folder / "chat.db"],
            settings)
        self.wait_ready(f"http://127.0.0.1:{self.port}/healthz")


def ask(port, target, method="GET", body=b"", host=None, **fields):
    """(status, fields, body) of a request whose every byte is as it is here; status 0: closed without an answer."""
    lines = [f"{method} {target} HTTP/1.1", f"Host: {host if host is not None else f'127.0.0.1:{port}'}", "Connection: close",
        "Accept-Encoding: gzip"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in fields.items()]
    if body or method in ("POST", "PUT", "PATCH"):
        lines.append(f"Content-Length: {len(body)}")
    head = "\r\n".join((*lines, "", "")).encode("latin-1")
    out, closed = talk(port, head + body, seconds=3)
    try:
        answers, rest = read_answers(out, [method])
    except Fault as fault:
        return -1, {}, str(fault).encode()
    if not answers or rest or not closed:
        return 0, {}, out
    return answers[0].status, dict(answers[0].fields), answers[0].body


def modes(gateway):
    return {name: entry["state"] for name, entry in gateway.backends().items()}


# What a page can make a browser say of itself
FOREIGN_HOSTS = (
    EVIL, f"{EVIL}:8081", f"localhost.{EVIL}", f"127.0.0.1.{EVIL}", "localhost.", "evil.localhost", "127.1", "0", "0.0.0.0",
    "2130706433", "0x7f000001", "0177.0.0.1",
    "127.0.0.2", "[::ffff:127.0.0.1]", "[::]", "[::1", f"127.0.0.1@{EVIL}", f"127.0.0.1 {EVIL}", f"127.0.0.1,{EVIL}",
    f"127.0.0.1#{EVIL}", f"localhost\\{EVIL}",
    f"127.0.0.1%00.{EVIL}", "xn--lcalhost-c1a", "", f"localhost:80@{EVIL}", f"localhost:x.{EVIL}",
)  # fmt: skip
OWN_HOSTS = ("127.0.0.1", "localhost", "LOCALHOST:1", "[::1]", "[::1]:8081", "127.0.0.1:8081")


def hosts(tally, name, port, paths):
    for path in paths:
        for host in FOREIGN_HOSTS:
            status, _, body = ask(port, path, host=host)
            good = status in (400, 421) and b"b1" not in body
            tally.require(f"{name}: {path} by {host!r}", "refused", good, (status, body[:80]))
        for host in OWN_HOSTS:
            status, _, _ = ask(port, path, host=host)
            tally.require(f"{name}: {path} by {host!r}", "accepted", status == 200, status)


def origins(tally, name, port, path, body=b"", good=(200,), **fields):
    own = f"http://127.0.0.1:{port}"
    foreign = [
        {"origin": f"http://{EVIL}"}, {"origin": "null"}, {"origin": ""}, {"origin": "http://127.0.0.1:1"},
        {"origin": f"{own}.{EVIL}"}, {"origin": f"http://{EVIL}/{own}"},
        {"origin": f"{own}, http://{EVIL}"}, {"origin": f"http://{EVIL}#{own}"}, {"origin": f"http://user@{EVIL}"},
        {"origin": "file://"}, {"origin": "chrome-extension://abc"},
        {"origin": f"http://127.0.0.1:{port}@{EVIL}"}, {"origin": own, "sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site"}, {"sec_fetch_site": "none"},
        {"sec_fetch_site": "cross-site", "x_forwarded_host": f"127.0.0.1:{port}"},
        {"sec_fetch_site": "same-origin, cross-site"}, {"origin": f"http://{EVIL}", "referer": own},
        {"origin": f"http://{EVIL}", "content_type": "text/plain"}, {"origin": f"http://{EVIL}",
        "content_type": "application/x-www-form-urlencoded"},
    ]  # fmt: skip
    for more in foreign:
        status, answer, _ = ask(port, path, "POST", body, **{**fields, **more})
        seen = (status, answer.get("access-control-allow-origin"))
        tally.require(f"{name}: POST {path} from {more}", "refused", seen == (403, None), seen)
    for more in ({}, {"origin": own}, {"origin": own, "sec_fetch_site": "same-origin"}):
        status, _, _ = ask(port, path, "POST", body, **{**fields, **more})
        tally.require(f"{name}: POST {path} from {more}", "accepted", status in good, status)
    for more in ({"access_control_request_method": "POST"}, {"access_control_request_method": "GET",
            "access_control_request_private_network": "true"}):
        status, answer, _ = ask(port, path, "OPTIONS", origin=f"http://{EVIL}", **more)
        allowed = [n for n in answer if n.startswith("access-control")]
        tally.require(f"{name}: preflight {more}", "refused", not allowed and status != 200, (status, allowed))


TRICKS = (
    "//api/config", "/./api/config", "/x/../api/config", "/healthz/../api/config", "/healthz/..;/api/config",
    "/healthz;/../api/config", "/%61pi/config", "/api%2fconfig", "/api%5cconfig", "/api/config%00",
    "/api/config%20", "/api/config;x=1", "/api/config/", "/api//config", "/API/CONFIG", "/Api/config", "/api\\config",
    "\\api\\config", "/api/config%3f", "/api/config%23", "/api/config.json", "/api/.config",
    "/assets/../api/config", "/assets/%2e%2e/api/config", "/assets/..%2fapi/config", "/assets/%252e%252e/api/config",
    "/%c0%ae%c0%ae/api/config", "/api%c0%afconfig", "/%e0%80%af/api/config", "/..%c1%9capi/config",
    "/api/config\xe2\x80\x8b", "/\xef\xbc\x8fapi/config", "/../../../../etc/passwd", "/assets/../../../../etc/passwd",
    "/..%2f..%2f..%2fetc/passwd",
    "/%2e%2e/%2e%2e/etc/passwd", "/.%2e/etc/passwd", "/%2e%2e%5cetc%5cpasswd", "/..\\..\\etc\\passwd", "/assets//etc/passwd",
    "//etc/passwd", "/file:///etc/passwd", "/proc/self/environ", "/index.html%00.js", "/.git/config",
    "/assets/.", "/assets/", "/assets", "/.", "/..", "/%", "/%2", "/%zz", "/api/backends/%2e%2e/config",
    "/api/keys/../config", "/api/keys/%2e%2e%2fconfig", "/metrics/../api/config", "/metrics;", "/api/events/",
    "/;/api/config",
)  # fmt: skip
MARKS = (b"root:", b'"backends"', b"backend-key", b"spillway_", b"[core]", b"LANG=")


def paths(tally, name, port, allowed=(400, 401, 404, 405, 406)):
    for target in TRICKS:
        status, _, body = ask(port, target)
        good = status in allowed and not any(mark in body for mark in MARKS)
        tally.require(f"{name}: {target}", "refused", good, (status, body[:80]))


def tokens(tally, gateway, port):
    shown = {
        "none": {}, "wrong": {"authorization": "Bearer wrong"}, "a part": {"authorization": f"Bearer {TOKEN[:-1]}"},
        "longer": {"authorization": f"Bearer {TOKEN}x"}, "empty": {"authorization": "Bearer "},
        "basic": {"authorization": f"Basic {TOKEN}"}, "bare": {"authorization": TOKEN},
        "capitals": {"authorization": f"Bearer {TOKEN.upper()}"}, "cookie": {"cookie": f"token={TOKEN}"},
        "a client's key": {"api_key": wire.KEY}, "of a page": {"x_spillway_page": "1"},
        "of loopback": {"x_forwarded_for": "127.0.0.1", "x_real_ip": "127.0.0.1"},
        "NUL": {"authorization": f"Bearer {TOKEN}\0"},
    }  # fmt: skip
    for path in ("/api/backends", "/api/config", "/api/clients", "/api/live", "/api/events", "/api/usage", "/api/keys",
            "/metrics", "/api/nothing"):
        for sort, fields in shown.items():
            status, _, body = ask(port, path, **fields)
            good = status == (400 if sort == "NUL" else 401) and not any(mark in body for mark in MARKS)
            tally.require(f"token {sort}: {path}", "refused", good, (status, body[:80]))
    status, _, body = ask(port, f"/api/config?token={TOKEN}&access_token={TOKEN}")
    tally.require("token in the query", "refused", status == 401, status)
    for path in (DRAIN, "/api/reload", "/api/keys"):
        status, _, _ = ask(port, path, "POST", b"{}", authorization=f"Bearer {VIEWER}", content_type="application/json")
        tally.require(f"viewer: POST {path}", "refused", status == 403, status)
        # 32 MiB that nobody reads before it is known whose they are
        status, _, _ = ask(port, path, "POST", b"x" * 100_000)
        tally.require(f"nobody: POST {path}", "refused", status == 401, status)
    for method in ("PUT", "DELETE", "PATCH", "TRACE", "CONNECT", "get", "OPTIONS"):
        status, _, body = ask(port, "/api/config", method, authorization=f"Bearer {TOKEN}")
        tally.require(f"{method} /api/config", "refused", status in (400, 405) and TOKEN.encode() not in body, (status,
            body[:80]))
    status, _, body = ask(port, "/api/config", authorization=f"Bearer {VIEWER}")
    told = [secret for secret in (TOKEN, VIEWER, wire.KEY, wire.BACKEND_KEY) if secret.encode() in body]
    tally.require("viewer: /api/config", "accepted", status == 200 and not told, (status, told))
    status, _, _ = ask(port, DRAIN, "POST", origin=f"http://{EVIL}", authorization=f"Bearer {TOKEN}")
    tally.require("token from a foreign page", "refused", status == 403, status)


def frames(tally, name, port, page="/"):
    status, fields, _ = ask(port, page)
    wanted = {"x-frame-options": b"DENY", "x-content-type-options": b"nosniff", "referrer-policy": b"no-referrer",
        "cross-origin-opener-policy": b"same-origin", "cross-origin-resource-policy": b"same-origin"}
    for field, value in wanted.items():
        tally.require(f"{name}: {field}", "accepted", status == 200 and fields.get(field) == value, (status,
            fields.get(field)))
    policy = fields.get("content-security-policy", b"")
    for part in (b"default-src 'none'", b"frame-ancestors 'none'", b"base-uri 'none'", b"form-action 'none'",
            b"script-src 'self'"):
        tally.require(f"{name}: {part.decode()}", "accepted", part in policy.split(b"; "), policy)
    tally.require(f"{name}: nothing inline", "accepted", b"unsafe" not in policy and b"*" not in policy, policy)


def exhaustion(tally, gateway, port):
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, 8192), most))
    with contextlib.ExitStack() as stack:
        streams = []
        for _ in range(80):
            one = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=5))
            one.sendall(f"GET /api/events HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
            streams.append(one)
        statuses = [one.recv(32)[9:12] for one in streams]
        tally.require("80 event streams", "refused", statuses.count(b"200") == 64 and statuses.count(b"503") == 16, statuses)
        before = time.monotonic()
        status = ask(port, "/healthz")[0]
        tally.require("healthz beside them", "accepted", status == 200 and time.monotonic() - before < 1, status)
        tally.require("the API beside them", "accepted", ask(port, "/api/backends")[0] == 200, "")
    again = harness.wait_until(lambda: events_open(port), 10)
    tally.require("streams that have gone make room", "accepted", again, again)
    with contextlib.ExitStack() as stack:
        for _ in range(1200):  # more than the listener keeps
            stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=5))
        status = ask(port, "/healthz")[0]
        tally.require("healthz beside 1,200 idle connections", "accepted", status == 200, status)
        status = ask(gateway.port, "/healthz")[0]
        tally.require("the data port beside them", "accepted", status == 200, status)


def events_open(port):
    with socket.create_connection(("127.0.0.1", port), timeout=5) as one:
        one.sendall(f"GET /api/events HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
        return one.recv(32)[9:12] == b"200"


def run(folder):
    tally = Tally("admin listener and pages")
    recorder = Recorder()
    folder = folder / "admin"
    with wire.gateway(folder, recorder.config()) as gateway:
        port = gateway.port + 1
        hosts(tally, "admin", port, ("/api/backends", "/metrics", "/api/config"))
        origins(tally, "admin", port, "/api/backends/b1/enable")
        before = modes(gateway)
        for origin in (f"http://{EVIL}", "null"):
            status, _, _ = ask(port, DRAIN, "POST", origin=origin)
            tally.require(f"admin: drain from {origin}", "refused", status == 403 and modes(gateway) == before, status)
        # Nothing that is secret is there without a token, so what is asked for is only whether a path becomes another.
        paths(tally, "admin", port, (400, 404, 405, 406, 421))
        status, _, _ = ask(port, f"http://{EVIL}/api/config")
        tally.require("admin: absolute-form of a foreign host", "refused", status == 421, status)
        status, _, _ = ask(port, f"http://localhost:{port}/api/config", host=EVIL)
        tally.require("admin: absolute-form of its own, a foreign Host", "accepted", status == 200, status)
        frames(tally, "admin", port)
        exhaustion(tally, gateway, port)
        for target in ("/api/config", "/metrics", "/api/backends", "/admin/", "/api/events", "/index.html"):
            status, _, body = ask(gateway.port, target, host="gw")
            tally.require(f"data port: {target}", "refused", status in (401, 404) and not any(m in body for m in MARKS),
                (status, body[:80]))
    guarded = {"token": TOKEN, "tokens": [{"name": "eve", "role": "viewer", "token": VIEWER}]}
    with wire.gateway(folder / "guarded", recorder.config(), admin=guarded) as gateway:
        tokens(tally, gateway, gateway.port + 1)
        paths(tally, "admin with a token", gateway.port + 1)
        chat = Chat(folder, gateway.url)
        try:
            hosts(tally, "chat", chat.port, ("/", "/healthz"))
            body = json.dumps({"title": "x"}).encode()
            _, fields, _ = ask(chat.port, "/api/session", "POST", b"{}", content_type="application/json")
            cookie = fields.get("set-cookie", b"").decode()
            tally.require("chat: the session's cookie", "accepted", "HttpOnly" in cookie and "SameSite=Strict" in cookie,
                cookie)
            origins(tally, "chat", chat.port, "/api/conversations", body, good=(201,), content_type="application/json",
                cookie=cookie.partition(";")[0])
            paths(tally, "chat", chat.port)
            frames(tally, "chat", chat.port)
        finally:
            chat.stop()
    recorder.close()
    return tally
