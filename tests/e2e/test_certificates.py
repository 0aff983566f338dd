"""Clients that are known by their certificates: who is let in, who is not and why, over HTTP/1.1 and HTTP/2, over
resumed sessions, and through reloads that take a name or an authority away."""

import json
import re
import shutil
import socket
import ssl
import subprocess
import time

import httpx
import openai
import pytest

import harness
from certificates import SERVER, Pki, context
from harness import chat_body, chat_url, sse_events, stream_text, wait_until

VERSIONS = pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=["tls1.2", "tls1.3"])
PROTOCOLS = pytest.mark.parametrize("http2", [False, True], ids=["http1", "http2"])

KEY_A, KEY_B, KEY_BOTH = "key-of-a-0123456789", "key-of-b-0123456789", "key-of-both-0123456789"
CLIENTS = [
    {"name": "a", "key": KEY_A, "certificates": ["dns:a.example", "uri:spiffe://prod.example/a", "email:a@example.com"]},
    {"name": "b", "key": KEY_B},
    {"name": "both", "key": KEY_BOTH, "certificates": ["dns:both.example"], "require_certificate": True},
    {"name": "elsewhere", "certificates": ["dns:elsewhere.example"], "networks": ["10.0.0.0/8"]},
    {"name": "bound", "certificates": ["dns:bound.example"], "deployments": ["gpt-4o-mini"]},
    {"name": "slow", "certificates": ["dns:slow.example"], "limits": {"requests_per_minute": 1}},
]


@pytest.fixture(scope="module")
def pki(tmp_path_factory):
    return Pki(tmp_path_factory.mktemp("pki"))


@pytest.fixture(scope="module")
def shared(tmp_path_factory, pki):
    folder = tmp_path_factory.mktemp("mtls")
    emulator = harness.Emulator(folder, 1)
    backends = [harness.backend("r1", emulator.urls[0])]
    gateway = harness.Gateway(folder, backends, clients=CLIENTS, server={"tls": pki.tls()})
    yield gateway
    assert (gateway.stop(), emulator.stop()) == (0, 0)


@pytest.fixture
def own_stack(stack, pki, tmp_path):
    """A gateway with its own copy of the bundle."""

    def start(clients=CLIENTS, threads=2, **tls):
        bundle = tmp_path / "bundle.pem"
        shutil.copy(pki.own.pem, bundle)
        tls = pki.tls(client_ca=str(bundle), **tls)
        gateway = stack(resources=1, clients=clients, server={"tls": tls, "threads": threads}).gateway
        gateway.bundle = bundle
        return gateway

    return start


def chat(client, gateway, key=None, **more):
    headers = {"api-key": key} if key else {}
    return client.post(chat_url(gateway.url), headers=headers, json=chat_body(**more))


def ask(pki, gateway, shown, key=None, http2=False):
    with pki.client(shown, http2) as client:
        return chat(client, gateway, key)


def told(answer):
    """What a request was told that is from nobody."""
    assert answer.status_code == 401, answer.text
    assert answer.json()["error"]["type"] == "authentication_error"
    return answer.json()["error"]["message"]


def soon(client, gateway, status):
    """The answer once it has that status: workers take a new configuration a moment after the reload's answer."""

    def answer():
        got = chat(client, gateway)
        return got if got.status_code == status else None

    return wait_until(answer, 5)


def last_client(gateway, count):
    return gateway.access_lines(count)[-1]["client"]


def lines(gateway):
    return len(gateway.access_log.read_text().splitlines()) if gateway.access_log.exists() else 0


def raw(gateway, tls, session=None):
    """One chat request; status, and the session that a later connection may resume, and whether this one was."""
    body = json.dumps(chat_body()).encode()
    target = chat_url("")
    head = f"POST {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    with (
        socket.create_connection(("127.0.0.1", gateway.port), timeout=10) as plain,
        tls.wrap_socket(plain, server_hostname="127.0.0.1", session=session) as wrapped,
    ):
        wrapped.sendall(head.encode() + body)
        answer = b""
        while piece := wrapped.recv(65536):
            answer += piece
        return int(answer.split()[1]), wrapped.session, wrapped.session_reused


def alert(gateway, tls):
    """Why TLS was refused."""
    with pytest.raises(ssl.SSLError) as refused:
        raw(gateway, tls)
    return refused.value.reason


def rewrite(gateway, change):
    config = json.loads(gateway.config.read_text())
    change(config)
    gateway.config.write_text(json.dumps(config))


def reload(gateway):
    return httpx.post(f"{gateway.admin}/api/reload", timeout=10)


