"""Finding the functions of network adapters in a tree: as DMTF describes them, and as a vendor's attributes do.

A function lives where it has attributes of a vendor's, or at least one property that can be set. Where it has both,
they are two faces of one device.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from emulator.core.message import Message
from emulator.devices.attribute_registry import Model, build_model, shared
from emulator.devices.network_function import Property, model_of, own_properties, properties_behind, spelled
from emulator.devices.nic import SECRET
from emulator.mockup.manifest import DevicePlace
from emulator.mockup.place import Place
from emulator.mockup.reader import ROOT, SETTINGS, Document, MockupError, Tree, links

ADAPTERS = "/NetworkAdapters"
_FUNCTION = re.compile(r".+/NetworkDeviceFunctions/[^/]+")
_ATTRIBUTES = re.compile(r"(.+/NetworkDeviceFunctions/[^/]+)/Oem/Dell/DellNetworkAttributes/[^/]+")


@dataclass(frozen=True, slots=True)
class NicPlace(Place):
    """A network device function that lives."""

    device_id: str
    uri: str
    """Of the NetworkDeviceFunction."""
    settings_uris: tuple[str, ...]
    """Where its settings resource stands, the place that it names itself first."""
    properties: Mapping[str, Property]
    """What can be set there, by path; empty where its document offers nothing that can."""
    attributes_uri: str | None
    """Of the vendor's attributes; None where the tree has none."""
    attributes_settings_uri: str
    """Empty where it has none."""
    interfaces: tuple[str, ...]
    """The host's EthernetInterfaces that it carries."""
    model: Model

    @property
    def all_settings_uris(self) -> tuple[str, ...]:
        """Every settings resource behind which this device stands."""
        own = self.settings_uris if self.properties else ()
        return (*own, self.attributes_settings_uri) if self.attributes_uri else own

    def is_settings_uri(self, uri: str) -> bool:
        """Whether it is one of `all_settings_uris`."""
        return uri in self.all_settings_uris

    def spelled(self, message: Message) -> Message:
        """Where there are no vendor's attributes, they are the function's properties."""
        return message if self.attributes_uri is not None else spelled(self.properties, message)


def find_nics(
    tree: Tree,
    systems: Sequence[str],
    listed: Iterable[DevicePlace] | None,
    taken: Iterable[str],
    *,
    below_system_too: bool,
) -> tuple[NicPlace, ...]:
    """All functions that can live, in the order of their URIs; or those that are `listed`, under the ids given there.

    `taken` are the ids of other devices. `below_system_too`: what stands below a chassis' NetworkAdapters is there for
    the first system as well.

    Raises:
        MockupError: a listed one is not in the tree or has nothing to set, or a registry is none.
    """
    functions = dict(_functions(tree))
    ids = Ids(taken)
    found: list[NicPlace] = []
    for uri, given_id in _listed(tree, functions, listed) if listed is not None else ((uri, "") for uri in functions):
        attributes_uri, function = functions[uri], tree.get(uri) or {}
        model, properties = _model(tree, uri, attributes_uri)
        if not model.attributes and given_id:
            raise MockupError(f"{tree.source}: {uri}: there is nothing that can be set")
        if not model.attributes:
            continue
        found.append(
            NicPlace(
                device_id=given_id or ids.unique(uri, attributes_uri),
                uri=uri,
                settings_uris=_settings_uris(uri, function, systems if below_system_too else ()),
                properties=properties,
                attributes_uri=attributes_uri,
                attributes_settings_uri=_attributes_settings_uri(tree, attributes_uri),
                interfaces=interfaces_of(tree, systems, uri),
                model=shared(model, (place.model for place in found)),
            )
        )
    return tuple(found)


def _listed(
    tree: Tree, functions: Mapping[str, str | None], listed: Iterable[DevicePlace]
) -> Iterator[tuple[str, str]]:
    """The URI of each function that the manifest lists, by its own URI or that of its attributes, and its id there."""
    by_either = {either: pair[0] for pair in functions.items() for either in pair if either}
    for place in listed:
        if place.path not in by_either:
            raise MockupError(f"{tree.source}: machine.toml: devices: {place.path}: there is no such resource")
        yield by_either[place.path], place.id


def below_system(uri: str, systems: Sequence[str]) -> str | None:
    """Where the first system has what a chassis has below NetworkAdapters; None for anything else."""
    chassis, folder, rest = uri.partition(ADAPTERS)
    if not folder or not systems or not chassis.startswith(f"{ROOT}/Chassis/") or rest[:1] not in ("", "/"):
        return None
    return f"{systems[0]}{ADAPTERS}{rest}"


