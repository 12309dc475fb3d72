"""Certificate: the one that the listening socket is served with, and the collection that it is the only member of.

The socket has one certificate, so a new one takes the place of the one before, at its URI, whether it is sent to the
collection or to CertificateService.ReplaceCertificate. All controllers of the process show the same. Over plain HTTP
there is what the tree has. What is shown may change without a change of the machine, so no answer is kept for the next
reader.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from emulator.core.message import Message, Rejected
from emulator.mockup.documents import ID, object_at
from emulator.mockup.reader import normal
from emulator.mockup.site import Site
from emulator.redfish.view import Call, Document, Reply, Resource, Verb, collection, created_messages, link
from emulator.runtime.certificate import ServedCertificate

HTTPS_CERTIFICATES = "/NetworkProtocol/HTTPS/Certificates"
REKEY, RENEW = "Certificate.Rekey", "Certificate.Renew"
RSA, ECDSA = "TPM_ALG_RSA", "TPM_ALG_ECDSA"
KEY_BITS: Mapping[int, int] = {2048: 2048, 3072: 3072, 4096: 4096}
CURVES: Mapping[str, str] = {"TPM_ECC_NIST_P256": "P-256", "TPM_ECC_NIST_P384": "P-384"}
"""TCG's names for the kinds of keys that can be made."""


class Places(NamedTuple):
    """Where a site shows the certificate."""

    collection: str
    member: str


def places(site: Site) -> Places | None:
    """Below the controller's network protocol, as the tree has it or as DMTF names it; None without one."""
    protocol = site.network_protocol
    if protocol is None:
        return None
    said = object_at(site.tree.documents[protocol], "HTTPS", "Certificates").get(ID)
    place = (
        normal(said) if isinstance(said, str) and said.startswith(f"{protocol}/") else f"{protocol}/HTTPS/Certificates"
    )
    members = site.tree.members(place) if site.tree.get(place) is not None else ()
    return Places(place, next(iter(members), f"{place}/1"))


def resources(site: Site) -> list[Resource]:
    """The collection, the certificate and its actions, where the tree has a network protocol of the controller."""
    found = places(site)
    if found is None:
        return []
    post = Verb(install, "ConfigureManager", "Certificate.create")
    rekey = Verb(request_for_new_key, "ConfigureManager", REKEY, action=REKEY)
    renew = Verb(request_for_same_key, "ConfigureManager", RENEW, action=RENEW)
    return [
        Resource(found.collection, get=certificates, verbs={"POST": post}, privilege="ConfigureManager"),
        Resource(found.member, get=certificate, privilege="ConfigureManager"),
        Resource(f"{found.member}/Actions/{REKEY}", verbs={"POST": rekey}),
        Resource(f"{found.member}/Actions/{RENEW}", verbs={"POST": renew}),
    ]


def certificates(call: Call) -> Document:
    """The collection."""
    call.holds_until(call.machine.moment)
    return collection(call, "CertificateCollection", "HTTPS Certificates", member_uris(call))


def member_uris(call: Call) -> list[str]:
    """The certificate's URI, if there is one."""
    found = places(call.site)
    is_there = found is not None and (call.certificate is not None or call.exists(found.member))
    return [found.member] if found is not None and is_there else []


def certificate(call: Call) -> Document | None:
    """The certificate; its key is never shown. Over plain HTTP it is the tree's, if that has one."""
    call.holds_until(call.machine.moment)
    if call.certificate is None:
        return call.base() or None
    found = call.certificate.described()
    return {
        "@odata.id": call.uri,
        "@odata.type": "#Certificate.v1_11_0.Certificate",
        "Id": call.uri.rpartition("/")[2],
        "Name": "HTTPS Certificate",
        "CertificateString": found.pem,
        "CertificateType": "PEM" if found.pem.count("BEGIN CERTIFICATE") == 1 else "PEMchain",
        "CertificateUsageTypes": ["Web"],
        "Subject": found.subject,
        "Issuer": found.issuer,
        "ValidNotBefore": _time(found.not_before),
        "ValidNotAfter": _time(found.not_after),
        "KeyUsage": list(found.usages),
        "SerialNumber": found.serial_number,
        "Fingerprint": found.fingerprint,
        "FingerprintHashAlgorithm": "TPM_ALG_SHA256",
        "SignatureAlgorithm": found.signature_algorithm,
        "Actions": {f"#{action}": {"target": f"{call.uri}/Actions/{action}"} for action in (REKEY, RENEW)},
    }


