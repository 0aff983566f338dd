"""The dashboard's page of keys in a browser: keys made, used, changed, rotated and revoked by those who may."""

import concurrent.futures
import json
import re

import httpx
import pytest
from playwright.sync_api import expect

import harness
import scripted
from chat_page import browser, opened  # noqa: F401
from test_dashboard import Dashboard
from test_keys import ADA, EVE, TOKENS, api, seconds_until, status

TEXTS = {
    False: {"keys": "Keys", "make": "Create a key", "import": "Import keys", "cancel": "Cancel", "client": "Client",
            "periods": "Per hour, day, week, month", "rotate": "Rotate {}", "revoke": "Revoke {}", "edit": "Edit {}",
            "create": "Create", "copied": "Copied", "copy": "Copy", "done": "Done", "soon": "expires soon",
            "rotated": "rotated", "revoked": "revoked", "needed": "Needed.", "sure": "Close without copying"},
    True: {"keys": "키", "make": "키 만들기", "import": "키 가져오기", "cancel": "취소", "client": "클라이언트",
           "periods": "시간, 일, 주, 월 단위", "rotate": "{} 교체", "revoke": "{} 폐기", "edit": "{} 수정",
           "create": "만들기", "copied": "복사했습니다", "copy": "복사", "done": "완료", "soon": "곧 만료",
           "rotated": "교체 중", "revoked": "폐기됨", "needed": "입력해야 합니다.", "sure": "복사하지 않고 닫기"},
}  # fmt: skip


class Keys(Dashboard):
    """The page of keys, with helpers in the words of a user."""

    def open_keys(self, korean=False):
        self.go(TEXTS[korean]["keys"])

    @property
    def dialog(self):
        return self.page.get_by_role("dialog")

    @property
    def secret(self):
        return self.page.locator("#new-key").inner_text()

    def row(self, name):
        return self.page.locator(f"#key-list tr[data-name='{name}']")

    def cell(self, name, column):
        return self.row(name).locator(f"[data-column='{column}']")

    def states(self, name):
        return self.row(name).locator(".badge")

    def field(self, name):
        return self.page.locator(f"[id='key-{name}']")

    def fault(self, name):
        return self.page.locator(f"[id='key-{name}-fault']")

    def make(self, **fields):
        """Through the form, up to the dialog that shows the key, which it returns."""
        self.button("Create a key").click()
        for name, value in fields.items():
            self.field(name.replace("__", ".")).fill(value)
        self.button("Create", self.dialog).click()
        expect(self.page.locator("#new-key")).to_be_visible()
        return self.secret

    def copy(self):
        self.button("Copy").click()
        expect(self.page.locator("#copied")).to_have_text("Copied")
        self.button("Done").click()
        expect(self.dialog).to_have_count(0)

    def log_in(self, who):
        self.page.get_by_label("Admin token").fill(who["authorization"].removeprefix("Bearer "))
        self.page.keyboard.press("Enter")

    def holds(self, text):
        """Where in the page `text` is: its elements, fields, storage, address."""
        return self.page.evaluate(
            """text => Object.entries({
                elements: document.documentElement.outerHTML,
                fields: [...document.querySelectorAll('input, textarea')].map(e => e.value).join(),
                stored: JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie]),
                address: location.href + JSON.stringify(history.state),
            }).filter(([, all]) => all.includes(text)).map(([where]) => where)""",
            text,
        )


@pytest.fixture
def serve(tmp_path):
    """A factory of gateways with a store: serve(admin=…)."""
    backend = scripted.Backend("one", scripted.healthy)
    running = []

    def start(**settings):
        settings = {"store": {"path": str(tmp_path / "store.db")}, **settings}
        running.append(harness.Gateway(tmp_path, [backend.config()], **settings))
        return running[-1]

    yield start
    for one in running:
        assert one.stop() in (0, None)
    backend.stop()


@pytest.fixture
def gateway(serve):
    return serve()


