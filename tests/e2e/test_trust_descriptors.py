"""Descriptors that clients use up: who is connected is served, no backend is blamed, and one line says it."""

import os
import resource
import socket
import time

import httpx
import pytest

import harness
from harness import CLIENT_KEY


def limited(limits):
    return lambda: resource.setrlimit(resource.RLIMIT_NOFILE, limits)


@pytest.fixture
def few(stack, monkeypatch):
    """A stack whose gateway may open 256 descriptors."""

    def start(soft=256, hard=256, **options):
        made = harness.subprocess.Popen

        def popen(arguments, **more):
            if "serve" in arguments:
                more["preexec_fn"] = limited((soft, hard))
            return made(arguments, **more)

        monkeypatch.setattr(harness.subprocess, "Popen", popen)
        return stack(**options)

    return start


def silent(port, count):
    connections = []
    for _ in range(count):
        connection = socket.socket()
        connection.setblocking(False)
        connection.connect_ex(("127.0.0.1", port))
        connections.append(connection)
    return connections


def open_descriptors(gateway):
    return len(os.listdir(f"/proc/{gateway.process.pid}/fd"))


def test_the_soft_limit_is_raised(few):
    gateway = few(soft=100, hard=2000).gateway
    with open(f"/proc/{gateway.process.pid}/limits", encoding="ascii") as limits:
        line = next(line for line in limits if line.startswith("Max open files"))
    assert line.split()[3] == "2000"


def test_idle_connections_make_room(few):
    one = few(resources=2)
    with httpx.Client() as known:
        url, headers = harness.chat_url(one.gateway.url), {"api-key": CLIENT_KEY}
        assert known.post(url, headers=headers, json=harness.chat_body()).status_code == 200
        idle = silent(one.gateway.port, 400)
        time.sleep(0.5)
        assert open_descriptors(one.gateway) < 220
        for _ in range(5):
            assert harness.post_chat(one.gateway.url).status_code == 200, "a new client"
        assert known.post(url, headers=headers, json=harness.chat_body()).status_code == 200
        assert httpx.get(f"{one.gateway.admin}/healthz", timeout=2).status_code == 200
        for connection in idle:
            connection.close()
    assert all(entry["state"] == "available" for entry in one.gateway.backends().values())


def test_a_shortage_is_no_backends_fault_and_told_once(few):
    # More connections than descriptors are allowed: the shortage is real.
    one = few(resources=2, limits={"max_connections": 10_000})
    idle = silent(one.gateway.port, 400)
    harness.wait_until(lambda: "out of descriptors" in one.gateway.log_text())
    assert httpx.get(f"{one.gateway.admin}/healthz", timeout=3).status_code == 200, "some are kept for admin"
    states = {entry["state"] for entry in one.gateway.backends().values()}
    assert states == {"available"}
    for connection in idle:
        connection.close()
    harness.wait_until(lambda: harness.post_chat(one.gateway.url).status_code == 200)
    harness.wait_until(lambda: "there are descriptors again" in one.gateway.log_text(), seconds=15)
    assert one.gateway.log_text().count("out of descriptors") == 1
    assert one.gateway.log_text().count("there are descriptors again") == 1
    assert all(entry["state"] == "available" for entry in one.gateway.backends().values())
