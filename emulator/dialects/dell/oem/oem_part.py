"""The vendor's part of a document that is everybody's: objects laid over objects."""

from __future__ import annotations

from typing import Any

from emulator.redfish.view import Document


def merged(base: Any, addition: Document) -> Document:
    """`addition` laid over `base`, object by object; neither is changed."""
    result = dict(base) if isinstance(base, dict) else {}
    for name, value in addition.items():
        result[name] = merged(result.get(name), value) if isinstance(value, dict) else value
    return result


def part(document: Document, name: str) -> Document:
    """An object within a document; {} where there is none, or something else."""
    found = document.get(name)
    return found if isinstance(found, dict) else {}


def of_vendor(document: Document) -> Document:
    """What the vendor says in it already; {} where that is nothing."""
    return part(part(document, "Oem"), "Dell")


def with_oem(document: Document, odata_type: str, name: str, now: Document, otherwise: Document) -> Document:
    """The document with an object of the vendor's: what it is now, and what is otherwise said where nothing is yet."""
    found = of_vendor(document)
    own = {**otherwise, **part(found, name), **now}
    dell = {"@odata.type": odata_type, **found, name: own}
    return {**document, "Oem": {**part(document, "Oem"), "Dell": dell}}


def with_links(document: Document, links: Document) -> Document:
    """The document with links of the vendor's."""
    known = of_vendor(part(document, "Links"))
    dell = {"@odata.type": "#DellOem.v1_3_0.DellOemLinks", **known, **links}
    return merged(document, {"Links": {"Oem": {"Dell": dell}}})
