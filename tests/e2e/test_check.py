"""`spillway check`, and starting with configurations that are wrong."""

import os
import subprocess

import pytest

import harness
from certificates import self_signed

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


ONE = "https://one.openai.azure.com"
# What is in the file; the place, and words of what is told of it. All is told at once, warnings too.
WRONG = {
    "a misspelt key": (f"backends:\n  - {{url: {ONE}, prioritty: 1}}", 2, [":2:41: backends[0].prioritty: ", "did you mean priority?"]),
    "a tab": (f"backends:\n\t- url: {ONE}", 2, [":2:2: is not YAML"]),
    "a bad indent": (f"backends:\n  - url: {ONE}\n   priority: 1", 2, [":3:4: is not YAML"]),
    "a name twice": (f"backends:\n  - {{name: a, url: {ONE}}}\n  - {{name: a, url: {ONE}}}", 2, [":3:12: backends[1].name: ", "is taken by backends[0]"]),
    "no backends": ("server: {listen: 127.0.0.1:8080}", 2, [":1:1: backends: needs at least one backend"]),
    "a misspelt scheme": ("backends: [{url: htps://one.openai.azure.com, priority: high}]", 2, ["backends[0].url: ", "a scheme other than http and https", "backends[0].priority: expected a whole number"]),
    "a unit in words": (f"backends: [{{url: {ONE}, timeouts: {{connect: 5 seconds}}}}]", 2, ["timeouts.connect: expected a duration such as 500ms"]),
    "interpolation": (f'backends: [{{url: {ONE}, api_key: "${{AZURE_KEY}}"}}]', 0, ["backends[0].api_key: warning: is taken as it stands", "AZURE_KEY"]),
    "a placeholder": (f"backends: [{{url: {ONE}, api_key: <your-api-key>}}]", 0, ["backends[0].api_key: warning: "]),
    "open to all": (f"server: {{listen: 0.0.0.0:24999}}\nbackends: [{{url: {ONE}}}]", 2, [":1:1: clients: needs at least one client", "allow_anonymous"]),
    "files that are not there": (f"server: {{listen: 127.0.0.1:1, tls: {{cert: no.pem, key: no.key}}}}\nclients: [{{name: x, key_file: no.key}}]\nbackends: [{{url: {ONE}}}]", 2, ["server.tls.cert: the file cannot be opened", "clients[0].key_file: the file cannot be opened"]),
    "a whole endpoint": (f"backends: [{{url: '{ONE}/openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21'}}]", 2, ["backends[0].url: names a deployment or an operation"]),
    "a misspelt section": (f"backend: [{{url: {ONE}}}]", 2, [":1:1: backend: ", "did you mean backends?"]),
    "a key of one character": (f"clients: [{{name: web, key: '1'}}]\nbackends: [{{url: {ONE}, api_key: k}}]", 0, ["clients[0].key: warning: ", "can be guessed"]),
    "a URL twice": (f"backends: [{{url: {ONE}, api_key: k}}, {{url: {ONE}/, api_key: k}}]", 0, ["backends[1].url: warning: is the same resource"]),
    "a budget without prices": (f"clients: [{{name: web, key: abcdefgh, limits: {{budget: {{month: 100}}}}}}]\nbackends: [{{url: {ONE}, api_key: k}}]", 2, ["prices: are needed for the budgets"]),
    "a misspelt deployment": (f"clients: [{{name: web, key: abcdefgh, deployments: [gtp-4o], team: shpo, limits: {{budget: {{month: 1}}}}}}]\nteams: [{{name: shop}}]\nprices: {{gpt-4o: {{prompt: 2, completion: 10}}}}\nbackends: [{{url: {ONE}, api_key: k}}]", 0, ["clients[0].deployments: warning: gtp-4o ", "did you mean gpt-4o?", "clients[0].team: warning: shpo ", "did you mean shop?"]),
    "UTF-16": ("backends: []".encode("utf-16"), 2, ["is not UTF-8, but UTF-16"]),
    "an empty file": ("", 2, ["is empty; expected at least `backends`"]),
    "no key": (f"backends: [{{url: {ONE}}}]", 0, ["backends[0].url: warning: has no api_key"]),
}  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG)
def test_what_is_wrong_is_told_in_its_place(tmp_path, wrong):
    text, status, told = WRONG[wrong]
    file = tmp_path / "gateway.yaml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    done = run("check", "--config", file)
    assert done.returncode == status, done.stderr
    for words in told:
        assert words in done.stderr
    if status:
        assert done.stdout == ""
        served = run("serve", "--config", file)  # which tells the same, and does not begin
        assert served.returncode != 0 and told[0] in served.stderr


def test_what_serve_could_not_use_is_found_before(tmp_path):
    of_one, of_other = (tmp_path / name for name in ("one", "other"))
    for folder in (of_one, of_other):
        folder.mkdir()
        self_signed(folder)
    good = GOOD.replace("127.0.0.1:8080", f"127.0.0.1:{harness.free_ports(1)}\n  tls: {{cert: one/cert.pem, key: one/key.pem}}")
    file = tmp_path / "gateway.yaml"
    file.write_text(good)
    assert run("check", "--config", file).returncode == 0
    for old, new, place in (
        ("one/key.pem", "other/key.pem", ":3:8: server.tls: cannot use TLS key"),
        ("backends:", "ledger: {path: nowhere/ledger.db}\nbackends:", ":4:16: ledger.path: cannot write"),
        ("backends:", "log: {access: nowhere/access.log}\nbackends:", ":4:15: log.access: cannot write"),
    ):
        file.write_text(good.replace(old, new))
        assert run("serve", "--config", file).returncode != 0
        checked = run("check", "--config", file)
        assert checked.returncode != 0
        assert f"{file}{place}" in checked.stderr


