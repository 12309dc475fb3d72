"""Services whose rules a client may set: properties of a document, each of which is one rule of the core."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from emulator.core.message import Message, Rejected
from emulator.redfish.boot_order import refuse_others
from emulator.redfish.view import Document


def rules_document(names: Mapping[str, str], rules: Any) -> Document:
    """The rules in force; `names` tells property -> field of `rules`."""
    return {name: getattr(rules, field) for name, field in names.items()}


def wanted_rules(names: Mapping[str, str], document: Document, body: Mapping[str, Any]) -> dict[str, Any]:
    """What a PATCH of this document wants of the rules, by field.

    Raises:
        Rejected: PropertyNotWritable, PropertyUnknown, NoOperation.
    """
    refuse_others(document, body, frozenset(names), "")
    wanted = {names[name]: value for name, value in body.items() if name in names}
    if not wanted:
        raise Rejected(Message("NoOperation"))
    return wanted
