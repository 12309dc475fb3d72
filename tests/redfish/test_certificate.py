"""Certificate and CertificateService: what is shown, asked for and refused. That it is served: tests/runtime/test_tls.py."""

from __future__ import annotations

import pytest
from conftest import Bmc
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from pki import Authority, key_text, new_key

from emulator.app import build_service
from emulator.formats.x509 import CertificateError
from emulator.runtime.certificate import PENDING_MAX, ServedCertificate
from emulator.settings import Settings

SERVICE = "/redfish/v1/CertificateService"
GENERATE = f"{SERVICE}/Actions/CertificateService.GenerateCSR"
REPLACE = f"{SERVICE}/Actions/CertificateService.ReplaceCertificate"
CERTIFICATES = {
    "lifecycle-server": "/redfish/v1/Managers/iDRAC.Embedded.1/NetworkProtocol/HTTPS/Certificates",
    "rack-server": "/redfish/v1/Managers/bmc/NetworkProtocol/HTTPS/Certificates",
}


class World:
    """A controller with a certificate that nothing serves, in this process."""

    def __init__(self, mockup, folder, authority):
        self.folder, self.authority = folder, authority
        self.served = ServedCertificate(folder)
        self.served.pair()
        self.bmc = Bmc(build_service(Settings(mockup=mockup, clock="manual"), served=self.served))
        self.collection = CERTIFICATES[mockup]
        self.uri = f"{self.collection}/1"

    def post(self, uri, body):
        return self.bmc.post(uri, body)

    def replace(self, text, **more):
        body = {"CertificateString": text, "CertificateType": "PEM", "CertificateUri": {"@odata.id": self.uri}}
        return self.post(REPLACE, {**body, **more})

    def request(self, **more):
        body = {"CommonName": "bmc.lab", "CertificateCollection": {"@odata.id": self.collection}}
        return self.post(GENERATE, {**body, **more})

    def files(self):
        found = sorted(path for path in self.folder.rglob("*") if path.is_file())
        return {str(path.relative_to(self.folder)): path.read_bytes() for path in found}


@pytest.fixture(scope="module")
def authority():
    return Authority()


@pytest.fixture(scope="module", params=list(CERTIFICATES))
def any_world(request, tmp_path_factory, authority):
    return World(request.param, tmp_path_factory.mktemp("tls"), authority)


@pytest.fixture(scope="module")
def world(tmp_path_factory, authority):
    return World("rack-server", tmp_path_factory.mktemp("tls"), authority)


@pytest.fixture
def fresh(tmp_path, authority):
    return World("rack-server", tmp_path, authority)


def test_the_certificate_is_found_from_the_root_and_from_the_network_protocol(any_world):
    bmc, uri = any_world.bmc, any_world.uri
    assert bmc.get("/redfish/v1").body["CertificateService"] == {"@odata.id": SERVICE}
    locations = bmc.get(bmc.get(SERVICE).body["CertificateLocations"]["@odata.id"]).body["Links"]
    assert (locations["Certificates"], locations["Certificates@odata.count"]) == ([{"@odata.id": uri}], 1)
    protocol = bmc.get(any_world.collection.removesuffix("/HTTPS/Certificates")).body
    assert protocol["HTTPS"]["Certificates"] == {"@odata.id": any_world.collection}
    assert bmc.get(any_world.collection).body["Members"] == [{"@odata.id": uri}]
    info = bmc.get(bmc.get(SERVICE).body["Actions"]["#CertificateService.GenerateCSR"]["@Redfish.ActionInfo"]).body
    assert {entry["Name"] for entry in info["Parameters"] if entry["Required"]} == {
        "CommonName",
        "CertificateCollection",
    }


def test_the_certificate_is_what_the_file_holds(world):
    shown = world.bmc.get(world.uri).body
    pem = (world.folder / "certificate.pem").read_text()
    found = x509.load_pem_x509_certificate(pem.encode())
    assert shown["CertificateString"] == pem
    assert int(shown["SerialNumber"].replace(":", ""), 16) == found.serial_number
    assert shown["Subject"]["CommonName"] == shown["Issuer"]["CommonName"] == "jobfish"
    assert shown["Subject"]["AlternativeNames"] == ["localhost", "127.0.0.1", "::1"]
    assert shown["ValidNotAfter"] == found.not_valid_after_utc.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert len(shown["Fingerprint"].split(":")) == 32
    assert "PRIVATE" not in str(shown)


