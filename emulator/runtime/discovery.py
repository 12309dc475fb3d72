"""Discovery: answers to SSDP searches on the interfaces that were named, and announcements there.

It asks the service itself what may be told: a controller is found while its NetworkProtocol shows SSDP as enabled,
under the UUID that its root shows. Searches come in real time from clients that wait in real time, and so do
announcements.

Whoever may not ask over HTTP is not answered here either, and at most so many datagrams leave in a second: a search in
somebody else's name must not become a flood.
"""

from __future__ import annotations

import logging
import math
import selectors
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any, NamedTuple

from emulator.formats.ssdp import DATAGRAM_MAX, Found, announcement, answer, is_meant, read_search

log = logging.getLogger(__name__)

PORT = 1900
GROUPS = {4: "239.255.255.250", 6: "ff02::c"}
SCOPES = {"Link": "ff02::c", "Site": "ff05::c", "Organization": "ff08::c"}
"""Where announcements go in IPv6, by NotifyIPv6Scope."""
ANSWERED_MAX = 64
"""Controllers of a fleet that let themselves be found: the first ones."""
DATAGRAMS_PER_SECOND = 200
"""That leave; what goes beyond is not sent."""
LOOK_AGAIN_SECONDS = 60
"""After which a controller that announces nothing is asked again."""
_IP_MULTICAST_ALL = 49


class Place(NamedTuple):
    """An address of the interface to be found on."""

    address: IPv4Address | IPv6Address
    port: int = PORT


class Told(NamedTuple):
    """What a controller lets be known about itself."""

    found: Found
    interval: int
    """Seconds between announcements; 0: none."""
    ttl: int
    group: str = GROUPS[6]
    """Whom announcements reach in IPv6."""


def parse_place(text: str) -> Place:
    """ADDRESS, ADDRESS:PORT or [ADDRESS]:PORT.

    Raises:
        ValueError: neither.
    """
    with suppress(ValueError):
        return Place(ip_address(text))
    address, _, port = text.rpartition(":")
    if not port.isascii() or not port.isdecimal() or not 0 < int(port) <= 65535:
        raise ValueError(f"{text}: no address and port")
    return Place(ip_address(address.removeprefix("[").removesuffix("]")), int(port))


def told(root: Mapping[str, Any], protocol: Mapping[str, Any], url: str) -> Told | None:
    """What a service root and a ManagerNetworkProtocol let be known; None where SSDP is not enabled."""
    ssdp, uuid = protocol.get("SSDP"), root.get("UUID")
    if not isinstance(ssdp, dict) or ssdp.get("ProtocolEnabled") is not True or not isinstance(uuid, str):
        return None
    version = str(root.get("RedfishVersion", "")).split(".")
    minor = int(version[1]) if len(version) > 1 and version[1].isdecimal() else 0
    interval, ttl = ssdp.get("NotifyMulticastIntervalSeconds"), ssdp.get("NotifyTTL")
    return Told(
        Found(uuid.lower(), minor, url),
        interval if isinstance(interval, int) and interval > 0 else 0,
        min(max(ttl, 1), 255) if isinstance(ttl, int) else 2,
        SCOPES.get(str(ssdp.get("NotifyIPv6Scope")), GROUPS[6]),
    )


