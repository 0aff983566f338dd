"""The examples of deploy/proxies in front of a gateway: TLS outside, a stream's chunks as they come. HAProxy: test_replicas."""

import ssl
import subprocess
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


def test_nginx(gateway, tmp_path):
    machines.need("nginx", "openssl")
    port = harness.free_ports(1)
    machines.run(
        "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
        "-subj", "/CN=gateway.example", "-addext", "subjectAltName=DNS:gateway.example,IP:127.0.0.1",
        "-keyout", tmp_path / "gateway.key", "-out", tmp_path / "gateway.pem",
    )  # fmt: skip
    example = (ROOT / "deploy/proxies/nginx.conf").read_text()
    here = example.replace("/etc/ssl/", f"{tmp_path}/").replace("127.0.0.1:8080", f"127.0.0.1:{gateway.port}")
    here = here.replace("listen 443", f"listen 127.0.0.1:{port}")
    assert here.count(str(tmp_path)) == 2 and str(port) in here and str(gateway.port) in here
    (tmp_path / "nginx.conf").write_text(
        f"daemon off; pid {tmp_path}/nginx.pid; error_log {tmp_path}/error.log; user root;\nevents {{}}\n"
        f"http {{ access_log off; client_body_temp_path {tmp_path}/body; proxy_temp_path {tmp_path}/proxy;\n{here}\n}}\n"
    )
    nginx = subprocess.Popen(["nginx", "-c", tmp_path / "nginx.conf"], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        base = f"https://127.0.0.1:{port}"
        trust = ssl.create_default_context(cafile=tmp_path / "gateway.pem")
        with httpx.Client(verify=trust, headers=KEY, timeout=30) as client:

            def answers():
                assert nginx.poll() is None, (tmp_path / "error.log").read_text()
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
            # What is larger than the usual 1 MB reaches the gateway as well.
            large = client.post(harness.chat_url(base), json=harness.chat_body("word " * 400_000))
            assert "nginx" not in large.text
    finally:
        nginx.terminate()
        nginx.wait(10)
