"""A Fibre Channel function of a plain service: names, VLAN and boot targets, staged and applied by a job."""

from __future__ import annotations

import shutil

import orjson
import pytest

from emulator.data import data_folder

FUNCTION = "/redfish/v1/Chassis/rack-1/NetworkAdapters/slot-2/NetworkDeviceFunctions/slot-2-2"
WWPN, OTHER, TARGET = "50:01:43:80:11:36:6a:00", "50:01:43:80:11:36:6a:01", "20:02:00:a0:98:00:00:01"
DELIVERED = {
    "WWNN": WWPN,
    "WWPN": WWPN,
    "PermanentWWPN": WWPN,
    "WWNSource": "ConfiguredLocally",
    "FCoELocalVLANId": None,
    "BootTargets": [
        {"WWPN": None, "LUNID": None, "BootPriority": 0},
        {"WWPN": TARGET, "LUNID": "1", "BootPriority": 1},
    ],
}


@pytest.fixture
def rack(make_bmc, tmp_path):
    """The rack server, one function of which is a Fibre Channel one."""
    tree = tmp_path / "fibre"
    shutil.copytree(data_folder("mockups") / "rack-server", tree)
    file = tree / FUNCTION.removeprefix("/") / "index.json"
    document = orjson.loads(file.read_bytes())
    kinds = ["Ethernet", "FibreChannel"]
    changed = {"NetDevFuncType": "FibreChannel", "NetDevFuncCapabilities": kinds, "FibreChannel": DELIVERED}
    file.write_bytes(orjson.dumps({**document, **changed}))
    return make_bmc(mockup=str(tree))


def fibre(rack, *, settings=False):
    return rack.get(FUNCTION + ("/Settings" if settings else "")).body["FibreChannel"]


def test_what_is_staged_is_in_force_after_the_restart(rack):
    targets = [{"WWPN": TARGET, "LUNID": "7"}, {}]
    change = {
        "BootMode": "FibreChannel",
        "FibreChannel": {"WWPN": OTHER, "FCoELocalVLANId": 12, "BootTargets": targets},
    }
    assert rack.patch(f"{FUNCTION}/Settings", change).status == 200
    first, second = DELIVERED["BootTargets"]
    then = {**DELIVERED, "WWPN": OTHER, "FCoELocalVLANId": 12, "BootTargets": [{**first, **targets[0]}, second]}
    assert fibre(rack) == DELIVERED
    assert fibre(rack, settings=True) == {name: value for name, value in then.items() if name != "PermanentWWPN"}
    rack.reset()
    rack.advance(1000)
    assert (fibre(rack), rack.get(FUNCTION).body["BootMode"]) == (then, "FibreChannel")


@pytest.mark.parametrize(
    ("change", "message", "place"),
    [
        ({"WWPN": "not a name"}, "PropertyValueFormatError", "FibreChannel/WWPN"),
        ({"PermanentWWPN": OTHER}, "PropertyNotWritable", "FibreChannel/PermanentWWPN"),
        ({"WWNSource": "Mine"}, "PropertyValueNotInList", "FibreChannel/WWNSource"),
        ({"FCoELocalVLANId": 4095}, "PropertyValueOutOfRange", "FibreChannel/FCoELocalVLANId"),
        ({"BootTargets": [{"WWPN": 1}]}, "PropertyValueTypeError", "FibreChannel/BootTargets/0/WWPN"),
        ({"BootTargets": [{"Port": 1}]}, "PropertyUnknown", "FibreChannel/BootTargets/0/Port"),
        ({"BootTargets": [{}, {}, {"WWPN": OTHER}]}, "PropertyUnknown", "FibreChannel/BootTargets/2"),
        ({"BootTargets": [None]}, "PropertyValueTypeError", "FibreChannel/BootTargets/0"),
        ({"BootTargets": "all"}, "PropertyValueTypeError", "FibreChannel/BootTargets"),
    ],
)
def test_what_cannot_be_set_is_refused_by_name_and_nothing_changes(rack, change, message, place):
    before = rack.state()
    answer = rack.patch(f"{FUNCTION}/Settings", {"FibreChannel": change})
    assert (answer.status, answer.message_ids) == (400, [f"Base.{message}"])
    assert place in answer.body["error"]["@Message.ExtendedInfo"][0]["RelatedProperties"][0]
    assert rack.state() == before
