"""Fields and methods that two readers could understand differently, or that should not pass."""

import socket

import httpx
import pytest

from harness import CLIENT_KEY, chat_body, chat_url
from test_http import PATH, status_of


def raw(port, *lines):
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall("\r\n".join((*lines, "Connection: close", "", "")).encode("latin-1"))
        received = b""
        while piece := connection.recv(65536):
            received += piece
        return received


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "FOO", "M-SEARCH", "X" * 5000])
def test_methods_that_do_not_go_up(shared, method):
    before = shared.emulator.requests()
    received = raw(shared.gateway.port, f"{method} {PATH} HTTP/1.1", "Host: gateway", f"api-key: {CLIENT_KEY}")
    assert status_of(received) == 405
    assert b"\r\nallow: GET, " in received
    assert shared.emulator.requests() == before


def test_heads_that_two_readers_may_read_differently(shared):
    port = shared.gateway.port
    key = f"api-key: {CLIENT_KEY}"
    assert status_of(raw(port, "GET /openai/v1/models HTTP/1.1", "Host:", key)) == 400
    assert status_of(raw(port, "GET /openai/v1/mod\xe9ls HTTP/1.1", "Host: gateway", key)) == 400


def test_a_head_that_costs_is_refused(shared):
    port = shared.gateway.port
    names = ", ".join(f"n{i}" for i in range(7500))[:28_000]
    key = f"api-key: {CLIENT_KEY}"
    assert status_of(raw(port, f"GET {PATH} HTTP/1.1", "Host: gateway", key, f"Connection: {names}")) == 400
    many = [f"x-{i}: 1" for i in range(200)]
    assert status_of(raw(port, f"GET {PATH} HTTP/1.1", "Host: gateway", key, *many)) == 431


def test_a_doubled_field_of_a_trusted_proxy(stack):
    running = stack(
        resources=1,
        clients=[{"name": "shop", "key": CLIENT_KEY, "header": "the-shop"}, {"name": "bank", "key": CLIENT_KEY + "2"}],
        identity={"headers": {"client": "x-client", "trusted_proxies": ["127.0.0.0/8"]}},
    )
    url = chat_url(running.gateway.url)
    assert httpx.post(url, headers={"x-client": "the-shop"}, json=chat_body()).status_code == 200
    doubled = httpx.post(url, headers=[("x-client", "bank"), ("X-Client", "the-shop")], json=chat_body())
    assert doubled.status_code == 400
    assert doubled.json()["error"]["code"] == "ambiguous_client"


def test_own_answers_have_a_date(shared):
    for answer in (
        httpx.post(chat_url(shared.gateway.url), json=chat_body()),
        httpx.get(f"{shared.gateway.url}/healthz"),
        httpx.get(f"{shared.gateway.admin}/healthz"),
        httpx.post(chat_url(shared.gateway.url), headers={"api-key": CLIENT_KEY}, json=chat_body()),
    ):
        assert len(answer.headers.get_list("date")) == 1, answer.headers


def test_metrics_ask_for_a_known_host(shared):
    assert httpx.get(f"{shared.gateway.admin}/metrics").status_code == 200
    foreign = httpx.get(f"{shared.gateway.admin}/metrics", headers={"host": "evil.example"})
    assert foreign.status_code == 421
