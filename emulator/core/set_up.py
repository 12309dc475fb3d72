"""What somebody has set of the machine besides its devices and its job service: kept as it was set, by URI.

What is not among it is as delivered. Which properties there are, and what they may be, those know who ask for them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from emulator.core.network_services import NetworkServices
from emulator.core.overlay import Overlay, Settings
from emulator.core.power_limit import PowerLimit
from emulator.core.virtual_media import Media


class SetUp:
    """Of one machine."""

    def __init__(self, touch: Callable[[str, str], None], network_services: Mapping[str, Any]) -> None:
        """`touch` notes that an entity has changed; `network_services` (a ManagerNetworkProtocol) are as delivered."""
        self.interfaces: dict[str, dict[str, Any]] = {}
        """Of the controller's own network interfaces, by property, in JSON types."""
        self.network_services: NetworkServices = NetworkServices(network_services)
        self.chassis: dict[str, dict[str, Any]] = {}
        """Of a chassis, by property, in JSON types."""
        self.power_limits: dict[str, PowerLimit] = {}
        """By the URI of the chassis."""
        self.media: dict[str, Media] = {}
        """By the URI of the virtual drive: what somebody has put into it, or taken out."""
        self.overlay: Overlay = Overlay()
        """Of resources that nobody models."""
        self._touch = touch

    def change_interface(self, uri: str, settings: Mapping[str, Any]) -> None:
        """Keep what somebody has set of one of the controller's own network interfaces."""
        self.interfaces[uri] = dict(settings)
        self._touch("interface", uri)

    def change_network_services(self, body: Mapping[str, Any]) -> None:
        """Change the controller's network services.

        Raises:
            Rejected: as `NetworkServices.changed`.
        """
        self.network_services.set_up(self.network_services.changed(body))
        self._touch("network_services", "manager")

    def change_chassis(self, uri: str, properties: Mapping[str, Any]) -> None:
        """Keep properties that somebody has set of a chassis."""
        self.chassis[uri] = {**self.chassis.get(uri, {}), **properties}
        self._touch("chassis", uri)

    def limit_power(self, chassis: str, limit: PowerLimit) -> None:
        """Set, or switch off, the limit of what a chassis may draw."""
        self.power_limits[chassis] = limit
        self._touch("power_limit", chassis)

    def load_media(self, uri: str, media: Media) -> None:
        """Put something into a virtual drive, or take it out."""
        self.media[uri] = media
        self._touch("media", uri)

    def lay_over(self, uri: str, settings: Settings) -> None:
        """Keep what somebody has set of a resource that nobody models."""
        self.overlay.put(uri, settings)
        self._touch("overlay", uri)
