"""Keys made at run time: made, used, rotated, revoked, with two gateways on one store; and the admins who may."""

import contextlib
import json
import subprocess
import time

import httpx
import pytest

import harness
import scripted
from resources import Resource

TOKENS = [
    {"name": "eve", "role": "viewer", "token": "token-of-eve-0123456789"},
    {"name": "otto", "role": "operator", "token": "token-of-otto-0123456789"},
    {"name": "ada", "role": "admin", "token": "token-of-ada-0123456789"},
]
EVE, OTTO, ADA = ({"authorization": f"Bearer {one['token']}"} for one in TOKENS)


@pytest.fixture
def two(tmp_path):
    backend = scripted.Backend("one", scripted.healthy)
    store = {"path": str(tmp_path / "store.db")}
    settings = {"store": store, "admin": {"tokens": TOKENS}}
    gateways = [harness.Gateway(tmp_path, [backend.config()], **settings) for _ in range(2)]
    gateways[0].backend = backend
    yield gateways
    for one in gateways:
        one.stop()
    backend.stop()


def api(gateway, method, path="", who=ADA, **body):
    answer = httpx.request(method, f"{gateway.admin}/api/keys{path}", headers=who, json=body or None)
    return answer


@contextlib.contextmanager
def running(tmp_path, backend, settings):
    gateway = harness.Gateway(tmp_path, [backend.config()], **settings)
    try:
        yield gateway
    finally:
        gateway.stop()


def status(client, gateway, key):
    return client.post(harness.chat_url(gateway.url), headers={"api-key": key}, json=harness.chat_body()).status_code


def seconds_until(condition, most=1.0):
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < most
        time.sleep(0.005)
    return time.monotonic() - began


def test_the_whole_life_of_a_key(two):
    with httpx.Client() as one, httpx.Client() as other:  # connections that are kept alive
        made = api(two[0], "POST", client="app", name="ci", limits={"requests_per_minute": 1000})
        assert made.status_code == 201, made.text
        made = made.json()
        key, path = made["key"], f"/{made['id']}"
        assert key.startswith("sk-spillway-") and len(key) == 54
        assert status(one, two[0], key) == 200, "at once"
        seconds_until(lambda: status(other, two[1], key) == 200)
        assert status(one, two[0], harness.CLIENT_KEY) == 200, "configured ones go on"
        assert key not in api(two[0], "GET", path).text

        rotated = api(two[1], "POST", f"{path}/rotate", overlap="1500ms").json()["key"]
        assert status(other, two[1], rotated) == status(other, two[1], key) == 200, "both, for a while"
        seconds_until(lambda: status(one, two[0], rotated) == 200)
        assert status(one, two[0], key) == 200
        for client, gateway in ((one, two[0]), (other, two[1])):
            seconds_until(lambda client=client, gateway=gateway: status(client, gateway, key) == 401, 2.5)
            assert status(client, gateway, rotated) == 200

        assert api(two[0], "DELETE", path).json()["state"] == "revoked"
        assert status(one, two[0], rotated) == 401, "at once"
        assert seconds_until(lambda: status(other, two[1], rotated) == 401) < 1
        assert api(two[1], "GET", path).json()["state"] == "revoked"
    log = two[0].log_text()
    assert key not in log and rotated not in log
    for verb in ("create", "revoke"):
        assert [line for line in log.splitlines() if "audit: ada changed key" in line and verb in line]


def test_keys_outlive_a_restart_and_a_store_that_is_away(two, tmp_path):
    key = api(two[0], "POST", client="app").json()["key"]
    assert two[0].stop() == 0
    settings = {"store": {"path": str(tmp_path / "store.db")}, "admin": {"tokens": TOKENS}}
    again = harness.Gateway(tmp_path, [two[0].backend.config()], **settings)
    try:
        with httpx.Client() as client:
            assert status(client, again, key) == 200, "from the first request on"
            for file in tmp_path.glob("store.db*"):
                file.rename(file.with_suffix(".gone"))
            time.sleep(0.5)
            assert all(status(client, again, key) == 200 for _ in range(20))
    finally:
        again.stop()


