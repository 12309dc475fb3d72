"""TLS over real sockets: the certificate that is replaced under way, the versions, and clients that need one."""

from __future__ import annotations

import json
import socket
import ssl
import threading
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from cryptography.hazmat.primitives.asymmetric import ec
from pki import Authority, key_text, new_key

from emulator.formats.x509 import CertificateError
from emulator.server import check_servable

SERVICE = "/redfish/v1/CertificateService/Actions/CertificateService"
COLLECTION = "/redfish/v1/Managers/bmc/NetworkProtocol/HTTPS/Certificates"
USER = ("root", "calvin")


@pytest.fixture(scope="module")
def authority():
    return Authority()


def connect(port, *, maximum=None, pair=None):
    """A TLS connection that trusts anybody."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if maximum is not None:
        context.maximum_version = maximum
    if pair is not None:
        context.load_cert_chain(*pair)
    secure = context.wrap_socket(socket.create_connection(("127.0.0.1", port), 5))
    secure.settimeout(10)
    return secure


def shown(port):
    """What a new connection is shown, PEM."""
    with connect(port) as secure:
        return ssl.DER_cert_to_PEM_cert(secure.getpeercert(True)).strip()


def post(process, uri, body):
    return requests.post(process.url + uri, json=body, auth=USER, verify=False, timeout=30)


def replace(process, text):
    where = {"@odata.id": f"{COLLECTION}/1"}
    body = {"CertificateString": text, "CertificateType": "PEM", "CertificateUri": where}
    return post(process, f"{SERVICE}.ReplaceCertificate", body)


def test_a_replaced_certificate_is_served_while_requests_are_under_way_and_after_a_kill(serve, tmp_path, authority):
    arguments = ("--mockup", "rack-server", "--state", str(tmp_path))
    process = serve(*arguments)
    before = shown(process.port)
    p521 = ec.generate_private_key(ec.SECP521R1())
    for text in ("".join(unservable(authority)), authority.certificate(p521) + key_text(p521), "hello"):
        assert replace(process, text).status_code == 400
        assert shown(process.port) == before
    # a request whose body has not come yet, and callers who do not stop asking
    slow = connect(process.port)
    body = json.dumps({"UserName": "root", "Password": "calvin"}).encode()
    head = f"POST /redfish/v1/SessionService/Sessions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    slow.sendall(head.encode() + body[:5])
    done = threading.Event()

    def ask():
        answers = []
        while not done.is_set():
            with requests.Session() as client:
                client.mount("https://", requests.adapters.HTTPAdapter(max_retries=1))
                answers.append(client.get(f"{process.url}/redfish/v1", verify=False, timeout=10).status_code)
        return answers

    with ThreadPoolExecutor(2) as pool:
        asked = [pool.submit(ask) for _ in range(2)]
        told = post(
            process,
            f"{SERVICE}.GenerateCSR",
            {"CommonName": "bmc.lab", "CertificateCollection": {"@odata.id": COLLECTION}},
        )
        signed = authority.sign(told.json()["CSRString"])
        assert replace(process, signed).status_code == 204
        seen = {shown(process.port) for _ in range(10)}
        done.set()
        assert {status for answers in asked for status in answers.result()} == {200}
    assert seen == {signed.strip()} != {before}
    slow.sendall(body[5:])
    assert slow.recv(65536).startswith(b"HTTP/1.1 201")
    slow.close()
    process.kill()
    again = serve(*arguments)
    assert shown(again.port) == signed.strip()
    ca = tmp_path / "ca.pem"
    ca.write_text(authority.pem)
    trusting = ssl.create_default_context(cafile=ca)
    trusting.check_hostname = False
    opened = urllib.request.urlopen(f"{again.url}/redfish/v1", context=trusting, timeout=10)
    assert opened.status == 200
    assert not any("PRIVATE" in text for text in (process.banner, again.banner, told.text))


def unservable(authority):
    """OpenSSL takes it; the server's library knows no such extension and would end the process."""
    from cryptography import x509

    key = new_key()
    strange = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4.5"), b"\x05\x00")
    return authority.certificate(key, extensions=[(strange, True)]), key_text(key)


def test_a_certificate_that_would_end_the_server_is_found_out_elsewhere(tmp_path, authority):
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    for pair, works in ((authority.pair(), True), (unservable(authority), False)):
        certificate.write_text(pair[0])
        key.write_text(pair[1])
        if works:
            check_servable(certificate, key)
        else:
            with pytest.raises(CertificateError, match="cannot use it"):
                check_servable(certificate, key)


def test_clients_without_a_certificate_of_the_authority_get_no_connection(serve, tmp_path, authority):
    ca = tmp_path / "ca.pem"
    ca.write_text(authority.pem)
    pairs = {}
    for name, signer in (("ours", authority), ("theirs", Authority())):
        certificate, key = signer.pair(name)
        pairs[name] = (tmp_path / f"{name}.pem", tmp_path / f"{name}.key")
        pairs[name][0].write_text(certificate)
        pairs[name][1].write_text(key)
    process = serve("--mockup", "rack-server", "--state", "memory", "--client-ca", str(ca), "--tls-min", "1.3")
    request = b"GET /redfish/v1/Systems HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    for pair in (None, pairs["theirs"]):
        # with TLS 1.3 the client hears of it when it reads
        with pytest.raises((ssl.SSLError, ConnectionError)), connect(process.port, pair=pair) as secure:
            secure.sendall(request)
            secure.recv(100)
    with connect(process.port, pair=pairs["ours"]) as secure:
        secure.sendall(request)
        assert secure.recv(100).startswith(b"HTTP/1.1 401"), "the certificate opens the connection, and nothing more"
    with pytest.raises((ssl.SSLError, ConnectionError)):
        connect(process.port, maximum=ssl.TLSVersion.TLSv1_2, pair=pairs["ours"])
