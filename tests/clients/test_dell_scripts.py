"""Dell's own script for updates from a repository, unmodified, in a process of its own.

It belongs to the distribution IdracRedfishSupport, which is not installed with the tests: whoever has it on the PATH
runs these too.
"""

from __future__ import annotations

import re
import shutil
from xml.etree import ElementTree

import pytest
import requests
from dell_script import DellScripts
from images import package, serving

from emulator.formats.catalog import Catalog, Package, render

SCRIPT = shutil.which("InstallFromRepositoryREDFISH.py")
pytestmark = pytest.mark.skipif(SCRIPT is None, reason="InstallFromRepositoryREDFISH.py is not on the PATH")
PACKAGES = (
    ("bios.img", "159", "2.9.0", True),
    ("supply.img", "112450", "00.2D.7D", False),
)


@pytest.fixture
def share():
    """A repository with something for the BIOS and for the power supplies."""
    with serving() as server:
        listed = []
        for path, component, version, reboot in PACKAGES:
            server.add(path, package(component, version, needs_reboot=reboot))
            listed.append(Package(path, version, (component,), criticality="2", needs_reboot=reboot))
        server.add("Catalog.xml", render(Catalog(tuple(listed))))
        yield server.url.partition("://")[2]


@pytest.fixture
def run(serve, tmp_path):
    """run(arguments...) is what the script prints about a controller whose clock runs thirty times as fast."""
    scripts = DellScripts(serve("--state", "memory", "--rate", "30"), tmp_path)

    def ask(*arguments):
        return scripts.run(SCRIPT, *arguments)

    ask.url, ask.folder = scripts.url, scripts.folder
    return ask


def install(run, share, *arguments):
    return run("--install", "--shareip", share, "--sharetype", "HTTP", *arguments)


def test_it_asks_for_the_list(run, share):
    assert "FAIL" in run("--get-repo-list")
    said = install(run, share, "--applyupdate", "False")
    assert "PASS, POST command passed" in said
    assert "successfully marked completed" in said
    said = run("--get-repo-list")
    assert "PASS: POST command passed to get repo update list" in said
    root = ElementTree.parse(run.folder / "repo_based_update_list.xml").getroot()
    assert len(root.findall(".//INSTANCENAME")) == 2
    said = run("--get-critical-info")
    assert re.findall("DeviceName = (.*)\nCriticality = (.*)", said) == [
        ("Power Supply.Slot.1", "(2)Urgent"),
        ("BIOS", "(2)Urgent"),
    ]


@pytest.mark.slow
def test_it_updates_everything_and_then_finds_nothing(run, share):
    said = install(run, share, "--applyupdate", "True", "--rebootneeded", "True")
    assert "scheduled update job ID detected, server rebooting to apply" in said
    assert said.count("successfully marked completed") == 3
    assert "FAIL" not in said
    inventory = requests.get(
        f"{run.url}/redfish/v1/UpdateService/FirmwareInventory", auth=("root", "calvin"), verify=False, timeout=10
    )
    assert "Installed-159-2.9.0__" in inventory.text
    said = install(run, share, "--applyupdate", "True", "--rebootneeded", "True")
    assert "Firmware versions on server match catalog" in said


def test_it_is_told_of_a_catalogue_that_is_not_there(run, share):
    said = install(run, share, "--catalogfile", "nope.xml", "--rebootneeded", "False")
    assert "FAIL: Job ID JID_" in said
    assert "404" in said
