"""Boot override and boot order as real clients set them, over a TLS socket, against both bundled mockups."""

from __future__ import annotations

import pytest
import requests
import sushy
from sushy.resources.system import constants

MOCKUPS = {"lifecycle-server": "System.Embedded.1", "rack-server": "rack-1"}
A_START = 600


class Controller:
    """A controller and sushy's view of it."""

    def __init__(self, url, system):
        self.url = url
        self.auth = sushy.auth.SessionOrBasicAuth("root", "calvin")
        self.root = sushy.Sushy(url, auth=self.auth, verify=False)
        self.system = self.root.get_system(f"/redfish/v1/Systems/{system}")

    def boot(self):
        self.system.refresh(force=True)
        return self.system.boot

    def order(self):
        self.system.refresh(force=True)
        return self.system.json["Boot"]["BootOrder"]

    def set_order(self, order):
        """sushy has no call for it: as a driver would do it, with sushy's own connection."""
        return self.system._conn.patch(self.system.path, data={"Boot": {"BootOrder": order}})

    def start(self):
        self.system.reset_system(sushy.ResetType.FORCE_RESTART)
        answer = requests.post(
            f"{self.url}/jobfish/v1/clock", json={"advance": A_START}, auth=("root", "calvin"), verify=False, timeout=10
        )
        answer.raise_for_status()


@pytest.fixture(params=MOCKUPS)
def controller(request, served):
    made = Controller(served(request.param), MOCKUPS[request.param])
    yield made
    made.auth.close()  # or sushy tries to when it is collected, long after the service is gone


def test_sushy_boots_from_the_network_once(controller):
    assert constants.BootSource.PXE in controller.system.get_allowed_system_boot_source_values()
    controller.system.set_system_boot_options(
        target=constants.BootSource.PXE,
        enabled=constants.BootSourceOverrideEnabled.ONCE,
        mode=constants.BootSourceOverrideMode.UEFI,
    )
    boot = controller.boot()
    assert (boot.target, boot.enabled, boot.mode) == (
        constants.BootSource.PXE,
        constants.BootSourceOverrideEnabled.ONCE,
        constants.BootSourceOverrideMode.UEFI,
    )
    controller.start()
    boot = controller.boot()
    assert boot.target == constants.BootSource.NONE
    assert boot.enabled == constants.BootSourceOverrideEnabled.DISABLED


def test_sushy_boots_over_http_from_a_uri(controller):
    uri = "http://127.0.0.1/boot.iso"
    controller.system.set_system_boot_options(
        target=constants.BootSource.UEFI_HTTP,
        enabled=constants.BootSourceOverrideEnabled.CONTINUOUS,
        http_boot_uri=uri,
    )
    controller.start()
    boot = controller.boot()
    assert boot.target == constants.BootSource.UEFI_HTTP
    assert boot.enabled == constants.BootSourceOverrideEnabled.CONTINUOUS
    assert boot.http_boot_uri == uri
    controller.system.set_system_boot_options(
        target=constants.BootSource.HDD, enabled=constants.BootSourceOverrideEnabled.ONCE
    )
    assert controller.boot().http_boot_uri is None


def test_sushy_sets_the_indicator(controller):
    """sushy 5 has no call for LocationIndicatorActive of a system; what it reads follows."""
    controller.system._conn.patch(controller.system.path, data={"LocationIndicatorActive": True, "AssetTag": "shelf 7"})
    controller.system.refresh(force=True)
    assert controller.system.asset_tag == "shelf 7"
    assert controller.system.json["LocationIndicatorActive"] is True


def test_a_new_boot_order_takes_effect_at_the_next_start(controller):
    before = controller.order()
    answer = controller.set_order(before[::-1])
    assert answer.status_code in (200, 204)
    assert controller.order() == before
    controller.start()
    assert controller.order() == before[::-1]


def test_what_cannot_be_is_refused(controller):
    with pytest.raises(sushy.exceptions.BadRequestError):
        controller.set_order(["Boot9999"])
    with pytest.raises(sushy.exceptions.InvalidParameterValueError):
        controller.system.set_system_boot_options(target=constants.BootSource.FLOPPY)
