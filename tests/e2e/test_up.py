"""`spillway up`, `env` and `down`: the whole local stack, with its state in a folder of its own."""

import json
import os
import pathlib
import pty
import re
import socket
import stat
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
        self.state = folder / "state" / "spillway" / "local"
        self.ports = first
        self.run("env", "set", "SPILLWAY_PORT", first)
        self.run("env", "set", "SPILLWAY_ADMIN_PORT", first + 1)
        self.run("env", "set", "SPILLWAY_EMULATOR_ADMIN_PORT", first + 2)
        self.run("env", "set", "SPILLWAY_EMULATOR_BASE_PORT", first + 3)
        self.run("env", "set", "SPILLWAY_CHAT_PORT", first + 7)

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

    def pid(self, service):
        return int(re.search(r'^PID="(\d+)"', (self.state / f"{service}.pid").read_text(), re.M)[1])

    def nobody_listens(self):
        for port in range(self.ports, self.ports + 8):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return False
        return True


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
    dashboard = re.search(r"Watch it: (http://127\.0\.0\.1:\d+)", first.stdout)[1]
    assert "<title>Spillway" in httpx.get(dashboard).text
    values = local.values()
    assert values["OPENAI_CAPACITY"] == "30"
    answer = ask(values)
    assert answer.status_code == 200
    assert answer.json()["choices"][0]["message"]["content"]

    assert "nothing to do" in local.run("up").stdout
    assert local.values() == values
    assert ask(values).status_code == 200

    local.run("env", "set", "OPENAI_CAPACITY", 50)
    assert "OPENAI_CAPACITY 30 -> 50" in local.run("up").stdout
    assert local.values()["OPENAI_CAPACITY"] == "50"
    assert ask(local.values()).status_code == 200
    used = harness.wait_until(lambda: json.loads(local.run("usage", "--json").stdout)["usage"])
    assert used[0]["client"] == "local"

    local.run("down", "--purge", "--force")
    assert "there is no local stack" in local.run("usage", ok=False).stderr
    with pytest.raises(httpx.ConnectError):
        ask(values)
    local.run("down", "--purge", "--force")  # once more does no harm


def test_a_port_in_use_is_a_clear_error(local):
    with socket.create_server(("127.0.0.1", local.ports)):
        done = local.run("up", ok=False)
        assert done.returncode != 0
        assert str(local.ports) in done.stderr
        assert "SPILLWAY_PORT" in done.stderr
        assert f"process {os.getpid()}" in done.stderr
    assert local.nobody_listens()  # the emulator was not started either
    local.run("up")


def test_only_what_changed_is_restarted(local):
    local.run("up")
    emulator, gateway = local.pid("emulator"), local.pid("gateway")
    local.run("env", "set", "SPILLWAY_PORT", local.ports + 6)
    done = local.run("up")
    assert f"SPILLWAY_PORT {local.ports} -> {local.ports + 6}" in done.stdout
    assert local.pid("emulator") == emulator
    assert local.pid("gateway") != gateway
    assert ask(local.values()).status_code == 200


def test_another_key_holds_after_up(local):
    local.run("up")
    old = local.values()
    local.run("env", "set", "SPILLWAY_API_KEY", "another-key-of-mine")
    done = local.run("up")
    assert "SPILLWAY_API_KEY changed" in done.stdout
    assert "another-key-of-mine" not in done.stdout + done.stderr
    assert ask(old).status_code == 401
    assert ask(local.values()).status_code == 200


def test_what_was_killed_comes_back_alone(local):
    local.run("up")
    emulator = local.pid("emulator")
    os.kill(local.pid("gateway"), 9)
    harness.wait_until(lambda: "nothing to do" not in local.run("up").stdout, every=0.1)
    assert local.pid("emulator") == emulator
    assert ask(local.values()).status_code == 200


def test_a_start_that_fails_undoes_the_rest(local):
    local.state.joinpath("access.jsonl").mkdir()  # so that the gateway cannot open its log
    done = local.run("up", ok=False)
    assert done.returncode == 1
    assert "the gateway ended" in done.stderr
    assert "access.jsonl" in done.stderr  # the end of its log is shown
    assert local.nobody_listens()
    local.state.joinpath("access.jsonl").rmdir()
    local.run("up")
    assert ask(local.values()).status_code == 200


