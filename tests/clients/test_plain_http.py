"""What no library does for its users: bodies in pieces, straight over a socket."""

from __future__ import annotations

import pytest
import requests

SETTINGS = "/redfish/v1/Systems/System.Embedded.1/Bios/Settings"


def pieces(count):
    yield b'{"Attributes": {"AssetTag": "'
    for _ in range(count):
        yield b"x" * 1000
    yield b'"}}'


@pytest.mark.parametrize(("count", "status"), [(0, 200), (2, 400), (3000, 413)])
@pytest.mark.parametrize("path", [SETTINGS, "/jobfish/v1/faults"])
def test_a_body_in_pieces_is_read_and_bounded(served, path, count, status):
    method = "PATCH" if path == SETTINGS else "POST"
    answer = requests.request(
        method,
        served("lifecycle-server") + path,
        data=pieces(count),
        headers={"Content-Type": "application/json"},
        auth=("root", "calvin"),
        verify=False,
        timeout=20,
    )
    assert answer.status_code == (400 if path != SETTINGS and status == 200 else status)


@pytest.mark.parametrize("mebibytes", [2, 10])
def test_a_body_that_announces_too_much_is_refused_in_words(served, mebibytes):
    answer = requests.patch(
        served("lifecycle-server") + SETTINGS,
        data=b"x" * mebibytes * 2**20,
        headers={"Content-Type": "application/json"},
        auth=("root", "calvin"),
        verify=False,
        timeout=20,
    )
    assert answer.status_code == 413
    assert "PayloadTooLarge" in answer.text
