"""The usage ledger: a row for each answer, read by /api/usage and the verb, and not lost by a kill."""

import asyncio
import json
import sqlite3
import subprocess
import time

import httpx

import harness
from harness import CLIENT_KEY, chat_body, chat_url, post_chat, wait_until


def rows(path):
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as db:
        return db.execute("SELECT count(*) FROM usage").fetchone()[0]


def usage(*arguments):
    return subprocess.run([harness.SPILLWAY, "usage", *map(str, arguments)], capture_output=True, text=True, check=False)


def test_usage_is_kept_and_told(stack, tmp_path):
    ledger = tmp_path / "usage.db"
    running = stack(
        ledger={"path": str(ledger)},
        clients=[
            {"name": "e2e", "key": CLIENT_KEY, "team": "red"},
            {"name": "poor", "key": "poor-key", "limits": {"requests_per_minute": 1}},
        ],
        users={"field": True},
        prices={"gpt-4o": {"prompt": 2, "completion": 10}},
        weights={"completion": 3},
    )
    prompt = completion = 0
    for user in ("ann", "ann", "bob"):
        told = post_chat(running.gateway.url, user=user).json()["usage"]
        prompt += told["prompt_tokens"]
        completion += told["completion_tokens"]
    assert post_chat(running.gateway.url, key="poor-key").status_code == 200
    assert post_chat(running.gateway.url, key="poor-key").status_code == 429
    wait_until(lambda: rows(ledger) == 5)  # what its own limits refuse is in a client's account

    answer = httpx.get(f"{running.gateway.admin}/api/usage?by=client,team").json()
    assert answer["from"] < answer["to"]
    mine = next(total for total in answer["usage"] if total["client"] == "e2e")
    assert mine["team"] == "red"
    assert mine["requests"] == 3 and mine["failed"] == 0 and mine["estimated"] == 0
    assert (mine["prompt_tokens"], mine["completion_tokens"]) == (prompt, completion)
    assert mine["charged_tokens"] == prompt + 3 * completion
    assert abs(mine["cost"] - (prompt * 2 + completion * 10) / 1e6) < 1e-6

    poor = next(total for total in answer["usage"] if total["client"] == "poor")
    assert (poor["requests"], poor["refused"], poor["failed"], poor["estimated"]) == (2, 1, 1, 0)

    by_user = httpx.get(f"{running.gateway.admin}/api/usage?by=user,hour,deployment&client=e2e&from=1h").json()["usage"]
    assert {(t["user"], t["requests"]) for t in by_user} == {("ann", 2), ("bob", 1)}
    assert all(t["deployment"] == "gpt-4o" and t["hour"].endswith(":00:00.000Z") for t in by_user)
    assert httpx.get(f"{running.gateway.admin}/api/usage?by=colour").status_code == 400
    assert httpx.get(f"{running.gateway.admin}/api/usage?from=soon").status_code == 400

    table = usage("--ledger", ledger, "--by", "client", "--since", "24h")
    assert table.returncode == 0
    lines = table.stdout.splitlines()
    assert lines[0].split()[:2] == ["client", "requests"]
    assert [line.split()[:2] for line in lines[1:]] == [["e2e", "3"], ["poor", "2"]]
    as_json = usage("--ledger", ledger, "--by", "user", "--client", "e2e", "--json")
    assert {t["user"]: t["requests"] for t in json.loads(as_json.stdout)["usage"]} == {"ann": 2, "bob": 1}
    assert usage("--ledger", ledger, "--by", "colour").returncode == 2
    assert usage("--ledger", tmp_path / "none.db").returncode == 1


def test_refusals_by_the_quota_of_a_day_count(stack, tmp_path):
    clients = [{"name": "e2e", "key": CLIENT_KEY, "limits": {"tokens": {"day": 50}}}]
    running = stack(resources=1, ledger={"path": str(tmp_path / "usage.db")}, clients=clients)
    statuses = [post_chat(running.gateway.url).status_code for _ in range(4)]
    assert statuses[-1] == 403
    refused = statuses.count(403)

    def told():
        usage = httpx.get(f"{running.gateway.admin}/api/usage?by=client").json()["usage"]
        return sum(row["refused"] for row in usage) == refused

    wait_until(told)
    totals = httpx.get(f"{running.gateway.admin}/api/live").json()["totals"]
    assert (totals["limited"], totals["refused"]) == (refused, 0)


