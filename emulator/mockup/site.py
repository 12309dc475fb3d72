"""Finding what in a tree can be brought to life, and where it stands."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, cast

from emulator.core.message import Message
from emulator.devices.attribute_registry import Model, build_model
from emulator.devices.firmware import Component
from emulator.mockup.adapters import AdapterPlace, PortPlace, find_adapters
from emulator.mockup.boot import BootPlace, find_boot
from emulator.mockup.chassis import Enclosures, find_enclosures
from emulator.mockup.documents import object_at, objects
from emulator.mockup.inventory import find_components
from emulator.mockup.logs import LogPlace, choose_lifecycle_log, find_logs
from emulator.mockup.management import InterfacePlace, find_interfaces, network_protocol_of
from emulator.mockup.manifest import DevicePlace, Manifest
from emulator.mockup.media import MediaPlace, find_media
from emulator.mockup.network import NicPlace, find_nics
from emulator.mockup.partitions import PartitionPlace, find_partitions
from emulator.mockup.place import Finder, Listed, Place
from emulator.mockup.power_limits import LimitPlace, find_power_limits
from emulator.mockup.reader import ROOT, SETTINGS, Document, MockupError, Tree, links, normal
from emulator.mockup.readings import Readings, find_readings
from emulator.mockup.storage import StoragePlace, find_storages


@dataclass(frozen=True, slots=True)
class BiosPlace(Place):
    """A BIOS that lives."""

    device_id: str
    uri: str
    settings_uri: str
    model: Model
    boot: BootPlace | None = None
    """The boot order of its host; None where the tree does not tell of one."""

    @property
    def device_model(self) -> Model:
        """What the device holds: the attributes, and the boot order."""
        return self.boot.model if self.boot else self.model

    @property
    def all_settings_uris(self) -> tuple[str, ...]:
        """Its own settings, and those of the boot order that a vendor has elsewhere."""
        return (self.settings_uri, *(self.boot.sources.values() if self.boot else ()))

    def is_settings_uri(self, uri: str) -> bool:
        """Whether it is one of `all_settings_uris`."""
        return uri in self.all_settings_uris


@dataclass(frozen=True, slots=True)
class FirmwarePlace(Place):
    """The firmware of all components: one device, which has no settings."""

    device_id: str
    uri: str
    """Of the inventory."""
    components: tuple[Component, ...]
    """What the inventory tells of, in its order."""
    by_id: Mapping[str, Component]
    """The same, shared by all machines."""

    def is_settings_uri(self, uri: str) -> bool:
        """None is."""
        return False


@dataclass(frozen=True, slots=True)
class Site:
    """Where in a tree the living things stand. URIs have no trailing slash."""

    tree: Tree
    dialect: str
    utc_offset_minutes: int
    systems: tuple[str, ...]
    managers: tuple[str, ...]
    places: Mapping[str, tuple[Place, ...]]
    """Kind of device -> where they stand."""
    partitions: tuple[PartitionPlace, ...]
    """Functions that are there only while their port is partitioned."""
    update_service: str | None
    """None where the tree has none."""
    firmware_inventory: str | None
    """The collection; None where the tree has none."""
    interfaces: tuple[InterfacePlace, ...]
    """The managers' own."""
    log_services: tuple[LogPlace, ...]
    """Those of managers first, then of systems, then of chassis."""
    enclosures: Enclosures
    """Whose power the chassis have."""
    readings: Readings
    """What of which document shows a sensor that lives."""
    chassis: tuple[str, ...]
    """All that are in the tree."""
    power_limits: tuple[LimitPlace, ...]
    """What limits the power of chassis."""
    media: tuple[MediaPlace, ...]
    """The virtual drives."""
    network_protocol: str | None
    """Where the first manager, the controller of the machine, tells of its network services; None where it does not."""

    @property
    def bioses(self) -> tuple[BiosPlace, ...]:
        """Every BIOS that lives, the host's first."""
        return cast("tuple[BiosPlace, ...]", self.places["bios"])

    @property
    def nics(self) -> tuple[NicPlace, ...]:
        """Every network device function that lives."""
        return cast("tuple[NicPlace, ...]", self.places["nic"])

    @property
    def adapters(self) -> tuple[AdapterPlace, ...]:
        """Every network adapter that has ports."""
        return cast("tuple[AdapterPlace, ...]", self.places["adapter"])

    @property
    def storages(self) -> tuple[StoragePlace, ...]:
        """Every storage controller that lives."""
        return cast("tuple[StoragePlace, ...]", self.places["raid"])

    @property
    def components(self) -> tuple[Component, ...]:
        """What the firmware inventory tells of, in its order."""
        firmware = cast("tuple[FirmwarePlace, ...]", self.places["firmware"])
        return firmware[0].components if firmware else ()

    @property
    def pushes_into_inventory(self) -> bool:
        """Whether a pushed package becomes an entry of the inventory first, as on a lifecycle controller."""
        return self.dialect == "dell"

    @property
    def lifecycle_log(self) -> LogPlace | None:
        """The log that tells of jobs and updates, None where the tree has no log to do so.

        The one called Lclog, else the one that the job service links to, else the first of the first manager, else the
        first of the first system.
        """
        service = _resource(self.tree, self.tree.documents[ROOT], "JobService", f"{ROOT}/JobService")
        named = _link(self.tree.documents[service], "Log", "") if service else ""
        return choose_lifecycle_log(self.log_services, named, (*self.managers[:1], *self.systems[:1]))

    def all_places(self) -> list[Place]:
        """Where the devices of all kinds stand."""
        return [place for places in self.places.values() for place in places]

    def device_at(self, settings_uri: str) -> str | None:
        """The id of the device whose settings resource this is; a trailing slash does not matter."""
        wanted = normal(settings_uri)
        return next((place.device_id for place in self.all_places() if place.is_settings_uri(wanted)), None)

    @property
    def ports(self) -> tuple[PortPlace, ...]:
        """The ports of all network adapters."""
        return tuple(port for adapter in self.adapters for port in adapter.ports)

    @property
    def boot(self) -> BiosPlace | None:
        """The BIOS that holds the boot order of the host (the first system)."""
        return next((bios for bios in self.bioses if bios.boot is not None), None)

    def spelled(self, device_id: str, message: Message) -> Message:
        """A message about a device, in the names of its resource: a function without attributes has properties."""
        place = self._place_of(device_id)
        return place.spelled(message) if place is not None else message

    def resource_of(self, device_id: str) -> str | None:
        """The URI of the resource that shows a device."""
        place = self._place_of(device_id)
        return place.uri if place is not None else None

    def _place_of(self, device_id: str) -> Place | None:
        return next((place for place in self.all_places() if place.device_id == device_id), None)


