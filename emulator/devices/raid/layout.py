"""How a storage controller is configured: the drives in its bays, the volumes on them, and what it is at work on.

A layout is a value. Operations make a new one out of an old one (`volume_operations.py` and its neighbours), and so
does what befalls the hardware (`hardware.py`); nothing is changed in place, so a plan is tried out by simply doing it.
Here is what a layout consists of, and the questions that can be asked about one.

Drives are told by the bay they are in: a drive that is replaced keeps its id.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass, replace
from enum import StrEnum
from typing import Any

from emulator.core.device import Attribute, Value
from emulator.devices.raid.level import LEVELS, capacity_bytes, groups_of

CONTROLLER_MODE = "ControllerMode"
RAID_MODE = "RAID"
OF_ENCLOSURE = "/"
"""What is in the names of attributes that are an enclosure's: "Enclosure.Internal.0-1/AssetName"."""
READ_POLICY, WRITE_POLICY, DISK_CACHE = "ReadAhead", "ProtectedWriteBack", "Default"
"""How a volume caches where nobody says."""
NO_LEVEL = ""
"""The level of a volume that is a whole drive as it is (VolumeType RawDevice)."""


@dataclass(frozen=True, slots=True)
class Drive:
    """A drive as the mockup delivers it."""

    id: str
    name: str
    uri: str
    size: int
    """In bytes, as it says of itself (CapacityBytes)."""
    usable: int
    """In bytes: what volumes can have of it."""
    media: str
    """MediaType: SSD, HDD."""
    protocol: str
    block_size: int
    securable: bool = False
    """Whether it encrypts by itself."""
    erasures: tuple[str, ...] = ("Overwrite",)
    """Drive.SanitizationType that it has; the first one is what it does where nobody says."""
    part_number: str = ""


class Condition(StrEnum):
    """What has become of the drive in a bay."""

    PRESENT = "Present"
    FAILED = "Failed"
    REMOVED = "Removed"


class Status(StrEnum):
    """How a volume is, which follows from its drives."""

    OK = "OK"
    DEGRADED = "Degraded"
    FAILED = "Failed"


@dataclass(frozen=True, slots=True)
class Disk:
    """What is in a bay now, and how it is configured apart from volumes."""

    condition: Condition = Condition.PRESENT
    predicted: bool = False
    """Its failure is predicted."""
    generation: int = 0
    """How many times another drive has taken its place."""
    is_raid: bool = True
    """False: it is the host's own, as if there were no RAID controller."""
    is_offline: bool = False
    """Somebody has taken it out of its volumes' work."""
    is_global_spare: bool = False
    spare_for: tuple[str, ...] = ()
    """The volumes that it is a dedicated spare of."""
    carries: tuple[Volume, ...] = ()
    """The volumes that it was in when it was taken out; once it is back it is foreign as long as it carries any."""
    is_lit: bool = False
    """Its location indicator is on."""

    @property
    def is_spare(self) -> bool:
        """Whether it waits to take a failed drive's place."""
        return self.is_global_spare or bool(self.spare_for)

    @property
    def is_foreign(self) -> bool:
        """Whether it is here with a configuration from before."""
        return self.condition is Condition.PRESENT and bool(self.carries)

    @property
    def works(self) -> bool:
        """Whether it can be read and written."""
        return self.condition is Condition.PRESENT and not self.is_offline and not self.carries


@dataclass(frozen=True, slots=True)
class Volume:
    """A volume: the same extent of each of its drives."""

    id: str
    name: str
    level: str
    """A key of LEVELS, or NO_LEVEL."""
    drives: tuple[str, ...]
    spans: int
    start: int
    """Where its extents begin on each drive, in bytes."""
    extent: int
    """How long they are, in bytes."""
    strip: int
    """In bytes: StripSizeBytes."""
    capacity: int
    """In bytes."""
    read_policy: str = READ_POLICY
    """Volume.ReadCachePolicy."""
    write_policy: str = WRITE_POLICY
    """Volume.WriteCachePolicy."""
    disk_cache: str = DISK_CACHE
    """DellVolume.DiskCachePolicy."""
    is_encrypted: bool = False
    stale: tuple[str, ...] = ()
    """Those of its drives that do not hold yet what they should: they are new in their place."""
    serial: int = 0
    """The how manieth volume it is that this controller has made; 0: it was delivered."""

    @property
    def end(self) -> int:
        """Where its extents end."""
        return self.start + self.extent