@pytest.mark.parametrize("url", ["https://one.services.ai.azure.com", ONE + "/openai/v1/", "https://one.cognitiveservices.azure.com/"])
def test_the_addresses_that_azure_shows_are_taken(tmp_path, url):
    file = tmp_path / "gateway.yaml"
    file.write_text(f"backends: [{{url: '{url}', api_key: k}}]")
    done = run("check", "--config", file)
    assert (done.returncode, done.stderr) == (0, "")


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


def test_all_problems_are_told_at_once_and_no_value_is(tmp_path):
    file = tmp_path / "bad.yaml"
    file.write_text(GOOD.replace("priority: 1", "weight: a-secret-value").replace("url: https://two", "url: two"))
    done = run("check", "--config", file)
    assert done.returncode == 2
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    assert [line.split(": ")[0] for line in lines] == [f"{file}:6:13", f"{file}:9:10"]
    assert "a-secret-value" not in done.stderr


def test_keys_come_from_the_environment_and_from_files(tmp_path):
    file = tmp_path / "keys.yaml"
    (tmp_path / "two.key").write_text("second-secret\n")
    file.write_text(
        GOOD.replace("api_key: a-secret-value", "api_key_env: ONE_KEY", 1).replace(
            "api_key: a-secret-value", "api_key_file: two.key"
        )
    )
    done = run("check", "--config", file, env={"ONE_KEY": "first-secret"})
    assert done.returncode == 0, done.stderr
    assert done.stdout.count('api_key: "***"') == 2
    assert "-secret" not in done.stdout + done.stderr
    done = run("check", "--config", file)
    assert done.returncode == 2
    assert f"{file}:7:18: backends[0].api_key_env: " in done.stderr
    assert "ONE_KEY" in done.stderr


def test_the_file_can_be_named_by_the_environment(tmp_path):
    file = tmp_path / "good.yaml"
    file.write_text(GOOD)
    done = run("check", env={"SPILLWAY_CONFIG": str(file)})
    assert done.returncode == 0, done.stderr
    assert "two.openai.azure.com" in done.stdout


def test_without_any_configuration(tmp_path):
    done = run("check")
    assert done.returncode == 2
    for way in ("--config", "SPILLWAY_CONFIG", "BACKEND_1_URL"):
        assert way in done.stderr


def test_open_to_others_without_clients_is_refused(tmp_path):
    file = tmp_path / "open.yaml"
    file.write_text(GOOD.replace("127.0.0.1", "0.0.0.0"))
    done = run("check", "--config", file)
    assert done.returncode == 2
    assert "allow_anonymous" in done.stderr
    file.write_text(file.read_text() + "allow_anonymous: true\n")
    assert run("check", "--config", file).returncode == 0


def test_an_emulators_file(tmp_path):
    file = tmp_path / "emulator.yaml"
    file.write_text("resources: 2\napi_key: a-secret-value\n")
    done = run("check", "--emulator", "--config", file)
    assert done.returncode == 0, done.stderr
    assert "port: 9102" in done.stdout
    assert "a-secret-value" not in done.stdout + done.stderr
    file.write_text("resources: 2\ncapacityy: 1\n")
    done = run("check", "--emulator", "--config", file)
    assert done.returncode == 2
    assert f"{file}:2:1: capacityy: " in done.stderr
    assert run("check", "--emulator").returncode == 2


EXAMPLES = [
    "examples/gateway", "examples/openai-compatible", "examples/emulator", "compose/emulator",
    "compose/production-gateway",
]  # fmt: skip


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_examples_are_good(example):
    file = harness.ROOT / f"deploy/{example}.yaml"
    kind = ["--emulator"] if example.endswith("/emulator") else []
    keys = ("WEB_KEY", "BATCH_KEY", "PTU_KEY", "EAST_KEY", "WEST_KEY", "ONE_KEY", "TWO_KEY", "OPENAI_API_KEY", "SPILLWAY_CLIENT_KEY",
            "SPILLWAY_ADMIN_TOKEN")  # fmt: skip
    env = {name: f"the-long-value-of-{name}" for name in keys}
    env["SPILLWAY_STORE_URL"] = "postgresql://spillway:secret@localhost/spillway"
    done = run("check", *kind, "--config", file, env=env)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""


def test_a_backend_of_the_environment_without_priority(tmp_path):
    done = run("check", env={"BACKEND_7_URL": "https://seven.openai.azure.com"})
    assert done.returncode == 2
    assert "BACKEND_7_PRIORITY: is not set" in done.stderr


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
    assert harness.RESOURCE_KEY not in done.stdout + done.stderr
    assert "timeouts: {connect: 5s, first_token: 30s, stall: 30s" in done.stdout
    assert "SPILLWAY_CLIENT_KEY" in done.stderr  # it serves anyone, and says so
