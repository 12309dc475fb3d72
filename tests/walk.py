"""Walking through everything that a service serves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from conftest import Bmc

from emulator.mockup.reader import normal


def everything(bmc: Bmc) -> dict[str, Any]:
    """Every document that links lead to, from the root."""
    seen: dict[str, Any] = {}
    queue = ["/redfish/v1"]
    while queue:
        uri = queue.pop()
        if uri not in seen:
            seen[uri] = bmc.get(uri).body
            links = found_in(seen[uri], "@odata.id", "Uri", "TaskMonitor")
            queue += [normal(link.partition("#")[0]) for link in links]
    return seen


def found_in(value: Any, *names: str) -> Iterator[str]:
    """All texts of these properties within a value."""
    if isinstance(value, dict):
        for name, entry in value.items():
            if name in names and isinstance(entry, str):
                yield entry
            else:
                yield from found_in(entry, *names)
    elif isinstance(value, list):
        for entry in value:
            yield from found_in(entry, *names)
