"""The controller's own network interfaces: what may be set, and what comes of it. In force at once, without a job.

What somebody has set is kept by property, with slashes ("VLAN/VLANId"); everything else is as delivered. What follows
from it is worked out when it is shown: the addresses in use, the name servers in use, the speed in use. The DHCP server
of this network always gives the address, and tells of the name servers, that the interface was delivered with.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from emulator.core.device import Attribute, faults_of, shown
from emulator.core.message import Message, Rejected, reject_if_any
from emulator.core.patch import patched
from emulator.devices.network_function import has_place, value_at, with_values

Settings = Mapping[str, Any]
"""What somebody has set, by property."""

ADDRESSES, STATIC_ADDRESSES = "IPv4Addresses", "IPv4StaticAddresses"
SERVERS, STATIC_SERVERS = "NameServers", "StaticNameServers"
DHCP_ENABLED, USE_DNS = "DHCPv4/DHCPEnabled", "DHCPv4/UseDNSServers"
AUTO_NEG = "AutoNeg"
BY_NEGOTIATION = ("SpeedMbps", "FullDuplex")
"""What nobody sets while both ends agree on it."""
SPEEDS = (10, 100, 1000, 2500, 5000, 10000)
DHCP, STATIC = "DHCP", "Static"
ADDRESSES_MAX = 1
SERVERS_MAX = 3

_NO_MASK, _HOST_MASK = "0.0.0.0", "255.255.255.255"  # noqa: S104 - no address to listen on
_LABEL = r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_HOST_NAME = re.compile(rf"^{_LABEL}$")
_FQDN = re.compile(rf"^{_LABEL}(\.{_LABEL})*$")
_ADDRESS = re.compile(r"^([0-9]{1,3}\.){3}[0-9]{1,3}$")


def _table(*attributes: Attribute) -> dict[str, Attribute]:
    return {attribute.name: attribute for attribute in attributes}


SCALARS: Mapping[str, Attribute] = _table(
    Attribute("HostName", "String", min_length=1, max_length=63, pattern=_HOST_NAME),
    Attribute("FQDN", "String", min_length=1, max_length=255, pattern=_FQDN),
    Attribute(AUTO_NEG, "Boolean"),
    Attribute("SpeedMbps", "Integer"),
    Attribute("FullDuplex", "Boolean"),
    Attribute("MTUSize", "Integer", lower=576, upper=1500),
    Attribute("VLAN/VLANEnable", "Boolean"),
    Attribute("VLAN/VLANId", "Integer", lower=1, upper=4094),
    Attribute(DHCP_ENABLED, "Boolean"),
    Attribute(USE_DNS, "Boolean"),
    Attribute("DHCPv4/UseNTPServers", "Boolean"),
    Attribute("DHCPv4/UseGateway", "Boolean"),
    Attribute("DHCPv4/UseStaticRoutes", "Boolean"),
    Attribute("DHCPv4/UseDomainName", "Boolean"),
)
"""The properties with one value that can be set, where an interface has them."""
ADDRESS_PARTS: Mapping[str, Attribute] = _table(
    Attribute("Address", "String", pattern=_ADDRESS),
    Attribute("SubnetMask", "String", pattern=_ADDRESS),
    Attribute("Gateway", "String", pattern=_ADDRESS),
    Attribute("AddressOrigin", "Enumeration", choices=(STATIC, DHCP)),
)
"""Of an address. Its origin can be set only where nothing else says whether DHCP is used."""
SERVER = _table(Attribute("NameServer", "String", pattern=re.compile(r"^[0-9A-Za-z.:-]+$"), max_length=255))


# -- what is shown ----------------------------------------------------------------------------------------------------


def in_force(delivered: Mapping[str, Any], settings: Settings) -> dict[str, Any]:
    """The interface as it is now. Without settings it is as delivered."""
    if not settings:
        return dict(delivered)
    document = with_values(delivered, settings)
    if document.get(AUTO_NEG) is True:
        document |= {name: delivered[name] for name in BY_NEGOTIATION if name in delivered}
    if ADDRESSES in delivered and not settings.keys().isdisjoint((DHCP_ENABLED, STATIC_ADDRESSES, ADDRESSES)):
        document[ADDRESSES] = _addresses(delivered, document)
    if SERVERS in delivered and not settings.keys().isdisjoint((DHCP_ENABLED, USE_DNS, STATIC_SERVERS)):
        document[SERVERS] = _servers(delivered, document)
    for name in (ADDRESSES, STATIC_ADDRESSES, SERVERS, STATIC_SERVERS):
        if f"{name}@odata.count" in document:
            document[f"{name}@odata.count"] = len(_list(document, name))
    return document


def _addresses(delivered: Mapping[str, Any], document: Mapping[str, Any]) -> list[Any]:
    """Without a place for static addresses, what is set among those in use is what is in use."""
    leased = [{**entry, "AddressOrigin": DHCP} for entry in _entries(delivered, ADDRESSES)]
    own = _entries(document, STATIC_ADDRESSES if STATIC_ADDRESSES in delivered else ADDRESSES)
    return leased if _uses_dhcp(document) else [{**entry, "AddressOrigin": STATIC} for entry in own]


def _uses_dhcp(document: Mapping[str, Any]) -> bool:
    """What the interface is told; what its addresses say, where it is told nothing."""
    if has_place(document, DHCP_ENABLED):
        return value_at(document, DHCP_ENABLED) is True
    return any(entry.get("AddressOrigin") == DHCP for entry in _entries(document, ADDRESSES))


def _servers(delivered: Mapping[str, Any], document: Mapping[str, Any]) -> list[Any]:
    if STATIC_SERVERS not in document or (_uses_dhcp(document) and value_at(document, USE_DNS) is not False):
        return _list(delivered, SERVERS)
    return _list(document, STATIC_SERVERS)


def _list(document: Mapping[str, Any], name: str) -> list[Any]:
    """What is listed there; captured trees have null as well."""
    found = document.get(name)
    return found if isinstance(found, list) else []


def _entries(document: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    return [entry for entry in _list(document, name) if isinstance(entry, dict)]


# -- what is set ------------------------------------------------------------------------------------------------------


def changed(delivered: Mapping[str, Any], settings: Settings, body: Mapping[str, Any]) -> dict[str, Any]:
    """What is set once a request has been taken in; changes nothing.

    Raises:
        Rejected: a message for each property that cannot be set so; NoOperation where nothing is given.
    """
    now = in_force(delivered, settings)
    given = dict(_leaves(body))
    if not given:
        raise Rejected(Message("NoOperation"))
    reject_if_any(fault for path, value in given.items() for fault in _faults(delivered, path, value))
    after = dict(settings)
    for path, value in given.items():
        after[path] = patched(now.get(path), _with_origins(path, value)) if path in _LISTS else value
    after |= _names(now, given)
    document = with_values(delivered, after)
    reject_if_any(_conflicts(delivered, document, given))
    return after


def _leaves(body: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The properties of a body, by path, annotations left out. Only the objects that are known here are looked into."""
    for name, value in body.items():
        if "@" in name:
            continue
        path = name.replace("/", "~1")
        if name in _FOLDERS and isinstance(value, dict):
            yield from (
                (f"{path}/{inner.replace('/', '~1')}", found) for inner, found in value.items() if "@" not in inner
            )
        else:
            yield path, value


