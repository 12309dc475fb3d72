"""Where the emulator lets itself be sent: only to networks that were named, however the place is spelled.

What a server may do on the way (redirects, names that resolve elsewhere, endless answers) is in
tests/runtime/test_transfer.py. Here nothing may even be connected to.
"""

from __future__ import annotations

import socket
from typing import Any

import pytest
from conftest import Bmc
from web_share import let_it_transfer

from emulator.runtime.networks import LOOPBACK, Networks
from emulator.runtime.transfer import TransferError, fetch

METADATA_SERVICE = "169.254.169.254"
ELSEWHERE = [
    f"http://{METADATA_SERVICE}/latest/meta-data",
    "http://192.0.2.1/x",
    "http://3221225985/x",
    "http://0xC0000201/x",
    "http://0xc0.0x0.0x2.0x1/x",
    "http://0300.0.02.01/x",
    "http://192.0.513/x",
    "http://[::ffff:192.0.2.1]/x",
    "http://[::ffff:c000:201]/x",
    "http://[2002:c000:201::]/x",
    "http://[64:ff9b::c000:201]/x",
    "http://[fe80::1]/x",
    "http://[fe80::1%25lo]/x",
    "http://[::]/x",
    "http://[::ffff:0.0.0.0]/x",
    "http://0/x",
    "http://0.0.0.0/x",
    "http://00000000000/x",
    "http://127.0.0.1@192.0.2.1/x",
    "http://127.0.0.1:80@192.0.2.1/x",
    "http://127.0.0.1%2f@192.0.2.1/x",
    "http://192.0.2.1#@127.0.0.1/x",
    "http://192.0.2.1?@127.0.0.1/x",
    "http://192.0.2.1\\@127.0.0.1/x",
    "http://127.0.0.1\\@192.0.2.1/x",
    "http:\\\\192.0.2.1/x",
    "http:///192.0.2.1/x",
    "http:192.0.2.1/x",
    "//192.0.2.1/x",
    "http://127.0.0.1 192.0.2.1/x",
    "http://127.0.0.1\t@192.0.2.1/x",
    "http://127.0.0.1\r\nHost: 192.0.2.1/x",
    "http://\uff11\uff19\uff12.0.2.1/x",
    "http://\u2460\u2468\u2461.0.2.1/x",
    "http://192\u30020\u30022\u30021/x",
    "http://127.0.0.1.nip.test/x",
    "http://localhost.evil.test/x",
    "http://255.255.255.255/x",
    "http://224.0.0.1/x",
    "http://10.0.0.1/x",
    "gopher://127.0.0.1:25/x",
    "file:///etc/passwd",
    "file://127.0.0.1/etc/passwd",
    "ftp://127.0.0.1/x",
    "dict://127.0.0.1:11211/stat",
    "unix:///run/docker.sock",
    "http+unix://%2frun%2fdocker.sock/x",
    "jar:http://127.0.0.1!/x",
    "javascript:alert(1)",
    "data:text/plain,x",
    "",
    " ",
    "\0",
    "http://\0",
    "http://[",
    "http://]",
    "http://127.0.0.1:-1/x",
    "http://127.0.0.1:65536/x",
    "http://127.0.0.1:8\u0660/x",
    "http://" + "a" * 5000,
    "http://" + "a." * 5000,
]


@pytest.fixture
def connected(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Whatever a connection is tried to. No name is asked for elsewhere: those that are no addresses are unknown."""
    tried: list[Any] = []
    asked = socket.getaddrinfo

    def numeric(host: Any, port: Any, *args: Any, **options: Any) -> Any:
        return asked(host, port, *args, **{**options, "flags": socket.AI_NUMERICHOST})

    def connect(self: socket.socket, address: Any) -> None:
        tried.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "getaddrinfo", numeric)
    monkeypatch.setattr(socket.socket, "connect", connect)
    return tried


@pytest.mark.parametrize("uri", ELSEWHERE, ids=ascii)
def test_nothing_is_fetched_from_elsewhere_however_it_is_spelled(connected: list[Any], uri: str) -> None:
    with pytest.raises(TransferError) as refused:
        fetch(uri, lambda *_: None, networks=Networks.of(LOOPBACK), bytes_max=100)
    assert "\n" not in str(refused.value)
    assert not [place for place in connected if not str(place[0]).startswith(("127.", "::1"))]


@pytest.mark.parametrize(
    "uri",
    ["http://127.0.0.1/x", "http://127.1/x", "http://2130706433/x", "http://[::1]/x", "http://[::ffff:127.0.0.1]/x"],
)
def test_spellings_of_loopback_lead_there(connected: list[Any], uri: str) -> None:
    with pytest.raises(TransferError, match=r"refused the connection|cannot be reached|cut the connection"):
        fetch(uri, lambda *_: None, networks=Networks.of(LOOPBACK), bytes_max=100)
    assert connected


def test_a_service_that_is_told_to_fetch_refuses_or_fails_its_job(bmc: Bmc, connected: list[Any]) -> None:
    update = "/redfish/v1/UpdateService/Actions/UpdateService.SimpleUpdate"
    for uri in ELSEWHERE:
        before = bmc.state()
        answer = bmc.post(update, {"ImageURI": uri, "TransferProtocol": "HTTP"})
        assert answer.status in (202, 400), uri
        if answer.status == 400:
            assert bmc.state() == before
        else:
            let_it_transfer(bmc)
    assert not [place for place in connected if not str(place[0]).startswith(("127.", "::1"))]
