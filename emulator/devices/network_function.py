"""The two faces of a network device function: DMTF's properties, and the attributes of its device.

`PROPERTIES` says what each property may hold (NetworkDeviceFunction 1.11), and which attributes of a lifecycle
controller's registry stand for the same thing. Where a tree has such attributes, a property is another way to set them;
where it has none, the properties that its document has are the device's attributes themselves, a point for each slash.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from emulator.core.device import Attribute, Value, faults_of, shown
from emulator.core.message import Message
from emulator.devices.attribute_registry import Lookup, Model

Words = tuple[tuple[Value, tuple[Value, ...]], ...]

ON_OFF: Words = ((True, ("Enabled",)), (False, ("Disabled",)))
BOOT_MODES: Words = (
    ("Disabled", ("NONE",)),
    ("PXE", ("PXE",)),
    ("iSCSI", ("iSCSI",)),
    ("FibreChannelOverEthernet", ("FCoE",)),
    ("PXE", ("PXEWithoutFailOver",)),
    ("iSCSI", ("iSCSIWithoutFailOver",)),
)
AUTHENTICATION: Words = (
    ("None", ("Disabled", "Disabled")),
    ("CHAP", ("Enabled", "Disabled")),
    ("MutualCHAP", ("Enabled", "Enabled")),
)
NEEDS: Mapping[str, str] = {
    "PXE": "Ethernet",
    "HTTP": "Ethernet",
    "iSCSI": "iSCSI",
    "FibreChannel": "FibreChannel",
    "FibreChannelOverEthernet": "FibreChannelOverEthernet",
}
"""Which of NetDevFuncCapabilities a boot mode needs."""
NO_ADDRESS = "00:00:00:00:00:00"
"""As good as none."""


@dataclass(frozen=True, slots=True)
class Property:
    """A property of NetworkDeviceFunction."""

    path: str
    """From the top of the document: "Ethernet/VLAN/VLANId"."""
    attribute: Attribute
    """What it may hold. Its name is the one that the attribute of a device without a registry has."""
    behind: tuple[str, ...]
    """The attributes that stand behind it: more than one where only all of them together say the same."""
    words: Words = ()
    """(its value, theirs) where they are spelled otherwise; the first pair with a value is the one that sets it."""
    unset: Value = None
    """What it shows while theirs say nothing."""

    def told_by(self, lookup: Lookup) -> Value:
        """Its value, given those of the attributes. A secret is not told."""
        if self.attribute.type == "Password":
            return None
        theirs = tuple(lookup(name) for name in self.behind)
        if self.words:
            return next((mine for mine, words in self.words if words == theirs), None)
        return self.unset if theirs[0] in (None, "", NO_ADDRESS) else theirs[0]

    def as_attributes(self, value: Value) -> dict[str, Value] | None:
        """What setting it means for the attributes; None where none of theirs means the same."""
        if not self.words:
            return {self.behind[0]: value}
        words = next((words for mine, words in self.words if mine == value), None)
        return None if words is None else dict(zip(self.behind, words, strict=True))


def _property(path: str, kind: str, *behind: str, words: Words = (), **more: Any) -> Property:
    return Property(path, Attribute(path.replace("/", "."), kind, **more), behind, words)


_MAC = re.compile(r"^([0-9A-Fa-f]{2}[:-]){5}([0-9A-Fa-f]{2})$")
_WWN = re.compile(r"^([0-9A-Fa-f]{2}[:-]){7}([0-9A-Fa-f]{2})$")
_LUN = re.compile(r"^[0-9A-Fa-f:-]{1,32}$")
_IP = re.compile(r"^([0-9]{1,3}\.){3}[0-9]{1,3}$|^[0-9A-Fa-f:]{2,39}$")
_NAME = re.compile(r"^[-0-9a-zA-Z.:_]*$")


def _target(number: str, theirs: str) -> tuple[Property, ...]:
    place = f"iSCSIBoot/{number}"
    return (
        _property(f"{place}TargetName", "String", f"{theirs}IscsiName", max_length=223, pattern=_NAME),
        _property(f"{place}TargetIPAddress", "String", f"{theirs}IpAddress", pattern=_IP),
        _property(f"{place}TargetTCPPort", "Integer", f"{theirs}TcpPort", lower=1, upper=65535),
        _property(f"{place}LUN", "Integer", f"{theirs}BootLun", lower=0, upper=255),
        _property(f"{place}VLANEnable", "Boolean"),
        _property(f"{place}VLANId", "Integer", lower=0, upper=4094),
    )


def _boot_target(number: int, theirs: str) -> tuple[Property, ...]:
    place = f"FibreChannel/BootTargets/{number}"
    return (
        _property(f"{place}/WWPN", "String", f"{theirs}WWPN", pattern=_WWN),
        _property(f"{place}/LUNID", "String", f"{theirs}LUN", pattern=_LUN),
        _property(f"{place}/BootPriority", "Integer", lower=0, upper=255),
    )


PROPERTIES: tuple[Property, ...] = (
    _property("DeviceEnabled", "Boolean"),
    _property("NetDevFuncType", "Enumeration"),
    _property("BootMode", "Enumeration", "LegacyBootProto", words=BOOT_MODES, choices=("Disabled", *NEEDS)),
    _property("Ethernet/MACAddress", "String", "VirtMacAddr", pattern=_MAC),
    _property("Ethernet/MTUSize", "Integer", lower=68, upper=9216),
    _property("Ethernet/VLAN/VLANEnable", "Boolean", "VLanMode", words=ON_OFF),
    _property("Ethernet/VLAN/VLANId", "Integer", "VLanId", lower=0, upper=4094),
    _property("iSCSIBoot/IPAddressType", "Enumeration", "IpVer", choices=("IPv4", "IPv6")),
    _property("iSCSIBoot/IPMaskDNSViaDHCP", "Boolean", "TcpIpViaDHCP", words=ON_OFF),
    _property("iSCSIBoot/TargetInfoViaDHCP", "Boolean", "IscsiViaDHCP", words=ON_OFF),
    _property("iSCSIBoot/RouterAdvertisementEnabled", "Boolean"),
    _property(
        *("iSCSIBoot/AuthenticationMethod", "Enumeration", "ChapAuthEnable", "ChapMutualAuth"),
        words=AUTHENTICATION,
        choices=tuple(str(word) for word, _ in AUTHENTICATION),
    ),
    _property("iSCSIBoot/CHAPUsername", "String", "IscsiInitiatorChapId", max_length=128),
    _property("iSCSIBoot/CHAPSecret", "Password", "IscsiInitiatorChapPwd", min_length=12, max_length=16),
    _property("iSCSIBoot/MutualCHAPUsername", "String", "FirstTgtChapId", max_length=128),
    _property("iSCSIBoot/MutualCHAPSecret", "Password", "FirstTgtChapPwd", min_length=12, max_length=16),
    _property("iSCSIBoot/InitiatorName", "String", "IscsiInitiatorName", max_length=223, pattern=_NAME),
    _property("iSCSIBoot/InitiatorIPAddress", "String", "IscsiInitiatorIpAddr", pattern=_IP),
    _property("iSCSIBoot/InitiatorNetmask", "String", "IscsiInitiatorSubnet", pattern=_IP),
    _property("iSCSIBoot/InitiatorDefaultGateway", "String", "IscsiInitiatorGateway", pattern=_IP),
    _property("iSCSIBoot/PrimaryDNS", "String", "IscsiInitiatorPrimDns", pattern=_IP),
    _property("iSCSIBoot/SecondaryDNS", "String", "IscsiInitiatorSecDns", pattern=_IP),
    *_target("Primary", "FirstTgt"),
    *_target("Secondary", "SecondTgt"),
    _property("FibreChannel/WWNSource", "Enumeration", choices=("ConfiguredLocally", "ProvidedByFabric")),
    _property("FibreChannel/WWNN", "String", "VirtWWN", pattern=_WWN),
    _property("FibreChannel/WWPN", "String", "VirtWWPN", pattern=_WWN),
    _property("FibreChannel/AllowFIPVLANDiscovery", "Boolean"),
    _property("FibreChannel/FCoELocalVLANId", "Integer", "FirstFCoEFCFVLANID", lower=0, upper=4094),
    *_boot_target(0, "FirstFCTarget"),
    *_boot_target(1, "SecondFCTarget"),
)
"""The properties that can be set. Bounds that the schema leaves open are those of what they stand for."""


def properties_behind(document: Mapping[str, Any], attributes: Mapping[str, Attribute]) -> dict[str, Property]:
    """The properties of this NetworkDeviceFunction behind which these attributes stand, by path."""
    return {
        found.path: found
        for found in _properties_of(document)
        if found.behind and all(name in attributes for name in found.behind)
    }


def own_properties(document: Mapping[str, Any]) -> dict[str, Property]:
    """The properties of this NetworkDeviceFunction as attributes of its own, by path."""
    return {found.path: replace(found, behind=(found.attribute.name,), words=()) for found in _properties_of(document)}


def model_of(document: Mapping[str, Any], properties: Mapping[str, Property]) -> Model:
    """The attributes of a device that has no registry, from its document."""
    attributes = {found.attribute.name: found.attribute for found in properties.values()}
    values = {
        found.attribute.name: None if found.attribute.type == "Password" else value_at(document, found.path)
        for found in properties.values()
    }
    return Model(attributes, values, frozenset(attributes), {}, {}, {}, frozenset())


def _properties_of(document: Mapping[str, Any]) -> list[Property]:
    """Those that the document has, with a value of the right type or null; fitted to what else it says."""
    found = [_fitted(known, document) for known in PROPERTIES if has_place(document, known.path)]
    return [
        known
        for known in found
        if ((value := value_at(document, known.path)) is None or not _is_wrong(known.attribute, value))
        and (known.attribute.type != "Enumeration" or known.attribute.choices)
    ]


def _is_wrong(attribute: Attribute, value: Any) -> bool:
    kinds = {message.key for message in faults_of({attribute.name: attribute}, attribute.name, value)}
    return "PropertyValueTypeError" in kinds


def _fitted(known: Property, document: Mapping[str, Any]) -> Property:
    """With the choices and bounds that the document itself tells of."""
    listed = document.get("NetDevFuncCapabilities")
    can = [text for text in listed if isinstance(text, str)] if isinstance(listed, list) else []
    ethernet = document.get("Ethernet")
    attribute = known.attribute
    if known.path == "NetDevFuncType":
        attribute = replace(attribute, choices=tuple(can))
    elif known.path == "BootMode" and can:
        modes = tuple(mode for mode, needed in NEEDS.items() if needed in can)
        attribute = replace(attribute, choices=("Disabled", *modes))
    elif known.path == "Ethernet/MTUSize" and isinstance(ethernet, dict):
        most = ethernet.get("MTUSizeMaximum")
        attribute = replace(attribute, upper=most) if isinstance(most, int) else attribute
    elif known.path == "Ethernet/MACAddress" and isinstance(ethernet, dict):
        return replace(known, unset=ethernet.get("PermanentMACAddress"))
    return replace(known, attribute=attribute)


# -- messages about attributes, as messages about properties ----------------------------------------------------------


def spelled(properties: Mapping[str, Property], message: Message, given: Mapping[str, Any] | None = None) -> Message:
    """The message with each attribute called as the property that it stands behind, and with the values, by path, that
    were `given`. Where it is about an attribute that stands behind none, it names no property.
    """
    names = {name: found for found in properties.values() for name in found.behind}
    about = [names.get(path.removeprefix("Attributes/")) for path in message.related]
    if not about:
        return message
    if (first := about[0]) is None:
        return replace(message, related=())
    args = tuple(_argument(arg, first, names, given or {}) for arg in message.args)
    return Message(message.key, args, (first.path,), message.native)


def _argument(arg: str, about: Property, names: Mapping[str, Property], given: Mapping[str, Any]) -> str:
    if about.path in given and about.words and arg not in names:
        theirs = about.as_attributes(given[about.path]) or {}
        if arg in {shown(value) for value in theirs.values()}:
            return shown(given[about.path])
    return ", ".join(names[name].path if name in names else name for name in arg.split(", "))


# -- places in documents ----------------------------------------------------------------------------------------------


def has_place(document: Mapping[str, Any], path: str) -> bool:
    """Whether the document has a property there, null or not."""
    folder, _, last = path.rpartition("/")
    holder = value_at(document, folder) if folder else document
    if isinstance(holder, list):
        return _index(holder, last) is not None
    return isinstance(holder, dict) and last in holder


def value_at(document: Mapping[str, Any], path: str) -> Any:
    """What stands there; None where nothing does."""
    found: Any = document
    for name in path.split("/"):
        if isinstance(found, list):
            index = _index(found, name)
            found = found[index] if index is not None else None
        else:
            found = found.get(name) if isinstance(found, dict) else None
    return found


def _index(entries: list[Any], name: str) -> int | None:
    """A place in a list; None where the name is none."""
    return int(name) if name.isdecimal() and len(name) < 5 and int(name) < len(entries) else None


def with_values(document: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """The document with these values, by path, laid over it; what is not touched is shared with it."""
    result = dict(document)
    for path, value in values.items():
        _set(result, path.split("/"), value)
    return result


def _set(holder: dict[str, Any], path: list[str], value: Any) -> None:
    """Set one value; what lies on the way to it is copied."""
    name, *rest = path
    inner = holder.get(name)
    if not rest:
        holder[name] = value
    elif isinstance(inner, list) and (index := _index(inner, rest[0])) is not None:
        entry = inner[index]
        held = {name: dict(entry) if isinstance(entry, dict) else entry}
        _set(held, [name, *rest[1:]], value)
        holder[name] = [*inner[:index], held[name], *inner[index + 1 :]]
    else:
        holder[name] = dict(inner) if isinstance(inner, dict) else {}
        _set(holder[name], rest, value)


def changed_values(
    properties: Mapping[str, Property], delivered: Mapping[str, Value], lookup: Lookup
) -> dict[str, Value]:
    """The values, by path, of the properties whose attributes are not as delivered; the document tells all others."""
    return {
        path: found.told_by(lookup)
        for path, found in properties.items()
        if any(lookup(name) != delivered.get(name) for name in found.behind)
    }
