"""What one client can make the gateway hold: bodies before and after it is known whose they are."""

import contextlib
import json
import socket
import ssl
import time

import h2.config
import h2.connection
import httpx

import harness
from harness import CLIENT_KEY
from test_http import PATH, error_of, status_of
from test_http2 import certificate  # noqa: F401

MIB = 1 << 20


def head(length, *lines, key=None, path=PATH):
    fields = [f"POST {path} HTTP/1.1", "Host: gateway", f"Content-Length: {length}", *lines]
    if key:
        fields.append(f"api-key: {key}")
    return "\r\n".join((*fields, "", "")).encode()


def answer_to(port, data, timeout=10):
    """What comes back for `data`, up to the server's close; sending may be cut short."""
    with socket.create_connection(("127.0.0.1", port), timeout=timeout) as connection:
        received = b""
        with contextlib.suppress(OSError):
            connection.sendall(data)
        with contextlib.suppress(OSError):
            while piece := connection.recv(65536):
                received += piece
        return received


def body_of(size):
    text = json.dumps(harness.chat_body("@"))
    return text.replace("@", "x" * (size - len(text) + 1)).encode()


def test_a_body_is_not_read_before_its_key(stack):
    gateway = stack(resources=1).gateway
    before = gateway.resident_mib()
    connections = []
    for _ in range(60):
        connection = socket.create_connection(("127.0.0.1", gateway.port), timeout=10)
        connection.sendall(head(32 * MIB))
        connections.append(connection)
    for connection in connections:
        assert connection.recv(65536).startswith(b"HTTP/1.1 401 ")
        with contextlib.suppress(OSError):
            connection.sendall(b"x" * MIB)
    assert gateway.resident_mib() - before < 30
    for connection in connections:
        connection.close()


def test_what_a_head_condemns_is_answered_without_its_body(shared):
    port = shared.gateway.port
    for status, request in (
        (401, head(8 * MIB)),
        (404, head(8 * MIB, key=CLIENT_KEY, path="/nothing/here")),
        (413, head(65 * MIB, key=CLIENT_KEY)),
        (405, head(8 * MIB, key=CLIENT_KEY).replace(b"POST ", b"TRACE ")),
        (401, head(8 * MIB, "Expect: 100-continue")),
    ):
        received = answer_to(port, request)
        assert status_of(received) == status, received
        assert b"\r\nConnection: close\r\n" in received
        assert b"\r\nDate: " in received
        error_of(received)


def test_a_slow_sender_can_read_its_refusal(shared):
    assert status_of(answer_to(shared.gateway.port, head(8 * MIB) + b"x" * (8 * MIB))) == 401


def test_one_http2_connection_takes_little(stack, certificate):  # noqa: F811
    cert, key = certificate
    gateway = stack(resources=1, server={"tls": {"cert": str(cert), "key": str(key)}}).gateway
    context = ssl.create_default_context(cafile=cert)
    context.set_alpn_protocols(["h2"])
    before = gateway.resident_mib()
    for keyed in (False, True):
        raw = socket.create_connection(("127.0.0.1", gateway.port), timeout=10)
        with context.wrap_socket(raw, server_hostname="127.0.0.1") as link:
            client = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True))
            client.initiate_connection()
            for stream in range(1, 201, 2):
                fields = [(":method", "POST"), (":path", PATH), (":scheme", "https"), (":authority", "gateway")]
                client.send_headers(stream, fields + ([("api-key", CLIENT_KEY)] if keyed else []))
            sent = dict.fromkeys(range(1, 201, 2), 0)
            end = time.monotonic() + 4
            link.settimeout(0.05)
            while time.monotonic() < end:
                for stream in sent:
                    with contextlib.suppress(h2.exceptions.ProtocolError):
                        size = min(client.local_flow_control_window(stream), 16384, 4 * MIB - sent[stream])
                        if size > 0:
                            client.send_data(stream, b"x" * size)
                            sent[stream] += size
                try:
                    link.sendall(client.data_to_send())
                    client.receive_data(link.recv(65536))
                except TimeoutError:
                    continue
                except OSError:
                    break
            grown = gateway.resident_mib() - before
            assert grown < (150 if keyed else 30), f"{grown} MiB, {sum(sent.values()) / MIB} MiB sent, keyed: {keyed}"
            if not keyed:
                assert sum(sent.values()) <= 100 * 65535
    assert httpx.get(f"{gateway.url}/healthz", verify=context).status_code == 200