_FOLDERS = frozenset(path.partition("/")[0] for path in SCALARS if "/" in path)
_LISTS = frozenset({ADDRESSES, STATIC_ADDRESSES, STATIC_SERVERS})


def _faults(delivered: Mapping[str, Any], path: str, value: Any) -> Iterator[Message]:
    """What is wrong with one property, whatever the others are."""
    if not has_place(delivered, path):
        yield Message("PropertyUnknown", (path[:200],), (path[:200],))
    elif path in (ADDRESSES, STATIC_ADDRESSES) and _takes_addresses(delivered, path):
        yield from _list_faults(path, value, ADDRESSES_MAX, _address_faults)
    elif path == STATIC_SERVERS:
        yield from _list_faults(path, value, SERVERS_MAX, _server_faults)
    elif path == "SpeedMbps" and type(value) is int and value not in SPEEDS:
        yield Message("PropertyValueNotInList", (shown(value), path), (path,))
    elif path == "HostName" and value == "":
        yield Message("PropertyValueFormatError", (value, path), (path,))
    elif path in SCALARS:
        yield from _renamed(faults_of(SCALARS, path, value), path, path)
    elif path in _FOLDERS:
        yield Message("PropertyValueTypeError", (shown(value), path), (path,))
    else:
        yield Message("PropertyNotWritable", (path,), (path,))


def _takes_addresses(delivered: Mapping[str, Any], path: str) -> bool:
    """Addresses are set where static ones have their own place, there; elsewhere among the ones in use."""
    return path == STATIC_ADDRESSES or STATIC_ADDRESSES not in delivered


