"""What a view is made of: a resource declares its URI, its verbs and their privileges together.

    Resource(
        "/redfish/v1/Systems/1/Bios",
        get=bios,
        verbs={"PATCH": Verb(patch, "ConfigureComponents", payload="Bios.Settings.patch")},
    )

Handlers get a `Call` and return a document or a `Reply`. They decide nothing: they ask the machine, which answers or
raises `Rejected`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any, Protocol

from emulator.core.access import Account
from emulator.core.dialect import Dialect, Said
from emulator.core.job import Job
from emulator.core.machine import Machine
from emulator.core.message import Message
from emulator.mockup.site import Site
from emulator.runtime.authentication import Authenticator

Document = dict[str, Any]
NUMBER_DIGITS_MAX = 9


class Documents(Protocol):
    """Looks up any resource of the service, for links that want their target's content ($expand)."""

    def document(self, call: Call, uri: str) -> Document | None:
        """The resource at this URI as the caller would get it; None where there is none."""


@dataclass(slots=True)
class Call:
    """One request, during its turn."""

    machine: Machine
    site: Site
    dialect: Dialect
    documents: Documents
    uri: str
    """Normalised: no trailing slash, no query."""
    params: Mapping[str, str]
    account: Account | None
    authenticator: Authenticator
    oem: Oem
    body: Mapping[str, Any] = field(default_factory=dict)

    def base(self, uri: str | None = None) -> Document:
        """The mockup's resource at this URI (default: the one called), to be laid over; {} where it has none."""
        return dict(self.site.tree.get(uri or self.uri) or {})

    def exists(self, uri: str) -> bool:
        """Whether the mockup has a resource there."""
        return self.site.tree.get(uri) is not None

    def extended(self, schema: str, document: Document) -> Document:
        """The document with what the vendor adds to resources of this schema."""
        extend = self.oem.extend.get(schema)
        return extend(self, document) if extend else document

    def number(self, name: str) -> int | None:
        """A parameter of the URI as a number; None where it is none, or longer than any that is counted here."""
        text = self.params[name]
        return int(text) if text.isdecimal() and len(text) <= NUMBER_DIGITS_MAX else None

    @property
    def user(self) -> str:
        """Who calls."""
        return self.account.name if self.account else ""

    def local(self, moment: float) -> datetime:
        """A virtual moment in the controller's local time."""
        zone = timezone(timedelta(minutes=self.site.utc_offset_minutes))
        return datetime.fromtimestamp(moment, zone)

    def time(self, moment: float) -> str:
        """A virtual moment as Redfish writes it: local time with its offset, whole seconds."""
        return self.local(moment).isoformat(timespec="seconds")


@dataclass(frozen=True, slots=True)
class Reply:
    """What a verb answers. A body of None is an empty answer."""

    status: int = 200
    body: Mapping[str, Any] | None = None
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Verb:
    """A method other than GET."""

    handler: Callable[[Call], Reply]
    privilege: str | None
    """What the caller's role must allow; None: nobody has to log in."""
    payload: str | None = None
    """The name of the body's schema in `schemas/payloads`; None: a body is ignored."""
    action: str | None = None
    """The action's name, where the body holds its parameters."""


@dataclass(frozen=True, slots=True)
class Resource:
    """A URI and what can be done there. `{name}` in it is a parameter: one segment."""

    uri: str
    get: Callable[[Call], Document | Reply | None] | None = None
    """The document; None for "there is no such resource"; a Reply where the status is not 200."""
    verbs: Mapping[str, Verb] = field(default_factory=dict)
    privilege: str | None = "Login"
    """For GET."""
    timeless: bool = True
    """False: the document tells the time of day, so it differs from one moment to the next."""


@dataclass(frozen=True, slots=True)
class Oem:
    """What a vendor brings besides words: resources of its own, and properties in everybody's."""

    resources: Callable[[Site], list[Resource]] = lambda _: []
    extend: Mapping[str, Callable[[Call, Document], Document]] = field(default_factory=dict)
    """Schema name -> adds the vendor's part to a document of that schema."""


# -- pieces of documents ----------------------------------------------------------------------------------------------


def link(uri: str) -> dict[str, str]:
    """A reference to a resource."""
    return {"@odata.id": uri}


def collection(call: Call, kind: str, name: str, uris: list[str]) -> Document:
    """A resource collection with these members."""
    return {
        "@odata.id": call.uri,
        "@odata.type": f"#{kind}.{kind}",
        "Name": name,
        **call.base(),
        "Members@odata.count": len(uris),
        "Members": [link(uri) for uri in uris],
    }


def message_object(said: Said, related: tuple[str, ...] = ()) -> Document:
    """A message as Redfish shows it (Message 1.2)."""
    return {
        "@odata.type": "#Message.v1_2_0.Message",
        "MessageId": said.id,
        "Message": said.text,
        "MessageArgs": list(said.args),
        "MessageSeverity": said.severity,
        "Severity": said.severity,
        "Resolution": said.resolution,
        **({"RelatedProperties": list(related)} if related else {}),
    }


def message_objects(dialect: Dialect, message: Message, view: str = "") -> list[Document]:
    """The registry entries that say a message, as Redfish shows them."""
    related = tuple(dialect.related_prefix + path for path in message.related)
    return [message_object(said, related) for said in dialect.say(message, view)]


def succeeded(call: Call, *messages: str, status: int = 200, headers: tuple[tuple[str, str], ...] = ()) -> Reply:
    """The answer to something that went well and has nothing to show.

    204 in plain Redfish; a dialect that names its successes answers 200 with messages: Base.Success and `messages`.
    """
    if not call.dialect.names_success:
        return Reply(204, None, headers)
    return Reply(status, {"@Message.ExtendedInfo": success_messages(call, *messages)}, headers)


def success_messages(call: Call, *messages: str) -> list[Document]:
    """Base.Success, then these."""
    return [entry for key in ("Success", *messages) for entry in message_objects(call.dialect, Message(key))]


def accepted(call: Call, job: Job) -> Reply:
    """202: a job will do it. The body is empty, which suits every client met (docs/architecture.md)."""
    return Reply(202, None, (("Location", call.dialect.accepted_location.format(id=job.id)),))