class Ids:
    """Gives ids out, each once."""

    def __init__(self, taken: Iterable[str]) -> None:
        self._taken = set(taken)

    def unique(self, uri: str, attributes_uri: str | None) -> str:
        """The last part of the URI; where that is taken, with the adapter before it, and then a number behind it."""
        own = (attributes_uri or uri).rpartition("/")[2]
        adapter = uri.partition(f"{ADAPTERS}/")[2].partition("/")[0]
        longer = f"{adapter}.{own}" if adapter else own
        wanted = (own, *(longer if number == 1 else f"{longer}.{number}" for number in range(1, len(self._taken) + 3)))
        found = next(name for name in wanted if name not in self._taken)
        self._taken.add(found)
        return found


def functions_of(tree: Tree) -> list[str]:
    """The URIs of all functions, whether they can live or not."""
    return [uri for uri, _ in _functions(tree)]


def _functions(tree: Tree) -> Iterator[tuple[str, str | None]]:
    """The URI of each function, and that of its attributes."""
    attributes = {
        found[1]: uri
        for uri, document in tree.documents.items()
        if (found := _ATTRIBUTES.fullmatch(uri)) and isinstance(document.get("Attributes"), dict)
    }
    functions = {
        uri
        for uri, document in tree.documents.items()
        if _FUNCTION.fullmatch(uri) and str(document.get("@odata.type", "")).startswith("#NetworkDeviceFunction.")
    }
    for uri in sorted(functions | set(attributes)):
        yield uri, attributes.get(uri)


def _model(tree: Tree, uri: str, attributes_uri: str | None) -> tuple[Model, dict[str, Property]]:
    function = tree.get(uri) or {}
    if attributes_uri is None:
        properties = own_properties(function)
        return model_of(function, properties), properties
    document = tree.documents[attributes_uri]
    registry_uri, registry = _registry(tree, document, attributes_uri.rpartition("/")[2])
    try:
        model = build_model(document["Attributes"], registry, SECRET)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise MockupError(f"{tree.source}: {registry_uri}: not an attribute registry: {error}") from error
    return model, properties_behind(function, model.attributes)


def _registry(tree: Tree, attributes: Document, fqdd: str) -> tuple[str, Document | None]:
    """The registry of a function. Controllers name it otherwise than they call it: NetworkAttributeRegistry_NIC.Slot.1
    is NetworkAttributesRegistry_NIC.Slot.1. Older ones have one for all functions.
    """
    names = (attributes.get("AttributeRegistry"), f"NetworkAttributesRegistry_{fqdd}", "NetworkAttributesRegistry")
    found = {
        str(document.get("Id")): (uri, document)
        for uri, document in tree.documents.items()
        if str(document.get("@odata.type", "")).startswith("#AttributeRegistry.")
    }
    return next((found[name] for name in names if isinstance(name, str) and name in found), ("", None))


def _settings_uris(uri: str, function: Document, systems: Sequence[str]) -> tuple[str, ...]:
    own = f"{uri}/Settings"
    places = (settings_link(function), own, below_system(own, systems))
    return tuple(dict.fromkeys(place for place in places if place))


def _attributes_settings_uri(tree: Tree, attributes_uri: str | None) -> str:
    if attributes_uri is None:
        return ""
    return settings_link(tree.documents[attributes_uri]) or f"{attributes_uri}/Settings"


def settings_link(document: Document) -> str:
    """The settings resource that a document names; "" where it names none."""
    annotation: Any = document.get(SETTINGS)
    return next(iter(links(annotation.get("SettingsObject"))), "") if isinstance(annotation, dict) else ""


def interfaces_of(tree: Tree, systems: Sequence[str], uri: str) -> tuple[str, ...]:
    """The host's EthernetInterfaces of a function: those that one of the two links to the other, and of the same Id."""
    function = tree.get(uri) or {}
    named = links_of(function, "EthernetInterfaces") + links_of(function, "EthernetInterface")
    found = []
    for system in systems:
        for interface in tree.members(f"{system}/EthernetInterfaces"):
            back = links_of(tree.documents[interface], "NetworkDeviceFunctions")
            if interface in named or uri in back or interface.rpartition("/")[2] == uri.rpartition("/")[2]:
                found.append(interface)
    return tuple(found)


def links_of(document: Document, name: str) -> list[str]:
    """The URIs that a document has in its Links under this name."""
    listed = document.get("Links")
    return links(listed.get(name)) if isinstance(listed, dict) else []
