"""Suite: TLS of the data port: versions, suites, renegotiation, records that are cut, too large or none, names without
sense; what OpenSSL's client says, what Python's says, and, if it could be installed, SSLyze by Mozilla's profile."""

import json
import os
import re
import socket
import ssl
import struct
import subprocess
import time

import wire
from wire import KEY, PATH, Recorder, Tally, talk

REQUEST = f"GET {PATH} HTTP/1.1\r\nHost: gw\r\napi-key: {KEY}\r\nConnection: close\r\n\r\n".encode()


def openssl(port, *options, text=b""):
    command = ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", *options]
    try:
        done = subprocess.run(command, input=text, capture_output=True, timeout=6, check=False)
    except subprocess.TimeoutExpired as late:
        return ((late.stdout or b"") + (late.stderr or b"")).decode(errors="replace")
    return (done.stdout + done.stderr).decode(errors="replace")


def suite(said):
    found = re.search(r"Cipher is (\S+)", said)
    return found.group(1) if found and found.group(1) != "(NONE)" else None


def versions(tally, port):
    for option in ("-tls1", "-tls1_1"):
        said = suite(openssl(port, option, "-cipher", "ALL:@SECLEVEL=0"))
        tally.require(f"version {option}", "refused", said is None, said)
    for option in ("-tls1_2", "-tls1_3"):
        said = suite(openssl(port, option))
        tally.require(f"version {option}", "accepted", said is not None, said)


def suites(tally, port):
    bad = ("NULL", "aNULL", "eNULL", "EXPORT", "RC4", "3DES", "DES", "MD5", "PSK", "SRP", "CAMELLIA", "ARIA", "SEED", "IDEA",
        "kRSA", "AES128-SHA", "AES256-SHA256", "ECDHE-RSA-AES128-SHA", "AES128-GCM-SHA256",
           "ECDHE-RSA-AES256-SHA384", "DHE-RSA-AES128-SHA256", "AESCCM", "ADH", "AECDH", "kDHE+AESCBC")  # fmt: skip
    for name in bad:
        said = suite(openssl(port, "-tls1_2", "-cipher", f"{name}:@SECLEVEL=0"))
        tally.require(f"suite {name}", "refused", said is None, said)
    for name in ("ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-RSA-CHACHA20-POLY1305"):
        said = suite(openssl(port, "-tls1_2", "-cipher", name))
        tally.require(f"suite {name}", "accepted", said == name, said)
    for curve in ("sect163k1", "secp192r1", "secp160r1", "brainpoolP256r1"):
        said = suite(openssl(port, "-tls1_2", "-curves", curve, "-cipher", "ECDHE-RSA-AES128-GCM-SHA256:@SECLEVEL=0"))
        tally.require(f"curve {curve}", "refused", said is None, said)
    for name in ("RSA+SHA1", "RSA+MD5"):
        said = openssl(port, "-tls1_2", "-sigalgs", name, "-cipher", "ECDHE-RSA-AES128-GCM-SHA256:@SECLEVEL=0")
        tally.require(f"signature {name}", "refused", suite(said) is None, suite(said))


def features(tally, port):
    said = openssl(port, "-tls1_2", text=b"R\n")
    refused = "no renegotiation" in said or "handshake failure" in said or "unexpected message" in said
    tally.require("renegotiation by the client", "refused", "RENEGOTIATING" in said and refused, said[-300:])
    tally.require("secure renegotiation is known", "accepted", "Secure Renegotiation IS supported" in said, said[-300:])
    tally.require("extended master secret", "accepted", "Extended master secret: yes" in said, said[-300:])
    said = openssl(port, "-tls1_2", "-comp")
    tally.require("compression", "refused", "Compression: NONE" in said, said[-300:])
    said = openssl(port, "-tls1_3", "-ign_eof", text=REQUEST)
    tally.require("early data", "refused", "Max Early Data: 0" in said, re.findall("Max Early Data: .*", said))
    said = openssl(port, "-tls1_2", "-fallback_scsv", "-cipher", "ECDHE-RSA-AES128-GCM-SHA256")
    tally.require("fallback below what both know (RFC 7507)", "refused", "inappropriate fallback" in said, said[-300:])
    for offered, wanted in {"h2": "h2", "http/1.1": "http/1.1", "h2,http/1.1": "h2", "http/1.1,h2": "h2"}.items():
        found = re.search(r"ALPN protocol: (\S+)", openssl(port, "-alpn", offered))
        tally.require(f"ALPN {offered}", "accepted", found is not None and found.group(1) == wanted, found)
    for offered in ("spdy/3", "h2c", "http/0.9", "H2"):
        said = openssl(port, "-alpn", offered)
        tally.require(f"ALPN {offered}", "refused", "no application protocol" in said, said[-200:])
    for name in ("other.example", "a" * 250, "*", "..", "xn--", "127.0.0.1", "localhost", "a_b", "'; DROP TABLE x"):
        said = suite(openssl(port, "-servername", name))
        tally.require(f"SNI {name[:20]!r}", "accepted", said is not None, said)


