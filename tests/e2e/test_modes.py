"""What an operator tells a backend to be: kept over reloads, restarts and upgrades, the same at all replicas, and in use
at once even where the store cannot keep it."""

import concurrent.futures
import json
import os
import signal
import time

import httpx
import pytest

import harness
import postgres
import scripted
from test_trust_upgrade import Upgrades

TOKENS = [{"name": "otto", "role": "operator", "token": "token-of-otto-0123456789"}]
OTTO = {"authorization": "Bearer token-of-otto-0123456789"}
needs_postgres = pytest.mark.skipif(
    postgres.programs() is None and "CI" not in os.environ, reason="postgresql is not installed"
)


@pytest.fixture
def start(tmp_path):
    """A factory of gateways before the same two backends."""
    backends = [scripted.Backend(name, scripted.healthy) for name in ("one", "two")]
    started = []

    def start(names=("one", "two"), **settings):
        settings = {"admin": {"tokens": TOKENS}, "store": {"path": str(tmp_path / "store.db")}, **settings}
        configured = [one.config(priority=1 + i) for i, one in enumerate(backends) if one.name in names]
        started.append(harness.Gateway(tmp_path, configured, **settings))
        return started[-1]

    yield start
    for one in [*started, *backends]:
        one.stop()


@pytest.fixture
def cluster():
    one = postgres.Cluster()
    yield one
    one.remove()


def tell(gateway, backend, verb):
    return httpx.post(f"{gateway.admin}/api/backends/{backend}/{verb}", headers=OTTO, timeout=20)


def modes(gateway):
    listed = httpx.get(f"{gateway.admin}/api/backends", headers=OTTO).json()["backends"]
    return {one["name"]: one["mode"] for one in listed}


def serving(gateway):
    return harness.post_chat(gateway.url).headers.get("x-spillway-backend")


def reload(gateway):
    answer = httpx.post(f"{gateway.admin}/api/reload", headers=OTTO, timeout=20)
    assert answer.status_code == 200, answer.text


def test_a_drain_outlives_reload_and_restart(start):
    gateway = start()
    assert serving(gateway) == "one"
    told = tell(gateway, "one", "drain")
    assert (told.status_code, told.json()) == (200, {"mode": "draining", "kept": True})
    assert "audit: otto changed backend one: before on, after draining" in gateway.log_text()
    assert "as the store says" not in gateway.log_text(), "its own word is no news"
    assert serving(gateway) == "two"
    reload(gateway)
    assert serving(gateway) == "two"
    gateway.kill()

    gateway = start()
    assert modes(gateway) == {"one": "draining", "two": "on"}
    assert serving(gateway) == "two"
    assert "backend 'one' is draining: set by otto at 20" in gateway.log_text()
    assert tell(gateway, "one", "enable").json() == {"mode": "on", "kept": True}
    assert serving(gateway) == "one"
    gateway.stop()
    assert modes(start()) == {"one": "on", "two": "on"}


def test_a_backend_that_is_away_for_a_while_comes_back_as_it_was_left(start):
    gateway = start()
    both = gateway.config.read_text()
    tell(gateway, "one", "disable")
    less = json.loads(both)
    less["backends"] = less["backends"][1:]
    gateway.config.write_text(json.dumps(less))
    reload(gateway)
    assert modes(gateway) == {"two": "on"}
    gateway.config.write_text(both)
    reload(gateway)
    assert modes(gateway) == {"one": "off", "two": "on"}
    other = start(names=("two",))
    assert "backend 'one' is not configured here; the store keeps that it is off: set by otto" in other.log_text()
    assert tell(other, "one", "drain").status_code == 404
    assert tell(other, "one", "enable").json() == {"mode": "on", "kept": True}, "which forgets it"
    harness.wait_until(lambda: modes(gateway) == {"one": "on", "two": "on"})


def test_a_drain_goes_along_with_an_upgrade(start):
    gateway = start()
    one = Upgrades(gateway)
    try:
        tell(gateway, "one", "drain")
        one.upgrade()
        assert [serving(gateway) for _ in range(4)] == ["two"] * 4
        assert tell(gateway, "one", "enable").json()["kept"] is True
        assert serving(gateway) == "one"
    finally:
        one.stop()


