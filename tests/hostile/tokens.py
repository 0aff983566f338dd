"""Suite: tokens that must be refused, and some that must not, at three kinds of gateway: with a key set in a file, with
that and a shared secret, and with an issuer whose keys are looked up (RFC 8725, RFC 7515, RFC 7518)."""

import base64
import hashlib
import hmac
import json
import subprocess
import time

import entra
import harness
import httpx
import wire
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives import serialization as form
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils
from wire import PATH, Recorder, Tally

SECRET = "secret-of-hs256-0123456789-abcdefghij"
P256_ORDER = bytes.fromhex("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551")


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def part(value):
    return b64(value if isinstance(value, bytes) else json.dumps(value).encode())


def token(header, claims, sign):
    signed = f"{part(header)}.{part(claims)}"
    return f"{signed}.{b64(sign(signed.encode()))}"


def mac(key):
    return lambda message: hmac.new(key, message, hashlib.sha256).digest()


def rsa_sign(key, digest=None):
    return lambda message: key.sign(message, padding.PKCS1v15(), digest or hashes.SHA256())


def ec_sign(key, size=32, digest=None):
    def sign(message):
        r, s = utils.decode_dss_signature(key.sign(message, ec.ECDSA(digest or hashes.SHA256())))
        return r.to_bytes(size, "big") + s.to_bytes(size, "big")

    return sign


class Keys:
    """The issuer's keys, published; and a stranger's."""

    def __init__(self, issuer):
        self.rsa = issuer.keys[-1].key
        self.kid = issuer.keys[-1].id
        self.ec = ec.generate_private_key(ec.SECP256R1())
        self.p384 = ec.generate_private_key(ec.SECP384R1())
        self.stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.weak = rsa.generate_private_key(public_exponent=65537, key_size=1024)
        self.jwk = issuer.keys[-1].jwk()

    def ec_jwk(self):
        public = self.ec.public_key().public_numbers()
        return {"kty": "EC", "crv": "P-256", "kid": "e1", "use": "sig", "alg": "ES256",
                "x": b64(public.x.to_bytes(32, "big")), "y": b64(public.y.to_bytes(32, "big"))}  # fmt: skip

    def public(self, encoding):
        return self.rsa.public_key().public_bytes(encoding, form.PublicFormat.SubjectPublicKeyInfo)


