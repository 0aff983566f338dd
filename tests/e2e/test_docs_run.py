"""Each command that the documents show is run here as it stands there, or named with what runs it."""

import json
import os
import re

import pytest

import harness
import local_shell

# README.md's: test_readme.py.
PAGES = sorted((harness.ROOT / "docs").rglob("*.md"))
# What is run elsewhere, and where; or cannot be, and why.
ELSEWHERE = {
    r"export PATH": "the path of the release build, which the tests have",
    r"openssl |cat server.crt |printf |  -(keyout|H) |curl -sS --cacert": "test_certificates.py",
    r"scripts/(install-deps|build) ": ".ci/run",
    r"tests/e2e/(setup|\.venv/)": ".ci/run",
    r"(\S+=\S+ )*scripts/in-root ": "by hand: docs/development.md, deploy/README.md",
    r"bench/": "by hand: docs/performance.md has the figures",
    r"azd? |  \| spillway import": "needs Azure; the templates: scripts/check-deploy; what is imported: test_import.py",
    r"systemctl ": "tests/deploy/test_package.py",
    r"(pip install )?locust": "tests/deploy/test_scenario.py has the load test; Locust's file is compiled below",
}
# Shorter times, other ports, names of what is there.
SHORT = [
    (r"--duration \d+s", "--duration 4s"), (r"--users 5$", "--users 5 --think-time 500ms --duration 3s"), (r"--warm-up \d+s", "--warm-up 500ms"), (r"'rate>=95%'", "'rate>=1%'"),
    (r"/var/backups/", ""), (r"THEIR-FILE", "litellm.yaml"), (r"'p99_ttft<500ms'", "'p99_ttft<5s'"),
]  # fmt: skip
LITELLM = """
model_list:
  - model_name: gpt-4o
    litellm_params: {model: azure/gpt-4o, api_base: "https://one.openai.azure.com", api_key: os.environ/ONE_KEY}
"""


def blocks(name):
    page = next(page for page in PAGES if str(page).endswith(name))
    found = re.findall(r"^ *```(?:sh|bash|console)\n(.*?)^ *```", page.read_text(), re.M | re.S)
    assert found, name
    return found


def is_elsewhere(line):
    return any(re.match(pattern, line) for pattern in ELSEWHERE)


@pytest.fixture(scope="module")
def shell(tmp_path_factory):
    folder = tmp_path_factory.mktemp("docs")
    local = local_shell.LocalShell(folder)
    first = local.first
    values = dict(re.findall(r'^(\w+)="(.*)"$', local.run("spillway env get-values").stdout, re.M))
    resource = f"http://127.0.0.1:{first + 5}"  # the last to be used
    (emulator,) = (folder / "state/spillway").rglob("emulator.yaml")
    resource_key = re.search(r'^api_key: "?([^"\n]+)', emulator.read_text(), re.M)[1]
    gateway = {
        "server": {"listen": f"127.0.0.1:{first + 7}"},
        "admin": {"listen": f"127.0.0.1:{first + 8}"},
        "clients": [{"name": "web", "key": harness.CLIENT_KEY}],
        "backends": [{"name": "one", "url": resource, "kind": "azure", "api_key": resource_key, "tpm": 30000, "rpm": 180}],
        "ledger": {"path": "usage.db"}, "store": {"path": "store.db"}, "log": {"access": "access.jsonl"},
    }  # fmt: skip
    (folder / "gateway.yaml").write_text(json.dumps(gateway))
    (folder / "emulator.yaml").write_text("resources: 3\n")
    (folder / "litellm.yaml").write_text(LITELLM)
    (folder / "old-keys.jsonl").write_text(json.dumps({"client": "app", "key_sha256": "ab" * 32}) + "\n")
    local.replaced |= {
        "https://one.openai.azure.com": resource, "https://api.openai.com": f"http://127.0.0.1:{first}", "gpt-4o-mini": "gpt-4o",
        "localhost:9100": f"localhost:{first + 9}", "--base-port 9101": f"--base-port {first + 10}",
        "--admin-port 9100": f"--admin-port {first + 9}", "--resources 3": "--resources 2",
        "--base-port 9201": f"--base-port {first + 10}", "127.0.0.1:9201": f"127.0.0.1:{first + 10}", "--admin-port 9200": f"--admin-port {first + 9}",
    }  # fmt: skip
    local.env |= {
        "ONE_KEY": resource_key, "OPENAI_API_KEY": values["SPILLWAY_API_KEY"], "APIM_GATEWAY_URL": values["APIM_GATEWAY_URL"],
        "SPILLWAY_API_KEY": values["SPILLWAY_API_KEY"], "ADMIN_TOKEN": "none-is-asked-for",
    }  # fmt: skip
    # A gateway and a chat app that were there, and left their files.
    done = local.run(f"""
        trap 'kill $(jobs -p) 2>/dev/null || true' EXIT
        spillway serve --config gateway.yaml & gateway=$!
        OPENAI_HOST=azure_custom AZURE_OPENAI_CUSTOM_URL=$APIM_GATEWAY_URL spillway chat --listen 127.0.0.1:{first + 11} --database chat.db & chat=$!
        for i in $(seq 50); do curl -fs http://127.0.0.1:{first + 8}/readyz && [ -e chat.db ] && break || sleep 0.1; done
        spillway load --url http://127.0.0.1:{first + 7} --deployment gpt-4o --api-key {harness.CLIENT_KEY} --rate 4 --duration 2s
        kill $gateway $chat
        wait
    """)
    assert done.returncode == 0, done.stdout + done.stderr
    yield local
    local.end()


