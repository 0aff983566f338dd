"""More than the backends sustain, or one client may have; scripts/overload measures what it costs others."""

import asyncio
import contextlib
import socket
import ssl
import time

import httpx

import harness
import overload
import scripted
from test_http import error_of, status_of
from test_http2 import certificate  # noqa: F401
from test_trust_memory import answer_to, head


def refusing(places):
    """A backend that works on `places` requests, half a second each, and refuses more."""
    busy = 0

    async def handle(request, answer):
        nonlocal busy
        if busy >= places:
            await answer.send(503, {"error": {"message": "busy", "type": "server_error"}})
            return
        busy += 1
        await asyncio.sleep(0.5)
        busy -= 1
        await answer.send(200, scripted.completion())

    return scripted.Backend("small", handle)


def test_who_has_too_much_to_do_is_named_as_the_cause(tmp_path):
    backend = refusing(3)
    gateway = harness.Gateway(tmp_path, [backend.config()], limits={"adaptive_concurrency": True})
    try:
        asyncio.run(harness.chat_load(gateway.url, 60, 20))
        deployment = gateway.backends()["small"]["deployments"][0]
        assert 2 <= deployment["most_in_flight"] <= 6, deployment
        assert 'spillway_backend_most_in_flight{backend="small",deployment="gpt-4o"}' in httpx.get(
            f"{gateway.admin}/metrics"
        ).text
        holders = []
        for _ in range(12):
            holder = socket.create_connection(("127.0.0.1", gateway.port), timeout=10)
            body = overload.body_of(100)
            holder.sendall(head(len(body), key=harness.CLIENT_KEY) + body)
            holders.append(holder)
        # By its head alone: nothing of the body is sent.
        received = answer_to(gateway.port, head(8 << 20, key=harness.CLIENT_KEY))
        assert status_of(received) == 503, received
        error = error_of(received)
        assert error["code"] == "overloaded"
        assert b"\r\nretry-after: " in received.lower()
        for holder in holders:
            holder.close()
        assert gateway.log_text().count("has more to do than it sustains") == 1
    finally:
        gateway.stop()
        backend.stop()


def test_without_it_nothing_is_limited(tmp_path):
    backend = refusing(3)
    gateway = harness.Gateway(tmp_path, [backend.config()])
    try:
        asyncio.run(harness.chat_load(gateway.url, 40, 20))
        assert gateway.backends()["small"]["deployments"][0]["most_in_flight"] is None
    finally:
        gateway.stop()
        backend.stop()


def test_a_clients_limit_in_flight_is_known_by_the_head(tmp_path):
    backend = refusing(100)
    clients = [{"name": "e2e", "key": harness.CLIENT_KEY, "limits": {"concurrency": 2}}]
    gateway = harness.Gateway(tmp_path, [backend.config()], clients=clients)
    try:
        body = overload.body_of(100)
        for _ in range(3):  # places are given back however a request ends
            holders = []
            for _ in range(2):
                holder = socket.create_connection(("127.0.0.1", gateway.port), timeout=10)
                holder.sendall(head(len(body), key=harness.CLIENT_KEY) + body)
                holders.append(holder)
            time.sleep(0.1)
            received = answer_to(gateway.port, head(8 << 20, key=harness.CLIENT_KEY))
            assert status_of(received) == 429, received
            assert error_of(received)["code"] == "rate_limit_exceeded"
            for holder in holders:
                holder.close()  # before the answer
            harness.wait_until(lambda: harness.post_chat(gateway.url).status_code == 200)
    finally:
        gateway.stop()
        backend.stop()


def test_connections_of_one_address_are_limited(stack, certificate):  # noqa: F811
    cert, key = certificate
    gateway = stack(resources=1, limits={"connections_per_client": 4}, server={"tls": {"cert": str(cert), "key": str(key)}}).gateway
    plain = stack(resources=1, limits={"connections_per_client": 4}).gateway
    held = [socket.create_connection(("127.0.0.1", plain.port), timeout=10) for _ in range(4)]
    time.sleep(0.1)
    received = answer_to(plain.port, head(8 << 20, key=harness.CLIENT_KEY))
    assert status_of(received) == 429
    assert error_of(received)["code"] == "too_many_connections"
    assert b"\r\nretry-after: 1\r\n" in received.lower()
    held += [socket.create_connection(("127.0.0.1", plain.port), timeout=10) for _ in range(8)]
    for connection in held[-4:]:  # far too many: not even told
        with contextlib.suppress(ConnectionError):
            assert connection.recv(1) == b""
    for connection in held[4:8]:  # those that say nothing do not stay
        with contextlib.suppress(ConnectionError):
            assert connection.recv(1) == b""
    for connection in held:
        connection.close()
    harness.wait_until(lambda: harness.post_chat(plain.url).status_code == 200)

    context = ssl.create_default_context(cafile=cert)
    held = []
    for _ in range(4):
        raw = socket.create_connection(("127.0.0.1", gateway.port), timeout=10)
        held.append(context.wrap_socket(raw, server_hostname="127.0.0.1"))
    with httpx.Client(http2=True, verify=context) as client:
        answer = client.get(f"{gateway.url}/v1/models", headers={"api-key": harness.CLIENT_KEY})
    assert answer.http_version == "HTTP/2"
    assert answer.status_code == 429
    assert answer.json()["error"]["code"] == "too_many_connections"
    for connection in held:
        connection.close()