def test_operators_who_contradict_each_other_agree_in_the_end(start):
    both = [start(), start()]
    for _ in range(5):
        with concurrent.futures.ThreadPoolExecutor() as pool:
            said = [pool.submit(tell, gateway, "one", verb) for verb in ("drain", "enable", "disable") for gateway in both]
            assert all(one.result().json()["kept"] for one in said)
        time.sleep(0.5)
        assert modes(both[0]) == modes(both[1]), "the last word is one for both"
    last = modes(both[0])
    for gateway in both:
        gateway.stop()
    assert modes(start()) == last


@pytest.mark.parametrize("path", ["file/store.db", "off"])
def test_without_a_store_that_keeps_it_a_drain_holds_until_the_end(start, tmp_path, path):
    (tmp_path / "file").write_text("")
    store = {"path": str(tmp_path / path) if path != "off" else path}
    gateway = start(store=store)
    told = tell(gateway, "one", "drain")
    assert told.status_code == 200, "an operator who wants it now has it now"
    assert told.json()["mode"] == "draining" and told.json()["kept"] is False
    assert ("cannot be written" if path != "off" else "has no store") in told.json()["why"]
    assert serving(gateway) == "two"
    assert "audit: otto changed backend one: before on, after draining" in gateway.log_text()
    said = "backend 'one': that it is draining holds here until this process ends, and is not kept: the store cannot be"
    assert gateway.log_text().count(said) == (0 if path == "off" else 1)
    reload(gateway)
    assert serving(gateway) == "two"
    gateway.stop()
    assert serving(start(store=store)) == "one"


@needs_postgres
def test_what_one_replica_is_told_all_do(start, tmp_path, cluster):
    (tmp_path / "store.url").write_text(cluster.url)
    store = {"url_file": str(tmp_path / "store.url")}
    one, other = start(store=store), start(store=store)
    for verb, mode in (("drain", "draining"), ("disable", "off"), ("enable", "on"), ("drain", "draining")):
        assert tell(one, "one", verb).json() == {"mode": mode, "kept": True}
        answered = time.monotonic()
        harness.wait_until(lambda mode=mode: modes(other)["one"] == mode)
        assert time.monotonic() - answered < 1
    assert serving(other) == "two"
    assert other.log_text().count("backend 'one' is draining: set by otto at 20") == 2
    assert "audit: " not in other.log_text(), "who was told has the audit line"
    assert "as the store says" not in one.log_text()
    assert modes(start(store=store)) == {"one": "draining", "two": "on"}, "a new replica knows it, too"


@needs_postgres
def test_a_drain_needs_no_server_and_is_not_undone_when_it_is_back(start, tmp_path, cluster):
    (tmp_path / "store.url").write_text(cluster.url)
    store = {"url_file": str(tmp_path / "store.url")}
    one, other = start(store=store), start(store=store)
    assert tell(one, "two", "drain").json()["kept"] is True
    harness.wait_until(lambda: modes(other)["two"] == "draining")
    cluster.kill()
    told = tell(one, "one", "drain").json()
    assert (told["mode"], told["kept"]) == ("draining", False)
    assert postgres.PASSWORD not in told["why"] + one.log_text()
    assert modes(one) == {"one": "draining", "two": "draining"}
    assert modes(other) == {"one": "on", "two": "draining"}, "what is known stays"
    for gateway in (one, other):
        harness.wait_until(lambda gateway=gateway: "keys cannot be read" in gateway.log_text())
    cluster.start()
    for gateway in (one, other):
        harness.wait_until(lambda gateway=gateway: "keys can be read again" in gateway.log_text())
    time.sleep(0.5)
    assert modes(one) == {"one": "draining", "two": "draining"}
    assert tell(one, "one", "drain").json() == {"mode": "draining", "kept": True}, "told once more, it is kept"
    harness.wait_until(lambda: modes(other)["one"] == "draining")

    # The end waits for who asks the store, and no longer.
    cluster.freeze()
    with concurrent.futures.ThreadPoolExecutor() as pool:
        asking = pool.submit(tell, other, "one", "enable")
        harness.wait_until(lambda: modes(other)["one"] == "on")
        other.process.send_signal(signal.SIGTERM)
        assert other.process.wait(15) == 0
        assert asking.exception() is not None or asking.result().json()["kept"] is False
    cluster.thaw()

    cluster.kill()
    late = start(store=store)
    assert "which backends are drained or disabled are unknown until it can" in late.log_text()
    assert serving(late) == "one"
    cluster.start()
    harness.wait_until(lambda: modes(late) == {"one": "draining", "two": "draining"})
