"""Log-in to the admin plane by a real OpenID Connect provider (npm's oidc-provider), as people in a browser and as those
who try what they should not."""

import contextlib
import json
import pathlib
import re
import subprocess
import time
import urllib.parse

import httpx
import pytest
from playwright.sync_api import expect

import harness
from chat_page import browser, opened  # noqa: F401
from harness import wait_until

SECRET = "client-secret-at-the-provider-5b1e"
SESSION_KEY = "a-session-key-of-32-characters-and-more"
TOKEN = "admin-token-of-robots-91c2"
PEOPLE = {
    "vera": {"groups": ["support"]},
    "otto": {"groups": ["oncall", "support"]},
    "ada": {"groups": ["owners"]},
    "nemo": {"groups": ["others"]},
}
ROLES = {"viewer": {"groups": ["support"]}, "operator": {"groups": ["oncall"]}, "admin": {"groups": ["owners"]}}


class Provider:
    """`key` names the key that signs; another start with another name is a rotation."""

    def __init__(self, folder):
        self.port = harness.free_ports(1)
        self.issuer = f"http://127.0.0.1:{self.port}"
        self.settings = {"port": self.port, "redirects": [], "secret": SECRET, "people": PEOPLE, "folder": str(folder)}
        self.folder = folder
        self.process = None

    def start(self, key="first"):
        log = open(self.folder / "provider.log", "ab")
        script = pathlib.Path(__file__).parent / "node/provider.mjs"
        self.process = subprocess.Popen(
            ["node", str(script), json.dumps({**self.settings, "key": key})], stdout=log, stderr=log, stdin=subprocess.DEVNULL
        )

        def ready():
            assert self.process.poll() is None, (self.folder / "provider.log").read_text()
            with contextlib.suppress(httpx.HTTPError):
                return httpx.get(f"{self.issuer}/.well-known/openid-configuration", timeout=2).status_code == 200

        wait_until(ready, 60)

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()


class World:
    """A gateway with a log-in, and its provider."""

    def __init__(self, folder, **oidc):
        self.provider = Provider(folder)
        self.emulator = harness.Emulator(folder, 1)
        self.folder = folder
        self.oidc = {
            "issuer": self.provider.issuer, "client_id": "spillway", "client_secret": SECRET, "roles": ROLES,
            "session_key": SESSION_KEY, **oidc,
        }  # fmt: skip

    def start(self, provider=True):
        folder = self.folder
        first = harness.free_ports(2)
        self.admin = f"http://127.0.0.1:{first + 1}"
        self.provider.settings["redirects"] = [f"{self.admin}/login/callback"]
        if provider:
            self.provider.start()
        config = harness.gateway_config(
            first, [harness.backend("one", self.emulator.urls[0])], folder / "access.jsonl",
            admin={"oidc": {**self.oidc, "public_url": self.admin}, "tokens": [{"name": "robot", "role": "viewer", "token": TOKEN}]},
        )  # fmt: skip
        self.config = folder / "gateway.yaml"
        self.config.write_text(json.dumps(config))
        self.gateway = harness.Process(folder, "gateway", ["serve", "--config", self.config, "--keep-accepting", "0"])
        self.gateway.wait_ready(f"{self.admin}/healthz")
        return self

    def stop(self):
        statuses = self.gateway.stop(), self.emulator.stop()
        self.provider.stop()
        assert statuses == (0, 0)

    @staticmethod
    def token():
        return {"authorization": f"Bearer {TOKEN}"}

    def person(self):
        return httpx.Client(timeout=20)

    def audit(self):
        return [line for line in self.gateway.log_text().splitlines() if "audit:" in line]


@pytest.fixture
def world(tmp_path):
    running = []

    def start(provider=True, **oidc):
        running.append(World(tmp_path, **oidc))
        return running[-1].start(provider)

    yield start
    for one in running:
        one.stop()


def at_the_provider(client, answer, name):
    """Goes on from the gateway's redirection as a browser with a person before it, up to the redirection back."""
    for _ in range(10):
        if answer.is_redirect:
            if "/login/callback" in answer.headers["location"]:
                return answer.headers["location"]
            answer = client.get(answer.next_request.url)
            continue
        assert answer.status_code == 200, answer.text
        form = re.search(r'<form[^>]*action="([^"]+)"', answer.text)[1]
        url = urllib.parse.urljoin(str(answer.request.url), form)
        answer = client.post(url, data={"prompt": "login", "login": name, "password": "any"})
    raise AssertionError("it never came back")