@PROTOCOLS
@pytest.mark.parametrize("name", ["dns:a.example", "uri:spiffe://prod.example/a", "email:a@example.com"])
def test_a_certificate_says_who_it_is(shared, pki, http2, name):
    before = lines(shared)
    answer = ask(pki, shared, pki.own.issue("dns:unknown.example", name), http2=http2)
    assert answer.status_code == 200, answer.text
    assert answer.http_version == ("HTTP/2" if http2 else "HTTP/1.1")
    assert last_client(shared, before + 1) == "a"


@PROTOCOLS
def test_the_official_client_with_a_certificate(shared, pki, http2):
    before = lines(shared)
    http = openai.DefaultHttpxClient(http1=not http2, http2=http2, verify=context(pki.trust, pki.a))
    with openai.OpenAI(
        base_url=f"{shared.url}/v1", api_key="unused", default_headers={"Authorization": ""}, http_client=http
    ) as client:
        said = client.chat.completions.create(model=harness.CHAT, messages=[{"role": "user", "content": "Hi"}])
        assert said.choices[0].message.content
        stream = client.chat.completions.create(model=harness.CHAT, messages=[{"role": "user", "content": "Hi"}], stream=True)
        assert "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices)
    assert [line["client"] for line in shared.access_lines(before + 2)[before:]] == ["a", "a"]


@PROTOCOLS
def test_a_key_beside_the_certificate_must_be_the_same_clients(shared, pki, http2):
    assert ask(pki, shared, pki.a, KEY_A, http2).status_code == 200
    message = told(ask(pki, shared, pki.a, KEY_B, http2))
    assert "the key or token is one of 'b', the client certificate is that of 'a'" in message
    message = told(ask(pki, shared, pki.a, "key-of-nobody-0123456789", http2))
    assert "the key or token is not valid, though the client certificate is that of 'a'" in message


@PROTOCOLS
def test_who_needs_both(shared, pki, http2):
    certificate = pki.own.issue("dns:both.example")
    assert ask(pki, shared, certificate, KEY_BOTH, http2).status_code == 200
    assert "there is only a key" in told(ask(pki, shared, None, KEY_BOTH, http2))
    assert "there is only a certificate" in told(ask(pki, shared, certificate, None, http2))


@PROTOCOLS
def test_a_certificate_of_nobody_is_no_identity(shared, pki, http2):
    for names, why in [
        (["dns:x.a.example", "dns:a.example.org", "dns:*.example"], "(dns:x.a.example, dns:a.example.org)"),
        ([], "has no name"),
        (["dns:a.example", "dns:both.example"], "of several clients"),
    ]:
        certificate = pki.own.issue(*names, common_name="a.example")
        assert why in told(ask(pki, shared, certificate, http2=http2))
        assert ask(pki, shared, certificate, KEY_B, http2).status_code == 200
    assert ask(pki, shared, None, KEY_A, http2).status_code == 200
    assert "no valid key" in told(ask(pki, shared, None, None, http2))
    with pki.client(None, http2) as client:
        assert client.get(f"{shared.url}/healthz").status_code == 200


def test_the_clients_rules_apply(shared, pki):
    assert ask(pki, shared, pki.own.issue("dns:elsewhere.example")).json()["error"]["code"] == "address_not_allowed"
    assert ask(pki, shared, pki.own.issue("dns:bound.example")).json()["error"]["code"] == "deployment_not_allowed"
    slow = pki.own.issue("dns:slow.example")
    assert [ask(pki, shared, slow).status_code for _ in range(2)] == [200, 429]


@PROTOCOLS
def test_a_key_made_at_run_time_is_its_clients(shared, pki, http2):
    made = {name: httpx.post(f"{shared.admin}/api/keys", json={"client": name}).json()["key"] for name in ("a", "b", "both")}
    assert ask(pki, shared, pki.a, made["a"], http2).status_code == 200
    assert "one of 'b'" in told(ask(pki, shared, pki.a, made["b"], http2))
    assert "there is only a key" in told(ask(pki, shared, None, made["both"], http2))


@VERSIONS
def test_an_invalid_certificate_ends_the_handshake(own_stack, pki, version):
    gateway = own_stack()
    middle = pki.own.below("middle")
    for certificate, why in [
        (pki.own.issue("dns:a.example", ends=-60), "SSLV3_ALERT_CERTIFICATE_EXPIRED"),
        (pki.own.issue("dns:a.example", usage=SERVER), "SSLV3_ALERT_UNSUPPORTED_CERTIFICATE"),
        (pki.other.issue("dns:a.example"), "TLSV1_ALERT_UNKNOWN_CA"),
        (middle.issue("dns:a.example", chain=False), "TLSV1_ALERT_UNKNOWN_CA"),
    ]:
        assert alert(gateway, context(pki.trust, certificate, version)) == why
    assert raw(gateway, context(pki.trust, middle.issue("dns:a.example"), version))[0] == 200
    # One line tells of the first; those after it are counted.
    assert gateway.log_text().count("refused the TLS connection of 127.0.0.1:") == 1
    assert "the certificate is not valid: certificate has expired" in gateway.log_text()


