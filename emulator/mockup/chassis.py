"""Which chassis have their power from the host, and which have it from another system."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from emulator.mockup.reader import ROOT, Tree, links


@dataclass(frozen=True, slots=True)
class Enclosures:
    """The chassis of a tree by whose power they have; what neither knows has its own."""

    of_host: tuple[str, ...] = ()
    """Those that hold the host, and what these contain: on and off with it."""
    of_others: tuple[str, ...] = ()
    """Those that hold other systems only, such as a blade beside the host or a card with a computer, and so on."""

    def follows_host(self, uri: str) -> bool:
        """Whether a resource at or below a chassis has its power from the host; what is below none has."""
        return chassis_of(uri) not in self.of_others


def chassis_of(uri: str) -> str:
    """The chassis in whose folder a resource stands; "" where it stands in none."""
    head = f"{ROOT}/Chassis/"
    return head + uri.removeprefix(head).partition("/")[0] if uri.startswith(head) else ""


def find_enclosures(tree: Tree, chassis: Iterable[str], host: str) -> Enclosures:
    """Tell the chassis of a tree apart by their links."""
    held = {uri: _linked(tree, uri, "ComputerSystems") for uri in chassis if uri in tree.documents}
    empty = [uri for uri, systems in held.items() if not systems]
    inside = [uri for uri, systems in held.items() if host in systems]
    others = [uri for uri, systems in held.items() if systems and host not in systems]
    return Enclosures(_with_contained(tree, empty, inside), _with_contained(tree, empty, others))


def _with_contained(tree: Tree, empty: list[str], holders: list[str]) -> tuple[str, ...]:
    """The holders, and what they contain that holds no system itself, and so on."""
    found = list(holders)
    for holder in found:
        found += [uri for uri in empty if uri not in found and holder in _linked(tree, uri, "ContainedBy")]
    return tuple(found)


def _linked(tree: Tree, uri: str, name: str) -> list[str]:
    found = tree.documents[uri].get("Links")
    return links(found.get(name)) if isinstance(found, dict) else []
