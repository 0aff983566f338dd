"""Three gateways that share their limits through Redis, behind HAProxy with deploy/proxies/haproxy.cfg."""

import contextlib
import json
import re
import shutil
import signal
import subprocess
import threading
import time

import httpx
import pytest

import machines
from machines import ROOT, harness
from streams import Stream

KEY = {"api-key": harness.CLIENT_KEY}
LIMITED = "the-limited-clients-key"


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


class Fleet:
    def __init__(self, folder):
        machines.need("haproxy")
        server = shutil.which("valkey-server") or shutil.which("redis-server")
        if not server:
            raise machines.Missing("valkey-server or redis-server: not installed")
        self.stops = contextlib.ExitStack()
        try:
            self._start(folder, server)
        except BaseException:
            self.stops.close()
            raise

    def _start(self, folder, server):
        self.emulator = harness.Emulator(folder, extra=("--ttft", "50ms", "--tokens-per-second", "40"))
        self.stops.callback(self.emulator.stop)
        port = harness.free_ports(8)
        self.redis = Server(folder, "redis", server, "--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no")
        self.stops.callback(self.redis.kill)
        settings = {
            "backends": [harness.backend(f"r{i + 1}", url) for i, url in enumerate(self.emulator.urls)],
            "clients": [
                {"name": "e2e", "key": harness.CLIENT_KEY},
                {"name": "limited", "key": LIMITED, "limits": {"requests_per_minute": 30}},
            ],
        }
        redis = {"url": f"redis://127.0.0.1:{port}"}
        time.sleep(0.5)
        self.replicas = []
        for number in range(3):
            self.replicas.append(Replica(folder, number, port + 2 + 2 * number, settings, redis))
            self.stops.callback(self.replicas[-1].stop)
        self.port = port + 1
        self.url = f"http://127.0.0.1:{self.port}"
        (folder / "haproxy.cfg").write_text(haproxy_config(self.replicas, self.port))
        self.haproxy = Server(folder, "haproxy", "haproxy", "-db", "-f", folder / "haproxy.cfg")
        self.stops.callback(self.haproxy.kill)
        harness.wait_until(lambda: self.serves(), 20, every=0.2)
        time.sleep(2)  # each check has risen

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


def test_without_redis_all_is_served(fleet):
    with Load(fleet.url) as load:
        time.sleep(1)
        fleet.redis.kill()
        time.sleep(3)
        fleet.redis.start()
        time.sleep(2)
    assert load.failed == []
    assert load.done > 50
