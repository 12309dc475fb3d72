"""Finding the virtual drives of a tree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from emulator.core.virtual_media import Media
from emulator.mockup.documents import object_at
from emulator.mockup.reader import Document, Tree, links

ACTIONS = ("InsertMedia", "EjectMedia")


@dataclass(frozen=True, slots=True)
class MediaPlace:
    """A virtual drive."""

    uri: str
    delivered: Media
    targets: dict[str, str]
    """Action -> where it is called. Those that the resource does not offer are called at their usual places too."""


def find_media(tree: Tree, holders: Sequence[str]) -> tuple[MediaPlace, ...]:
    """The virtual drives of systems and managers, each once, in the order of their collections."""
    found: dict[str, MediaPlace] = {}
    for holder in holders:
        collection = next(iter(links(tree.documents[holder].get("VirtualMedia"))), f"{holder}/VirtualMedia")
        for uri in tree.members(collection):
            document = tree.documents[uri]
            found[uri] = MediaPlace(uri, _delivered(document), {name: _target(uri, document, name) for name in ACTIONS})
    return tuple(found.values())


def _target(uri: str, document: Document, name: str) -> str:
    target = object_at(document, "Actions", f"#VirtualMedia.{name}").get("target")
    usual = f"{uri}/Actions/VirtualMedia.{name}"
    return target if isinstance(target, str) and target.startswith(f"{uri}/") else usual


def _delivered(document: Document) -> Media:
    def text(name: str) -> str | None:
        found = document.get(name)
        return found if isinstance(found, str) and found else None

    return Media(
        text("Image"),
        document.get("Inserted") is True,
        document.get("WriteProtected") is not False,
        text("TransferProtocolType"),
        text("TransferMethod"),
        text("UserName"),
    )
