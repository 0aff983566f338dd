"""Secrets are planted wherever one can be given, and looked for in everything that comes out."""

import pathlib
import subprocess

import httpx
import pytest

import harness
import scripted
from harness import chat_body, chat_url

PLANTED = {
    "client key": "planted-client-key-5a1e",
    "another client's key": "planted-other-key-77b2",
    "backend key": "planted-backend-key-9c3d",
    "backend key in a file": "planted-file-key-1f4e",
    "admin token": "planted-admin-token-2d6f",
    "api-key in the query": "planted-query-key-3e8a",
    "code in the query": "planted-query-code-4b9c",
    "signature in the query": "planted-query-sig-6d0e",
    "unknown key": "planted-wrong-key-8f1a",
    "bearer token": "planted.bearer.token-0c2b",
    "prompt": "planted-prompt-aa55",
}


class Gateway(harness.Process):
    def __init__(self, folder, config, port, level):
        super().__init__(folder, "gateway", ["serve", "--config", config, "--log-level", level], {"ADMIN": PLANTED["admin token"]})
        self.url, self.admin = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{port + 1}"
        self.wait_ready(f"{self.admin}/healthz")


@pytest.mark.parametrize("level", ["trace", "info"])
def test_no_secret_comes_out_anywhere(tmp_path, level):
    seen = {}
    emulator = harness.Emulator(tmp_path, 1)
    port = harness.free_ports(2)
    (tmp_path / "backend.key").write_text(PLANTED["backend key in a file"] + "\n")
    access = tmp_path / "access.jsonl"
    config = tmp_path / "gateway.yaml"
    config.write_text(
        f"""
server: {{listen: "127.0.0.1:{port}"}}
admin: {{listen: "127.0.0.1:{port + 1}", token_env: ADMIN}}
log: {{access: {access}}}
clients:
  - {{name: a, key: {PLANTED["client key"]}}}
  - {{name: b, key: {PLANTED["another client's key"]}, deployments: [other]}}
backends:
  - {{name: refusing, url: "{emulator.urls[0]}", api_key: {PLANTED["backend key"]}}}
  - {{name: absent, url: "http://127.0.0.1:1", api_key_file: backend.key}}
  - {{name: good, url: "{emulator.urls[0]}", api_key: {harness.RESOURCE_KEY}, priority: 2}}
ledger: {{path: {tmp_path / "usage.db"}}}
"""
    )
    gateway = Gateway(tmp_path, config, port, level)
    try:
        query = "&api-key={}&code={}&sig={}".format(
            PLANTED["api-key in the query"], PLANTED["code in the query"], PLANTED["signature in the query"]
        )
        body = chat_body(PLANTED["prompt"])
        keys = [("api-key", PLANTED[k]) for k in ("client key", "another client's key", "unknown key")]
        keys += [("authorization", f"Bearer {PLANTED['bearer token']}"), ("authorization", f"Bearer {PLANTED['client key']}")]
        statuses = []
        for number, header in enumerate(keys * 2):
            content = {"json": body} if number < len(keys) else {"content": b"{broken" + PLANTED["client key"].encode()}
            answer = httpx.post(chat_url(gateway.url) + query, headers=dict([header]), timeout=30, **content)
            statuses.append(answer.status_code)
            if answer.status_code != 200:
                seen[f"answer {number}"] = str(answer.headers) + answer.text
        assert {200, 401, 403, 400} <= set(statuses), statuses
        admin = {"authorization": f"Bearer {PLANTED['admin token']}"}
        for path in ("backends", "clients", "config", "live", "usage"):
            answer = httpx.get(f"{gateway.admin}/api/{path}", headers=admin)
            assert answer.status_code == 200, (path, answer.text)
            seen[f"/api/{path}"] = answer.text
        seen["/api without the token"] = httpx.get(f"{gateway.admin}/api/config", headers={"authorization": "Bearer wrong"}).text
        seen["/metrics"] = httpx.get(f"{gateway.admin}/metrics", headers=admin).text
        seen["/readyz"] = httpx.get(f"{gateway.admin}/readyz").text
        seen["process list"] = pathlib.Path(f"/proc/{gateway.process.pid}/cmdline").read_text()
        harness.wait_until(lambda: access.exists() and access.read_text().count("\n") >= len(statuses))
    finally:
        gateway.stop()
        emulator.stop()
    check = subprocess.run(
        [harness.SPILLWAY, "check", "--config", config], capture_output=True, text=True, env={"ADMIN": PLANTED["admin token"]}
    )
    assert check.returncode == 0, check.stderr
    seen["check"] = check.stdout + check.stderr
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text(config.read_text().replace("priority: 2", f"prioriti: {PLANTED['client key']}").replace("token_env: ADMIN", f"token_env: {PLANTED['admin token']}"))
    check = subprocess.run([harness.SPILLWAY, "check", "--config", wrong], capture_output=True, text=True)
    assert check.returncode == 2
    seen["check of a wrong file"] = check.stdout + check.stderr
    seen["log"] = gateway.log_text()
    seen["access log"] = access.read_text()
    seen["ledger"] = (tmp_path / "usage.db").read_bytes().decode("latin-1")
    assert all(seen[name] for name in ("access log", "/metrics", "check", "log")), "nothing was looked at"
    found = [(what, where) for what, secret in PLANTED.items() for where, text in seen.items() if secret in text]
    assert not found


def test_a_secrets_file_is_read_again_when_it_changes(tmp_path):
    backend = scripted.Backend("one", scripted.healthy)
    (tmp_path / "client.key").write_text("client-key-before-0001\n")
    (tmp_path / "backend.key").write_text("backend-key-before-0001\n")
    config = backend.config()
    del config["api_key"]
    gateway = harness.Gateway(
        tmp_path, [{**config, "api_key_file": "backend.key"}],
        clients=[{"name": "web", "key_file": "client.key"}],
    )  # fmt: skip
    try:
        assert harness.post_chat(gateway.url, key="client-key-before-0001").status_code == 200
        (tmp_path / "client.key").write_text("client-key-after-00001\n")
        (tmp_path / "backend.key").write_text("backend-key-after-00001\n")
        harness.wait_until(
            lambda: harness.post_chat(gateway.url, key="client-key-after-00001").status_code == 200, seconds=6
        )
        assert harness.post_chat(gateway.url, key="client-key-before-0001").status_code == 401
        assert backend.seen[-1].headers["api-key"] == "backend-key-after-00001"
        assert "key-after" not in gateway.log_text()
    finally:
        gateway.stop()
        backend.stop()
