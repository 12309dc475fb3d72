"""SSDP: what is a search, for whom it is meant, and what is answered."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.formats.ssdp import SERVICE, Found, announcement, answer, is_meant, read_search

FOUND = Found("6b0c1f0e-52a7-4d19-9c3e-8f1d64a20b71", 18, "https://127.0.0.1:8443/redfish/v1/")
SEARCH = 'M-SEARCH * HTTP/1.1\r\nHost: 239.255.255.250:1900\r\nMan: "ssdp:discover"\r\nST: %s\r\nMX: 3\r\n\r\n'


def test_a_search_is_read():
    assert read_search((SEARCH % SERVICE).encode()) == SERVICE
    assert read_search(b'M-SEARCH * HTTP/1.1\r\nst:ssdp:all\r\nMAN:"ssdp:discover"\r\n\r\n') == "ssdp:all"


@pytest.mark.parametrize(
    "datagram",
    [
        b"",
        b"\r\n\r\n",
        b"M-SEARCH * HTTP/1.1\r\n\r\n",
        (SEARCH % SERVICE).encode()[:-2],
        (SEARCH % SERVICE).encode().replace(b"M-SEARCH", b"NOTIFY"),
        (SEARCH % SERVICE).encode().replace(b"discover", b"alive"),
        (SEARCH % "").encode(),
        (SEARCH % SERVICE).encode().replace(b"MX: 3", b"MX"),
        (SEARCH % "\u00fc").encode(),
        (SEARCH % ("x" * 1024)).encode(),
    ],
)
def test_what_is_no_search_is_none(datagram):
    assert read_search(datagram) is None


@given(st.binary(max_size=1100))
def test_no_datagram_breaks_it(datagram):
    assert read_search(datagram) is None or datagram.startswith(b"M-SEARCH")


@pytest.mark.parametrize(
    ("target", "meant"),
    [
        ("ssdp:all", True),
        (SERVICE, True),
        (f"{SERVICE}:0", True),
        (f"{SERVICE}:18", True),
        (f"{SERVICE}:19", False),
        (f"{SERVICE}:", False),
        (f"{SERVICE}:x", False),
        (f"{SERVICE}0", False),
        ("upnp:rootdevice", False),
    ],
)
def test_whom_a_search_is_meant_for(target, meant):
    assert is_meant(target, FOUND) is meant


def test_what_is_told():
    start, *lines = answer(FOUND).decode().split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines if ": " in line)
    assert start == "HTTP/1.1 200 OK"
    assert headers == {
        "CACHE-CONTROL": "max-age=1800",
        "ST": f"{SERVICE}:18",
        "USN": f"uuid:{FOUND.uuid}::{SERVICE}:18",
        "AL": "https://127.0.0.1:8443/redfish/v1/",
    }
    assert Found(FOUND.uuid, 0, "").target == SERVICE, "a minor version of 0 is not said"
    said = announcement(FOUND, "ff02::c", 1900)
    assert said.startswith(b"NOTIFY * HTTP/1.1\r\nHOST: [ff02::c]:1900\r\n")
    assert b"NTS: ssdp:alive\r\n" in said