def test_what_is_shown_follows_the_file_at_once(fresh):
    before = fresh.bmc.get(fresh.uri)
    certificate, key = fresh.authority.pair()
    assert fresh.replace(certificate + key).status == 204
    after = fresh.bmc.get(fresh.uri)
    assert (after.body["CertificateString"], after.body["Issuer"]["CommonName"]) == (certificate, "Test Authority")
    assert before.headers["ETag"] != after.headers["ETag"]


def test_a_chain_is_shown_whole(fresh):
    certificate, key = fresh.authority.pair()
    assert fresh.replace(key + certificate + fresh.authority.pem, CertificateType="PEMchain").status == 204
    shown = fresh.bmc.get(fresh.uri).body
    assert shown["CertificateType"] == "PEMchain"
    assert shown["CertificateString"] == certificate + fresh.authority.pem


def test_a_request_holds_what_was_asked_and_its_certificate_needs_no_key(fresh):
    told = fresh.request(
        Organization="Lab", Country="DE", Email="a@lab", KeyUsage=["DigitalSignature", "ServerAuthentication"],
        AlternativeNames=["bmc.lab", "DNS:bmc-1.lab", "192.0.2.1"], GivenName="A", ChallengePassword="c", UnstructuredName="u",
    )  # fmt: skip
    assert (told.status, told.body["CertificateCollection"]) == (200, {"@odata.id": fresh.collection})
    request = x509.load_pem_x509_csr(told.body["CSRString"].encode())
    assert request.is_signature_valid
    assert {"CN=bmc.lab", "O=Lab", "C=DE"} < set(request.subject.rfc4514_string().split(","))
    certificate = fresh.authority.sign(told.body["CSRString"])
    assert fresh.replace(certificate).status == 204
    shown = fresh.bmc.get(fresh.uri).body
    assert shown["Subject"]["AlternativeNames"] == ["bmc.lab", "bmc-1.lab", "192.0.2.1"]
    assert shown["KeyUsage"] == ["DigitalSignature", "ServerAuthentication"]
    assert (shown["Subject"]["Email"], shown["Subject"]["Organization"]) == ("a@lab", "Lab")


@pytest.mark.parametrize(
    ("wanted", "kind", "size"),
    [
        ({}, ec.EllipticCurvePublicKey, 256),
        ({"KeyPairAlgorithm": "TPM_ALG_ECDSA", "KeyCurveId": "TPM_ECC_NIST_P384"}, ec.EllipticCurvePublicKey, 384),
        ({"KeyPairAlgorithm": "TPM_ALG_RSA"}, rsa.RSAPublicKey, 2048),
        ({"KeyBitLength": 2048}, rsa.RSAPublicKey, 2048),
    ],
)
def test_keys_are_of_the_kind_that_is_asked_for(world, wanted, kind, size):
    public = x509.load_pem_x509_csr(world.request(**wanted).body["CSRString"].encode()).public_key()
    assert isinstance(public, kind)
    assert public.key_size == size


def test_renew_asks_for_the_same_key_and_rekey_for_another(fresh):
    own = x509.load_pem_x509_certificate((fresh.folder / "certificate.pem").read_bytes())
    for action, same in (("Renew", True), ("Rekey", False)):
        told = fresh.post(f"{fresh.uri}/Actions/Certificate.{action}", {})
        assert (told.status, told.body["Certificate"]) == (200, {"@odata.id": fresh.uri})
        request = x509.load_pem_x509_csr(told.body["CSRString"].encode())
        assert request.subject == own.subject
        assert (request.public_key() == own.public_key()) is same
        assert fresh.replace(fresh.authority.sign(told.body["CSRString"])).status == 204


