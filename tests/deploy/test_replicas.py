"""Three gateways behind HAProxy with deploy/proxies/haproxy.cfg, which share their limits through Redis (a primary, its
replica and a sentinel; TLS; a user of its own for each part) and their keys through PostgreSQL."""

import contextlib
import json
import re
import signal
import subprocess
import threading
import time

import httpx
import pytest

import machines
from machines import ROOT, harness
import postgres  # of tests/e2e, whose path machines adds
from streams import Stream

KEY = {"api-key": harness.CLIENT_KEY}
LIMITED = "the-limited-clients-key"


ADMIN = {"authorization": "Bearer the-admins-token-0123456789"}
SECRET = "of-redis-0123456789"
# What each may do: docs/quotas.md has the gateway's line.
USERS = f"""user default off
user spillway on >{SECRET} ~spillway:* +@all -@admin -@dangerous
user replica on >{SECRET} +psync +replconf +ping
user sentinel on >{SECRET} allchannels +multi +slaveof +ping +exec +subscribe +config|rewrite +role +publish +info +client|setname +client|kill +script|kill
"""


class Server:
    """Something else that runs beside: Redis, HAProxy."""

    def __init__(self, folder, name, *command):
        self.command, self.log = list(map(str, command)), folder / f"{name}.log"
        self.process = None
        self.start()

    def start(self):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)

    def kill(self):
        self.process.kill()
        self.process.wait()


class Replica(harness.Process):
    def __init__(self, folder, number, port, settings, redis):
        self.url, self.admin = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{port + 1}"
        config = folder / f"replica-{number}.yaml"
        config.write_text(json.dumps(harness.gateway_config(port, **settings, access_log=folder / f"access-{number}.jsonl", redis=redis)))
        self.arguments = (folder, f"replica-{number}", ["serve", "--config", config, "--grace", "60"])
        self.begin()

    def begin(self):
        super().__init__(*self.arguments)
        self.wait_ready(f"{self.admin}/readyz")

    def restart(self):
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(70) == 0, self.log_text()
        self.begin()


def haproxy_config(replicas, port):
    """The example with these three gateways in the place of its two."""
    text = (ROOT / "deploy/proxies/haproxy.cfg").read_text()
    text = re.sub(r"^resolvers docker\n(?: .*\n)+", "", text, flags=re.MULTILINE)
    text = re.sub(r" init-addr \S+ resolvers docker", "", text)
    text = re.sub(r"default-server check port 8081", "default-server check", text)
    text = text.replace("maxconn 20000", "maxconn 2000")  # of which each needs two descriptors
    text = re.sub(r" +server gateway-.*\n", "", text).replace("bind :8080", f"bind 127.0.0.1:{port}")
    for number, one in enumerate(replicas):
        data, admin = (url.rsplit(":", 1)[1] for url in (one.url, one.admin))
        text += f"    server gateway-{number} 127.0.0.1:{data} port {admin}\n"
    return text


