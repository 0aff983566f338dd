"""A new program takes over from the running one: nobody is refused, nothing is cut. And two never share a port."""

import concurrent.futures
import contextlib
import os
import pathlib
import re
import signal
import socket
import subprocess
import threading
import time

import httpx
import pytest

import harness
import scripted
from harness import CLIENT_KEY, chat_body, chat_url, post_chat, sse_events, wait_until

HEADERS = {"api-key": CLIENT_KEY}
LONG = "Write a long story about a river."


def running(pid):
    with contextlib.suppress(OSError):
        return "State:\tZ" not in pathlib.Path(f"/proc/{pid}/status").read_text()
    return False


class Upgrades:
    """Has the gateway replaced by a new process, again and again."""

    def __init__(self, gateway):
        self.gateway = gateway
        self.pids = [gateway.process.pid]

    def upgrade(self):
        before = len(self.taken_over())
        os.kill(self.pids[-1], signal.SIGUSR2)
        wait_until(lambda: len(self.taken_over()) > before, 20)
        self.pids.append(int(self.taken_over()[-1]))

    def taken_over(self):
        return re.findall(r"process (\d+) has taken over", self.gateway.log_text())

    def stop(self):
        """The last one ends; those before it have to, by themselves."""
        if running(self.pids[-1]):
            os.kill(self.pids[-1], signal.SIGTERM)
        for pid in self.pids[1:]:
            wait_until(lambda pid=pid: not running(pid), 15)


@pytest.fixture
def upgrades(stack):
    started = []

    def start(**options):
        one = Upgrades(stack(**options).gateway)
        started.append(one)
        return one

    yield start
    for one in started:
        one.stop()


class Load:
    """Clients that ask one question after the other, on connections that are kept and on new ones."""

    def __init__(self, gateway, clients=4):
        self.url = chat_url(gateway.url)
        self.over = threading.Event()
        self.served = 0
        self.failed = []
        self.threads = [threading.Thread(target=self.ask, args=(i % 2 == 0,)) for i in range(clients)]
        for thread in self.threads:
            thread.start()

    def ask(self, keep):
        with httpx.Client(timeout=20) as kept:
            while not self.over.is_set():
                try:
                    client = kept if keep else httpx
                    status = client.post(self.url, headers=HEADERS, json=chat_body()).status_code
                    if status != 200:
                        self.failed.append(status)
                    self.served += 1
                except httpx.HTTPError as error:
                    self.failed.append(repr(error))

    def stop(self):
        self.over.set()
        for thread in self.threads:
            thread.join()


def read_stream(url):
    text = ""
    with (
        httpx.Client(timeout=60) as client,
        client.stream("POST", url, headers=HEADERS, json=chat_body(LONG, stream=True, max_tokens=60)) as answer,
    ):
        assert answer.status_code == 200
        for part in answer.iter_text():
            text += part
    return sse_events(text)


def test_upgrades_under_load_lose_nothing(upgrades):
    count = int(os.environ.get("SPILLWAY_UPGRADES", "3"))
    one = upgrades(resources=2, emulator_args=("--ttft", "10ms", "--tokens-per-second", "20"))
    gateway = one.gateway
    load = Load(gateway)
    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        streams = [pool.submit(read_stream, chat_url(gateway.url)) for _ in range(20)]
        time.sleep(0.5)
        for _ in range(count):
            one.upgrade()
            streams += [pool.submit(read_stream, chat_url(gateway.url)) for _ in range(2)]
        ends = [stream.result()[-1] for stream in streams]
    load.stop()
    assert load.failed == []
    assert load.served > 20
    assert ends == ["[DONE]"] * len(streams)
    # Those that were followed end by themselves, once their clients are done.
    assert gateway.process.wait(15) == 0
    for pid in one.pids[1:-1]:
        wait_until(lambda pid=pid: not running(pid), 15)
    answer = httpx.get(f"{gateway.admin}/healthz")
    assert answer.status_code == 200
    # Each request is in the log once, whoever served it.
    ids = [line["request_id"] for line in gateway.access_lines(load.served + len(streams))]
    assert len(ids) == len(set(ids)) == load.served + len(streams)


