"""What a reload changes at once, what it says of the rest, and the ways to ask for one."""

import json
import signal
import socket
import ssl
import subprocess
import time

import httpx

from harness import CLIENT_KEY, Process, post_chat, wait_until


def rewrite(gateway, change):
    config = json.loads(gateway.config.read_text())
    change(config)
    gateway.config.write_text(json.dumps(config))


def reload(gateway):
    answer = httpx.post(f"{gateway.admin}/api/reload", timeout=10)
    return answer.status_code, answer.json()


def raw_status(gateway, data):
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=10) as connection:
        connection.sendall(data)
        return connection.recv(4096)


def test_limits_apply_without_a_restart(stack):
    gateway = stack(resources=1).gateway
    long_text = "x" * 5000
    assert post_chat(gateway.url, text=long_text).status_code == 200
    rewrite(gateway, lambda c: c.update(limits={"max_body": "1KiB", "max_head": "1KiB", "head_timeout": "500ms"}))
    status, said = reload(gateway)
    assert status == 200
    assert said["reloaded"] is True
    assert "limits.max_body: 64MiB -> 1KiB" in said["changed"]
    assert said["needs_restart"] == []
    wait_until(lambda: post_chat(gateway.url, text=long_text).status_code == 413, 5)
    # A head that does not end is cut at the new time, and a large one is refused.
    start = time.monotonic()
    raw_status(gateway, b"GET / HTTP/1.1\r\nHost: x\r\n")
    assert time.monotonic() - start < 5
    large = b"GET /healthz HTTP/1.1\r\nHost: x\r\nA: " + b"x" * 3000 + b"\r\n\r\n"
    assert b" 431 " in raw_status(gateway, large)
    assert "changed: limits.max_body: 64MiB -> 1KiB" in gateway.log_text()


def test_what_was_learned_of_a_backend_stays(stack):
    running = stack(resources=2, priorities=[1, 2])
    running.emulator.fault(0, "429", count=1, retry_after=60)
    assert post_chat(running.gateway.url).headers["x-spillway-backend"] == "r2"
    asked = running.emulator.requests()[0]
    assert asked > 0
    for turn in range(5):
        # What changes is not about the backend.
        rewrite(running.gateway, lambda c, turn=turn: c.update(limits={"max_body": f"{turn + 1}MiB"}))
        assert reload(running.gateway)[0] == 200
        assert post_chat(running.gateway.url).headers["x-spillway-backend"] == "r2"
    assert running.emulator.requests()[0] == asked


def test_what_needs_a_restart_is_named_and_stays(stack):
    gateway = stack(resources=1).gateway
    before = httpx.get(f"{gateway.admin}/api/config").json()
    rewrite(gateway, lambda c: c["server"].update(threads=3))
    status, said = reload(gateway)
    assert status == 200
    assert [line.split(":")[0] for line in said["needs_restart"]] == ["server.threads"]
    assert said["changed"] == []
    assert "needs a restart, the old value stays in use: server.threads" in gateway.log_text()
    assert httpx.get(f"{gateway.admin}/api/config").json() == before


def test_a_wrong_configuration_is_refused_with_its_problems(stack):
    gateway = stack(resources=1).gateway
    gateway.config.write_text("backends: [{url: not a url}]\n")
    status, said = reload(gateway)
    assert status == 422
    assert said["reloaded"] is False
    assert "stays in use" in said["reason"]
    assert f"{gateway.config}:1:18: backends[0].url: " in said["problems"][0]
    assert post_chat(gateway.url).status_code == 200


def test_a_reload_by_http_needs_the_token(stack):
    gateway = stack(resources=1, admin={"token": "admin-token-0815"}).gateway
    assert httpx.post(f"{gateway.admin}/api/reload").status_code == 401
    answer = httpx.post(f"{gateway.admin}/api/reload", headers={"authorization": "Bearer admin-token-0815"})
    assert answer.status_code == 200
    assert httpx.get(f"{gateway.admin}/api/reload", headers={"authorization": "Bearer admin-token-0815"}).status_code == 404


def test_a_watched_file_is_reloaded_when_its_link_is_swapped(stack, tmp_path):
    running = stack(resources=2, priorities=[1, 2])
    gateway = running.gateway
    gateway.stop()
    watching = Process(tmp_path, "watching", ["serve", "--watch", "--config", gateway.config])
    try:
        watching.wait_ready(f"{gateway.admin}/healthz")
        assert post_chat(gateway.url).headers["x-spillway-backend"] == "r1"
        fresh = gateway.config.with_suffix(".fresh")
        config = json.loads(gateway.config.read_text())
        config["backends"][0]["priority"] = 9
        fresh.write_text(json.dumps(config))
        fresh.rename(gateway.config)
        wait_until(lambda: post_chat(gateway.url).headers["x-spillway-backend"] == "r2", 10)
        assert "a file has changed" in watching.log_text()
    finally:
        assert watching.stop() == 0


def make_certificate(folder, name):
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "3",
         "-subj", f"/CN={name}", "-keyout", folder / "key.pem", "-out", folder / "cert.pem"],
        check=True, capture_output=True,
    )  # fmt: skip


def served_certificate(gateway):
    return ssl.get_server_certificate(("127.0.0.1", gateway.port))


def test_a_renewed_certificate_is_served_after_a_reload(stack, tmp_path):
    make_certificate(tmp_path, "before")
    tls = {"cert": str(tmp_path / "cert.pem"), "key": str(tmp_path / "key.pem")}
    gateway = stack(resources=1, server={"tls": tls}).gateway
    first = served_certificate(gateway)
    assert first.split() == (tmp_path / "cert.pem").read_text().split()
    assert "ends in 2 days" in gateway.log_text()
    assert "spillway_tls_certificate_not_after_seconds" in httpx.get(f"{gateway.admin}/metrics").text

    make_certificate(tmp_path, "after")
    gateway.process.send_signal(signal.SIGHUP)
    wait_until(lambda: served_certificate(gateway) != first, 5)
    assert served_certificate(gateway).split() == (tmp_path / "cert.pem").read_text().split()

    # A key of another certificate is refused, and the one before goes on.
    good = served_certificate(gateway)
    key = (tmp_path / "key.pem").read_text()
    make_certificate(tmp_path, "third")
    (tmp_path / "key.pem").write_text(key)
    status, said = reload(gateway)
    assert status == 422
    assert "cannot use TLS key" in said["reason"]
    assert served_certificate(gateway) == good
    verify = ssl.create_default_context(cadata=good)
    verify.check_hostname = False
    answer = httpx.post(
        f"{gateway.url}/openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21",
        headers={"api-key": CLIENT_KEY}, json={"messages": [{"role": "user", "content": "x"}]}, verify=verify,
    )  # fmt: skip
    assert answer.status_code == 200