class SharedRedis:
    """A primary, a replica and the sentinel that makes the one the other when it is gone."""

    def __init__(self, folder, program, stops):
        self.folder, self.program = folder, program
        machines.run(
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
            "-subj", "/CN=redis.example", "-addext", "subjectAltName=IP:127.0.0.1",
            "-keyout", folder / "redis.key", "-out", folder / "redis.pem",
        )  # fmt: skip
        (folder / "users.acl").write_text(USERS)
        ports = harness.free_ports(3)
        self.ports, self.sentinel = (ports, ports + 1), ports + 2
        self.servers = [self._server(0), self._server(1, "--replicaof", "127.0.0.1", ports)]
        (folder / "sentinel.conf").write_text(
            f"sentinel monitor shared 127.0.0.1 {ports} 1\nsentinel auth-user shared sentinel\nsentinel auth-pass shared {SECRET}\n"
            "sentinel down-after-milliseconds shared 1000\nsentinel failover-timeout shared 3000\n"
            f"requirepass {SECRET}\n"
        )
        watcher = Server(folder, "sentinel", program, folder / "sentinel.conf", "--sentinel", *self._tls(self.sentinel))
        for one in (*self.servers, watcher):
            stops.callback(one.kill)
        harness.wait_until(lambda: "slaves=1" in watcher.log.read_text() or self.replicas_known(), 20, every=0.3)

    def _tls(self, port):
        return (
            "--port", "0", "--tls-port", port, "--bind", "127.0.0.1", "--tls-cert-file", self.folder / "redis.pem",
            "--tls-key-file", self.folder / "redis.key", "--tls-ca-cert-file", self.folder / "redis.pem",
            "--tls-auth-clients", "no", "--tls-replication", "yes",
        )  # fmt: skip

    def _server(self, number, *more):
        return Server(
            self.folder, f"redis-{number}", self.program, *self._tls(self.ports[number]), "--save", "", "--appendonly", "no",
            "--dir", self.folder, "--aclfile", self.folder / "users.acl", "--masteruser", "replica", "--masterauth", SECRET, *more,
        )  # fmt: skip

    def ask(self, port, *words, user=()):
        return machines.run(
            "redis-cli", "-p", port, "--tls", "--cacert", self.folder / "redis.pem", *user, "--no-auth-warning", "-a", SECRET, *words, check=False
        ).stdout  # fmt: skip

    def replicas_known(self):
        return "num-slaves\n1\n" in self.ask(self.sentinel, "sentinel", "master", "shared")

    def settings(self):
        return {
            "url": "rediss://spillway@shared", "password": SECRET, "ca_file": str(self.folder / "redis.pem"),
            "sentinels": [f"127.0.0.1:{self.sentinel}"], "sentinel_password": SECRET,
        }  # fmt: skip

    def primary(self):
        """The number of the server that takes writes, as the sentinel says."""
        port = self.ask(self.sentinel, "sentinel", "get-master-addr-by-name", "shared").split()[1]
        return self.ports.index(int(port))


class Fleet:
    def __init__(self, folder):
        machines.need("haproxy", "redis-server", "redis-cli", "openssl")
        if postgres.programs() is None:
            raise machines.Missing("postgresql: not installed")
        self.stops = contextlib.ExitStack()
        try:
            self._start(folder)
        except BaseException:
            self.stops.close()
            raise

    def _start(self, folder):
        self.emulator = harness.Emulator(folder, extra=("--ttft", "50ms", "--tokens-per-second", "40"))
        self.stops.callback(self.emulator.stop)
        self.redis = SharedRedis(folder, "redis-server", self.stops)
        self.store = postgres.Cluster()
        self.stops.callback(self.store.remove)
        (folder / "store.url").write_text(self.store.url)
        port = harness.free_ports(7)
        settings = {
            "backends": [harness.backend(f"r{i + 1}", url) for i, url in enumerate(self.emulator.urls)],
            "clients": [
                {"name": "e2e", "key": harness.CLIENT_KEY},
                {"name": "limited", "key": LIMITED, "limits": {"requests_per_minute": 30}},
            ],
            "store": {"url_file": str(folder / "store.url")},
            "admin": {"token": ADMIN["authorization"][7:]},
        }
        self.replicas = []
        for number in range(3):
            self.replicas.append(Replica(folder, number, port + 1 + 2 * number, settings, self.redis.settings()))
            self.stops.callback(self.replicas[-1].stop)
        self.port = port
        self.url = f"http://127.0.0.1:{self.port}"
        (folder / "haproxy.cfg").write_text(haproxy_config(self.replicas, self.port))
        self.haproxy = Server(folder, "haproxy", "haproxy", "-db", "-f", folder / "haproxy.cfg")
        self.stops.callback(self.haproxy.kill)
        harness.wait_until(lambda: self.serves(), 20, every=0.2)
        time.sleep(2)  # each check has risen

    def shares_limits(self):
        """Whether each replica has Redis."""
        told = [httpx.get(f"{one.admin}/metrics", headers=ADMIN, timeout=5).text for one in self.replicas]
        return all("\nspillway_redis_connected 1\n" in text for text in told)

    def serves(self):
        try:
            return harness.post_chat(self.url, max_tokens=3, timeout=5).status_code == 200
        except httpx.HTTPError:
            return False


@pytest.fixture(scope="module")
def fleet(tmp_path_factory):
    one = Fleet(tmp_path_factory.mktemp("fleet"))
    yield one
    one.stops.close()