class Discovery:
    """Lets the controllers of a fleet be found, until it is stopped."""

    def __init__(
        self,
        places: Sequence[Place],
        controllers: int,
        tell: Callable[[int, str], Told | None],
        is_allowed: Callable[[str], bool],
    ) -> None:
        """`tell` gives what controller `number` lets be known on a place's address; `is_allowed`, whether a peer's
        address is answered.
        """
        self._places = places
        self._numbers = range(1, min(controllers, ANSWERED_MAX) + 1)
        self._tell = tell
        self._is_allowed = is_allowed
        self._bucket = Bucket(DATAGRAMS_PER_SECOND)
        self._selector = selectors.DefaultSelector()
        self._sockets: list[socket.socket] = []
        self._thread: threading.Thread | None = None
        self._due: dict[tuple[Place, int], float] = {}
        self._wake, self._woken = socket.socketpair()

    def start(self) -> None:
        """Listen.

        Raises:
            OSError: an address cannot be had.
        """
        self._selector.register(self._woken, selectors.EVENT_READ)
        for place in self._places:
            own = _bound(place, place.address)
            self._add(own, own, place)
            # where the interface takes part in no groups, whoever asks the address itself is answered all the same
            with suppress(OSError):
                self._add(_joined(place), own, place)
            for number in self._numbers:
                self._due[place, number] = time.monotonic()
        self._thread = threading.Thread(target=self._run, name="discovery", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Listen no more."""
        self._wake.close()
        if self._thread is not None:
            self._thread.join()
        for open_socket in (*self._sockets, self._woken):
            open_socket.close()
        self._selector.close()

    def _add(self, heard: socket.socket, sender: socket.socket, place: Place) -> None:
        self._sockets.append(heard)
        self._selector.register(heard, selectors.EVENT_READ, (sender, place))

    def _run(self) -> None:
        while True:
            until = min(self._due.values(), default=math.inf)
            ready = self._selector.select(None if until == math.inf else max(0.0, until - time.monotonic()))
            for key, _ in ready:
                if key.fileobj is self._woken:
                    return
                with suppress(OSError):
                    self._hear(key.fileobj, *key.data)
            self._announce_due()

    def _hear(self, heard: Any, sender: socket.socket, place: Place) -> None:
        datagram, peer = heard.recvfrom(DATAGRAM_MAX + 1)
        target = read_search(datagram)
        if target is None or not self._is_allowed(peer[0].partition("%")[0]):
            return
        for number in self._numbers:
            if not self._bucket.take():
                return
            known = self._known(place, number)
            if known is not None and is_meant(target, known.found):
                sender.sendto(answer(known.found), peer)

    def _announce_due(self) -> None:
        now = time.monotonic()
        for (place, number), due in self._due.items():
            if due > now:
                continue
            known = self._known(place, number)
            self._due[place, number] = now + (known.interval if known and known.interval else LOOK_AGAIN_SECONDS)
            # what goes to a group may reach anybody there
            if known is not None and known.interval and self._is_allowed(str(place.address)) and self._bucket.take():
                with suppress(OSError):
                    _send_to_group(place, known)

    def _known(self, place: Place, number: int) -> Told | None:
        try:
            return self._tell(number, str(place.address))
        except Exception:
            log.exception("controller %s cannot be asked what to announce", number)
            return None


class Bucket:
    """So many in a second, and no more."""

    def __init__(self, per_second: int, now: Callable[[], float] = time.monotonic) -> None:
        self._per_second = per_second
        self._now = now
        self._left = float(per_second)
        self._since = now()

    def take(self) -> bool:
        """Whether there is one more."""
        now = self._now()
        self._left = min(self._per_second, self._left + (now - self._since) * self._per_second)
        self._since = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


def _bound(place: Place, address: Any) -> socket.socket:
    is_v6 = place.address.version == 6
    made = socket.socket(socket.AF_INET6 if is_v6 else socket.AF_INET, socket.SOCK_DGRAM)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.setblocking(False)
        made.bind((str(address), place.port, 0, _interface(place)) if is_v6 else (str(address), place.port))
    except OSError:
        made.close()
        raise
    return made


def _joined(place: Place) -> socket.socket:
    """A socket that hears what is sent to the group on the place's interface, and nothing else."""
    group = ip_address(GROUPS[place.address.version])
    made = _bound(place, group)
    try:
        if place.address.version == 6:
            member = group.packed + struct.pack("@I", _interface(place))
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, member)
        else:
            if sys.platform == "linux":  # it would hear what others on this machine have joined elsewhere
                made.setsockopt(socket.IPPROTO_IP, _IP_MULTICAST_ALL, 0)
            made.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, group.packed + place.address.packed)
    except OSError:
        made.close()
        raise
    return made


def _interface(place: Place) -> int:
    """The number of the interface of an IPv6 address; 0: the system's choice."""
    name = getattr(place.address, "scope_id", None)
    if name is None and place.address.is_loopback:
        name = "lo0" if sys.platform == "darwin" else "lo"
    try:
        return socket.if_nametoindex(name) if name else 0
    except OSError:
        return 0


def _send_to_group(place: Place, known: Told) -> None:
    version = place.address.version
    group = known.group if version == 6 else GROUPS[version]
    text = announcement(known.found, group, place.port)
    with socket.socket(socket.AF_INET6 if version == 6 else socket.AF_INET, socket.SOCK_DGRAM) as made:
        made.setblocking(False)
        if version == 6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, _interface(place))
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, known.ttl)
            made.sendto(text, (group, place.port, 0, _interface(place)))
        else:
            made.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, place.address.packed)
            made.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, known.ttl)
            made.sendto(text, (group, place.port))
