"""The dev container, opened by its own CLI: its user, its packages, the two commands' stack."""

import json
import os
import re
import shutil
import sys

import machines
from machines import ROOT, harness

FILE = ROOT / ".devcontainer/devcontainer.json"


def settings():
    return json.loads(re.sub(r"^ *//.*$", "", FILE.read_text(), flags=re.MULTILINE))


def test_schema(tmp_path):
    plain = tmp_path / "devcontainer.json"
    plain.write_text(json.dumps(settings()))
    machines.run(sys.executable, "-m", "check_jsonschema", "--schemafile", ROOT / "deploy/checks/schemas/devContainer.base.schema.json", plain)
    labelled = settings()["portsAttributes"]
    assert [labelled[str(port)]["label"] for port in settings()["forwardPorts"]] == ["Gateway", "Dashboard", "Chat"]


def quick(dockerfile):
    """Without what a compilation needs, on top of the image, which has the libraries."""
    short = dockerfile.replace("FROM debian:bookworm", "FROM localhost/spillway:latest\nUSER root\nENV XDG_STATE_HOME=/tmp/state")
    short = re.sub(r"git sudo .*?\\\n", "sudo \\\\\n", short)
    return re.sub(r"    && /tmp/setup/scripts/install-deps --tests \\\n", "", short)


def test_opens_and_runs_the_stack(podman, image, tmp_path):
    """Without its compilation: the program is the one that was built outside. The packages with SPILLWAY_CHECK_ALL=1 only."""
    whole = bool(os.environ.get("SPILLWAY_CHECK_ALL"))
    tool = machines.CACHE.parent / "devcontainer/node_modules/.bin/devcontainer"
    if not tool.exists():
        raise machines.Missing("the dev container CLI cannot be installed")
    if whole and podman("image", "exists", "docker.io/library/debian:bookworm", check=False).returncode:
        podman("import", machines.base(), "docker.io/library/debian:bookworm")
    workspace = tmp_path / "spillway"
    workspace.mkdir()
    for name in ("scripts", ".devcontainer", "README.md"):
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, workspace / name)
    (workspace / "build/release/bin").mkdir(parents=True)
    shutil.copy(harness.SPILLWAY, workspace / "build/release/bin/spillway")
    (workspace / ".git").mkdir()
    changed = settings()
    changed["build"]["options"] = ["--network=host", "--pull=never"]
    if not whole:
        dockerfile = workspace / ".devcontainer/Dockerfile"
        short = quick(dockerfile.read_text())
        assert "install-deps" not in short and "localhost/spillway" in short
        dockerfile.write_text(short)
    changed["runArgs"] = ["--network=host"]  # ports as Codespaces forwards them
    (workspace / ".devcontainer/devcontainer.json").write_text(json.dumps(changed))

    # The CLI takes podman for rootless, and asks for what it has then only.
    engine = tmp_path / "podman"
    engine.write_text('#!/bin/bash\nexec podman "${@/#--userns=keep-id/--userns=host}"\n')
    engine.chmod(0o755)

    def cli(verb, *more, **options):
        return machines.run(tool, verb, "--docker-path", engine, "--workspace-folder", workspace, *more, env=podman.env, **options)

    first = harness.free_ports(8)
    ports = {
        "SPILLWAY_PORT": first, "SPILLWAY_ADMIN_PORT": first + 1, "SPILLWAY_EMULATOR_ADMIN_PORT": first + 2,
        "SPILLWAY_EMULATOR_BASE_PORT": first + 3, "SPILLWAY_CHAT_PORT": first + 7,
    }  # fmt: skip
    up = cli("up", "--skip-post-create", timeout=900)
    assert json.loads(up.stdout.splitlines()[-1])["outcome"] == "success"
    assert cli("exec", "id", "-un").stdout.strip() == "developer"
    if whole:
        assert "packages are there" in cli("exec", "scripts/install-deps", "--tests").stdout
    for name, port in ports.items():
        cli("exec", "spillway", "env", "set", name, port)
    assert "APIM_GATEWAY_URL" in cli("exec", *settings()["postStartCommand"].split()).stdout
    key = cli("exec", "spillway", "env", "get", "SPILLWAY_API_KEY").stdout.strip()
    assert harness.post_chat(f"http://127.0.0.1:{first}", key=key).status_code == 200
    cli("exec", "spillway", "down", "--purge", "--force")
