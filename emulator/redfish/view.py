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

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from functools import cache
from typing import Any, Protocol, overload

from flask import Request

from emulator.core.access import Caller, Needed
from emulator.core.dialect import Dialect, Said
from emulator.core.job import Job
from emulator.core.machine import Machine
from emulator.core.message import Message
from emulator.core.subscription import Subscription
from emulator.mockup.reader import ROOT
from emulator.mockup.site import Site
from emulator.runtime.authentication import Authenticator
from emulator.runtime.certificate import ServedCertificate
from emulator.runtime.limits import Limits

Document = dict[str, Any]
Own = Callable[[Document], Document]
"""Makes a document one controller's own: with its serial numbers, its MAC addresses."""
NUMBER_DIGITS_MAX = 9
TASKS = f"{ROOT}/TaskService/Tasks"
TASK_MONITORS = f"{ROOT}/TaskService/TaskMonitors"


class Documents(Protocol):
    """Looks up any resource of the service: for links that want their target's content ($expand), and for requests that
    are to be made later. `limits` says how much may be asked of it.
    """

    limits: Limits

    def document(self, call: Call, uri: str) -> Document | None:
        """The resource at this URI as the caller would get it; None where there is none."""

    def verb(self, uri: str, method: str) -> Verb | None:
        """What a method does at a normalised URI; None where it does nothing."""

    def routes(self) -> Sequence[Resource]:
        """All live resources."""


@dataclass(slots=True)
class Validity:
    """Until when an answer that is being made holds, if the machine does not change before."""

    until: float = math.inf
    """A virtual moment."""


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
    account: Caller | None
    authenticator: Authenticator
    oem: Oem
    peer: str = ""
    """The address of who calls, where it is known."""
    body: Mapping[str, Any] = field(default_factory=dict)
    upload: Mapping[str, Any] = field(default_factory=dict)
    """What a verb's `upload` has read."""
    certificate: ServedCertificate | None = None
    """What the listening socket is served with; None over plain HTTP."""
    validity: Validity = field(default_factory=Validity)
    """Of the whole answer: one for all the resources that it is made of."""

    def holds_until(self, moment: float) -> None:
        """A view says until which virtual moment what it shows is true, however the machine stays as it is."""
        self.validity.until = min(self.validity.until, moment)

    def at(self, uri: str, params: Mapping[str, str]) -> Call:
        """The same caller's GET of another resource, in the same turn."""
        return Call(
            self.machine,
            self.site,
            self.dialect,
            self.documents,
            uri,
            params,
            self.account,
            self.authenticator,
            self.oem,
            self.peer,
            certificate=self.certificate,
            validity=self.validity,
        )

    def base(self, uri: str | None = None) -> Document:
        """The mockup's resource at this URI (default: the one called) with what was set there, to be laid over; {} if
        it has none.
        """
        place = uri or self.uri
        return self.machine.set_up.overlay.shown(place, self.site.tree.get(place) or {})

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
        wall = self.machine.wall
        return local_time(wall.utc_offset_minutes, wall.shows(moment))

    def time_of_day(self) -> str:
        """The present as Redfish writes it; a document that tells it holds for the rest of the second."""
        now = self.machine.moment
        shown = self.machine.wall.shows(now)
        self.holds_until(now + math.floor(shown) + 1 - shown)
        return self.time(now)

    def time(self, moment: float) -> str:
        """A virtual moment as Redfish writes it: local time with its offset, whole seconds."""
        return self.machine.show_time(moment)

    def moment_of(self, time: datetime) -> float:
        """The virtual moment at which the controller's clock shows a time, which is local where it has no offset."""
        local = time if time.tzinfo else time.replace(tzinfo=self.local(self.machine.moment).tzinfo)
        return self.machine.wall.moment_of(local.timestamp())


@dataclass(frozen=True, slots=True)
class Reply:
    """What a verb answers. A body of None is an empty answer."""

    status: int = 200
    body: Mapping[str, Any] | None = None
    headers: tuple[tuple[str, str], ...] = ()
    file: Callable[[Own], tuple[bytes, str]] | None = None
    """Where a reader gets a file and no document: its content and media type. Then the body is what $expand shows."""


def each(needed: Needed) -> tuple[str, ...]:
    """The alternatives."""
    return (needed,) if isinstance(needed, str) else needed or ()