@pytest.fixture
def page(gateway, opened):  # noqa: F811
    page = opened(gateway, page=Keys)
    page.open_keys()
    return page


@pytest.fixture
def client():
    with httpx.Client() as one:
        yield one


def make(gateway, **settings):
    """By the API; without a token."""
    answer = api(gateway, "POST", who={}, **settings)
    assert answer.status_code == 201, answer.text
    return answer.json()


def test_a_key_is_made_used_and_listed_and_shown_once(gateway, page, client):
    expect(page.page.get_by_text("No key has been made yet.")).to_be_visible()
    key = page.make(client="shop", team="red", name="nightly", note="asked for by finance", deployments="gpt-4o, gpt-4.1",
                    limits__requests_per_minute="1,000")  # fmt: skip
    assert key.startswith("sk-spillway-") and len(key) == 54
    assert page.holds(key) == ["elements"]
    expect(page.page.locator("#copied")).to_have_text("")
    expect(page.dialog).to_have_accessible_name("The key of nightly")
    page.button("Copy").click()
    expect(page.page.locator("#copied")).to_have_text("Copied")
    assert page.page.evaluate("navigator.clipboard.readText()") == key
    page.button("Done").click()
    expect(page.dialog).to_have_count(0)
    page.keeps_focus()
    assert page.holds(key) == [], "it is nowhere any more"
    assert status(client, gateway, key) == 200
    shown = {
        "client": "shop", "team": "red", "state": "active", "expires": "never", "deployments": "gpt-4o\ngpt-4.1",
        "limits": "1,000 requests a minute", "budget": "–", "note": "asked for by finance",
    }  # fmt: skip
    for column, text in shown.items():
        expect(page.cell("nightly", column)).to_have_text(text, use_inner_text=True)
    listed = api(gateway, "GET", who={}).json()["keys"]
    assert [one["settings"]["name"] for one in listed] == ["nightly"]
    assert listed[0]["settings"]["limits"] == {"requests_per_minute": 1000}
    expect(page.cell("nightly", "id")).to_have_text(listed[0]["id"])
    page.page.reload()
    expect(page.row("nightly")).to_be_visible()
    assert page.holds(key) == []


def test_copied_is_said_only_if_it_was_and_who_leaves_without_is_asked(gateway, page, client):
    page.page.evaluate(
        """() => {
            Object.defineProperty(navigator, 'clipboard', {value: undefined});
            document.execCommand = () => false;
        }"""
    )
    key = page.make(client="shop", name="held")
    page.button("Copy").click()
    expect(page.page.locator("#copied")).to_contain_text("Not copied")
    assert page.page.evaluate("getSelection().toString()").strip() == key, "ready to be copied by keyboard"
    for _ in range(3):  # a browser itself would close at the second
        page.page.keyboard.press("Escape")
        expect(page.dialog.get_by_role("alert")).to_contain_text("cannot be shown again")
        expect(page.page.locator("#new-key")).to_be_visible()
    # Neither another view nor another address ends it.
    page.page.evaluate("location.hash = '#usage'")
    page.expected.append("404")  # no ledger is kept
    expect(page.page.locator("#new-key")).to_be_visible()
    asked = []
    page.page.once("dialog", lambda one: (asked.append(one.type), one.dismiss()))
    page.page.close(run_before_unload=True)
    harness.wait_until(lambda: page.page.evaluate("1") and asked)
    assert asked == ["beforeunload"]
    assert page.secret == key
    page.button("Close without copying").click()
    expect(page.dialog).to_have_count(0)
    assert page.holds(key) == []
    assert status(client, gateway, key) == 200


def test_a_key_copied_by_hand_is_copied(page):
    key = page.make(client="shop")
    page.page.locator("#new-key").click()  # selects it whole
    page.page.keyboard.press("Control+c")
    expect(page.page.locator("#copied")).to_have_text("Copied")
    assert page.page.evaluate("navigator.clipboard.readText()").strip() == key
    page.page.keyboard.press("Escape")
    expect(page.dialog).to_have_count(0)