def test_two_at_once_make_one_stack(local):
    running = [
        subprocess.Popen([harness.SPILLWAY, "up"], env=local.env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        for _ in range(3)
    ]
    outputs = [one.communicate(timeout=60)[0].decode() for one in running]
    assert [one.returncode for one in running] == [0, 0, 0], outputs
    assert sum("nothing to do" in output for output in outputs) == 2
    assert ask(local.values()).status_code == 200


def test_files_are_for_their_owner_alone(local):
    previous = os.umask(0)
    try:
        local.run("up")
    finally:
        os.umask(previous)
    ask(local.values())
    assert stat.S_IMODE(local.state.stat().st_mode) == 0o700
    files = [path for path in local.state.rglob("*") if path.is_file()]
    assert len(files) >= 8
    assert {path.name: oct(stat.S_IMODE(path.stat().st_mode)) for path in files} == {
        path.name: oct(0o600) for path in files
    }
    key = local.values()["SPILLWAY_API_KEY"]
    assert [path.name for path in files if key.encode() in path.read_bytes()] == [".env"]


def test_the_services_are_free_of_the_terminal(local):
    local.run("up")
    for service in ("emulator", "gateway", "chat"):
        pid = local.pid(service)
        assert os.getsid(pid) == pid
        descriptors = pathlib.Path(f"/proc/{pid}/fd")
        assert os.readlink(descriptors / "0") == "/dev/null"
        assert os.readlink(descriptors / "1") == str(local.state / f"{service}.log")


def test_env_speaks_as_a_shell_understands(local):
    odd = 'quo"te$HOME`id`\\end'
    local.run("env", "set", "SPILLWAY_API_KEY", odd)
    assert local.run("env", "get", "SPILLWAY_API_KEY").stdout == odd + "\n"
    done = subprocess.run(
        ["sh", "-c", f'eval "$({harness.SPILLWAY} env get-values)"; printf %s "$SPILLWAY_API_KEY|$APIM_GATEWAY_URL"'],
        env=local.env, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout == f"{odd}|http://127.0.0.1:{local.ports}"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SPILLWAY_PORT", "0"),
        ("SPILLWAY_PORT", "65536"),
        ("SPILLWAY_PORT", "http"),
        ("OPENAI_CAPACITY", "0"),
        ("OPENAI_CAPACITY", "-1"),
        ("OPENAI_CAPACITY", "1.5"),
        ("OPENAI_CAPCITY", "50"),
        ("APIM_GATEWAY_URL", "http://example"),
        ("SPILLWAY_API_KEY", "short"),
    ],
)
def test_bad_settings_are_refused(local, name, value):
    before = local.values()
    done = local.run("env", "set", name, value, ok=False)
    assert done.returncode == 2
    assert name in done.stderr
    assert local.values() == before


def test_two_settings_for_one_port_are_refused(local):
    local.run("env", "set", "SPILLWAY_ADMIN_PORT", local.ports)
    done = local.run("up", ok=False)
    assert done.returncode == 2
    assert f"port {local.ports} is wanted twice" in done.stderr
    assert local.nobody_listens()


def test_no_stack_is_not_an_empty_one(local):
    done = local.run("env", "get-values", "-e", "other", ok=False)
    assert done.returncode == 1
    assert "spillway up" in done.stderr
    assert done.stdout == ""
    assert local.run("up", "-e", "../other", ok=False).returncode == 2


def test_down_keeps_settings_and_purge_asks(local):
    local.run("up")
    key = local.values()["SPILLWAY_API_KEY"]
    local.run("down")
    assert local.nobody_listens()
    local.run("down")
    assert local.values()["SPILLWAY_API_KEY"] == key
    local.run("up")

    done = local.run("down", "--purge", ok=False)  # no terminal, so nobody to ask
    assert done.returncode == 2
    assert "--force" in done.stderr
    assert ask(local.values()).status_code == 200

    assert purge_with_answer(local, b"n\n") == 1
    assert local.state.exists()
    assert purge_with_answer(local, b"y\n") == 0
    assert not local.state.exists()
    assert local.nobody_listens()


def purge_with_answer(local, answer):
    ours, theirs = pty.openpty()
    try:
        process = subprocess.Popen(
            [harness.SPILLWAY, "down", "--purge"], env=local.env, stdin=theirs, stdout=subprocess.PIPE
        )
        os.write(ours, answer)
        output = process.communicate(timeout=60)[0]
        assert b"[y/N]" in output
        return process.returncode
    finally:
        os.close(ours)
        os.close(theirs)
