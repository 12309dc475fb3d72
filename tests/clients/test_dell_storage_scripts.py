"""Dell's own scripts for volumes and drives, unmodified, in processes of their own.

They belong to the distribution IdracRedfishSupport, which is not installed with the tests: whoever has it on the PATH
runs these too. They sleep a lot, so there are few runs.
"""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest
import requests
from storage_world import PLACES

SCRIPTS = shutil.which("CreateVirtualDiskREDFISH.py")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(SCRIPTS is None, reason="CreateVirtualDiskREDFISH.py is not on the PATH"),
]
CONTROLLER = "RAID.Integrated.1-1"
DRIVES = [f"Disk.Bay.{bay}:Enclosure.Internal.0-1:{CONTROLLER}" for bay in (6, 7)]
VOLUME = f"Disk.Virtual.2:{CONTROLLER}"


class Desk:
    """Runs scripts against a controller whose clock runs 120 times as fast."""

    def __init__(self, url, folder):
        self.url, self.folder = url, folder
        self.session = requests.Session()
        self.session.auth, self.session.verify = ("root", "calvin"), False

    def run(self, script, *arguments, token=False, stumbles=False):
        """What a script prints. One that `stumbles` over its own message has done what it was to do."""
        made = self.session.post(
            f"{self.url}/redfish/v1/SessionService/Sessions", json={"UserName": "root", "Password": "calvin"}
        )
        who = ("-x", made.headers["X-Auth-Token"]) if token else ("-u", "root", "-p", "calvin")
        command = [shutil.which(f"{script}REDFISH.py"), "-ip", self.url.partition("://")[2], *who, *arguments]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, timeout=170)
        assert stumbles or "Traceback" not in done.stderr, done.stderr
        return done.stdout + done.stderr

    def get(self, uri):
        return self.session.get(f"{self.url}{uri}").json()

    def volumes(self):
        return [one["Id"] for one in self.get(f"{PLACES['lifecycle-server']}/Volumes?$expand=*")["Members"]]


@pytest.fixture
def desk(serve, tmp_path):
    return Desk(serve("--state", "memory", "--rate", "120").url, tmp_path)


def test_a_volume_from_its_making_to_its_end(desk):
    listed = desk.run("CreateVirtualDisk", "--get-disks", CONTROLLER)
    assert re.findall(r"Disk: (Disk\.Bay\.[67]).*Raidstatus: Ready", listed) == ["Disk.Bay.6", "Disk.Bay.7"]
    assert "RAID60" in desk.run("CreateVirtualDisk", "--supported-raid-levels", CONTROLLER)
    given = ("--raid-level", "1", "--disks", ",".join(DRIVES), "--name", "scratch", "--size", "107374182400")
    policies = ("--stripesize", "131072", "--diskcachepolicy", "Disabled", "--readcachepolicy", "Off")
    said = desk.run("CreateVirtualDisk", "--create", CONTROLLER, *given, *policies)
    assert "realtime job ID" in said
    assert f"new VD FQDD created: {VOLUME}" in said
    assert f"{VOLUME}, Volume type: Mirrored" in desk.run("CreateVirtualDisk", "--get-virtualdisks", CONTROLLER)
    said = desk.run("InitializeVirtualDisk", "--virtualdisk", VOLUME, "--init-type", "Fast", token=True)
    assert "PASS: POST command passed to Fast initialize" in said
    said = desk.run("CheckConsistencyVirtualDisk", "--check", VOLUME, stumbles=True)
    assert "'volume_type' is not defined" in said or "PASS" in said, "it names it where the status is 202"
    assert desk.session.post(f"{desk.url}/jobfish/v1/clock", json={"advance": 3600}).ok, "it has not waited for the job"
    said = desk.run("DeleteVirtualDisk", "--delete", VOLUME)
    assert "'JobState', 'Completed'" in said
    assert VOLUME not in desk.volumes()


def test_lights_and_erasing(desk):
    assert "PASS" in desk.run("BlinkUnBlinkTarget", "--blink", DRIVES[0])
    drive = f"{PLACES['lifecycle-server']}/Drives/{DRIVES[0]}"
    assert desk.get(drive)["LocationIndicatorActive"] is True
    assert "PASS" in desk.run("BlinkUnBlinkTarget", "--unblink", DRIVES[0])
    assert desk.get(drive)["LocationIndicatorActive"] is False
    said = desk.run("SecureEraseDevices", "--secure-erase", DRIVES[0])
    assert "FAIL" not in said, said


def test_a_refusal_is_shown(desk):
    said = desk.run("CreateVirtualDisk", "--create", CONTROLLER, "--raid-level", "5", "--disks", ",".join(DRIVES))
    assert "FAIL, POST command failed, status code is 400" in said
    assert "STOR090" in said