def test_rotating_leaves_the_old_key_for_the_overlap(gateway, page, client):
    old = page.make(client="shop", name="turning-key")
    page.copy()
    page.button("Rotate turning-key").click()
    expect(page.field("overlap")).to_have_value("24h")
    page.field("overlap").fill("soon")
    page.button("Rotate", page.dialog).click()
    expect(page.fault("overlap")).to_contain_text("expected a duration such as 30m")
    expect(page.field("overlap")).to_be_focused()
    page.field("overlap").fill("6s")
    page.expected.append("400")
    page.button("Rotate", page.dialog).click()
    expect(page.page.locator("#new-key")).to_be_visible()
    new = page.secret
    assert new != old
    assert status(client, gateway, old) == status(client, gateway, new) == 200
    page.copy()
    expect(page.states("turning-key")).to_have_text(["rotated"])
    expect(page.cell("turning-key", "state")).to_contain_text("the old one until")
    seconds_until(lambda: status(client, gateway, old) == 401, 8)
    assert status(client, gateway, new) == 200
    expect(page.states("turning-key")).to_have_text(["active"])


def test_a_revoked_key_is_refused_at_once(gateway, page, client):
    key = page.make(client="shop", name="leaked")
    page.copy()
    page.make(client="shop", name="other")
    page.copy()
    assert status(client, gateway, key) == 200
    page.button("Revoke leaked").click()
    expect(page.dialog).to_contain_text("“leaked” of the client shop")
    page.button("Cancel", page.dialog).click()
    expect(page.button("Revoke leaked")).to_be_focused()
    assert status(client, gateway, key) == 200
    page.button("Revoke leaked").click()
    page.button("Revoke", page.dialog).click()
    expect(page.states("leaked")).to_have_text(["revoked"])
    assert status(client, gateway, key) == 401
    page.keeps_focus()
    expect(page.row("leaked").get_by_role("button")).to_have_count(0)
    expect(page.page.locator("#announcement")).to_have_text("leaked is revoked")
    page.page.get_by_label("State").select_option("active")
    expect(page.row("leaked")).to_have_count(0)
    expect(page.row("other")).to_be_visible()


def test_a_key_is_changed_and_what_is_not_touched_stays(gateway, page):
    made = make(gateway, client="shop", team="red", name="ci", note="n", deployments=["gpt-4o"],
                limits={"tokens_per_minute": 9000, "budget": {"month": 2.5}})  # fmt: skip
    page.button("Edit ci").click()
    for name, value in {"team": "red", "name": "ci", "note": "n", "deployments": "gpt-4o",
                        "limits.tokens_per_minute": "9000", "limits.budget.month": "2.5"}.items():  # fmt: skip
        expect(page.field(name)).to_have_value(value)
    page.field("team").fill("")
    page.field("note").fill("새 메모")
    page.field("limits.budget.month").fill("100")
    # Nothing that was typed is lost when the call fails.
    page.expected += ["ERR_FAILED", "503"]
    page.page.route("**/api/keys/*", lambda route: route.abort())
    page.button("Save", page.dialog).click()
    expect(page.dialog.get_by_role("alert")).to_be_focused()
    expect(page.dialog.get_by_role("alert")).to_contain_text("does not answer")
    page.page.unroute("**/api/keys/*")
    refused = {"error": {"message": "The store cannot do that now: it is locked", "code": "store_unavailable"}}
    page.page.route("**/api/keys/*", lambda route: route.fulfill(status=503, json=refused))
    page.button("Save", page.dialog).click()
    expect(page.dialog.get_by_role("alert")).to_contain_text("it is locked")
    page.page.unroute("**/api/keys/*")
    expect(page.field("note")).to_have_value("새 메모")
    page.button("Save", page.dialog).click()
    expect(page.dialog).to_have_count(0)
    expect(page.cell("ci", "note")).to_have_text("새 메모")
    expect(page.cell("ci", "team")).to_have_text("–")
    expect(page.cell("ci", "budget")).to_have_text("100 budget of the month")
    expect(page.button("Edit ci")).to_be_focused()
    assert api(gateway, "GET", f"/{made['id']}", who={}).json()["settings"] == {
        "client": "shop", "name": "ci", "note": "새 메모", "deployments": ["gpt-4o"],
        "limits": {"tokens_per_minute": 9000, "budget": {"month": 100}},
    }  # fmt: skip


