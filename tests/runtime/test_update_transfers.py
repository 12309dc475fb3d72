"""Updates of a real process: it may be killed while it downloads, serves many controllers, and never keeps an image."""

from __future__ import annotations

import socket
from base64 import b64encode
from itertools import chain
from pathlib import Path

import pytest
import requests
from images import BLOCK, eventually, package, serving
from remote import Remote

from emulator.formats.image import Filler, Header, write_image

SERVICE = "/redfish/v1/UpdateService"
SUPPLY_URI = "/redfish/v1/Chassis/System.Embedded.1/PowerSubsystem/PowerSupplies/PSU.Slot.1"
ROOT = ("root", "calvin")
MIB = 2**20
MORE_MIB = 40
"""How much more memory a process may take for an image, of whatever size."""


class Updated(Remote):
    """A controller in another process, and its updates."""

    def update(self, uri, **more):
        """The job that fetches an image for a power supply."""
        body = {"ImageURI": uri, "Targets": [SUPPLY_URI], **more}
        answer = self.ask("POST", f"{SERVICE}/Actions/UpdateService.SimpleUpdate", json=body)
        return answer.headers["Location"].rpartition("/")[2]

    def percent(self, job):
        return self.job(job)["PercentComplete"]

    def version(self):
        return self.ask("GET", SUPPLY_URI).json()["FirmwareVersion"]


@pytest.fixture
def images():
    with serving() as server:
        yield server


@pytest.mark.parametrize("end", ["kill", "stop"])
def test_a_download_is_begun_anew_when_the_process_has_ended(serve, tmp_path, images, end):
    uri, tap = images.tap("fw_9.9.9.bin", bytes(16 * BLOCK))
    arguments = ("--state", str(tmp_path), "--clock", "manual")
    first = serve(*arguments)
    bmc = Updated(first.url)
    job = bmc.update(uri)
    tap.wait_for_someone()
    tap.send(8 * BLOCK)
    eventually(lambda: bmc.percent(job), lambda percent: percent == 50)
    getattr(first, end)()
    again = Updated(serve(*arguments).url)
    tap.wait_for_someone()
    assert again.job(job)["JobState"] == "Downloading"
    tap.send(4 * BLOCK)
    eventually(lambda: again.percent(job), lambda percent: percent == 25)
    tap.send()
    eventually(lambda: again.job(job)["JobState"], lambda state: state != "Downloading")
    again.advance(60)
    assert (again.job(job)["JobState"], again.percent(job)) == ("Running", 50)
    again.advance(60)
    assert (again.job(job)["JobState"], again.version(), tap.asked) == ("Completed", "9.9.9", 2)


def test_an_installation_goes_on_where_it_was_when_the_process_was_killed(serve, tmp_path, images):
    arguments = ("--state", str(tmp_path), "--clock", "manual")
    first = serve(*arguments)
    bmc = Updated(first.url)
    job = bmc.update(images.add("new.img", package("PSU.Slot.1", "9.9.9", needs_reboot=False)))
    eventually(lambda: bmc.job(job)["JobState"], lambda state: state == "Running")
    bmc.advance(40)
    seen = bmc.job(job)
    assert seen["PercentComplete"] == 25
    first.kill()
    again = Updated(serve(*arguments).url)
    assert again.job(job) == seen
    again.advance(5)
    assert again.percent(job) == 37
    again.advance(75)
    assert (again.job(job)["JobState"], again.version()) == ("Completed", "9.9.9")


def test_many_controllers_are_updated_each_by_itself(serve, images):
    process = serve("--state", "memory", "--clock", "manual", "--controllers", "3")
    remotes = [Updated(f"{process.scheme}://127.0.0.{number}:{process.port}") for number in (1, 2, 3)]
    uris = [images.tap(f"fw_{number}.0.0.bin", bytes(4 * BLOCK)) for number in (1, 2, 3)]
    jobs = [bmc.update(uri) for bmc, (uri, _) in zip(remotes, uris, strict=True)]
    for number, (_, tap) in enumerate(uris, 1):
        tap.wait_for_someone()
        tap.send(number * BLOCK)
    for number, (bmc, job) in enumerate(zip(remotes, jobs, strict=True), 1):
        eventually(lambda bmc=bmc, job=job: bmc.percent(job), lambda seen, wanted=number * 25: seen == wanted)
    for bmc, job, (_, tap) in zip(remotes[:2], jobs, uris, strict=False):
        tap.send()
        eventually(lambda bmc=bmc, job=job: bmc.job(job)["JobState"], lambda state: state == "Running")
    remotes[1].advance(120)
    states = [bmc.job(job)["JobState"] for bmc, job in zip(remotes, jobs, strict=True)]
    assert states == ["Running", "Completed", "Downloading"]
    assert [bmc.version() for bmc in remotes] == ["00.1D.7D", "2.0.0", "00.1D.7D"]


class Stream:
    """A body that is made while it is sent; `requests` asks for its length."""

    def __init__(self, length, pieces):
        self.length = length
        self._pieces = filter(None, pieces)
        self._left = b""

    def __len__(self):
        return self.length

    def read(self, size=-1):
        self._left = self._left or next(self._pieces, b"")
        size = len(self._left) if size < 0 else size
        content, self._left = self._left[:size], self._left[size:]
        return content


