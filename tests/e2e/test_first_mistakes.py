"""What a developer sees of the commonest first mistakes: the true cause, each time, and in the log once; and what an
operator's own hand does to clients."""

import httpx
import pytest

import harness
from harness import RESOURCE_KEY, post_chat, wait_until

MISTAKES = {
    "a wrong key": ("{emulator}", "wrong", "credentials refused", "401"),
    "a host that is not there": ("https://no-such-resource.invalid", "k", "no connection", "cannot resolve no-such-resource.invalid"),
    "nobody listens": ("http://127.0.0.1:{free}", "k", "no connection", "Connection refused"),
    "TLS to a plain port": ("https://127.0.0.1:{port}", "k", "no connection", "TLS with 127.0.0.1: wrong version number"),
}  # fmt: skip


@pytest.fixture(scope="module")
def emulator(tmp_path_factory):
    one = harness.Emulator(tmp_path_factory.mktemp("mistakes"), resources=1)
    yield one
    one.stop()


@pytest.mark.parametrize("mistake", MISTAKES)
def test_the_cause_is_told_each_time(emulator, tmp_path, mistake):
    url, key, told, logged = MISTAKES[mistake]
    url = url.format(emulator=emulator.urls[0], free=harness.free_ports(1), port=emulator.first_port)
    gateway = harness.Gateway(tmp_path, [{"name": "mine", "url": url, "api_key": key}])
    try:
        for _ in range(3):
            answer = post_chat(gateway.url)
            error = answer.json()["error"]
            assert (answer.status_code, error["code"]) == (503, "no_backend"), error
            assert told in error["message"]
            assert int(answer.headers["retry-after"]) <= 60
        (attempt,) = gateway.access_lines(3)[0]["attempts"]
        assert logged in f"{attempt['status']} {attempt['detail']}"
        wait_until(lambda: "backend 'mine'" in gateway.log_text())
        line = next(line for line in gateway.log_text().splitlines() if "backend 'mine'" in line)
        assert logged in line
    finally:
        gateway.stop()


def test_a_deployment_that_is_not_there_is_told_as_such(emulator, tmp_path):
    gateway = harness.Gateway(tmp_path, [harness.backend("mine", emulator.urls[0])])
    try:
        for _ in range(2):
            answer = post_chat(gateway.url, deployment="gtp-4o")
            assert (answer.status_code, answer.json()["error"]["code"]) == (404, "DeploymentNotFound")
        assert post_chat(gateway.url).status_code == 200
        assert RESOURCE_KEY not in gateway.log_text()
    finally:
        gateway.stop()


@pytest.mark.parametrize("verb", ["drain", "disable"])
def test_the_operators_own_hand_is_no_lack_of_quota(emulator, tmp_path, verb):
    gateway = harness.Gateway(tmp_path, [harness.backend("only", emulator.urls[0])])
    try:
        assert httpx.post(f"{gateway.admin}/api/backends/only/{verb}", json={}).status_code == 200
        answer = post_chat(gateway.url)
        error = answer.json()["error"]
        assert (answer.status_code, error["code"]) == (503, "drained"), error
        assert "drained" in error["message"] and "quota" not in error["message"]
        assert 0 < int(answer.headers["retry-after"]) <= 60
        assert 0 < int(answer.headers["retry-after-ms"]) <= 60_000
    finally:
        gateway.stop()