def test_a_key_expires_and_is_given_another_end(gateway, page, client):
    made = make(gateway, client="shop", name="guest", expires_in="3d")
    key = made["key"]
    expect(page.states("guest")).to_have_text(["expires soon"])
    page.button("Expire guest").click()
    page.button("Expire", page.dialog).click()
    expect(page.states("guest")).to_have_text(["expired"])
    assert status(client, gateway, key) == 401
    expect(page.button("Rotate guest")).to_have_count(0)
    page.button("Expire guest").click()
    page.field("expires").select_option("at")
    page.button("Expire", page.dialog).click()
    expect(page.fault("expires_at")).to_have_text("Expected a day and a time.")
    expect(page.field("expires_at")).to_be_focused()
    page.field("expires_at").fill("2199-01-31T12:00")
    page.button("Expire", page.dialog).click()
    expect(page.states("guest")).to_have_text(["active"])
    expect(page.cell("guest", "expires")).to_contain_text("2199")
    assert status(client, gateway, key) == 200
    page.button("Edit guest").click()
    expect(page.field("expires").locator("option").first).to_contain_text("2199")
    page.field("expires").select_option("never")
    page.button("Save", page.dialog).click()
    expect(page.cell("guest", "expires")).to_have_text("never")


def test_what_is_wrong_is_said_at_its_field(gateway, page):
    page.button("Create a key").click()
    page.field("name").fill("kept")
    page.button("Create", page.dialog).click()
    expect(page.fault("client")).to_have_text("Needed.")
    expect(page.field("client")).to_be_focused()
    page.field("client").fill("a b")
    page.button(TEXTS[False]["create"], page.dialog).click()
    # What the gateway says, at the field and spoken with it.
    page.expected.append("400")
    expect(page.fault("client")).to_contain_text("letters, digits")
    expect(page.field("client")).to_be_focused()
    expect(page.field("client")).to_have_accessible_description(re.compile("letters, digits"))
    page.field("client").fill("shop")
    page.page.locator("summary").click()
    page.field("limits.tokens.month").fill("1.5")
    page.page.locator("summary").click()  # hidden again
    page.button("Create", page.dialog).click()
    expect(page.fault("limits.tokens.month")).to_contain_text("expected a whole number")
    expect(page.field("limits.tokens.month")).to_be_focused()
    expect(page.page.locator("[aria-invalid]")).to_have_count(1)
    expect(page.field("name")).to_have_value("kept")
    page.field("limits.tokens.month").fill("15")
    page.button("Create", page.dialog).click()
    page.copy()
    assert api(gateway, "GET", who={}).json()["keys"][0]["settings"]["limits"] == {"tokens": {"month": 15}}