class Beginning:
    """A file that keeps the first two lines of what is written to it."""

    def __init__(self):
        self.content = b""

    def write(self, piece):
        if self.content.count(b"\n") < 2:
            self.content += piece
        return len(piece)


def package_of(size, before=b"", after=b""):
    """A package for a power supply with so much filler, between what is before and after it in a form."""
    beginning = Beginning()
    write_image(beginning, Header("PSU.Slot.1", "9.9.9", False), Filler(size))
    head = before + beginning.content
    return Stream(len(head) + size + len(after), chain([head], Filler(size).chunks(), [after]))


def peak(process):
    """The most memory that a process has had, in MiB."""
    for line in Path(f"/proc/{process.process.pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise AssertionError("no VmHWM")


WAYS = [
    # mockup, URI, headers, status
    ("lifecycle-server", f"{SERVICE}/FirmwareInventory", {"If-Match": "*"}, 201),
    ("rack-server", f"{SERVICE}/HttpPush", {}, 202),
    ("lifecycle-server", f"{SERVICE}/MultipartUpload", {}, 202),
    ("lifecycle-server", f"{SERVICE}/Actions/UpdateService.SimpleUpdate", {}, 202),
]


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="there is no /proc here to read the peak from")
@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("way", WAYS, ids=[f"{way[0]} {way[1].rpartition('/')[2]}" for way in WAYS])
def test_an_image_larger_than_memory_may_be_is_never_kept(serve, images, scheme, way):
    mockup, uri, headers, status = way
    process = serve("--state", "memory", "--mockup", mockup, *(["--http"] if scheme == "http" else []))
    bmc = Updated(process.url)
    bmc.ask("GET", SERVICE)
    size = 200 * MIB
    before = peak(process)
    if uri.endswith("SimpleUpdate"):
        content = b"".join(iter(package_of(size).read, b""))
        job = bmc.update(images.add("new.img", content), Targets=[])
        eventually(lambda: bmc.job(job)["JobState"], lambda state: state != "Downloading")
        assert bmc.job(job)["JobState"] == "Running", bmc.job(job)["Message"]
    elif uri.endswith("MultipartUpload"):
        before_file = b'--x\r\nContent-Disposition: form-data; name="UpdateFile"; filename="new.img"\r\n\r\n'
        form = package_of(size, before_file, b"\r\n--x--\r\n")
        answer = bmc.ask("POST", uri, data=form, headers={"Content-Type": "multipart/form-data; boundary=x"})
        assert answer.status_code == status
        job = answer.headers["Location"].rpartition("/")[2]
        assert bmc.job(job)["JobState"] == "Running", bmc.job(job)["Message"]
    else:
        answer = bmc.ask(
            "POST", uri, data=package_of(size), headers={"Content-Type": "application/octet-stream", **headers}
        )
        assert answer.status_code == status
    assert peak(process) - before < MORE_MIB


CUT_SHORT = [
    # what was sent of a form or a body when the client went
    (f"{SERVICE}/HttpPush", "Content-Type: application/octet-stream\r\nContent-Length: 100000", b"some of it"),
    (f"{SERVICE}/MultipartUpload", "Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 100000", b"--x\r\nContent-Disposition: form-data; name=\"UpdateFile\"; filename=\"a\"\r\n\r\nsome"),
    (f"{SERVICE}/MultipartUpload", "Content-Type: multipart/form-data; boundary=x\r\nTransfer-Encoding: chunked", b"4\r\n--x\r\r\n"),
]  # fmt: skip


@pytest.mark.parametrize("row", CUT_SHORT, ids=["a body", "a form", "a form in chunks"])
def test_a_client_that_goes_while_it_sends_leaves_nothing_behind(serve, row):
    uri, headers, content = row
    process = serve("--state", "memory", "--mockup", "rack-server", "--http")
    bmc = Updated(process.url)
    bmc.ask("PATCH", SERVICE, json={"HttpPushUriTargets": [f"{SERVICE}/FirmwareInventory/psu-1"]})
    who = b64encode(":".join(ROOT).encode()).decode()
    with socket.create_connection(("127.0.0.1", process.port)) as connection:
        head = f"POST {uri} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Basic {who}\r\n{headers}\r\n\r\n"
        connection.sendall(head.encode() + content)
    assert bmc.ask("GET", "/redfish/v1/JobService/Jobs").json()["Members@odata.count"] == 0
    assert process.stop() == 0
    assert "Traceback" not in process.process.stdout.read()


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize(
    ("auth", "uri", "status"),
    [
        (("readonly", "readonly"), f"{SERVICE}/MultipartUpload", 403),
        (("root", "wrong"), f"{SERVICE}/FirmwareInventory", 401),
        (ROOT, f"{SERVICE}/FirmwareInventory", 428),
        (ROOT, f"{SERVICE}/MultipartUpload", 415),
    ],
)
def test_a_large_body_that_is_refused_is_answered(serve, scheme, auth, uri, status):
    process = serve("--state", "memory", *(["--http"] if scheme == "http" else []))
    for _ in range(3):
        answer = requests.post(
            process.url + uri,
            data=package_of(8 * MIB),
            auth=auth,
            headers={"Content-Type": "application/octet-stream"},
            verify=False,
            timeout=30,
        )
        assert answer.status_code == status
        assert answer.json()["error"]
