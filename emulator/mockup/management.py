"""Finding the network interfaces of the controllers themselves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from emulator.mockup.network import settings_link
from emulator.mockup.reader import Tree, links


@dataclass(frozen=True, slots=True)
class InterfacePlace:
    """An EthernetInterface of a manager."""

    uri: str
    settings_uri: str
    """The settings resource that it names; empty where it names none."""
    network_protocol: str
    """The ManagerNetworkProtocol that shows the same names; empty where none does."""


def find_interfaces(tree: Tree, managers: Sequence[str]) -> tuple[InterfacePlace, ...]:
    """Those of all managers, in the order of their collections."""
    return tuple(place for manager in managers for place in _interfaces(tree, manager))


def network_protocol_of(tree: Tree, manager: str) -> str:
    """The URI at which a manager tells of its network services, whether there is something or not."""
    return next(iter(links(tree.documents[manager].get("NetworkProtocol"))), f"{manager}/NetworkProtocol")


def _interfaces(tree: Tree, manager: str) -> Iterator[InterfacePlace]:
    document = tree.documents[manager]
    collection = next(iter(links(document.get("EthernetInterfaces"))), f"{manager}/EthernetInterfaces")
    protocol = network_protocol_of(tree, manager)
    name = (tree.get(protocol) or {}).get("HostName")
    is_named = False
    for uri in tree.members(collection):
        own = tree.documents[uri]
        names_it = not is_named and isinstance(name, str) and own.get("HostName") == name
        is_named = is_named or names_it
        yield InterfacePlace(uri, settings_link(own), protocol if names_it else "")
