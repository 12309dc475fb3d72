"""The command: what a person sees, and what is refused before anything is served."""

from __future__ import annotations

import re
import socket
import ssl
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import pytest
import requests
from conftest import REPOSITORY

from emulator.data import data_folder
from emulator.settings import SETTINGS


def jobfish(*arguments, environment=None):
    import os

    return subprocess.run(
        [sys.executable, "-m", "emulator", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, **(environment or {})},
    )


def test_help_lists_every_setting():
    shown = jobfish("serve", "--help").stdout
    for setting in SETTINGS:
        assert f"--{setting.name}" in shown


def test_the_readme_lists_every_setting():
    text = (REPOSITORY / "README.md").read_text()
    for setting in SETTINGS:
        row = f"| `--{setting.name}{' ' + setting.shown_as if setting.shown_as else ''}` | `{setting.environment}` |"
        assert (
            row.replace("PATH|NAME", r"PATH\|NAME")
            .replace("DIR|memory", r"DIR\|memory")
            .replace("1.2|1.3", r"1.2\|1.3")
            .replace("real|manual", r"real\|manual")
            in text
        ), setting.name


def test_the_banner_says_what_is_served_where_and_what_to_try(serve):
    process = serve("--state", "memory", "--fail", "BIOS.Setup.1-1/NumLock")
    for expected in ("lifecycle-server", process.url, "root (Administrator)", "BIOS.Setup.1-1", "in memory", "NumLock"):
        assert expected in process.banner
    curl = re.search(r"curl -sk -u (\S+):(\S+) (\S+)", process.banner)
    answer = requests.get(curl[3], auth=(curl[1], curl[2]), verify=False, timeout=10)
    assert (answer.status_code, answer.json()["Id"]) == (200, "System.Embedded.1")
    assert process.stop() == 0
    assert "stopped" in process.process.stdout.read()


def test_settings_come_from_the_environment_too(serve):
    process = serve(environment={"JOBFISH_STATE": "memory", "JOBFISH_MOCKUP": "rack-server", "JOBFISH_HTTP": "1"})
    assert process.scheme == "http"
    assert "rack-server" in process.banner


def test_tls_is_12_or_newer(serve):
    port = serve("--state", "memory").port
    for newest, works in (
        (ssl.TLSVersion.TLSv1_1, False),
        (ssl.TLSVersion.TLSv1_2, True),
        (ssl.TLSVersion.TLSv1_3, True),
    ):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.set_ciphers("DEFAULT:@SECLEVEL=0")
        context.maximum_version = newest
        try:
            with socket.create_connection(("127.0.0.1", port), 5) as raw, context.wrap_socket(raw):
                assert works, newest
        except (ssl.SSLError, ConnectionError):
            assert not works, newest


@pytest.mark.parametrize(
    ("more", "listening"),
    [
        ((), "127.0.0.1"),
        (("--controllers", "3"), "0.0.0.0"),  # one socket for all of 127/8, tied to the loopback device: see below
        (("--host", "0.0.0.0"), "0.0.0.0"),
    ],
)
def test_it_is_bound_to_loopback_unless_told_otherwise(serve, more, listening):
    table = Path("/proc/net/tcp")
    if not table.exists():
        pytest.skip("reads Linux's table of sockets")
    process = serve("--state", "memory", "--http", *more)
    rows = [line.split() for line in table.read_text().splitlines()[1:]]
    places = {row[1] for row in rows if row[3] == "0A" and int(row[1].partition(":")[2], 16) == process.port}
    assert {".".join(str(part) for part in bytes.fromhex(place[:8])[::-1]) for place in places} == {listening}
    assert "this machine's loopback only" in process.banner


@pytest.mark.skipif(sys.platform != "linux", reason="devices are Linux's")
def test_a_socket_for_all_of_loopback_is_tied_to_its_device():
    from emulator.server import open_socket

    for loopback_only, device in ((True, b"lo"), (False, b"")):
        with open_socket("0.0.0.0", 0, loopback_only=loopback_only) as listening:
            assert listening.getsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, 16).rstrip(b"\0") == device


