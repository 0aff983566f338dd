"""`spillway import`: each sample becomes a file that `check` takes, without a secret in it or on the terminal."""

import pathlib
import re
import subprocess

import pytest

import harness

SAMPLES = harness.ROOT / "tests" / "migrate" / "samples"
SECRETS = ("literal", "secretpw", "sk-lf-secret", "sk-bf-", "sk-proj")


def run(*arguments, text=None, env=None):
    return subprocess.run(
        [harness.SPILLWAY, *map(str, arguments)], capture_output=True, text=True, input=text, env=env, check=False
    )


def variables(text):
    """Each variable that the file names, with a value."""
    return {name: f"value-of-{name}" for name in re.findall(r"_env: ([A-Za-z0-9_]+)", text)}


@pytest.mark.parametrize("sample", sorted(SAMPLES.iterdir()), ids=lambda path: path.name)
def test_what_comes_out_passes_check(sample, tmp_path):
    done = run("import", sample)
    assert done.returncode == 0, done.stderr
    for secret in SECRETS:
        assert secret not in done.stdout + done.stderr
    file = tmp_path / "gateway.yaml"
    file.write_text(done.stdout)
    checked = run("check", "--config", file, env=variables(done.stdout))
    assert checked.returncode == 0, checked.stderr + done.stdout
    assert done.stderr, "says what has no equal"
    for line in done.stderr.splitlines():
        assert line.startswith(f"{sample}:"), line


def test_standard_input_output_file_and_kind(tmp_path):
    sample = (SAMPLES / "portkey.json").read_text()
    out = tmp_path / "gateway.yaml"
    done = run("import", "-", "--from", "portkey", "-o", out, text=sample)
    assert (done.returncode, done.stdout) == (0, "")
    assert "contoso-eu" in out.read_text()


@pytest.mark.parametrize(
    "text, told",
    [
        ("", "is empty"),
        ("a: [1", "line 1"),
        ("hello: world", "nothing that can be imported"),
        ("backends: []", "gateway.yaml already"),
        ("model_list: []", "no backend"),
        ("\0\1", "UTF-8"),
        ("<policies/>", "no backend"),
        ('{"targets": {"a": [1, {"b": 2}]}, "strategy": 3}', "-:"),
    ],
)
def test_what_cannot_be_read_ends_with_2(text, told, tmp_path):
    file = tmp_path / "x"
    file.write_text(text)
    done = run("import", file)
    assert done.stdout == "" or done.returncode == 0
    if told != "-:":
        assert done.returncode == 2
        assert told in done.stderr
    assert run("import", pathlib.Path("/nowhere/at-all")).returncode == 2
