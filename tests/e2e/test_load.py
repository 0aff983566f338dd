"""`spillway load` measures what is known of the emulator; `spillway top` shows what the gateway does."""

import csv
import html.parser
import json
import os
import signal
import subprocess
import time

import pytest

import harness

# Answers take 200 ms to the first token, then 10 ms for each, exactly.
KNOWN = ("--ttft", "200ms", "--ttft-jitter", "0ms", "--tokens-per-second", "100", "--jitter", "0")
TOKENS = 51
# Half a second of 50 gaps after the first token.
KNOWN_TTFT, KNOWN_TOTAL, KNOWN_GAP = 200, 700, 10
WITHIN = 0.02


def command(*arguments):
    return [str(harness.SPILLWAY), *map(str, arguments)]


def run(*arguments, env=None):
    clean = {k: v for k, v in os.environ.items() if k not in ("APIM_GATEWAY_URL", "SPILLWAY_API_KEY")}
    return subprocess.run(
        command(*arguments), capture_output=True, text=True, timeout=90, check=False, stdin=subprocess.DEVNULL,
        env={**clean, **(env or {})},
    )  # fmt: skip


def load(url, folder, *arguments, key=harness.RESOURCE_KEY, status=0, name="run"):
    """Runs it and returns its JSON."""
    out = folder / f"{name}.json"
    done = run("load", "--url", url, "--json", out, "--name", name, *arguments, env={"SPILLWAY_API_KEY": key})
    assert done.returncode == status, done.stdout + done.stderr
    text = out.read_text()
    assert key not in text + done.stdout + done.stderr
    return json.loads(text)


@pytest.fixture
def known(tmp_path):
    emulator = harness.Emulator(tmp_path, 1, extra=KNOWN)
    yield emulator.urls[0]
    assert emulator.stop() == 0


class Page(html.parser.HTMLParser):
    """Checks that tags match, and that nothing comes from elsewhere."""

    VOID = {"meta", "br", "link", "img", "input"}

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.words = [], [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        assert tag not in ("script", "link", "img", "iframe", "object"), tag
        assert not {"src", "href"} & {name for name, _ in attrs}
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)


def test_finds_the_known_latency_and_rate_of_streams(known, tmp_path):
    found = load(known, tmp_path, "--rate", 10, "--arrivals", "even", "--duration", "6s", "--spread", 0,
                 "--answer-tokens", TOKENS)  # fmt: skip
    assert found["ok"] == found["due"] == 60
    assert found["offered_rate"] == pytest.approx(10, rel=WITHIN)
    assert found["rate"] == pytest.approx(10, rel=WITHIN)
    assert found["ttft_ms"]["p50"] == pytest.approx(KNOWN_TTFT, rel=WITHIN)
    assert found["latency_ms"]["p50"] == pytest.approx(KNOWN_TOTAL, rel=WITHIN)
    assert found["gap_ms"]["mean"] == pytest.approx(KNOWN_GAP, rel=WITHIN)
    assert found["gap_ms"]["count"] == 60 * (TOKENS - 1)
    assert found["completion_tokens"] == 60 * TOKENS
    assert found["passed"] is None  # nothing was asked of it


def test_finds_the_known_latency_of_whole_answers(known, tmp_path):
    found = load(f"{known}/openai", tmp_path, "--rate", 10, "--arrivals", "even", "--duration", "4s", "--spread", 0,
                 "--answer-tokens", TOKENS, "--no-stream", "--style", "v1")  # fmt: skip
    assert found["ok"] == 40
    assert found["latency_ms"]["p50"] == pytest.approx(KNOWN_TOTAL, rel=WITHIN)
    assert found["ttft_ms"]["count"] == 0


def test_users_who_do_not_think_ask_again_at_once(known, tmp_path):
    found = load(known, tmp_path, "--users", 8, "--think-time", "0s", "--duration", "7s", "--spread", 0,
                 "--answer-tokens", TOKENS)  # fmt: skip
    # Each asks every 700 ms: ten times, or once more if the first ones were a little quicker.
    assert 72 <= found["ok"] <= 88
    assert max(row["in_flight"] for row in found["series"]) == 8


def test_thresholds_decide_the_exit_status(known, tmp_path):
    common = ("--rate", 5, "--duration", "2s", "--arrivals", "even", "--spread", 0, "--answer-tokens", 5)
    met = load(known, tmp_path, *common, "--threshold", "p50_ttft<500ms", "--threshold", "error_rate<1%",
               "--threshold", "rate>=95%")  # fmt: skip
    assert [t["passed"] for t in met["thresholds"]] == [True, True, True]
    missed = load(known, tmp_path, *common, "--threshold", "p50_ttft<100ms", status=1)
    assert not missed["passed"]
    assert run("load", "--url", known, "--threshold", "p50_speed<1ms").returncode == 2
    assert run("load", "--url", "nonsense").returncode == 2
    assert run("load", "--url", known, "--users", 2, "--rate", 3).returncode == 2


