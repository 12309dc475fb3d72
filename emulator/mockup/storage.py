"""Finding storage controllers in a tree, with their drives and volumes.

What stands in the tree is a snapshot: which drives there are, how large they are, which volumes are on them. Where on a
drive a volume is does not stand there, so volumes are laid one behind the other in the order of the tree.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

from emulator.core.device import OPERATIONS, Attribute, Value
from emulator.devices.raid import OPERATIONS_ATTRIBUTE
from emulator.devices.raid.layout import (
    CONTROLLER_MODE,
    DISK_CACHE,
    NO_LEVEL,
    OF_ENCLOSURE,
    RAID_MODE,
    READ_POLICY,
    WRITE_POLICY,
    Condition,
    Disk,
    Drive,
    Layout,
    Model,
    Volume,
)
from emulator.devices.raid.level import (
    LEVELS,
    capacity_bytes,
    default_spans,
    extent_bytes,
    number_fits,
    spans_fit,
    usable_bytes,
)
from emulator.mockup.documents import object_at, objects, text_of, texts
from emulator.mockup.manifest import DevicePlace
from emulator.mockup.place import Place
from emulator.mockup.reader import Document, MockupError, Tree, links

APPLY_TIME_SUPPORT = "@Redfish.OperationApplyTimeSupport"
IMMEDIATE = "Immediate"
BY_VOLUME_TYPE = {
    "NonRedundant": "RAID0",
    "Mirrored": "RAID1",
    "StripedWithParity": "RAID5",
    "SpannedMirrors": "RAID10",
    "SpannedStripesWithParity": "RAID50",
}
"""RAID levels in the words that services had before Volume 1.3.1."""
RATES = (
    "RebuildRatePercent",
    "ConsistencyCheckRatePercent",
    "BackgroundInitializationRatePercent",
    "ReconstructRatePercent",
    "PatrolReadRatePercent",
)
MODES: Mapping[str, tuple[str, ...]] = {
    CONTROLLER_MODE: (RAID_MODE, "HBA", "EnhancedHBA"),
    "PatrolReadMode": ("Automatic", "Disabled", "Manual"),
    "PatrolReadUnconfiguredAreaMode": ("Enabled", "Disabled"),
    "CheckConsistencyMode": ("Normal", "StopOnError"),
    "CopybackMode": ("On", "OnWithSMART", "Off"),
    "LoadBalanceMode": ("Automatic", "Disabled"),
    "EnhancedAutoImportForeignConfigurationMode": ("Disabled", "Enabled"),
}
"""The controller's settings that are words; the first is what it has where the tree does not say."""
RATE_DEFAULT = 30
CONFIG_MODES = ("Unified-Mode", "Split-Mode-4:20", "Split-Mode-8:16", "Split-Mode-16:8", "Split-Mode-20:4")
ENCLOSURE_ATTRIBUTES: Mapping[str, Attribute] = {
    "AssetName": Attribute("AssetName", "String", max_length=32),
    "RAIDEnclosureConfigMode": Attribute("RAIDEnclosureConfigMode", "Enumeration", choices=CONFIG_MODES),
}
"""What can be set of an enclosure of a lifecycle controller (RAID Profile, DCIM1031); by default the first mode."""
ENCLOSURE_TYPES = frozenset({"Enclosure", "StorageEnclosure"})


@dataclass(frozen=True, slots=True)
class Enclosure:
    """A chassis that holds drives and nothing else, and whose settings are applied by its storage controller."""

    id: str
    uri: str

    def attribute(self, name: str) -> str:
        """What the storage controller calls one of ENCLOSURE_ATTRIBUTES of this enclosure."""
        return f"{self.id}{OF_ENCLOSURE}{name}"


