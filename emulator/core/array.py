"""An array property as a PATCH leaves it (DSP0266, "PATCH on array properties")."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def patched(now: Any, given: Sequence[Any]) -> list[Any]:
    """The array after a request.

    null takes an entry out, {} leaves it, an object is laid over it, anything else replaces it, and what is beyond the
    array given goes. What was no array (captured trees have null) counts as an empty one.
    """
    old = now if isinstance(now, list) else []
    result: list[Any] = []
    for number, entry in enumerate(given):
        before = old[number] if number < len(old) else None
        if isinstance(entry, Mapping):
            merged = {**before, **entry} if isinstance(before, Mapping) else dict(entry) or before
            result += [merged] if merged is not None else []
        elif entry is not None:
            result.append(entry)
    return result