def test_the_process_has_a_budget(stack):
    one = stack(resources=1, limits={"memory": "20MiB", "max_body": "8MiB"}, emulator_args=("--lenient",))
    holders = []
    for _ in range(2):
        holder = socket.create_connection(("127.0.0.1", one.gateway.port), timeout=10)
        body = body_of(8 * MIB - 100)
        holder.sendall(head(len(body), "Connection: close", key=CLIENT_KEY) + body[: len(body) // 2])
        holders.append((holder, body))
    harness.wait_until(lambda: memory_used(one.gateway) > 15 * MIB)
    began = time.monotonic()
    received = answer_to(one.gateway.port, head(6 * MIB, key=CLIENT_KEY))
    assert time.monotonic() - began < 1, "refused before it is read"
    assert status_of(received) == 503
    assert error_of(received)["code"] == "out_of_memory"
    assert b"\r\nretry-after: " in received.lower()
    assert harness.post_chat(one.gateway.url).status_code == 200, "small requests need none"
    for holder, body in holders:
        holder.sendall(body[len(body) // 2 :])
        assert holder.recv(65536).startswith(b"HTTP/1.1 200 "), "work under way ends"
        holder.close()
    harness.wait_until(lambda: memory_used(one.gateway) == 0)


def memory_used(gateway):
    text = httpx.get(f"{gateway.admin}/metrics").text
    return next(float(line.split()[1]) for line in text.splitlines() if line.startswith("spillway_memory_bytes "))


def test_a_trickle_ends(stack):
    gateway = stack(resources=1, limits={"body_timeout": "1s", "body_time": "3s", "body_rate": "10KiB"}).gateway
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=10) as connection:
        connection.sendall(head(MIB, key=CLIENT_KEY))
        connection.settimeout(0.3)
        received = b""
        began = time.monotonic()
        while time.monotonic() - began < 8 and not received:
            with contextlib.suppress(OSError):
                connection.sendall(b"x")
            with contextlib.suppress(TimeoutError):
                received = connection.recv(65536)
    assert status_of(received) == 408
    assert time.monotonic() - began < 4
    line = gateway.access_lines(1)[-1]
    assert line["status"] == 408


def test_the_admin_port_reads_no_body(stack):
    gateway = stack(resources=1, admin={"token": "admin-token-0123456789"}).gateway
    before = gateway.resident_mib()
    port = int(gateway.admin.rsplit(":", 1)[1])
    connections = []
    for _ in range(20):
        connection = socket.create_connection(("127.0.0.1", port), timeout=10)
        connection.sendall(head(8 * MIB, path="/api/reload"))
        with contextlib.suppress(OSError):
            connection.sendall(b"x" * MIB)
        connections.append(connection)
    assert all(connection.recv(65536).startswith(b"HTTP/1.1 401 ") for connection in connections)
    assert gateway.resident_mib() - before < 20
    for connection in connections:
        connection.close()


def test_a_client_that_leaves_within_its_body_is_logged_as_gone(stack):
    gateway = stack(resources=1).gateway
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=10) as connection:
        connection.sendall(head(MIB, key=CLIENT_KEY) + b"x" * 1000)
        time.sleep(0.2)
    line = gateway.access_lines(1)[-1]
    assert (line["status"], line["outcome"]) == (499, "client_left")


def test_official_paths_still_work_with_large_bodies(stack):
    running = stack(resources=1, emulator_args=("--lenient",))  # more than the model's window
    answer = harness.post_chat(running.gateway.url, text="x" * 1_000_000, max_tokens=5)
    assert answer.status_code == 200
