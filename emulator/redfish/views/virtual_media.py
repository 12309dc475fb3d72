"""VirtualMedia: images that the host sees as a disc or a stick, put in by the actions or by a PATCH."""

from __future__ import annotations

from functools import partial

from emulator.core.message import Message, Rejected
from emulator.core.virtual_media import IMAGE, Media, ejected, patched, with_image
from emulator.mockup.media import MediaPlace
from emulator.mockup.site import Site
from emulator.redfish import view
from emulator.redfish.boot_order import refuse_others
from emulator.redfish.view import Call, Document, Reply, Resource, Verb

INSERT, EJECT = "VirtualMedia.InsertMedia", "VirtualMedia.EjectMedia"
CONNECTED, NOT_CONNECTED = "URI", "NotConnected"
SETTABLE = frozenset(
    {IMAGE, "Inserted", "WriteProtected", "TransferProtocolType", "TransferMethod", "UserName", "Password"}
)


def resources(site: Site) -> list[Resource]:
    """Each virtual drive, with its actions."""
    found = []
    for place in site.media:
        patch = Verb(partial(patch_media, place), "ConfigureManager", "VirtualMedia.patch")
        insert = Verb(partial(insert_media, place), "ConfigureManager", INSERT, action=INSERT)
        eject = Verb(partial(eject_media, place), "ConfigureManager")
        found += [
            Resource(place.uri, get=partial(virtual_media, place), verbs={"PATCH": patch}),
            Resource(place.targets["InsertMedia"], verbs={"POST": insert}),
            Resource(place.targets["EjectMedia"], verbs={"POST": eject}),
        ]
    return found


def virtual_media(place: MediaPlace, call: Call) -> Document:
    """The drive with what is in it. A password is never shown (DSP0268)."""
    now = _now(place, call)
    shown = {
        IMAGE: now.image,
        "ImageName": now.image_name,
        "ConnectedVia": CONNECTED if now.image is not None else NOT_CONNECTED,
        "Inserted": now.inserted,
        "WriteProtected": now.write_protected,
        "TransferProtocolType": now.transfer_protocol,
        "TransferMethod": now.transfer_method,
        "UserName": now.user,
        "Password": None,
    }
    document = call.base(place.uri)
    return {**document, **({name: value for name, value in shown.items() if name in document})}


def insert_media(place: MediaPlace, call: Call) -> Reply:
    """VirtualMedia.InsertMedia: 204."""
    try:
        _load(place, call, with_image(_now(place, call), call.body))
    except Rejected as refused:
        raise Rejected(*(_of_action(message, call) for message in refused.messages)) from refused
    return Reply(204)


def eject_media(place: MediaPlace, call: Call) -> Reply:
    """VirtualMedia.EjectMedia: 204."""
    _load(place, call, ejected(_now(place, call)))
    return Reply(204)


def patch_media(place: MediaPlace, call: Call) -> Reply:
    """The same without actions: an Image is put in, null is taken out."""
    document = call.base(place.uri)
    refuse_others(document, call.body, SETTABLE & document.keys(), "")
    wanted = {name: value for name, value in call.body.items() if name in SETTABLE}
    _load(place, call, patched(_now(place, call), wanted))
    return view.patched(call, partial(virtual_media, place))


def _now(place: MediaPlace, call: Call) -> Media:
    return call.machine.set_up.media.get(place.uri, place.delivered)


def _load(place: MediaPlace, call: Call, media: Media) -> None:
    """Keep it, and let the log tell of an image that came or went. Its place may hold a secret; its name does not."""
    before = _now(place, call)
    if media == before:
        return
    call.machine.set_up.load_media(place.uri, media)
    drive = place.uri.rpartition("/")[2]
    if media.image is not None and media.image != before.image:
        call.machine.note(Message("MediaInserted", (media.image_name or "", drive)))
    elif media.image is None and before.image is not None:
        call.machine.note(Message("MediaEjected", (before.image_name or "", drive)))


def _of_action(message: Message, call: Call) -> Message:
    """A message about a property, as one about the parameter of the action."""
    name = message.related[0] if message.related else ""
    if message.key == "PropertyMissing":
        return Message("ActionParameterMissing", (INSERT, name), message.related)
    if message.key == "PropertyValueFormatError":
        return Message("ActionParameterValueFormatError", (message.args[0], name, INSERT), message.related)
    if message.key == "PropertyValueConflict":
        return Message("ActionParameterValueConflict", (name, str(call.body.get(name, ""))), message.related)
    return message
