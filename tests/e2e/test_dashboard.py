"""The dashboard in a browser: what it shows while things happen, and what an operator can do with it.
SPILLWAY_PICTURES=1 takes the documentation's screenshots."""

import collections
import concurrent.futures
import gzip
import hashlib
import pathlib
import re
import types

import httpx
import pytest
from playwright.sync_api import expect

import harness
from chat_page import Watched, browser, opened  # noqa: F401
from harness import CLIENT_KEY, RESOURCE_KEY, post_chat
from test_up import local  # noqa: F401

TOKEN = "admin-token-3fa9c2e1"
OTHER_KEY = "client-key-of-another-91"
PRICES = {"gpt-4o": {"prompt": 1000, "completion": 1000}}
FIRST_LOAD_BYTES = 60 * 1024
TEXTS = {
    False: {"usage": "Usage", "config": "Configuration", "live": "Live", "drain": "Drain {}", "cancel": "Cancel",
            "throttled": "out of quota (429) · back in", "spills": "Spills over"},
    True: {"usage": "사용량", "config": "설정", "live": "실시간", "drain": "{} 비우기", "cancel": "취소",
           "throttled": "할당량 소진 (429) · ", "spills": "넘침"},
}  # fmt: skip


class Dashboard(Watched):
    unread = ("events",)

    def __init__(self, context, gateway):
        super().__init__(context, gateway.admin, [CLIENT_KEY, RESOURCE_KEY, OTHER_KEY, TOKEN])

    def backend(self, name):
        return self.page.locator(f"article[data-backend='{name}']")

    def count(self, name, key):
        return self.backend(name).locator(f"[data-count='{key}'] dd")

    def state(self, name, within="article"):
        return self.page.locator(f"{within}[data-backend='{name}'] .badge")

    def tile(self, key):
        return self.page.locator(f"[data-tile='{key}'] .value")

    def go(self, view):
        self.page.get_by_role("navigation").get_by_role("link", name=view, exact=True).click()

    def totals(self):
        return httpx.get(f"{self.url}/api/live").json()["totals"]


@pytest.fixture
def watch(stack, opened):  # noqa: F811
    """A factory of (stack, page): watch(resources=…, priorities=[…], …)."""

    def start(**options):
        one = stack(**options)
        return one, opened(one.gateway, page=Dashboard)

    return start


def test_the_spill_over_is_seen_while_a_load_runs(watch, tmp_path):
    one, page = watch(resources=2, capacity=30, priorities=[1, 2])
    expect(page.tile("spilled")).to_have_text("0")
    expect(page.page.locator(".tier[data-priority='2'] .fall")).to_have_text("Nothing spills over")
    command = [harness.SPILLWAY, "load", "--url", one.gateway.url, "--api-key", CLIENT_KEY, "--rate", "8", "--arrivals",
               "even", "--duration", "20s", "--spread", "0", "--answer-tokens", "20", "--max-tokens", "60"]  # fmt: skip
    with harness.running(tmp_path / "load", *command) as load:
        # The first has room for 30 requests in 10 s: it fills, and what is more goes to the second.
        expect(page.count("r1", "served")).to_have_text(re.compile("[1-9]"))
        expect(page.backend("r1").locator(".vessel svg.full").first).to_be_visible()
        expect(page.backend("r2").locator(".rate.flowing")).to_be_visible()
        expect(page.count("r2", "spilled")).to_have_text(re.compile("[1-9]"))
        expect(page.page.locator(".tier[data-priority='2'] .fall")).to_have_text(re.compile(r"Spills over: [\d.]+/s"))
        expect(page.page.locator(".tier[data-priority='2'] .fall .stream")).to_have_count(1)
        expect(page.tile("avoided")).to_have_text(re.compile("[1-9]"))
        before = int(page.tile("spilled").inner_text())
        expect(page.tile("spilled")).not_to_have_text(str(before))
        assert int(page.tile("spilled").inner_text()) > before > 0
        expect(page.tile("client_429")).to_have_text(re.compile("[1-9]"))  # more than both have
        page.page.evaluate("scrollTo(0, 0)")
        page.picture("dashboard-spill-over")
        assert load.wait(60) == 0, (tmp_path / "load").read_text()
    totals = page.totals()
    served = {name: entry["served"] for name, entry in one.gateway.backends().items()}
    assert totals["spilled"] == served["r2"] > 0
    assert totals["served"] == served["r1"] + served["r2"]
    assert totals["served"] + totals["no_quota"] == 8 * 20
    expect(page.tile("spilled")).to_have_text(str(totals["spilled"]))
    expect(page.count("r2", "served")).to_have_text(str(served["r2"]))
    expect(page.page.locator("figure.chart svg[role=img]").first).to_have_attribute("aria-label", re.compile("r1.*r2"))