def survey(tree: Tree, manifest: Manifest, finders: Mapping[str, Finder]) -> Site:
    """Find systems, managers, and the devices of each kind, in this order.

    Raises:
        MockupError: what the manifest names is not in the tree, or what is there contradicts itself.
    """
    root = tree.documents[ROOT]
    systems = tuple(tree.members(_link(root, "Systems", f"{ROOT}/Systems")))
    managers = tuple(tree.members(_link(root, "Managers", f"{ROOT}/Managers")))
    if not systems:
        raise MockupError(f"{tree.source}: {ROOT}/Systems: the tree has no computer system")
    _check_listed(tree, manifest, finders)
    update_service = _resource(tree, root, "UpdateService", f"{ROOT}/UpdateService")
    chassis = _chassis(tree, root)
    enclosures = find_enclosures(tree, chassis, systems[0])
    places: dict[str, tuple[Place, ...]] = {}
    site = Site(
        tree=tree,
        dialect=manifest.dialect or _dialect_of(root),
        utc_offset_minutes=_utc_offset(tree, managers, manifest),
        systems=systems,
        managers=managers,
        places=places,
        partitions=(),
        update_service=update_service,
        firmware_inventory=_inventory(tree, update_service),
        log_services=find_logs(tree, (*managers, *systems, *chassis)),
        enclosures=enclosures,
        readings=find_readings(tree, enclosures),
        interfaces=find_interfaces(tree, managers),
        chassis=tuple(uri for uri in chassis if uri in tree.documents),
        power_limits=find_power_limits(tree, chassis),
        media=find_media(tree, (*systems, *managers)),
        network_protocol=_network_protocol(tree, managers),
    )
    for kind, find in finders.items():  # each finder sees what those before it have found
        places[kind] = tuple(find(site, _listed(manifest, kind)))
    return replace(site, partitions=find_partitions(tree, systems, site.nics))