@dataclass(frozen=True, slots=True)
class Verb:
    """A method other than GET."""

    handler: Callable[[Call], Reply]
    privilege: Needed
    """What the caller's role must allow: a privilege, or any one of several; None: nobody has to log in."""
    payload: str | None = None
    """The name of the body's schema in `schemas/payloads`; None: a body is ignored."""
    action: str | None = None
    """The action's name, where the body holds its parameters."""
    any_type: bool = False
    """True: a JSON body whatever its Content-Type and If-Match say (clients leak those of an earlier upload)."""
    upload: Callable[[Request, int], Mapping[str, Any]] | None = None
    """Reads a body that is too large to be kept, of so many bytes at most; `Call.upload` is what it gives."""
    needs_if_match: bool = False
    """True: a request without If-Match is refused."""
    property_privileges: Mapping[str, Needed] = field(default_factory=dict)
    """Properties of the body that take something else than `privilege` (PropertyOverrides of a privilege registry)."""

    @property
    def needed(self) -> Needed:
        """What nobody can do without who wants anything here."""
        if not self.property_privileges or self.privilege is None:
            return self.privilege
        return tuple(
            dict.fromkeys(one for some in (self.privilege, *self.property_privileges.values()) for one in each(some))
        )


@dataclass(frozen=True, slots=True)
class Resource:
    """A URI and what can be done there. `{name}` in it is a parameter: one segment."""

    uri: str
    get: Callable[[Call], Document | Reply | None] | None = None
    """The document; None for "there is no such resource"; a Reply where the status is not 200."""
    verbs: Mapping[str, Verb] = field(default_factory=dict)
    privilege: Needed = "Login"
    """For GET."""
    is_own: Callable[[Machine, Mapping[str, str], Caller], bool] | None = None
    """Whether what the URI's parameters name is the caller's own, where that makes a difference: only then does
    ConfigureSelf count."""
    before_password_change: frozenset[str] = frozenset()
    """Methods that are open, at what is his own, to one who has to change his password first."""
    page: int | None = None
    """Of a collection: members per page when the client does not say; None: all."""
    of_job: bool = False
    """True: the document depends on nothing but the job that the URI's `id` names, so lists of it need not make it
    anew while that job stays as it is."""
    is_constant: bool = False
    """True: the document is the same for all controllers and for ever, so they share its bytes."""
    stream: Callable[[Call, Request], Subscription] | None = None
    """GET opens a stream of events: makes the subscription that says which."""
    needs_ready: bool = True
    """False: it answers while the controller's data services are starting again, too."""


@dataclass(frozen=True, slots=True)
class Oem:
    """What a vendor brings besides words: resources of its own, and properties in everybody's."""

    resources: Callable[[Site], list[Resource]] = lambda _: []
    extend: Mapping[str, Callable[[Call, Document], Document]] = field(default_factory=dict)
    """Schema name -> adds the vendor's part to a document of that schema."""
    fills: Callable[[str], bool] = lambda _: False
    """Whether a URI is that of a collection whose members are the vendor's, whatever the mockup has in it."""
    export: Callable[[Document, str, Job], tuple[bytes, str]] | None = None
    """(the system's document, the time of the export as text, an export job) -> what it sends as a file, and the
    file's media type. None where the vendor has no such jobs."""
    types: tuple[str, ...] = ()
    """The vendor's types that are served whatever the mockup has."""
    registries: tuple[str, ...] = ()
    """The message registries that only this vendor speaks with, by their names in `schemas/registries`."""
    registry_places: Mapping[str, str] = field(default_factory=dict)
    """Prefix of a message registry -> where clients of this vendor look for it, below the collection of registries."""


def local_time(utc_offset_minutes: int, moment: float) -> datetime:
    """A virtual moment in the local time of this offset."""
    return datetime.fromtimestamp(moment, _zone(utc_offset_minutes))


@cache
def _zone(utc_offset_minutes: int) -> timezone:
    return timezone(timedelta(minutes=utc_offset_minutes))


def local_text(utc_offset_minutes: int, moment: float) -> str:
    """A virtual moment as Redfish writes it: local time with its offset, whole seconds."""
    return local_time(utc_offset_minutes, moment).isoformat(timespec="seconds")


