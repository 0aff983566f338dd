"""Replicas that share a PostgreSQL database: keys and owners are the same at both, and its absence stops nobody."""

import os
import subprocess
import threading
import time

import httpx
import pytest

import harness
import postgres
import scripted
from resources import Resource

ADMIN = {"authorization": "Bearer token-of-ada-0123456789"}
A, B = "key-of-a-0123456789", "key-of-b-0123456789"

pytestmark = pytest.mark.skipif(
    postgres.programs() is None and "CI" not in os.environ, reason="postgresql is not installed"
)


@pytest.fixture
def cluster():
    one = postgres.Cluster()
    yield one
    one.remove()


@pytest.fixture
def gateways(tmp_path, cluster):
    """A factory of gateways with one backend and one store."""
    started = []

    def start(backend, **settings):
        (tmp_path / "store.url").write_text(cluster.url + "\n")
        settings = {"store": {"url_file": str(tmp_path / "store.url")}, "admin": {"token": ADMIN["authorization"][7:]}, **settings}
        started.append(harness.Gateway(tmp_path, [backend.config()], **settings))
        return started[-1]

    yield start
    for one in started:
        one.stop()
        assert postgres.PASSWORD not in one.log_text()


@pytest.fixture
def backend():
    one = scripted.Backend("one", scripted.healthy)
    yield one
    one.stop()


def api(gateway, method, path="", **body):
    return httpx.request(method, f"{gateway.admin}/api/keys{path}", headers=ADMIN, json=body or None, timeout=20)


def status(client, gateway, key):
    return client.post(harness.chat_url(gateway.url), headers={"api-key": key}, json=harness.chat_body()).status_code


def seconds_until(condition, most):
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < most
        time.sleep(0.005)
    return time.monotonic() - began


def test_the_life_of_a_key_at_two_replicas(gateways, backend):
    two = [gateways(backend), gateways(backend)]
    with httpx.Client() as one, httpx.Client() as other:
        made = api(two[0], "POST", client="app", limits={"requests_per_minute": 1000})
        assert made.status_code == 201, made.text
        key, path = made.json()["key"], f"/{made.json()['id']}"
        assert status(one, two[0], key) == 200, "at once"
        assert seconds_until(lambda: status(other, two[1], key) == 200, 5) < 1

        rotated = api(two[1], "POST", f"{path}/rotate", overlap="1500ms").json()["key"]
        began = time.monotonic()
        assert status(other, two[1], rotated) == status(other, two[1], key) == 200, "both, for a while"
        assert seconds_until(lambda: status(one, two[0], rotated) == 200, 5) < 1
        assert status(one, two[0], key) == 200
        for client, gateway in ((one, two[0]), (other, two[1])):
            seconds_until(lambda client=client, gateway=gateway: status(client, gateway, key) == 401, 5)
            assert 1.4 < time.monotonic() - began < 2.5
            assert status(client, gateway, rotated) == 200

        assert api(two[0], "DELETE", path).json()["state"] == "revoked"
        assert status(one, two[0], rotated) == 401, "at once"
        assert seconds_until(lambda: status(other, two[1], rotated) == 401, 5) < 1
        assert api(two[1], "GET", path).json()["state"] == "revoked"
        taken = api(two[1], "POST", "/import", keys=[{"client": "x", "key": "old-key-0123456789"}])
        assert taken.status_code == 201 or taken.status_code == 200, taken.text
        assert api(two[0], "POST", "/import", keys=[{"client": "y", "key": "old-key-0123456789"}]).status_code == 409


def test_what_is_made_at_one_is_known_at_the_other(gateways):
    resource = Resource("x")
    clients = [{"name": "a", "key": A}, {"name": "b", "key": B}]
    try:
        two = [gateways(resource, clients=clients), gateways(resource, clients=clients)]

        def call(gateway, key, method, path, **more):
            return httpx.request(method, f"{gateway.url}/openai/v1{path}", headers={"api-key": key}, timeout=20, **more)

        made = call(two[0], A, "POST", "/files", files={"file": ("a.txt", b"abc")}, data={"purpose": "batch"})
        assert made.status_code == 200, made.text
        path = f"/files/{made.json()['id']}"
        time.sleep(1.5)  # written, and looked at
        assert call(two[1], B, "GET", path).status_code == 404
        assert call(two[1], A, "GET", path).status_code == 200
        assert call(two[0], B, "GET", path).status_code == 404
        for gateway in two:
            assert [one["id"] for one in call(gateway, A, "GET", "/files").json()["data"]] == [made.json()["id"]]
            assert call(gateway, B, "GET", "/files").json()["data"] == []
    finally:
        resource.stop()


