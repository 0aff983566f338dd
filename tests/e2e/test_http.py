"""What a client can do wrong on the wire, byte by byte and with curl."""

import json
import socket
import subprocess

import harness
from harness import API_VERSION, CHAT, CLIENT_KEY

PATH = f"/openai/deployments/{CHAT}/chat/completions?api-version={API_VERSION}"
BODY = json.dumps(harness.chat_body()).encode()


def exchange(port, data):
    """Sends bytes, reads until the other side closes."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        received = b""
        try:
            connection.sendall(data)
            while piece := connection.recv(65536):
                received += piece
        except (ConnectionResetError, BrokenPipeError):
            pass
        return received


def head(*lines, close=True):
    more = ("Connection: close",) if close else ()
    return "\r\n".join((f"POST {PATH} HTTP/1.1", "Host: gateway", f"api-key: {CLIENT_KEY}", *lines, *more, "", "")).encode()


def status_of(received):
    return int(received.split(b" ", 2)[1])


def error_of(received):
    """The error object of OpenAI's shape in a raw answer."""
    error = json.loads(received.split(b"\r\n\r\n", 1)[1])["error"]
    assert set(error) >= {"message", "type", "code"}
    return error


def curl(*arguments, data=None):
    """(status, body)"""
    done = subprocess.run(
        ["curl", "-sS", "--max-time", "20", "-w", "\n%{http_code}", *arguments],
        input=data, capture_output=True, check=False,
    )  # fmt: skip
    body, _, status = done.stdout.rpartition(b"\n")
    return int(status), body


def test_curl_as_in_the_readme(shared):
    status, body = curl(
        shared.gateway.url + PATH, "-H", f"api-key: {CLIENT_KEY}", "-H", "content-type: application/json",
        "-d", '{"messages": [{"role": "user", "content": "Say hello."}]}',
    )  # fmt: skip
    assert status == 200
    assert json.loads(body)["choices"][0]["message"]["content"]


def test_length_together_with_transfer_encoding_is_refused(shared):
    before = sum(shared.emulator.requests())
    received = exchange(
        shared.gateway.port,
        head(f"Content-Length: {len(BODY)}", "Transfer-Encoding: chunked", close=False) + b"0\r\n\r\n" + BODY,
    )
    assert status_of(received) == 400
    assert received.count(b"HTTP/1.1 ") == 1, "what follows must not be taken for a request"
    error_of(received)
    assert sum(shared.emulator.requests()) == before


def test_two_different_lengths_are_refused(shared):
    received = exchange(
        shared.gateway.port, head(f"Content-Length: {len(BODY)}", f"Content-Length: {len(BODY) + 1}") + BODY
    )
    assert status_of(received) == 400


def test_garbage_is_refused(shared):
    assert status_of(exchange(shared.gateway.port, b"\x16\x03\x01 not HTTP\r\n\r\n")) == 400


def test_an_oversized_head_is_refused(shared):
    received = exchange(shared.gateway.port, head("X-Long: " + "x" * 200_000, "Content-Length: 0"))
    assert status_of(received) == 431


def test_an_oversized_body_is_refused_before_it_is_sent(shared):
    received = exchange(shared.gateway.port, head("Content-Length: 10000000000"))
    assert status_of(received) == 413
    error_of(received)


def test_bad_json_is_a_bad_request(shared):
    before = sum(shared.emulator.requests())
    for bad in (b'{"messages": [', b"hello", b"", b"[1, 2]", b'{"messages": "\xff"}'):
        status, body = curl(
            shared.gateway.url + PATH, "-H", f"api-key: {CLIENT_KEY}", "-H", "content-type: application/json",
            "--data-binary", "@-", data=bad,
        )  # fmt: skip
        assert status == 400, (bad, body)
        assert json.loads(body)["error"]["type"] == "invalid_request_error"
    assert sum(shared.emulator.requests()) == before


def test_unknown_paths_are_not_found(shared):
    status, body = curl(shared.gateway.url + "/no/such/path", "-H", f"api-key: {CLIENT_KEY}")
    assert status == 404
    assert json.loads(body)["error"]["message"]


def test_no_key_is_unauthorized_and_goes_nowhere(shared):
    before = sum(shared.emulator.requests())
    status, body = curl(shared.gateway.url + PATH, "-H", "content-type: application/json", "-d", BODY.decode())
    assert status == 401
    assert json.loads(body)["error"]["message"]
    assert sum(shared.emulator.requests()) == before


def test_chunked_bodies_are_read(shared):
    chunked = b"".join(b"%x\r\n%s\r\n" % (len(BODY[i : i + 7]), BODY[i : i + 7]) for i in range(0, len(BODY), 7))
    received = exchange(
        shared.gateway.port,
        head("Content-Type: application/json", "Transfer-Encoding: chunked") + chunked + b"0\r\n\r\n",
    )
    assert status_of(received) == 200


def test_pipelined_requests_are_answered_in_order(shared):
    good = head("Content-Type: application/json", f"Content-Length: {len(BODY)}", close=False) + BODY
    bad = head("Content-Type: application/json", "Content-Length: 1", close=False) + b"{"
    last = head("Content-Type: application/json", f"Content-Length: {len(BODY)}") + BODY
    received = exchange(shared.gateway.port, good + bad + last)
    statuses = [int(part[:3]) for part in received.split(b"HTTP/1.1 ")[1:]]
    assert statuses == [200, 400, 200]


def test_the_clients_key_is_not_forwarded(tmp_path):
    """A listener in the backend's place sees the backend's key, and no hop-by-hop header of the client's."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        gateway = harness.Gateway(
            tmp_path, [harness.backend("spy", f"http://127.0.0.1:{listener.getsockname()[1]}")]
        )
        try:
            with socket.create_connection(("127.0.0.1", gateway.port), timeout=10) as client:
                client.sendall(
                    head(
                        "Content-Type: application/json", f"Content-Length: {len(BODY)}",
                        f"Authorization: Bearer {CLIENT_KEY}", "Connection: X-Secret-Hop", "X-Secret-Hop: 1",
                        "X-Kept: 1", "TE: trailers", close=False,
                    ) + BODY
                )  # fmt: skip
                upstream, _ = listener.accept()
                with upstream:
                    upstream.settimeout(10)
                    seen = b""
                    while BODY not in seen:
                        seen += upstream.recv(65536)
                    answer = b'{"choices": []}'
                    upstream.sendall(
                        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
                        % (len(answer), answer)
                    )
                    assert client.recv(65536).startswith(b"HTTP/1.1 200 ")
        finally:
            gateway.stop()
    seen_head = seen.split(b"\r\n\r\n")[0].decode().lower()
    assert f"api-key: {harness.RESOURCE_KEY}" in seen_head
    assert CLIENT_KEY not in seen_head
    assert "x-secret-hop" not in seen_head
    assert "x-kept: 1" in seen_head
