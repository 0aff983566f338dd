"""Starts the real binary (emulated resources and the gateway) on free ports and stops it again."""

import asyncio
import contextlib
import json
import os
import pathlib
import random
import signal
import socket
import subprocess
import threading
import time

import httpx

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("SPILLWAY_BIN_DIR", ROOT / "build/release/bin"))
SPILLWAY = BIN / "spillway"
FLOOD = BIN / "flood"

API_VERSION = "2025-04-01-preview"
CHAT = "gpt-4o"
EMBEDDING = "text-embedding-3-small"
CLIENT_KEY = "client-key-4c1f0d6b9e"
RESOURCE_KEY = "resource-key-77aa01e3"
# More than any test can use: 1,000,000 thousand tokens a minute.
PLENTY = 1_000_000

_next_port = random.SystemRandom().randrange(20000, 28000)
_next_port_lock = threading.Lock()


def _take_ports(count):
    global _next_port
    with _next_port_lock:
        first = _next_port
        _next_port += count
        if _next_port > 32000:
            _next_port = 20000
        return first


def free_ports(count):
    """The first of `count` neighbouring ports that nobody listens on; no two callers get the same, on any thread."""
    while True:
        first = _take_ports(count)
        with contextlib.ExitStack() as stack:
            try:
                for port in range(first, first + count):
                    probe = stack.enter_context(socket.socket())
                    probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return first


def wait_until(condition, seconds=10, every=0.02):
    """Polls until `condition()` is true and returns its value; fails after `seconds`."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < end, f"not so within {seconds} s: {condition}"
        time.sleep(every)


@contextlib.contextmanager
def running(log, *command, **options):
    """A program, its output in the file `log`, for as long as it is needed: no failure of a test leaves it behind, nor waits
    for it."""
    with open(log, "wb") as out:
        process = subprocess.Popen(list(map(str, command)), stdin=subprocess.DEVNULL, stdout=out, stderr=out, **options)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:  # Caddy waits for its connections as long as they like
            process.kill()
            process.wait()


class Process:
    """One running verb; its output goes to a file that a failed start shows."""

    def __init__(self, folder, name, arguments, env=None):
        self.log = folder / f"{name}.log"
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [str(SPILLWAY), *map(str, arguments)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                # What a gateway keeps is a test's own.
                env={"XDG_STATE_HOME": str(folder / "state"), **os.environ, **(env or {})},
                cwd=folder,
            )

    def wait_ready(self, url):
        def ready():
            assert self.process.poll() is None, f"ended with {self.process.returncode}:\n{self.log_text()}"
            with contextlib.suppress(httpx.HTTPError):
                return httpx.get(url, timeout=2).status_code == 200

        wait_until(ready)

    def log_text(self):
        return self.log.read_text(errors="replace")

    def resident_mib(self):
        """Its resident memory."""
        pages = pathlib.Path(f"/proc/{self.process.pid}/statm").read_text(encoding="ascii").split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE") / (1 << 20)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        """Asks it to end; returns its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.kill()
                raise AssertionError(f"did not end on SIGTERM:\n{self.log_text()}") from None
        return self.process.returncode


# Quick, but not at once: tokens still come one by one.
FAST = ("--ttft", "10ms", "--tokens-per-second", "1000")


class Emulator(Process):
    def __init__(self, folder, resources=3, capacity=PLENTY, name="emulator", extra=FAST):
        self.first_port = free_ports(resources + 1)
        self.admin = f"http://127.0.0.1:{self.first_port + resources}"
        self.resources = resources
        self.urls = [f"http://127.0.0.1:{self.first_port + i}" for i in range(resources)]
        super().__init__(
            folder,
            f"{name}-{self.first_port}",
            ["emulate", "--resources", resources, "--capacity", capacity, "--base-port", self.first_port,
             "--admin-port", self.first_port + resources, "--api-key", RESOURCE_KEY, *extra],
        )  # fmt: skip
        self.wait_ready(f"{self.admin}/stats")

    def fault(self, resource, kind, **parameters):
        """Sets a fault on resource 0, 1, …; the emulator counts from 1."""
        answer = httpx.post(f"{self.admin}/faults", json={"resource": resource + 1, "kind": kind, **parameters})
        assert answer.is_success, answer.text

    def clear(self):
        assert httpx.delete(f"{self.admin}/faults").is_success

    def stats(self):
        """One dict per resource, in order."""
        return httpx.get(f"{self.admin}/stats").json()["resources"]

    def requests(self):
        """How many requests each resource has received."""
        return [resource["requests"] for resource in self.stats()]


