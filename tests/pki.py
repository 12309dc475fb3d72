"""Certificates for tests: an authority that signs what it is asked to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

PEM = serialization.Encoding.PEM
PKCS8 = serialization.PrivateFormat.PKCS8


def key_text(key, password: str | None = None) -> str:
    protection = serialization.BestAvailableEncryption(password.encode()) if password else serialization.NoEncryption()
    return key.private_bytes(PEM, PKCS8, protection).decode()


def new_key():
    return ec.generate_private_key(ec.SECP256R1())


class Authority:
    """Signs requests and keys, with a key of its own."""

    def __init__(self) -> None:
        self._key = new_key()
        self._name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Test Authority")])
        self.pem = self._signed(self._name, self._key.public_key(), basic=x509.BasicConstraints(True, 0))

    def sign(self, request: str, **more) -> str:
        """The certificate that a request asks for."""
        asked = x509.load_pem_x509_csr(request.encode())
        extensions = [(extension.value, extension.critical) for extension in asked.extensions]
        return self._signed(asked.subject, asked.public_key(), extensions=extensions, **more)

    def certificate(self, key, name: str = "bmc.lab", **more) -> str:
        """A certificate of this key."""
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        return self._signed(subject, key.public_key(), **more)

    def pair(self, name: str = "bmc.lab", **more) -> tuple[str, str]:
        """A certificate and its key."""
        key = new_key()
        return self.certificate(key, name, **more), key_text(key)

    def _signed(self, subject, public, *, first=-1, last=30, basic=None, extensions=()) -> str:
        now = datetime.now(UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + timedelta(days=first))
            .not_valid_after(now + timedelta(days=last))
        )
        for value, critical in (*extensions, *([(basic, True)] if basic else ())):
            builder = builder.add_extension(value, critical)
        return builder.sign(self._key, hashes.SHA256()).public_bytes(PEM).decode()
