"""X.509 in PEM: reading certificates and keys that somebody sends, and making them and requests (RFC 5280, RFC 2986).

Nothing here keeps anything. A private key goes in and out as PEM text and is in no message.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from ipaddress import ip_address
from itertools import pairwise
from typing import Any

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import AttributeOID, ExtendedKeyUsageOID, NameOID, ObjectIdentifier

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey

CHAIN_MAX = 10
"""Certificates in a chain."""
RSA_BITS = (2048, 3072, 4096)
CURVES: Mapping[str, ec.EllipticCurve] = {"P-256": ec.SECP256R1(), "P-384": ec.SECP384R1()}
"""What keys are made of, and those that are accepted; Ed25519 is accepted too."""
NAME_OIDS: Mapping[str, ObjectIdentifier] = {
    "CommonName": NameOID.COMMON_NAME,
    "Organization": NameOID.ORGANIZATION_NAME,
    "OrganizationalUnit": NameOID.ORGANIZATIONAL_UNIT_NAME,
    "City": NameOID.LOCALITY_NAME,
    "State": NameOID.STATE_OR_PROVINCE_NAME,
    "Country": NameOID.COUNTRY_NAME,
    "Email": NameOID.EMAIL_ADDRESS,
    "ContactPerson": ObjectIdentifier("2.5.4.41"),
    "GivenName": NameOID.GIVEN_NAME,
    "Surname": NameOID.SURNAME,
    "Initials": NameOID.INITIALS,
}
"""The parts of a name, by what Redfish calls them, which is RFC 5280's sense of them."""
_USAGES: Mapping[str, str] = {
    "digital_signature": "DigitalSignature",
    "content_commitment": "NonRepudiation",
    "key_encipherment": "KeyEncipherment",
    "data_encipherment": "DataEncipherment",
    "key_agreement": "KeyAgreement",
    "key_cert_sign": "KeyCertSign",
    "crl_sign": "CRLSigning",
    "encipher_only": "EncipherOnly",
    "decipher_only": "DecipherOnly",
}
_EXTENDED_USAGES: Mapping[str, ObjectIdentifier] = {
    "ServerAuthentication": ExtendedKeyUsageOID.SERVER_AUTH,
    "ClientAuthentication": ExtendedKeyUsageOID.CLIENT_AUTH,
    "CodeSigning": ExtendedKeyUsageOID.CODE_SIGNING,
    "EmailProtection": ExtendedKeyUsageOID.EMAIL_PROTECTION,
    "Timestamping": ExtendedKeyUsageOID.TIME_STAMPING,
    "OCSPSigning": ExtendedKeyUsageOID.OCSP_SIGNING,
}
KEY_USAGES = (*_USAGES.values(), *_EXTENDED_USAGES)
_KEY_BLOCK = re.compile(
    r"-----BEGIN ([A-Z0-9 ]*PRIVATE KEY)-----(?:[A-Za-z0-9+/=\s:,.]|-(?!-))*-----END \1-----", re.ASCII
)
_CERTIFICATE_BLOCK = re.compile(r"-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]*-----END CERTIFICATE-----", re.ASCII)


class CertificateError(ValueError):
    """A certificate, a key or a request for one cannot be used. The text says why, and holds nothing secret."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """What somebody sends to be served: certificates, the server's own first, and perhaps its key."""

    chain: bytes
    """PEM."""
    public: str
    """The public key's `public_id`."""
    key: bytes | None = field(repr=False)
    """PEM, not encrypted."""


@dataclass(frozen=True, slots=True)
class Described:
    """What a certificate says. Times are real time."""

    pem: str
    """The whole chain."""
    subject: Mapping[str, Any]
    """As Redfish's Identifier."""
    issuer: Mapping[str, Any]
    not_before: datetime
    not_after: datetime
    usages: tuple[str, ...]
    serial_number: str
    """Bytes in hexadecimal, with colons."""
    fingerprint: str
    """SHA-256, written alike."""
    signature_algorithm: str


def read_bundle(text: str, password: str | None, now: datetime) -> Bundle:
    """Certificates in PEM, the server's own first, behind each the one that signed it; and a key, if one is sent.

    Raises:
        CertificateError: they are malformed, not valid at this time, no chain, of a kind that cannot be served, or the
            key is another one's.
    """
    chain = _chain(text)
    for certificate in chain:
        _check_time(certificate, now)
    _check_kind(chain[0].public_key())
    key = _sent_key(text, password)
    public = public_id(chain[0].public_key())
    if key is not None and public_id(key.public_key()) != public:
        raise CertificateError("the private key that was sent with it is not the certificate's")
    pem = b"".join(certificate.public_bytes(serialization.Encoding.PEM) for certificate in chain)
    return Bundle(pem, public, None if key is None else key_pem(key))


