"""Redis, PostgreSQL and the ledger's disk, each killed, hung, slow, full, read-only and talking nonsense, under load: nobody's
request fails or waits, the state is told once, and all is as before when the trouble is over. Prints a table (pytest -s)."""

import contextlib
import os
import socket
import sqlite3
import subprocess
import threading
import time

import httpx
import pytest

import harness
import postgres
import scripted
from test_quotas import Redis, metric

ADMIN = {"authorization": "Bearer token-of-ada-0123456789"}
MOST_SECONDS = 2.0  # on a machine that does much else
LIMIT = 10_000_000


class Between:
    """A TCP proxy that passes on, or does what `fault` says."""

    def __init__(self, port):
        self.behind, self.fault, self.open = port, "", set()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=self.serve, args=(self.listener.accept()[0],), daemon=True).start()

    def serve(self, near):
        if self.fault == "killed":
            return near.close()
        with contextlib.suppress(OSError), near, socket.create_connection(("127.0.0.1", self.behind)) as far:
            self.open |= {near, far}
            back = threading.Thread(target=self.pass_on, args=(far, near, True), daemon=True)
            back.start()
            self.pass_on(near, far, False)
            back.join()
            self.open -= {near, far}

    def pass_on(self, source, sink, answers):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                while self.fault == "hung":
                    time.sleep(0.05)
                if self.fault == "slow":
                    time.sleep(1)
                if self.fault == "garbage" and answers:
                    data = b"\x00\xff*99999999\r\n$-7\r\nE" * 9
                sink.sendall(data)
        for one in (source, sink):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def begin(self, fault):
        self.fault = fault
        if fault in ("killed", "garbage"):
            for one in list(self.open):
                with contextlib.suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)

    def end(self):
        self.fault = ""

    def close(self):
        self.listener.close()


class Load:
    """Clients that ask one question after the other; how each ended, and how long it took."""

    def __init__(self, gateway, clients=3):
        self.url, self.over, self.seen = harness.chat_url(gateway.url), threading.Event(), []
        self.threads = [threading.Thread(target=self.ask, args=(n,)) for n in range(clients)]
        for thread in self.threads:
            thread.start()

    def ask(self, number):
        with httpx.Client(timeout=20) as client:
            while not self.over.is_set():
                began = time.monotonic()
                body = harness.chat_body(f"{number} {len(self.seen)}", stream=number == 0, user=f"user-{number}")
                answer = client.post(self.url, headers={"api-key": harness.CLIENT_KEY}, json=body)
                self.seen.append((answer.status_code, time.monotonic() - began))
                time.sleep(0.01)

    def stop(self):
        self.over.set()
        for thread in self.threads:
            thread.join()

    def judge(self, what):
        statuses, slowest = {status for status, _ in self.seen}, max(seconds for _, seconds in self.seen)
        print(f"  {what:24} {len(self.seen):5} requests, {sorted(statuses)}, slowest {slowest * 1000:.0f} ms")
        assert len(self.seen) > 10
        assert statuses == {200}
        assert slowest < MOST_SECONDS, "a request waits for nothing but its backend"


@contextlib.contextmanager
def load_on(gateway, what):
    load = Load(gateway)
    try:
        yield load
    finally:
        load.stop()
    load.judge(what)


@pytest.fixture
def backend():
    one = scripted.Backend("one", scripted.healthy)
    yield one
    one.stop()


@pytest.fixture
def gateway_with(tmp_path, backend):
    started = []

    def start(**settings):
        started.append(harness.Gateway(tmp_path, [backend.config()], **settings))
        return started[-1]

    yield start
    for one in started:
        one.stop()


def redis_says(redis, *words):
    """With a connection of its own, beside the proxy."""
    command = ["redis-cli", "-p", str(redis.port), "--no-auth-warning", "-a", redis.password, *words]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "OK" in done.stdout, done.stdout


REDIS = {
    "full": (("CONFIG", "SET", "maxmemory", "1"), ("CONFIG", "SET", "maxmemory", "0")),
    "read-only": (("CONFIG", "SET", "min-replicas-to-write", "1"), ("CONFIG", "SET", "min-replicas-to-write", "0")),
}


