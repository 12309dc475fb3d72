"""The network services of the controller: which are on, and on which port. Names are those of ManagerNetworkProtocol.

What somebody has set is in force at once and kept; everything else is as delivered. Whoever runs a service, such as
discovery by SSDP, reads here whether he is to: `machine.set_up.network_services.ssdp`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

from emulator.core.device import Attribute, faults_of, shown
from emulator.core.message import Message, Rejected, reject_if_any
from emulator.core.patch import patched

ENABLED, PORT = "ProtocolEnabled", "Port"
SSDP, NTP, NTP_SERVERS = "SSDP", "NTP", "NTPServers"
NTP_SERVERS_MAX = 4
PORT_MAX = 65535

_LABEL = r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_PORT = Attribute(PORT, "Integer", lower=1, upper=PORT_MAX)
_SWITCH = Attribute(ENABLED, "Boolean")
_SETTABLE: Mapping[str, Attribute] = {
    ENABLED: _SWITCH,
    PORT: _PORT,
    "NotifyMulticastIntervalSeconds": Attribute("", "Integer", lower=0, upper=86_400),
    "NotifyTTL": Attribute("", "Integer", lower=1, upper=255),
    "NotifyIPv6Scope": Attribute("", "Enumeration", choices=("Link", "Site", "Organization")),
    "EnableSNMPv1": _SWITCH,
    "EnableSNMPv2c": _SWITCH,
    "EnableSNMPv3": _SWITCH,
    "TrapPort": _PORT,
}
"""What of a service can be set, where the service has it."""
_SERVER = Attribute(
    NTP_SERVERS,
    "String",
    max_length=255,
    pattern=re.compile(rf"^([0-9A-Fa-f:.]+|{_LABEL}(\.{_LABEL})*)\Z"),
)
_TRANSPORTS: Mapping[str, frozenset[str]] = {
    "TCP": frozenset({"HTTP", "HTTPS", "SSH", "Telnet", "KVMIP", "RFB", "RDP", "FTP", "FTPS", "SFTP", "Modbus"}),
    "UDP": frozenset({"IPMI", "SNMP", SSDP, NTP, "DHCP", "DHCPv6", "mDNS"}),
}
"""Who would be in whose way on one port. VirtualMedia is not among them: consoles carry it on their own port."""

Settings = Mapping[str, Mapping[str, Any]]
"""By service: what somebody has set, by property, in JSON types."""


@dataclass(frozen=True, slots=True)
class Ssdp:
    """How the controller is to make itself found (DSP0266, "Discovery")."""

    is_enabled: bool
    port: int
    notify_interval_seconds: int
    """Between announcements; 0: none."""
    notify_ttl: int
    notify_ipv6_scope: str
    """Link, Site or Organization."""


class NetworkServices:
    """The services of one controller.

    `delivered` is its ManagerNetworkProtocol; services are the objects in it that can be enabled.
    """

    def __init__(self, delivered: Mapping[str, Any]) -> None:
        self._delivered: dict[str, Mapping[str, Any]] = {
            name: service
            for name, service in delivered.items()
            if isinstance(service, Mapping) and isinstance(service.get(ENABLED), bool)
        }
        self.settings: dict[str, dict[str, Any]] = {}

    @property
    def names(self) -> tuple[str, ...]:
        """The services that there are, in the order of the document."""
        return tuple(self._delivered)

    def service(self, name: str) -> dict[str, Any]:
        """A service as it is now; {} where the controller has none of that name."""
        return {**self._delivered.get(name, {}), **self.settings.get(name, {})}

    @property
    def ssdp(self) -> Ssdp:
        """Discovery as it is now; off where the controller does not tell of it."""
        now = self.service(SSDP)
        return Ssdp(
            bool(now.get(ENABLED)),
            now.get(PORT) or 1900,
            now.get("NotifyMulticastIntervalSeconds") or 0,
            now.get("NotifyTTL") or 2,
            now.get("NotifyIPv6Scope") or "Link",
        )

    def changed(self, body: Mapping[str, Any]) -> Settings:
        """What is set once a request has been taken in, by service; changes nothing.

        Raises:
            Rejected: a message for each property that cannot be set so; NoOperation where nothing is given.
        """
        given = {name: _without_annotations(value) for name, value in body.items()}
        reject_if_any(fault for name, values in given.items() for fault in self._faults(name, values))
        if not any(given.values()):
            raise Rejected(Message("NoOperation"))
        after = {name: dict(values) for name, values in self.settings.items()}
        for name, values in given.items():
            merged = {**after.get(name, {}), **values}
            if NTP_SERVERS in values:
                merged[NTP_SERVERS] = patched(self.service(name).get(NTP_SERVERS), values[NTP_SERVERS])
            after[name] = merged
        reject_if_any(self._conflicts(after, given))
        return after

    def set_up(self, settings: Settings) -> None:
        """Keep what `changed` has given."""
        self.settings = {name: dict(values) for name, values in settings.items()}

    def to_plain(self) -> dict[str, Any]:
        """JSON types only, for a store."""
        return {name: dict(values) for name, values in self.settings.items()}

    def restore(self, saved: Settings) -> None:
        """The reverse of `to_plain`."""
        self.set_up(saved)

    def _faults(self, name: str, values: Any) -> Iterator[Message]:
        """What is wrong with what is said of one service, whatever the others are."""
        if not isinstance(values, dict):
            yield Message("PropertyValueTypeError", (shown(values), name), (name,))
            return
        for key, value in values.items():
            path = f"{name}/{key}"[:200]
            if key not in self._delivered[name]:
                yield Message("PropertyUnknown", (path,), (path,))
            elif key == NTP_SERVERS:
                yield from _server_faults(path, value)
            elif key not in _SETTABLE:
                yield Message("PropertyNotWritable", (path,), (path,))
            else:
                yield from _value_faults(_SETTABLE[key], path, value)

    def _conflicts(self, after: Settings, given: Mapping[str, Any]) -> Iterator[Message]:
        """Services that would listen on one port. What was delivered so, and is not touched, stays."""
        now = {name: {**self._delivered[name], **after.get(name, {})} for name in self._delivered}
        for one, other in combinations(now, 2):
            if one not in given and other not in given:
                continue
            listen = now[one].get(ENABLED) and now[other].get(ENABLED)
            if listen and now[one].get(PORT) == now[other].get(PORT) is not None and _share_transport(one, other):
                changed, kept = (one, other) if one in given else (other, one)
                paths = f"{changed}/{PORT}", f"{kept}/{PORT}"
                yield Message("PropertyValueConflict", paths, paths)


def _without_annotations(value: Any) -> Any:
    return {name: inner for name, inner in value.items() if "@" not in name} if isinstance(value, dict) else value


def _share_transport(one: str, other: str) -> bool:
    return any(one in services and other in services for services in _TRANSPORTS.values())


def _server_faults(path: str, value: Any) -> Iterator[Message]:
    """What is wrong with a list of servers; null and {} are about the entries that are there."""
    if not isinstance(value, list):
        yield Message("PropertyValueTypeError", (shown(value), path), (path,))
    elif len([entry for entry in value if entry is not None]) > NTP_SERVERS_MAX:
        yield Message("ArraySizeTooLong", (path, str(NTP_SERVERS_MAX)), (path,))
    else:
        for number, entry in enumerate(value):
            place = f"{path}/{number}"
            if entry == "":
                yield Message("PropertyValueFormatError", ("", place), (place,))
            elif entry is not None and entry != {}:
                yield from _value_faults(_SERVER, place, entry)


def _value_faults(attribute: Attribute, path: str, value: Any) -> Iterator[Message]:
    found = faults_of({path: replace(attribute, name=path)}, path, value)
    return (replace(fault, related=(path,)) for fault in found)
