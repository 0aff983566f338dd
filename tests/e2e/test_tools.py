"""The command line as a person meets it: suggestions, examples, `top` in a terminal, `backup` and `restore`."""

import contextlib
import gzip
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import threading

import pytest

import harness
from harness import post_chat, wait_until
from terminal import Terminal


def run(*arguments, env=None):
    return subprocess.run(
        [harness.SPILLWAY, *map(str, arguments)],
        capture_output=True, text=True, check=False, env={**os.environ, **(env or {})},
    )  # fmt: skip


@pytest.mark.parametrize(
    "words, told",
    [
        (["srve"], "there is no command srve; did you mean serve?"),
        (["laod", "--rate", "1"], "there is no command laod; did you mean load?"),
        (["load", "--rte", "1"], "there is no option --rte; did you mean --rate?"),
        (["env", "gte"], "there is no command gte; did you mean get?"),
        (["check", "--conifg=x"], "there is no option --conifg; did you mean --config?"),
        (["serve", "-z"], "there is no option -z"),
        (["health", "now"], "takes no word now"),
        (["--versoin"], "there is no option --versoin; did you mean --version?"),
        (["usage", "--ledger", "x.db", "--by", "team,clinet"], "did you mean client?"),
        (["load", "--style", "azur"], "azur is none of azure, v1; did you mean azure?"),
        (["top", "--sort", "opne"], "did you mean open?"),
        (["emulate", "--base-port", "70000"], "Value 70000 not in range"),
        (["emulate", "--admin-port", "none"], "Value none not in range"),
    ],
)
def test_did_you_mean(words, told):
    done = run(*words)
    assert done.returncode == 2
    assert told in done.stderr
    assert done.stdout == ""


def test_help_and_version_as_words():
    assert run("version").stdout == run("--version").stdout != ""
    assert run("help").stdout == run("--help").stdout != ""
    assert run("help", "load").stdout == run("load", "--help").stdout != ""


def test_health_says_why_not(shared):
    done = run("health", "--port", harness.free_ports(1))
    assert done.returncode == 1 and "refused" in done.stderr
    data_port = shared.gateway.url.rsplit(":", 1)[1]
    assert run("health", "--port", data_port).returncode == 0


def test_each_verb_has_examples():
    verbs = re.findall(r"^  (\w+) {2,}", run("--help").stdout.split("ubcommands")[1], re.M)
    assert {"serve", "check", "import", "backup", "top"} <= set(verbs)
    for verb in verbs:
        help_text = run(verb, "--help").stdout
        assert "Examples:" in help_text, verb
        for line in re.findall(r"^  (?:.* )?spillway (\w+)", help_text.split("Examples:")[1], re.M):
            assert line in verbs


def all_verbs():
    """Each command that does something, from the program's own table: ("serve",), ("keys", "create"), …"""

    def below(*path):
        text = run(*path, "--help").stdout
        listed = text.split("ubcommands:\n")[1].split("\n\n")[0] if "ubcommands:\n" in text else ""
        inner = [(*path, verb) for verb in re.findall(r"^  ([\w-]+)", listed, re.M)]
        # `load` does something itself and has a command below it; the others are groups only.
        if not inner or "[SUBCOMMAND]" in text:
            yield path
        for one in inner:
            yield from below(*one)

    return list(below())


# They run until they are stopped: docs/operations.md, "In scripts".
WITHOUT_JSON = {("serve",), ("emulate",), ("chat",)}


def test_each_command_has_json_or_a_reason():
    verbs = all_verbs()
    assert len(verbs) > 20 and {("load",), ("load", "compare"), ("keys", "rotate"), ("env", "set")} <= set(verbs)
    without = {verb for verb in verbs if not re.search(r"^ +--json\b", run(*verb, "--help").stdout, re.M)}
    assert without == WITHOUT_JSON
    page = (harness.ROOT / "docs/operations.md").read_text()
    section = page.split("## In scripts")[1].split("\n## ")[0]
    for verb in verbs:
        assert f"`{' '.join(verb)}" in section or f"`{verb[0]} …" in section, f"{verb} is not in docs/operations.md"