@pytest.mark.parametrize("fault", ["killed", "hung", "slow", "full", "read-only", "garbage"])
def test_redis(tmp_path, gateway_with, fault):
    redis = Redis(tmp_path)
    between = Between(redis.port)
    try:
        gateway = gateway_with(
            clients=[{"name": "e2e", "key": harness.CLIENT_KEY, "limits": {"tokens_per_minute": LIMIT}}],
            redis={**redis.settings, "url": f"redis://127.0.0.1:{between.port}", "timeout": "500ms"},
        )
        harness.wait_until(lambda: metric(gateway, "spillway_redis_connected") == 1)
        before = len(gateway.log_text())
        with load_on(gateway, f"redis {fault}"):
            time.sleep(0.5)
            if fault in REDIS:
                redis_says(redis, *REDIS[fault][0])
            else:
                between.begin(fault)
            harness.wait_until(lambda: metric(gateway, "spillway_redis_connected") == 0)
            time.sleep(1)
            if fault in REDIS:
                redis_says(redis, *REDIS[fault][1])
            else:
                between.end()
            harness.wait_until(lambda: metric(gateway, "spillway_redis_connected") == 1)
            time.sleep(0.5)
        said = [line for line in gateway.log_text()[before:].splitlines() if "redis: " in line]
        assert sum("limits are held at 1/" in line for line in said) == 1, said
        assert "limits are shared" in said[-1]
    finally:
        between.close()
        redis.kill()


