"""DellBootSources: the boot order by the lifecycle controller's own names (DellBootSources v1_0_0, captured).

Older firmware has the same as `BootSources` below the system; both are served. The order is an attribute of the BIOS:
what is staged here is applied by the job of the BIOS, and shows in Boot.BootOrder and in the boot options.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from emulator.core.device import Value
from emulator.core.message import Message, reject_if_any
from emulator.dialects.dell.oem.clear_pending import (
    clear_pending_resource,
    clear_pending_target,
    offered_clear_pending,
)
from emulator.dialects.dell.oem.dell_job import jobs_link
from emulator.dialects.dell.oem.oem_part import with_links
from emulator.mockup.boot import BootPlace, BootSequence, BootSource
from emulator.mockup.reader import SETTINGS
from emulator.mockup.site import BiosPlace, Site
from emulator.redfish.apply_time import SETTINGS_APPLY_TIME
from emulator.redfish.settings_resource import PREFERRED_APPLY_TIME, settings_annotation, stage
from emulator.redfish.view import Call, Document, Reply, Resource, Verb, link

SCHEMA = "DellBootSources"


def resources(site: Site) -> list[Resource]:
    """What is in force, what is pending, and the action that discards it, in both places."""
    bios = site.boot
    if bios is None or bios.boot is None:
        return []
    found = []
    for uri, settings_uri in bios.boot.sources.items():
        patch = Verb(partial(patch_settings, bios, bios.boot), "ConfigureComponents", "DellBootSources.Settings.patch")
        attributes = [one.attribute for one in bios.boot.sequences]  # other values staged for the BIOS stay
        found += [
            Resource(uri, get=partial(boot_sources, bios, bios.boot)),
            Resource(settings_uri, get=partial(settings, bios, bios.boot), verbs={"PATCH": patch}),
            clear_pending_resource(clear_pending_target(settings_uri), bios.device_id, attributes),
        ]
    return found


def boot_sources(bios: BiosPlace, boot: BootPlace, call: Call) -> Document:
    """The order in force, and how the last application of staged values went."""
    values = call.machine.devices[bios.device_id].read()
    return {
        **_described(boot, call, "Current"),
        "Attributes": {one.attribute: _shown(one, values[one.attribute]) for one in boot.sequences},
        SETTINGS: settings_annotation(call, bios.device_id, boot.sources[call.uri]),
    }


def settings(bios: BiosPlace, boot: BootPlace, call: Call) -> Document:
    """The order that is pending, where one is."""
    values = call.machine.values_pending(bios.device_id)
    return {
        **_described(boot, call, "Pending"),
        "Attributes": {
            one.attribute: _shown(one, values[one.attribute]) for one in boot.sequences if one.attribute in values
        },
        "Actions": offered_clear_pending(clear_pending_target(call.uri)),
        "Oem": {"Dell": {"@odata.type": "#DellManager.v1_2_0.DellManager", **jobs_link(call.site)}},
        SETTINGS_APPLY_TIME: PREFERRED_APPLY_TIME,
    }


def patch_settings(bios: BiosPlace, boot: BootPlace, call: Call) -> Reply:
    """Stage an order, and what of it is enabled: 200, or with an apply time 202 and a job."""
    given = call.body.get("Attributes", {})
    known = {one.attribute: one for one in boot.sequences}
    reject_if_any(
        Message("PropertyUnknown", (name[:200],), (f"Attributes/{name}"[:200],)) for name in given if name not in known
    )
    reject_if_any(fault for name, entries in given.items() for fault in _faults(known[name], entries))
    now = {**call.machine.devices[bios.device_id].read(), **call.machine.values_pending(bios.device_id)}
    change = {name: _value(entries, now[name]) for name, entries in given.items()}
    return stage(call, bios.device_id, change, partial(settings, bios, boot))


def extend_computer_system(call: Call, document: Document) -> Document:
    """Where the boot sources are."""
    bios = call.site.boot
    if bios is None or bios.boot is None or not bios.boot.sources:
        return document
    own = link(next(iter(bios.boot.sources)))
    return with_links(document, {"BootOrder": own, SCHEMA: own})


def _described(boot: BootPlace, call: Call, which: str) -> Document:
    """What both resources have, with what was captured laid over it; the settings name the registry of the others."""
    captured = {name: value for name, value in call.base().items() if not name.startswith("@Redfish.")}
    registries = [found["AttributeRegistry"] for found in map(call.base, boot.sources) if "AttributeRegistry" in found]
    return {
        "@odata.context": f"/redfish/v1/$metadata#{SCHEMA}.{SCHEMA}",
        "@odata.type": f"#{SCHEMA}.v1_0_0.{SCHEMA}",
        "Id": call.uri.rpartition("/")[2],
        "Name": f"Boot Sources Configuration {which} Settings",
        "Description": f"Boot Sources {which} Settings",
        **({"AttributeRegistry": registries[0]} if registries else {}),
        **captured,
        "@odata.id": call.uri,
    }


def _shown(sequence: BootSequence, value: Value) -> list[Document]:
    sources = {source.id: source for source in sequence.sources}
    entries = value if isinstance(value, list) else []
    return [
        {"Enabled": enabled, "Id": found, "Index": index, "Name": sources[found].name}
        for index, (found, enabled) in enumerate(entries)
    ]


def _faults(sequence: BootSequence, entries: Sequence[Mapping[str, Any]]) -> list[Message]:
    """What is wrong with the entries that the device does not see: their indices and their names."""
    sources: Mapping[str, BootSource] = {source.id: source for source in sequence.sources}
    place = f"Attributes/{sequence.attribute}"
    found = []
    used: set[int] = set()
    some_have_one = any("Index" in entry for entry in entries)
    for number, entry in enumerate(entries):
        source, index = sources.get(entry["Id"]), entry.get("Index")
        if source is not None and entry.get("Name", source.name) != source.name:
            found.append(Message("PropertyNotWritable", (f"{place}/{number}/Name",), (f"{place}/{number}/Name",)))
        if index is None and some_have_one:
            found.append(Message("PropertyMissing", (f"{place}/{number}/Index",), (f"{place}/{number}/Index",)))
        elif index is not None and index in used:
            found.append(Message("SequenceRepeats", (place, f"Index {index}"), (f"{place}/{number}/Index",)))
        if index is not None:
            used.add(index)
    return found


def _value(entries: Sequence[Mapping[str, Any]], now: Value) -> list[list[Any]]:
    """The order that the indices give, or where there are none the entries' own; what is not said of `now` stays."""
    enabled = dict(now) if isinstance(now, list) else {}
    ordered = sorted(entries, key=lambda entry: entry.get("Index", 0))
    return [[entry["Id"], entry.get("Enabled", enabled.get(entry["Id"], True))] for entry in ordered]