@dataclass(frozen=True, slots=True)
class Work:
    """Something that takes the controller a long time, beside everything else."""

    operation: str
    """Volume.Operation: Rebuild, Initialize, CheckConsistency, Resize, ChangeRAIDType; of a drive Sanitize, Replicate
    and Rebuild; of the controller PatrolRead."""
    subject: str
    """The id of the volume or drive; "" for the controller."""
    began: float
    """On the virtual clock."""
    ends: float
    becomes: Volume | None = None
    """What the volume will be."""
    drive: str = ""
    """A drive that it needs besides: the replacement."""

    def percent(self, now: float) -> int:
        """How far it is, from 0 to 99."""
        length = self.ends - self.began
        return 99 if length <= 0 else max(0, min(99, int((now - self.began) * 100 / length)))


@dataclass(frozen=True, slots=True)
class Layout:
    """All of a controller's configuration."""

    disks: Mapping[str, Disk]
    volumes: Mapping[str, Volume] = field(default_factory=dict)
    works: tuple[Work, ...] = ()
    settings: Mapping[str, Value] = field(default_factory=dict)
    """The controller's own attributes that are not as delivered."""
    key: str = ""
    """The sealed passphrase; "" where no security key is set."""
    key_id: str = ""
    boot_volume: str = ""
    preserved: tuple[str, ...] = ()
    """Volumes that failed with data in the controller's cache."""
    serial: int = 0
    """How many volumes have been made."""

    # -- making another out of it -------------------------------------------------------------------------------------

    def with_disk(self, drive: str, **changes: Any) -> Layout:
        """With this bay changed."""
        return replace(self, disks={**self.disks, drive: replace(self.disks[drive], **changes)})

    def with_volume(self, volume: Volume) -> Layout:
        """With this volume, new or changed."""
        return replace(self, volumes={**self.volumes, volume.id: volume})

    def without_volume(self, volume_id: str) -> Layout:
        """Without it, its spares, what is being done to it, and its place as the one to boot from."""
        rest = {known: volume for known, volume in self.volumes.items() if known != volume_id}
        disks = {
            drive: replace(disk, spare_for=tuple(id_ for id_ in disk.spare_for if id_ != volume_id))
            if volume_id in disk.spare_for
            else disk
            for drive, disk in self.disks.items()
        }
        left = replace(
            self,
            volumes=rest,
            disks=disks,
            works=tuple(work for work in self.works if work.subject != volume_id),
            boot_volume="" if self.boot_volume == volume_id else self.boot_volume,
            preserved=tuple(id_ for id_ in self.preserved if id_ != volume_id),
        )
        return left.without_idle_work()

    def with_work(self, work: Work) -> Layout:
        """With this begun."""
        return replace(self, works=(*self.works, work))

    def without_work(self, *works: Work) -> Layout:
        """With these ended."""
        return replace(self, works=tuple(work for work in self.works if work not in works))

    def without_idle_work(self) -> Layout:
        """Without what can be worked at no more: what it is about is gone, or works no more, or needs nothing."""
        idle = [work for work in self.works if not _HAS_WORK[work.operation](self, work)]
        return self.without_work(*idle) if idle else self

    # -- asking -------------------------------------------------------------------------------------------------------

    def volumes_on(self, drive: str) -> list[Volume]:
        """The volumes that have an extent on a drive."""
        return [volume for volume in self.volumes.values() if drive in volume.drives]

    def works_on(self, subject: str, *operations: str) -> list[Work]:
        """What is being done to a volume, a drive or the controller; only these operations where any are given."""
        return [
            work for work in self.works if work.subject == subject and (not operations or work.operation in operations)
        ]

    def reserved_by(self, drive: str) -> Work | None:
        """The work that will need a drive which nothing has now."""
        return next(
            (
                work
                for work in self.works
                if drive == work.drive
                or (work.becomes and drive in work.becomes.drives and drive not in self.volumes[work.subject].drives)
            ),
            None,
        )

    def status(self, volume: Volume) -> Status:
        """How a volume is."""
        lost = {drive for drive in volume.drives if drive in volume.stale or not self.disks[drive].works}
        if not lost:
            return Status.OK
        if volume.level == NO_LEVEL:
            return Status.FAILED
        tolerance = LEVELS[volume.level].tolerance
        groups = groups_of(volume.level, volume.drives, volume.spans)
        if any(sum(drive in lost for drive in group) > tolerance for group in groups):
            return Status.FAILED
        return Status.DEGRADED

    def redundancy_left(self, volume: Volume) -> int:
        """How many more drives it can certainly lose."""
        if volume.level == NO_LEVEL:
            return 0
        tolerance = LEVELS[volume.level].tolerance
        groups = groups_of(volume.level, volume.drives, volume.spans)
        lost = [sum(drive in volume.stale or not self.disks[drive].works for drive in group) for group in groups]
        return max(0, tolerance - max(lost, default=0))

    def is_reshaped(self, volume_id: str) -> bool:
        """Whether a volume is being brought to another size, level or set of drives."""
        return any(work.becomes is not None for work in self.works_on(volume_id))

    def used(self, drive: str) -> list[tuple[int, int]]:
        """The (start, end) in bytes of what is in use of a drive, in order; what will be in use is."""
        found = [(volume.start, volume.end) for volume in self.volumes_on(drive)]
        found += [
            (work.becomes.start, work.becomes.end)
            for work in self.works
            if work.becomes is not None and drive in work.becomes.drives
        ]
        return sorted(found)

    def gaps(self, drives: Iterable[Drive]) -> list[tuple[int, int]]:
        """The (start, end) in bytes of what is free at the same place on all of these drives, in order."""
        members = list(drives)
        end = min((drive.usable for drive in members), default=0)
        taken = sorted(extent for drive in members for extent in self.used(drive.id))
        return list(_between(taken, end))

    def has_key(self) -> bool:
        """Whether a security key is set."""
        return bool(self.key)

    def mode(self, delivered: Mapping[str, Value]) -> Value:
        """The controller's mode: RAID, HBA, EnhancedHBA."""
        return self.settings.get(CONTROLLER_MODE, delivered.get(CONTROLLER_MODE, RAID_MODE))

    # -- keeping ------------------------------------------------------------------------------------------------------

    def to_plain(self) -> dict[str, Any]:
        """JSON types only."""
        plain: dict[str, Any] = plain_of(self)
        plain["volumes"] = list(plain["volumes"].values())
        return plain

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Layout:
        """The reverse of `to_plain`."""
        return cls(
            disks={drive: disk_from(disk) for drive, disk in plain["disks"].items()},
            volumes={volume["id"]: volume_from(volume) for volume in plain["volumes"]},
            works=tuple(work_from(work) for work in plain["works"]),
            settings=dict(plain["settings"]),
            key=plain["key"],
            key_id=plain["key_id"],
            boot_volume=plain["boot_volume"],
            preserved=tuple(plain["preserved"]),
            serial=plain["serial"],
        )


