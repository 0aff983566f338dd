"""HTTP/2 over TLS, with curl, httpx and the official client, and frame by frame."""

import json
import signal
import socket
import ssl
import subprocess
import time

import h2.config
import h2.connection
import h2.events
import httpx
import openai
import pytest

import certificates
import harness
from harness import API_VERSION, CHAT, CLIENT_KEY, chat_body, chat_url, sse_events, stream_text

LONG = "Write a long story about a river."
HEADERS = {"api-key": CLIENT_KEY, "content-type": "application/json"}


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    """Paths of a certificate for 127.0.0.1 that signed itself, and of its key."""
    folder = tmp_path_factory.mktemp("tls")
    return certificates.self_signed(folder)


@pytest.fixture
def tls_stack(stack, certificate):
    """As `stack`, with a gateway that speaks TLS."""
    cert, key = certificate

    def start(**options):
        return stack(server={"tls": {"cert": str(cert), "key": str(key)}}, **options)

    return start


@pytest.fixture
def trust(certificate):
    return ssl.create_default_context(cafile=certificate[0])


@pytest.fixture
def curl(certificate):
    """curl(url…, option…): a list of (HTTP version, status, new connections, body), one for each URL."""

    def run(*arguments, timeout=30):
        done = subprocess.run(
            ["curl", "-sS", "--cacert", certificate[0], "--max-time", str(timeout),
             "-H", f"api-key: {CLIENT_KEY}", "-H", "content-type: application/json",
             "-w", "\n%{http_version} %{http_code} %{num_connects}\x1e", *arguments],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        answers = []
        for one in done.stdout.split("\x1e")[:-1]:
            body, _, numbers = one.rpartition("\n")
            version, status, connects = numbers.split()
            answers.append((version, int(status), int(connects), body))
        return answers

    return run


@pytest.fixture
def client(trust):
    with httpx.Client(http1=False, http2=True, verify=trust, headers=HEADERS, timeout=60) as one:
        yield one


@pytest.mark.parametrize("option, spoken", [("--http2", "2"), ("--http1.1", "1.1"), ("--no-alpn", "1.1")])
def test_one_port_speaks_both(tls_stack, curl, option, spoken):
    running = tls_stack(resources=1)
    [(version, status, _, body)] = curl(option, chat_url(running.gateway.url), "-d", json.dumps(chat_body()))
    assert (version, status) == (spoken, 200)
    assert json.loads(body)["choices"][0]["message"]["content"]


def test_without_tls_http1_is_spoken(shared, curl):
    [(version, status, _, _)] = curl("--http2", chat_url(shared.gateway.url), "-d", json.dumps(chat_body()))
    assert (version, status) == ("1.1", 200)


def test_chunks_pass_as_they_come(tls_stack, client):
    running = tls_stack(resources=1)
    running.emulator.fault(0, "slow", seconds=60)
    body = chat_body(LONG, stream=True, max_tokens=12)
    reads = []
    with client.stream("POST", chat_url(running.gateway.url), json=body) as answer:
        assert answer.http_version == "HTTP/2"
        assert answer.headers["content-type"].startswith("text/event-stream")
        reads.extend(answer.iter_text())
    assert len(reads) >= 5
    events = sse_events("".join(reads))
    assert events[-1] == "[DONE]"
    assert stream_text(events)


def test_a_throttled_attempt_is_made_elsewhere(tls_stack, client):
    running = tls_stack(priorities=[1, 2, 2])
    running.emulator.fault(0, "429", count=1, retry_after=5)
    answer = client.post(chat_url(running.gateway.url), json=chat_body())
    assert (answer.http_version, answer.status_code) == ("HTTP/2", 200)
    assert answer.headers["x-spillway-attempts"] == "2"
    assert answer.headers["x-spillway-backend"] in {"r2", "r3"}


def test_errors_are_openais(tls_stack, client):
    running = tls_stack(resources=1)
    url = chat_url(running.gateway.url)
    answers = {
        401: client.post(url, json=chat_body(), headers={"api-key": "wrong"}),
        404: client.get(f"{running.gateway.url}/no/such/path"),
        400: client.post(url, content=b'{"messages": ['),
        413: client.post(url, content=b"x", headers={"content-length": "10000000000"}),
        431: client.post(url, json=chat_body(), headers={"x-long": "x" * 50_000}),
    }
    for status, answer in answers.items():
        assert (answer.http_version, answer.status_code) == ("HTTP/2", status)
        assert set(answer.json()["error"]) >= {"message", "type", "code"}


def test_a_large_request_passes(tls_stack, client):
    running = tls_stack(resources=1, emulator_args=["--lenient"])  # more than the model's window
    body = chat_body("A word. " * 100_000, max_tokens=5)
    assert client.post(chat_url(running.gateway.url), json=body).status_code == 200


def test_many_requests_share_a_connection(tls_stack, curl):
    running = tls_stack(emulator_args=["--ttft", "500ms", "--tokens-per-second", "0"])
    begin = time.monotonic()
    answers = curl(
        "--http2", "--parallel", "--parallel-max", "20", "-d", json.dumps(chat_body()),
        *[chat_url(running.gateway.url)] * 20,
    )  # fmt: skip
    took = time.monotonic() - begin
    assert [(version, status) for version, status, _, _ in answers] == [("2", 200)] * 20
    assert sum(connects for _, _, connects, _ in answers) == 1
    assert took < 5, "one after the other would take ten seconds"


def test_the_official_client(tls_stack, trust):
    running = tls_stack()
    http = openai.DefaultHttpxClient(http2=True, http1=False, verify=trust)
    with openai.AzureOpenAI(
        azure_endpoint=running.gateway.url, api_version=API_VERSION, api_key=CLIENT_KEY, http_client=http
    ) as azure:
        messages = [{"role": "user", "content": "Say hello."}]
        raw = azure.chat.completions.with_raw_response.create(model=CHAT, messages=messages)
        assert raw.http_response.http_version == "HTTP/2"
        assert raw.parse().choices[0].message.content
        chunks = list(azure.chat.completions.create(model=CHAT, messages=messages, stream=True))
        assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)


