"""Finding the partitions of ports: further functions of a port, which are there only while it is partitioned (NPAR).

A lifecycle controller calls the functions of port NIC.Integrated.1-1 NIC.Integrated.1-1-1, -2 and so on, and the first
one's VirtualizationMode partitions the port. A tree tells of partitions where it was captured in such a mode. One that
was not does not tell what would be there: nothing appears in it when its port is partitioned.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from emulator.devices.nic import PARTITIONED, VIRTUALIZATION_MODE
from emulator.mockup.network import NicPlace, below_system, functions_of, interfaces_of
from emulator.mockup.reader import Tree

_NAME = re.compile(r"(.+-[0-9]+)-([0-9]+)")


@dataclass(frozen=True, slots=True)
class PartitionPlace:
    """A function that is there while its port is partitioned."""

    uris: tuple[str, ...]
    """The function, where it stands below the system as well, and the host's interfaces that are its alone."""
    owner: str
    """The device whose mode partitions the port."""


def find_partitions(tree: Tree, systems: Sequence[str], nics: Iterable[NicPlace]) -> tuple[PartitionPlace, ...]:
    """All that the tree tells of."""
    owners = {nic.uri: nic for nic in nics if nic.model.values.get(VIRTUALIZATION_MODE) in PARTITIONED}
    found = []
    for uri in functions_of(tree):
        name = _NAME.fullmatch(uri)
        owner = owners.get(f"{name[1]}-1") if name is not None else None
        if owner is not None and owner.uri != uri:
            interfaces = [one for one in interfaces_of(tree, systems, uri) if one not in owner.interfaces]
            twin = below_system(uri, systems)
            found.append(PartitionPlace((uri, *([twin] if twin else []), *interfaces), owner.device_id))
    return tuple(found)
