"""Where a device stands in a tree: what every kind of device tells of its places."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from emulator.core.message import Message
from emulator.mockup.manifest import DevicePlace

if TYPE_CHECKING:
    from emulator.mockup.site import Site


class Place(Protocol):
    """Where one device stands."""

    __slots__ = ()

    device_id: str
    """The id of the device, which is the target of its jobs."""
    uri: str
    """Of the resource that shows it, without a trailing slash."""

    def is_settings_uri(self, uri: str) -> bool:
        """Whether this is a settings resource of the device."""

    # -- what not every place has

    def spelled(self, message: Message) -> Message:
        """A message about the device's attributes, in the names that its resource has for them. By default the same."""
        return message


@dataclass(frozen=True, slots=True)
class PropertyPlace(Place):
    """Of a device whose attributes are properties of its resource; their settings resource is below it."""

    device_id: str
    uri: str

    @property
    def settings_uri(self) -> str:
        """Of the settings resource."""
        return f"{self.uri}/Settings"

    def is_settings_uri(self, uri: str) -> bool:
        """Whether it is that one."""
        return uri == self.settings_uri

    def spelled(self, message: Message) -> Message:
        """Its properties stand in the resource itself, not among its Attributes."""
        return replace(message, related=tuple(path.removeprefix("Attributes/") for path in message.related))


Listed = tuple[DevicePlace, ...] | None
"""The devices of one kind that the manifest lists; None: they are to be found. An empty tuple says: none lives."""
Finder = Callable[["Site", Listed], Iterable[Place]]
"""(what is known of the tree, what the manifest lists) -> the places of one kind of device."""
