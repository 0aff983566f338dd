"""An authority that issues certificates, for TLS both ways."""

import datetime
import ipaddress
import itertools
import ssl
import subprocess

import httpx
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

SERIAL = itertools.count(1)
CLIENT = ExtendedKeyUsageOID.CLIENT_AUTH
SERVER = ExtendedKeyUsageOID.SERVER_AUTH
SIGNS_CERTIFICATES = x509.KeyUsage(
    key_cert_sign=True, crl_sign=True, digital_signature=False, content_commitment=False, key_encipherment=False,
    data_encipherment=False, key_agreement=False, encipher_only=False, decipher_only=False,
)  # fmt: skip


def self_signed(folder, name="localhost", other="IP:127.0.0.1"):
    """Paths of a certificate that signed itself, and of its key."""
    cert, key = folder / "cert.pem", folder / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
         "-subj", f"/CN={name}", "-addext", f"subjectAltName={other}", "-keyout", key, "-out", cert],
        check=True, capture_output=True,
    )  # fmt: skip
    return cert, key


def general_name(name):
    kind, _, value = name.partition(":")
    if kind == "ip":
        return x509.IPAddress(ipaddress.ip_address(value))
    return {"dns": x509.DNSName, "uri": x509.UniformResourceIdentifier, "email": x509.RFC822Name}[kind](value)


class Authority:
    """`folder` holds its certificate, ca.pem, and what it issues: NAME.pem, with the key and those above it."""

    def __init__(self, folder, name="authority", above=None):
        folder.mkdir(exist_ok=True)
        self.folder, self.name, self.above = folder, name, above
        self.key, self.certificate = self.sign(name, above=above, authority=True)
        self.pem = folder / f"{name}-ca.pem"
        self.pem.write_bytes(self.text(self.certificate))

    @staticmethod
    def text(certificate):
        return certificate.public_bytes(serialization.Encoding.PEM)

    def sign(self, common_name, names=(), usage=None, ends=3600, above=None, authority=False):
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
        now = datetime.datetime.now(datetime.UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(above.certificate.subject if above else subject)
            .public_key(key.public_key())
            .serial_number(next(SERIAL))
            .not_valid_before(now - datetime.timedelta(hours=2))
            .not_valid_after(now + datetime.timedelta(seconds=ends))
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        )
        # What Python 3.13 wants by itself (RFC 5280, 4.2.1.1 to 4.2.1.3).
        identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
        builder = builder.add_extension(identifier, critical=False)
        if above:
            signer = x509.AuthorityKeyIdentifier.from_issuer_public_key(above.key.public_key())
            builder = builder.add_extension(signer, critical=False)
        if authority:
            builder = builder.add_extension(SIGNS_CERTIFICATES, critical=True)
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(map(general_name, names)), critical=False)
        if usage:
            builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        return key, builder.sign(above.key if above else key, hashes.SHA256())

    def below(self, name):
        return Authority(self.folder, name, above=self)

    def issue(self, *names, common_name="client", usage=CLIENT, ends=3600, chain=True):
        """The path of a PEM file with the key, the certificate, and unless told otherwise the authorities above it."""
        key, certificate = self.sign(common_name, names, usage, ends, above=self)
        text = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ) + self.text(certificate)
        above = self
        while chain and above.above:
            text += self.text(above.certificate)
            above = above.above
        path = self.folder / f"{common_name}-{certificate.serial_number}.pem"
        path.write_bytes(text)
        return path


def context(trust, shown=None, version=None, alpn=None):
    """A client's side: whom it trusts, what it shows."""
    out = ssl.create_default_context(cafile=trust)
    if shown:
        out.load_cert_chain(shown)
    if version:
        out.minimum_version = out.maximum_version = version
    if alpn:
        out.set_alpn_protocols(alpn)
    return out


class Pki:
    """The server's own authority, the clients', another one, and the certificate of the client "a"."""

    def __init__(self, folder):
        self.folder = folder
        self.web = Authority(folder, "web")
        self.own = Authority(folder, "own")
        self.other = Authority(folder, "other")
        self.trust = self.web.pem
        self.server = self.web.issue("ip:127.0.0.1", common_name="server", usage=SERVER)
        self.a = self.own.issue("dns:a.example")

    def tls(self, **more):
        return {"cert": str(self.server), "key": str(self.server), "client_ca": str(self.own.pem), **more}

    def client(self, shown=None, http2=False, **more):
        return httpx.Client(http1=not http2, http2=http2, verify=context(self.trust, shown, **more), timeout=20)
