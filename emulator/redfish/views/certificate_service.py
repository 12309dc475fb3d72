"""CertificateService: where certificates are, requests for new ones, and their replacement."""

from __future__ import annotations

from typing import Any

from emulator.core.message import Message, Rejected
from emulator.mockup.documents import ID, object_at
from emulator.mockup.reader import ROOT, normal
from emulator.mockup.site import Site
from emulator.redfish.view import Call, Document, Reply, Resource, Verb, link, succeeded
from emulator.redfish.views import certificate

SERVICE = f"{ROOT}/CertificateService"
LOCATIONS = f"{SERVICE}/CertificateLocations"
ACTION_INFO = f"{SERVICE}/GenerateCSRActionInfo"
GENERATE, REPLACE = "CertificateService.GenerateCSR", "CertificateService.ReplaceCertificate"
NAMES = (
    *("CommonName", "Organization", "OrganizationalUnit", "City", "State", "Country", "Email"),
    *("ContactPerson", "GivenName", "Surname", "Initials"),
)
ATTRIBUTES = ("ChallengePassword", "UnstructuredName")


def resources(site: Site) -> list[Resource]:
    """The service, its locations and actions, where there is a place to show the certificate."""
    if certificate.places(site) is None:
        return []
    generate = Verb(generate_csr, "ConfigureManager", GENERATE, action=GENERATE)
    replace = Verb(replace_certificate, "ConfigureManager", REPLACE, action=REPLACE)
    return [
        Resource(SERVICE, get=certificate_service),
        Resource(LOCATIONS, get=certificate_locations, privilege="ConfigureManager"),
        Resource(ACTION_INFO, get=generate_csr_info),
        Resource(f"{SERVICE}/Actions/{GENERATE}", verbs={"POST": generate}),
        Resource(f"{SERVICE}/Actions/{REPLACE}", verbs={"POST": replace}),
    ]


def certificate_service(call: Call) -> Document:
    """The service."""
    return {
        "@odata.id": call.uri,
        "Name": "Certificate Service",
        **call.base(),
        "@odata.type": "#CertificateService.v1_2_1.CertificateService",
        "Id": "CertificateService",
        "CertificateLocations": link(LOCATIONS),
        "Actions": {  # what a captured service could do besides, nobody does here
            f"#{GENERATE}": {"target": f"{SERVICE}/Actions/{GENERATE}", "@Redfish.ActionInfo": ACTION_INFO},
            f"#{REPLACE}": {"target": f"{SERVICE}/Actions/{REPLACE}"},
        },
    }


def certificate_locations(call: Call) -> Document:
    """All certificates: the socket's, and what else the tree has."""
    call.holds_until(call.machine.moment)
    base = call.base()
    links = object_at(base, "Links")
    own = certificate.places(call.site)
    assert own is not None, "without it there is no such resource"
    listed = [entry[ID] for entry in links.get("Certificates", ()) if isinstance(entry, dict) and ID in entry]
    others = [uri for uri in listed if not normal(uri).startswith(f"{own.collection}/")]
    uris = [*certificate.member_uris(call), *others]
    return {
        "@odata.id": call.uri,
        "Name": "Certificate Locations",
        **base,
        "@odata.type": "#CertificateLocations.v1_0_4.CertificateLocations",
        "Id": "CertificateLocations",
        "Links": {**links, "Certificates@odata.count": len(uris), "Certificates": [link(uri) for uri in uris]},
    }


def generate_csr_info(call: Call) -> Document:
    """What GenerateCSR takes."""
    from emulator.formats.x509 import KEY_USAGES  # noqa: PLC0415 - 50 ms that a start is spared

    return {
        "@odata.id": call.uri,
        "@odata.type": "#ActionInfo.v1_4_2.ActionInfo",
        "Id": "GenerateCSRActionInfo",
        "Name": "GenerateCSR Action Info",
        "Parameters": [
            *(_parameter(name, required=name == "CommonName") for name in NAMES),
            _parameter("AlternativeNames", "StringArray"),
            _parameter(
                "CertificateCollection",
                "Object",
                required=True,
                ObjectDataType="#CertificateCollection.CertificateCollection",
            ),
            _parameter("KeyPairAlgorithm", AllowableValues=[certificate.ECDSA, certificate.RSA]),
            _parameter("KeyCurveId", AllowableValues=list(certificate.CURVES)),
            _parameter("KeyBitLength", "Number", AllowableNumbers=[str(bits) for bits in certificate.KEY_BITS]),
            _parameter("KeyUsage", "StringArray", AllowableValues=list(KEY_USAGES)),
            *(_parameter(name) for name in ATTRIBUTES),
        ],
    }


def _parameter(name: str, kind: str = "String", *, required: bool = False, **more: Any) -> Document:
    return {"Name": name, "Required": required, "DataType": kind, **more}


def generate_csr(call: Call) -> Reply:
    """CertificateService.GenerateCSR: a request for a certificate; its key is kept until that comes.

    Raises:
        Rejected: ActionParameterValueError, ActionParameterNotSupported, CertificateRequestNotPossible; ServiceDisabled
            over plain HTTP.
    """
    from emulator.formats.x509 import CertificateError  # noqa: PLC0415

    body = call.body
    own = certificate.places(call.site)
    _check_place(body["CertificateCollection"], own.collection if own else "", "CertificateCollection", GENERATE)
    kind = certificate.key_wanted(body, GENERATE)
    names = {name: body[name] for name in NAMES if name in body}
    attributes = {name: body[name] for name in ATTRIBUTES if name in body}
    try:
        said = certificate.served(call).request(
            names, body.get("AlternativeNames", ()), body.get("KeyUsage", ()), attributes, **kind
        )
    except CertificateError as error:
        raise certificate.request_refused(error) from error
    return Reply(200, {"CertificateCollection": link(own.collection if own else ""), "CSRString": said})


def replace_certificate(call: Call) -> Reply:
    """CertificateService.ReplaceCertificate: new connections see the other certificate when this is answered.

    Raises:
        Rejected: ActionParameterValueError for another URI; as `certificate.replace`.
    """
    own = certificate.places(call.site)
    member = own.member if own else ""
    _check_place(call.body["CertificateUri"], member, "CertificateUri", REPLACE)
    certificate.replace(call)
    return succeeded(call, headers=(("Location", member),))


def _check_place(said: Any, place: str, name: str, action: str) -> None:
    """Only the socket's own certificate can be asked for and replaced.

    Raises:
        Rejected: ActionParameterValueError.
    """
    if normal(said[ID]) != place:
        raise Rejected(Message("ActionParameterValueError", (name, action), (name,)))