def test_what_the_gateway_refuses_is_said_in_korean(gateway, opened):  # noqa: F811
    """It speaks English; the page says what it expects, by the field, and by the code where there is no field."""
    page = opened(gateway, page=Keys, korean=True)
    page.expected += ["400", "503", "405"]
    texts = TEXTS[True]
    page.open_keys(True)
    made = make(gateway, client="shop", name="turning")
    page.button(texts["make"]).click()
    page.page.get_by_text(texts["periods"]).click()
    wrong = {
        "client": ("a b", "영문자, 숫자"), "team": ("빨강", "영문자, 숫자"), "name": ("n" * 1001, "1,000바이트"),
        "note": ("n" * 1001, "1,000바이트"), "limits.concurrency": ("1.5", "사이의 수"),
        "limits.tokens.day": ("1.5", "사이의 수"), "limits.budget.month": ("99999999999999999", "사이의 수"),
        "deployments": ("gpt-4o", None),
    }  # fmt: skip
    for name, (text, _) in wrong.items():
        page.field(name).fill(text)
    page.button(texts["create"], page.dialog).click()
    for name, (_, told) in wrong.items():
        expect(page.fault(name)).to_have_count(1 if told else 0)
        if told:
            expect(page.fault(name)).to_contain_text(told)
    expect(page.fault("client")).not_to_contain_text("letters")
    page.looks_right("faults", True, NAMES, states=False)
    page.button(texts["cancel"], page.dialog).click()

    page.button(texts["rotate"].format("turning")).click()
    page.field("overlap").fill("soon")
    page.page.keyboard.press("Enter")
    expect(page.fault("overlap")).to_have_text("30m, 24h, 90d처럼 입력하세요. 최대 10년입니다.")
    page.button(texts["cancel"], page.dialog).click()

    page.button(texts["import"]).click()
    for line, told in [
        ({"client": "a b", "key": "old-key-0123456789"}, "1번째 줄: client: 영문자, 숫자"),
        ({"client": "a"}, "1번째 줄: client와, key 또는 key_sha256 중 하나가 필요합니다."),
        ({"client": "a", "key": "old-key-0123456789", "expires": "soon"}, "1번째 줄: expires: 2027-01-31T12:00:00Z 같은"),
        ({"client": "a", "key": "old-key-0123456789", "nonsense": 1}, "1번째 줄: nonsense: 사용할 수 없는 항목"),
    ]:
        page.field("lines").fill(json.dumps(line))
        page.dialog.locator("button.primary").click()
        expect(page.fault("lines")).to_contain_text(told)
    page.button(texts["cancel"], page.dialog).click()

    refused = {"error": {"message": "That is not done.", "code": "405"}}
    page.page.route("**/api/keys/*", lambda route: route.fulfill(status=405, json=refused))
    page.button(texts["revoke"].format("turning")).click()
    page.dialog.locator("button", has_text=texts["revoke"].format("").strip()).last.click()
    expect(page.dialog.get_by_role("alert")).to_have_text("게이트웨이가 거부했습니다: That is not done.")
    page.page.unroute("**/api/keys/*")
    assert api(gateway, "GET", f"/{made['id']}", who={}).json()["state"] == "active"


def test_keys_are_taken_over(gateway, page, client, tmp_path):
    page.expected.append("400")
    page.button("Import keys").click()
    page.button("Import", page.dialog).click()
    expect(page.fault("lines")).to_have_text("There is no key in it.")
    old = {"client": "old", "name": "one", "key": "old-key-0123456789"}
    page.field("lines").fill(json.dumps(old) + "\n\n{not json}")
    page.button("Import", page.dialog).click()
    expect(page.fault("lines")).to_have_text("Line 3: is not JSON")
    page.field("lines").fill(json.dumps(old) + "\n\n" + json.dumps({"client": "a b", "key": "other-key-0123456789"}))
    page.button("Import", page.dialog).click()
    expect(page.fault("lines")).to_contain_text("Line 3: client: expected 1 to 64 letters")
    expect(page.field("lines")).to_be_focused()
    assert status(client, gateway, old["key"]) == 401, "all or none"
    file = tmp_path / "old.jsonl"
    more = [{"client": "old", "name": f"n{i}", "key": f"old-key-{i:010}"} for i in range(250)]
    file.write_text("".join(json.dumps(one) + "\n" for one in [old, *more]))
    page.page.locator("#key-file").set_input_files(file)
    expect(page.dialog).to_contain_text("old.jsonl: 251 keys")
    page.button("Import", page.dialog).click()
    expect(page.dialog).to_have_count(0)
    expect(page.page.locator("#announcement")).to_have_text("Keys taken over: 251")
    assert status(client, gateway, old["key"]) == status(client, gateway, more[-1]["key"]) == 200
    assert page.holds("old-key-") == []
    rows = page.page.locator("#key-list tbody tr")
    expect(rows).to_have_count(200)
    page.button("Show 51 more (51 left)").click()
    expect(rows).to_have_count(251)
    page.page.get_by_label("Find").fill("n249")
    expect(rows).to_have_count(1)
    page.page.reload()
    expect(rows).to_have_count(1)  # the search is in the address