@pytest.mark.parametrize(
    "wrong", [["--users", "nan"], ["--rate", "nan"], ["--ramp-up", "3s", "--duration", "2s"]], ids=" ".join
)
def test_what_cannot_be_meant_is_refused(known, wrong):
    done = run("load", "--url", known, "--api-key", "k", *wrong)
    assert done.returncode != 0
    assert wrong[0] in done.stderr


def test_an_endpoint_that_is_not_there(tmp_path):
    found = load(f"http://127.0.0.1:{harness.free_ports(1)}", tmp_path, "--rate", 20, "--duration", "1s", status=1)
    assert found["ok"] == 0
    assert found["problems"] == {"not connected": found["due"]}


def test_a_wrong_key_is_a_failure(known, tmp_path):
    found = load(known, tmp_path, "--users", 2, "--think-time", "100ms", "--duration", "1s", key="wrong-key", status=1)
    assert set(found["statuses"]) == {"401"}


def test_most_failed_is_a_failure_unless_that_is_tested(stack, tmp_path):
    limited = [{"name": "e2e", "key": harness.CLIENT_KEY, "limits": {"requests_per_minute": 2}}]
    one = stack(resources=1, clients=limited)
    common = (one.gateway.url, tmp_path, "--rate", 10, "--duration", "1s", "--answer-tokens", 5)
    assert load(*common, key=harness.CLIENT_KEY, status=1)["throttled"] > 5
    # Of the same minute nothing is left, so that it is told from "nothing was answered".
    other = stack(resources=1, clients=limited)
    found = load(other.gateway.url, *common[1:], "--no-fail", key=harness.CLIENT_KEY)
    assert found["throttled"] > found["ok"] > 0 and found["passed"] is None


def test_an_interrupt_ends_it_with_a_report(known, tmp_path):
    out = tmp_path / "cut.json"
    process = subprocess.Popen(
        command("load", "--url", known, "--api-key", harness.RESOURCE_KEY, "--rate", 10, "--duration", "60s",
                "--answer-tokens", 5, "--spread", 0, "--json", out),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    time.sleep(2)
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=15)
    assert process.returncode == 0, stdout + stderr
    found = json.loads(out.read_text())
    assert 1 < found["seconds"] < 10
    assert found["ok"] == found["due"] > 0


def test_reports_show_the_spill_over_and_compare_with_and_without(stack, tmp_path):
    one = stack(resources=2, capacity=10, priorities=[1, 2])
    shape = ("--rate", 8, "--arrivals", "even", "--duration", "5s", "--spread", 0, "--answer-tokens", 20, "--no-fail")
    page, table = tmp_path / "with.html", tmp_path / "with.csv"
    with_gateway = load(one.gateway.url, tmp_path, *shape, "--out", page, "--csv", table, key=harness.CLIENT_KEY,
                        name="with")  # fmt: skip
    # The first has room for 10 requests in 10 s; what is more goes to the second, which has as much.
    assert set(with_gateway["backends"]) == {"r1", "r2"}
    first = with_gateway["series"][0]["backends"]
    assert first["r1"] > first.get("r2", 0)
    alone = harness.Emulator(tmp_path, 1, capacity=10, name="alone")
    try:
        without = load(alone.urls[0], tmp_path, *shape, name="without")
    finally:
        alone.stop()
    assert without["throttled"] > with_gateway["throttled"]

    words = Page(page.read_text())
    assert words.tags.count("svg") >= 5
    assert "r2" in "".join(words.words)
    rows = list(csv.DictReader(table.open(newline="")))
    assert sum(int(row["backend r2"]) for row in rows) == with_gateway["backends"]["r2"]
    assert sum(int(row["due"]) for row in rows) == 40

    both = tmp_path / "both.html"
    done = run("load", "compare", tmp_path / "without.json", tmp_path / "with.json", "--out", both)
    assert done.returncode == 0, done.stderr
    assert "with beside without" in "".join(Page(both.read_text()).words)
    assert run("load", "compare", table, tmp_path / "with.json", "--out", both).returncode == 2


def test_top_prints_one_frame(stack):
    one = stack(resources=2, priorities=[1, 2])
    assert harness.post_chat(one.gateway.url).status_code == 200
    shown = run("top", "--url", one.gateway.admin, "--once")
    assert shown.returncode == 0, shown.stderr
    lines = {line.split()[0]: line.split() for line in shown.stdout.splitlines() if line.strip()}
    assert lines["r1"][1] == "available"
    assert "1" in lines["r1"]
    assert "\x1b" not in shown.stdout
    assert run("top", "--url", f"http://127.0.0.1:{harness.free_ports(1)}", "--once").returncode == 1
    # An admin port answers, but not with backends.
    assert run("top", "--url", one.emulator.admin, "--once").returncode == 1