def begin(world, client, back=None):
    answer = client.get(f"{world.admin}/login", params={"return": back} if back else {})
    assert answer.status_code == 303, answer.text
    return answer


def log_in(world, name, client=None, back=None):
    """(client, the gateway's answer to the provider's redirection)"""
    client = client or world.person()
    callback = at_the_provider(client, begin(world, client, back), name)
    return client, client.get(callback)


def session(world, client):
    return client.get(f"{world.admin}/api/session").json()


OWN = {"sec-fetch-site": "same-origin"}


def drain(world, client, verb="drain", fields=OWN):
    return client.post(f"{world.admin}/api/backends/one/{verb}", headers=fields)


@pytest.mark.parametrize("name, role", [("vera", "viewer"), ("otto", "operator"), ("ada", "admin")])
def test_each_role_may_what_it_may(world, name, role):
    one = world()
    assert session(one, one.person()) == {"name": "", "role": "", "by": "nothing", "log_in": True}
    client, answer = log_in(one, name, back="/#usage?range=24h")
    assert answer.status_code == 303, answer.text
    assert answer.headers["location"] == f"{one.admin}/#usage?range=24h"
    cookie = next(c for c in answer.headers.get_list("set-cookie") if c.startswith("spillway-session="))
    assert "HttpOnly" in cookie and "SameSite=Lax" in cookie and "Path=/" in cookie and "Max-Age=28800" in cookie
    assert session(one, client) == {"name": f"{name}@example.org", "role": role, "by": "oidc", "log_in": True}
    assert client.get(f"{one.admin}/api/live").status_code == 200
    done = drain(one, client)
    if role == "viewer":
        assert (done.status_code, done.json()["error"]["code"]) == (403, "role_not_allowed")
        assert not [line for line in one.audit() if "backend one" in line]
    else:
        assert done.status_code == 200
        line = wait_until(lambda: next((line for line in one.audit() if "backend one" in line), None))
        assert line.endswith(f"audit: oidc:{name}@example.org changed backend one: before on, after draining")
    # Keys are an admin's; this gateway keeps some by default.
    made = client.post(f"{one.admin}/api/keys", json={"client": "e2e"}, headers=OWN)
    assert made.status_code == (201 if role == "admin" else 403), made.text


def test_who_has_no_role_is_told_so(world):
    one = world()
    client, answer = log_in(one, "nemo")
    assert answer.status_code == 403
    assert "nemo@example.org is known, but has none of the roles" in answer.text
    assert client.get(f"{one.admin}/api/live").status_code == 401


def test_answers_that_were_not_asked_for(world):
    one = world()
    client = one.person()
    callback = at_the_provider(client, begin(one, client), "ada")
    forged = re.sub(r"state=[^&]+", "state=forged", callback)
    assert one.person().get(callback).status_code == 400, "another browser's"
    answer = client.get(forged)
    assert answer.status_code == 400 and "another log-in" in answer.text
    kept = client.cookies["spillway-login"]
    assert client.get(callback).status_code == 303
    # The same once more: without the flow's cookie, and with it.
    assert client.get(callback).status_code == 400
    again = httpx.get(callback, cookies={"spillway-login": kept})
    assert again.status_code == 403 and "invalid_grant" in again.text
    code = re.search(r"code=([^&]+)", callback)[1]
    assert code not in again.text and SECRET not in again.text


def test_a_token_of_another_log_in_is_refused(world):
    one = world()
    client = one.person()
    answer = begin(one, client)
    # As if the provider had been asked by somebody else: all is of this flow but the nonce.
    other = re.sub(r"nonce=[^&]+", "nonce=of-somebody-else", answer.headers["location"])
    callback = at_the_provider(client, client.get(other), "ada")
    answer = client.get(callback)
    assert answer.status_code == 403 and "The ID token is of another log-in (nonce)." in answer.text
    assert session(one, client)["by"] == "nothing"