def find_bioses(site: Site, listed: Listed) -> tuple[BiosPlace, ...]:
    """The BIOS of each system; or those that are listed."""
    tree, host = site.tree, site.systems[0]
    living = _find_bioses(tree, site.systems, site.dialect) if listed is None else listed
    return tuple(_with_boot(tree, host, site.dialect, _bios(tree, place)) for place in living)


def find_network_functions(site: Site, listed: Listed) -> tuple[NicPlace, ...]:
    """As `find_nics`. A lifecycle controller has them below the system too."""
    taken = [place.device_id for place in site.all_places()]
    return find_nics(site.tree, site.systems, listed, taken, below_system_too=site.dialect == "dell")


def find_network_adapters(site: Site, listed: Listed) -> tuple[AdapterPlace, ...]:
    """As `find_adapters`. Nobody lists them: they live with their functions, unless nothing does."""
    _refuse_listed(site, listed)
    taken = [place.device_id for place in site.all_places()]
    return () if listed == () else find_adapters(site.tree, site.systems, site.nics, taken)


def find_storage_controllers(site: Site, listed: Listed) -> tuple[StoragePlace, ...]:
    """As `find_storages`."""
    taken = [place.device_id for place in site.all_places()]
    return find_storages(site.tree, site.systems, listed, taken, dialect=site.dialect)


def find_firmware(site: Site, listed: Listed) -> tuple[FirmwarePlace, ...]:
    """The firmware of everything that the inventory tells of. It lives in any case: there is nothing to choose."""
    _refuse_listed(site, listed)
    inventory = site.firmware_inventory
    components = find_components(site.tree, inventory, site.managers) if inventory else ()
    if not inventory or not components:
        return ()
    return (FirmwarePlace("Firmware", inventory, components, {component.id: component for component in components}),)


def _refuse_listed(site: Site, listed: Listed) -> None:
    for place in listed or ():
        raise MockupError(f"{site.tree.source}: machine.toml: devices: {place.kind}: these are found, and not listed")


def _check_listed(tree: Tree, manifest: Manifest, finders: Mapping[str, Finder]) -> None:
    for place in manifest.devices or ():
        if place.kind not in finders:
            known = ", ".join(finders)
            raise MockupError(f"{tree.source}: machine.toml: devices: {place.kind}: the kinds of device are {known}")
        if place.path not in tree.documents:
            raise MockupError(f"{tree.source}: machine.toml: devices: {place.path}: there is no such resource")


def _dialect_of(root: Document) -> str:
    vendor, oem = root.get("Vendor"), object_at(root, "Oem")
    return "dell" if vendor == "Dell" or "Dell" in oem else "standard"


def _link(document: Mapping[str, Any], name: str, otherwise: str) -> str:
    return next(iter(links(document.get(name))), otherwise)


def _resource(tree: Tree, document: Mapping[str, Any], name: str, otherwise: str) -> str | None:
    """The URI of the resource to which a document links; None where it is not in the tree."""
    uri = _link(document, name, otherwise)
    return uri if uri in tree.documents else None


def _inventory(tree: Tree, update_service: str | None) -> str | None:
    if update_service is None:
        return None
    default = f"{ROOT}/UpdateService/FirmwareInventory"
    return _resource(tree, tree.documents[update_service], "FirmwareInventory", default)