@dataclass(frozen=True, slots=True)
class Model:
    """What the mockup tells of a controller: shared by all machines, and never changed."""

    drives: Mapping[str, Drive]
    """By id, in the order of their bays."""
    levels: tuple[str, ...]
    """SupportedRAIDTypes, as far as they can be configured."""
    delivered: Layout
    attributes: Mapping[str, Attribute]
    """The controller's own."""
    values: Mapping[str, Value]
    """Theirs, as delivered."""
    name: str = ""
    """What people call the controller."""
    volume_id: str = "{}"
    """How a new volume's id is made from its number."""
    first_number: int = 1
    name_max: int = 128
    """How long a volume's name may be."""
    volumes_max: int = 240
    strips: tuple[int, ...] = (65536, 131072, 262144, 524288, 1048576)
    """In bytes; the first that a volume has where nobody says, so the order is that of preference."""
    is_securable: bool = False
    """Whether it can have a security key."""
    bytes_per_second: float = 1 << 30
    """How fast it goes over a drive if it does nothing else; its rates are shares of that."""
    fast_seconds: float = 10.0
    """How long a fast initialisation takes."""

    def can_hold(self, drive: str, volume: Volume, end: int | None = None) -> bool:
        """Whether a drive could have a place in a volume that is there: its kind, its size, and that it encrypts if it
        must. `end`: how far it is used, where that is further than this volume goes.
        """
        found = self.drives[drive]
        return (
            same_kind(found, self.drives[volume.drives[0]])
            and found.usable >= (volume.end if end is None else end)
            and (found.securable or not volume.is_encrypted)
        )


def plain_of(found: Any) -> Any:
    """A layout or a part of one in JSON types."""
    if is_dataclass(found):
        return {part.name: plain_of(getattr(found, part.name)) for part in fields(found)}
    if isinstance(found, Mapping):
        return {name: plain_of(value) for name, value in found.items()}
    if isinstance(found, tuple):
        return [plain_of(value) for value in found]
    return found.value if isinstance(found, StrEnum) else found


def volume_from(plain: Mapping[str, Any]) -> Volume:
    """From JSON types."""
    return Volume(**{**plain, "drives": tuple(plain["drives"]), "stale": tuple(plain["stale"])})


def disk_from(plain: Mapping[str, Any]) -> Disk:
    """From JSON types."""
    carried = tuple(volume_from(volume) for volume in plain["carries"])
    kept = {"condition": Condition(plain["condition"]), "spare_for": tuple(plain["spare_for"]), "carries": carried}
    return Disk(**{**plain, **kept})