def test_the_table_is_sorted_and_filtered(gateway, page):
    for number, who in enumerate(["a", "b", "a"]):
        make(gateway, client=who, name=f"k{number}", **({"expires_in": "1h"} if number == 1 else {}))
    rows = page.page.locator("#key-list tbody tr")
    expect(rows).to_have_count(3)
    page.page.locator("#key-list thead").get_by_role("button", name="Name").click()
    expect(rows.first).to_have_attribute("data-name", "k0")
    page.page.locator("#key-list thead").get_by_role("button", name="Name").click()
    expect(rows.first).to_have_attribute("data-name", "k2")
    page.page.get_by_label("State").select_option("soon")
    expect(rows).to_have_count(1)
    page.page.get_by_label("State").select_option("")
    page.page.locator("#key-list-client").select_option("a")
    expect(rows).to_have_count(2)
    expect(page.page).to_have_url(re.compile(r"#keys\?(?=.*key-list.sort=-name)(?=.*key-list.client=a)"))
    page.page.reload()
    expect(rows).to_have_count(2)
    with page.page.expect_download() as download:
        page.button("Save as CSV").click()
    assert open(download.value.path(), encoding="utf-8-sig").readline().startswith("Name,Client,Team,ID,State,Created")


def test_who_may_not_sees_no_button_that_would_be_refused(serve, opened):  # noqa: F811
    gateway = serve(admin={"tokens": TOKENS})
    made = api(gateway, "POST", who=ADA, client="shop", name="ci").json()
    for token, role in zip(TOKENS, ("viewer", "operator", "admin"), strict=True):
        page = opened(gateway, page=Keys)
        page.expected.append("401")
        page.log_in({"authorization": f"Bearer {token['token']}"})
        expect(page.backend("one")).to_be_visible()
        drains = page.page.get_by_role("button", name=re.compile("^(Drain|Disable|Enable)"))
        page.open_keys()
        expect(page.row("ci")).to_be_visible()
        changing = page.page.get_by_role("button", name=re.compile("^(Create a key|Import keys|(Edit|Rotate|Expire|Revoke) ci)$"))
        expect(changing).to_have_count(6 if role == "admin" else 0)
        expect(page.page.get_by_text("Changing keys is for the role admin")).to_have_count(0 if role == "admin" else 1)
        for view in ("Live", "Configuration"):
            page.go(view)
            expect(page.state("one", "article" if view == "Live" else "tr")).to_be_visible()
            expect(drains).to_have_count(0 if role == "viewer" else 2)
        page.button("Log out").click()
        expect(page.page.get_by_label("Admin token")).to_be_visible()
        assert page.holds(made["id"]) == []
    assert httpx.get(f"{gateway.admin}/api/config", headers=EVE).json()["role"] == "viewer"


