"""The documented scenario on the local stack, with the documents' own commands: deploy, point the chat app at it, raise
the capacity, diagnose, test with load, clean up."""

import json
import os
import pathlib
import re
import subprocess

import httpx
import pytest

import machines
from machines import ROOT, harness


class Shell:
    """Runs lines of the documents in one environment, as somebody at a terminal does."""

    def __init__(self, folder):
        first = harness.free_ports(8)
        (folder / "run").mkdir(mode=0o700)
        self.env = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("SPILLWAY_", "APIM_", "OPENAI_"))},
            "PATH": f"{harness.BIN}:{os.environ['PATH']}",
            "XDG_STATE_HOME": str(folder / "state"),
            "XDG_CONFIG_HOME": str(folder / "config"),
            "XDG_RUNTIME_DIR": str(folder / "run"),
            "XDG_DATA_HOME": str(folder / "data"),
        }
        self.folder = folder
        names = ("SPILLWAY_PORT", "SPILLWAY_ADMIN_PORT", "SPILLWAY_EMULATOR_ADMIN_PORT", "SPILLWAY_EMULATOR_BASE_PORT")
        for number, name in enumerate(names):
            self(f"spillway env set {name} {first + number}")
        self(f"spillway env set SPILLWAY_CHAT_PORT {first + 7}")
        self.admin, self.chat = f"http://127.0.0.1:{first + 1}", f"http://127.0.0.1:{first + 7}"

    def __call__(self, line, ok=True, timeout=120):
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", line], env=self.env, cwd=self.folder, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=timeout, check=False,
        )  # fmt: skip
        if ok:
            assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    def backends(self):
        return {one["name"]: one for one in httpx.get(f"{self.admin}/api/backends").json()["backends"]}


@pytest.fixture
def shell(tmp_path):
    one = Shell(tmp_path)
    yield one
    one("spillway down --purge --force", ok=False)


def ask_in_readme(shell):
    """The README's curl, as it stands there."""
    text = (ROOT / "README.md").read_text()
    block = re.search(r"## Ask it something\n\n```sh\n(.*?)```", text, re.DOTALL)[1]
    lines = [line for line in block.splitlines(keepends=True) if "export PATH" not in line]
    return shell("".join(lines))


def test_from_nothing_to_nothing(shell):
    # deploy
    up = shell("spillway up")
    assert "APIM_GATEWAY_URL=" in up
    found = shell("spillway env get-values | grep APIM_GATEWAY_URL")
    gateway = re.search(r'APIM_GATEWAY_URL="?([^"\n]+)', found)[1]
    key = shell("spillway env get SPILLWAY_API_KEY").strip()
    answer = ask_in_readme(shell)
    assert "200" in answer.splitlines()[0] or " 200 " in answer
    assert "x-spillway-backend: " in answer

    # point the chat app at it, by the names that azure-search-openai-demo reads
    port = harness.free_ports(1)
    env = {
        **shell.env, "OPENAI_HOST": "azure_custom", "AZURE_OPENAI_CUSTOM_URL": f"{gateway}/openai/v1",
        "AZURE_OPENAI_API_KEY_OVERRIDE": key, "AZURE_OPENAI_CHATGPT_DEPLOYMENT": harness.CHAT,
        "AZURE_OPENAI_EMB_DEPLOYMENT": harness.EMBEDDING,
    }  # fmt: skip
    chat = subprocess.Popen(
        [harness.SPILLWAY, "chat", "--listen", f"127.0.0.1:{port}", "--database", str(shell.folder / "chat.db")],
        env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        for base in (shell.chat, f"http://127.0.0.1:{port}"):  # the stack's own, and the one that was pointed there
            harness.wait_until(lambda base=base: chat_answers(base), 30, every=0.5)
    finally:
        chat.terminate()
        assert chat.wait(20) == 0

    # raise the capacity
    changed = shell("spillway env set OPENAI_CAPACITY 50 && spillway up")
    assert "OPENAI_CAPACITY 30 -> 50" in changed
    assert harness.post_chat(gateway, key=key).status_code == 200

    # diagnose: a resource that is throttled, seen by the answer, the backends, `top`, metrics and the log
    emulator = shell("spillway env get SPILLWAY_EMULATOR_ADMIN_PORT").strip()
    names = sorted(shell.backends())
    shell(f"""curl -fsS localhost:{emulator}/faults -d '{{"resource":1,"kind":"429","retry_after":4,"seconds":60}}'""")
    spilled = [harness.post_chat(gateway, key=key) for _ in range(3)]
    assert [one.status_code for one in spilled] == [200] * 3
    assert any(int(one.headers["x-spillway-attempts"]) == 2 for one in spilled)
    assert {one.headers["x-spillway-backend"] for one in spilled} <= set(names[1:])
    throttled = shell.backends()[names[0]]
    assert throttled["state"] != "available" and throttled["reason"] and throttled["seconds_left"] > 0, throttled
    top = shell(f"spillway top --once --url {shell.admin}")
    assert all(name in top for name in names)
    metrics = httpx.get(f"{shell.admin}/metrics").text
    assert f'spillway_backend_available{{backend="{names[0]}"}} 0' in metrics
    log = (shell.folder / "state/spillway/local/access.jsonl").read_text().splitlines()
    statuses = [[attempt["status"] for attempt in json.loads(line)["attempts"]] for line in log]
    assert [429, 200] in statuses, statuses
    shell(f"curl -fsS -X DELETE localhost:{emulator}/faults")
    harness.wait_until(lambda: harness.post_chat(gateway, key=key).headers["x-spillway-backend"] == names[0], 20, every=0.5)

    # test with load: so much that all three are needed
    shell("spillway load --rate 4 --duration 15s --no-fail --out spill.html --json spill.json", timeout=180)
    report = json.loads((shell.folder / "spill.json").read_text())
    told = json.dumps(report)
    assert all(name in told for name in names), "not every resource had its part"
    assert "<svg" in (shell.folder / "spill.html").read_text()

    # clean up
    state = shell.folder / "state/spillway/local"
    pids = [int(re.search(r'^PID="(\d+)"', file.read_text(), re.M)[1]) for file in state.glob("*.pid")]
    assert len(pids) == 3
    shell("spillway down --purge --force")
    with pytest.raises(httpx.ConnectError):
        harness.post_chat(gateway, key=key)
    assert not state.exists()
    assert [pid for pid in pids if pathlib.Path(f"/proc/{pid}/exe").exists()] == []


def chat_answers(base):
    """One question over the interface that the chat app's own page uses; the backend that gave the answer."""
    try:
        with httpx.Client(base_url=base, headers={"sec-fetch-site": "same-origin", "x-spillway-page": "1"}, timeout=30) as page:
            page.post("/api/session", json={}).raise_for_status()
            conversation = page.post("/api/conversations", json={}).raise_for_status().json()["id"]
            turn = page.post(f"/api/conversations/{conversation}/turns", json={"parent": "", "text": "Say hello."})
            found = re.search(r'"backend":"(aoai-\d)"', turn.raise_for_status().text)
            return found and found[1]
    except httpx.HTTPError:
        return None