class Load:
    """Short requests, one after the other, by six clients until it is left; `failed` says what went wrong."""

    def __init__(self, url):
        self.url, self.failed, self.done, self.end = url, [], 0, threading.Event()
        self.threads = [threading.Thread(target=self._ask) for _ in range(6)]

    def _ask(self):
        with httpx.Client(timeout=30) as client:
            while not self.end.is_set():
                try:
                    answer = client.post(harness.chat_url(self.url), headers=KEY, json=harness.chat_body("Hello [[tokens:5]]"))
                    if answer.status_code != 200:
                        self.failed.append(f"{answer.status_code} {answer.text[:200]}")
                except httpx.HTTPError as error:
                    self.failed.append(repr(error))
                self.done += 1

    def __enter__(self):
        for one in self.threads:
            one.start()
        return self

    def __exit__(self, *_):
        self.end.set()
        for one in self.threads:
            one.join()


def test_limits_hold_over_replicas(fleet):
    """30 requests a minute are 30 whichever replica is asked."""
    served = [harness.post_chat(fleet.url, key=LIMITED, max_tokens=3).status_code for _ in range(45)]
    assert set(served) <= {200, 429}
    # The minute slides: what is paid back during the test may be served again.
    assert 28 <= served.count(200) <= 34, served.count(200)


def test_rolling_restart_loses_nothing(fleet):
    with Load(fleet.url) as load:
        streams = [Stream(fleet.url, KEY, tokens=300) for _ in range(6)]
        for one in fleet.replicas:
            one.restart()
            time.sleep(3)  # until its check has risen
    for one in streams:
        one.ends_well()
    print(f"    {load.done} requests and {len(streams)} streams during three restarts, {len(load.failed)} failed")
    assert load.done > 100
    assert load.failed == []


def test_one_killed_costs_its_own_alone(fleet):
    with Load(fleet.url) as load:
        time.sleep(1)
        fleet.replicas[0].kill()
        time.sleep(4)
        fleet.replicas[0].begin()
        time.sleep(3)
    print(f"    {load.done} requests around a kill, {len(load.failed)} failed")
    # Those that it had in hand: at most the six that are under way at a time.
    assert len(load.failed) <= 6, load.failed
    assert load.done > 50


def test_a_key_holds_at_each_and_its_revocation_too(fleet):
    made = httpx.post(f"{fleet.replicas[0].admin}/api/keys", headers=ADMIN, json={"client": "app"}, timeout=10).json()
    key, path = made["key"], f"/api/keys/{made['id']}"

    def at_each():
        return [harness.post_chat(one.url, key=key, max_tokens=3).status_code for one in fleet.replicas]

    harness.wait_until(lambda: at_each() == [200] * 3, 1, every=0.05)
    assert httpx.delete(f"{fleet.replicas[1].admin}{path}", headers=ADMIN, timeout=10).is_success
    harness.wait_until(lambda: at_each() == [401] * 3, 1, every=0.05)


def test_redis_fails_over(fleet):
    """The primary is killed under load: nothing is lost, and the limits are shared again, by the replica that was."""
    harness.wait_until(fleet.shares_limits, 10, every=0.1)
    gone = fleet.redis.primary()
    with Load(fleet.url) as load:
        time.sleep(0.5)
        fleet.redis.servers[gone].kill()
        began = time.monotonic()
        harness.wait_until(lambda: fleet.redis.primary() != gone and fleet.shares_limits(), 30, every=0.2)
        took = time.monotonic() - began
        time.sleep(0.5)
    print(f"    {load.done} requests, limits shared again after {took:.1f} s")
    assert load.failed == []
    assert load.done > 50
    served = [harness.post_chat(fleet.url, key=LIMITED, max_tokens=3).status_code for _ in range(45)]
    assert served.count(200) <= 34, served.count(200)


def test_without_redis_all_is_served(fleet):
    left = fleet.redis.servers[fleet.redis.primary()]
    with Load(fleet.url) as load:
        time.sleep(1)
        left.kill()
        time.sleep(3)
        if "--replicaof" in left.command:  # it was made the primary
            left.command = left.command[: left.command.index("--replicaof")]
        left.start()
        harness.wait_until(fleet.shares_limits, 20, every=0.2)
    assert load.failed == []
    assert load.done > 50


def test_without_postgres_all_is_served(fleet):
    with Load(fleet.url) as load:
        time.sleep(1)
        fleet.store.kill()
        time.sleep(3)
        fleet.store.start()
        time.sleep(1)
    assert load.failed == []
    assert load.done > 50