@dataclass(frozen=True, slots=True)
class StoragePlace(Place):
    """A storage controller that lives."""

    device_id: str
    uri: str
    """Of the Storage resource."""
    controllers: tuple[str, ...]
    """The StorageController resources; empty where the tree only has them within the Storage."""
    volumes_uri: str
    """Of the collection; it need not be in the tree."""
    drive_uris: Mapping[str, tuple[str, ...]]
    """By a drive's id: every place where it is shown, the one that the Storage links to first."""
    is_real_time: bool
    """Whether it can be configured without the host's restart."""
    model: Model
    enclosures: tuple[Enclosure, ...] = ()
    """Those that can be set, of a lifecycle controller."""
    short_uri: str = ""
    """Where clients of a lifecycle controller look for volumes and drives without naming the controller (below it are
    Volumes and Drives); "" elsewhere."""

    def volume_uri(self, volume_id: str) -> str:
        """Where a volume is shown."""
        return f"{self.volumes_uri}/{volume_id}"

    def uris_of_drive(self, drive: str) -> tuple[str, ...]:
        """Every URI under which a drive can be called."""
        short = (f"{self.short_uri}/Drives/{drive}",) if self.short_uri else ()
        return tuple(dict.fromkeys((*self.drive_uris[drive], *short)))

    def drive_at(self, uri: str) -> str:
        """The id of the drive that a client means by this URI; the URI itself where this controller has none there."""
        return next((drive for drive in self.drive_uris if uri in self.uris_of_drive(drive)), uri)

    def is_settings_uri(self, uri: str) -> bool:
        """Whether this is the settings resource of the controller, of a volume or of a drive."""
        owner, _, last = uri.rpartition("/")
        if last != "Settings":
            return False
        folder, _, volume = owner.rpartition("/")
        drives = (place for drive in self.drive_uris for place in self.uris_of_drive(drive))
        return (
            owner in self.controllers
            or any(owner == enclosure.uri for enclosure in self.enclosures)
            or folder == self.volumes_uri
            or owner in drives
            or (folder == f"{self.short_uri}/Volumes" and self._may_have(volume))
        )

    def _may_have(self, volume_id: str) -> bool:
        """Whether this is the id of one of its volumes, of today or tomorrow, and not of another controller's."""
        return volume_id in self.model.delivered.volumes or volume_id.endswith(f":{self.device_id}")


def find_storages(
    tree: Tree, systems: Sequence[str], listed: Iterable[DevicePlace] | None, taken: Iterable[str], *, dialect: str
) -> tuple[StoragePlace, ...]:
    """All storage controllers that have drives, in the order of the tree; or those that are `listed`.

    Raises:
        MockupError: a listed one is not in the tree or has no drives.
    """
    known = {uri: "" for system in systems for uri in _storages_of(tree, system)}
    wanted = known if listed is None else {place.path: place.id for place in listed}
    used = set(taken)
    found: list[StoragePlace] = []
    for uri, given in wanted.items():
        document = tree.get(uri)
        if document is None:
            raise MockupError(f"{tree.source}: machine.toml: devices: {uri}: there is no such resource")
        place = _place(tree, uri, document, given or _free_id(uri, document, dialect, used), dialect)
        if not place.model.drives and given:
            raise MockupError(f"{tree.source}: {uri}: there are no drives")
        if place.model.drives:
            used.add(place.device_id)
            found.append(place)
    return tuple(found)


def _storages_of(tree: Tree, system: str) -> list[str]:
    collection = next(iter(links(tree.documents[system].get("Storage"))), "")
    members = links((tree.get(collection) or {}).get("Members"))
    return [uri for uri in members if uri in tree.documents]


def _free_id(uri: str, document: Document, dialect: str, used: set[str]) -> str:
    """Its Id; a bare number says of what it is the id."""
    own = str(document.get("Id") or _last(uri))
    return _unused(own if dialect == "dell" or not own.isdecimal() else f"Storage.{own}", used)


def _unused(name: str, used: Container[str]) -> str:
    """The name, with a number where it is in use."""
    numbered = (f"{name}.{number}" for number in count(2))
    return name if name not in used else next(other for other in numbered if other not in used)


def _last(uri: str) -> str:
    return uri.rpartition("/")[2]


