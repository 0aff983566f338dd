"""The container image, run by podman; deploy/compose/local.yaml by docker compose; the Helm chart by `podman kube play`."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

import httpx
import pytest
import yaml

import machines
from machines import ROOT, harness
from streams import Stream

KEY = {"api-key": "local-client-key"}
HARDENED = ("--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges", "--network=host")


def ask(base, **more):
    return httpx.post(harness.chat_url(base), headers=KEY, json=harness.chat_body(**more), timeout=60)


def test_small_unprivileged_and_labelled(podman, image):
    told = podman.inspect(image, "image")
    size = told["Size"] / 1e6
    print(f"    the image: {size:.0f} MB")
    assert size < 120
    assert told["Config"]["User"] == "65532:65532"
    labels = told["Config"]["Labels"]
    assert labels["org.opencontainers.image.title"] == "Spillway"
    assert {"licenses", "version", "revision"} <= {name.rsplit(".", 1)[-1] for name in labels}
    assert told["Config"]["Entrypoint"] == ["/usr/bin/spillway"]
    assert "health" in json.dumps(told.get("Healthcheck") or told["Config"].get("Healthcheck"))


def test_needs_no_shell_and_no_writable_root(podman, image, tmp_path):
    """Configured by the environment alone; without a shell in it; asked for its health by itself."""
    port = harness.free_ports(2)
    emulator = harness.Emulator(tmp_path)
    podman(
        "run", "--detach", "--name", "alone", *HARDENED, "--volume", "/dev/null:/bin/sh:ro", "--volume", "/dev/null:/usr/bin/bash:ro",
        "--env", f"BACKEND_1_URL={emulator.urls[0]}", "--env", f"BACKEND_1_APIKEY={harness.RESOURCE_KEY}",
        "--env", "BACKEND_1_PRIORITY=1", "--env", f"SPILLWAY_LISTEN=127.0.0.1:{port}",
        "--env", f"SPILLWAY_ADMIN_LISTEN=127.0.0.1:{port + 1}", image,
    )  # fmt: skip
    try:
        harness.wait_until(lambda: podman("healthcheck", "run", "alone", check=False).returncode == 0, 20, every=0.3)
        assert ask(f"http://127.0.0.1:{port}").status_code == 200
        held = pathlib.Path(f"/proc/{podman.inspect('alone')['State']['Pid']}/status").read_text()
        assert "Uid:\t65532" in held
        assert "CapEff:\t0000000000000000" in held
        assert "NoNewPrivs:\t1" in held
        podman("stop", "--time", "10", "alone")
        assert podman.inspect("alone")["State"]["ExitCode"] == 0
        assert podman("healthcheck", "run", "alone", check=False).returncode != 0
    finally:
        podman("rm", "--force", "--time", "0", "alone", check=False)
        emulator.stop()


class Compose:
    def __init__(self, podman, image, file, **settings):
        tool = shutil.which("docker-compose", path=str(pathlib.Path(sys.executable).parent))
        if not tool:
            raise machines.Missing("docker-compose: not in the tools (deploy/checks/requirements.txt)")
        self.command = [tool, "-p", f"spillway-{os.getpid()}", "-f", file]
        self.env = {**podman.env, "DOCKER_HOST": podman.socket(), "SPILLWAY_IMAGE": image, **settings}

    def __call__(self, *arguments, **options):
        return machines.run(*self.command, *arguments, env=self.env, **options)


@pytest.fixture(scope="module")
def local(podman, image):
    """deploy/compose/local.yaml, up."""
    port = harness.free_ports(3)
    compose = Compose(
        podman, image, ROOT / "deploy/compose/local.yaml",
        SPILLWAY_PORT=str(port), SPILLWAY_ADMIN_PORT=str(port + 1), SPILLWAY_CHAT_PORT=str(port + 2),
    )  # fmt: skip
    compose("config", "--quiet")
    up = compose("up", "--detach", check=False, timeout=120)
    if up.returncode and ("netavark" in up.stderr or "iptables" in up.stderr or "aardvark" in up.stderr):
        raise machines.Missing(f"containers have no network here: {up.stderr.strip()[-200:]}")
    try:
        assert up.returncode == 0, up.stderr
        compose.base, compose.admin, compose.chat = (f"http://127.0.0.1:{port + i}" for i in range(3))

        def answers():
            try:
                return all(httpx.get(url, timeout=2).status_code == 200 for url in (f"{compose.admin}/readyz", f"{compose.chat}/healthz"))
            except httpx.HTTPError:
                return False

        harness.wait_until(answers, 40, every=0.3)
        yield compose
    finally:
        compose("down", "--volumes", "--timeout", "1", check=False)


def test_production_is_sound(podman, image):
    """Its images come from a registry, so it is read only; HAProxy's and Prometheus' configurations are run elsewhere."""
    compose = Compose(podman, image, ROOT / "deploy/compose/production.yaml", POSTGRES_PASSWORD="secret")
    told = yaml.safe_load(compose("config").stdout)
    for name in ("gateway-1", "gateway-2"):
        assert told["services"][name]["read_only"] and told["services"][name]["cap_drop"] == ["ALL"]
    for service in told["services"].values():
        for mount in service.get("volumes", []):
            assert mount["type"] == "volume" or pathlib.Path(mount["source"]).is_file(), mount
    if haproxy := shutil.which("haproxy"):
        machines.run(haproxy, "-c", "-f", ROOT / "deploy/proxies/haproxy.cfg")


def test_compose_answers_and_spills_over(local):
    first = ask(local.base)
    assert (first.status_code, first.headers["x-spillway-backend"]) == (200, "aoai-1")
    served = [ask(local.base, max_tokens=12000) for _ in range(4)]
    assert [answer.status_code for answer in served] == [200] * 4
    names = [answer.headers["x-spillway-backend"] for answer in served]
    assert names[0] == "aoai-1" and {"aoai-2", "aoai-3"} & set(names), names
    page = httpx.get(local.chat)
    assert page.status_code == 200 and "<title>" in page.text


def test_compose_drains_on_sigterm(local, podman):
    name = local("ps", "--quiet", "gateway").stdout.strip()
    stream = Stream(local.base, KEY)
    stopping = subprocess.Popen(
        [*map(str, local.command), "stop", "gateway"], env=local.env, stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    stream.ends_well()
    assert stopping.wait(60) == 0
    assert podman.inspect(name)["State"]["ExitCode"] == 0
    with pytest.raises(httpx.TransportError):
        ask(local.base)


def test_chart_plays(podman, image, tmp_path):
    """The chart, rendered for one machine, run with the users, capabilities and mounts that it says."""
    helm = shutil.which("helm")
    if not helm:
        raise machines.Missing("helm: not installed")
    rendered = machines.run(
        helm, "template", "gateway", ROOT / "deploy/helm/spillway", "-f", ROOT / "deploy/helm/values/local.yaml",
        "--kube-version", "1.34.0",
        "--set-string", "config.backends[0].url=http://emulator:9101",
    ).stdout  # fmt: skip
    documents = [one for one in yaml.safe_load_all(rendered) if one and one["kind"] in ("ConfigMap", "Deployment")]
    file = tmp_path / "rendered.yaml"
    file.write_text(yaml.safe_dump_all(documents))
    network = f"kube-{os.getpid()}"
    created = podman("network", "create", network, check=False)
    if created.returncode:
        raise machines.Missing(f"containers have no network here: {created.stderr[-200:]}")
    try:
        podman("run", "--detach", "--name", "emulator", "--network", network, image,
               "emulate", "--host", "0.0.0.0", "--resources", "1", "--api-key", "local")  # fmt: skip
        podman("kube", "play", "--network", network, file)
        pod = next(one for one in json.loads(podman("ps", "--format=json").stdout) if one["Names"][0].endswith("-gateway"))
        pod = podman.inspect(pod["Id"])
        assert pod["Config"]["User"].startswith("65532")
        assert pod["HostConfig"]["ReadonlyRootfs"]
        pid = pod["State"]["Pid"]

        def inside(*command):
            return machines.run("nsenter", "-t", pid, "-n", *command, check=False)

        harness.wait_until(lambda: inside(harness.SPILLWAY, "health", "--ready").returncode == 0, 20, every=0.3)
        answer = inside(
            "curl", "-s", "-m", "20", harness.chat_url("http://127.0.0.1:8080"), "-H", "content-type: application/json",
            "-d", json.dumps(harness.chat_body()),
        )  # fmt: skip
        assert json.loads(answer.stdout)["choices"][0]["message"]["content"], answer.stdout
        # A changed ConfigMap is taken without a restart.
        (mounted,) = (mount["Source"] for mount in pod["Mounts"] if mount["Destination"] == "/etc/spillway")
        file_there = pathlib.Path(mounted) / "gateway.yaml"
        changed = file_there.with_name("gateway.new")
        changed.write_text(file_there.read_text() + "limits: {max_body: 5MiB}\n")
        changed.rename(file_there)
        config = ("curl", "-s", "-m", "5", "http://127.0.0.1:8081/api/config")
        harness.wait_until(lambda: re.search(r"5 ?MiB|5242880", inside(*config).stdout), 15, every=0.5)
        # helm test, run by hand: its container is the same image with other arguments.
        top = inside(harness.SPILLWAY, "top", "--once", "--url", "http://127.0.0.1:8081")
        assert top.returncode == 0 and "emulated" in top.stdout
    finally:
        podman("kube", "down", file, check=False)
        podman("rm", "--all", "--force", "--time", "0", check=False)
        podman("network", "rm", "--force", network, check=False)