# -- pieces of documents ----------------------------------------------------------------------------------------------


def link(uri: str) -> dict[str, str]:
    """A reference to a resource."""
    return {"@odata.id": uri}


class LazyMembers(Sequence[Document]):
    """Members of a long collection, each made when it is asked for: a page costs what its own members cost.

    `length` is how many there are, `member` gives the one at an index from 0 on. A slice is a list.
    """

    def __init__(self, length: int, member: Callable[[int], Document]) -> None:
        self._indices = range(length)
        self._member = member

    def __len__(self) -> int:
        return len(self._indices)

    @overload
    def __getitem__(self, key: int) -> Document: ...

    @overload
    def __getitem__(self, key: slice) -> list[Document]: ...

    def __getitem__(self, key: int | slice) -> Document | list[Document]:
        if isinstance(key, slice):
            return [self._member(index) for index in self._indices[key]]
        return self._member(self._indices[key])


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


def told(said: Said) -> Document:
    """What a message and an event have in common."""
    return {
        "MessageId": said.id,
        "Message": said.text,
        "MessageArgs": list(said.args),
        "MessageSeverity": said.severity,
        "Severity": said.severity,
        "Resolution": said.resolution,
    }


def message_object(said: Said, related: tuple[str, ...] = ()) -> Document:
    """A message as Redfish shows it (Message 1.2)."""
    more = {"RelatedProperties": list(related)} if related else {}
    return {"@odata.type": "#Message.v1_2_0.Message", **told(said), **more}


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


def patched(call: Call, get: Callable[[Call], Document]) -> Reply:
    """The answer to a PATCH that is in force at once: the resource as it is now; where a dialect names its successes,
    that name.
    """
    return succeeded(call, "OperationDone") if call.dialect.names_success else Reply(200, get(call))


def success_messages(call: Call, *messages: str) -> list[Document]:
    """Base.Success, then these."""
    return [entry for key in ("Success", *messages) for entry in message_objects(call.dialect, Message(key))]


def changed(call: Call, document: Document) -> Reply:
    """The answer to a change: 200 with the resource as it is now, with messages where a dialect names its successes."""
    headers = (("ETag", str(document["@odata.etag"])),) if "@odata.etag" in document else ()
    if call.dialect.names_success:
        document = {**document, "@Message.ExtendedInfo": success_messages(call, "OperationDone")}
    return Reply(200, document, headers)


def created(call: Call, place: str, document: Document) -> Reply:
    """The answer to a creation: 201 with the new resource and its place."""
    if call.dialect.names_success:
        document = {**document, "@Message.ExtendedInfo": created_messages(call)}
    return Reply(201, document, (("Location", place),))


def created_messages(call: Call) -> list[Document]:
    """What is said of a new resource: Base.Created, and the vendor's word for it [C]."""
    return [entry for key in ("Created", "ResourceCreated") for entry in message_objects(call.dialect, Message(key))]


def accepted(call: Call, job: Job, *messages: str) -> Reply:
    """202: a job will do it.

    The body is the task, for those who follow a plain service (DSP0266, "Asynchronous operations"). In a dialect that
    tells the task at the end it is empty, or holds Base.Success and `messages`, which some clients of an action read.
    """
    if not call.dialect.tells_task:
        body: Document | None = without_place(call.documents.document(call, f"{TASKS}/{job.id}") or {})
    else:
        body = {"@Message.ExtendedInfo": success_messages(call, *messages)} if messages else None
    return Reply(202, body, monitor_headers(call, job))


def monitor_headers(call: Call, job: Job) -> tuple[tuple[str, str], ...]:
    """Where a client waits for a job, and by policy how long."""
    return ("Location", f"{TASK_MONITORS}/{job.id}"), *retry_after(call)


def retry_after(call: Call) -> tuple[tuple[str, str], ...]:
    """How long a client that was told to wait is to wait, where the policy says it."""
    seconds = call.machine.policy.retry_after_seconds
    return (("Retry-After", str(seconds)),) if seconds else ()


def without_place(task: Document) -> Document:
    """A task as it is told by other resources than itself.

    Without `@odata.id`: there is a client that waits at whatever place it finds there instead of the Location.
    """
    return {name: value for name, value in task.items() if name != "@odata.id"}
