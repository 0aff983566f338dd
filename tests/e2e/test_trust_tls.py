"""TLS of the data port: what is offered, sessions that any worker resumes, certificates that are renewed under way."""

import datetime
import json
import socket
import ssl
import subprocess

import httpx
import pytest

import entra
import harness
from harness import CLIENT_KEY, Process, wait_until


def make_certificate(folder, *more):
    folder.mkdir(exist_ok=True)
    cert, key = folder / "cert.pem", folder / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "3", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", cert, *more],
        check=True, capture_output=True,
    )  # fmt: skip
    return {"cert": str(cert), "key": str(key)}


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    return make_certificate(tmp_path_factory.mktemp("certificate"))


def client(version=None, ciphers=None, alpn=None):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if version:
        context.minimum_version = context.maximum_version = version
    if ciphers:
        context.set_ciphers(ciphers)
    if alpn:
        context.set_alpn_protocols(alpn)
    return context


def connect(port, context, session=None):
    """One request; what was agreed on, and the session that a later one may resume."""
    with (
        socket.create_connection(("127.0.0.1", port), timeout=10) as plain,
        context.wrap_socket(plain, session=session) as tls,
    ):
        if tls.selected_alpn_protocol() != "h2":
            tls.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            while tls.recv(4096):
                pass
        return tls.session, tls.session_reused, tls.cipher()[0], tls.version(), tls.selected_alpn_protocol()


def served(port):
    return ssl.get_server_certificate(("127.0.0.1", port)).split()


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=["1.2", "1.3"])
def test_any_worker_resumes_a_session(stack, certificate, version):
    gateway = stack(resources=1, server={"threads": 4, "tls": certificate}).gateway
    context = client(version)
    session = connect(gateway.port, context)[0]
    resumed = [connect(gateway.port, context, session)[1] for _ in range(40)]
    assert resumed.count(True) == 40
    # A reload takes the keys with it.
    assert httpx.post(f"{gateway.admin}/api/reload").status_code == 200
    assert [connect(gateway.port, context, session)[1] for _ in range(20)].count(True) == 20


def test_replicas_with_one_secret_resume_each_others_sessions(stack, certificate):
    tls = {**certificate, "ticket_secret": "a-secret-of-all-replicas-0815"}
    one, other = (stack(resources=1, server={"tls": tls}).gateway for _ in range(2))
    stranger = stack(resources=1, server={"tls": certificate}).gateway
    context = client()
    session = connect(one.port, context)[0]
    assert connect(other.port, context, session)[1] is True
    assert connect(stranger.port, context, session)[1] is False
    assert "0815" not in httpx.get(f"{one.admin}/api/config").text


@pytest.mark.parametrize(
    "suite", ["AES128-SHA", "AES256-GCM-SHA384", "ECDHE-RSA-AES128-SHA", "ECDHE-RSA-AES256-SHA384", "DHE-RSA-AES128-SHA256"]
)
def test_what_mozilla_leaves_out_is_refused(stack, certificate, suite, shared_tls):
    with pytest.raises((ssl.SSLError, ConnectionError)):
        connect(shared_tls.port, client(ssl.TLSVersion.TLSv1_2, f"{suite}:@SECLEVEL=0"))


@pytest.fixture(scope="module")
def shared_tls(tmp_path_factory, certificate):
    folder = tmp_path_factory.mktemp("tls")
    emulator = harness.Emulator(folder, 1)
    gateway = harness.Gateway(folder, [harness.backend("r1", emulator.urls[0])], server={"tls": certificate})
    yield gateway
    assert (gateway.stop(), emulator.stop()) == (0, 0)


def test_what_mozilla_names_is_taken(shared_tls):
    for suite in ("ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-CHACHA20-POLY1305", "DHE-RSA-AES256-GCM-SHA384"):
        assert connect(shared_tls.port, client(ssl.TLSVersion.TLSv1_2, suite))[2] == suite
    assert connect(shared_tls.port, client())[3] == "TLSv1.3"
    old = client(ssl.TLSVersion.TLSv1_1, "ALL:@SECLEVEL=0")
    with pytest.raises((ssl.SSLError, ConnectionError)):
        connect(shared_tls.port, old)


