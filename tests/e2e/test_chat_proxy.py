"""The chat page behind nginx as it is installed (Host replaced, HTTP/1.0 to the server, below a path of its own), and
behind Caddy, which passes the browser's Host on."""

import shutil
import socket

import httpx
import pytest
from playwright.sync_api import expect

import harness
from chat_page import Chat, Page, browser, opened  # noqa: F401
from chat_page import local  # noqa: F401

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
CADDY = shutil.which("caddy")


class Proxied:
    """What a page needs to know of a chat server, at the address that the proxy gives it."""

    def __init__(self, url, key):
        self.url = url
        self.key = key


def answers(port):
    try:
        return httpx.get(f"http://127.0.0.1:{port}/healthz").status_code == 200
    except httpx.HTTPError:
        return False


def connects(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture(scope="module")
def proxied(local, tmp_path_factory):  # noqa: F811
    """nginx with the lines of docs/chat.md and nothing else: (at the root, below a path)."""
    if not NGINX:
        pytest.skip("no nginx")
    folder = tmp_path_factory.mktemp("nginx")
    port = harness.free_ports(1)
    config = folder / "nginx.conf"
    config.write_text(
        f"""
daemon off; pid {folder}/pid; error_log {folder}/error.log; worker_processes 1;
events {{}}
http {{
  access_log off;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  server {{
    listen 127.0.0.1:{port};
    location / {{ proxy_pass {local.url}; }}
    location /chat/ {{ proxy_pass {local.url}/; proxy_buffering off; }}
  }}
}}
"""
    )
    with harness.running(folder / "out", NGINX, "-p", folder, "-c", config):
        harness.wait_until(lambda: answers(port))
        yield Proxied(f"http://127.0.0.1:{port}/", local.key), Proxied(f"http://127.0.0.1:{port}/chat/", local.key)


@pytest.mark.parametrize("below", [0, 1], ids=["root", "sub-path"])
def test_it_works_behind_nginx(proxied, opened, below):  # noqa: F811
    page = opened(proxied[below], page=Page)
    page.ask("Write a Python function that reverses a string")
    expect(page.last_answer.locator("pre")).to_be_visible()
    page.drop(("notes.md", b"# Notes\n\nThe ferry leaves at seven.", "text/markdown"))
    page.page.reload()
    expect(page.last_answer.locator("pre")).to_be_visible()
    page.button("Settings").click()
    page.page.get_by_label("System prompt").fill("You are a ferryman.")
    page.button("Save").click()
    expect(page.page.get_by_role("dialog")).to_have_count(0)
    page.page.locator(".entry").first.hover()
    page.page.locator(".entry").first.get_by_role("button", name="Delete").click()
    page.button("Delete", page.page.get_by_role("dialog")).click()
    expect(page.page.locator(".entry")).to_have_count(0)


def test_it_works_for_a_browser_that_says_only_its_origin(proxied):
    """As one does over plain http beyond localhost, where Sec-Fetch-Site is not sent."""
    origin = {"origin": "http://chat.office.example", "host": "chat.office.example"}
    with httpx.Client(base_url=proxied[1].url) as client:
        foreign = client.post("api/session", json={}, headers=origin)
        assert foreign.status_code == 403  # it may be any page
        own = client.post("api/session", json={}, headers={**origin, "x-spillway-page": "chat"})
        assert own.status_code == 200


def test_it_works_behind_caddy(local, opened, tmp_path):  # noqa: F811
    """With the lines of docs/chat.md and nothing else, but that it speaks plain http here."""
    if not CADDY:
        pytest.skip("no Caddy")
    chat = Chat(tmp_path, local.gateway, local.key, options=["--host", "chat.localhost"])
    port = harness.free_ports(1)
    config = tmp_path / "Caddyfile"
    config.write_text(
        f"{{\n\tadmin off\n}}\nhttp://chat.localhost:{port} {{\n\tbind 127.0.0.1\n"
        f"\treverse_proxy {chat.url.removeprefix('http://')}\n}}\n"
    )
    command = [CADDY, "run", "--adapter", "caddyfile", "--config", config]
    home = {"HOME": str(tmp_path), "PATH": "/usr/bin"}
    with harness.running(tmp_path / "caddy", *command, env=home):
        harness.wait_until(lambda: connects(port))
        page = opened(Proxied(f"http://chat.localhost:{port}/", local.key), page=Page)
        # Over HTTP/1.1 it cuts one answer in a hundred (caddyserver/caddy #5431); the page goes on where it was.
        page.expected.append("404|ERR_INCOMPLETE_CHUNKED_ENCODING")
        page.ask("Write a Python function that reverses a string")
        expect(page.last_answer.locator("pre")).to_be_visible()
        page.page.reload()
        expect(page.last_answer.locator("pre")).to_be_visible()
    assert chat.stop() == 0