def test_what_was_typed_outlives_a_log_in(serve, opened):  # noqa: F811
    gateway = serve(admin={"tokens": TOKENS})
    page = opened(gateway, page=Keys)
    page.expected += ["401", "ERR_CONNECTION", "ERR_INCOMPLETE", "ERR_EMPTY", "ERR_NETWORK"]
    page.log_in(ADA)
    page.open_keys()
    page.button("Create a key").click()
    page.field("client").fill("shop")
    page.field("note").fill("long and thought over")
    # The gateway comes back with other tokens.
    text = gateway.config.read_text()
    gateway.stop()
    fresh = [{**TOKENS[2], "token": "token-of-ada-the-second-01"}]
    gateway.config.write_text(json.dumps({**json.loads(text), "admin": {**json.loads(text)["admin"], "tokens": fresh}}))
    again = harness.Process(gateway.config.parent, "again", ["serve", "--config", gateway.config])
    try:
        expect(page.page.get_by_label("Admin token")).to_be_visible(timeout=30_000)
        page.log_in({"authorization": f"Bearer {fresh[0]['token']}"})
        expect(page.field("note")).to_have_value("long and thought over")
        page.button("Create", page.dialog).click()
        page.copy()
    finally:
        assert again.stop() == 0


def test_without_a_store_the_page_says_how_to_have_one(serve, opened):  # noqa: F811
    page = opened(serve(store={"path": "off"}), page=Keys)
    page.expected.append("409")
    page.open_keys()
    expect(page.page.get_by_role("alert")).to_have_text(re.compile(r"set store\.path or store\.url in the configuration\.$"))
    expect(page.button("Create a key")).to_have_count(0)


def test_all_of_it_by_keyboard(gateway, page, client):
    def press(*keys):
        for key in keys:
            page.page.keyboard.press(key)
        page.keeps_focus()

    page.button("Create a key").focus()
    press("Enter")
    expect(page.field("client")).to_be_focused()
    page.page.keyboard.type("shop")
    press("Tab", "Tab")
    page.page.keyboard.type("typed")
    press("Enter")  # as in any form
    expect(page.page.locator("#new-key")).to_be_visible()
    key = page.secret
    expect(page.button("Copy")).to_be_focused()
    press("Escape")
    expect(page.dialog.get_by_role("alert")).to_be_visible()
    press("Enter")  # on "Copy", which has the focus
    expect(page.page.locator("#copied")).to_have_text("Copied")
    press("Escape")
    expect(page.dialog).to_have_count(0)
    page.keeps_focus()
    assert status(client, gateway, key) == 200
    for verb in ("Edit", "Rotate", "Expire", "Revoke"):
        page.button(f"{verb} typed").focus()
        press("Enter")
        expect(page.dialog).to_be_visible()
        press("Escape")
        expect(page.dialog).to_have_count(0)
        assert page.focus() == f"{verb} typed"
    press("Enter")
    press("Tab", "Enter")  # past "Cancel"
    expect(page.states("typed")).to_have_text(["revoked"])
    page.keeps_focus()


def test_two_pages_see_each_others_changes(gateway, page, opened):  # noqa: F811
    other = opened(gateway, page=Keys)
    other.open_keys()
    page.make(client="shop", name="shared")
    page.copy()
    expect(other.row("shared")).to_be_visible()
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        pool.submit(make, gateway, client="shop", name="elsewhere").result()
    expect(page.row("elsewhere")).to_be_visible()


# Of clients, teams and keys, and what was noted of one; roles and members of JSON have no other name.
NAMES = ["shop", "search", "batch", "red", "checkout", "nightly", "indexer", "trial", "leaked", "made",
         "Asked for by finance in the spring; ask them before it is changed", "admin", "client", "key"]  # fmt: skip