def test_what_a_key_used_of_its_period_outlives_a_restart(tmp_path):
    backend = scripted.Backend("one", scripted.healthy)
    settings = {"store": {"path": str(tmp_path / "store.db")}, "ledger": {"path": str(tmp_path / "usage.db")}}
    settings["admin"] = {"tokens": TOKENS}
    with running(tmp_path, backend, settings) as gateway, httpx.Client() as client:
        made = api(gateway, "POST", client="app", limits={"tokens": {"month": 400}}).json()
        other = api(gateway, "POST", client="app").json()
        answers = [status(client, gateway, made["key"]) for _ in range(60)]
        assert answers[0] == 200 and answers[-1] == 403, answers
        assert status(client, gateway, other["key"]) == 200
        time.sleep(0.3)
        usage = httpx.get(f"{gateway.admin}/api/usage?by=client,key", headers=ADA).json()["usage"]
        served = {row["key"]: row["requests"] - row["failed"] for row in usage}
        assert served == {made["id"]: answers.count(200), other["id"]: 1}
        assert {row["client"] for row in usage} == {"app"}
    with running(tmp_path, backend, settings) as gateway, httpx.Client() as client:
        assert status(client, gateway, made["key"]) == 403, "what is spent stays spent"
        assert status(client, gateway, other["key"]) == 200
        assert api(gateway, "PATCH", f"/{made['id']}", limits={"tokens": {"month": 100_000}}).status_code == 200
        assert status(client, gateway, made["key"]) == 200
    backend.stop()


def test_what_a_key_may(two):
    key = api(two[0], "POST", client="app", deployments=["gpt-4o"], limits={"requests_per_minute": 3}).json()["key"]
    with httpx.Client() as client:
        url = harness.chat_url(two[0].url, "gpt-4.1")
        assert client.post(url, headers={"api-key": key}, json=harness.chat_body()).status_code == 403
        assert [status(client, two[0], key) for _ in range(5)] == [200, 200, 200, 429, 429]
        other = api(two[0], "POST", client="app").json()["key"]
        assert status(client, two[0], other) == 200, "the limits are the key's own"
    line = two[0].access_lines(7)[-1]
    assert line["client"] == "app"


def test_roles(two):
    path = f"{two[0].admin}/api/backends/one/drain"
    assert api(two[0], "GET", who={}).status_code == 401
    assert api(two[0], "GET", who={"authorization": "Bearer wrong"}).status_code == 401
    assert api(two[0], "GET", who=EVE).status_code == 200
    for who in (EVE, OTTO):
        assert api(two[0], "POST", who=who, client="x").status_code == 403
    json_type = {"content-type": "application/json"}
    assert httpx.post(path, headers={**EVE, **json_type}).status_code == 403
    assert httpx.post(path, headers={**OTTO, **json_type}).status_code == 200
    assert "audit: otto changed backend one: before on, after draining" in two[0].log_text()
    for one in TOKENS:
        assert one["token"] not in two[0].log_text()
        assert one["token"] not in httpx.get(f"{two[0].admin}/api/config", headers=ADA).text


