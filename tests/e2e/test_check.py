"""`spillway check`, and starting with configurations that are wrong."""

import os
import subprocess

import pytest

import harness

GOOD = """\
server:
  listen: 127.0.0.1:8080
backends:
  - name: one
    url: https://one.openai.azure.com
    priority: 1
    api_key: a-secret-value
  - name: two
    url: https://two.openai.azure.com
    priority: 2
    api_key: a-secret-value
"""


def run(*arguments, env=None, timeout=20):
    return subprocess.run(
        [harness.SPILLWAY, *map(str, arguments)], capture_output=True, text=True, timeout=timeout, check=False,
        env={**os.environ, **(env or {})},
    )  # fmt: skip


def test_a_good_file_is_resolved_without_secrets(tmp_path):
    file = tmp_path / "good.yaml"
    file.write_text(GOOD)
    done = run("check", "--config", file)
    assert done.returncode == 0, done.stderr
    assert "one.openai.azure.com" in done.stdout
    assert "a-secret-value" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("old", "new", "line", "word"),
    [
        ("priority: 1", "priority: high", 6, "priority"),
        ("priority: 2", "prioritty: 2", 10, "prioritty"),
        ("https://two.openai.azure.com", "not a url", 9, "url"),
        ("name: two", "name: one", 8, "one"),
        ("listen: 127.0.0.1:8080", "listen: 127.0.0.1:99999", 2, "listen"),
        ("priority: 1", "priority: 1\n    priority: 2", 7, "priority"),
    ],
)
def test_an_error_names_file_line_and_key(tmp_path, old, new, line, word):
    file = tmp_path / "bad.yaml"
    file.write_text(GOOD.replace(old, new))
    done = run("check", "--config", file)
    assert done.returncode != 0
    assert f"{file}:{line}:" in done.stderr
    assert word in done.stderr
    served = run("serve", "--config", file)
    assert served.returncode != 0
    assert f"{file}:{line}:" in served.stderr


def test_a_file_that_is_not_yaml(tmp_path):
    file = tmp_path / "broken.yaml"
    file.write_text("backends: [\n  {")
    done = run("check", "--config", file)
    assert done.returncode != 0
    assert f"{file}:" in done.stderr


def test_a_file_that_is_not_there(tmp_path):
    done = run("check", "--config", tmp_path / "none.yaml")
    assert done.returncode != 0
    assert "none.yaml" in done.stderr


def test_unknown_verbs_and_help():
    assert run("no-such-verb").returncode != 0
    done = run("--help")
    assert done.returncode == 0
    for verb in ("serve", "check", "emulate", "up", "down", "env"):
        assert verb in done.stdout


def test_a_port_in_use_is_a_clear_error(shared, tmp_path):
    done = run("serve", "--config", shared.gateway.config)
    assert done.returncode != 0
    assert str(shared.gateway.port) in done.stderr


def test_the_environment_of_openai_aca_lb_is_understood(tmp_path, shared):
    env = {
        "BACKEND_1_URL": shared.emulator.urls[0],
        "BACKEND_1_PRIORITY": "1",
        "BACKEND_1_APIKEY": harness.RESOURCE_KEY,
        "BACKEND_2_URL": shared.emulator.urls[1],
        "BACKEND_2_PRIORITY": "2",
        "BACKEND_2_APIKEY": harness.RESOURCE_KEY,
        "HTTP_TIMEOUT_SECONDS": "30",
    }
    done = run("check", env=env)
    assert done.returncode == 0, done.stderr
    assert shared.emulator.urls[0] in done.stdout
    assert harness.RESOURCE_KEY not in done.stdout