def test_a_cool_down_goes_along(stack):
    two = stack(resources=2)
    one = Upgrades(two.gateway)
    try:
        two.emulator.fault(0, 429, retry_after=30)
        wait_until(lambda: post_chat(two.gateway.url).status_code == 200 and two.emulator.requests()[0] > 0)
        asked = two.emulator.requests()[0]
        one.upgrade()
        for _ in range(6):
            assert post_chat(two.gateway.url).headers["x-spillway-backend"] == "r2"
        assert two.emulator.requests()[0] == asked
    finally:
        one.stop()


def chat(gateway, **more):
    return post_chat(gateway.url, **more)


def test_a_clients_minute_goes_on(upgrades):
    """Requests, tokens and users, over two upgrades: who has used up its minute gets no other one."""
    limits = {"requests_per_minute": 6, "tokens_per_minute": 100_000}
    one = upgrades(resources=1, clients=[{"name": "e2e", "key": CLIENT_KEY, "limits": limits}],
                   users={"field": True, "limits": {"requests_per_minute": 2}})  # fmt: skip
    assert [chat(one.gateway, user="alice").status_code for _ in range(3)] == [200, 200, 429]
    one.upgrade()
    assert chat(one.gateway, user="alice").status_code == 429
    assert chat(one.gateway, user="bob").status_code == 200
    one.upgrade()
    assert [chat(one.gateway, user="bob").status_code for _ in range(2)] == [200, 429]
    answer = chat(one.gateway)
    assert answer.headers["x-ratelimit-remaining-requests"] == "1", answer.headers
    assert [chat(one.gateway, user=name).status_code for name in ("carol", "dave")] == [200, 429]


def test_what_the_old_process_still_serves_counts(upgrades):
    """Its streams are in flight for the new one until they end."""
    one = upgrades(resources=1, emulator_args=("--ttft", "10ms", "--tokens-per-second", "20"),
                   clients=[{"name": "e2e", "key": CLIENT_KEY, "limits": {"concurrency": 2}}])  # fmt: skip
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        streams = [pool.submit(read_stream, chat_url(one.gateway.url)) for _ in range(2)]
        time.sleep(0.5)
        one.upgrade()
        assert chat(one.gateway, max_tokens=1).status_code == 429
        assert [stream.result()[-1] for stream in streams] == ["[DONE]", "[DONE]"]
    wait_until(lambda: chat(one.gateway, max_tokens=1).status_code == 200, 5)


def test_learned_quotas_modes_and_counts_go_along(upgrades):
    one = upgrades(resources=2, capacity=20)  # 20,000 tokens a minute, of which nothing is configured
    for _ in range(60):  # until each was asked
        assert chat(one.gateway, max_tokens=100).status_code == 200
        if all(entry["deployments"] for entry in one.gateway.backends().values()):
            break
    answer = httpx.post(f"{one.gateway.admin}/api/backends/r2/drain")
    assert answer.status_code == 200, answer.text
    before = one.gateway.backends()
    one.upgrade()
    after = one.gateway.backends()
    assert after["r2"]["state"] == "draining"
    for name in before:
        (was,), (is_) = before[name]["deployments"], after[name]["deployments"]
        assert [d["tpm"] for d in is_] == [was["tpm"]] and was["tpm"]
        assert abs(is_[0]["remaining_tokens"] - was["remaining_tokens"]) < 100, "what is used of it is known"
        assert after[name]["served"] == before[name]["served"]


