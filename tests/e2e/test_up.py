"""`spillway up`, `env` and `down`: the whole local stack, with its state in a folder of its own."""

import os
import re
import subprocess

import httpx
import pytest

import harness


class Local:
    """Runs the verbs with a fresh XDG state folder and free ports."""

    def __init__(self, folder):
        first = harness.free_ports(8)
        self.env = {
            **os.environ,
            "XDG_STATE_HOME": str(folder / "state"),
            "XDG_CONFIG_HOME": str(folder / "config"),
            "XDG_RUNTIME_DIR": str(folder / "run"),
            "XDG_DATA_HOME": str(folder / "data"),
        }
        (folder / "run").mkdir(mode=0o700)
        self.ports = first
        self.run("env", "set", "SPILLWAY_PORT", first)
        self.run("env", "set", "SPILLWAY_ADMIN_PORT", first + 1)
        self.run("env", "set", "SPILLWAY_EMULATOR_ADMIN_PORT", first + 2)
        self.run("env", "set", "SPILLWAY_EMULATOR_BASE_PORT", first + 3)

    def run(self, *arguments, ok=True):
        done = subprocess.run(
            [harness.SPILLWAY, *map(str, arguments)], env=self.env, capture_output=True, text=True, timeout=60,
            stdin=subprocess.DEVNULL, check=False,
        )  # fmt: skip
        if ok:
            assert done.returncode == 0, done.stdout + done.stderr
        return done

    def values(self):
        output = self.run("env", "get-values").stdout
        return dict(re.findall(r'^([A-Z0-9_]+)="?([^"\n]*)"?$', output, re.M))


@pytest.fixture
def local(tmp_path):
    one = Local(tmp_path)
    yield one
    one.run("down", "--purge", "--force", ok=False)


def ask(values):
    key = next(value for name, value in values.items() if name.endswith("_KEY"))
    return harness.post_chat(values["APIM_GATEWAY_URL"], key=key)


def test_up_twice_resize_down(local):
    first = local.run("up")
    assert "APIM_GATEWAY_URL=" in first.stdout
    values = local.values()
    assert values["OPENAI_CAPACITY"] == "30"
    answer = ask(values)
    assert answer.status_code == 200
    assert answer.json()["choices"][0]["message"]["content"]

    local.run("up")  # nothing changed
    assert local.values() == values
    assert ask(values).status_code == 200

    local.run("env", "set", "OPENAI_CAPACITY", 50)
    local.run("up")
    assert local.values()["OPENAI_CAPACITY"] == "50"
    assert ask(local.values()).status_code == 200

    local.run("down", "--purge", "--force")
    with pytest.raises(httpx.ConnectError):
        ask(values)
    local.run("down", "--purge", "--force")  # once more does no harm


def test_a_port_in_use_is_a_clear_error(local):
    import socket

    with socket.create_server(("127.0.0.1", local.ports)):
        done = local.run("up", ok=False)
    assert done.returncode != 0
    assert str(local.ports) in done.stderr + done.stdout
