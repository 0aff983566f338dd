"""Backends that are reached by an HTTP proxy (`backends[].proxy`, HTTPS_PROXY, HTTP_PROXY, NO_PROXY)."""

import ssl
import subprocess

import httpx
import pytest

import certificates
import harness
from egress_proxy import Proxy
from scripted import Backend, completion, healthy

HOST = "backend.test"  # nobody's DNS knows it: the proxy does
HEADERS = {"api-key": harness.CLIENT_KEY}


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    folder = tmp_path_factory.mktemp("proxied")
    return certificates.self_signed(folder, HOST, f"DNS:{HOST}")


@pytest.fixture
def field(tmp_path, certificate):
    """field(scheme, proxy=…, env=…) → gateway, backend."""
    started = []

    def start(scheme, proxy=None, env=None, others=(), **more):
        cert, key = certificate
        context = None
        if scheme == "https":
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            context.load_cert_chain(cert, key)
            more["tls"] = {"ca_file": str(cert)}
        backend = Backend("far", healthy, context)
        started.append(backend)
        config = {"name": "far", "url": f"{scheme}://{HOST}:{backend.port}", "api_key": "backend-key-1", **more}
        if proxy:
            config["proxy"] = proxy
        gateway = harness.Gateway(tmp_path, [config, *others], env=env, server={"threads": 1})
        started.append(gateway)
        return gateway, backend

    yield start
    for one in reversed(started):
        one.stop()


@pytest.fixture
def proxy():
    started = []

    def start(**more):
        started.append(Proxy({HOST: "127.0.0.1"}, **more))
        return started[-1]

    yield start
    for one in started:
        one.stop()


def ask(gateway, stream=False):
    return httpx.post(harness.chat_url(gateway.url), headers=HEADERS, json=harness.chat_body(stream=stream), timeout=20)


@pytest.mark.parametrize("scheme", ["https", "http"])
@pytest.mark.parametrize("by", ["setting", "environment"])
def test_a_backend_behind_a_proxy(field, proxy, scheme, by):
    way = proxy()
    env = {"HTTPS_PROXY": way.url, "HTTP_PROXY": way.url, "NO_PROXY": "other.test"} if by == "environment" else None
    gateway, backend = field(scheme, way.url if by == "setting" else None, env)
    for stream in (False, True, False):
        answer = ask(gateway, stream)
        assert answer.status_code == 200, answer.text
    assert answer.json() == completion()
    assert len(backend.seen) == 3
    methods = {method for method, _ in way.seen}
    assert methods == ({"CONNECT"} if scheme == "https" else {"POST"})
    where = f"{HOST}:{backend.port}"
    assert all(target == where if scheme == "https" else target.startswith(f"http://{where}/") for _, target in way.seen)
    assert {r.headers["host"] for r in backend.seen} == {where}
    if scheme == "https":
        assert len(way.seen) == 1, "the tunnel is kept open"
        assert b"backend-key-1" not in b"".join(way.leaked), "what a tunnel carries is not the proxy's to read"


@pytest.mark.parametrize("scheme", ["https", "http"])
def test_a_proxy_with_a_password(field, proxy, scheme, tmp_path):
    way = proxy(password="us:er:pa ss")
    keyed = way.url.replace("http://", "http://us:er%3Apa%20ss@")
    gateway, backend = field(scheme, keyed)
    assert ask(gateway).status_code == 200
    assert not any("proxy-authorization" in r.headers for r in backend.seen), "it is for the proxy alone"
    shown = subprocess.run([harness.SPILLWAY, "check", "--config", gateway.config], capture_output=True, text=True)
    assert f"http://***@127.0.0.1:{way.port}" in shown.stdout
    assert "pa ss" not in shown.stdout + gateway.log_text() and "pa%20ss" not in shown.stdout + gateway.log_text()


@pytest.mark.parametrize("scheme", ["https", "http"])
@pytest.mark.parametrize("what", ["407", "403", "502", "down"])
def test_what_the_proxy_refuses_is_said_to_be_the_proxys(field, proxy, scheme, what):
    way = proxy(password="secret" if what == "407" else None, allowed=lambda host, port: what != "403")
    if what == "502":
        way.hosts = {}
    url = way.url
    if what == "down":
        url = f"http://127.0.0.1:{harness.free_ports(1)}"
    gateway, backend = field(scheme, url)
    answer = ask(gateway)
    assert answer.status_code == 503
    assert "egress proxy" in answer.json()["error"]["message"]
    detail = gateway.access_lines(1)[0]["attempts"][0]["detail"]
    assert "the proxy" in detail
    assert (what if what != "down" else "refused") in detail
    assert gateway.backends()["far"]["reason"] == "proxy"
    assert not backend.seen


def test_others_go_on_when_a_proxy_fails(field, proxy):
    near = Backend("near", healthy)
    gateway, _ = field("https", f"http://127.0.0.1:{harness.free_ports(1)}", others=[near.config()])
    try:
        assert [ask(gateway).status_code for _ in range(10)] == [200] * 10
    finally:
        near.stop()


def test_no_proxy_and_none(field, proxy):
    way = proxy()
    env = {"HTTPS_PROXY": way.url, "HTTP_PROXY": way.url}
    # "localhost" and 127.0.0.1 are never asked for by the environment's proxy.
    near = Backend("near", healthy)
    try:
        gateway, _ = field("https", "none", env, others=[near.config()])
        assert ask(gateway).status_code == 200
        assert near.seen and not way.seen
        config = gateway.config.read_text()
        gateway.config.write_text(config.replace('"proxy": "none"', '"proxy_env": "MY_PROXY"'))
        checked = subprocess.run([harness.SPILLWAY, "check", "--config", gateway.config], capture_output=True, text=True,
                                 env={"MY_PROXY": "socks5://x"})  # fmt: skip
        assert checked.returncode != 0
        assert "proxy" in checked.stderr + checked.stdout
        assert "socks5" not in checked.stderr + checked.stdout
    finally:
        near.stop()


def test_check_connect_goes_by_the_proxy(field, proxy):
    way = proxy(password="u:p")
    for scheme in ("https", "http"):
        gateway, _ = field(scheme, way.url.replace("//", "//u:p@"))
        shown = subprocess.run([harness.SPILLWAY, "check", "--connect", "--config", gateway.config],
                               capture_output=True, text=True)  # fmt: skip
        assert "ok     proxy" in shown.stdout, shown.stdout + shown.stderr
        assert "credential" in shown.stdout
        gateway.config.write_text(gateway.config.read_text().replace("u:p@", ""))
        shown = subprocess.run([harness.SPILLWAY, "check", "--connect", "--config", gateway.config],
                               capture_output=True, text=True)  # fmt: skip
        assert "407" in shown.stdout