def backend(name, url, **more):
    return {"name": name, "url": url, "api_key": RESOURCE_KEY, **more}


class Gateway(Process):
    def __init__(self, folder, backends, env=None, ready="/healthz", options=("--keep-accepting", "0"), **settings):
        port = free_ports(2)
        self.port = port
        scheme = "https" if "tls" in settings.get("server", {}) else "http"
        self.url = f"{scheme}://127.0.0.1:{port}"
        self.admin = f"http://127.0.0.1:{port + 1}"
        self.access_log = folder / f"access-{port}.jsonl"
        self.config = folder / f"gateway-{port}.yaml"
        # JSON is YAML; the shapes are those of docs/configuration.md.
        self.config.write_text(json.dumps(gateway_config(port, backends, self.access_log, **settings), indent=1))
        super().__init__(folder, f"gateway-{port}", ["serve", "--config", self.config, *options], env)
        self.wait_ready(f"{self.admin}{ready}")

    def backends(self):
        """What the admin listener says of each backend, by name."""
        listed = httpx.get(f"{self.admin}/api/backends").json()["backends"]
        return {entry["name"]: entry for entry in listed}

    def access_lines(self, count, seconds=5):
        """The access log's lines as dicts, once there are `count` of them."""

        def lines():
            if not self.access_log.exists():
                return None
            found = [json.loads(line) for line in self.access_log.read_text().splitlines()]
            return found if len(found) >= count else None

        return wait_until(lines, seconds)


def gateway_config(port, backends, access_log, **settings):
    return {
        "server": {"listen": f"127.0.0.1:{port}", **settings.pop("server", {})},
        "admin": {"listen": f"127.0.0.1:{port + 1}", **settings.pop("admin", {})},
        "log": {"access": str(access_log)},
        "clients": [{"name": "e2e", "key": CLIENT_KEY}],
        "backends": backends,
        **settings,
    }


def chat_body(text="Say hello.", **more):
    return {"messages": [{"role": "user", "content": text}], **more}


def chat_url(base, deployment=CHAT):
    return f"{base}/openai/deployments/{deployment}/chat/completions?api-version={API_VERSION}"


def post_chat(base, key=CLIENT_KEY, text="Say hello.", deployment=CHAT, timeout=30, **more):
    return httpx.post(
        chat_url(base, deployment), headers={"api-key": key}, json=chat_body(text, **more), timeout=timeout
    )


async def chat_load(base, count, concurrency=32, key=CLIENT_KEY, on_each=None, **more):
    """Sends `count` chat requests, `concurrency` at a time. Returns (status, backend) of each."""
    gate = asyncio.Semaphore(concurrency)
    limits = httpx.Limits(max_connections=concurrency, max_keepalive_connections=concurrency)
    async with httpx.AsyncClient(limits=limits, timeout=60) as client:

        async def one(number):
            async with gate:
                answer = await client.post(
                    chat_url(base), headers={"api-key": key}, json=chat_body(f"Say hello {number}.", **more)
                )
                if on_each:
                    on_each(number)
                return answer.status_code, answer.headers.get("x-spillway-backend")

        return await asyncio.gather(*(one(number) for number in range(count)))


def sse_events(text):
    """The data of each server-sent event: parsed JSON, or "[DONE]". Fails on anything that is not well formed."""
    assert text.endswith("\n\n"), f"cut within an event: {text[-200:]!r}"
    events = []
    for block in text.replace("\r\n", "\n").split("\n\n")[:-1]:
        data = [line[5:].lstrip(" ") for line in block.split("\n") if line.startswith("data:")]
        if not data:
            continue
        joined = "\n".join(data)
        events.append(joined if joined == "[DONE]" else json.loads(joined))
    return events


def stream_text(events):
    """The text the chat chunks carry."""
    return "".join(
        choice["delta"].get("content") or ""
        for event in events
        if event != "[DONE]"
        for choice in event.get("choices", [])
    )