def _list_faults(path: str, value: Any, most: int, check: Callable[[str, Any], Iterator[Message]]) -> Iterator[Message]:
    """What is wrong with a list; `check` says it of an entry at a place. A null is no entry."""
    if not isinstance(value, list):
        yield Message("PropertyValueTypeError", (shown(value), path), (path,))
    elif len([entry for entry in value if entry is not None]) > most:
        yield Message("ArraySizeTooLong", (path, str(most)), (path,))
    else:
        for number, entry in enumerate(value):
            if entry is not None:
                yield from check(f"{path}/{number}", entry)


def _server_faults(place: str, entry: Any) -> Iterator[Message]:
    if entry == "":
        yield Message("PropertyValueFormatError", (entry, place), (place,))
    yield from _renamed(faults_of(SERVER, "NameServer", entry), "NameServer", place)


def _address_faults(place: str, entry: Any) -> Iterator[Message]:
    if not isinstance(entry, dict):
        yield Message("PropertyValueTypeError", (shown(entry), place), (place,))
        return
    for name, value in entry.items():
        path = f"{place}/{name}"[:200]
        if name == "Gateway" and value is None:
            continue
        if name == "AddressOrigin" and place.startswith(STATIC_ADDRESSES):
            yield Message("PropertyNotWritable", (path,), (path,))
            continue
        faults = [*_renamed(faults_of(ADDRESS_PARTS, name, value), name, path)]
        yield from faults
        if not faults and name != "AddressOrigin" and not _is_good(name, value):
            yield Message("PropertyValueFormatError", (value, path), (path,))


def _is_good(name: str, text: str) -> bool:
    """Whether a host can have that address, or a network that mask."""
    try:
        if name == "SubnetMask":
            return str(ipaddress.IPv4Network(f"0.0.0.0/{text}").netmask) == text not in (_NO_MASK, _HOST_MASK)
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    return not (address.is_multicast or address.is_loopback or address.is_unspecified or address.is_reserved)


def _renamed(faults: Iterator[Message], name: str, path: str) -> Iterator[Message]:
    """The same faults with the property called by its path."""
    for fault in faults:
        args = tuple(path if arg == name else arg for arg in fault.args)
        yield replace(fault, args=args, related=(path,))


def _with_origins(path: str, given: list[Any]) -> list[Any]:
    """Of addresses in use: who sets one sets a static one, unless he says otherwise."""
    if path != ADDRESSES:
        return given
    return [{"AddressOrigin": STATIC, **entry} if isinstance(entry, dict) and entry else entry for entry in given]


def _names(now: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """A host's name is the first label of its domain name: where one is set, the other follows."""
    if "HostName" in given and "FQDN" not in given and now.get("FQDN"):
        domain = str(now["FQDN"]).partition(".")[2]
        return {"FQDN": f"{given['HostName']}.{domain}" if domain else given["HostName"]}
    if given.get("FQDN") and "HostName" not in given and "HostName" in now:
        return {"HostName": given["FQDN"].partition(".")[0]}
    return {}


def _conflicts(
    delivered: Mapping[str, Any], document: Mapping[str, Any], given: Mapping[str, Any]
) -> Iterator[Message]:
    """What is wrong with the properties together."""
    if "HostName" in given and given.get("FQDN") and given["FQDN"].partition(".")[0] != given["HostName"]:
        yield Message("PropertyValueConflict", ("HostName", "FQDN"), ("HostName", "FQDN"))
    for name in BY_NEGOTIATION:
        if name in given and document.get(AUTO_NEG) is True:
            yield Message("PropertyDependency", (name, AUTO_NEG), (name,))
    place = STATIC_ADDRESSES if STATIC_ADDRESSES in delivered else ADDRESSES
    entries = _entries(document, place)
    if DHCP_ENABLED in given and not given[DHCP_ENABLED] and not entries:
        yield Message("PropertyMissing", (place,), (place,))
    elif place in given and not entries and not _uses_dhcp(document):
        yield Message("PropertyMissing", (f"{place}/0/Address",), (f"{place}/0/Address",))
    if place in given:
        for number, entry in enumerate(entries):
            yield from _address_conflicts(f"{place}/{number}", entry)


def _address_conflicts(place: str, entry: Mapping[str, Any]) -> Iterator[Message]:
    if entry.get("AddressOrigin") == DHCP:
        return
    missing = [name for name in ("Address", "SubnetMask") if not entry.get(name)]
    for name in missing:
        yield Message("PropertyMissing", (f"{place}/{name}",), (f"{place}/{name}",))
    if not missing and entry.get("Gateway"):
        network = ipaddress.ip_network(f"{entry['Address']}/{entry['SubnetMask']}", strict=False)
        if ipaddress.ip_address(entry["Gateway"]) not in network:
            names = f"{place}/Gateway", f"{place}/Address"
            yield Message("PropertyValueConflict", names, names)
