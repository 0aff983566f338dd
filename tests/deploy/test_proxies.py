"""The examples of deploy/proxies in front of a gateway: TLS outside, a stream's chunks as they come. HAProxy: test_replicas."""

import os
import ssl
import time

import httpx
import pytest

import machines
from machines import ROOT, harness

KEY = {"api-key": harness.CLIENT_KEY}


@pytest.fixture
def gateway(tmp_path):
    emulator = harness.Emulator(tmp_path, resources=1, extra=("--ttft", "50ms", "--tokens-per-second", "20"))
    one = harness.Gateway(tmp_path, [harness.backend("one", emulator.urls[0])])
    yield one
    one.stop()
    emulator.stop()


@pytest.fixture
def certificate(tmp_path):
    """(certificate, key) for 127.0.0.1."""
    machines.need("openssl")
    pair = tmp_path / "gateway.pem", tmp_path / "gateway.key"
    machines.run(
        "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
        "-subj", "/CN=gateway.example", "-addext", "subjectAltName=DNS:gateway.example,IP:127.0.0.1",
        "-keyout", pair[1], "-out", pair[0],
    )  # fmt: skip
    return pair


def answers_and_streams(process, log, base, trusted):
    """An answer, a stream's chunks as they come, and a body larger than the usual 1 MB, through what stands in front."""
    with httpx.Client(verify=ssl.create_default_context(cafile=trusted), headers=KEY, timeout=30) as client:

        def answers():
            assert process.poll() is None, log.read_text()
            try:
                return client.post(harness.chat_url(base), json=harness.chat_body("Hello [[tokens:3]]")).status_code == 200
            except httpx.TransportError:
                return False

        harness.wait_until(answers, 20, every=0.2)
        times = []
        body = harness.chat_body("A story [[tokens:40]]", stream=True)
        with client.stream("POST", harness.chat_url(base), json=body) as answer:
            times += [time.monotonic() for line in answer.iter_lines() if line.startswith("data: ")]
        # Two seconds of text: held back, all of it would come at once.
        assert times[-1] - times[0] > 1
        assert times[len(times) // 2] - times[0] > 0.4
        # The proxy lets it through: what answers is the gateway, or a resource.
        large = client.post(harness.chat_url(base), json=harness.chat_body("word " * 400_000))
        assert large.json().keys() & {"choices", "error"}


def test_nginx(gateway, certificate, tmp_path):
    machines.need("nginx")
    port = harness.free_ports(1)
    example = (ROOT / "deploy/proxies/nginx.conf").read_text()
    here = example.replace("/etc/ssl/", f"{tmp_path}/").replace("127.0.0.1:8080", f"127.0.0.1:{gateway.port}")
    here = here.replace("listen 443", f"listen 127.0.0.1:{port}")
    assert here.count(str(tmp_path)) == 2 and str(port) in here and str(gateway.port) in here
    (tmp_path / "nginx.conf").write_text(
        f"daemon off; pid {tmp_path}/nginx.pid; error_log stderr; user root;\nevents {{}}\n"
        f"http {{ access_log off; client_body_temp_path {tmp_path}/body; proxy_temp_path {tmp_path}/proxy;\n{here}\n}}\n"
    )
    log = tmp_path / "nginx.log"
    with harness.running(log, "nginx", "-c", tmp_path / "nginx.conf") as nginx:
        answers_and_streams(nginx, log, f"https://127.0.0.1:{port}", certificate[0])


def test_caddy(gateway, certificate, tmp_path):
    machines.need("caddy")
    port = harness.free_ports(1)
    example = (ROOT / "deploy/proxies/Caddyfile").read_text()
    site = f"https://127.0.0.1:{port} {{\n\ttls {certificate[0]} {certificate[1]}"
    here = example.replace("gateway.example {", site).replace("127.0.0.1:8080", f"127.0.0.1:{gateway.port}")
    assert site in here and str(gateway.port) in here
    (tmp_path / "Caddyfile").write_text(f"{{\n\tadmin off\n\tauto_https disable_redirects\n}}\n{here}")
    log = tmp_path / "caddy.log"
    home = {"HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path), "PATH": os.environ["PATH"]}
    with harness.running(log, "caddy", "run", "--adapter", "caddyfile", "--config", tmp_path / "Caddyfile", env=home) as caddy:
        answers_and_streams(caddy, log, f"https://127.0.0.1:{port}", certificate[0])