def install(call: Call) -> Reply:
    """POST to the collection: the certificate takes the place of the one before.

    Raises:
        Rejected: as `replace`.
    """
    replace(call)
    uri = member_uris(call)[0]
    document = certificate(call.at(uri, {})) or {}
    body = {**document, "@Message.ExtendedInfo": created_messages(call)} if call.dialect.names_success else document
    return Reply(201, body, (("Location", uri),))


def replace(call: Call) -> None:
    """Serve what the body holds.

    Raises:
        Rejected: CertificateNotUsable, with the reason; ServiceDisabled over plain HTTP. Nothing has changed then.
    """
    from emulator.formats.x509 import CertificateError  # noqa: PLC0415 - 50 ms that a start is spared

    try:
        served(call).replace(call.body["CertificateString"], call.body.get("Password"))
    except CertificateError as error:
        raise Rejected(Message("CertificateNotUsable", (str(error),), ("CertificateString",))) from error


def served(call: Call) -> ServedCertificate:
    """What the socket is served with.

    Raises:
        Rejected: ServiceDisabled over plain HTTP.
    """
    if call.certificate is None:
        raise Rejected(Message("ServiceDisabled", ("HTTPS",)))
    return call.certificate


def request_for_new_key(call: Call) -> Reply:
    """Certificate.Rekey: a request for a certificate like this one, for a key that is made now.

    Raises:
        Rejected: as `key_wanted` and `request_refused`; ServiceDisabled over plain HTTP.
    """
    kind = key_wanted(call.body, REKEY)
    return _request_again(call, REKEY, new_key=True, **kind)


def request_for_same_key(call: Call) -> Reply:
    """Certificate.Renew: a request for a certificate like this one, for the key that it has.

    Raises:
        Rejected: as `request_refused`; ServiceDisabled over plain HTTP.
    """
    return _request_again(call, RENEW, new_key=False)


def _request_again(call: Call, action: str, *, new_key: bool, **kind: Any) -> Reply:
    from emulator.formats.x509 import CertificateError  # noqa: PLC0415

    attributes = {name: call.body[name] for name in ("ChallengePassword",) if name in call.body}
    try:
        said = served(call).request_again(attributes, new_key=new_key, **kind)
    except CertificateError as error:
        raise request_refused(error) from error
    return Reply(200, {"Certificate": link(call.uri.partition("/Actions/")[0]), "CSRString": said})


def request_refused(error: Exception) -> Rejected:
    """The refusal of names that X.509 does not take."""
    return Rejected(Message("CertificateRequestNotPossible", (str(error),)))


def key_wanted(body: Mapping[str, Any], action: str) -> dict[str, Any]:
    """What kind of key a request names: P-256 where it names none.

    Raises:
        Rejected: ActionParameterNotSupported for a length of a key on a curve, or a curve of one that is on none.
    """
    wanted = body.get("KeyPairAlgorithm") or (RSA if body.get("KeyBitLength") else ECDSA)
    other = "KeyCurveId" if wanted == RSA else "KeyBitLength"
    if body.get(other):
        raise Rejected(Message("ActionParameterNotSupported", (other, f"{action} of {wanted}"), (other,)))
    if wanted == RSA:
        return {"bits": body.get("KeyBitLength") or min(KEY_BITS)}
    return {"curve": CURVES[body.get("KeyCurveId") or next(iter(CURVES))]}


def _time(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")