def test_the_command_line(two, tmp_path):
    def keys(*arguments, good=True):
        done = subprocess.run(
            [harness.SPILLWAY, "keys", *arguments, "--url", two[0].admin],
            env={"SPILLWAY_ADMIN_TOKEN": TOKENS[2]["token"]}, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert (done.returncode == 0) is good, done.stderr
        return done.stdout if good else done.stderr

    made = json.loads(keys("create", "--client", "cli", "--name", "n", "--tokens-per-minute", "9000", "--json"))
    assert made["settings"]["limits"] == {"tokens_per_minute": 9000}
    with httpx.Client() as client:
        assert status(client, two[0], made["key"]) == 200
        shown = keys("create", "--client", "cli", "--expires-in", "90d")
        key = next(line.split()[1] for line in shown.splitlines() if line.startswith("key"))
        assert status(client, two[0], key) == 200
        assert made["id"] in keys("list") and made["key"] not in keys("list")
        assert "n" in keys("show", made["id"])
        fresh = json.loads(keys("rotate", made["id"], "--overlap", "1h", "--json"))["key"]
        assert status(client, two[0], fresh) == status(client, two[0], made["key"]) == 200
        keys("change", made["id"], "--note", "hello")
        assert "hello" in keys("show", made["id"])
        keys("expire", made["id"], "--at", "2020-01-01")
        assert status(client, two[0], fresh) == 401
        keys("expire", made["id"], "--at", "never")
        assert status(client, two[0], fresh) == 200
        keys("revoke", made["id"])
        assert status(client, two[0], fresh) == 401
        old = tmp_path / "old.jsonl"
        old.write_text('{"client": "old", "key": "old-key-0123456789"}\n{"client": "old", "key": "older-key-0123456789"}\n')
        assert "2" in keys("import", str(old))
        assert status(client, two[0], "older-key-0123456789") == 200
    assert "client" in keys("create", "--client", "a b", good=False)
    assert "no such key" in keys("show", "key_nowhere", good=False)


def test_without_configured_clients_a_first_key_closes_the_door(tmp_path):
    backend = scripted.Backend("one", scripted.healthy)
    gateway = harness.Gateway(tmp_path, [backend.config()], clients=[], store={"path": str(tmp_path / "s.db")})
    try:
        with httpx.Client() as client:
            assert status(client, gateway, "anything") == 200
            made = api(gateway, "POST", who={}, client="app").json()
            assert status(client, gateway, made["key"]) == 200
            assert status(client, gateway, "anything") == 401
            api(gateway, "DELETE", f"/{made['id']}", who={})
            assert status(client, gateway, made["key"]) == 401
            assert status(client, gateway, "anything") == 401, "it stays closed"
    finally:
        gateway.stop()
        backend.stop()


def test_a_store_that_cannot_be_written_stops_nobody(tmp_path):
    """Only what needs it: keys cannot be made, and what clients make is remembered until the end."""
    (tmp_path / "file").write_text("")
    backend = Resource("x")
    settings = {
        "store": {"path": str(tmp_path / "file" / "store.db")},
        "clients": [{"name": name, "key": f"key-of-{name}-0123456789"} for name in "ab"],
        "admin": {"tokens": TOKENS},
    }
    gateway = harness.Gateway(tmp_path, [backend.config()], **settings)
    try:
        assert "whose things are whose is forgotten at a restart" in gateway.log_text()
        a, b = ({"api-key": client["key"]} for client in settings["clients"])
        files = f"{gateway.url}/openai/v1/files"
        made = httpx.post(files, headers=a, files={"file": ("a.txt", b"abc")}, data={"purpose": "batch"}).json()["id"]
        assert httpx.get(f"{files}/{made}", headers=a).status_code == 200
        assert httpx.get(f"{files}/{made}", headers=b).status_code == 404
        with httpx.Client() as client:
            assert status(client, gateway, "key-of-a-0123456789") == 200
        refused = api(gateway, "POST", client="app")
        assert (refused.status_code, refused.json()["error"]["code"]) == (503, "store_unavailable")
        harness.wait_until(lambda: "the store cannot be written: " in gateway.log_text())
        checked = subprocess.run([harness.SPILLWAY, "check", "--config", gateway.config], capture_output=True, text=True, check=False)  # fmt: skip
        assert "store.path" in checked.stdout + checked.stderr
    finally:
        gateway.stop()
        backend.stop()


def test_a_store_that_cannot_be_read_ends_the_start(tmp_path):
    """Keys and owners may be in it: to go on without would be to forget them."""
    store = tmp_path / "store.db"
    store.write_bytes(b"no database" * 100)
    backend = scripted.Backend("one", scripted.healthy)
    try:
        with pytest.raises(AssertionError, match="store.db"):
            harness.Gateway(tmp_path, [backend.config()], store={"path": str(store)})
    finally:
        backend.stop()


def test_nothing_is_written_before_there_is_something_to_keep(tmp_path):
    backend = scripted.Backend("one", scripted.healthy)
    gateway = harness.Gateway(tmp_path, [backend.config()])
    try:
        with httpx.Client() as client:
            assert status(client, gateway, harness.CLIENT_KEY) == 200
        time.sleep(0.4)
        assert not (tmp_path / "state").exists()
    finally:
        gateway.stop()
        backend.stop()


def test_backup_and_restore_of_keys(two, tmp_path):
    key = api(two[0], "POST", client="app").json()["key"]

    def run(*arguments):
        return subprocess.run([harness.SPILLWAY, *map(str, arguments)], capture_output=True, text=True, check=False)

    kept = tmp_path / "kept"
    done = run("backup", "--config", two[0].config, "--to", kept)
    assert done.returncode == 0, done.stderr
    assert "is in use" in run("restore", "--config", two[0].config, "--from", kept).stderr
    for one in two:
        one.stop()
    for file in tmp_path.glob("store.db*"):
        file.unlink()
    assert run("restore", "--config", two[0].config, "--from", kept).returncode == 0
    settings = {"store": {"path": str(tmp_path / "store.db")}, "admin": {"tokens": TOKENS}}
    again = harness.Gateway(tmp_path, [two[0].backend.config()], **settings)
    try:
        with httpx.Client() as client:
            assert status(client, again, key) == 200
    finally:
        again.stop()
