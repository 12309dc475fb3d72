"""Discovery over real sockets on 127.0.0.1: who is found, by whom, and how much is said."""

from __future__ import annotations

import re
import socket
from contextlib import contextmanager

import pytest
import requests
from conftest import Bmc

from emulator.app import build_service
from emulator.formats.ssdp import SERVICE, Found
from emulator.runtime.discovery import Bucket, Discovery, Place, Told, parse_place, told
from emulator.settings import Settings

SEARCH = f'M-SEARCH * HTTP/1.1\r\nHost: x\r\nMan: "ssdp:discover"\r\nST: {SERVICE}\r\nMX: 1\r\n\r\n'.encode()
GROUP = "239.255.255.250"


def has_group():
    """Whether datagrams to the group come back on loopback: not on every system, nor in every container."""
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as heard,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as said,
    ):
        try:
            heard.bind(("", 0))
            heard.settimeout(1)
            loopback = socket.inet_aton("127.0.0.1")
            heard.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton(GROUP) + loopback)
            said.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, loopback)
            said.sendto(b"x", (GROUP, heard.getsockname()[1]))
            return heard.recv(1) == b"x"
        except OSError:
            return False


with_group = pytest.mark.skipif(not has_group(), reason="there is no multicast on loopback here")


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
        made.bind(("127.0.0.1", 0))
        return made.getsockname()[1]


class Searcher:
    def __init__(self, port):
        self._port = port
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("127.0.0.1"))
        self._socket.settimeout(10)

    def ask(self, datagram=SEARCH, host="127.0.0.1"):
        self._socket.sendto(datagram, (host, self._port))

    def hear(self):
        return self._socket.recvfrom(2048)[0].decode()

    def found(self):
        """uuid -> URL of the next answer."""
        text = self.hear()
        return re.search(r"USN: uuid:([0-9a-f-]+)::", text)[1], re.search(r"AL: (\S+)\r\n", text)[1]

    def close(self):
        self._socket.close()


@contextmanager
def discovered(discovery, port):
    discovery.start()
    searcher = Searcher(port)
    try:
        yield searcher
    finally:
        searcher.close()
        discovery.stop()


def told_of(number, _):
    return Told(Found(f"cafe-{number}", 18, f"https://127.0.0.{number}/redfish/v1/"), 0, 2)


def make(port, tell=told_of, controllers=1, is_allowed=lambda _: True):
    return Discovery([parse_place(f"127.0.0.1:{port}")], controllers, tell, is_allowed)


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", pytest.param(GROUP, marks=with_group)],
)
def test_a_search_to_the_address_or_to_the_group_is_answered(host):
    port = free_port()
    with discovered(make(port), port) as searcher:
        searcher.ask(host=host)
        assert f"ST: {SERVICE}:18" in searcher.hear()


def test_each_controller_of_a_fleet_is_found_while_its_network_protocol_says_so():
    port = free_port()
    service = build_service(Settings(mockup="rack-server", clock="manual", controllers=3, ssdp=(f"127.0.0.1:{port}",)))
    with discovered(service.discover(8443), port) as searcher:
        searcher.ask()
        found = dict(searcher.found() for _ in range(3))
    expected = {}
    for number in (1, 2, 3):
        bmc = Bmc(service, host=f"127.0.0.{number}")
        expected[bmc.get("/redfish/v1").body["UUID"]] = f"https://127.0.0.{number}:8443/redfish/v1/"
        shown = bmc.get("/redfish/v1/Managers/bmc/NetworkProtocol").body["SSDP"]["ProtocolEnabled"]
        assert shown is True, "--ssdp enables it from the beginning"
    assert found == expected


def test_who_is_not_enabled_or_not_meant_or_not_allowed_is_silent():
    port, asked = free_port(), []

    def tell(number, address):
        asked.append(number)
        return told_of(number, address) if number == 2 else None

    with discovered(make(port, tell, controllers=2), port) as searcher:
        searcher.ask(b"nonsense")
        searcher.ask(SEARCH.replace(b"rest:1", b"rest:2"))
        asked.clear()
        searcher.ask()
        assert searcher.found()[0] == "cafe-2", "the first answer is to the last search"
    with discovered(make(port, is_allowed=lambda _: False), port) as searcher:
        searcher._socket.settimeout(0.1)
        searcher.ask()
        with pytest.raises(TimeoutError):
            searcher.hear()