def _place(tree: Tree, uri: str, document: Document, device_id: str, dialect: str) -> StoragePlace:
    controllers = _controllers(tree, document)
    told = [tree.documents[place] for place in controllers] or objects(document.get("StorageControllers"))
    drive_uris = dict(_drive_uris(tree, uri, document))
    volumes_uri = next(iter(links(document.get("Volumes"))), f"{uri}/Volumes")
    collection = tree.get(volumes_uri) or {}
    documents = {_last(one): tree.documents[one] for one in links(collection.get("Members")) if one in tree.documents}
    drives = {drive: _drive(drive, uris[0], tree.documents[uris[0]]) for drive, uris in drive_uris.items()}
    disks = {drive: _disk(uris[0], tree.documents[uris[0]], documents) for drive, uris in drive_uris.items()}
    model = _model(drives, disks, documents, _levels(told, documents.values()), _settings(document, told))
    enclosures = _enclosures(tree, document) if dialect == "dell" else {}
    model = replace(
        model,
        attributes={**dict(_of_enclosures(enclosures)), **model.attributes},
        values={**model.values, **dict(_values_of_enclosures(enclosures))},
        name=text_of(document.get("Name")) or device_id,
        volume_id=f"Disk.Virtual.{{}}:{device_id}" if dialect == "dell" else "{}",
        first_number=0 if dialect == "dell" else 1,
    )
    return StoragePlace(
        device_id,
        uri,
        controllers,
        volumes_uri,
        drive_uris,
        _is_real_time(collection, document, told),
        model,
        tuple(enclosures),
        short_uri=uri.rpartition("/")[0] if dialect == "dell" else "",
    )


def _enclosures(tree: Tree, document: Document) -> dict[Enclosure, Document]:
    """The enclosures that a Storage links to, with their documents."""
    found = {uri: tree.documents[uri] for uri in _links_of(document, "Enclosures") if uri in tree.documents}
    return {
        Enclosure(str(chassis.get("Id") or _last(uri)), uri): chassis
        for uri, chassis in found.items()
        if text_of(chassis.get("ChassisType")) in ENCLOSURE_TYPES
    }


def _of_enclosures(enclosures: Iterable[Enclosure]) -> Iterator[tuple[str, Attribute]]:
    for enclosure in enclosures:
        for name, attribute in ENCLOSURE_ATTRIBUTES.items():
            yield enclosure.attribute(name), replace(attribute, name=enclosure.attribute(name))


def _values_of_enclosures(enclosures: Mapping[Enclosure, Document]) -> Iterator[tuple[str, Value]]:
    for enclosure, chassis in enclosures.items():
        told = _dell(chassis).get("DellChassisEnclosure")
        for name, attribute in ENCLOSURE_ATTRIBUTES.items():
            value = text_of(told.get(name)) if isinstance(told, dict) else ""
            yield enclosure.attribute(name), value or next(iter(attribute.choices), "")


def _controllers(tree: Tree, document: Document) -> tuple[str, ...]:
    collection = next(iter(links(document.get("Controllers"))), "")
    return tuple(uri for uri in links((tree.get(collection) or {}).get("Members")) if uri in tree.documents)


