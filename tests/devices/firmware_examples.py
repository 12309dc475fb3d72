"""The firmware of a small machine and of whole mockups."""

from __future__ import annotations

from functools import cache
from typing import Any

from bios_examples import site_of

from emulator.devices.firmware import Component, Firmware, Offer

INVENTORY = "/redfish/v1/UpdateService/FirmwareInventory"
BIOS, IDRAC, NIC_1, NIC_2 = "BIOS.Setup.1-1", "iDRAC.Embedded.1-1", "NIC.Slot.1-1", "NIC.Slot.1-2"
LOCKED, PLAIN = "TPM.Integrated.1-1", "fpga"


def component(component_id: str, version: str = "1.0.0", software_id: str = "1", **more: Any) -> Component:
    """One of a lifecycle controller's inventory, where an entry's Id tells everything."""
    fqdd = component_id.partition("#")[0]
    facts: dict[str, Any] = {
        "name": f"The {fqdd}",
        "uri": f"{INVENTORY}/Installed-{software_id}-{version}__{fqdd}",
        "previous": None,
        "updateable": True,
        "needs_reboot": True,
        "is_controller": False,
        **more,
    }
    return Component(id=component_id, version=version, software_id=software_id, **facts)


SMALL = (
    component(BIOS, "1.8.2", "159", name="BIOS", previous="1.2.4", entries=(f"{INVENTORY}/Current-159-1.8.2__{BIOS}",)),
    component(IDRAC, "6.00.30.00", "25227", is_controller=True, needs_reboot=False),
    component(NIC_1, "21.80.9", "108255", name="Two-port adapter"),
    component(NIC_2, "21.80.9", "108255", name="Two-port adapter"),
    component(f"{NIC_2}#777", "3.1", "777", name="Option ROM"),
    component(LOCKED, "7.2.2.0", "109673", name="TPM", updateable=False),
    component(PLAIN, "0.9", "", name="FPGA", uri=f"{INVENTORY}/fpga"),
)


def small() -> Firmware:
    """A new device: one of everything, two that share software, two that share an FQDD, one that is locked."""
    return Firmware({one.id: one for one in SMALL})


@cache
def components_of(mockup: str) -> tuple[Component, ...]:
    return site_of(mockup).components


def firmware_of(mockup: str) -> Firmware:
    """A new device, made as for one machine of a mockup."""
    return Firmware({one.id: one for one in components_of(mockup)})


def image(component_id: str, version: str, **more: Any) -> Offer:
    facts = {"name": "image.exe", "size": 1000, "needs_reboot": True, "at": 1_700_000_000.0, **more}
    return Offer(component_id, version, **facts)