def test_a_post_to_the_collection_takes_the_place_of_the_certificate(any_world):
    certificate, key = any_world.authority.pair("posted.lab")
    body = {"CertificateString": certificate + key, "CertificateType": "PEM"}
    told = any_world.post(any_world.collection, body)
    assert (told.status, told.headers["Location"]) == (201, any_world.uri)
    assert told.body["Subject"]["CommonName"] == "posted.lab"
    assert any_world.bmc.get(any_world.collection).body["Members@odata.count"] == 1


def test_an_encrypted_key_comes_with_its_password_and_is_kept_for_its_owner_alone(fresh):
    key = new_key()
    text = fresh.authority.certificate(key) + key_text(key, "sesame")
    assert fresh.replace(text, Password="sesame").status == 204
    (kept,) = (fresh.folder / "keys").iterdir()
    assert kept.stat().st_mode & 0o077 == 0
    assert not (fresh.folder / "key.pem").exists(), "nobody needs the key of the certificate before any more"


def test_keys_that_wait_are_the_last_ones(fresh):
    requests = [fresh.request().body["CSRString"] for _ in range(PENDING_MAX + 1)]
    assert len(list((fresh.folder / "keys").iterdir())) == PENDING_MAX
    refused = fresh.replace(fresh.authority.sign(requests[0]))
    assert (refused.status, refused.message_ids) == (400, ["Jobfish.CertificateNotUsable"])
    assert fresh.replace(fresh.authority.sign(requests[1])).status == 204


def test_a_certificate_that_the_server_cannot_use_changes_nothing(fresh):
    def refuse(*_):
        raise CertificateError("the TLS library of this server cannot use it")

    fresh.served.try_out = refuse
    before = fresh.files()
    assert fresh.replace("".join(fresh.authority.pair())).message_ids == ["Jobfish.CertificateNotUsable"]
    assert fresh.files() == before


def mismatched(authority):
    return authority.pair()[0] + authority.pair()[1]


def of_curve(authority, curve):
    key = ec.generate_private_key(curve)
    return authority.certificate(key) + key_text(key)


def encrypted(authority):
    key = new_key()
    return authority.certificate(key) + key_text(key, "sesame")


NOT_USABLE = [
    # situation, what is sent, what the message says
    ("nothing", lambda a: "hello", "no certificate in PEM"),
    ("a key alone", lambda a: a.pair()[1], "no certificate in PEM"),
    ("a broken certificate", lambda a: a.pair()[0].replace("MII", "AAA", 1), "malformed"),
    ("a broken key", lambda a: a.pair()[0] + a.pair()[1].replace("M", "A"), "private key that was sent with it is malformed"),
    ("half a key", lambda a: a.pair()[0] + a.pair()[1][:60], "private key that was sent with it is malformed"),
    ("another one's key", mismatched, "is not the certificate's"),
    ("no key that is known", lambda a: a.pair()[0], "no private key is known"),
    ("expired", lambda a: "".join(a.pair(first=-9, last=-1)), "it expired at"),
    ("not valid yet", lambda a: "".join(a.pair(first=1)), "it is not valid before"),
    ("two that have nothing to do with each other", lambda a: a.pair()[0] + "".join(a.pair()), "are no chain"),
    ("too many", lambda a: a.pair()[0] * 11, "at most 10"),
    ("a curve that is not served", lambda a: of_curve(a, ec.SECP521R1()), "its key has to be"),
    ("a key whose password is missing", encrypted, "cannot be decrypted"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "why"), [row[1:] for row in NOT_USABLE], ids=[row[0] for row in NOT_USABLE])
def test_a_certificate_that_cannot_be_used_changes_nothing(world, authority, text, why):
    before, sent = world.files(), text(authority)
    for refused in (
        world.replace(sent),
        world.post(world.collection, {"CertificateString": sent, "CertificateType": "PEM"}),
    ):
        assert (refused.status, refused.message_ids) == (400, ["Jobfish.CertificateNotUsable"])
        assert why in refused.info[0]["Message"]
        assert not any(line in str(refused.body) for line in sent.splitlines() if len(line) > 40)
    assert world.files() == before