def _chain(text: str) -> list[x509.Certificate]:
    blocks = _CERTIFICATE_BLOCK.findall(text)
    if not blocks:
        raise CertificateError("it holds no certificate in PEM")
    if len(blocks) > CHAIN_MAX:
        raise CertificateError(f"it holds {len(blocks)} certificates, and a chain has at most {CHAIN_MAX}")
    try:
        chain = [x509.load_pem_x509_certificate(block.encode()) for block in blocks]
        for certificate in chain:
            certificate.public_key(), certificate.extensions, certificate.subject, certificate.issuer
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise CertificateError("a certificate in it is malformed") from error
    for certificate, issuer in pairwise(chain):
        try:
            certificate.verify_directly_issued_by(issuer)
        except Exception as error:
            raise CertificateError("its certificates are no chain: each has to be signed by the next one") from error
    return chain


def _check_time(certificate: x509.Certificate, now: datetime) -> None:
    if now > certificate.not_valid_after_utc:
        raise CertificateError(f"it expired at {certificate.not_valid_after_utc.isoformat()}")
    if now < certificate.not_valid_before_utc:
        raise CertificateError(f"it is not valid before {certificate.not_valid_before_utc.isoformat()}")


def _check_kind(key: Any) -> None:
    if isinstance(key, rsa.RSAPublicKey) and RSA_BITS[0] <= key.key_size <= RSA_BITS[-1]:
        return
    if isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name in {curve.name for curve in CURVES.values()}:
        return
    if isinstance(key, ed25519.Ed25519PublicKey):
        return
    raise CertificateError("its key has to be RSA of 2048 to 4096 bits, P-256, P-384 or Ed25519")


def _sent_key(text: str, password: str | None) -> PrivateKey | None:
    found = _KEY_BLOCK.search(text)
    if found is None:
        if "PRIVATE KEY" in text:
            raise CertificateError("the private key that was sent with it is malformed")
        return None
    block = found[0]
    is_encrypted = "ENCRYPTED" in block
    try:
        key = load_key(block.encode(), (password or "").encode() if is_encrypted else None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        why = "cannot be decrypted: Password is not its own" if is_encrypted else "is malformed"
        raise CertificateError(f"the private key that was sent with it {why}") from error
    return key


def load_key(pem: bytes, password: bytes | None = None) -> PrivateKey:
    """A private key from PEM.

    Raises:
        ValueError, TypeError, UnsupportedAlgorithm: it cannot be read.
    """
    key: Any = serialization.load_pem_private_key(pem, password)
    return key  # type: ignore[no-any-return]


def public_id(key: Any) -> str:
    """What tells one public key from all others, and from which nobody learns anything else."""
    digest = hashes.Hash(hashes.SHA256())
    digest.update(key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo))
    return digest.finalize().hex()


def key_pem(key: PrivateKey) -> bytes:
    """A private key as PEM, not encrypted."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


# -- making them ------------------------------------------------------------------------------------------------------


def make_key(*, bits: int = 0, curve: str = "P-256") -> PrivateKey:
    """A new key: RSA of so many bits, or else one on a curve."""
    return rsa.generate_private_key(65537, bits) if bits else ec.generate_private_key(CURVES[curve])


def make_self_signed(key: PrivateKey, common_name: str, names: Sequence[str], now: datetime, days: int) -> bytes:
    """A certificate that vouches for itself, PEM; `names` are host names and addresses."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(_alternatives(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.PEM)


def make_request(
    key: PrivateKey,
    names: Mapping[str, str],
    alternatives: Sequence[str] = (),
    usages: Sequence[str] = (),
    attributes: Mapping[str, str] | None = None,
) -> str:
    """A request for a certificate of this key, PEM. `names` is by `NAME_OIDS`, `attributes` by ChallengePassword and
    UnstructuredName.

    Raises:
        CertificateError: X.509 does not take a value.
    """
    try:
        subject = x509.Name([x509.NameAttribute(NAME_OIDS[part], text) for part, text in names.items() if text])
        builder = x509.CertificateSigningRequestBuilder().subject_name(subject)
        if alternatives:
            builder = builder.add_extension(_alternatives(alternatives), critical=False)
        for extension, is_critical in _usage_extensions(usages):
            builder = builder.add_extension(extension, critical=is_critical)
        for attribute, text in (attributes or {}).items():
            builder = builder.add_attribute(_ATTRIBUTES[attribute], text.encode())
        signed = builder.sign(key, None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256())
    except (ValueError, TypeError) as error:
        raise CertificateError(f"X.509 does not take it: {str(error)[:200]}") from error
    return signed.public_bytes(serialization.Encoding.PEM).decode()


