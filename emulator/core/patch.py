"""What a PATCH makes of a value: of objects, and of arrays (DSP0266, "PATCH on array properties")."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def patched(now: Any, given: Any) -> Any:
    """A value as a PATCH leaves it (DSP0266, "PATCH on array properties").

    Of an array, null takes an element out, {} leaves it as it is, an object is laid over it, anything else takes its
    place; what is beyond the array given goes, and what the array given has more is added.
    """
    if isinstance(given, Mapping):
        inside = now if isinstance(now, Mapping) else {}
        values = {name: patched(inside.get(name), value) for name, value in given.items() if "@" not in name}
        return {**inside, **values}
    if not isinstance(given, list):
        return given
    return list(_patched_elements(now if isinstance(now, list) else [], given))


def _patched_elements(now: list[Any], given: list[Any]) -> Iterator[Any]:
    for number, entry in enumerate(given):
        if number >= len(now):
            if entry is not None and entry != {}:
                yield patched(None, entry)
        elif entry == {}:
            yield now[number]
        elif entry is not None:
            yield patched(now[number], entry)
