"""The command line as a person meets it: suggestions, examples, `top` in a terminal, `backup` and `restore`."""

import contextlib
import json
import os
import re
import sqlite3
import subprocess
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
