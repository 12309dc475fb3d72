"""A kind of device, as a whole: how it is found in a tree, what it is, and how it is shown."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from emulator.core.device import Device
from emulator.core.host import Timings
from emulator.mockup.place import Listed, Place
from emulator.mockup.site import Site
from emulator.redfish.view import Resource

P = TypeVar("P", bound=Place)


@dataclass(frozen=True, slots=True)
class DeviceKind(Generic[P]):
    """One line of `app.DEVICE_KINDS`."""

    find: Callable[[Site, Listed], Iterable[P]]
    """The places of such devices: all that can live, or those that the manifest lists."""
    build: Callable[[P, Timings, Mapping[str, Device]], Device]
    """Makes the device of one machine that stands at a place. The mapping has, by id, those of the machine that were
    made before it."""
    views: tuple[Callable[[Site], list[Resource]], ...] = ()
    """The resources of this kind alone; what several kinds share is in `redfish/views`."""


DeviceKinds = Mapping[str, DeviceKind[Any]]
"""By the name that a manifest has for the kind."""