def good_and_bad(keys, claims, secret):
    """{name: token} of those that are served, of those that are refused, and of what is judged."""
    rs = rsa_sign(keys.rsa)
    now = claims["exp"] - 600
    head = {"alg": "RS256", "kid": keys.kid}

    def with_head(**more):
        return token({**head, **more}, claims, rs)

    def with_claims(**more):
        return token(head, {k: v for k, v in {**claims, **more}.items() if v is not ...}, rs)

    plain = with_head()
    first, second, signature = plain.split(".")
    text = json.dumps(claims)[:-1]
    jwk = {"kty": "RSA", "n": entra.number(keys.stranger.public_key().public_numbers().n), "e": "AQAB", "kid": "mine"}
    pem, der = keys.public(form.Encoding.PEM), keys.public(form.Encoding.DER)
    n = keys.jwk["n"]

    def stranger(**more):
        return token({"alg": "RS256", **more}, claims, rsa_sign(keys.stranger))

    def hs(key, **more):
        return token({"alg": "HS256", **more}, claims, mac(key))

    def ecdsa(r, s):
        return token({"alg": "ES256", "kid": "e1"}, claims, lambda m: r + s)

    zero, one = bytes(32), (1).to_bytes(32, "big")
    good = {
        "RS256": plain, "RS256 without kid": token({"alg": "RS256"}, claims, rs),
        "ES256": token({"alg": "ES256", "kid": "e1"}, claims, ec_sign(keys.ec)),
        "aud in a list": with_claims(aud=["x", claims["aud"]]), "nbf now": with_claims(nbf=now),
        "iat later": with_claims(iat=now + 10),
        "exp with a fraction": with_claims(exp=now + 600.5),
    }  # fmt: skip
    bad = {
        # none, and confusion of keys (RFC 8725 §2.1)
        **{f"alg {alg!r}": token({"alg": alg}, claims, lambda m: b"") for alg in ("none", "None", "NONE", "nOnE", "", " none",
        "none\0", "RS256\0", "rs256", "HS256 ", 256, None, True, ["RS256"], {"a": 1})},
        "alg none with a good signature": token({"alg": "none", "kid": keys.kid}, claims, rs),
        "no alg": token({"kid": keys.kid}, claims, rs),
        "HS256 with the PEM": hs(pem), "… without its line end": hs(pem.strip()), "… with the DER": hs(der),
        "… with n": hs(n.encode()), "… with n as bytes": hs(base64.urlsafe_b64decode(n + "==")),
        "… with the JWK": hs(json.dumps(keys.jwk).encode()), "… with nothing": hs(b""), "… with a zero": hs(b"\0"),
        "… and the kid of the RSA key": hs(pem, kid=keys.kid),
        "HS512": token({"alg": "HS512"}, claims, lambda m: hmac.new(secret.encode(), m, hashlib.sha512).digest()),
        "RS256 said, EC signed": token(head, claims, ec_sign(keys.ec)), "ES256 said, RSA signed": token({"alg": "ES256"},
        claims, rs),
        "RS1": token({"alg": "RS1"}, claims, rsa_sign(keys.rsa, hashes.SHA1())), "RS256 said, SHA-1 signed": token(head,
        claims, rsa_sign(keys.rsa, hashes.SHA1())),
        "RS256 said, SHA-512 signed": token(head, claims, rsa_sign(keys.rsa, hashes.SHA512())),
        "dir of JWE": "eyJhbGciOiJkaXIiLCJlbmMiOiJBMTI4R0NNIn0..AAAA.AAAA.AAAA", "five parts": "a.b.c.d.e",
        # kid, and keys that the token brings itself (RFC 8725 §2.10, §3.10)
        "kid of a path": hs(b"", kid="../../../../dev/null"), "kid of a path, absolute": hs(b"",
        kid="/proc/sys/kernel/randomize_va_space"), "kid of SQL": hs(b"k", kid="x' UNION SELECT 'k"),
        "kid of a URL": stranger(kid="http://127.0.0.1:1/k"), "kid of a command": stranger(kid="|sleep 5"),
        "kid of the other key": token({"alg": "RS256", "kid": "e1"}, claims, rs),
        "kid unknown": with_head(kid="nobody"), "kid empty, a stranger's": stranger(kid=""),
        "kid with NUL": with_head(kid=keys.kid + "\0x"), "kid as a list": stranger(kid=[keys.kid]),
        "kid of 100 KB": stranger(kid="k" * 20000), "jwk": stranger(jwk=jwk), "jwk and its kid": stranger(jwk=jwk,
        kid="mine"), "jwk, kid of ours": stranger(jwk={**jwk, "kid": keys.kid}, kid=keys.kid),
        "jku": stranger(jku="http://127.0.0.1:1/keys"), "x5u": stranger(x5u="http://127.0.0.1:1/cert"),
        "x5c": stranger(x5c=["AAAA"]), "x5t": stranger(x5t="AAAA"), "a stranger's, our kid": stranger(kid=keys.kid),
        "weak RSA in jwk": token({"alg": "RS256",
        "jwk": {"kty": "RSA", "n": entra.number(keys.weak.public_key().public_numbers().n), "e": "AQAB"}}, claims,
        rsa_sign(keys.weak)),
        # ECDSA (CVE-2022-21449), curves
        "ES256: zeros": ecdsa(zero, zero), "ES256: r 0": ecdsa(zero, one), "ES256: s 0": ecdsa(one, zero),
        "ES256: r and s of the order": ecdsa(P256_ORDER, P256_ORDER), "ES256: ones": ecdsa(one, one),
        "ES256: DER": token({"alg": "ES256", "kid": "e1"}, claims, lambda m: keys.ec.sign(m, ec.ECDSA(hashes.SHA256()))),
        "ES256: empty": ecdsa(b"", b""), "ES256: 63 bytes": ecdsa(one, one[1:]),
        "ES384 with the key of P-256": token({"alg": "ES384", "kid": "e1"}, claims, ec_sign(keys.ec, 48, hashes.SHA384())),
        "ES256 with another curve": token({"alg": "ES256", "kid": "e1"}, claims, ec_sign(keys.p384, 48)),
        "ES256K": token({"alg": "ES256K", "kid": "e1"}, claims, ec_sign(keys.ec)), "EdDSA: zeros": token({"alg": "EdDSA"},
        claims, lambda m: bytes(64)), "RSA: zeros": token(head, claims, lambda m: bytes(256)), "RSA: ones": token(head,
        claims, lambda m: bytes(255) + b"\1"),
        "RSA: longer": token(head, claims, lambda m: rs(m) + b"\0"), "RSA: zero before": token(head, claims,
        lambda m: b"\0" + rs(m)), "PS256 with a salt too long": token({"alg": "PS256"}, claims,
        lambda m: keys.rsa.sign(m, padding.PSS(padding.MGF1(hashes.SHA256()), 64), hashes.SHA256())),
        # extensions (RFC 7515 §4.1.11)
        "crit": with_head(crit=["exp"]), "crit, known to nobody": with_head(crit=["http://evil/x"], **{"http://evil/x": 1}),
        "crit empty": with_head(crit=[]), "crit null": with_head(crit=None), "b64 false": with_head(b64=False, crit=["b64"]),
        # times
        "expired": with_claims(exp=now - 120), "expired long ago": with_claims(exp=1), "exp 0": with_claims(exp=0),
        "exp -1": with_claims(exp=-1), "no exp": with_claims(exp=...), "exp null": with_claims(exp=None),
        "exp as text": with_claims(exp=str(now + 600)),
        "exp in a list": with_claims(exp=[now + 600]), "exp true": with_claims(exp=True), "exp NaN": token(head,
        f'{text}, "exp": NaN}}'.encode(), rs), "exp Infinity": token(head, f'{text}, "exp": Infinity}}'.encode(), rs),
        "exp 1e400": token(head,
        json.dumps({k: v for k, v in claims.items() if k != "exp"})[:-1].encode() + b', "exp": 1e400}', rs),
        "exp expired, then good": token(head,
        json.dumps({"exp": now - 900})[:-1].encode() + b", " + json.dumps(claims)[1:].encode(), rs),
        "nbf later": with_claims(nbf=now + 600), "nbf as text": with_claims(nbf=str(now + 600)),
        # whose, and for whom
        "iss other": with_claims(iss="https://evil"), "iss missing": with_claims(iss=...),
        "iss in a list": with_claims(iss=[claims["iss"]]), "iss and more": with_claims(iss=claims["iss"] + "/"),
        "iss and NUL": with_claims(iss=claims["iss"] + "\0"),
        "iss in capitals": with_claims(iss=claims["iss"].upper()), "iss null": with_claims(iss=None),
        "aud other": with_claims(aud="https://evil"), "aud missing": with_claims(aud=...), "aud empty": with_claims(aud=[]),
        "aud nested": with_claims(aud=[[claims["aud"]]]),
        "aud as a part": with_claims(aud=claims["aud"] + "x"), "aud as a map": with_claims(aud={claims["aud"]: 1}),
        "aud null": with_claims(aud=None), "azp unknown": with_claims(azp="nobody", appid="nobody"),
        "azp in a list": with_claims(azp=["app-1"], appid=["app-1"]),
        "azp empty": with_claims(azp="", appid=""), "azp missing": with_claims(azp=..., appid=...),
        "azp and NUL": with_claims(azp="app-1\0", appid="app-1\0"), "azp and a space": with_claims(azp=" app-1",
        appid=" app-1"),
        # shapes
        "claims a list": token(head, b"[]", rs), "claims text": token(head, b'"x"', rs), "claims empty": token(head, b"", rs),
        "claims cut": token(head, text.encode(), rs), "claims and more": token(head, json.dumps(claims).encode() + b"{}", rs),
        "claims in UTF-16": token(head, json.dumps(claims).encode("utf-16"), rs), "claims with a comment": token(head,
        b"/**/" + json.dumps(claims).encode(), rs), "claims no UTF-8": token(head, text.encode() + b', "x": "\xff"}', rs),
        "claims 3,000 deep": token(head, b'{"a":' * 3000 + b"1" + b"}" * 3000, rs), "head a list": token(b"[]", claims, rs),
        "head deep": token(b'{"a":' * 3000 + b"1" + b"}" * 3000, claims, rs),
        "head of 20 KB": token({**head, "x": "a" * 20000}, claims, lambda m: b"x"),
        "of 100 KB": token(head, {**claims, "x": "a" * 100_000}, rs), "signature cut": plain[:-4],
        "signature padded": plain + "==", "no signature": f"{first}.{second}.", "no signature, no dot": f"{first}.{second}",
        "no head": f".{second}.{signature}",
        "no claims": f"{first}..{signature}", "four parts": plain + ".x", "a dot behind": plain + ".", "dots": "..",
        "space inside": f"{first[:9]} {first[9:]}.{second}.{signature}",
        "claims of another": f"{first}.{part({**claims, 'azp': 'app-2', 'appid': 'app-2'})}.{signature}",
        "head of another": f"{part({'alg': 'RS256', 'x': 1})}.{second}.{signature}",
        "base64 of the old kind": f"{first}.{second}.{signature[:-1]}+",
        "another last letter": plain[:-1] + chr(ord(plain[-1]) ^ 1), "percent": plain.replace(".", "%2e"),
        "commas": plain.replace(".", ","),
    }  # fmt: skip
    judged = {
        "azp twice": (token(head, text.encode() + b', "azp": "app-2", "appid": "app-2"}', rs), "app-1",
        "the issuer signed it; the first counts, everywhere"),
        "exp twice": (token(head, text.encode() + f', "exp": {now - 900}}}'.encode(), rs), "app-1", "as above"),
        "alg twice": (token(f'{{"alg": "RS256", "kid": "{keys.kid}", "alg": "none"}}'.encode(), claims, rs), "app-1",
        "the head is signed too; the first counts"),
        "RS512": (token({**head, "alg": "RS512"}, claims, rsa_sign(keys.rsa, hashes.SHA512())), "app-1",
        "the key names no algorithm, and any that is made for RSA keys is safe"),
        "PS256": (token({**head, "alg": "PS256"}, claims, lambda m: keys.rsa.sign(m,
        padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256())), "app-1", "as above"),
        "typ of something else": (with_head(typ="secevent+jwt"), "app-1",
        "iss, aud and the client say for whom it is; Entra says JWT for all"),
        "azp a number": (with_claims(azp=1, appid=1), "1",
        "a number is the name that it is written as; the issuer signed it"),
        "expired within the leeway": (with_claims(exp=now - 30), "app-1", "leeway is 60 s"),
        "jku of a stranger, our key": (with_head(jku="http://127.0.0.1:1/keys", x5u="http://127.0.0.1:1/c"), "app-1",
        "nothing is fetched that a token names"),
    }  # fmt: skip
    return good, bad, judged


