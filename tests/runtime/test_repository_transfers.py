"""Updates from a repository in a real process, which may be killed while it fetches the catalogue or a package."""

from __future__ import annotations

import hashlib
from xml.etree import ElementTree

import pytest
from images import BLOCK, eventually, serving
from remote import Remote

from emulator.formats.catalog import Catalog, Package, render

SYSTEM = "/redfish/v1/Systems/System.Embedded.1"
SERVICE = f"{SYSTEM}/Oem/Dell/DellSoftwareInstallationService/Actions/DellSoftwareInstallationService"
CONTENT = bytes(8 * BLOCK)


class Updated(Remote):
    """A controller in another process, and its updates."""

    def state(self, job):
        return self.job(job)["JobState"]

    def wait(self, job, state):
        eventually(lambda: self.state(job), lambda found: found == state)

    def updates(self):
        """The ids of the update jobs that the list names."""
        answer = self.ask("POST", f"{SERVICE}.GetRepoBasedUpdateList", json={})
        root = ElementTree.fromstring(answer.json()["PackageList"])
        return [one.findtext("VALUE") for one in root.iter("PROPERTY") if one.get("NAME") == "JobID"]


@pytest.mark.parametrize("secure", [False, True], ids=["http", "https"])
def test_it_goes_on_when_the_process_was_killed_in_any_phase(serve, tmp_path, secure):
    digests = {"sha256": hashlib.sha256(CONTENT).hexdigest()}
    facts = {"size": len(CONTENT), "digests": digests, "needs_reboot": True}
    catalog = render(Catalog((Package("bios.bin", "9.9.9", ("159",), "BIOS", **facts),)))
    arguments = ("--state", str(tmp_path / "state"), "--clock", "manual")
    with serving(tmp_path / "certificates" if secure else None) as images:
        _, catalog_tap = images.tap("repo/Catalog.xml", catalog)
        _, package_tap = images.tap("repo/bios.bin", CONTENT)
        first = serve(*arguments)
        kind, _, place = images.url.partition("://")
        share = {"ShareType": kind.upper(), "IPAddress": place, "ShareName": "repo", "RebootNeeded": True}
        answer = Updated(first.url).ask("POST", f"{SERVICE}.InstallFromRepository", json=share)
        parent = answer.headers["Location"].rpartition("/")[2]
        catalog_tap.wait_for_someone()
        catalog_tap.send(100)
        first.kill()

        second = serve(*arguments)
        bmc = Updated(second.url)
        assert bmc.state(parent) == "Downloading"
        catalog_tap.wait_for_someone()
        catalog_tap.send()
        bmc.wait(parent, "Running")
        bmc.advance(5)
        second.kill()

        third = serve(*arguments)
        bmc = Updated(third.url)
        assert bmc.state(parent) == "Running"
        bmc.advance(5)
        assert bmc.job(parent)["MessageId"] == "RED067"
        (child,) = bmc.updates()
        package_tap.wait_for_someone()
        package_tap.send(4 * BLOCK)
        eventually(lambda: bmc.job(child)["PercentComplete"], lambda percent: percent == 50)
        third.kill()

        bmc = Updated(serve(*arguments).url)
        assert (bmc.updates(), bmc.state(child)) == ([child], "Downloading")
        package_tap.wait_for_someone()
        package_tap.send()
        bmc.wait(child, "Scheduled")
        bmc.advance(20 + 5 + 90 + 120)
        assert bmc.state(child) == "Completed"
        assert bmc.ask("GET", SYSTEM).json()["BiosVersion"] == "9.9.9"
        assert (catalog_tap.asked, package_tap.asked) == (2, 2)
