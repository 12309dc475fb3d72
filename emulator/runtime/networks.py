"""Where the emulator may reach out to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

LOOPBACK = ("127.0.0.0/8", "::1/128")
"""All that is allowed unless a setting says otherwise."""


@dataclass(frozen=True, slots=True)
class Networks:
    """Where transfers may go."""

    networks: tuple[IPv4Network | IPv6Network, ...]

    @classmethod
    def of(cls, texts: Iterable[str]) -> Networks:
        """From "127.0.0.0/8", "::1/128", "10.0.0.0/24" or single addresses. ValueError with a sentence otherwise."""
        return cls(tuple(_network(text) for text in texts))

    def allow(self, address: str) -> bool:
        """Whether this address is in one of them. IPv4-mapped IPv6 counts as IPv4; a name is in none."""
        try:
            found = ip_address(address)
        except ValueError:
            return False
        if isinstance(found, IPv6Address) and found.ipv4_mapped:
            found = found.ipv4_mapped
        return any(found in network for network in self.networks)


def _network(text: str) -> IPv4Network | IPv6Network:
    try:
        return ip_network(text)
    except ValueError as error:
        raise ValueError(f"{error}: write a network as 10.0.0.0/24 or ::1/128, or a single address") from error
