"""Starting, reloading and stopping the gateway."""

import json
import signal
import threading

import httpx

import harness
from harness import CLIENT_KEY, post_chat, wait_until


def test_the_environment_of_openai_aca_lb_serves(shared, tmp_path):
    port = harness.free_ports(2)
    env = {
        "SPILLWAY_LISTEN": f"127.0.0.1:{port}",
        "SPILLWAY_ADMIN_LISTEN": f"127.0.0.1:{port + 1}",
        "SPILLWAY_CLIENT_KEY": CLIENT_KEY,
        "BACKEND_1_URL": shared.emulator.urls[0],
        "BACKEND_1_PRIORITY": "1",
        "BACKEND_1_APIKEY": harness.RESOURCE_KEY,
        "BACKEND_2_URL": "http://127.0.0.1:9",
        "BACKEND_2_PRIORITY": "1",
        "BACKEND_2_APIKEY": "none",
        "HTTP_TIMEOUT_SECONDS": "30",
    }
    process = harness.Process(tmp_path, "drop-in", ["serve"], env=env)
    try:
        process.wait_ready(f"http://127.0.0.1:{port + 1}/healthz")
        assert httpx.get(f"http://127.0.0.1:{port}/healthz").status_code == 200
        answers = [post_chat(f"http://127.0.0.1:{port}") for _ in range(10)]
        assert [answer.status_code for answer in answers] == [200] * 10
        assert {answer.headers["x-spillway-backend"] for answer in answers} == {"backend-1"}
    finally:
        assert process.stop() == 0


def test_a_reload_takes_a_new_configuration_and_keeps_the_old_one_if_it_is_wrong(stack):
    running = stack(priorities=[1, 2, 3])
    gateway = running.gateway
    assert post_chat(gateway.url).headers["x-spillway-backend"] == "r1"

    config = json.loads(gateway.config.read_text())
    config["backends"][0]["priority"] = 9
    gateway.config.write_text(json.dumps(config))
    gateway.process.send_signal(signal.SIGHUP)
    wait_until(lambda: post_chat(gateway.url).headers["x-spillway-backend"] == "r2", 5)

    gateway.config.write_text("backends: [{url: not a url}]")
    gateway.process.send_signal(signal.SIGHUP)
    wait_until(lambda: "stays in use" in gateway.log_text(), 5)
    assert post_chat(gateway.url).headers["x-spillway-backend"] == "r2"


def test_after_a_reload_metrics_name_who_is_meant(stack):
    """A place in the configuration is nobody's name: it goes to another when the one before goes."""
    running = stack(priorities=[1, 2, 3], server={"threads": 1})  # each thread remembers for itself
    gateway = running.gateway
    config = json.loads(gateway.config.read_text())
    another = {**config["clients"][0], "name": "another", "key": CLIENT_KEY}
    config["clients"][0]["key"] = "e2e-key-of-the-one-that-goes"
    config["clients"].append(another)
    gateway.config.write_text(json.dumps(config))
    gateway.process.send_signal(signal.SIGHUP)
    goes = config["clients"][0]["name"]
    wait_until(lambda: post_chat(gateway.url, key="e2e-key-of-the-one-that-goes").status_code == 200, 5)
    assert post_chat(gateway.url).headers["x-spillway-backend"] == "r1"

    del config["clients"][0], config["backends"][0]
    gateway.config.write_text(json.dumps(config))
    before = httpx.get(f"{gateway.admin}/metrics").text.splitlines()
    gateway.process.send_signal(signal.SIGHUP)
    wait_until(lambda: post_chat(gateway.url).headers["x-spillway-backend"] == "r2", 5)
    after = httpx.get(f"{gateway.admin}/metrics").text.splitlines()

    def counted(lines, family, label):
        return sum(float(line.split()[-1]) for line in lines if line.startswith(family) and label in line)

    assert counted(after, "spillway_attempts_total", 'backend="r2"') == 1
    assert counted(after, "spillway_requests_total", f'client="{goes}"') == counted(
        before, "spillway_requests_total", f'client="{goes}"'
    )
    assert counted(after, "spillway_requests_total", 'client="another"') >= 2


def test_a_stop_lets_answers_under_way_end(stack):
    running = stack(resources=1)
    running.emulator.fault(0, "slow", seconds=60, ttft=1, tokens_per_second=50)
    results = []
    asking = threading.Thread(target=lambda: results.append(post_chat(running.gateway.url)))
    asking.start()
    wait_until(lambda: running.emulator.requests() == [1], 5)
    assert running.gateway.stop() == 0
    asking.join(10)
    assert [answer.status_code for answer in results] == [200]