def test_versions_and_suites_can_be_set(stack, certificate):
    modern = stack(resources=1, server={"tls": {**certificate, "min_version": "1.3"}}).gateway
    assert connect(modern.port, client())[3] == "TLSv1.3"
    with pytest.raises((ssl.SSLError, ConnectionError)):
        connect(modern.port, client(ssl.TLSVersion.TLSv1_2))

    suites = "ECDHE-RSA-AES128-SHA:ECDHE-RSA-AES128-GCM-SHA256:@SECLEVEL=0"
    old = stack(resources=1, server={"tls": {**certificate, "ciphers": suites}}).gateway
    # HTTP/2 is spoken with what RFC 9113 allows it, and with nothing else.
    good = client(ssl.TLSVersion.TLSv1_2, "ECDHE-RSA-AES128-GCM-SHA256", ["h2", "http/1.1"])
    assert connect(old.port, good)[4] == "h2"
    forbidden = client(ssl.TLSVersion.TLSv1_2, "ECDHE-RSA-AES128-SHA:@SECLEVEL=0", ["h2", "http/1.1"])
    assert connect(old.port, forbidden)[4] == "http/1.1"
    with pytest.raises(ssl.SSLError):
        connect(old.port, client(ssl.TLSVersion.TLSv1_2, "ECDHE-RSA-AES128-SHA:@SECLEVEL=0", ["h2"]))


@pytest.mark.parametrize("wrong", [{"min_version": "1.1"}, {"ciphers": "NO-SUCH-SUITE"}])
def test_wrong_settings_are_refused_by_check_and_serve(tmp_path, certificate, wrong):
    file = tmp_path / "gateway.yaml"
    config = harness.gateway_config(harness.free_ports(2), [harness.backend("r1", "http://127.0.0.1:1")], "off",
                                    server={"tls": {**certificate, **wrong}})  # fmt: skip
    file.write_text(json.dumps(config))
    for verb in ("check", "serve"):
        done = subprocess.run([harness.SPILLWAY, verb, "--config", file], capture_output=True, text=True, timeout=10, check=False)
        assert done.returncode != 0
        assert next(iter(wrong)) in done.stderr or next(iter(wrong.values())) in done.stderr, done.stderr


def test_a_changed_certificate_is_taken_by_itself(stack, tmp_path):
    tls = make_certificate(tmp_path / "tls")
    gateway = stack(resources=1, server={"tls": tls}).gateway
    first = served(gateway.port)
    make_certificate(tmp_path / "tls")
    wait_until(lambda: served(gateway.port) != first, 6)
    second = served(gateway.port)
    assert "has changed, and is in use" in gateway.log_text()

    # A pair that does not go together: the old one stays, and one line says why.
    key = (tmp_path / "tls" / "key.pem").read_text()
    make_certificate(tmp_path / "tls")
    (tmp_path / "tls" / "key.pem").write_text(key)
    wait_until(lambda: "the old one stays" in gateway.log_text(), 6)
    assert served(gateway.port) == second
    with pytest.raises(AssertionError):
        wait_until(lambda: gateway.log_text().count("the old one stays") > 1, 2.5)
    assert gateway.log_text().count("is not that of the certificate") + gateway.log_text().count("cannot use TLS key") == 1


def expiry(gateway):
    text = httpx.get(f"{gateway.admin}/metrics").text
    return float(next(line for line in text.splitlines() if line.startswith("spillway_tls_certificate_not_after")).split()[1])


def test_an_expired_certificate_is_warned_of(tmp_path, stack):
    pem = tmp_path / "old.pem"
    entra.make_certificate(pem, "old", days=-1)
    gateway = stack(resources=1, server={"tls": {"cert": str(pem), "key": str(pem)}}).gateway
    assert "of CN=old has expired" in gateway.log_text()
    assert expiry(gateway) < datetime.datetime.now(datetime.UTC).timestamp()