@VERSIONS
def test_required(own_stack, pki, version):
    gateway = own_stack(client_auth="required")
    missing = "SSLV3_ALERT_HANDSHAKE_FAILURE" if version == ssl.TLSVersion.TLSv1_2 else "TLSV13_ALERT_CERTIFICATE_REQUIRED"
    assert alert(gateway, context(pki.trust, version=version)) == missing
    # The alert is out before the line is.
    wait_until(lambda: "peer did not return a certificate" in gateway.log_text(), 5)
    assert raw(gateway, context(pki.trust, pki.a, version))[0] == 200
    assert ask(pki, gateway, pki.own.issue("dns:unknown.example"), KEY_B).status_code == 200
    # The admin listener asks for none.
    assert httpx.get(f"{gateway.admin}/readyz").status_code == 200


@VERSIONS
def test_a_resumed_session_is_still_its_clients(own_stack, pki, version):
    gateway = own_stack(threads=4)
    tls = context(pki.trust, pki.a, version)
    _, session, _ = raw(gateway, tls)
    before = lines(gateway)
    assert [raw(gateway, tls, session)[::2] for _ in range(20)] == [(200, True)] * 20
    assert {line["client"] for line in gateway.access_lines(before + 20)} == {"a"}
    assert reload(gateway).status_code == 200
    assert raw(gateway, tls, session)[::2] == (200, True)
    # One that showed no certificate has none later, either.
    without = context(pki.trust, version=version)
    status, session, _ = raw(gateway, without)
    assert status == 401
    assert raw(gateway, without, session)[::2] == (401, True)


@VERSIONS
def test_no_session_of_a_removed_authority_is_resumed(own_stack, pki, version):
    gateway = own_stack()
    tls = context(pki.trust, pki.a, version)
    _, session, _ = raw(gateway, tls)
    assert raw(gateway, tls, session)[2] is True
    gateway.bundle.write_bytes(pki.other.pem.read_bytes())
    assert reload(gateway).status_code == 200

    def refused():
        try:
            raw(gateway, tls, session)
        except ssl.SSLError as error:
            return error.reason

    assert wait_until(refused, 5) == "TLSV1_ALERT_UNKNOWN_CA"
    assert raw(gateway, context(pki.trust, pki.other.issue("dns:a.example"), version))[0] == 200


@PROTOCOLS
def test_a_reload_takes_a_name_away_from_open_connections(own_stack, pki, http2):
    gateway = own_stack(threads=1)
    with pki.client(pki.a, http2) as client:
        assert [chat(client, gateway).status_code for _ in range(3)] == [200] * 3
        rewrite(gateway, lambda c: c["clients"][0].pop("certificates"))
        assert reload(gateway).status_code == 200
        assert "no client has a name of the client certificate" in told(soon(client, gateway, 401))
    with pki.client(pki.a, http2) as client:
        assert [chat(client, gateway, KEY_A).status_code for _ in range(2)] == [200] * 2
        # It is another client's now.
        rewrite(gateway, lambda c: c["clients"][1].update(certificates=["dns:a.example"]))
        assert reload(gateway).status_code == 200
        wait_until(lambda: ask(pki, gateway, pki.a, None, http2).status_code == 200, 5)
        before = lines(gateway)
        assert chat(client, gateway).status_code == 200
        assert last_client(gateway, before + 1) == "b"


@PROTOCOLS
def test_a_stream_that_is_under_way_ends_as_it_began(own_stack, pki, http2):
    gateway = own_stack()
    with pki.client(pki.a, http2) as client:
        body = chat_body("Write a long story about a river.", stream=True)
        with client.stream("POST", chat_url(gateway.url), json=body) as answer:
            assert answer.status_code == 200
            text = answer.iter_text()
            begun = next(text)
            rewrite(gateway, lambda c: c["clients"][0].pop("certificates"))
            assert reload(gateway).status_code == 200
            events = sse_events(begun + "".join(text))
        assert events[-1] == "[DONE]" and stream_text(events)
        told(soon(client, gateway, 401))