@pytest.mark.parametrize("away, back", [("kill", "start"), ("freeze", "thaw")])
def test_known_keys_go_on_while_the_server_is_away(gateways, backend, cluster, away, back):
    two = [gateways(backend), gateways(backend)]
    key = api(two[0], "POST", client="app").json()["key"]
    with httpx.Client() as client:
        seconds_until(lambda: status(client, two[1], key) == 200, 5)
    ended = threading.Event()
    seen = []

    def load(gateway):
        with httpx.Client() as client:
            while not ended.is_set():
                for one in (key, harness.CLIENT_KEY):
                    began = time.monotonic()
                    seen.append((status(client, gateway, one), time.monotonic() - began))

    threads = [threading.Thread(target=load, args=(gateway,)) for gateway in two for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        time.sleep(0.5)
        getattr(cluster, away)()
        time.sleep(2)
        refused = api(two[0], "POST", client="late")
        assert (refused.status_code, refused.json()["error"]["code"]) == (503, "store_unavailable")
        assert postgres.PASSWORD not in refused.text
        harness.wait_until(lambda: "the store's keys cannot be read" in two[0].log_text())
        getattr(cluster, back)()
        harness.wait_until(lambda: "the store's keys can be read again" in two[1].log_text())
        made = harness.wait_until(lambda: next((a for a in [api(two[0], "POST", client="late")] if a.status_code == 201), None))
        with httpx.Client() as client:
            assert seconds_until(lambda: status(client, two[1], made.json()["key"]) == 200, 5) < 1
        time.sleep(0.5)
    finally:
        ended.set()
        for thread in threads:
            thread.join()
    assert len(seen) > 100
    assert {one for one, _ in seen} == {200}, "no request is lost"
    assert max(seconds for _, seconds in seen) < 2, "and none waits for the store"


def test_a_gateway_starts_while_the_server_is_away(gateways, backend, cluster):
    first = gateways(backend)
    key = api(first, "POST", client="app").json()["key"]
    cluster.kill()
    late = gateways(backend)
    open_to_all = gateways(backend, clients=[])
    assert f"the store postgresql://127.0.0.1:{cluster.port}/postgres cannot be read: " in late.log_text()
    with httpx.Client() as client:
        assert status(client, late, harness.CLIENT_KEY) == 200
        assert status(client, late, key) == 401, "it cannot know it"
        assert status(client, open_to_all, "anything") == 401, "keys may have been made"
        cluster.start()
        seconds_until(lambda: status(client, late, key) == 200, 5)
        seconds_until(lambda: status(client, open_to_all, key) == 200, 5)
        assert status(client, open_to_all, "anything") == 401


def test_the_url_is_shown_nowhere(gateways, backend, cluster, tmp_path):
    gateway = gateways(backend)

    def run(*arguments):
        done = subprocess.run([harness.SPILLWAY, *map(str, arguments)], capture_output=True, text=True, check=False)
        assert postgres.PASSWORD not in done.stdout + done.stderr
        return done

    shown = httpx.get(f"{gateway.admin}/api/config", headers=ADMIN).text
    assert postgres.PASSWORD not in shown and "***" in shown
    checked = run("check", "--config", gateway.config)
    assert 'url: "***"' in checked.stdout
    backup = run("backup", "--config", gateway.config, "--to", tmp_path / "kept")
    assert backup.returncode == 2 and "pg_dump" in backup.stderr
    gateway.stop()
    cluster.kill()
    assert "store.url: warning: postgresql://127.0.0.1" in run("check", "--config", gateway.config, "--connect").stderr