def test_no_ledger_is_told(shared):
    assert httpx.get(f"{shared.gateway.admin}/api/usage").status_code == 404


def test_streams_have_exact_rows(stack, tmp_path):
    ledger = tmp_path / "usage.db"
    running = stack(ledger={"path": str(ledger)})
    answer = post_chat(running.gateway.url, stream=True, stream_options={"include_usage": True})
    told = [e for e in harness.sse_events(answer.text) if e != "[DONE]" and e.get("usage")][-1]["usage"]
    assert post_chat(running.gateway.url, stream=True).status_code == 200
    wait_until(lambda: rows(ledger) == 2)
    with sqlite3.connect(f"file:{ledger}?mode=ro", uri=True) as db:
        found = db.execute("SELECT prompt_tokens, completion_tokens, estimated FROM usage").fetchall()
    assert found == [(told["prompt_tokens"], told["completion_tokens"], 0)] * 2


def test_a_kill_during_load_loses_at_most_the_last_200_ms(stack, tmp_path):
    ledger = tmp_path / "usage.db"
    running = stack(ledger={"path": str(ledger)}, emulator_args=["--ttft", "20ms", "--tokens-per-second", 0])
    completed = []
    killed = None

    async def load():
        async with httpx.AsyncClient(limits=httpx.Limits(max_connections=32), timeout=10) as http:

            async def one():
                while killed is None:
                    try:
                        answer = await http.post(
                            chat_url(running.gateway.url), headers={"api-key": CLIENT_KEY}, json=chat_body(max_tokens=5)
                        )
                    except httpx.HTTPError:
                        return
                    if answer.status_code == 200:
                        completed.append(time.monotonic())

            async def kill():
                nonlocal killed
                end = time.monotonic() + 60
                while len(completed) < 600 and time.monotonic() < end:
                    await asyncio.sleep(0.01)
                killed = time.monotonic()
                running.gateway.process.kill()

            await asyncio.gather(kill(), *(one() for _ in range(32)))

    asyncio.run(load())
    running.gateway.process.wait()
    safe = sum(at < killed - 0.2 for at in completed)
    kept = rows(ledger)
    print(f"{len(completed)} answers, {safe} older than 200 ms, {kept} rows")
    assert safe > 200
    assert kept >= safe
    with sqlite3.connect(ledger) as db:
        assert db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    # The fixture expects a clean end: start it anew on the same ledger.
    running.gateway = harness.Gateway(
        tmp_path, [harness.backend("r1", running.emulator.urls[0])], ledger={"path": str(ledger)}
    )
    assert post_chat(running.gateway.url).status_code == 200
    wait_until(lambda: rows(ledger) == kept + 1)


def test_rows_older_than_it_keeps_are_dropped_while_it_runs(stack, tmp_path):
    """And a row that comes of age meanwhile, too; a month's limits need all of the last 32 days."""
    ledger = tmp_path / "usage.db"
    running = stack(ledger={"path": str(ledger), "keep": "32d"})
    assert post_chat(running.gateway.url).status_code == 200
    wait_until(lambda: rows(ledger) == 1)
    day = 86_400_000
    with sqlite3.connect(ledger) as db:
        columns = [row[1] for row in db.execute("PRAGMA table_info(usage)") if row[1] != "id"]
        for age in (*(33 + n for n in range(5)), 31):
            values = ", ".join(f"time_ms - {age * day}" if name == "time_ms" else name for name in columns)
            db.execute(f"INSERT INTO usage ({', '.join(columns)}) SELECT {values} FROM usage WHERE id = 1")
    db.close()
    assert rows(ledger) == 7
    wait_until(lambda: rows(ledger) == 2, seconds=75)  # it looks each minute
    assert post_chat(running.gateway.url).status_code == 200
    wait_until(lambda: rows(ledger) == 3)


def test_a_month_is_the_least_it_keeps(tmp_path):
    config = tmp_path / "gateway.yaml"
    config.write_text(json.dumps({"backends": [{"url": "https://one.openai.azure.com", "api_key": "k" * 32}], "ledger": {"path": "u.db", "keep": "7d"}}))
    done = subprocess.run([harness.SPILLWAY, "check", "--config", config], capture_output=True, text=True)
    assert done.returncode == 2
    assert "ledger.keep: expected a duration" in done.stderr and "from 32d" in done.stderr