@PROTOCOLS
def test_authorities_change_by_themselves(own_stack, pki, http2):
    gateway = own_stack()
    fresh = pki.other.issue("dns:a.example")
    with pki.client(pki.a, http2) as old:
        assert chat(old, gateway).status_code == 200
        # Both: nobody loses anything.
        gateway.bundle.write_bytes(pki.own.pem.read_bytes() + pki.other.pem.read_bytes())
        wait_until(lambda: "taken from 2 authorities" in gateway.log_text(), 8)
        assert chat(old, gateway).status_code == 200
        assert ask(pki, gateway, fresh, http2=http2).status_code == 200
        # The new one alone: the open connection is nobody's any more.
        gateway.bundle.write_bytes(pki.other.pem.read_bytes())
        wait_until(lambda: gateway.log_text().count("taken from 1 authorities") == 2, 8)
        assert "not trusted any more" in told(soon(old, gateway, 401))
    with pytest.raises(httpx.HTTPError):
        ask(pki, gateway, pki.a, http2=http2)
    assert ask(pki, gateway, fresh, http2=http2).status_code == 200


def test_a_wrong_bundle_leaves_the_old_one(own_stack, pki):
    gateway = own_stack()
    for text in (b"nothing\n", b"-----BEGIN CERTIFICATE-----\nrubbish\n-----END CERTIFICATE-----\n", b""):
        gateway.bundle.write_bytes(text)
        said = reload(gateway)
        assert said.status_code == 422, said.text
        assert "client_ca" in said.text
        assert ask(pki, gateway, pki.a).status_code == 200
    port = harness.free_ports(2)
    rewrite(gateway, lambda c: (c["server"].update(listen=f"127.0.0.1:{port}"), c["admin"].update(listen=f"127.0.0.1:{port + 1}")))
    for verb in ("check", "serve"):
        gateway.bundle.write_bytes(b"nothing\n")
        done = subprocess.run(
            [harness.SPILLWAY, verb, "--config", gateway.config], capture_output=True, text=True, timeout=20, check=False
        )
        assert done.returncode != 0
        assert (done.stdout + done.stderr).count("there is no certificate in client_ca") == 1


@PROTOCOLS
def test_a_connection_ends_with_its_certificate(own_stack, pki, http2):
    gateway = own_stack()
    certificate = pki.own.issue("dns:a.example", ends=4)
    ended = time.time() + 4
    tls = context(pki.trust, certificate)
    _, session, _ = raw(gateway, tls)
    with pki.client(certificate, http2) as client:
        first = chat(client, gateway)
        assert (first.status_code, first.headers.get("connection")) == (200, None)
        time.sleep(max(0, ended - time.time()) + 0.2)
        # As with nginx and Envoy it is looked at in the handshake; but the answer is the connection's last.
        last = chat(client, gateway)
        assert last.status_code == 200
        assert last.headers.get("connection") == (None if http2 else "close")
        with pytest.raises(httpx.HTTPError):
            for _ in range(3):
                chat(client, gateway)
    with pytest.raises(ssl.SSLError) as refused:
        raw(gateway, tls, session)
    assert refused.value.reason == "SSLV3_ALERT_CERTIFICATE_EXPIRED"


def test_what_the_documents_show(tmp_path):
    """The commands and the configuration of docs/identity.md, with the ports of this test."""
    page = (harness.ROOT / "docs/identity.md").read_text()
    part = page[page.index("## Certificates") :]
    config = re.search(r"```yaml\n(.*?)```", part, re.S).group(1)
    make, call = (block.strip() for block in re.findall(r"```sh\n(.*?)```", part, re.S)[:2])
    subprocess.run(["bash", "-ec", make], cwd=tmp_path, check=True, capture_output=True)
    emulator = harness.Emulator(tmp_path, 1)
    port = harness.free_ports(2)
    config = config.replace("8443", str(port)).replace("https://one.openai.azure.com", emulator.urls[0])
    config = config.replace("auth: entra", f"api_key: {harness.RESOURCE_KEY}")
    (tmp_path / "gateway.yaml").write_text(config + f"admin: {{listen: '127.0.0.1:{port + 1}'}}\n")
    env = {"BILLING_KEY": "key-of-billing-0123456789"}
    gateway = harness.Process(tmp_path, "gateway", ["serve", "--config", tmp_path / "gateway.yaml"], env)
    try:
        gateway.wait_ready(f"http://127.0.0.1:{port + 1}/healthz")
        for line in (line for line in call.replace("\\\n", " ").splitlines() if line):
            done = subprocess.run(
                ["bash", "-ec", line.replace("8443", str(port))], cwd=tmp_path, capture_output=True, text=True, check=False
            )
            assert done.returncode == 0, done.stderr
            assert json.loads(done.stdout)["choices"], done.stdout
    finally:
        assert (gateway.stop(), emulator.stop()) == (0, 0)
