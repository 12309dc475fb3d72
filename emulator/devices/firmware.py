"""The firmware of a machine: for each component the version installed, the one before it, and images waiting.

The whole firmware is one device, whose attributes are the components and whose values are versions: to update is to
change a value. What a version *is* stays text; `compare_versions` says which of two is the newer.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from itertools import count
from typing import Any, NamedTuple

from emulator.core.device import Attribute, Device, Value
from emulator.core.job import Outcome, Step
from emulator.core.message import Message, reject_if_any

INSTALL = "install"


@dataclass(frozen=True, slots=True)
class Component:
    """One piece of hardware whose firmware can be told apart; shared by all machines of a mockup."""

    id: str
    """Unique in the machine: the FQDD where the inventory names one (BIOS.Setup.1-1), else its resource's Id. Where
    several software ids share an FQDD, all but the first of them have theirs behind it: RAID.Slot.1-1#108900."""
    name: str
    software_id: str
    """What an image is made for ("159"); "" where the tree gives none. Several components may share it."""
    uri: str
    """Its inventory resource in the mockup, no trailing slash: of several, the one of the installed version."""
    version: str
    """As delivered; "" where the tree gives none, and then it cannot be updated."""
    previous: str | None
    """A version delivered for rollback, if any."""
    updateable: bool
    needs_reboot: bool
    """Applied by the host's next start, unless an image says otherwise."""
    is_controller: bool
    """The management controller's own firmware."""
    entries: tuple[str, ...] = ()
    """All its inventory resources in the mockup, in the order of the collection. A lifecycle controller has one for
    each image it keeps, so that the installed version may be there twice (Installed-..., Current-...)."""

    @property
    def fqdd(self) -> str:
        """The id without a software id behind it: what the inventory calls the component."""
        return self.id.partition("#")[0]


@dataclass(frozen=True, slots=True)
class Offer:
    """A pushed image that waits to be installed."""

    component: str
    """The component's id."""
    version: str
    name: str
    """What people call the image: what it says itself, or the name of its file."""
    size: int
    """Bytes."""
    needs_reboot: bool
    at: float
    """When it was pushed, on the virtual clock."""


class Installation(NamedTuple):
    """What is installed on one component."""

    version: str
    previous: str | None
    """What can be rolled back to."""
    at: float | None
    """When it was installed, on the virtual clock; None as delivered."""