def of_json(*arguments, status=0, env=None):
    """The one JSON value on standard output."""
    done = run(*arguments, "--json", env=env)
    assert done.returncode == status, done.stderr
    return json.loads(done.stdout)


def test_shapes_of_json(shared, tmp_path):
    port = shared.gateway.url.rsplit(":", 1)[1]
    assert of_json("health", "--port", port) == {"ok": True, "url": f"http://127.0.0.1:{port}/healthz"}
    free = harness.free_ports(1)
    missing = of_json("health", "--port", free, status=1)
    assert missing.keys() == {"ok", "url", "message"} and missing["ok"] is False

    stack = {"XDG_STATE_HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path), "SPILLWAY_ENV_NAME": "json"}
    assert of_json("down", env=stack) == {"stack": "json", "existed": False, "removed": False}
    assert of_json("env", "set", "OPENAI_CAPACITY", "50", env=stack) == {"OPENAI_CAPACITY": "50"}
    assert of_json("env", "get", "OPENAI_CAPACITY", env=stack) == {"OPENAI_CAPACITY": "50"}
    assert of_json("env", "get-values", env=stack)["OPENAI_CAPACITY"] == "50"

    (tmp_path / "litellm.yaml").write_text(
        "model_list:\n  - model_name: gpt-4o\n    litellm_params: {model: azure/gpt-4o, api_base: 'https://one.openai.azure.com', nonsense: 1}\n"
    )
    imported = of_json("import", tmp_path / "litellm.yaml")
    assert imported.keys() == {"kind", "notes", "yaml"} and imported["kind"] == "litellm"
    assert imported["yaml"].count("https://one.openai.azure.com") == 1
    assert any(note["line"] == 3 and "nonsense" in note["key"] + note["message"] for note in imported["notes"])

    figures = ("load", "--url", shared.gateway.url, "--rate", "20", "--duration", "1s", "--quiet", "--json", "-")
    measured = run(*figures, env={"SPILLWAY_API_KEY": harness.CLIENT_KEY})
    assert json.loads(measured.stdout)["ok"] > 0, "nothing but JSON"
    (tmp_path / "run.json").write_text(measured.stdout)
    beside = of_json("load", "compare", tmp_path / "run.json", tmp_path / "run.json")
    assert beside.keys() == {"before", "after", "figures"}
    rate = next(one for one in beside["figures"] if one["name"] == "rate")
    assert rate.keys() == {"name", "before", "after", "difference", "interval", "noise"}
    assert (rate["difference"], rate["noise"]) == (0, True)
    assert run("load", "compare", tmp_path / "run.json", tmp_path / "run.json").returncode == 2, "neither --out nor --json"


@pytest.fixture(scope="module")
def manual(tmp_path_factory):
    folder = tmp_path_factory.mktemp("manual")
    script = harness.ROOT / "deploy/make_manual.py"
    subprocess.run([sys.executable, script, harness.SPILLWAY, folder], check=True, capture_output=True)
    return folder


def options_of(verb):
    return set(re.findall(r"^ {2,4}(?:-\w,)?(--[\w-]+)", run(*verb, "--help").stdout.split("\nExamples:")[0], re.M))


def test_each_command_and_option_is_completed_and_in_the_manual(manual):
    page = gzip.decompress((manual / "spillway.1.gz").read_bytes()).decode().replace("\\-", "-")
    zsh, fish = (manual / "_spillway").read_text(), (manual / "spillway.fish").read_text()
    for verb in all_verbs():
        path, options = " ".join(verb), options_of(verb)
        assert "--help" in options
        asked = f"source {manual}/spillway.bash; COMP_WORDS=(spillway {path} --); COMP_CWORD={len(verb) + 1}; _spillway; echo ${{COMPREPLY[@]}}"
        offered = subprocess.run(["bash", "-c", asked], capture_output=True, text=True, check=True).stdout.split()
        assert set(offered) == options, path
        section = page.split(f".SS spillway {path}\n")[1].split("\n.S")[0]
        case = zsh.split(f"'{path} '*) compadd -- ")[1].split(";")[0].split()
        seen = "; and ".join(f"__fish_seen_subcommand_from {word}" for word in verb)
        for option in options:
            assert re.search(rf"{option}\b", section), f"{path} {option}"
            assert option in case, f"{path} {option}"
            assert f"-n '{seen}' -l {option[2:]}\n" in fish, f"{path} {option}"
        for example in re.findall(r"^  .*spillway.*$", run(*verb, "--help").stdout.partition("\nExamples:")[2], re.M):
            assert example.strip().replace("\\", "\\e") in page, example
    for shell, script in (("zsh", "_spillway"), ("fish", "spillway.fish"), ("bash", "spillway.bash")):
        if shutil.which(shell):
            subprocess.run([shell, "-n", manual / script], check=True)
    if shutil.which("man"):
        told = subprocess.run(["man", "--warnings", "-l", manual / "spillway.1.gz"], capture_output=True, text=True, check=True,
                              env={**os.environ, "MANPAGER": "cat", "MANWIDTH": "80"})  # fmt: skip
        assert told.stderr == ""


def test_check_tells_problems_as_json(tmp_path):
    file = tmp_path / "gateway.yaml"
    file.write_text("backends:\n  - {url: https://one.openai.azure.com, api_key: abcdefgh, prioritty: 1}\n")
    done = run("check", "--config", file, "--json")
    assert done.returncode == 2
    told = json.loads(done.stdout)
    assert told["ok"] is False
    problem = told["problems"][0]
    assert (problem["severity"], problem["line"], problem["key"]) == ("error", 2, "backends[0].prioritty")
    assert "did you mean priority?" in problem["message"]


@pytest.fixture
def many(tmp_path):
    """A gateway with more backends and clients than a terminal has lines."""
    gateway = harness.Gateway(
        tmp_path,
        [harness.backend(f"backend-{n:03}", "http://127.0.0.1:9", priority=n + 1) for n in range(60)],
        clients=[{"name": f"team-{n:03}", "key": f"client-key-{n:03}"} for n in range(100)],
    )
    yield gateway
    gateway.stop()


def test_top_scrolls_filters_and_quits(many):
    top = Terminal(80, 24, "top", "--url", many.admin, "--interval", "200ms")
    try:
        top.sees("backend-000")
        top.sees("q quits")
        assert "backend-059" not in "\n".join(top.lines())
        assert "q quits" in top.lines()[23]
        top.type("G")
        top.sees("team-099")
        top.type("g")
        top.sees("backend-000")
        top.type("\x1b[6~")
        top.sees("backend-025")
        top.type("/backend-041\r")
        top.sees("backend-041")
        assert "backend-042" not in "\n".join(top.lines())
        top.type("\x1b")
        top.sees("backend-000")
        top.type("s")
        top.sees("s sorts (name)")
        assert top.beyond == 0
        top.type("q")
        assert top.process.wait(5) == 0
    finally:
        top.close()


@pytest.mark.parametrize("reflows", [False, True], ids=["cuts", "reflows"])
def test_top_follows_a_shrinking_terminal(many, reflows):
    top = Terminal(120, 40, "top", "--url", many.admin, "--interval", "200ms", reflows=reflows)
    try:
        top.sees("backend-030")
        top.size(60, 12)
        top.read(0.5)
        top.forget()
        top.read(1)
        top.sees("q quits")
        assert top.beyond == 0
        assert top.text().count("q quits") == 1, "no stale line:\n" + top.text()
        assert "q quits" in top.lines()[11]
        top.size(100, 50)
        top.sees("backend-040")
    finally:
        top.close()


@pytest.fixture
def wide(tmp_path):
    """A gateway whose requests go to more backends than a terminal has lines, with names that are long."""
    emulator = harness.Emulator(tmp_path, resources=1)
    gateway = harness.Gateway(
        tmp_path, [harness.backend(f"a-backend-with-a-long-name-{n:02}", emulator.urls[0]) for n in range(30)]
    )
    yield gateway
    gateway.stop()
    emulator.stop()


@pytest.mark.parametrize("reflows", [False, True], ids=["cuts", "reflows"])
def test_load_follows_a_shrinking_terminal(wide, reflows):
    """One block that is drawn over, whatever the terminal becomes, and a report of 80 columns."""
    load = Terminal(110, 60, "load", "--url", wide.url, "--rate", "40", "--duration", "9s", "--answer-tokens", "20",
                    env={"SPILLWAY_API_KEY": harness.CLIENT_KEY}, reflows=reflows)  # fmt: skip

    def is_one_block():
        for mark in (" of 9 s", " now ", " total "):
            assert load.text().count(mark) == 1, f"stale or missing {mark!r}:\n{load.text()}"
        assert load.beyond == 0, load.text()

    try:
        load.sees("a-backend-with-a-lon")
        load.read(1.2)
        is_one_block()
        for columns, rows in ((80, 24), (50, 12), (100, 40)):
            load.size(columns, rows)
            load.forget()
            load.read(1.6)
            is_one_block()
            assert max(len(line) for line in load.lines()) > min(columns, 80) * 0.6
            assert ("more lines" in load.text()) == (rows < 37)
        load.size(80, 50)
        load.read(1.2)
        load.forget()
        assert load.wait(30) == 0, load.text()
        assert "error rate 0 %" in load.text()
        assert load.screen.wrapped == 0, load.text()
    finally:
        load.close()


def test_top_once(many):
    done = run("top", "--once", "--url", many.admin, "--sort", "name", "--filter", "BACKEND-05")
    assert done.returncode == 0
    assert done.stdout.count("backend-05") == 10
    told = json.loads(run("top", "--once", "--json", "--url", many.admin).stdout)
    assert len(told["backends"]) == 60


def rows(path):
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
        return db.execute("SELECT count(*) FROM usage").fetchone()[0]


def test_backup_of_a_running_ledger_and_restore(stack, tmp_path):
    ledger = tmp_path / "usage.db"
    running = stack(resources=1, ledger={"path": str(ledger)})

    for _ in range(5):
        assert post_chat(running.gateway.url).status_code == 200
    wait_until(lambda: rows(ledger) == 5)
    stop = threading.Event()

    def ask():
        while not stop.is_set():
            post_chat(running.gateway.url)

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        done = run("backup", "--config", running.gateway.config, "--to", tmp_path / "kept", "--json")
    finally:
        stop.set()
        asking.join()
    assert done.returncode == 0, done.stderr
    copy = tmp_path / "kept" / "ledger.db"
    assert json.loads(done.stdout)["files"][0]["to"] == str(copy)
    assert rows(copy) >= 5
    assert (copy.stat().st_mode & 0o777) == 0o600

    refused = run("restore", "--ledger", ledger, "--from", tmp_path / "kept")
    assert refused.returncode == 1
    assert "is in use: stop the gateway first" in refused.stderr
    running.gateway.stop()
    kept = rows(copy)
    with contextlib.closing(sqlite3.connect(ledger)) as db:
        db.execute("DELETE FROM usage")
        db.commit()
    done = run("restore", "--ledger", ledger, "--from", tmp_path / "kept")
    assert done.returncode == 0, done.stderr
    assert rows(ledger) == kept
    assert rows(f"{ledger}.before-restore") == 0
    again = harness.Gateway(
        tmp_path, [harness.backend("r1", running.emulator.urls[0])], ledger={"path": str(ledger)}
    )
    assert post_chat(again.url).status_code == 200
    wait_until(lambda: rows(ledger) == kept + 1)
    assert again.stop() == 0
    (tmp_path / "kept" / "ledger.db").write_bytes(b"x" * 4096)
    assert run("restore", "--ledger", ledger, "--from", tmp_path / "kept").returncode == 1
    assert rows(ledger) == kept + 1


def test_restore_is_all_or_nothing_and_keeps_owner_and_mode(tmp_path):
    for name, table in (("ledger.db", "usage"), ("chat.db", "conversations")):
        with contextlib.closing(sqlite3.connect(tmp_path / name)) as db:
            db.execute(f"CREATE TABLE {table} (x)")
            db.execute(f"INSERT INTO {table} VALUES (1)")
            db.commit()
    ledger, chat = tmp_path / "ledger.db", tmp_path / "chat.db"
    both = ["--ledger", ledger, "--chat", chat]
    assert run("backup", *both, "--to", tmp_path / "kept").returncode == 0
    assert "usage" in run("backup", "--ledger", chat, "--to", tmp_path / "wrong").stderr, "it is not the ledger"

    with contextlib.closing(sqlite3.connect(ledger)) as db:
        db.execute("DELETE FROM usage")
        db.commit()
    held = sqlite3.connect(chat, isolation_level=None)
    held.execute("PRAGMA journal_mode=WAL")
    held.execute("SELECT count(*) FROM conversations").fetchone()
    assert "chat.db is in use" in run("restore", *both, "--from", tmp_path / "kept").stderr
    assert rows(ledger) == 0, "the other file is as it was"
    held.close()

    ledger.chmod(0o640)
    if os.geteuid() == 0:
        os.chown(ledger, 65534, 65534)
    for _ in range(2):
        done = run("restore", *both, "--from", tmp_path / "kept")
        assert done.returncode == 0, done.stderr
        assert rows(ledger) == 1
        assert ledger.stat().st_mode & 0o777 == 0o640
        assert ledger.stat().st_uid == (65534 if os.geteuid() == 0 else os.geteuid())
    assert rows(f"{ledger}.before-restore") == 0, "the first one, which the second restore must not remove"
    missing = run("restore", *both, "--store", tmp_path / "store.db", "--from", tmp_path / "kept")
    assert missing.returncode == 1 and "store.db: is not in this backup" in missing.stderr


def test_backup_of_the_chat(tmp_path):
    chat = tmp_path / "chat.db"
    port = harness.free_ports(1)
    process = harness.Process(
        tmp_path, "chat", ["chat", "--listen", f"127.0.0.1:{port}", "--database", chat],
        env={"AZURE_OPENAI_CUSTOM_URL": "http://127.0.0.1:9", "OPENAI_HOST": "azure_custom", "AZURE_OPENAI_API_KEY_OVERRIDE": "k" * 8},
    )  # fmt: skip
    try:
        process.wait_ready(f"http://127.0.0.1:{port}/healthz")
        done = run("backup", "--chat", chat, "--to", tmp_path / "kept")
        assert done.returncode == 0, done.stderr
        with contextlib.closing(sqlite3.connect(tmp_path / "kept" / "chat.db")) as db:
            assert db.execute("SELECT count(*) FROM conversations").fetchone() == (0,)
        assert "stop the chat app" in run("restore", "--chat", chat, "--from", tmp_path / "kept").stderr
    finally:
        process.stop()
    assert run("restore", "--chat", chat, "--from", tmp_path / "kept").returncode == 0


def test_backup_says_what_is_missing(tmp_path):
    assert run("backup", "--ledger", tmp_path / "none.db", "--to", tmp_path / "kept").returncode == 1
    empty = run("backup", "--to", tmp_path / "kept", env={"XDG_STATE_HOME": str(tmp_path / "state")})
    assert empty.returncode == 2
    assert "Say --config, --ledger or --chat" in empty.stderr