ELSEWHERE = {"@odata.id": "/redfish/v1/Managers/bmc"}
BAD_BODIES = [
    # action, what is changed in a good body (None: left out), messages
    ("generate", {"CommonName": None}, ["Base.ActionParameterMissing"]),
    ("generate", {"CertificateCollection": ELSEWHERE}, ["Base.ActionParameterValueError"]),
    ("generate", {"Country": "Germany"}, ["Base.ActionParameterValueFormatError"]),
    ("generate", {"KeyPairAlgorithm": "DSA"}, ["Base.ActionParameterValueNotInList"]),
    ("generate", {"KeyBitLength": 1024}, ["Base.ActionParameterValueNotInList"]),
    ("generate", {"KeyPairAlgorithm": "TPM_ALG_ECDSA", "KeyBitLength": 2048}, ["Base.ActionParameterNotSupported"]),
    ("generate", {"KeyPairAlgorithm": "TPM_ALG_RSA", "KeyCurveId": "TPM_ECC_NIST_P256"}, ["Base.ActionParameterNotSupported"]),
    ("generate", {"AlternativeNames": ["münchen"]}, ["Jobfish.CertificateRequestNotPossible"]),
    ("generate", {"Colour": "red"}, ["Base.ActionParameterUnknown"]),
    ("replace", {"CertificateUri": ELSEWHERE}, ["Base.ActionParameterValueError"]),
    ("replace", {"CertificateType": "PKCS7"}, ["Base.ActionParameterValueNotInList"]),
    ("replace", {"CertificateString": 5}, ["Base.ActionParameterValueTypeError"]),
    ("replace", {"CertificateString": None}, ["Base.ActionParameterMissing"]),
]  # fmt: skip


@pytest.mark.parametrize(("action", "change", "messages"), BAD_BODIES)
def test_bad_parameters_are_refused_and_nothing_changed(world, authority, action, change, messages):
    body = {
        "generate": {"CommonName": "bmc.lab", "CertificateCollection": {"@odata.id": world.collection}},
        "replace": {
            "CertificateString": "".join(authority.pair()),
            "CertificateType": "PEM",
            "CertificateUri": {"@odata.id": world.uri},
        },
    }[action]
    body = {name: value for name, value in {**body, **change}.items() if value is not None}
    before = world.files()
    refused = world.post({"generate": GENERATE, "replace": REPLACE}[action], body)
    assert (refused.status, refused.message_ids) == (400, messages)
    assert world.files() == before


def test_readers_see_the_service_and_only_managers_of_the_controller_the_certificates(world):
    reader = Bmc(world.bmc.service, ("readonly", "readonly"))
    assert reader.get(SERVICE).status == 200
    for uri in (world.uri, world.collection, f"{SERVICE}/CertificateLocations"):
        assert reader.get(uri).status == 403
    assert reader.post(GENERATE, {}).status == 403


def test_all_controllers_of_a_fleet_show_the_one_certificate_of_the_socket(tmp_path, authority):
    served = ServedCertificate(tmp_path)
    served.pair()
    service = build_service(Settings(mockup="rack-server", clock="manual", controllers=2), served=served)
    uri = f"{CERTIFICATES['rack-server']}/1"
    bmcs = [Bmc(service, host=f"127.0.0.{number}") for number in (1, 2)]
    assert bmcs[0].get(uri).body == bmcs[1].get(uri).body
    certificate, key = authority.pair()
    body = {"CertificateString": certificate + key, "CertificateType": "PEM"}
    assert bmcs[1].post(CERTIFICATES["rack-server"], body).status == 201
    assert [bmc.get(uri).body["CertificateString"] for bmc in bmcs] == [certificate] * 2


def test_over_plain_http_there_is_no_certificate(rack):
    collection = CERTIFICATES["rack-server"]
    assert rack.get(collection).body["Members"] == []
    assert rack.get(f"{collection}/1").status == 404
    assert rack.get(f"{SERVICE}/CertificateLocations").body["Links"]["Certificates"] == []
    body = {"CommonName": "bmc.lab", "CertificateCollection": {"@odata.id": collection}}
    assert rack.post(GENERATE, body).message_ids == ["Base.ServiceDisabled"]