@dataclass(slots=True)
class Firmware(Device):
    """The firmware of one machine. It keeps only what differs from the way it was delivered."""

    components: Mapping[str, Component]
    """By id. What follows from them is worked out once for all machines that have the same ones."""
    id: str = "Firmware"
    step_seconds: float = 120.0
    """Virtual seconds for each component."""
    kind: str = "firmware"
    own: dict[str, Installation] = field(default_factory=dict)
    """By component id."""
    available: dict[str, Offer] = field(default_factory=dict)
    """Pushed images waiting to be installed, by the key that `offer` gave them."""
    _shared: _Shared = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        self._shared = _shared(tuple(self.components.values()))

    # -- the device protocol

    def describe(self) -> Mapping[str, Attribute]:
        """One text for each component; read-only where it cannot be updated. Shared by all machines of the mockup."""
        return self._shared.attributes

    def read(self) -> Mapping[str, Value]:
        """The installed versions, by component id."""
        return {name: self.installed(name) for name in self.components}

    def plan(self, change: Mapping[str, Value]) -> tuple[Step, ...]:
        """One step per component, in the order given; the controller's own comes last, because it then restarts.

        Raises:
            Rejected: PropertyValueFormatError for each version that is an empty text.
        """
        reject_if_any(_about(name, "PropertyValueFormatError", "", name) for name in change if not change[name])
        ordered = sorted(change, key=lambda name: self.components[name].is_controller)
        return tuple(Step(self.id, INSTALL, name, change[name], self.step_seconds) for name in ordered)

    def apply(self, step: Step, at: float) -> Outcome:
        """Install one version; the one it replaces can be rolled back to, and its image waits no longer.

        The same version once more replaces nothing, so the one to roll back to stays. A component that the machine
        does not have (any more) fails with PropertyUnknown.
        """
        if step.name not in self.components:
            return Outcome(False, at, {}, _about(step.name, "PropertyUnknown", step.name))
        now = self._get(step.name)
        key = self._key_of(step.name, step.value)
        waited = {} if key is None else {key: asdict(self.available.pop(key))}
        before = {**now._asdict(), "available": waited}
        replaced = now.previous if step.value == now.version else now.version
        self._set(step.name, Installation(step.value, replaced, at))
        return Outcome(True, at, before)

    def undo(self, step: Step, before: Mapping[str, Any]) -> None:
        """Put back what was installed, what could be rolled back to, and the image; one pushed since then stays."""
        if not before or step.name not in self.components:
            return
        self._set(step.name, Installation(before["version"], before["previous"], before["at"]))
        for key, offer in before["available"].items():
            self.available.setdefault(key, Offer(**offer))

    def part_renewed(self, part: str) -> None:
        """What was installed on a part that is gone is gone with it."""
        for name, component in self.components.items():
            if component.fqdd == part:
                self.own.pop(name, None)

    def snapshot(self) -> dict[str, Any]:
        """The components that are not as delivered, and the images that wait."""
        return {
            "own": {name: list(installation) for name, installation in self.own.items()},
            "available": {key: asdict(offer) for key, offer in self.available.items()},
        }

    def restore(self, saved: Mapping[str, Any]) -> None:
        """The reverse of `snapshot`; what belongs to components that the mockup no longer has is left out."""
        self.own = {name: Installation(*plain) for name, plain in saved["own"].items() if name in self.components}
        offers = {key: Offer(**plain) for key, plain in saved["available"].items()}
        self.available = {key: offer for key, offer in offers.items() if offer.component in self.components}

    # -- more to ask

    def installed(self, component_id: str) -> str:
        """The version installed on a component. KeyError where there is no such component."""
        return self._get(component_id).version

    def previous(self, component_id: str) -> str | None:
        """The version that can be rolled back to, if any. KeyError where there is no such component."""
        return self._get(component_id).previous

    def installed_at(self, component_id: str) -> float | None:
        """When its version was installed, on the virtual clock; None as delivered. KeyError as above."""
        return self._get(component_id).at

    def compare(self, component_id: str, version: str) -> int:
        """-1, 0 or 1: a version is older than, the same as, or newer than the one installed. KeyError as above."""
        return compare_versions(version, self.installed(component_id))

    def in_order(self, version: str, other: str) -> int:
        """-1, 0 or 1, as `compare_versions`."""
        return compare_versions(version, other)

    def find(self, text: str) -> Component | None:
        """The component that a client means; upper and lower case are the same.

        By its id or FQDD; by the URI of one of its inventory resources, as delivered or as they are named for what it
        has now (`entry_key`, with a word before it: .../Available-159-2.2.0__BIOS.Setup.1-1); by its software id or its
        name, where no other component has the same. A trailing slash does not matter.
        """
        wanted = text.rstrip("/").lower()
        return self._shared.known.get(wanted) or self._find_entry(wanted)

    def find_all(self, text: str) -> tuple[Component, ...]:
        """The component that `find` gives, else all that share this software id or name, such as two power supplies."""
        found, wanted = self.find(text), text.lower()
        if found is not None or not wanted:
            return (found,) if found else ()
        return tuple(one for one in self.components.values() if wanted in (one.software_id.lower(), one.name.lower()))

    # -- images that wait

    def offer(self, offer: Offer) -> str:
        """Keep an image until it is installed or withdrawn; gives its key, which may stand in a URI.

        A second image of the same version for the same component replaces the first. KeyError where there is no such
        component.
        """
        key = self._key_of(offer.component, offer.version)
        if key is None:
            key = self._free_key(entry_key(self.components[offer.component], offer.version))
        self.available.pop(key, None)
        self.available[key] = offer
        return key

    def offer_package(self, package: Mapping[str, Any], component_id: str, version: str, at: float) -> str:
        """Keep a package that was pushed at `at`; gives its key, and KeyError, as `offer` does.

        `package` is {"header": its header, or None for one that tells nothing of itself, "size": bytes, "source": the
        name of its file}. What it does not say is as usual for the component.
        """
        header = package.get("header") or {}
        name = header.get("name") or package.get("source", "")
        needs_reboot = header.get("needs_reboot", self.components[component_id].needs_reboot)
        return self.offer(Offer(component_id, version, name, package.get("size", 0), needs_reboot, at))

    def offered(self, key: str) -> dict[str, Any] | None:
        """The image that waits under this key as a package, which then tells what it is for; None where none does."""
        offer = self.available.get(key)
        if offer is None:
            return None
        header = {"component": offer.component, "version": offer.version, "needs_reboot": offer.needs_reboot}
        return {"header": {**header, "name": offer.name}, "size": offer.size, "source": offer.name}

    def withdraw(self, key: str) -> None:
        """Throw an image away; nothing happens where there is none."""
        self.available.pop(key, None)

    def erase(self, component: str, at: float) -> bool:
        """Lifecycle data: the images that wait, and the versions that could be rolled back to."""
        if component != "LCData":
            return False
        self.available.clear()
        for name in self.components:
            self._set(name, self._get(name)._replace(previous=None))
        return True

    def _get(self, name: str) -> Installation:
        return self.own.get(name) or _delivered(self.components[name])

    def _set(self, name: str, installation: Installation) -> None:
        if installation == _delivered(self.components[name]):
            self.own.pop(name, None)
        else:
            self.own[name] = installation

    def _key_of(self, component_id: str, version: str) -> str | None:
        """The key of the image of this version that waits for this component."""
        wanted = (component_id, version)
        return next((key for key, offer in self.available.items() if (offer.component, offer.version) == wanted), None)

    def _free_key(self, key: str) -> str:
        """The key, with a number where it is taken: a version may hold what separates the parts of keys."""
        numbered = (f"{key}.{number}" for number in count(2))
        return key if key not in self.available else next(other for other in numbered if other not in self.available)

    def _find_entry(self, wanted: str) -> Component | None:
        folder, _, entry = wanted.rpartition("/")
        without_word = re.sub(r"^[a-z]+-", "", entry)
        for key, component in self._keys_shown():
            if key.lower() in (entry, without_word) and folder in ("", _folder(component.uri)):
                return component
        return None

    def _keys_shown(self) -> Iterator[tuple[str, Component]]:
        for component in self.components.values():
            now = self._get(component.id)
            for version in (now.version, now.previous):
                if version is not None:
                    yield entry_key(component, version), component
        for key, offer in self.available.items():
            yield key, self.components[offer.component]