_ATTRIBUTES: Mapping[str, ObjectIdentifier] = {
    "ChallengePassword": AttributeOID.CHALLENGE_PASSWORD,
    "UnstructuredName": AttributeOID.UNSTRUCTURED_NAME,
}


def _alternatives(names: Sequence[str]) -> x509.SubjectAlternativeName:
    return x509.SubjectAlternativeName([_alternative(name) for name in names])


def _alternative(name: str) -> x509.GeneralName:
    """A host name or an address; "DNS:" and "IP:" in front of it say which."""
    text = name.removeprefix("DNS:").removeprefix("IP:").removeprefix("IP Address:").strip()
    try:
        return x509.IPAddress(ip_address(text))
    except ValueError:
        return x509.DNSName(text)


def _usage_extensions(usages: Sequence[str]) -> list[tuple[x509.ExtensionType, bool]]:
    """The key usage extensions that say this, and whether each is critical."""
    found: list[tuple[x509.ExtensionType, bool]] = []
    simple = {name: said in usages for name, said in _USAGES.items()}
    if any(simple.values()):
        found.append((x509.KeyUsage(**simple), True))
    extended = [oid for said, oid in _EXTENDED_USAGES.items() if said in usages]
    if extended:
        found.append((x509.ExtendedKeyUsage(extended), False))
    return found


# -- reading them -----------------------------------------------------------------------------------------------------


def describe(chain: bytes) -> Described:
    """What the first certificate of a chain says.

    Raises:
        CertificateError: there is none.
    """
    found = _chain(chain.decode())[0]
    serial = f"{found.serial_number:x}"
    return Described(
        pem=chain.decode(),
        subject=identifier(found.subject, alternative_names(found)),
        issuer=identifier(found.issuer, ()),
        not_before=found.not_valid_before_utc,
        not_after=found.not_valid_after_utc,
        usages=_usages(found),
        serial_number=_with_colons(bytes.fromhex("0" * (len(serial) % 2) + serial)),
        fingerprint=_with_colons(found.fingerprint(hashes.SHA256())),
        signature_algorithm=found.signature_algorithm_oid._name,
    )


def names_of(chain: bytes) -> tuple[dict[str, str], tuple[str, ...], tuple[str, ...]]:
    """(names, alternative names, usages) of a certificate: what `make_request` takes to ask for one like it."""
    found = _chain(chain.decode())[0]
    names = {part: values[0] for part, oid in NAME_OIDS.items() if (values := _values(found.subject, oid))}
    return names, alternative_names(found), _usages(found)


def identifier(name: x509.Name, alternatives: Sequence[str]) -> dict[str, Any]:
    """A name as Redfish's Identifier; what the name does not have is left out."""
    said: dict[str, Any] = {"DisplayString": name.rfc4514_string()}
    for part in ("CommonName", "Organization", "OrganizationalUnit", "City", "State", "Country", "Email"):
        values = _values(name, NAME_OIDS[part])
        if values:
            said[part] = values[0]
        if values[1:] and part in ("CommonName", "OrganizationalUnit"):
            said[f"Additional{part}s"] = values[1:]
    if components := _values(name, NameOID.DOMAIN_COMPONENT):
        said["DomainComponents"] = components
    if alternatives:
        said["AlternativeNames"] = list(alternatives)
    return said


def alternative_names(certificate: x509.Certificate) -> tuple[str, ...]:
    """The host names and addresses of a certificate's subject."""
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    addresses = (str(address) for address in found.get_values_for_type(x509.IPAddress))
    return (*found.get_values_for_type(x509.DNSName), *addresses)


def _values(name: x509.Name, oid: ObjectIdentifier) -> list[str]:
    return [str(entry.value) for entry in name.get_attributes_for_oid(oid)]


def _usages(certificate: x509.Certificate) -> tuple[str, ...]:
    found = []
    for extension in certificate.extensions:
        if isinstance(extension.value, x509.KeyUsage):
            found += [said for name, said in _USAGES.items() if _allows(extension.value, name)]
        elif isinstance(extension.value, x509.ExtendedKeyUsage):
            found += [said for said, oid in _EXTENDED_USAGES.items() if oid in extension.value]
    return tuple(found)


def _allows(usage: x509.KeyUsage, name: str) -> bool:
    """The last two mean something only beside key agreement, and must not be asked for without it."""
    if name in ("encipher_only", "decipher_only") and not usage.key_agreement:
        return False
    return bool(getattr(usage, name))


def _with_colons(content: bytes) -> str:
    return content.hex(":").upper()