@pytest.mark.parametrize("how", ["reload", "upgrade"])
def test_encrypted_reasoning_goes_back_to_who_made_it(tmp_path, how):
    """Also after a change: the first attempt goes there."""

    def seal(text):
        return "gAAAA" + text * 30

    async def answer(request, answer):
        sealed = seal(request.json()["input"][0]["content"])
        made = {"type": "reasoning", "id": "rs_1", "encrypted_content": sealed, "summary": []}
        await answer.send(200, {"id": "resp_1", "object": "response", "status": "completed", "output": [made],
                                "usage": {"input_tokens": 1, "output_tokens": 1, "total_tokens": 2}})  # fmt: skip

    backends = [scripted.Backend(name, answer) for name in "abcd"]
    gateway = harness.Gateway(tmp_path, [b.config() for b in backends])
    one = Upgrades(gateway)

    def ask(text, *back):
        body = {"model": "gpt-5", "input": [{"role": "user", "content": text}, *back]}
        got = httpx.post(f"{gateway.url}/openai/v1/responses", headers=HEADERS, json=body)
        assert got.status_code == 200
        return got.headers["x-spillway-backend"]

    try:
        made_by = {text: ask(text) for text in ("one", "two", "three", "four", "five", "six")}
        if how == "upgrade":
            one.upgrade()
        else:
            assert httpx.post(f"{gateway.admin}/api/reload").status_code == 200
            time.sleep(0.3)
        for text, backend in made_by.items():
            assert ask("more", {"type": "reasoning", "encrypted_content": seal(text)}) == backend
    finally:
        one.stop()
        for backend in backends:
            backend.stop()


def test_a_successor_that_cannot_start_changes_nothing(stack):
    gateway = stack(resources=1).gateway
    good = gateway.config.read_text()
    gateway.config.write_text("backends: nonsense\n")
    os.kill(gateway.process.pid, signal.SIGUSR2)
    wait_until(lambda: "the new process did not come to serve, this one goes on" in gateway.log_text(), 10)
    assert post_chat(gateway.url).status_code == 200
    gateway.config.write_text(good)
    one = Upgrades(gateway)
    one.upgrade()
    assert post_chat(gateway.url).status_code == 200
    one.stop()


def test_sockets_of_systemd_are_used(stack, tmp_path):
    """As sd_listen_fds(3) says: they are there before the gateway, and stay when it ends."""
    gateway = stack(resources=1).gateway
    gateway.stop()
    with socket.socket() as data, socket.socket() as admin:
        for one, port in ((data, gateway.port), (admin, gateway.port + 1)):
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            one.bind(("127.0.0.1", port))
            one.listen(100)
        script = f'exec 3<&{data.fileno()} 4<&{admin.fileno()}; LISTEN_FDS=2 LISTEN_PID=$$ exec "$@"'

        def start():
            return subprocess.Popen(
                ["bash", "-c", script, "sh", harness.SPILLWAY, "serve", "--config", gateway.config, "--keep-accepting", "0"],
                pass_fds=(data.fileno(), admin.fileno()), stdin=subprocess.DEVNULL, cwd=tmp_path,
            )  # fmt: skip

        with concurrent.futures.ThreadPoolExecutor() as pool:
            early = pool.submit(post_chat, gateway.url)  # before it starts: it waits
            time.sleep(0.2)
            process = start()
            assert early.result().status_code == 200
            assert httpx.get(f"{gateway.admin}/healthz").status_code == 200
            process.send_signal(signal.SIGTERM)
            assert process.wait(5) == 0
            between = pool.submit(post_chat, gateway.url)
            time.sleep(0.2)
            process = start()
            assert between.result().status_code == 200
            process.send_signal(signal.SIGTERM)
            assert process.wait(5) == 0


def test_of_two_that_start_together_one_serves(stack, tmp_path):
    gateway = stack(resources=1).gateway
    gateway.stop()
    config = gateway.config.read_text().replace('"admin": {', '"admin": {"enabled": false, ')
    gateway.config.write_text(config)

    def serves():  # the winner may have its port, and not listen yet
        with contextlib.suppress(httpx.ConnectError):
            return post_chat(gateway.url).status_code == 200
        return False

    for _ in range(10):
        both = [
            subprocess.Popen([harness.SPILLWAY, "serve", "--config", gateway.config, "--keep-accepting", "0"],
                             stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd=tmp_path)  # fmt: skip
            for _ in range(2)
        ]
        wait_until(lambda both=both: any(process.poll() is not None for process in both), 10)
        loser = next(process for process in both if process.poll() is not None)
        winner = both[1 - both.index(loser)]
        assert loser.returncode == 1
        assert b"Address already in use" in loser.stderr.read()
        wait_until(serves)
        assert winner.poll() is None
        winner.send_signal(signal.SIGTERM)
        assert winner.wait(5) == 0