def test_the_local_stack_spills_over_under_load(local, opened, tmp_path):  # noqa: F811
    up = local.run("up").stdout
    admin = re.search(r"Watch it: (\S+)", up)[1]
    page = opened(types.SimpleNamespace(admin=admin), page=Dashboard)
    expect(page.backend("aoai-3")).to_be_visible()
    expect(page.tile("spilled")).to_have_text("0")
    command = [harness.SPILLWAY, "load", "--rate", "10", "--duration", "12s"]
    with harness.running(tmp_path / "load", *command, env=local.env) as load:
        expect(page.count("aoai-1", "served")).to_have_text(re.compile("[1-9]"))
        for second in ("aoai-2", "aoai-3"):
            expect(page.count(second, "spilled")).to_have_text(re.compile("[1-9]"))
            expect(page.backend(second).locator(".rate.flowing")).to_be_visible()
        expect(page.page.locator(".tier[data-priority='2'] .fall")).to_contain_text("Spills over")
        before = page.tile("spilled").inner_text()
        expect(page.tile("spilled")).not_to_have_text(before)
        assert int(page.tile("spilled").inner_text()) > int(before) > 0
        load.wait(60)
    # The ledger and prices come with the stack.
    page.go("Usage")
    row = page.page.locator("#usage-totals [data-group='local'] td")
    expect(row.nth(0)).to_have_text(re.compile("[1-9]"))
    expect(row.nth(3)).to_have_text(re.compile("[1-9]"))


def test_vessels_fill_with_what_is_used(watch):
    one, page = watch(resources=1, capacity=6)
    expect(page.backend("r1")).to_contain_text("Not asked for anything yet")
    vessels = page.backend("r1").locator(".vessel svg")
    assert post_chat(one.gateway.url, max_tokens=3000).status_code == 200
    expect(vessels).to_have_count(2)
    tokens = vessels.first
    # 3,000 tokens and the prompt, of 6,000 a minute
    expect(tokens).to_have_attribute("data-percent", re.compile("^5[0-5]$"))
    expect(tokens).to_have_attribute("aria-label", re.compile(r"gpt-4o: 3,0\d\d of 6,000 Tokens a minute are used, 5\d %"))
    assert post_chat(one.gateway.url, max_tokens=2900).status_code == 200
    expect(tokens).to_have_attribute("data-percent", re.compile("^(9[6-9]|100)$"))
    expect(page.backend("r1")).to_contain_text(re.compile(r"empties in \d+ s"))
    expect(tokens).to_have_class("full")


def test_an_idle_backend_is_empty(watch):
    # 60 requests a minute are counted in windows of ten seconds: what is left is ten, not sixty.
    one, page = watch(resources=1, capacity=10)
    assert post_chat(one.gateway.url).status_code == 200
    requests = page.backend("r1").locator(".vessel svg").nth(1)
    expect(requests).to_have_attribute("data-percent", re.compile("^[0-9]+$"))
    expect(requests).to_have_attribute("data-percent", "0", timeout=20_000)