REFUSALS = [
    # arguments, what the one line says
    (("--mockup", "no-such"), "no-such: there is no such file or folder, and the bundled mockups are lifecycle-server and rack-server"),
    (("--fail", "nonsense"), "'nonsense' is not of the form TARGET/STEP[=MESSAGE_ID]"),
    (("--rate", "0"), "--rate 0.0: more than 0"),
    (("--controllers", "0"), "--controllers 0: between 1 and"),
    (("--host", "not-an-address"), "not an IP address"),
    (("--port", "70000"), "--port 70000"),
    (("--client-ca", str(REPOSITORY / "README.md")), "README.md: no certificates in PEM"),
    (("--http", "--client-ca", str(REPOSITORY / "README.md")), "--client-ca needs HTTPS"),
    (("--ssdp", "lo"), "--ssdp lo: not of the form ADDRESS or ADDRESS:PORT"),
    (("--ssdp", "192.0.2.77:1"), "cannot be found by SSDP"),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "line"), REFUSALS, ids=[" ".join(row[0]) for row in REFUSALS])
def test_what_cannot_be_served_stops_the_start_with_one_line(arguments, line):
    ended = jobfish("serve", "--state", "memory", "--port", "0", *arguments)
    assert ended.returncode == 2
    assert line in ended.stderr
    assert len(ended.stderr.splitlines()) == 1
    assert ended.stdout == ""


def broken_json(folder):
    (folder / "redfish/v1/Systems/index.json").write_text('{"Members": [}')


def no_root(folder):
    (folder / "redfish/v1/index.json").unlink()


def bad_manifest(folder):
    (folder / "machine.toml").write_text('[timings]\npost_seconds = "long"\n')


def bad_toml(folder):
    (folder / "machine.toml").write_text("dialect = dell\n")


def lost_device(folder):
    manifest = folder / "machine.toml"
    manifest.write_text(manifest.read_text().replace("System.Embedded.1/Bios", "System.Embedded.1/Boss"))


def bad_registry(folder):
    (folder / "redfish/v1/Systems/System.Embedded.1/Bios/BiosRegistry/index.json").write_text(
        '{"@odata.type": "#AttributeRegistry.v1_4_0.AttributeRegistry", "Id": "BiosAttributeRegistry.v1_0_0",'
        ' "RegistryEntries": {"Attributes": [{"AttributeName": "X", "Type": "Colour"}]}}'
    )


BROKEN = [
    (broken_json, "redfish/v1/Systems/index.json: line 1 column"),
    (no_root, "no index.json in it is a service root"),
    (bad_manifest, "machine.toml: timings.post_seconds: 'long' is not of type 'number'"),
    (bad_toml, "machine.toml: Invalid value (at line 1"),
    (lost_device, "machine.toml: devices: /redfish/v1/Systems/System.Embedded.1/Boss: there is no such resource"),
    (bad_registry, "BiosRegistry: not an attribute registry"),
]


@pytest.mark.parametrize(("damage", "line"), BROKEN, ids=[row[0].__name__ for row in BROKEN])
def test_a_broken_mockup_or_manifest_names_file_and_place(tmp_path, damage, line):
    import shutil

    folder = tmp_path / "mine"
    shutil.copytree(data_folder("mockups") / "lifecycle-server", folder)
    damage(folder)
    ended = jobfish("serve", "--state", "memory", "--port", "0", "--mockup", str(folder))
    assert ended.returncode == 2
    assert str(folder) in ended.stderr
    assert line in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


def test_a_port_in_use_is_said_in_one_line(serve):
    port = serve("--state", "memory").port
    ended = jobfish("serve", "--state", "memory", "--port", str(port))
    assert (ended.returncode, len(ended.stderr.splitlines())) == (2, 1)
    assert f"cannot listen on 127.0.0.1 port {port}" in ended.stderr


def test_state_in_use_is_said_in_one_line(serve, tmp_path):
    serve("--state", str(tmp_path))
    ended = jobfish("serve", "--state", str(tmp_path), "--port", "0")
    assert (ended.returncode, len(ended.stderr.splitlines())) == (2, 1)
    assert "in use by another jobfish" in ended.stderr


def test_an_archive_of_a_mockup_is_served(serve, tmp_path):
    archive = tmp_path / "mine.tar.gz"
    with tarfile.open(archive, "w:gz") as packed:
        packed.add(data_folder("mockups") / "rack-server", "any/where")
    process = serve("--state", "memory", "--mockup", str(archive))
    assert "Bios: 100 attributes" in process.banner


def test_a_request_that_is_never_completed_does_not_hold_up_the_end(serve):
    process = serve("--state", "memory", "--http")
    with socket.create_connection(("127.0.0.1", process.port)) as silent:
        silent.sendall(b"POST /redfish/v1/SessionService/Sessions HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{")
        requests.get(f"{process.url}/redfish", timeout=5)  # by then the other has arrived
        began = time.monotonic()
        assert process.stop() == 0
        assert time.monotonic() - began < 10, "its body could have taken half a minute"