POSTGRES = {
    "full": (
        "create function no_room() returns trigger language plpgsql as $$ begin raise exception 'could not extend file'"
        " using errcode = '53100'; end $$; do $$ declare t text; begin for t in select tablename from pg_tables where"
        " tablename like 'spillway_%' loop execute format('create trigger full_disk before insert or update on %I for each"
        " row execute function no_room()', t); end loop; end $$",
        "drop function no_room() cascade",
    ),
    "read-only": (
        "alter system set default_transaction_read_only = on; select pg_reload_conf()",
        "set default_transaction_read_only = off; alter system reset default_transaction_read_only; select pg_reload_conf()",
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def cluster():
    one = postgres.Cluster()
    yield one
    one.remove()


def query(cluster, text):
    """Each statement by itself; with a connection of its own, beside the proxy."""
    parts = [text] if "$$" in text else text.split("; ")
    words = [word for part in parts for word in ("-c", part)]
    subprocess.run([postgres.programs() / "psql", "-q", cluster.url, *words], check=True, capture_output=True)


@pytest.mark.skipif(postgres.programs() is None and "CI" not in os.environ, reason="postgresql is not installed")
@pytest.mark.parametrize("fault", ["killed", "hung", "slow", "full", "read-only", "garbage"])
def test_postgresql(tmp_path, gateway_with, cluster, fault):
    between = Between(cluster.port)
    (tmp_path / "store.url").write_text(cluster.url.replace(f":{cluster.port}/", f":{between.port}/"))
    try:
        gateway = gateway_with(store={"url_file": str(tmp_path / "store.url")}, admin={"token": ADMIN["authorization"][7:]})

        def keys(method, **body):
            return httpx.request(method, f"{gateway.admin}/api/keys", headers=ADMIN, json=body or None, timeout=20)

        made = keys("POST", client=f"app-{fault}")
        assert made.status_code == 201, made.text
        with load_on(gateway, f"postgresql {fault}"):
            time.sleep(0.3)
            if fault in POSTGRES:
                query(cluster, POSTGRES[fault][0])
            else:
                between.begin(fault)
            time.sleep(1)
            late = keys("POST", client=f"late-{fault}")
            if fault == "slow":
                assert late.status_code in (201, 503), late.text
            else:
                assert (late.status_code, late.json()["error"]["code"]) == (503, "store_unavailable"), late.text
                assert postgres.PASSWORD not in late.text
            if fault in POSTGRES:
                query(cluster, POSTGRES[fault][1])
            else:
                between.end()
            harness.wait_until(lambda: keys("POST", client=f"late-{fault}").status_code == 201, 15)
        assert postgres.PASSWORD not in gateway.log_text()
        assert gateway.log_text().count("cannot be read") <= 1, "told once"
    finally:
        between.close()


def rows(path):
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as db:
        return db.execute("SELECT count(*) FROM usage").fetchone()[0]


class Disk:
    """A small disk of its own; needs root."""

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir()
        self.mount("size=4m", "tmpfs", "-t", "tmpfs")

    def mount(self, options, *more):
        done = subprocess.run(["mount", *more, "-o", options, self.folder], capture_output=True, text=True, check=False)
        if done.returncode != 0 and "-t" in more:
            pytest.skip(f"mount: {done.stderr}")
        assert done.returncode == 0, done.stderr

    def unmount(self):
        subprocess.run(["umount", "-l", self.folder], check=False)


@pytest.mark.parametrize("fault", ["killed", "hung", "slow", "full", "garbage"])
def test_the_ledgers_disk(tmp_path, gateway_with, fault):
    """Killed: the file is deleted; hung: another process holds it for longer than anybody waits; slow: again and again for
    a moment; garbage: another process writes over it."""
    disk = Disk(tmp_path / "disk")
    ledger = tmp_path / "disk" / "usage.db"
    filler = tmp_path / "disk" / "filler"
    try:
        gateway = gateway_with(ledger={"path": str(ledger)})
        assert harness.post_chat(gateway.url).status_code == 200
        harness.wait_until(lambda: rows(ledger) == 1)
        told = f"the ledger {ledger} cannot be written: "
        with load_on(gateway, f"ledger {fault}") as load:
            time.sleep(0.3)
            if fault == "killed":
                for file in ledger.parent.glob("usage.db*"):
                    file.unlink()
                harness.wait_until(lambda: "it was deleted" in gateway.log_text())
            elif fault in ("hung", "slow"):
                for _ in range(1 if fault == "hung" else 10):
                    with contextlib.closing(sqlite3.connect(ledger, isolation_level=None, timeout=10)) as holder:
                        holder.execute("BEGIN IMMEDIATE")
                        if fault == "hung":
                            harness.wait_until(lambda: told in gateway.log_text(), 15)
                        else:
                            time.sleep(0.3)
                        holder.execute("COMMIT")
            elif fault == "full":
                with contextlib.suppress(OSError), open(filler, "wb") as file:
                    while True:
                        file.write(b"x" * 4096)
                        file.flush()
                harness.wait_until(lambda: told in gateway.log_text(), 15)
                filler.unlink()
            else:
                with open(ledger, "r+b") as file:
                    file.write(b"\xde\xad\xbe\xef" * (ledger.stat().st_size // 4))
                time.sleep(1)
            time.sleep(0.5)
        if fault in ("hung", "slow", "full"):
            harness.wait_until(lambda: rows(ledger) == len(load.seen) + 1, 15)
        elif fault == "killed":  # begun anew: what is asked from then on is in it
            assert harness.post_chat(gateway.url).status_code == 200
            harness.wait_until(lambda: rows(ledger) > 0)
        lines = [line for line in gateway.log_text().splitlines() if f"the ledger {ledger}" in line]
        assert sum("cannot be written" in line for line in lines) <= 1, "told once"
        assert lines or fault in ("slow", "garbage"), "told"
    finally:
        disk.unmount()


@pytest.mark.parametrize("fault", ["read-only", "garbage"])
def test_a_ledger_that_cannot_be_is_said_at_the_start(tmp_path, gateway_with, fault):
    """No disk that is written to can be made read-only; what fails then fails as on a full one."""
    disk = Disk(tmp_path / "disk")
    ledger = tmp_path / "disk" / "usage.db"
    try:
        gateway = gateway_with(ledger={"path": str(ledger)})
        gateway.stop()
        if fault == "read-only":
            disk.mount("remount,ro")
        else:
            ledger.write_bytes(b"\xde\xad\xbe\xef" * 4096)
        command = [harness.SPILLWAY, "serve", "--config", gateway.config]
        refused = subprocess.run(command, capture_output=True, text=True, check=False, timeout=20)
        assert refused.returncode == 1 and f"ledger {ledger}: " in refused.stderr, refused.stderr
    finally:
        disk.unmount()