def test_pkce_holds_a_code_to_its_browser(world):
    one = world()
    thief, victim = one.person(), one.person()
    stolen = at_the_provider(victim, begin(one, victim), "ada")
    begun = begin(one, thief)
    state = re.search(r"state=([^&]+)", begun.headers["location"])[1]
    answer = thief.get(re.sub(r"state=[^&]+", f"state={state}", stolen))
    assert answer.status_code == 403 and "invalid_grant" in answer.text


def test_cookies_that_were_changed_or_are_old(world):
    one = world(session="3s")
    client, answer = log_in(one, "ada")
    assert answer.status_code == 303
    begun = time.monotonic()
    good = client.cookies["spillway-session"]
    live = f"{one.admin}/api/live"
    for at in (0, len(good) // 2, len(good) - 2):
        bad = good[:at] + ("A" if good[at] != "A" else "g") + good[at + 1 :]
        assert httpx.get(live, cookies={"spillway-session": bad}).status_code == 401
    assert httpx.get(live, cookies={"spillway-session": good}).status_code == 200
    # The picture that is open ends with the session.
    with httpx.stream("GET", f"{one.admin}/api/events", cookies={"spillway-session": good}, timeout=10) as events:
        assert events.status_code == 200
        with contextlib.suppress(httpx.RemoteProtocolError):
            assert list(events.iter_lines())
    assert 1 < time.monotonic() - begun < 6
    assert httpx.get(live, cookies={"spillway-session": good}).status_code == 401


def test_a_provider_that_is_down_is_named_and_tokens_go_on(world):
    one = world(provider=False)
    client = one.person()
    answer = client.get(f"{one.admin}/login")
    assert answer.status_code == 502
    assert f"The provider cannot be asked now: 127.0.0.1:{one.provider.port}: cannot connect" in answer.text
    assert client.get(f"{one.admin}/api/live", headers=one.token()).status_code == 200
    assert client.get(f"{one.admin}/").status_code == 200
    one.provider.start()
    wait_until(lambda: one.person().get(f"{one.admin}/login").status_code == 303)  # it is asked again after a second
    client, answer = log_in(one, "ada")  # its keys are fetched as soon as they are needed
    assert answer.status_code == 303, answer.text
    one.provider.stop()
    assert session(one, client)["role"] == "admin", "who is in stays in"
    callback = f"{one.admin}/login/callback"
    begun = begin(one, one.person())  # its address is known for a minute
    assert begun.headers["location"].startswith(one.provider.issuer)
    state = re.search(r"state=([^&]+)", begun.headers["location"])[1]
    lost = httpx.get(callback, params={"code": "x", "state": state}, cookies=dict(begun.cookies), timeout=20)
    assert lost.status_code == 403 and "token endpoint: 127.0.0.1" in lost.text


def test_a_key_that_the_provider_changed(world):
    one = world()
    assert log_in(one, "ada")[1].status_code == 303
    one.provider.stop()
    one.provider.start("second")
    begun = time.monotonic()
    client, answer = log_in(one, "otto")
    assert answer.status_code == 303, answer.text
    assert time.monotonic() - begun < 8
    assert session(one, client)["role"] == "operator"


def test_logging_out(world):
    one = world()
    client, _ = log_in(one, "otto")
    assert client.post(f"{one.admin}/logout", headers={"sec-fetch-site": "cross-site"}).status_code == 403
    assert session(one, client)["by"] == "oidc"
    assert client.post(f"{one.admin}/logout", headers=OWN).status_code == 204
    assert session(one, client)["by"] == "nothing"
    assert "spillway-session" not in client.cookies
    assert [line.split("audit: ")[1] for line in wait_until(lambda: len(one.audit()) == 2 and one.audit())] == [
        "oidc:otto@example.org changed own session: before -, after logged in as operator",
        "oidc:otto@example.org changed own session: before operator, after logged out",
    ]


def test_other_pages_change_nothing(world):
    one = world()
    client, _ = log_in(one, "otto")
    for fields in ({}, {"origin": "https://evil.example"}, {"origin": "null"}, {"sec-fetch-site": "cross-site", "origin": one.admin},
                   {"sec-fetch-site": "same-site"}, {"x-spillway-page": "1"}):  # fmt: skip
        refused = drain(one, client, fields=fields)
        assert (refused.status_code, refused.json()["error"]["code"]) == (403, "foreign_origin"), fields
    assert drain(one, client, fields={"origin": one.admin}).status_code == 200


def test_it_leads_back_to_nobody_else(world):
    one = world()
    for back in ("//evil.example", "https://evil.example/", "/\\evil.example", "evil", "/\r\nx: y"):
        answer = one.person().get(f"{one.admin}/login", params={"return": back})
        assert (answer.status_code, answer.headers.get("location")) == (400, None), back


def test_roles_that_change_are_felt_at_the_reload(world):
    one = world()
    client, _ = log_in(one, "otto")
    owner, _ = log_in(one, "ada")
    config = json.loads(one.config.read_text())
    config["admin"]["oidc"]["roles"] = {"viewer": {"groups": ["oncall"]}, "admin": {"groups": ["owners"]}}
    one.config.write_text(json.dumps(config))
    assert owner.post(f"{one.admin}/api/reload", headers=OWN).status_code == 200
    assert session(one, client)["role"] == "viewer"
    assert drain(one, client).status_code == 403
    config["admin"]["oidc"]["roles"] = {"admin": {"groups": ["owners"]}}
    one.config.write_text(json.dumps(config))
    assert owner.post(f"{one.admin}/api/reload", headers=OWN).status_code == 200
    assert client.get(f"{one.admin}/api/live").status_code == 401
    assert session(one, owner)["role"] == "admin"


def test_no_secret_is_told(world):
    one = world()
    client, answer = log_in(one, "ada")
    cookie = client.cookies["spillway-session"]
    callback = str(answer.request.url)
    code = re.search(r"code=([^&]+)", callback)[1]
    httpx.get(callback)
    told = {
        "log": one.gateway.log_text(),
        "configuration": client.get(f"{one.admin}/api/config").text,
        "metrics": client.get(f"{one.admin}/metrics").text,
        "session": client.get(f"{one.admin}/api/session").text,
    }
    for where, text in told.items():
        for secret in (SECRET, SESSION_KEY, TOKEN, cookie, code, "eyJ"):
            assert secret not in text, f"{secret} is in the {where}"
    assert "public_url" in told["configuration"]


def test_in_a_browser(world, browser):  # noqa: F811
    one = world(session="25s")
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{one.admin}/#usage?range=24h")
    expect(page.get_by_label("Admin token")).to_be_visible()
    page.get_by_role("button", name="Log in", exact=True).click()
    page.locator("input[name=login]").fill("otto")
    page.locator("input[name=password]").fill("any")
    page.get_by_role("button", name="Sign-in").click()
    expect(page.get_by_role("navigation").get_by_role("link", name="Usage")).to_have_attribute("aria-current", "page")
    assert page.url == f"{one.admin}/#usage?range=24h"
    expect(page.locator(".who")).to_have_text("otto@example.org")
    expect(page.locator(".who")).to_have_attribute("title", "Logged in as otto@example.org (operator)")
    assert page.evaluate("document.cookie") == ""
    page.get_by_role("navigation").get_by_role("link", name="Live").click()
    page.get_by_role("button", name="Drain one", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name="Drain", exact=True).click()
    line = wait_until(lambda: next((line for line in one.audit() if "backend one" in line), None))
    assert "audit: oidc:otto@example.org changed backend one: before on, after draining" in line
    # The session's end leads back to the log-in, and that back to where one was.
    page.get_by_role("navigation").get_by_role("link", name="Configuration").click()
    expect(page.get_by_text("Your log-in is over. Log in again.")).to_be_visible(timeout=40_000)
    assert page.url.startswith(f"{one.admin}/#config")
    page.locator("select").first.select_option("ko")
    page.get_by_role("button", name="로그인", exact=True).click()  # the provider knows the person still
    expect(page.locator(".who")).to_have_text("otto@example.org")
    assert page.url.startswith(f"{one.admin}/#config")
    page.get_by_role("button", name="로그아웃").click()
    expect(page.get_by_role("button", name="로그인", exact=True)).to_be_visible()
    assert not [cookie for cookie in context.cookies(one.admin) if cookie["name"] == "spillway-session"]
    # A token does as it did.
    page.get_by_label("관리자 토큰").fill(TOKEN)
    page.get_by_role("button", name="토큰으로 로그인").click()
    expect(page.locator(".who")).to_have_text("robot")
    context.close()