def run(shell, script, **more):
    """The block, its lines of elsewhere left out, its background jobs ended."""
    for shown, here in SHORT:
        script = re.sub(shown, here, script, flags=re.M)
    done = shell.run("trap 'kill $(jobs -p) 2>/dev/null || true' EXIT\n" + script, **more)
    assert done.returncode == 0, f"{script}\n{done.stdout}{done.stderr}"
    return done.stdout


def test_every_command_is_run_somewhere():
    """A page that shows commands of its own is in one of the tests below."""
    tested = set(re.findall(r'blocks\("([\w./-]+)"\)', open(__file__).read()))
    for page in PAGES:
        for block in re.findall(r"^ *```(?:sh|bash|console)\n(.*?)^ *```", page.read_text(), re.M | re.S):
            here = [line for line in block.splitlines() if line.strip() and not line.startswith("#") and not is_elsewhere(line)]
            assert not here or any(str(page).endswith(name) for name in tested), f"{page.name}: {here}"
    for where in ELSEWHERE.values():
        for file in re.findall(r"(?:tests/|scripts/|docs/|deploy/|\.ci/)[\w./-]+|test_\w+\.py", where):
            assert (harness.ROOT / file).exists() or (harness.ROOT / "tests/e2e" / file).exists(), file


def test_access_log(shell):
    (block,) = blocks("access-log.md")
    run(shell, block)


def test_chat(shell):
    (block,) = blocks("chat.md")
    page = f"127.0.0.1:{shell.first + 11}"
    asked = f"--listen {page} --database other.db &\nfor i in $(seq 50); do curl -fs http://{page}/healthz && exit; sleep 0.1; done; exit 1"
    run(shell, block.rstrip().replace("…", "key") + " " + asked)


def test_configuration(shell):
    (block,) = blocks("configuration.md")
    told = run(shell, block)
    assert "backends:" in told and "resources:" in told and "ok" in told


def test_dashboard(shell):
    load, drain = blocks("dashboard.md")
    run(shell, load)
    assert "drain" in run(shell, drain)
    run(shell, drain.replace("/drain", "/enable"))


def test_emulator_faults(shell):
    (block,) = blocks("emulator-faults.md")
    begin, *commands = block.splitlines()
    wait = f"for i in $(seq 50); do curl -fs localhost:{shell.first + 9}/stats >/dev/null && break; sleep 0.1; done"
    told = run(shell, "\n".join([begin, wait, *commands]))
    assert '"500"' in told


def test_keys(shell):
    (block,) = blocks("keys.md")
    create, *commands = block.splitlines()
    made = json.loads(run(shell, create + " --json"))
    for command in commands:
        if "revoke" in command:  # it is, afterwards
            continue
        run(shell, re.sub(r"key_\w+…", made["id"], command))
    run(shell, f"spillway keys revoke {made['id']}")


@pytest.mark.parametrize("number", range(5))
def test_load_testing(shell, number):
    block = [block for block in blocks("load-testing.md") if "locust" not in block][number]
    run(shell, "\n".join(line for line in block.splitlines() if not line.startswith("export")).replace("& \n", "&\nsleep 0.5\n"), timeout=90)


def test_locust_file():
    file = harness.ROOT / "deploy/locust/locustfile.py"
    compile(file.read_text(), str(file), "exec")


def test_migrate(shell):
    (block,) = blocks("migrate/README.md")
    kept = (shell.folder / "gateway.yaml").read_text()
    run(shell, block)
    (shell.folder / "gateway.yaml").write_text(kept)


def test_operations(shell):
    reload, _, backup = blocks("operations.md")
    assert "error" not in run(shell, reload)
    told = run(shell, backup)
    assert (shell.folder / "spillway/ledger.db").exists() and (shell.folder / "backup").is_dir(), told
    assert os.path.exists(shell.folder / "chat.db.before-restore")


def test_quotas(shell):
    (block,) = blocks("quotas.md")
    told = run(shell, block)
    assert "gpt-4o" in told