class Frames:
    """A client that sends and reads what a test says."""

    def __init__(self, gateway, trust):
        context = trust
        context.set_alpn_protocols(["h2"])
        self.socket = context.wrap_socket(
            socket.create_connection(("127.0.0.1", gateway.port), timeout=10), server_hostname="127.0.0.1"
        )
        assert self.socket.selected_alpn_protocol() == "h2"
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="utf-8"))
        self.h2.initiate_connection()
        self.bodies = {}
        self.ended = set()
        self.flush()

    def flush(self):
        self.socket.sendall(self.h2.data_to_send())

    def ask(self, body):
        stream = self.h2.get_next_available_stream_id()
        path = f"/openai/deployments/{CHAT}/chat/completions?api-version={API_VERSION}"
        pseudo = {":method": "POST", ":scheme": "https", ":authority": "gateway", ":path": path}
        self.h2.send_headers(stream, [*pseudo.items(), *HEADERS.items()])
        self.h2.send_data(stream, json.dumps(body).encode(), end_stream=True)
        self.bodies[stream] = b""
        self.flush()
        return stream

    def reset(self, stream):
        self.h2.reset_stream(stream, 8)
        self.flush()

    def read_until(self, condition):
        while not condition():
            received = self.socket.recv(65536)
            assert received, "the gateway closed"
            for event in self.h2.receive_data(received):
                if isinstance(event, h2.events.DataReceived):
                    self.bodies[event.stream_id] += event.data
                    self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                elif isinstance(event, h2.events.StreamEnded):
                    self.ended.add(event.stream_id)
            self.flush()


@pytest.fixture
def frames(trust):
    made = []

    def connect(gateway):
        made.append(Frames(gateway, trust))
        return made[-1]

    yield connect
    for one in made:
        one.socket.close()


def test_a_cancelled_stream_cancels_its_upstream_alone(tls_stack, frames):
    running = tls_stack(resources=1)
    running.emulator.fault(0, "slow", seconds=60)
    peer = frames(running.gateway)
    left = peer.ask(chat_body(LONG, stream=True, max_tokens=2000))
    kept = peer.ask(chat_body(LONG, stream=True, max_tokens=20))
    peer.read_until(lambda: b'"content":' in peer.bodies[left] and b'"content":' in peer.bodies[kept])
    assert running.emulator.stats()[0]["cancelled"] == 0
    peer.reset(left)
    harness.wait_until(lambda: running.emulator.stats()[0]["cancelled"] == 1, seconds=1)
    line = running.gateway.access_lines(1)[0]
    assert line["outcome"] == "client_left"
    peer.read_until(lambda: kept in peer.ended)
    assert sse_events(peer.bodies[kept].decode())[-1] == "[DONE]"
    assert running.emulator.stats()[0]["cancelled"] == 1


def test_a_closed_connection_cancels_all_upstreams(tls_stack, frames):
    running = tls_stack(resources=1)
    running.emulator.fault(0, "slow", seconds=60)
    peer = frames(running.gateway)
    streams = [peer.ask(chat_body(LONG, stream=True, max_tokens=2000)) for _ in range(5)]
    peer.read_until(lambda: all(b'"content":' in peer.bodies[stream] for stream in streams))
    peer.socket.close()
    harness.wait_until(lambda: running.emulator.stats()[0]["cancelled"] == 5, seconds=1)


def test_streams_end_before_the_gateway_does(tls_stack, certificate):
    """With curl: httpx takes nothing more of a stream after a GOAWAY."""
    running = tls_stack(resources=1)
    running.emulator.fault(0, "slow", seconds=60)
    client = subprocess.Popen(
        ["curl", "-sSN", "--http2", "--cacert", certificate[0], "-H", f"api-key: {CLIENT_KEY}",
         "-d", json.dumps(chat_body(LONG, stream=True, max_tokens=20)), chat_url(running.gateway.url)],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    begun = client.stdout.readline()
    running.gateway.process.send_signal(signal.SIGTERM)
    rest = client.stdout.read()
    assert client.wait(30) == 0
    assert sse_events(begun + rest)[-1] == "[DONE]"
    assert running.gateway.process.wait(10) == 0


def test_who_never_reads_costs_little(tls_stack, frames):
    """Streams that are refused are an answer each; they must not pile up."""
    running = tls_stack(resources=1)
    peer = frames(running.gateway)

    before = running.gateway.resident_mib()
    # Requests without an end (RFC 9113 §6.2), of which the first hundred are taken.
    fields = b"\x83\x84\x87\x41\x01g"
    numbers = range(1, 2_000_000, 2)
    sent = 0
    peer.socket.settimeout(2)
    try:
        for first in range(0, len(numbers), 1000):
            peer.socket.sendall(
                b"".join(
                    b"\0\0" + bytes([len(fields)]) + b"\x01\x04" + n.to_bytes(4, "big") + fields
                    for n in numbers[first : first + 1000]
                )
            )
            sent += 1000
    except (TimeoutError, ConnectionError):
        pass
    assert sent < len(numbers), "the gateway read it all"
    assert running.gateway.resident_mib() - before < 32