def _chassis(tree: Tree, root: Document) -> list[str]:
    collection = tree.get(_link(root, "Chassis", f"{ROOT}/Chassis")) or {}
    return links(collection.get("Members"))


def _network_protocol(tree: Tree, managers: tuple[str, ...]) -> str | None:
    found = network_protocol_of(tree, managers[0]) if managers else ""
    return found if found in tree.documents else None


def _listed(manifest: Manifest, kind: str) -> Listed:
    if manifest.devices is None:
        return None
    found = tuple(place for place in manifest.devices if place.kind == kind)
    return found if found or not manifest.devices else None


def _find_bioses(tree: Tree, systems: tuple[str, ...], dialect: str) -> tuple[DevicePlace, ...]:
    places: list[DevicePlace] = []
    for system in systems:
        uri = _link(tree.documents[system], "Bios", "")
        if uri and isinstance((tree.get(uri) or {}).get("Attributes"), dict):
            first = "BIOS.Setup.1-1" if dialect == "dell" else "Bios"
            places.append(DevicePlace("bios", first if not places else f"{first}.{len(places) + 1}", uri))
    return tuple(places)


def _bios(tree: Tree, place: DevicePlace) -> BiosPlace:
    document = tree.documents[place.path]
    attributes = document.get("Attributes")
    if not isinstance(attributes, dict):
        raise MockupError(f"{tree.source}: {place.path}: Attributes is not an object")
    registry_uri, registry = _attribute_registry(tree, document)
    try:
        model = build_model(attributes, registry)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise MockupError(f"{tree.source}: {registry_uri}: not an attribute registry: {error}") from error
    settings = _link(object_at(document, SETTINGS), "SettingsObject", f"{place.path}/Settings")
    return BiosPlace(place.id, place.path, settings, model)


def _with_boot(tree: Tree, host: str, dialect: str, bios: BiosPlace) -> BiosPlace:
    """The host's BIOS with the host's boot order; any other as it is."""
    if _link(tree.documents[host], "Bios", f"{host}/Bios") != bios.uri:
        return bios
    return replace(bios, boot=find_boot(tree, host, dialect, bios.model))


def _attribute_registry(tree: Tree, bios: Document) -> tuple[str, Document | None]:
    """The registry that a Bios names: by its Id, by the file entry for it, else by its name without the version."""
    name = bios.get("AttributeRegistry")
    if not isinstance(name, str):
        return "", None
    found = {
        uri: document
        for uri, document in tree.documents.items()
        if str(document.get("@odata.type", "")).startswith("#AttributeRegistry.")
    }
    for uri, document in found.items():
        if document.get("Id") == name:
            return uri, document
    for uri in _registered_uris(tree, name):
        if uri in found:
            return uri, found[uri]
    stem = _without_version(name)
    for uri, document in found.items():
        if _without_version(str(document.get("Id"))) == stem:
            return uri, document
    return "", None


def _registered_uris(tree: Tree, name: str) -> list[str]:
    return [
        normal(uri)
        for document in tree.documents.values()
        if str(document.get("@odata.type", "")).startswith("#MessageRegistryFile.")
        and _without_version(str(document.get("Registry"))) == _without_version(name)
        for location in objects(document.get("Location"))
        if isinstance(uri := location.get("Uri"), str)
    ]


def _without_version(name: str) -> str:
    return re.sub(r"\.v?\d+([._]\d+)*$", "", name)


def _utc_offset(tree: Tree, managers: tuple[str, ...], manifest: Manifest) -> int:
    if manifest.utc_offset_minutes is not None:
        return manifest.utc_offset_minutes
    for manager in managers:
        text = str(tree.documents[manager].get("DateTimeLocalOffset", ""))
        if found := re.fullmatch(r"([+-])(\d\d):(\d\d)", text):
            minutes = int(found[2]) * 60 + int(found[3])
            return -minutes if found[1] == "-" else minutes
    return 0
