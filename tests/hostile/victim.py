"""A client that behaves, with a backend that nobody else uses, in a process of its own: victim.py CERTIFICATE KEY. It prints
its backend's port. A line with the gateway's port begins to ask, one request after the other, 5 ms between them; another
line ends that, and the times are printed as JSON."""

import json
import select
import socket
import ssl
import sys
import time

import harness
import wire


DEPLOYMENT = "of-the-other-client"


def connect(port, certificate):
    plain = socket.create_connection(("127.0.0.1", port), timeout=10)
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return ssl.create_default_context(cafile=certificate).wrap_socket(plain, server_hostname="127.0.0.1")


def ask(connection, request):
    began = time.monotonic()
    connection.sendall(request)
    answer = b""
    while b'{"mine":1}' not in answer:
        piece = connection.recv(65536)
        if not piece or not b"HTTP/1.1 200".startswith(answer[:12] or piece[:12]):
            raise ConnectionError(f"the answer is {(answer + piece)[:100]!r}")
        answer += piece
    return 1000 * (time.monotonic() - began)


def main(certificate, key):
    backend = wire.Recorder()
    print(backend.port, flush=True)
    body = wire.dump(harness.chat_body())
    request = (f"POST /openai/deployments/{DEPLOYMENT}/chat/completions?api-version=2024-10-21 HTTP/1.1\r\nHost: gw\r\n"
               f"api-key: {key}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n").encode() + body  # fmt: skip
    for line in sys.stdin:
        port = int(line)
        times, lost = [], []
        connection = connect(port, certificate)
        while not select.select([sys.stdin], [], [], 0.005)[0]:
            try:
                times.append(ask(connection, request))
            except OSError as error:
                lost.append(repr(error))
                connection.close()
                connection = connect(port, certificate)
        sys.stdin.readline()
        connection.close()
        print(json.dumps({"ms": sorted(times), "lost": lost}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
