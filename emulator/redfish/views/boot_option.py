"""BootOption: one thing to boot from, whether it is tried, and the collection in which they stand in boot order."""

from __future__ import annotations

from functools import partial

from emulator.core.message import Message, Rejected
from emulator.mockup.boot import BootPlace
from emulator.mockup.site import Site
from emulator.redfish.boot_order import BootOrder, boot_order, refuse_others
from emulator.redfish.view import Call, Document, Reply, Resource, Verb, link

SETTABLE = frozenset({"BootOptionEnabled"})


def resources(site: Site) -> list[Resource]:
    """The collection and its members, where the host's boot order lives."""
    order, place = boot_order(site), site.boot.boot if site.boot else None
    if order is None or place is None or not place.collection:
        return []
    found = [Resource(place.collection, get=partial(boot_options, place, order))]
    for uri, reference in place.options.items():
        patch = Verb(partial(patch_boot_option, order, reference), "ConfigureComponents", "BootOption.patch")
        found.append(Resource(uri, get=partial(boot_option, order, reference), verbs={"PATCH": patch}))
    return found


def boot_options(place: BootPlace, order: BootOrder, call: Call) -> Document:
    """The collection, in the order in force; what has no place in it comes last."""
    uris = {reference: uri for uri, reference in place.options.items()}
    ordered = [uris[reference] for reference in order.in_force(call) if reference in uris]
    members = dict.fromkeys((*ordered, *call.site.tree.members(call.uri)))
    return {**call.base(), "Members@odata.count": len(members), "Members": [link(uri) for uri in members]}


def boot_option(order: BootOrder, reference: str, call: Call) -> Document:
    """One of them, as the BIOS has it now."""
    return {**call.base(), "BootOptionEnabled": order.in_force(call)[reference]}


def patch_boot_option(order: BootOrder, reference: str, call: Call) -> Reply:
    """Enable or disable it: the BIOS's to do, like a change of the order."""
    refuse_others(call.base(), call.body, SETTABLE, "")
    if "BootOptionEnabled" not in call.body:
        raise Rejected(Message("NoOperation"))
    wanted = order.wanted(call)
    wanted[reference] = call.body["BootOptionEnabled"]
    return order.change(call, iter(wanted.items()), "BootOptionEnabled")