def ask(client, url, shown, field="authorization"):
    value = f"Bearer {shown}" if field == "authorization" else shown
    try:
        return client.get(url, headers={field: value}).status_code
    except httpx.HTTPError as error:
        return repr(error)


def published(keys):
    """Key sets that a file may hold, and what becomes of them."""
    n = {"kty": "RSA", "n": entra.number(keys.weak.public_key().public_numbers().n), "e": "AQAB"}
    off = {**keys.ec_jwk(), "y": b64(bytes(32))}
    return {"RSA of 1024 bits": n, "a point that is not on the curve": off, "a curve that is not the key's": {**keys.ec_jwk(),
        "crv": "P-384"},
            "only for encryption": {**keys.jwk, "use": "enc"}, "a secret": {"kty": "oct", "k": b64(SECRET.encode())},
            "no RSA at all": {"kty": "RSA"}}  # fmt: skip


def run(folder):
    tally = Tally("tokens")
    folder = folder / "tokens"
    folder.mkdir()
    issuer = entra.Entra()
    keys = Keys(issuer)
    (folder / "jwks.json").write_text(json.dumps({"keys": [keys.jwk, keys.ec_jwk()]}))
    extra = keys.ec_jwk()
    issuer.keys.append(type("Published", (), {"jwk": lambda self: extra})())
    now = int(time.time())
    claims = {"iss": issuer.issuer, "aud": "aud-1", "exp": now + 600, "azp": "app-1", "appid": "app-1", "oid": "u1"}
    jwt = {"jwks_file": str(folder / "jwks.json"), "issuer": issuer.issuer, "audience": "aud-1"}
    kinds = {
        "file": {"jwt": jwt},
        "file and secret": {"jwt": {**jwt, "secret": SECRET}},
        "issuer": {"issuers": [{"issuer": issuer.issuer, "audiences": ["aud-1"]}]},
    }
    good, bad, judged = good_and_bad(keys, claims, SECRET)
    recorder = Recorder()
    clients = [{"name": "one", "claim": "app-1"}, {"name": "two", "claim": "app-2"}, {"name": "1", "claim": "1"}]
    for kind, identity in kinds.items():
        home = folder / kind.replace(" ", "-")
        with wire.gateway(home, recorder.config(), clients=clients, identity=identity,
                tenancy="shared") as gateway, httpx.Client() as client:
            url = gateway.url + PATH
            deadline = time.monotonic() + 5
            while ask(client, url, good["RS256"]) != 200 and time.monotonic() < deadline:
                time.sleep(0.05)  # until it has the issuer's keys
            before = len(recorder.seen)
            for name, shown in bad.items():
                seen = [ask(client, url, shown), ask(client, url, shown, "api-key")]
                # A head that is too large is refused as such.
                allowed = (401, 431) if len(shown) > 20_000 else (401, 400) if "\0" in shown else (401,)
                tally.require(f"{kind}: {name}", "refused", all(status in allowed for status in seen), seen)
            tally.require(f"{kind}: nothing reached the backend", "refused", len(recorder.seen) == before,
                          len(recorder.seen) - before)
            for name, shown in good.items():
                seen = [ask(client, url, shown), ask(client, url, shown, "api-key")]
                tally.require(f"{kind}: {name}", "accepted", seen == [200, 200], seen)
            for name, (shown, _, why) in judged.items():
                assert why
                seen = ask(client, url, shown)
                tally.require(f"{kind}: {name}", "lenient", seen == 200, seen)
            secret = ask(client, url, token({"alg": "HS256"}, claims, mac(SECRET.encode())))
            with_secret = "secret" in kind
            tally.require(f"{kind}: HS256 with the secret", "accepted" if with_secret else "refused",
                secret == (200 if with_secret else 401), secret)
            log = gateway.log_text()
            leaked = [name for name, shown in {**good, "none": bad["alg 'none'"]}.items() if shown[:60] in log]
            tally.require(f"{kind}: no token is logged", "accepted", not leaked, leaked)
            who = {line["client"] for line in gateway.access_lines(1) if line["status"] == 200}
            tally.require(f"{kind}: who it was", "accepted", "one" in who and "two" not in who, who)
    refused_sets(tally, folder, keys)
    issuer.close()
    recorder.close()
    return tally


def refused_sets(tally, folder, keys):
    for name, jwk in published(keys).items():
        (folder / "bad.json").write_text(json.dumps({"keys": [jwk]}))
        config = harness.gateway_config(1, [harness.backend("b", "http://127.0.0.1:9")], "off",
            identity={"jwt": {"jwks_file": str(folder / "bad.json")}})
        (folder / "bad.yaml").write_text(json.dumps(config))
        done = subprocess.run([harness.SPILLWAY, "check", "--config", folder / "bad.yaml"], capture_output=True, text=True,
            check=False, timeout=10)
        tally.require(f"key set: {name}", "refused", done.returncode != 0 and "bad.json" in done.stderr, done.stderr)