def test_refusals_are_said_with_their_reason(stack, opened, tmp_path):  # noqa: F811
    limits = {"requests_per_minute": 3, "tokens": {"month": 1_000_000}, "budget": {"month": 5}}
    one = stack(
        resources=1,
        ledger={"path": str(tmp_path / "usage.db")},
        prices=PRICES,
        clients=[{"name": "e2e", "key": CLIENT_KEY, "limits": limits, "team": "blue"}],
        users={"field": True, "limits": {"tokens": {"day": 20_000}, "concurrency": 4}},
        teams=[{"name": "blue", "limits": {"budget": {"week": 7}}}],
    )
    page = opened(one.gateway, page=Dashboard)
    statuses = [post_chat(one.gateway.url, user="ann").status_code for _ in range(8)]
    assert statuses == [200] * 3 + [429] * 5
    said = page.page.locator(".refusals")
    expect(said).to_contain_text("clients' own limits")
    expect(page.page.locator(".tier[data-priority='1'] .fall")).not_to_have_text("Requests come in: 0/s")
    expect(page.tile("client_429")).to_have_text("5")
    row = page.page.locator("#live-clients [data-client='e2e']")
    expect(row.locator("[data-column='refused']")).to_contain_text("5")
    for name, text in [("requests_per_minute", "3 / 3"), ("tokens_month", "/ 1M"), ("budget_month", "/ 5")]:
        expect(row.locator(f"[data-limit='{name}']")).to_contain_text(text)
    # The limit that is spent comes first.
    expect(row.locator("[data-limit]").first).to_have_attribute("data-limit", "requests_per_minute")
    for kind, name, limit, text in [("user", "ann", "tokens_day", "/ 20,000"), ("user", "ann", "concurrency", "0 / 4"), ("team", "blue", "budget_week", "/ 7")]:
        of = page.page.locator(f"#live-clients [data-kind='{kind}'][data-client='{name}']")
        expect(of.locator(f"[data-limit='{limit}']")).to_contain_text(text)
        if limit != "concurrency":
            assert float(of.locator("meter").first.get_attribute("value")) > 0, "its use"
    page.go("Usage")
    expect(page.page.locator("main")).to_contain_text("currency that the configuration's prices are given in")
    total = page.page.locator("#usage-totals [data-group='e2e']")
    expect(total.locator("[data-column='refused']")).to_have_text("5")
    expect(total.locator("[data-column='requests']")).to_have_text("8")
    # A refusal takes no time: the mean is that of what was answered.
    took = [line["total_ms"] for line in one.gateway.access_lines(8) if line["status"] == 200]
    mean = float(total.locator("[data-column='mean']").inner_text().replace(",", ""))
    assert min(took) * 0.9 <= mean <= max(took) * 1.1


def test_drained_is_said_when_nothing_is_in_flight(watch):
    one, page = watch(resources=2, priorities=[1, 2])
    page.button("Drain r1").click()
    page.button("Drain", page.page.get_by_role("dialog", name="Drain r1")).click()
    expect(page.state("r1")).to_have_text("drained")


def contrast(page, selector):
    """Of an element's text with what is behind it, as they are drawn (WCAG 2.2, 1.4.3)."""
    return page.page.evaluate(
        """selector => {
            const style = getComputedStyle(document.querySelector(selector));
            const dim = parseFloat((style.filter.match(/brightness\\((.*)\\)/) || [0, 1])[1]);
            const light = text => {
                const [r, g, b] = text.match(/[\\d.]+/g).map(v => Math.min(255, v * dim) / 255)
                    .map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
                return 0.2126 * r + 0.7152 * g + 0.0722 * b;
            };
            const [a, b] = [light(style.color), light(style.backgroundColor)].sort((x, y) => y - x);
            return (a + 0.05) / (b + 0.05);
        }""",
        selector,
    )


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_buttons_keep_their_text_under_the_mouse(stack, opened, dark):  # noqa: F811
    one = stack(resources=1)
    page = opened(one.gateway, page=Dashboard, dark=dark)
    page.button("Drain r1").hover()
    assert contrast(page, "article .actions .button") >= 4.5
    page.button("Drain r1").click()
    page.page.locator("dialog .button.primary").hover()
    assert contrast(page, "dialog .button.primary") >= 4.5
    page.page.locator("dialog .button.primary").focus()
    assert contrast(page, "dialog .button.primary") >= 4.5


