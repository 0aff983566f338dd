"""What fails is told, once, with its reason; and nobody waits for who should read it."""

import os
import signal
import sqlite3
import stat
import subprocess
import time

import httpx

import harness
from harness import post_chat, wait_until


def rows(path):
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as db:
        return db.execute("SELECT count(*) FROM usage").fetchone()[0]


def test_a_deleted_ledger_is_noticed_and_begun_anew(stack, tmp_path):
    ledger = tmp_path / "usage.db"
    gateway = stack(resources=1, ledger={"path": str(ledger)}).gateway
    assert post_chat(gateway.url).status_code == 200
    wait_until(lambda: rows(ledger) == 1)
    assert stat.S_IMODE(ledger.stat().st_mode) & 0o027 == 0
    for file in tmp_path.glob("usage.db*"):
        file.unlink()
    wait_until(lambda: f"the ledger {ledger} is written again: it was deleted" in gateway.log_text(), 5)
    assert post_chat(gateway.url).status_code == 200
    wait_until(lambda: rows(ledger) == 1)
    assert stat.S_IMODE(ledger.stat().st_mode) & 0o027 == 0


def test_a_locked_ledger_is_told_once_and_caught_up(stack, tmp_path):
    ledger = tmp_path / "usage.db"
    gateway = stack(resources=1, ledger={"path": str(ledger)}).gateway
    assert post_chat(gateway.url).status_code == 200
    wait_until(lambda: rows(ledger) == 1)
    locked = sqlite3.connect(ledger, isolation_level=None)
    locked.execute("BEGIN IMMEDIATE")
    for _ in range(5):
        assert post_chat(gateway.url).status_code == 200
    wait_until(lambda: "cannot be written: database is locked" in gateway.log_text(), 8)
    time.sleep(2)
    locked.execute("COMMIT")
    locked.close()
    wait_until(lambda: rows(ledger) == 6, 5)
    wait_until(lambda: f"the ledger {ledger} is written again" in gateway.log_text(), 5)
    assert gateway.log_text().count("cannot be written") == 1


def test_a_full_disk_is_told_once(stack):
    gateway = stack(resources=1, log={"access": "/dev/full"}).gateway
    for _ in range(3):
        assert post_chat(gateway.url).status_code == 200
        time.sleep(0.5)
    wait_until(lambda: "the access log /dev/full cannot be written: No space left on device" in gateway.log_text(), 5)
    assert gateway.log_text().count("cannot be written") == 1


def test_nobody_waits_for_who_reads_standard_error(stack, tmp_path):
    running = stack(resources=1)
    gateway = running.gateway
    gateway.stop()
    read_end, write_end = os.pipe()
    process = subprocess.Popen(
        [harness.SPILLWAY, "serve", "--config", gateway.config, "--keep-accepting", "0"],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=write_end, cwd=tmp_path,
    )  # fmt: skip
    os.close(write_end)
    try:

        def healthy():
            try:
                return httpx.get(f"{gateway.admin}/healthz", timeout=2).status_code == 200
            except httpx.ConnectError:
                return False

        wait_until(healthy)
        # A reload writes a line each: more than a pipe holds, and than is kept.
        with httpx.Client(base_url=gateway.admin, timeout=5) as client:
            reloads = [client.post("/api/reload").status_code for _ in range(2000)]
        assert set(reloads) == {200}
        for _ in range(50):
            process.send_signal(signal.SIGHUP)
            time.sleep(0.001)
        assert healthy()
        assert post_chat(gateway.url).status_code == 200
        # Who reads on is told what is missing.
        os.set_blocking(read_end, False)
        told = b""
        for _ in range(50):
            try:
                told += os.read(read_end, 1 << 20)
            except BlockingIOError:
                time.sleep(0.1)
        assert b"lines of this log are missing" in told
        process.send_signal(signal.SIGTERM)
        assert process.wait(5) == 0
    finally:
        process.kill()
        os.close(read_end)