def _drive_uris(tree: Tree, storage: str, document: Document) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Each drive with its places: some trees show a drive of a chassis below the Storage once more."""
    used: set[str] = set()
    for uri in dict.fromkeys(links(document.get("Drives"))):
        found = tree.get(uri)
        if found is None or not isinstance(found.get("CapacityBytes"), int):
            continue
        own = str(found.get("Id") or _last(uri))
        drive = _unused(own, used)  # bays of several chassis may be numbered alike
        used.add(drive)
        again = f"{storage}/Drives/{own}" if drive == own else ""
        yield drive, (uri, *((again,) if again != uri and again in tree.documents else ()))


def _drive(drive: str, uri: str, document: Document) -> Drive:
    size = document["CapacityBytes"]
    media = text_of(document.get("MediaType"))
    securable = document.get("EncryptionAbility") == "SelfEncryptingDrive"
    block_size = document.get("BlockSizeBytes")
    return Drive(
        id=drive,
        name=text_of(document.get("Name")) or drive,
        uri=uri,
        size=size,
        usable=usable_bytes(size),
        media=media,
        protocol=text_of(document.get("Protocol")),
        block_size=block_size if isinstance(block_size, int) else 0,
        securable=securable,
        erasures=_erasures(document, media, securable=securable),
        part_number=text_of(document.get("PartNumber")),
    )


def _disk(uri: str, document: Document, volumes: Mapping[str, Document]) -> Disk:
    """How a drive is configured as delivered, and what has become of it. What a volume has is no spare."""
    physical, status = _dell(document).get("DellPhysicalDisk"), document.get("Status")
    state = text_of(status.get("State")) if isinstance(status, dict) else ""
    condition = _CONDITIONS.get(state, Condition.PRESENT)
    is_member = any(uri in _links_of(volume, "Drives") for volume in volumes.values())
    can_spare = condition is Condition.PRESENT and not is_member
    spare_for = tuple(
        volume_id
        for volume_id, volume in volumes.items()
        if can_spare and _level(volume) and uri in _links_of(volume, "DedicatedSpareDrives")
    )
    return Disk(
        condition=condition,
        predicted=document.get("FailurePredicted") is True,
        is_raid=is_member or not (isinstance(physical, dict) and physical.get("RaidStatus") == "NonRAID"),
        is_global_spare=can_spare and not spare_for and document.get("HotspareType") == "Global",
        spare_for=spare_for,
        is_lit=document.get("LocationIndicatorActive") is True or document.get("IndicatorLED") in ("Lit", "Blinking"),
    )


_CONDITIONS = {"Absent": Condition.REMOVED, "UnavailableOffline": Condition.FAILED}
"""What Status.State of a drive says of it."""


def _erasures(document: Document, media: str, *, securable: bool) -> tuple[str, ...]:
    physical = _dell(document).get("DellPhysicalDisk")
    says = physical.get("SystemEraseCapability") if isinstance(physical, dict) else None
    can_forget = securable or says == "CryptographicErasePD" or document.get("Protocol") in ("NVMe", "PCIe")
    return (
        *(("CryptographicErase",) if can_forget else ()),
        *(("BlockErase",) if media == "SSD" else ()),
        "Overwrite",
    )


def _levels(controllers: Iterable[Mapping[str, Any]], volumes: Iterable[Document]) -> tuple[str, ...]:
    """What the controllers say; where none says, everything, if a volume shows that this is a RAID controller."""
    said = [controller.get("SupportedRAIDTypes") for controller in controllers]
    told = [level for found in said if isinstance(found, list) for level in found]
    if not told and not any(isinstance(found, list) for found in said) and any(_level(one) for one in volumes):
        told = list(LEVELS)
    return tuple(level for level in LEVELS if level in told)


def _level(volume: Document) -> str:
    """The RAID level of a volume as the tree tells it; NO_LEVEL where it is none that is known."""
    said = text_of(volume.get("RAIDType")) or BY_VOLUME_TYPE.get(text_of(volume.get("VolumeType")), NO_LEVEL)
    return said if said in LEVELS else NO_LEVEL


def _model(
    drives: Mapping[str, Drive],
    disks: Mapping[str, Disk],
    documents: Mapping[str, Document],
    levels: tuple[str, ...],
    settings: Mapping[str, Value],
) -> Model:
    """The controller, with the volumes of the tree laid one behind the other.

    Volumes that need more of a drive than is left when a controller keeps its part show that this one keeps nothing.
    """
    by_uri = {drive.uri: drive.id for drive in drives.values()}
    by_id = {_last(uri): drive for uri, drive in reversed(by_uri.items())}
    ends = dict.fromkeys(drives, 0)
    volumes: dict[str, Volume] = {}
    for volume_id, document in documents.items():
        members = [by_uri.get(uri) or by_id.get(_last(uri)) for uri in _links_of(document, "Drives")]
        names = tuple(dict.fromkeys(drive for drive in members if drive is not None))
        volume = _volume(volume_id, document, names, max((ends[drive] for drive in names), default=0))
        volumes[volume_id] = volume
        ends |= dict.fromkeys(names, volume.end)
    keeps_nothing = any(ends[name] > drive.usable for name, drive in drives.items())
    fitted = {
        name: replace(drive, usable=max(drive.size, ends[name])) if keeps_nothing else drive
        for name, drive in drives.items()
    }
    attributes = {**(dict(_attributes(settings)) if levels else {}), OPERATIONS: OPERATIONS_ATTRIBUTE}
    return Model(
        drives=fitted,
        levels=levels,
        delivered=Layout(
            disks=dict(disks),
            volumes=volumes,
        ),
        attributes=attributes,
        values=settings if levels else {},
        is_securable=any(drive.securable for drive in fitted.values()),
    )


def _links_of(volume: Document, name: str) -> list[str]:
    return links(object_at(volume, "Links").get(name))


def _volume(volume_id: str, document: Document, drives: tuple[str, ...], start: int) -> Volume:
    level, number = _level(document), len(drives)
    told = document.get("MediaSpanCount")
    spans = told if isinstance(told, int) and told > 0 else default_spans(level, number) if level else 1
    if level and not (number_fits(level, number) and spans_fit(level, number, spans)):
        spans = default_spans(level, number)
        level = level if number_fits(level, number) and spans else NO_LEVEL
    capacity = document.get("CapacityBytes")
    size = capacity if isinstance(capacity, int) else 0
    extent = extent_bytes(level, number, spans, size, 1) if level else -(-size // (number or 1))
    whole = capacity_bytes(level, number, spans, extent) if level else size
    strip = document.get("StripSizeBytes") or document.get("OptimumIOSizeBytes")
    return Volume(
        id=volume_id,
        name=text_of(document.get("DisplayName")) or text_of(document.get("Name")),
        level=level,
        drives=drives,
        spans=spans or 1,
        start=start,
        extent=extent,
        strip=strip if isinstance(strip, int) and strip > 0 else 65536,
        capacity=size or whole,
        read_policy=text_of(document.get("ReadCachePolicy")) or READ_POLICY,
        write_policy=text_of(document.get("WriteCachePolicy")) or WRITE_POLICY,
        disk_cache=_disk_cache(document),
        is_encrypted=document.get("Encrypted") is True,
    )


def _disk_cache(document: Document) -> str:
    found = _dell(document).get("DellVolume") or _dell(document).get("DellVirtualDisk")
    return text_of(found.get("DiskCachePolicy")) or DISK_CACHE if isinstance(found, dict) else DISK_CACHE


def _settings(document: Document, controllers: Iterable[Mapping[str, Any]]) -> dict[str, Value]:
    """The controller's settings, from wherever the tree tells of them."""
    told: dict[str, Any] = {}
    for controller in controllers:
        own = _dell(controller).get("DellStorageController")
        rates = controller.get("ControllerRates")
        told |= {name: value for part in (rates, own) if isinstance(part, dict) for name, value in part.items()}
    found: dict[str, Value] = {name: told[name] if isinstance(told.get(name), int) else RATE_DEFAULT for name in RATES}
    for name, words in MODES.items():
        found[name] = told[name] if told.get(name) in words else words[0]
    return found


def _attributes(settings: Mapping[str, Value]) -> Iterator[tuple[str, Attribute]]:
    for name in settings:
        if name in MODES:
            yield name, Attribute(name, "Enumeration", choices=MODES[name])
        else:
            yield name, Attribute(name, "Integer", lower=0, upper=100)


def _is_real_time(collection: Mapping[str, Any], storage: Document, controllers: Iterable[Mapping[str, Any]]) -> bool:
    """As the collection of volumes says; else as the vendor does; a plain service can."""
    support = collection.get(APPLY_TIME_SUPPORT)
    if isinstance(support, dict):
        return IMMEDIATE in texts(support.get("SupportedValues"))
    own = [_dell(storage).get("DellController"), *(_dell(one).get("DellStorageController") for one in controllers)]
    said = [part.get("RealtimeCapability") for part in own if isinstance(part, dict)]
    return "Incapable" not in said


def _dell(document: Mapping[str, Any]) -> Mapping[str, Any]:
    return object_at(document, "Oem", "Dell")