def entry_key(component: Component, version: str) -> str:
    """How an inventory names this version of a component: "159-2.1.5__BIOS.Setup.1-1".

    A lifecycle controller puts a word before it ("Installed-"). What has no place in a URI becomes an underscore.
    """
    software = f"{component.software_id}-" if component.software_id else ""
    return re.sub(r"[^\w.:+-]", "_", f"{software}{version}__{component.fqdd}", flags=re.ASCII)


def compare_versions(a: str, b: str) -> int:
    """-1, 0 or 1: `a` is older than, the same as, or newer than `b`. Any two texts can be compared.

    A version is parts between punctuation, and a part is runs of digits and runs of letters. Digits compare as numbers,
    letters as letters whatever their case, and letters are newer than digits: "2.10.0" is newer than "2.9.1", "1.2b"
    than "1.2a", and that than "1.2". What is missing is zero: "7.10.50.00" is "7.10.50".
    """
    first, second = _version_key(a), _version_key(b)
    return (first > second) - (first < second)


_Run = tuple[int, int, str]
"""(0, number of digits, digits) or (1, 0, letters): digits are never turned into a number, however many there are."""
_ZERO: _Run = (0, 0, "")


def _version_key(version: str) -> tuple[tuple[_Run, ...], ...]:
    """Compares as the version does. Zeros at the end are cut off: zero is the least, so a missing one is the same."""
    parts = [_without_zeros([_run(text) for text in _runs(part)]) for part in re.split(r"[\W_]+", version)]
    while parts and not parts[-1]:
        parts.pop()
    return tuple(parts)


def _runs(part: str) -> list[str]:
    return re.findall(r"[0-9]+|[^0-9]+", part.lower())


def _run(text: str) -> _Run:
    if text[0] not in "0123456789":
        return (1, 0, text)
    digits = text.lstrip("0")
    return (0, len(digits), digits)


def _without_zeros(runs: list[_Run]) -> tuple[_Run, ...]:
    while runs and runs[-1] == _ZERO:
        runs.pop()
    return tuple(runs)


class _Shared(NamedTuple):
    """What follows from the components alone."""

    attributes: Mapping[str, Attribute]
    known: Mapping[str, Component]
    """By whatever always tells a component, in lower case."""


@lru_cache(maxsize=16)
def _shared(components: tuple[Component, ...]) -> _Shared:
    attributes = {one.id: Attribute(one.id, "String", read_only=not one.updateable) for one in components}
    known: dict[str, Component] = {}
    for names in (
        [(one.id, one) for one in components],
        [(uri, one) for one in components for uri in (one.uri, *one.entries)],
        _unique([(one.software_id, one) for one in components]),
        _unique([(one.name, one) for one in components]),
    ):
        for name, one in names:
            known.setdefault(name.lower(), one)
    known.pop("", None)
    return _Shared(attributes, known)


def _unique(names: list[tuple[str, Component]]) -> list[tuple[str, Component]]:
    often = Counter(name.lower() for name, _ in names)
    return [(name, one) for name, one in names if often[name.lower()] == 1]


def _delivered(component: Component) -> Installation:
    return Installation(component.version, component.previous, None)


def _folder(uri: str) -> str:
    return uri.lower().rpartition("/")[0]


def _about(name: str, key: str, *args: str) -> Message:
    return Message(key, args, (f"Attributes/{name}",))
