"""Network device functions: what is particular about their registries, and the two faces of one function."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from bios_examples import AT, site_of
from nic_examples import MAC, OTHER_MAC, nic, nic_of, place_of, small
from registry_entries import attribute, choice

from emulator.core.device import check, seal
from emulator.core.message import Rejected
from emulator.devices.attribute_registry import build_model, shared
from emulator.devices.network_function import (
    PROPERTIES,
    changed_values,
    has_place,
    model_of,
    own_properties,
    properties_behind,
    value_at,
    with_values,
)
from emulator.devices.nic import Nic

R750 = "poweredge-r750.tar.xz"


def refused(device: Nic, change: dict[str, Any]) -> list[tuple[str, str]]:
    """(key, what it is about) of each message; [] where the change can be planned."""
    try:
        device.plan(check(device, change))
    except Rejected as rejected:
        messages = rejected.messages
    else:
        return []
    assert all(message.device == "nic" for message in messages)
    return [(message.key, message.related[0].removeprefix("Attributes/")) for message in messages]


def set_now(device: Nic, **change: Any) -> None:
    for step in device.plan(check(device, change)):
        assert step.seconds == 10.0
        assert device.apply(step, AT).ok


# -- registries -------------------------------------------------------------------------------------------------------

DEPENDENT = [
    # what is set first, the change, what is refused
    ({}, {"VLanId": 7}, [("PropertyDependency", "VLanId")]),
    ({}, {"VLanId": 7, "VLanMode": "Enabled"}, []),
    ({"VLanMode": "Enabled"}, {"VLanId": 7}, []),
    ({"VLanMode": "Enabled"}, {"VLanId": 7, "VLanMode": "Disabled"}, [("PropertyDependency", "VLanId")]),
    ({}, {"NumberVFAdvertised": 16}, []),
    ({"VirtualizationMode": "NPAR"}, {"NumberVFAdvertised": 16}, [("PropertyDependency", "NumberVFAdvertised")]),
    ({"VirtualizationMode": "SRIOV"}, {"NumberVFAdvertised": 16}, []),
    ({"VirtualizationMode": "NPAR"}, {"RdmaMode": "Enabled"}, [("PropertyDependency", "RdmaMode")]),
]


@pytest.mark.parametrize(("first", "change", "wrong"), DEPENDENT)
def test_dependencies_are_honoured(first: dict[str, Any], change: dict[str, Any], wrong: list[Any]) -> None:
    device = small()
    set_now(device, **first)
    assert refused(device, change) == wrong


@pytest.mark.parametrize(
    ("delivered", "lower", "step", "good", "bad"),
    [
        (8, 1, 8, (8, 16, 64), (1, 9, 17, 0)),  # as captured: the lower bound is not among the steps
        (8, 0, 8, (0, 8, 64), (1, 9)),
        (1, 1, 8, (1, 9, 57), (8, 64)),
        (5, 1, 0, (1, 2, 64), (0, 65)),
        (None, 1, 8, (1, 9), (8, 64)),
    ],
)
def test_steps_are_counted_from_where_the_delivered_value_stands(
    delivered: int | None, lower: int, step: int, good: tuple[int, ...], bad: tuple[int, ...]
) -> None:
    entry = attribute("N", "Integer", LowerBound=lower, UpperBound=64, ScalarIncrement=step)
    device = nic([entry], values={"N": delivered} if delivered is not None else {})
    assert [refused(device, {"N": value}) for value in good] == [[]] * len(good)
    assert [refused(device, {"N": value}) for value in bad] == [[("PropertyValueOutOfRange", "N")]] * len(bad)


def test_a_text_captured_as_null_is_read_as_null_until_it_is_set() -> None:
    device = small()
    assert device.read()["IscsiInitiatorName"] is None
    set_now(device, IscsiInitiatorName="iqn.2026-01.example:a")
    assert device.read()["IscsiInitiatorName"] == "iqn.2026-01.example:a"
    set_now(device, IscsiInitiatorName="")
    assert device.read()["IscsiInitiatorName"] == ""


@pytest.mark.parametrize("name", ["IscsiInitiatorChapPwd", "FirstTgtChapPwd"])
def test_a_chap_secret_is_a_password_whatever_the_registry_calls_it(name: str) -> None:
    device = nic([attribute(name, "String", ValueExpression="^.{12,16}$")], values={name: None})
    assert device.describe()[name].type == "Password"
    assert check(device, {name: "abcdefghijkl"}) == {name: seal(device.id, name, "abcdefghijkl")}
    set_now(device, **{name: "abcdefghijkl"})
    assert device.read() == {name: None}
    assert "abcdefghijkl" not in str(device.snapshot())
    with pytest.raises(Rejected) as rejected:
        check(device, {name: "short"})
    assert rejected.value.messages[0].args == ("", name), "and a refusal does not repeat it"


def test_other_texts_of_such_names_are_none() -> None:
    device = nic([attribute("PwdPolicy", "String"), choice("ChapPwdMode", "A", "B")])
    assert [entry.type for entry in device.describe().values()] == ["String", "Enumeration"]


def test_models_share_what_is_equal() -> None:
    entries = {"RegistryEntries": {"Attributes": [attribute("MacAddr", "String"), choice("A", "1", "2")]}}
    first = build_model({"MacAddr": MAC, "A": "1"}, entries)
    again = shared(build_model({"MacAddr": OTHER_MAC, "A": "1"}, copy.deepcopy(entries)), [first])
    assert again.attributes is first.attributes
    assert again.flags is first.flags
    assert again.values == {"MacAddr": OTHER_MAC, "A": "1"}
    assert shared(first, [again]) == first


def test_functions_of_one_adapter_share_their_attributes() -> None:
    one, other = (place_of("lifecycle-server", f"NIC.Integrated.1-{port}-1").model for port in (1, 2))
    assert one.attributes is other.attributes
    assert one.values["MacAddr"] != other.values["MacAddr"]


# -- properties of NetworkDeviceFunction ------------------------------------------------------------------------------

FUNCTION: dict[str, Any] = {
    "BootMode": "PXE",
    "NetDevFuncType": "Ethernet",
    "NetDevFuncCapabilities": ["Ethernet", "iSCSI"],
    "Ethernet": {
        "MACAddress": MAC,
        "PermanentMACAddress": MAC,
        "MTUSize": 1500,
        "VLAN": {"VLANEnable": False, "VLANId": 1},
    },
    "iSCSIBoot": {"AuthenticationMethod": "None", "InitiatorName": None, "CHAPSecret": None, "PrimaryLUN": None},
}
ALL = {name: choice(name, "?") for known in PROPERTIES for name in known.behind}
BEHIND = properties_behind(FUNCTION, nic(list(ALL.values())).describe())
OWN = own_properties(FUNCTION)

SPELLED = [
    # property, its value, the attributes
    ("BootMode", "Disabled", {"LegacyBootProto": "NONE"}),
    ("BootMode", "PXE", {"LegacyBootProto": "PXE"}),
    ("BootMode", "iSCSI", {"LegacyBootProto": "iSCSI"}),
    ("Ethernet/MACAddress", OTHER_MAC, {"VirtMacAddr": OTHER_MAC}),
    ("Ethernet/VLAN/VLANEnable", True, {"VLanMode": "Enabled"}),
    ("Ethernet/VLAN/VLANEnable", False, {"VLanMode": "Disabled"}),
    ("Ethernet/VLAN/VLANId", 7, {"VLanId": 7}),
    ("iSCSIBoot/AuthenticationMethod", "None", {"ChapAuthEnable": "Disabled", "ChapMutualAuth": "Disabled"}),
    ("iSCSIBoot/AuthenticationMethod", "CHAP", {"ChapAuthEnable": "Enabled", "ChapMutualAuth": "Disabled"}),
    ("iSCSIBoot/AuthenticationMethod", "MutualCHAP", {"ChapAuthEnable": "Enabled", "ChapMutualAuth": "Enabled"}),
    ("iSCSIBoot/InitiatorName", "iqn.a:b", {"IscsiInitiatorName": "iqn.a:b"}),
    ("iSCSIBoot/PrimaryLUN", 3, {"FirstTgtBootLun": 3}),
]


@pytest.mark.parametrize(("path", "value", "theirs"), SPELLED)
def test_a_property_and_its_attributes_say_the_same(path: str, value: Any, theirs: dict[str, Any]) -> None:
    assert BEHIND[path].as_attributes(value) == theirs
    assert BEHIND[path].told_by(theirs.get) == value


TOLD = [
    ("BootMode", {"LegacyBootProto": "PXEWithoutFailOver"}, "PXE"),
    ("BootMode", {"LegacyBootProto": "Floppy"}, None),
    ("Ethernet/MACAddress", {"VirtMacAddr": "00:00:00:00:00:00"}, MAC),
    ("Ethernet/MACAddress", {"VirtMacAddr": ""}, MAC),
    ("iSCSIBoot/AuthenticationMethod", {"ChapAuthEnable": "Disabled", "ChapMutualAuth": "Enabled"}, None),
    ("iSCSIBoot/InitiatorName", {"IscsiInitiatorName": ""}, None),
    ("iSCSIBoot/CHAPSecret", {"IscsiInitiatorChapPwd": "sealed:xyz"}, None),
    ("iSCSIBoot/PrimaryLUN", {"FirstTgtBootLun": 0}, 0),
]


@pytest.mark.parametrize(("path", "theirs", "value"), TOLD)
def test_what_attributes_alone_can_say_is_told_as_well_as_can_be(path: str, theirs: dict[str, Any], value: Any) -> None:
    assert BEHIND[path].told_by(theirs.get) == value


def test_a_boot_mode_that_no_attribute_means_cannot_be_set() -> None:
    assert BEHIND["BootMode"].as_attributes("HTTP") is None


def test_what_has_no_attribute_behind_it_is_not_among_them() -> None:
    assert {"Ethernet/MTUSize", "NetDevFuncType"} <= set(OWN) - set(BEHIND)
    assert set(properties_behind(FUNCTION, nic([attribute("VLanId", "Integer")]).describe())) == {
        "Ethernet/VLAN/VLANId"
    }


def test_what_needs_two_attributes_needs_both() -> None:
    assert properties_behind(FUNCTION, nic([choice("ChapAuthEnable", "Disabled", "Enabled")]).describe()) == {}


def test_without_a_registry_the_properties_are_the_attributes() -> None:
    model = model_of(FUNCTION, OWN)
    device = Nic("1", model)
    assert set(device.describe()) == {path.replace("/", ".") for path in OWN}
    assert device.read()["Ethernet.VLAN.VLANId"] == 1
    assert device.read()["iSCSIBoot.PrimaryLUN"] is None
    set_now(device, **{"Ethernet.MTUSize": 9000, "iSCSIBoot.PrimaryLUN": 0})
    assert changed_values(OWN, model.values, dict(device.read()).get) == {
        "Ethernet/MTUSize": 9000,
        "iSCSIBoot/PrimaryLUN": 0,
    }


FITTED = [
    # what the document says, property, value, whether it may be held
    ({}, "BootMode", "PXE", True),
    ({}, "BootMode", "iSCSI", True),
    ({}, "BootMode", "FibreChannel", False),
    ({"NetDevFuncCapabilities": ["FibreChannel"]}, "BootMode", "FibreChannel", True),
    ({"NetDevFuncCapabilities": ["FibreChannel"]}, "BootMode", "PXE", False),
    ({"NetDevFuncCapabilities": None, "NetDevFuncType": None}, "BootMode", "FibreChannel", True),
    ({}, "NetDevFuncType", "iSCSI", True),
    ({}, "NetDevFuncType", "InfiniBand", False),
    ({}, "Ethernet/MTUSize", 9216, True),
    ({}, "Ethernet/MTUSize", 9217, False),
    ({"Ethernet": {"MTUSize": 1500, "MTUSizeMaximum": 16110}}, "Ethernet/MTUSize", 16110, True),
    ({"Ethernet": {"MTUSize": 1500, "MTUSizeMaximum": 1500}}, "Ethernet/MTUSize", 1501, False),
]


@pytest.mark.parametrize(("says", "path", "value", "fits"), FITTED)
def test_what_a_property_may_hold_is_fitted_to_its_function(
    says: dict[str, Any], path: str, value: Any, fits: bool
) -> None:
    document = {**FUNCTION, **says}
    properties = own_properties(document)
    device = Nic("1", model_of(document, properties))
    assert (refused(device, {path.replace("/", "."): value}) == []) is fits


@pytest.mark.parametrize(
    "says",
    [
        {"Ethernet": []},
        {"Ethernet": {"MTUSize": "1500"}},
        {"Ethernet": None},
        {"BootMode": 7, "iSCSIBoot": "x"},
        {"NetDevFuncCapabilities": "Ethernet"},
        {"NetDevFuncCapabilities": [None, 5]},
        {"NetDevFuncType": None, "NetDevFuncCapabilities": None},
    ],
)
def test_what_is_of_the_wrong_type_does_not_live(says: dict[str, Any]) -> None:
    document = {**FUNCTION, **says}
    properties = own_properties(document)
    for path, known in properties.items():
        value = value_at(document, path)
        assert value is None or type(value) in (str, int, bool), path
        assert known.attribute.type != "Enumeration" or known.attribute.choices
    assert model_of(document, properties).values.keys() == {known.attribute.name for known in properties.values()}


# -- places in documents ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "there", "value"),
    [
        ("BootMode", True, "PXE"),
        ("Ethernet/VLAN/VLANId", True, 1),
        ("iSCSIBoot/InitiatorName", True, None),
        ("iSCSIBoot/CHAPUsername", False, None),
        ("BootMode/X", False, None),
        ("Nope/X", False, None),
    ],
)
def test_places(path: str, there: bool, value: Any) -> None:
    assert (has_place(FUNCTION, path), value_at(FUNCTION, path)) == (there, value)


def test_laying_values_over_a_document_leaves_the_document_alone() -> None:
    before = copy.deepcopy(FUNCTION)
    laid = with_values(FUNCTION, {"Ethernet/VLAN/VLANId": 9, "Ethernet/MTUSize": 9000, "New/A": 1})
    assert before == FUNCTION
    assert (laid["Ethernet"]["VLAN"], laid["New"]) == ({"VLANEnable": False, "VLANId": 9}, {"A": 1})
    assert laid["Ethernet"]["MACAddress"] == MAC
    assert laid["iSCSIBoot"] is FUNCTION["iSCSIBoot"]


# -- whole mockups ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fqdd", "count"),
    [
        ("NIC.Integrated.1-1-1", 61),
        ("NIC.Integrated.1-2-1", 61),
        ("NIC.Embedded.1-1-1", 31),
        ("NIC.Embedded.2-1-1", 31),
        ("NIC.Slot.5-1", 92),
        ("InfiniBand.Slot.7-1", 69),
        ("InfiniBand.Slot.7-2", 69),
    ],
)
def test_every_attribute_of_the_captured_server_is_read_back(fqdd: str, count: int) -> None:
    device, place = nic_of(R750, fqdd), place_of(R750, fqdd)
    captured = site_of(R750).tree.documents[place.attributes_uri or ""]["Attributes"]
    assert dict(device.read()) == captured
    assert len(device.describe()) == count


def test_the_captured_servers_dependencies_are_alive() -> None:
    device = nic_of(R750, "NIC.Integrated.1-1-1")
    assert refused(device, {"NumberVFAdvertised": 16}) == []
    assert refused(device, {"NumberVFAdvertised": 9}) == [("PropertyValueOutOfRange", "NumberVFAdvertised")]
    assert refused(device, {"NParEP": "Disabled"}) == [("PropertyDependency", "NParEP")]
    set_now(device, VirtualizationMode="NPAR")
    assert refused(device, {"NumberVFAdvertised": 16}) == [("PropertyDependency", "NumberVFAdvertised")]
    assert refused(device, {"NParEP": "Disabled"}) == []
    assert "RDMANICModeOnPort" not in device.read()


def test_the_captured_servers_two_faces_agree() -> None:
    """As delivered, what the attributes tell is what the captured NetworkDeviceFunction tells."""
    for place in site_of(R750).nics:
        function = site_of(R750).tree.documents[place.uri]
        for path, known in place.properties.items():
            told, captured = known.told_by(place.model.values.get), value_at(function, path)
            assert told == captured or captured is None, (place.device_id, path)


@pytest.mark.parametrize("mockup", ["lifecycle-server", "rack-server"])
def test_the_two_faces_of_a_bundled_mockup_agree(mockup: str) -> None:
    for place in site_of(mockup).nics:
        function = site_of(mockup).tree.documents[place.uri]
        assert place.properties
        for path, known in place.properties.items():
            assert known.told_by(place.model.values.get) == value_at(function, path), (place.device_id, path)
