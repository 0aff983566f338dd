"""Backends that cannot be reached, in each way there is: passed over at once, and each request asked once."""

import asyncio
import collections
import contextlib
import shutil
import socket
import ssl
import struct
import subprocess
import threading

import httpx
import pytest

import certificates
import harness
from faults import Row
from scripted import Backend, healthy
from test_fault_matrix import CULPRIT, Cell


class Unreachable:
    """A place where nobody can be asked; `url` is where, `seconds` how long an attempt may take."""

    def __init__(self, folder, what, stack):
        self.ssl, self.env, self.seconds = {}, {}, 0.5
        getattr(self, what)(folder, stack)

    def refused(self, folder, stack):
        self.url = f"http://127.0.0.1:{harness.free_ports(1)}"

    def no_such_name(self, folder, stack):
        self.url, self.seconds = "http://no-such-name.invalid", 2

    def a_name_that_hangs(self, folder, stack):
        """The C library's look-up of this one name takes as long as it likes; those of others are as ever."""
        source, library = folder / "slow.c", folder / "slow.so"
        source.write_text(SLOW_NAMES)
        subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
        self.env = {"LD_PRELOAD": str(library)}
        self.url, self.seconds = "http://slow.invalid", 2

    def no_tls(self, folder, stack):
        plain = Backend("plain", healthy)
        stack.callback(plain.stop)
        self.url = f"https://127.0.0.1:{plain.port}"

    def with_certificate(self, folder, stack, name, trusted=True, **more):
        authority = certificates.Authority(folder / "pki")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(authority.issue(name, usage=certificates.SERVER, **more))
        secure = Backend("secure", healthy, ssl=context)
        stack.callback(secure.stop)
        self.url = f"https://127.0.0.1:{secure.port}"
        self.ssl = {"tls": {"ca_file": str(authority.pem)}} if trusted else {}

    def expired_certificate(self, folder, stack):
        self.with_certificate(folder, stack, "ip:127.0.0.1", ends=-60)

    def certificate_of_another(self, folder, stack):
        self.with_certificate(folder, stack, "dns:elsewhere.example")

    def unknown_authority(self, folder, stack):
        self.with_certificate(folder, stack, "ip:127.0.0.1", trusted=False)

    def listening(self, stack, backlog=16):
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(backlog)
        return listener

    def a_connection_that_hangs(self, folder, stack):
        """A full backlog: SYNs are dropped."""
        listener = self.listening(stack, 0)
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        self.url, self.seconds = f"http://127.0.0.1:{listener.getsockname()[1]}", 2

    def a_handshake_that_hangs(self, folder, stack):
        self.url, self.seconds = f"https://127.0.0.1:{self.listening(stack, 512).getsockname()[1]}", 2

    def reset_when_accepted(self, folder, stack):
        listener = self.listening(stack)

        def serve():
            with contextlib.suppress(OSError):
                while True:
                    one, _ = listener.accept()
                    one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    one.close()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        stack.callback(lambda: listener.shutdown(socket.SHUT_RDWR))
        self.url = f"https://127.0.0.1:{listener.getsockname()[1]}"


SLOW_NAMES = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <netdb.h>
#include <string.h>
#include <unistd.h>
int getaddrinfo(const char* host, const char* service, const struct addrinfo* hints, struct addrinfo** out) {
    int (*next)(const char*, const char*, const struct addrinfo*, struct addrinfo**) = dlsym(RTLD_NEXT, "getaddrinfo");
    int asks = hints == 0 || (hints->ai_flags & AI_NUMERICHOST) == 0;
    if (asks && host != 0 && strcmp(host, "slow.invalid") == 0) sleep(20);
    return next(host, service, hints, out);
}
"""
PLACES = [name for name, what in vars(Unreachable).items() if name not in ("__init__", "with_certificate", "listening")
          and callable(what)]  # fmt: skip


@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize("what", PLACES)
def test_a_backend_that_cannot_be_reached_is_passed_over_at_once(tmp_path, what, count):
    if what == "a_name_that_hangs" and not shutil.which("cc"):
        pytest.skip("no C compiler")
    with contextlib.ExitStack() as stack:
        rest = [Backend(f"b{i}", healthy) for i in range(1, count)]
        for one in rest:
            stack.callback(one.stop)
        place = Unreachable(tmp_path, what, stack)
        gateway = harness.Gateway(tmp_path, [harness.backend("lost", place.url, timeouts={"connect": "2s"}, priority=1, **place.ssl),
                                             *(b.config(priority=2) for b in rest)],
                                  env=place.env, server={"threads": 1})  # fmt: skip
        stack.callback(gateway.kill if what == "a_name_that_hangs" else gateway.stop)
        shapes = ["plain", "stream", "form", "socket"] if rest else ["plain", "stream", "form"]
        with httpx.Client(timeout=30) as client:
            cell = Cell(Reached(gateway, rest), Sync(client), Row(what, None, True, ()), "plain", False)
            for number in range(12 if rest else 3):
                shape = shapes[number % len(shapes)]
                if shape == "socket":
                    asyncio.run(cell.socket())
                    continue
                answer, _ = asyncio.run(cell.send(f"Number {number}", CULPRIT, shape))
                assert answer.status_code == (200 if rest else 503), answer.text
                if not rest:
                    assert "no connection" in answer.json()["error"]["message"]
        texts = collections.Counter(request.body.split(b"Number ")[1][:2].strip() for b in rest for request in b.seen)
        assert not rest or (len(texts) == 9 and set(texts.values()) == {1}), f"each is asked once: {texts}"
        lines = gateway.access_lines(12 if rest else 3)
        failed = [a for line in lines for a in line["attempts"] if a["backend"] == "lost"]
        assert all(a["detail"] for a in failed), "the access log has the reason"
        if rest:
            assert len(failed) <= 4, "an ejection lasts 1 s at first"
        assert failed
        shown = gateway.backends()["lost"]
        assert shown["state"] in ("failed", "probing"), shown
        if rest:
            took = [line["total_ms"] for line in lines if not any(a["backend"] == "lost" for a in line["attempts"])]
            assert max(took) < 1000, "who is not asked there does not wait for it"


class Reached:
    """What a Cell needs of a Pool, with deployments that are not counted."""

    def __init__(self, gateway, backends):
        self.gateway, self.backends = gateway, backends
        self.cells, self.asked = {}, collections.Counter()


class Sync:
    """httpx.Client where an AsyncClient is expected."""

    def __init__(self, client):
        self.client = client

    async def post(self, *what, **more):
        return self.client.post(*what, **more)

    async def get(self, *what, **more):
        return self.client.get(*what, **more)
