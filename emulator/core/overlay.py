"""What somebody has set of resources that nobody models: kept as it was written, and laid over what is shown.

Of each resource only what was set is kept, so that everything else goes on as it is. Arrays are kept whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from emulator.core.patch import patched

Settings = Mapping[str, Any]
"""Property -> value in JSON types; the properties of an object that were set are an object themselves."""
COUNT = "@odata.count"


class Overlay:
    """By URI, what was set there."""

    def __init__(self) -> None:
        self._settings: dict[str, Settings] = {}

    def __contains__(self, uri: object) -> bool:
        return uri in self._settings

    @property
    def uris(self) -> Iterable[str]:
        """Of which resources something was set."""
        return self._settings.keys()

    def get(self, uri: str) -> Settings | None:
        """What was set of a resource; None: nothing."""
        return self._settings.get(uri)

    def put(self, uri: str, settings: Settings | None) -> None:
        """This is what is set of a resource now."""
        if settings:
            self._settings[uri] = settings
        else:
            self._settings.pop(uri, None)

    def shown(self, uri: str, document: Mapping[str, Any]) -> dict[str, Any]:
        """A copy of a resource's document with what was set of it."""
        settings = self._settings.get(uri)
        return dict(document) if settings is None else _laid_over(document, settings)


def after_patch(settings: Settings | None, shown: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """What is set once a PATCH has been taken in; `shown` is the document as its client read it.

    Annotations among what is `given` are nobody's property and left out.
    """
    after = dict(settings or {})
    for name, value in given.items():
        if "@" in name:
            continue
        now = shown.get(name)
        if isinstance(value, Mapping):
            set_already = after.get(name)
            inside = now if isinstance(now, Mapping) else {}
            after[name] = after_patch(set_already if isinstance(set_already, Mapping) else {}, inside, value)
        else:
            after[name] = patched(now, value)
    return after


def _laid_over(document: Mapping[str, Any], settings: Settings) -> dict[str, Any]:
    shown = dict(document)
    for name, value in settings.items():
        if isinstance(value, Mapping):
            inside = shown.get(name)
            shown[name] = _laid_over(inside if isinstance(inside, Mapping) else {}, value)
            continue
        shown[name] = value
        if isinstance(value, list) and f"{name}{COUNT}" in shown:
            shown[f"{name}{COUNT}"] = len(value)
    return shown
