"""Plays what gives Entra tokens: its token endpoint, a VM's metadata service, Container Apps' endpoint, and an
issuer whose keys can be looked up. Token lives are seconds, so that tests see several of them."""

import base64
import contextlib
import json
import threading
import time
import urllib.parse
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa

TENANT = "11111111-2222-3333-4444-555555555555"
CLIENT = "0aaaaaaa-0000-0000-0000-000000000001"
SECRET = "client-secret-8d1f3c"
HEADER = "identity-header-77d1"
RESOURCE = "https://cognitiveservices.azure.com"
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def number(value):
    raw = value.to_bytes((value.bit_length() + 7) // 8, "big")
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


class Key:
    def __init__(self):
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.id = uuid.uuid4().hex

    def jwk(self):
        public = self.key.public_key().public_numbers()
        return {"kty": "RSA", "use": "sig", "kid": self.id, "n": number(public.n), "e": number(public.e)}


class Entra:
    """`mode` is "good", "down" (hangs up), "slow" (seconds in `delay`) or "rubbish"."""

    def __init__(self, life=3600):
        self.life = life
        self.mode = "good"
        self.delay = 0
        self.keys = [Key()]
        self.asked = []  # (path, time) of each request
        self.federated = set()  # tokens that workload identity may show
        self.certificate = None  # public key of the registered certificate
        self.refused = []
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self.handler())
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.issuer = f"{self.url}/{TENANT}/v2.0"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def count(self, part):
        return sum(part in path for path, _ in self.asked)

    def rotate(self):
        """A new key signs from now on; the old ones stay published, as real issuers do it."""
        self.keys.append(Key())

    def token(self, audience=RESOURCE, client=CLIENT, life=None, key=None, **claims):
        key = key or self.keys[-1]
        now = time.time()
        body = {
            "iss": self.issuer, "aud": audience, "azp": client, "appid": client, "oid": f"oid-of-{client}",
            "tid": TENANT, "iat": int(now), "nbf": int(now), "exp": now + (life or self.life), "jti": uuid.uuid4().hex,
            **claims,
        }  # fmt: skip
        return jwt.encode(body, key.key, "RS256", headers={"kid": key.id})

    def settings(self, **more):
        """For `identity.issuers` of the gateway and `entra` of the emulator."""
        return {"issuer": self.issuer, "audiences": [RESOURCE], "leeway": "0s", **more}

    def handler(entra):  # noqa: N805
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def say(self, status, body):
                text = body if isinstance(body, bytes) else json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def refuse(self, why):
                entra.refused.append(why)
                self.say(400, {"error": "invalid_request", "error_description": why})

            def broken(self):
                entra.asked.append((self.path, time.monotonic()))
                if entra.mode == "down":
                    self.close_connection = True
                    return True
                if entra.mode == "slow":
                    time.sleep(entra.delay)
                if entra.mode == "rubbish":
                    self.say(200, b"<html>sign in</html>")
                    return True
                return False

            def do_GET(self):
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                    self.get()

            def do_POST(self):
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                    self.post()

            def get(self):
                path, _, query = self.path.partition("?")
                q = dict(urllib.parse.parse_qsl(query))
                if path.endswith("/v2.0/.well-known/openid-configuration"):
                    entra.asked.append((path, time.monotonic()))
                    return self.say(200, {"issuer": entra.issuer, "jwks_uri": f"{entra.url}/{TENANT}/discovery/keys"})
                if path.endswith("/discovery/keys"):
                    entra.asked.append((path, time.monotonic()))
                    return self.say(200, {"keys": [key.jwk() for key in entra.keys]})
                if self.broken():
                    return None
                client = q.get("client_id", "system")
                if path == "/metadata/identity/oauth2/token":
                    if self.headers["Metadata"] != "true" or q.get("api-version") != "2018-02-01":
                        return self.refuse("Required metadata header not specified")
                elif path == "/msi/token":
                    if self.headers["X-IDENTITY-HEADER"] != HEADER or q.get("api-version") != "2019-08-01":
                        return self.refuse("wrong identity header")
                else:
                    return self.say(404, {"error": "not_found"})
                end = str(int(time.time() + entra.life))
                answer = {
                    "access_token": entra.token(q["resource"], client), "expires_on": end, "resource": q["resource"],
                    "token_type": "Bearer", "client_id": client,
                }  # fmt: skip
                if path.startswith("/metadata"):
                    answer["expires_in"] = str(entra.life)
                return self.say(200, answer)

            def post(self):
                form = dict(urllib.parse.parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode()))
                if self.broken():
                    return None
                if form.get("grant_type") != "client_credentials":
                    return self.refuse("unsupported grant")
                if "client_secret" in form:
                    good = form["client_secret"] == SECRET
                else:
                    good = form["client_assertion_type"] == ASSERTION and self.proven(form["client_assertion"])
                if not good:
                    description = "AADSTS7000215: Invalid client secret or assertion provided."
                    entra.refused.append(description)
                    return self.say(401, {"error": "invalid_client", "error_description": description})
                audience = form.get("scope", RESOURCE + "/.default").removesuffix("/.default")
                token = entra.token(audience, form["client_id"])
                return self.say(200, {"token_type": "Bearer", "expires_in": entra.life, "access_token": token})

            def proven(self, assertion):
                if assertion in entra.federated:
                    return True
                if entra.certificate is None:
                    return False
                claims = jwt.decode(
                    assertion,
                    entra.certificate.public_key(),
                    ["PS256"],
                    audience=f"{entra.url}/{TENANT}/oauth2/v2.0/token",
                    issuer=CLIENT,
                )
                head = jwt.get_unverified_header(assertion)
                thumb = base64.urlsafe_b64encode(entra.certificate.fingerprint(hashes.SHA256())).rstrip(b"=").decode()
                return claims["sub"] == CLIENT and head["x5t#S256"] == thumb

        return Handler


def make_certificate(path, common_name="spillway", days=1):
    """A PEM file with a certificate that ends in so many days and its key; returns the certificate."""
    import datetime

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, common_name)])
    ends = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=days)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(ends - datetime.timedelta(days=30))
        .not_valid_after(ends)
        .sign(key, hashes.SHA256())
    )
    path.write_bytes(
        certificate.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return certificate