def work_from(plain: Mapping[str, Any]) -> Work:
    """From JSON types."""
    becomes = plain["becomes"]
    return Work(**{**plain, "becomes": volume_from(becomes) if becomes else None})


VOLUME_HEALTH: Mapping[Status, str] = {Status.OK: "OK", Status.DEGRADED: "Warning", Status.FAILED: "Critical"}
"""Health of a volume by how it is."""


def health_of(layout: Layout, drive: str) -> str | None:
    """Health of the drive in a bay; None where there is none."""
    disk = layout.disks[drive]
    if disk.condition is not Condition.PRESENT:
        return "Critical" if disk.condition is Condition.FAILED else None
    return "Warning" if disk.predicted or state_of(layout, drive) == "Offline" else "OK"


def state_of(layout: Layout, drive: str) -> str:
    """What a drive is to RAID: Ready, Online, Rebuilding, Spare, NonRAID, Foreign, Offline, Failed or Missing."""
    disk = layout.disks[drive]
    if disk.condition is not Condition.PRESENT:
        return "Failed" if disk.condition is Condition.FAILED else "Missing"
    if disk.is_foreign:
        return "Foreign"
    if disk.is_offline:
        return "Offline"
    return _state_in_volumes(layout, drive) or _state_beside_volumes(disk)


def _state_in_volumes(layout: Layout, drive: str) -> str:
    if layout.works_on(drive, "Rebuild"):
        return "Rebuilding"
    volumes = [volume for volume in layout.volumes_on(drive) if volume.level != NO_LEVEL]
    if not volumes:
        return ""
    return "Offline" if all(drive in volume.stale for volume in volumes) else "Online"


def _state_beside_volumes(disk: Disk) -> str:
    if not disk.is_raid:
        return "NonRAID"
    return "Spare" if disk.is_spare else "Ready"


def of_level(volume: Volume, **changes: Any) -> Volume:
    """The volume with these changes, and the capacity that follows from them."""
    changed = replace(volume, **changes)
    capacity = capacity_bytes(changed.level, len(changed.drives), changed.spans, changed.extent)
    return replace(changed, capacity=capacity)


def fits(layout: Layout, volume: Volume, drive: str) -> bool:
    """Whether a volume's extent of a drive is free there."""
    return all(volume.end <= start or end <= volume.start for start, end in layout.used(drive))


def same_kind(one: Drive, other: Drive) -> bool:
    """Whether two drives can be in one volume: media, protocol and block size are not mixed."""
    return (one.media, one.protocol, one.block_size) == (other.media, other.protocol, other.block_size)


def _volume_has_work(layout: Layout, work: Work) -> bool:
    volume = layout.volumes.get(work.subject)
    if volume is None or layout.status(volume) is Status.FAILED:
        return False
    added = [] if work.becomes is None else [drive for drive in work.becomes.drives if drive not in volume.drives]
    return all(layout.disks[drive].works and not layout.volumes_on(drive) for drive in added)


def _check_has_work(layout: Layout, work: Work) -> bool:
    volume = layout.volumes.get(work.subject)
    return volume is not None and layout.status(volume) is Status.OK


def _rebuild_has_work(layout: Layout, work: Work) -> bool:
    waiting = [volume for volume in layout.volumes_on(work.subject) if work.subject in volume.stale]
    return layout.disks[work.subject].works and any(layout.status(volume) is Status.DEGRADED for volume in waiting)


def _replication_has_work(layout: Layout, work: Work) -> bool:
    volumes = layout.volumes_on(work.subject)
    both_work = layout.disks[work.subject].works and layout.disks[work.drive].works
    return both_work and bool(volumes) and all(layout.status(volume) is not Status.FAILED for volume in volumes)


def _erasure_has_work(layout: Layout, work: Work) -> bool:
    return layout.disks[work.subject].works


_HAS_WORK: Mapping[str, Callable[[Layout, Work], bool]] = {
    "Initialize": _volume_has_work,
    "CheckConsistency": _check_has_work,
    "Resize": _volume_has_work,
    "ChangeRAIDType": _volume_has_work,
    "Rebuild": _rebuild_has_work,
    "Replicate": _replication_has_work,
    "Sanitize": _erasure_has_work,
    "PatrolRead": lambda *_: True,
}
"""Whether work of this operation can go on."""


def _between(taken: Sequence[tuple[int, int]], end: int) -> Iterator[tuple[int, int]]:
    free_from = 0
    for start, stop in taken:
        if free_from < min(start, end):
            yield free_from, min(start, end)
        free_from = max(free_from, stop)
    if free_from < end:
        yield free_from, end