@pytest.fixture(scope="module")
def busy(tmp_path_factory):
    """A key of each state, with all that a key may have."""
    folder = tmp_path_factory.mktemp("keys")
    backend = scripted.Backend("one", scripted.healthy)
    gateway = harness.Gateway(folder, [backend.config()], store={"path": str(folder / "store.db")})
    try:
        limits = {"tokens_per_minute": 100_000, "requests_per_minute": 600, "tokens": {"day": 5_000_000}, "budget": {"month": 100}}
        make(gateway, client="shop", team="red", name="checkout", deployments=["gpt-4o", "gpt-4.1"], limits=limits,
             note="Asked for by finance in the spring; ask them before it is changed.")  # fmt: skip
        make(gateway, client="shop", name="nightly", expires_in="2d")
        turning = make(gateway, client="search", name="indexer", expires_in="90d")
        api(gateway, "POST", f"/{turning['id']}/rotate", who={}, overlap="24h")
        over = make(gateway, client="search", name="trial")
        api(gateway, "PATCH", f"/{over['id']}", who={}, expires="2020-01-01")
        gone = make(gateway, client="search", name="leaked")
        api(gateway, "DELETE", f"/{gone['id']}", who={})
        make(gateway, client="batch")
        yield gateway
    finally:
        gateway.stop()
        backend.stop()


@pytest.mark.parametrize("look", [f"{a}-{b}-{c}" for a in ("en", "ko") for b in ("desktop", "phone") for c in ("light", "dark")])
def test_looks(busy, opened, look):  # noqa: F811
    korean, phone, dark = look.startswith("ko"), "phone" in look, look.endswith("dark")
    page = opened(busy, page=Keys, dark=dark, phone=phone, korean=korean)
    texts = TEXTS[korean]
    page.open_keys(korean)
    expect(page.states("indexer")).to_have_text([texts["rotated"]])
    expect(page.states("nightly")).to_have_text([texts["soon"]])
    expect(page.states("leaked")).to_have_text([texts["revoked"]])
    page.looks_right(f"keys, {look}", korean, NAMES)
    if look == "en-desktop-light":
        page.picture("dashboard-keys")
    for name in ("edit", "rotate", "revoke"):
        page.button(texts[name].format("checkout")).click()
        expect(page.dialog).to_be_visible()
        page.looks_right(f"{name}, {look}", korean, NAMES, states=False)
        page.button(texts["cancel"], page.dialog).click()
    page.button(texts["import"]).click()
    page.looks_right(f"import, {look}", korean, NAMES, states=False)
    page.button(texts["cancel"], page.dialog).click()
    page.button(texts["make"]).click()
    page.page.get_by_text(texts["periods"]).click()
    page.button(texts["create"], page.dialog).click()
    expect(page.fault("client")).to_have_text(texts["needed"])
    inside = page.page.evaluate("(d => d.scrollWidth - d.clientWidth)(document.querySelector('dialog'))")
    assert inside <= 0, f"{inside} px too wide"
    page.looks_right(f"create, {look}", korean, NAMES)
    page.field("client").fill("shop")
    page.field("name").fill(f"made-{look}")
    page.button(texts["create"], page.dialog).click()
    expect(page.page.locator("#new-key")).to_be_visible()
    page.page.keyboard.press("Escape")
    expect(page.button(texts["sure"])).to_be_visible()
    page.looks_right(f"secret, {look}", korean, NAMES)
    page.button(texts["copy"]).click()
    expect(page.page.locator("#copied")).to_have_text(texts["copied"])
    page.button(texts["done"]).click()
    expect(page.row(f"made-{look}")).to_be_visible()


def test_touch_targets_are_large_enough(busy, opened):  # noqa: F811
    page = opened(busy, page=Keys, phone=True)
    page.open_keys()
    expect(page.row("checkout")).to_be_visible()
    page.button("Create a key").click()
    page.page.get_by_text("Per hour, day, week, month").click()
    small = page.page.evaluate(
        """() => [...document.querySelectorAll('button, a:not(p a), select, input:not([type=checkbox]), summary')]
            .filter(e => e.offsetParent || e.closest('dialog'))
            .map(e => [e.getAttribute('aria-label') || e.id || e.textContent, e.getBoundingClientRect()])
            .filter(([, r]) => r.width < 24 || r.height < 24).map(([name]) => name)"""
    )
    assert small == [], small  # WCAG 2.2, 2.5.8; a link within a sentence may be as its line is