# Records, byte by byte (RFC 8446 §5.1, RFC 5246 §6.2)
def record(kind, content, version=b"\x03\x01", size=None):
    return bytes([kind]) + version + struct.pack(">H", len(content) if size is None else size) + content


def hello(port, name=b"localhost"):
    """What OpenSSL would say first."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    out = ssl.MemoryBIO()
    tls = context.wrap_bio(ssl.MemoryBIO(), out, server_hostname=name.decode())
    try:
        tls.do_handshake()
    except ssl.SSLWantReadError:
        pass
    return out.read()


def records(port):
    first = hello(port)
    body = first[5:]
    name = first.index(b"localhost")
    no_suites = body[:39] + body[39 : 39 + body[38]][: body[38]]
    return {
        "plain HTTP": REQUEST, "HTTP/2 in the clear": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0",
        "zeros": bytes(500), "ones": b"\xff" * 500, "noise": os.urandom(2000), "SSH": b"SSH-2.0-x\r\n", "SMTP": b"EHLO x\r\n",
        "PROXY protocol": b"PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n" + first,
        "SSLv2 hello": b"\x80\x2e\x01\0\2\0\x15\0\0\0\x10" + b"\1\0\x80" * 7 + bytes(16), "record of 65,535": record(22,
        b"a" * 65535), "record of 2^14+1": record(22, b"\1" + b"a" * 16384),
        "record of nothing": record(22, b"") * 3, "empty records for ever": record(22, b"") * 5000,
        "application data first": record(23, b"x" * 100), "alert first": record(21, b"\2\x28"), "alerts for ever": record(21,
        b"\1\0") * 5000,
        "change cipher spec first": record(20, b"\1"), "change cipher spec for ever": record(20, b"\1") * 5000,
        "heartbeat (CVE-2014-0160)": record(24, b"\1\x40\0", b"\x03\x02"), "heartbeat behind the hello": first + record(24,
        b"\1\x40\0", b"\x03\x02"),
        "unknown kind": record(99, b"x" * 50), "version 0": record(22, body, b"\0\0"), "version 0xffff": record(22, body,
        b"\xff\xff"), "hello that says it is longer": record(22, b"\1\xff\xff\xff" + body[4:]),
        "hello that says it is shorter": record(22, b"\1\0\0\5" + body[4:]),
        "hello of 100 KB": b"".join(record(22, piece) for piece in (b"\1\1\x86\xa0\3\3" + bytes(16000), bytes(16000),
        bytes(16000), bytes(16000), bytes(16000), bytes(16000), bytes(16000))), "hello without suites": record(22, no_suites),
        "two hellos": first + first, "a certificate instead": record(22, b"\x0b" + body[1:]), "finished instead": record(22,
        b"\x14" + body[1:]), "client key exchange first": record(22, b"\x10\0\0\2\0\0"),
        "SNI with NUL": first[:name] + b"local\0ost" + first[name + 9 :],
        "SNI of bytes over 127": first[:name] + b"\xff" * 9 + first[name + 9 :],
        "SNI length too long": first[: name - 2] + b"\xff\xff" + first[name:],
        "SNI of another kind": first[: name - 3] + b"\x07" + first[name - 2 :], "extensions cut": record(22,
        b"\1" + struct.pack(">I", len(body) - 24)[1:] + body[4:-20]),
        "early data without a key": first + record(23, b"x" * 200, b"\x03\x03"), "hello, then plain HTTP": first + REQUEST,
        "finished that is not encrypted": first + record(22, b"\x14\0\0\x0c" + bytes(12), b"\x03\x03"),
    }  # fmt: skip


def junk(tally, gateway, port):
    for name, text in records(port).items():
        began = time.monotonic()
        out, closed = talk(port, text, seconds=4)
        # An alert is all that may come back; a handshake that had begun may have got its first answer.
        quiet = b"HTTP/1.1 200" not in out and b"mine" not in out
        tally.require(f"record: {name}", "refused", closed and quiet and time.monotonic() - began < 3.5, (closed, out[:40]))
    first = hello(port)
    for size in (1, 5, 6, 50, len(first) - 1):
        began = time.monotonic()
        out, closed = talk(port, first[:size], seconds=4)
        tally.require(f"hello, {size} bytes of it, then silence", "refused", closed and time.monotonic() - began < 3.5,
            (closed, out[:40]))
    # A client in no hurry, but a good one
    with socket.create_connection(("127.0.0.1", port), timeout=5) as slow:
        for byte in first[:200]:
            slow.sendall(bytes([byte]))
        slow.sendall(first[200:])
        tally.require("hello byte by byte", "accepted", slow.recv(5)[:1] == b"\x16", "")


def inside(tally, port, certificate):
    """What comes after the handshake."""
    context = ssl.create_default_context(cafile=certificate["cert"])

    def connect():
        return context.wrap_socket(socket.create_connection(("127.0.0.1", port), timeout=5), server_hostname="127.0.0.1")

    def spoil(name, send):
        with connect() as tls:
            plain = tls.fileno()
            with socket.socket(fileno=os.dup(plain)) as raw:
                send(tls, raw)
                raw.settimeout(4)
                out = b""
                try:
                    while piece := raw.recv(65536):
                        out += piece
                    closed = True
                except TimeoutError:
                    closed = False
                except OSError:
                    closed = True
        tally.require(f"after the handshake: {name}", "refused", closed and len(out) < 20_000, (closed, len(out)))

    spoil("a record that is not encrypted", lambda tls, raw: raw.sendall(record(23, REQUEST, b"\x03\x03")))
    spoil("a record with a wrong tag", lambda tls, raw: raw.sendall(record(23, os.urandom(200), b"\x03\x03")))
    spoil("a record too large", lambda tls, raw: raw.sendall(record(23, os.urandom(17000), b"\x03\x03")))
    spoil("plain HTTP", lambda tls, raw: raw.sendall(REQUEST))
    spoil("a hello", lambda tls, raw: raw.sendall(hello(port)))
    spoil("half a request, then cut", lambda tls, raw: (tls.sendall(REQUEST[:40]), raw.shutdown(socket.SHUT_WR)))
    spoil("half a record, then silence", lambda tls, raw: raw.sendall(record(23, b"x" * 20, b"\x03\x03", 2000)))
    with connect() as tls:
        tls.sendall(REQUEST)
        out = b""
        try:
            while piece := tls.recv(65536):
                out += piece
            ended = True
        except ssl.SSLEOFError:
            ended = False
        tally.require("an answer ends with close_notify", "accepted", ended and b"mine" in out, (ended, out[-50:]))


def mozilla(tally, folder, port):
    """SSLyze with Mozilla's intermediate profile, if check-hostile has installed it."""
    program = os.environ.get("SPILLWAY_SSLYZE")
    if not program:
        tally.complete = False
        tally.notes.append("SSLyze is not there: left out")
        return
    out = folder / "sslyze.json"
    done = subprocess.run(
        [program, "--mozilla_config=intermediate", f"--json_out={out}", f"127.0.0.1:{port}"], capture_output=True, text=True,
        timeout=120, check=False
    )
    result = json.loads(out.read_text())["server_scan_results"][0]["scan_result"]
    lines = [line.strip().lstrip("* ") for line in done.stdout.partition("COMPLIANCE AGAINST")[2].splitlines() if line.strip().startswith("*")]
    # The certificate is this test's own: that it signed itself, and for how long, says nothing of the gateway.
    of_gateway = [line for line in lines if "ertificate" not in line and "rsa-2048" not in line.lower()]
    tally.require("SSLyze: Mozilla's intermediate profile", "accepted", "COMPLIANCE" in done.stdout and not of_gateway,
        of_gateway or done.stdout[-500:])
    good = {
        "heartbleed": lambda r: not r["is_vulnerable_to_heartbleed"],
        "robot": lambda r: r["robot_result"].startswith("NOT_VULNERABLE"),
        "openssl_ccs_injection": lambda r: not r["is_vulnerable_to_ccs_injection"],
        "session_renegotiation": lambda r: r["supports_secure_renegotiation"] and not r["is_vulnerable_to_client_renegotiation_dos"],
        "tls_compression": lambda r: not r["supports_compression"],
        "tls_fallback_scsv": lambda r: r["supports_fallback_scsv"],
        "tls_extended_master_secret": lambda r: r["supports_ems_extension"],
        "ssl_2_0_cipher_suites": lambda r: not r["accepted_cipher_suites"],
        "ssl_3_0_cipher_suites": lambda r: not r["accepted_cipher_suites"],
        "tls_1_0_cipher_suites": lambda r: not r["accepted_cipher_suites"],
        "tls_1_1_cipher_suites": lambda r: not r["accepted_cipher_suites"],
    }
    for name, judge in good.items():
        found = result.get(name, {})
        verdict = "refused" if "cipher" in name or name in ("heartbleed", "robot", "openssl_ccs_injection",
            "tls_compression") else "accepted"
        tally.require(f"SSLyze: {name}", verdict, found.get("status") == "COMPLETED" and judge(found["result"]),
            found.get("error_reason") or found.get("status"))


def run(folder):
    tally = Tally("TLS")
    folder = folder / "tls"
    folder.mkdir()
    certificate = wire.certificate(folder)
    recorder = Recorder()
    limits = {"head_timeout": "1s", "keep_alive_timeout": "2s"}
    with wire.gateway(folder, recorder.config(), server={"tls": certificate}, limits=limits) as gateway:
        versions(tally, gateway.port)
        suites(tally, gateway.port)
        features(tally, gateway.port)
        inside(tally, gateway.port, certificate)
        junk(tally, gateway, gateway.port)
        mozilla(tally, folder, gateway.port)
        context = ssl.create_default_context(cafile=certificate["cert"])
        with context.wrap_socket(socket.create_connection(("127.0.0.1", gateway.port), timeout=5),
                server_hostname="127.0.0.1") as tls:
            tls.sendall(REQUEST)
            tally.require("served after all that", "accepted", tls.recv(100).startswith(b"HTTP/1.1 200"), "")
    tally.require("the backend saw nothing odd", "accepted", not recorder.faults and len(recorder.seen) <= 4,
        (recorder.faults, len(recorder.seen)))
    recorder.close()
    return tally