def test_an_error_of_one_controller_is_its_own():
    port = free_port()

    def tell(number, address):
        if number == 1:
            raise RuntimeError("broken")
        return told_of(number, address)

    with discovered(make(port, tell, controllers=2), port) as searcher:
        searcher.ask()
        assert searcher.found()[0] == "cafe-2"


def test_so_many_datagrams_leave_in_a_second_and_no_more():
    now = [0.0]
    bucket = Bucket(3, lambda: now[0])
    assert [bucket.take() for _ in range(5)] == [True, True, True, False, False]
    now[0] = 0.5
    assert [bucket.take() for _ in range(3)] == [True, False, False]
    now[0] = 100.0
    assert sum(bucket.take() for _ in range(9)) == 3


@with_group
def test_announcements_come_at_the_interval():
    port = free_port()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as heard:
        heard.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        heard.bind((GROUP, port))
        heard.setsockopt(
            socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton(GROUP) + socket.inet_aton("127.0.0.1")
        )
        heard.settimeout(10)
        with discovered(make(port, lambda *at: told_of(*at)._replace(interval=1)), port):
            first, second = heard.recv(2048), heard.recv(2048)
    assert first == second
    assert first.startswith(b"NOTIFY * HTTP/1.1\r\n")


ROOT = {"UUID": "6B0C1F0E-52A7-4D19-9C3E-8F1D64A20B71", "RedfishVersion": "1.18.0"}


@pytest.mark.parametrize(
    ("root", "ssdp", "expected"),
    [
        (ROOT, {"ProtocolEnabled": True}, (18, 0, 2, "ff02::c")),
        (
            ROOT,
            {"ProtocolEnabled": True, "NotifyMulticastIntervalSeconds": 600, "NotifyTTL": 5, "NotifyIPv6Scope": "Site"},
            (18, 600, 5, "ff05::c"),
        ),
        ({**ROOT, "RedfishVersion": "1"}, {"ProtocolEnabled": True}, (0, 0, 2, "ff02::c")),
        (ROOT, {"ProtocolEnabled": False}, None),
        (ROOT, None, None),
        ({}, {"ProtocolEnabled": True}, None),
    ],
)
def test_what_a_controller_lets_be_known(root, ssdp, expected):
    got = told(root, {"SSDP": ssdp}, "https://x/redfish/v1/")
    assert (got and (got.found.minor, *got[1:])) == expected
    assert got is None or got.found.uuid == ROOT["UUID"].lower()


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("127.0.0.1", ("127.0.0.1", 1900)),
        ("127.0.0.1:1901", ("127.0.0.1", 1901)),
        ("::1", ("::1", 1900)),
        ("[::1]:1901", ("::1", 1901)),
        ("lo", None),
        ("127.0.0.1:", None),
        ("127.0.0.1:0", None),
        ("127.0.0.1:70000", None),
        ("", None),
    ],
)
def test_places(text, place):
    if place is None:
        with pytest.raises(ValueError):
            parse_place(text)
    else:
        found = parse_place(text)
        assert (str(found.address), found.port) == place
        assert isinstance(found, Place)


def test_it_is_off_unless_asked_for():
    service = build_service(Settings(mockup="rack-server", clock="manual"))
    assert service.discover(8443) is None
    assert Bmc(service).get("/redfish/v1/Managers/bmc/NetworkProtocol").body["SSDP"]["ProtocolEnabled"] is False


def test_the_command_lets_itself_be_found(serve):
    port = free_port()
    process = serve("--mockup", "rack-server", "--state", "memory", "--ssdp", f"127.0.0.1:{port}")
    assert f"found on 127.0.0.1:{port}" in process.banner
    searcher = Searcher(port)
    searcher.ask()
    uuid, url = searcher.found()
    searcher.close()
    assert url == f"{process.url}/redfish/v1/"
    assert requests.get(url, verify=False, timeout=10).json()["UUID"] == uuid