MANY_BACKENDS = 100
MANY_CLIENTS = 200


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """100 backends on ten emulated resources, and 200 clients of whom some have asked."""
    folder = tmp_path_factory.mktemp("many")
    emulator = harness.Emulator(folder, resources=10)
    gateway = None
    try:
        backends = [
            harness.backend(f"b{i + 1:03}", emulator.urls[i % 10], priority=1 + i // 40) for i in range(MANY_BACKENDS)
        ]
        clients = [
            {"name": f"c{i + 1:03}", "key": f"key-of-client-{i + 1:03}-5b1e", "limits": {"requests_per_minute": 4}}
            for i in range(MANY_CLIENTS)
        ]
        gateway = harness.Gateway(folder, backends, clients=clients, ledger={"path": str(folder / "usage.db")})
        yield types.SimpleNamespace(emulator=emulator, gateway=gateway)
    finally:
        if gateway:
            gateway.stop()
        emulator.stop()


def test_a_hundred_backends_and_two_hundred_clients(many, opened):  # noqa: F811
    page = opened(many.gateway, page=Dashboard)
    # Each client asks once, and client 150 as often again as it may, and twice more.
    asking = [*range(1, MANY_CLIENTS + 1), *[150] * 5]
    sent = collections.Counter(asking)

    def ask(client):
        return post_chat(many.gateway.url, key=f"key-of-client-{client:03}-5b1e").status_code

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        statuses = collections.Counter(pool.map(ask, asking))
    assert statuses == {200: MANY_CLIENTS + 3, 429: 2}
    table = page.page.locator("#backends tbody tr")
    expect(table).to_have_count(MANY_BACKENDS)
    served = page.page.locator("#backends [data-column='served']")
    counted = many.emulator.stats()
    received = sum(one["served"] for one in counted)
    assert received == statuses[200]

    def total():
        return sum(int(text) for text in served.all_inner_texts())

    harness.wait_until(lambda: total() == received)
    # Ten backends are one resource: what is shown of them is what it counted.
    shown = dict(zip(table.evaluate_all("all => all.map(r => r.dataset.backend)"), served.all_inner_texts(), strict=True))
    for number, one in enumerate(counted):
        names = [f"b{i + 1:03}" for i in range(number, MANY_BACKENDS, len(counted))]
        assert sum(int(shown[name]) for name in names) == one["served"], one["name"]
    expect(page.tile("client_429")).to_have_text("2")
    # The page is a few windows long, and no wider than the window.
    page.no_sideways_scroll()
    assert page.page.evaluate("document.documentElement.scrollHeight") < 4000
    # The busiest client is the first; refusals are found by sorting.
    clients = page.page.locator("#live-clients tbody tr")
    expect(clients.first).to_have_attribute("data-client", "c150")
    expect(clients.first.locator("[data-column='refused']")).to_contain_text("2")
    page.page.locator("#live-clients thead").get_by_role("button", name="Client").click()
    expect(clients.first).to_have_attribute("data-client", "c001")
    page.page.get_by_label("Find").nth(1).fill("c15")
    expect(clients).to_have_count(min(10, clients.count()))
    expect(page.page).to_have_url(re.compile("live-clients.find=c15"))
    page.page.get_by_label("Find").first.fill("b04")
    expect(table).to_have_count(10)
    page.page.reload()
    expect(table).to_have_count(10)
    page.page.get_by_label("Find").first.fill("")
    expect(table).to_have_count(MANY_BACKENDS)
    page.button("Drain b007").click()
    page.button("Drain", page.page.get_by_role("dialog", name="Drain b007")).click()
    expect(page.state("b007", "tr")).to_have_text("drained")
    page.page.get_by_label("State").select_option("drained")
    expect(table).to_have_count(1)
    expect(page.page.locator(".tier-states").first).to_contain_text("1 drained")
    page.axe("many")
    align = page.page.locator("#backends [data-column='served']").first.evaluate("e => getComputedStyle(e).textAlign")
    assert align in ("right", "end")
    # Usage agrees with what was sent, and with what the resources counted.
    page.go("Usage")
    rows = page.page.locator("#usage-totals tbody tr")
    expect(rows).to_have_count(MANY_CLIENTS)

    def column(name):
        return [int(text.replace(",", "")) for text in rows.locator(f"[data-column='{name}']").all_inner_texts()]

    names = rows.evaluate_all("all => all.map(r => r.dataset.group)")
    assert dict(zip(names, column("requests"), strict=True)) == {f"c{client:03}": count for client, count in sent.items()}
    assert sum(column("prompt")) == sum(one["tokens_in"] for one in counted)
    assert sum(column("completion")) == sum(one["tokens_out"] for one in counted)
    assert sum(column("refused")) == 2
    assert dict(zip(names, column("refused"), strict=True))["c150"] == 2
    # The search stays in the address here, too, and is there again for who comes by it.
    page.page.get_by_label("Find").fill("c15")
    expect(rows).to_have_count(10)
    page.page.locator("#usage-totals thead").get_by_role("button", name="Requests").click()
    expect(rows.first).to_have_attribute("data-group", "c150")
    expect(page.page).to_have_url(re.compile(r"#usage\?(?=.*usage-totals.find=c15)(?=.*usage-totals.sort=-requests)"))
    page.page.reload()
    expect(rows).to_have_count(10)
    expect(rows.first).to_have_attribute("data-group", "c150")


def test_state_and_time_to_recovery(watch):
    one, page = watch(resources=2, priorities=[1, 2])
    expect(page.state("r1")).to_have_attribute("data-state", "available")
    one.emulator.fault(0, "429", count=1, retry_after=4)
    assert post_chat(one.gateway.url).headers["x-spillway-backend"] == "r2"
    expect(page.state("r1")).to_have_attribute("data-state", "throttled")
    expect(page.state("r1")).to_have_text(re.compile(r"out of quota \(429\) · back in [1-4] s"))
    expect(page.tile("throttled")).to_have_text("1")
    expect(page.tile("spilled")).to_have_text("1")
    expect(page.state("r1")).to_have_text(re.compile("back in 1 s"))
    expect(page.state("r1")).to_have_attribute("data-state", "probing")
    assert post_chat(one.gateway.url).headers["x-spillway-backend"] == "r1"
    expect(page.state("r1")).to_have_attribute("data-state", "available")
    one.emulator.fault(0, "500", seconds=30)
    for _ in range(5):  # one is not enough to take it out
        assert post_chat(one.gateway.url).status_code == 200
    expect(page.state("r1")).to_have_attribute("data-state", "failed")
    expect(page.count("r1", "failed")).to_have_text(re.compile("^[1-9]$"))


def test_drain_disable_and_enable(watch):
    one, page = watch(resources=2, priorities=[1, 2])
    expect(page.state("r1")).to_have_attribute("data-state", "available")
    page.button("Drain r1").click()
    dialog = page.page.get_by_role("dialog", name="Drain r1")
    expect(dialog).to_contain_text("no new requests")
    expect(dialog).to_contain_text("This outlives a restart")
    page.axe("question")
    page.button("Cancel", dialog).click()
    expect(dialog).to_have_count(0)
    assert post_chat(one.gateway.url).headers["x-spillway-backend"] == "r1"

    page.button("Drain r1").click()
    page.button("Drain", dialog).click()
    expect(page.state("r1")).to_have_attribute("data-state", "drained")  # nothing is in flight
    expect(page.page.locator("#announcement")).to_have_text("r1 is being drained")
    assert post_chat(one.gateway.url).headers["x-spillway-backend"] == "r2"
    page.button("Enable r1").click()
    expect(page.state("r1")).to_have_attribute("data-state", "available")
    assert post_chat(one.gateway.url).headers["x-spillway-backend"] == "r1"

    page.go("Configuration")
    page.button("Disable r2").click()
    page.button("Disable", page.page.get_by_role("dialog", name="Disable r2")).click()
    expect(page.state("r2", "tr")).to_have_attribute("data-state", "disabled")
    page.button("Disable r1").click()
    page.button("Disable", page.page.get_by_role("dialog", name="Disable r1")).click()
    expect(page.state("r1", "tr")).to_have_attribute("data-state", "disabled")
    assert httpx.get(f"{one.gateway.admin}/readyz").status_code == 503
    page.button("Enable r1").click()
    expect(page.state("r1", "tr")).to_have_attribute("data-state", "available")
    assert post_chat(one.gateway.url).headers["x-spillway-backend"] == "r1"


def test_a_change_that_the_store_cannot_keep_is_said(watch, tmp_path):
    (tmp_path / "file").write_text("")
    one, page = watch(resources=2, store={"path": str(tmp_path / "file" / "store.db")})
    page.button("Drain r1").click()
    page.button("Drain", page.page.get_by_role("dialog", name="Drain r1")).click()
    expect(page.state("r1")).to_have_attribute("data-state", "drained")  # all the same
    said = page.page.get_by_role("alert")
    expect(said).to_contain_text("The change of r1 holds at this gateway until it is restarted, and at no other: the store")
    page.go("Configuration")
    expect(said).to_have_count(1)
    assert post_chat(one.gateway.url).headers["x-spillway-backend"] == "r2"


def test_login_by_token(stack, opened):  # noqa: F811
    one = stack(resources=1, admin={"token": TOKEN})
    page = opened(one.gateway, page=Dashboard)
    page.expected.append("401")
    field = page.page.get_by_label("Admin token")
    expect(field).to_be_visible()
    assert field.get_attribute("type") == "password"
    page.axe("login")
    field.fill("wrong")
    field.press("Enter")
    expect(page.page.get_by_role("alert")).to_have_text("The token was not accepted.")
    expect(page.backend("r1")).to_have_count(0)
    field.fill(TOKEN)
    page.button("Log in").click()
    expect(page.backend("r1")).to_be_visible()
    page.button("Drain r1").click()
    page.button("Drain", page.page.get_by_role("dialog")).click()
    expect(page.state("r1")).to_have_attribute("data-state", "drained")  # nothing is in flight
    page.page.reload()
    expect(page.backend("r1")).to_be_visible()  # the tab remembers
    assert page.page.evaluate("localStorage.length + document.cookie.length") == 0
    page.button("Log out").click()
    expect(field).to_be_visible()
    page.page.reload()
    expect(field).to_be_visible()
    assert page.page.evaluate("sessionStorage.length") == 0


def two_clients(tmp_path):
    return {
        "ledger": {"path": str(tmp_path / "usage.db")},
        "prices": PRICES,
        "clients": [
            {"name": "e2e", "key": CLIENT_KEY, "limits": {"tokens_per_minute": 100_000}},
            {"name": "other", "key": OTHER_KEY, "team": "blue"},
        ],
    }


def test_usage_over_time(stack, opened, tmp_path):  # noqa: F811
    one = stack(resources=2, priorities=[1, 2], **two_clients(tmp_path))
    for _ in range(3):
        assert post_chat(one.gateway.url).status_code == 200
    one.emulator.fault(0, "429", count=1, retry_after=1)
    answer = post_chat(one.gateway.url, key=OTHER_KEY)
    assert answer.headers["x-spillway-backend"] == "r2"
    usage = answer.json()["usage"]
    page = opened(one.gateway, page=Dashboard)
    expect(page.page.locator("#live-clients [data-client='e2e']")).to_contain_text("/ 100K")
    page.go("Usage")

    def row(group):
        return page.page.locator(f"#usage-totals [data-group='{group}'] td")

    expect(row("e2e").nth(0)).to_have_text("3")
    took = re.compile(r"^[\d.,]+$")
    expect(row("other")).to_have_text(
        ["1", str(usage["prompt_tokens"]), str(usage["completion_tokens"]), f"{usage['total_tokens'] / 1000:.4f}",
         took, took, took, "1", "0", "0", "0", "1"]
    )  # fmt: skip
    chart = page.page.locator("#usage-chart svg")
    expect(chart).to_have_attribute("aria-label", re.compile("Tokens: .*e2e.*other"))
    def choose(label, value):
        page.page.get_by_role("combobox", name=label, exact=True).select_option(value)

    for metric, title in [("cost", "Cost"), ("latency", "Mean latency, ms"), ("p50", "Median latency, ms"), ("p95", "95th percentile, ms"), ("throttled", "429s met"), ("spilled", "Spill-overs"), ("requests", "Requests")]:
        choose("Show", metric)
        expect(chart).to_have_attribute("aria-label", re.compile(f"^{title}: "))
    choose("Show", "refused")
    expect(page.page.locator("#usage-chart")).to_contain_text("Nothing yet")
    choose("Per", "both")
    expect(row("other · gpt-4o").nth(0)).to_have_text("1")
    choose("Per", "backend")
    expect(row("r1").nth(0)).to_have_text("3")
    choose("Per", "deployment")
    expect(row("gpt-4o").nth(0)).to_have_text("4")
    for span in ("24h", "7d", "1h"):
        choose("Span", span)
        expect(row("gpt-4o").nth(0)).to_have_text("4")
    choose("Per", "team")
    expect(row("blue").nth(0)).to_have_text("1")
    # The address has what was chosen: another tab shows the same.
    choose("Show", "cost")
    expect(page.page).to_have_url(re.compile(r"#usage\?(?=.*range=1h)(?=.*per=team)(?=.*metric=cost)"))
    page.page.reload()
    expect(page.page.get_by_role("combobox", name="Per", exact=True)).to_have_value("team")
    expect(row("blue").nth(0)).to_have_text("1")
    with page.page.expect_download() as download:
        page.button("Save as CSV").click()
    csv = pathlib.Path(download.value.path()).read_text(encoding="utf-8-sig").splitlines()
    assert csv[0].startswith("Group,Requests,Prompt") and csv[1].startswith(("blue,1,", "(none),3,"))
    choose("Per", "deployment")
    # It follows what happens.
    assert post_chat(one.gateway.url).status_code == 200
    expect(row("gpt-4o").nth(0)).to_have_text("5")


def test_usage_without_a_ledger(watch):
    _, page = watch(resources=1)
    page.expected.append("404")
    page.go("Usage")
    expect(page.page.get_by_role("alert")).to_contain_text("ledger.path")


def test_configuration_and_keys_without_secrets(stack, opened, tmp_path):  # noqa: F811
    one = stack(resources=2, **two_clients(tmp_path))
    page = opened(one.gateway, page=Dashboard)
    page.go("Configuration")
    text = page.page.locator("#config-text")
    expect(text).to_contain_text("name: e2e")
    expect(text).to_contain_text("***")
    digest = hashlib.sha256(OTHER_KEY.encode()).hexdigest()
    other = page.page.locator("#keys [data-client='other']")
    expect(other).to_contain_text(f"{digest[:8]}…")
    expect(other).to_contain_text("blue")
    content = page.page.content()
    for secret in (CLIENT_KEY, OTHER_KEY, RESOURCE_KEY, digest[:9]):
        assert secret not in content


def test_a_gateway_that_goes_and_comes_back(watch, tmp_path):
    one, page = watch(resources=1)
    page.expected += ["ERR_CONNECTION", "ERR_INCOMPLETE", "ERR_EMPTY", "ERR_NETWORK"]
    expect(page.page.locator(".link.up")).to_be_visible()
    one.gateway.stop()
    expect(page.page.locator(".link.down")).to_be_visible()
    expect(page.page.get_by_role("alert")).to_contain_text("does not answer")
    again = harness.Process(tmp_path, "again", ["serve", "--config", one.gateway.config])
    try:
        expect(page.page.locator(".link.up")).to_be_visible()
        expect(page.page.get_by_role("alert")).to_have_count(0)
    finally:
        assert again.stop() == 0


def test_the_first_load_is_small_and_asks_nobody_else(shared):
    with httpx.Client(base_url=shared.gateway.admin, headers={"accept-encoding": "gzip"}) as client:
        sizes = {}

        def load(path):
            with client.stream("GET", path) as answer:
                assert answer.status_code == 200, path
                packed = b"".join(answer.iter_raw())
            policy = answer.headers["content-security-policy"]
            assert "default-src 'none'" in policy and "http" not in policy and "unsafe" not in policy
            sizes[path] = len(packed)
            return gzip.decompress(packed).decode()

        html = load("/")
        files = re.findall(r'(?:src|href)="\./([^"]+)"', html)
        assert any(name.endswith(".js") for name in files) and any(name.endswith(".css") for name in files)
        assert not re.findall(r'(?:src|href)="(?:https?:)?//', html)
        for name in files:
            load(f"/{name}")
    assert 5_000 < sum(sizes.values()) < FIRST_LOAD_BYTES, sizes


NAMES = ["other", "blue", "admin", "normal", "spillway", "token", "key", "ledger", "path"]  # of clients and teams; of settings


@pytest.fixture(scope="module")
def busy(tmp_path_factory):
    """Something of everything, for the looks: use, a throttled backend, a drained one, two clients."""
    from conftest import Stack

    folder = tmp_path_factory.mktemp("busy")
    one = Stack(folder, resources=3, capacity=6, priorities=[1, 2, 2], **two_clients(folder))
    try:
        one.emulator.fault(1, "429", count=1, retry_after=60)
        for number in range(8):
            answer = post_chat(one.gateway.url, key=OTHER_KEY if number % 3 == 0 else CLIENT_KEY, max_tokens=900)
            assert answer.status_code == 200
        yield one
    finally:
        one.stop()


@pytest.mark.parametrize("korean", [False, True], ids=["en", "ko"])
@pytest.mark.parametrize("phone", [False, True], ids=["desktop", "phone"])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_looks(busy, opened, dark, phone, korean):  # noqa: F811
    page = opened(busy.gateway, page=Dashboard, dark=dark, phone=phone, korean=korean)
    texts = TEXTS[korean]
    look = "-".join(["ko" if korean else "en", "phone" if phone else "desktop", "dark" if dark else "light"])
    assert page.page.evaluate("document.documentElement.lang") == ("ko" if korean else "en")
    for number in range(3):
        assert post_chat(busy.gateway.url, text=f"Hello {number}").status_code in (200, 429)
    expect(page.backend("r1")).to_be_visible()
    expect(page.page.locator(".chart svg").first).to_be_visible()
    page.looks_right(f"live, {look}", korean, NAMES)
    if look in ("en-desktop-light", "ko-phone-dark"):
        page.picture(f"dashboard-{look}")

    page.button(texts["drain"].format("r3")).click()
    dialog = page.page.get_by_role("dialog", name=texts["drain"].format("r3"))
    expect(dialog).to_be_visible()
    page.looks_right(f"to be drained?, {look}", korean, NAMES, states=False)
    page.button(texts["cancel"], dialog).click()

    page.go(texts["usage"])
    expect(page.page.locator("#usage-totals [data-group='e2e']")).to_be_visible()
    page.looks_right(f"usage, {look}", korean, NAMES)
    if look == "en-desktop-dark":
        page.picture("dashboard-usage")
    page.go(texts["config"])
    expect(page.page.locator("#config-text")).to_be_visible()
    page.looks_right(f"configuration, {look}", korean, NAMES)


@pytest.fixture(scope="module")
def locked(tmp_path_factory):
    """A gateway that asks for a token, has no ledger, and a client at its own limit."""
    from conftest import Stack

    folder = tmp_path_factory.mktemp("locked")
    clients = [{"name": "e2e", "key": CLIENT_KEY, "limits": {"requests_per_minute": 2, "budget": {"month": 5}}}]
    one = Stack(folder, resources=1, admin={"token": TOKEN}, clients=clients, prices=PRICES)
    for _ in range(5):
        post_chat(one.gateway.url)
    yield one
    one.stop()


@pytest.mark.parametrize("look", [f"{a}-{b}-{c}" for a in ("en", "ko") for b in ("desktop", "phone") for c in ("light", "dark")])
def test_looks_of_what_is_not_well(locked, many, opened, look):  # noqa: F811
    """The log-in, a token that is wrong, limits that are spent, no ledger, a gateway that is gone; and very many rows."""
    options = {"korean": look.startswith("ko"), "phone": "phone" in look, "dark": look.endswith("dark")}
    korean, texts = options["korean"], TEXTS[options["korean"]]
    page = opened(locked.gateway, page=Dashboard, **options)
    page.expected += ["401", "404", "ERR_FAILED", "ERR_CONNECTION"]

    def right(what, states=False):
        page.looks_right(f"{what}, {look}", korean, NAMES, states)

    field = page.page.locator("input[type=password]")
    expect(field).to_be_visible()
    right("log-in", states=True)
    field.fill("wrong")
    field.press("Enter")
    expect(page.page.get_by_role("alert")).to_be_visible()
    right("a wrong token", states=True)
    field.fill(TOKEN)
    field.press("Enter")
    expect(page.page.locator("#live-clients [data-client='e2e']")).to_be_visible()
    expect(page.page.locator("#live-clients [data-limit='requests_per_minute']")).to_be_visible()
    right("a limit that is spent")
    page.go(texts["usage"])
    expect(page.page.get_by_role("alert")).to_be_visible()
    right("no ledger")
    page.page.route("**/api/**", lambda route: route.abort())
    page.page.reload()
    expect(page.page.locator(".link.down")).to_be_visible()
    expect(page.page.get_by_role("alert").first).to_be_visible()
    right("a gateway that is gone")

    page = opened(many.gateway, page=Dashboard, **options)
    expect(page.page.locator("#backends tbody tr")).to_have_count(MANY_BACKENDS)
    right("a hundred backends")


def test_language_and_theme_are_chosen_and_kept(busy, opened):  # noqa: F811
    page = opened(busy.gateway, page=Dashboard)
    page.page.get_by_label("Language").select_option("ko")
    expect(page.page.get_by_role("link", name="사용량")).to_be_visible()
    page.page.get_by_label("테마").select_option("dark")
    page.page.reload()
    expect(page.page.get_by_role("link", name="사용량")).to_be_visible()
    assert page.page.evaluate("document.documentElement.dataset.theme") == "dark"
    assert page.page.evaluate("document.documentElement.lang") == "ko"


def test_touch_targets_are_large_enough(busy, opened):  # noqa: F811
    page = opened(busy.gateway, page=Dashboard, phone=True)
    expect(page.backend("r1")).to_be_visible()
    small = page.page.evaluate(
        """() => [...document.querySelectorAll('button, a, select')].filter(e => e.offsetParent)
            .map(e => [e.getAttribute('aria-label') || e.textContent, e.getBoundingClientRect()])
            .filter(([, r]) => r.width < 24 || r.height < 24).map(([name]) => name)"""
    )
    assert small == [], small  # WCAG 2.2, 2.5.8
