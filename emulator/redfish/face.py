"""The Redfish face: from an HTTP request to a machine's turn and back.

    authenticate -> find the resource -> privilege -> parse and check the body -> turn: view -> headers

A document that cannot have changed is answered from the bytes that were made for the last reader: its machine's version
is the same, nothing has become due, and the moment until which its views said that it holds has not come. The bytes are
made inside a turn and kept only after it was saved.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge
from werkzeug.routing import Rule

from emulator.core.access import Caller, Needed
from emulator.core.controller import Condition
from emulator.core.dialect import Dialect
from emulator.core.machine import Machine
from emulator.core.message import Message, Rejected
from emulator.mockup.identity import Identities
from emulator.mockup.reader import normal
from emulator.mockup.site import Site
from emulator.redfish.accept import JSON, check_accept
from emulator.redfish.capability import permitted
from emulator.redfish.check import as_known, check_payload, parse_body
from emulator.redfish.errors import error_reply
from emulator.redfish.event_stream import StreamResponse
from emulator.redfish.generic_patch import generic_patch
from emulator.redfish.permission import NOT_FOUND, PASSIVE, Found, check_may, check_properties, sight
from emulator.redfish.pieces import Pieces
from emulator.redfish.query import Query, apply_query, first_page, only_member, parse_query, refuse_query, select
from emulator.redfish.rendering import (
    COMMON_HEADERS,
    ETAG,
    ODATA_VERSION,
    ReadyResponse,
    Rendered,
    etag_of,
    finished,
    kind_of,
    not_modified,
    render_document,
    render_file,
    sized,
    tags_of,
)
from emulator.redfish.router import NO_PARAMS, Router
from emulator.redfish.task_payload import note_request
from emulator.redfish.view import Call, Document, Oem, Reply, Resource, Verb
from emulator.runtime.authentication import Authenticator
from emulator.runtime.body import DRAIN_BODIES, BodiesBusyError, BodyCutShortError, drain
from emulator.runtime.certificate import ServedCertificate
from emulator.runtime.fleet import Fleet, Kept, Seat
from emulator.runtime.limits import Limits
from emulator.runtime.streams import Streams

log = logging.getLogger(__name__)

Environ = dict[str, Any]
"""A WSGI request."""
RENDERED_MAX = 512
"""Rendered documents kept for each machine."""
KEPT_BYTES_MAX = 64 * 2**20
"""About so many bytes of them: queries can be spelled in any number of ways, and ask for a lot."""
LARGE_BYTES = 64 * 2**10
"""From here on an answer is large, and the others are counted before it is kept."""
STRANGERS = frozenset({"AccessUnauthorized", "LoginFailed"})
"""Refusals of callers who are not known; of all others an image is read to its end before it is refused."""
WAITS = frozenset({"ControllerAway", "ControllerNotReady", "ServiceTemporarilyUnavailable"})
"""Refusals whose first argument is how many seconds to wait."""
BUSY_SECONDS = "5"
_SLASHES = re.compile(r"/{2,}")


class Face:
    """Serves one site, for all machines of a fleet."""

    def __init__(
        self,
        fleet: Fleet,
        site: Site,
        dialect: Dialect,
        authenticator: Authenticator,
        resources: Sequence[Resource],
        oem: Oem,
        identities: Identities | None = None,
        limits: Limits = Limits(),  # noqa: B008 - it is frozen
        certificate: ServedCertificate | None = None,
    ) -> None:
        self.streams: Streams | None = None
        """Where streams of events are opened."""
        self._fleet = fleet
        self._site = site
        self._dialect = dialect
        self._authenticator = authenticator
        self._oem = oem
        self._router = Router(resources)
        self.limits = limits
        self._identities = identities
        self._certificate = certificate
        self._passive: dict[str, Rendered] = {}
        self._patches: dict[str, Verb | None] = {}
        self._drained = DRAIN_BODIES * limits.body_bytes
        self._pieces = Pieces()

    def mount(self, app: Flask) -> None:
        """Answer for everything below /redfish."""
        app.view_functions["redfish"] = self._answer
        for rule in ("/redfish", "/redfish/", "/redfish/<path:_>"):  # any method: it is refused here, in Redfish's way
            app.url_map.add(Rule(rule, endpoint="redfish", strict_slashes=False))

    def document(self, call: Call, uri: str) -> Document | None:
        """Any resource as the caller of `call` would get it, for $expand. What is handed out is not to be changed."""
        place = uri if "#" not in uri else uri.partition("#")[0]
        kept = self._pieces.get(call.machine, place)
        if kept is not None and call.account is not None:  # whoever has logged in may read of jobs
            return kept
        place = normal(place)
        found = self._router.find(place) or NOT_FOUND
        return self._document(call, place, found) if self._may_read(call, found, place) else None

    def _document(self, call: Call, place: str, found: Found) -> Document | None:
        """The resource at a normalised URI, whoever may read it."""
        resource, params = found
        if resource is None or resource.get is None:
            return call.base(place) or None
        got = resource.get(call.at(place, params))
        document = dict(got.body or {}) if isinstance(got, Reply) else got
        if document is None or not resource.of_job or "CreatedResources" in document.get("Links", ()):
            return document if document is None else first_page(place, document, resource.page)
        return self._pieces.keep(call.machine, place, params["id"], document)

    def shown(self, number: int, uri: str) -> Document:
        """A resource of controller `number` as its readers see it now; {} where there is none."""
        with self._fleet.seat(number).turn() as machine:
            found = self._router.find(uri) or NOT_FOUND
            document = self._document(self.call_of(machine).at(uri, NO_PARAMS), uri, found) or {}
        if self._identities is not None and number > 1:
            return self._identities.document_for(number, document)
        return document

    def _may_read(self, call: Call, found: Found, uri: str) -> bool:
        """Whether the caller would get this resource if he asked for it alone."""
        needed = self._needed(found[0], uri, "GET")
        if needed is None or call.account is None:
            return needed is None
        if needed == "Login":
            return True  # or he would not be reading anything
        try:
            check_may(call.machine, found, "GET", call.account, needed)
        except Rejected:
            return False
        return True

    def call_of(self, machine: Machine) -> Call:
        """A call that nobody made: for what is told outside of any request, such as events."""
        site, dialect, oem = self._site, self._dialect, self._oem
        return Call(machine, site, dialect, self, "", NO_PARAMS, None, self._authenticator, oem)

    def verb(self, uri: str, method: str) -> Verb | None:
        """What a method does at a normalised URI, for requests that are to be made later."""
        found = self._router.find(uri)
        return self._verb(uri, found[0] if found is not None else None, method)

    def _verb(self, uri: str, resource: Resource | None, method: str) -> Verb | None:
        """What a method does: what the resource declares, or the PATCH of what nobody models."""
        verb = resource.verbs.get(method) if resource is not None else None
        if verb is not None or method != "PATCH":
            return verb
        if uri in self._site.tree.documents and uri not in self._patches:
            self._patches[uri] = generic_patch(self._site, uri)
        return self._patches.get(uri)

    def _allow(self, uri: str, resource: Resource | None, document: Document | None = None) -> str:
        """The methods of a resource, as far as the schema of its document permits them."""
        methods = list(resource.verbs) if resource is not None else []
        if "PATCH" not in methods and self._verb(uri, resource, "PATCH") is not None:
            methods.append("PATCH")
        reads = ("GET", "HEAD") if resource is None or resource.get else ("GET",) if resource.stream else ()
        kind = (document or self._site.tree.get(uri) or {}).get("@odata.type")
        return ", ".join((*reads, *permitted(kind, methods)))

    def routes(self) -> Sequence[Resource]:
        """All live resources."""
        return self._router.resources

    # -- one request --------------------------------------------------------------------------------------------------

    def _answer(self, _: str = "") -> Response:
        environ = request.environ
        uri = _uri(environ)
        try:
            return self._stream(environ, uri) or ReadyResponse(self._handle(environ, uri))
        except Rejected as refusal:
            drain(environ, self._drained if refusal.messages[0].key in STRANGERS else self.limits.image_bytes)
            return ReadyResponse(self._refusal(refusal, uri))
        except RequestEntityTooLarge:
            drain(environ, self._drained)
            return ReadyResponse(finished(error_reply(self._dialect, [Message("PayloadTooLarge")])))
        except BodyCutShortError:
            return ReadyResponse(self._refusal(Rejected(Message("UnrecognizedRequestBody")), uri))
        except BodiesBusyError:
            return ReadyResponse(
                self._refusal(Rejected(Message("ServiceTemporarilyUnavailable", (BUSY_SECONDS,))), uri)
            )
        except Exception:
            log.exception("%s %s", environ["REQUEST_METHOD"], uri)
            return ReadyResponse(finished(error_reply(self._dialect, [Message("InternalError")])))

    def turn_away(self, error: HTTPException) -> Response:
        """What never got as far as a resource: a method that nobody knows, a Host that is none."""
        uri = _uri(request.environ)
        known = error.code == 405
        missing = Message("ResourceMissingAtURI", (f"//{request.environ.get('HTTP_HOST', '')[:100]}{uri[:1000]}",))
        return ReadyResponse(self._refusal(Rejected(Message("OperationNotAllowed") if known else missing), uri))

    def kept(self, environ: Environ) -> Rendered | None:
        """The answer to a plain GET, where it is at hand, still true, and the caller may have it; None otherwise.

        Nothing is refused here: whatever cannot be answered at once goes through Flask.
        """
        seat = self._fleet.seat_for(environ.get("HTTP_HOST", ""))
        if seat is None or _may_be_absent(seat):
            return None
        uri = _uri(environ)
        found = self._router.find(uri)
        resource = found[0] if found is not None else None
        try:
            self._caller(environ, seat, uri, found or NOT_FOUND, "GET", at_once=True)
        except Rejected:
            return None
        return self._at_hand(seat, uri, uri, resource)

    def _stream(self, environ: Environ, uri: str) -> Response | None:
        """A stream of events, where the request opens one."""
        found = self._router.find(uri)
        seat = self._fleet.seat_for(environ.get("HTTP_HOST", ""))
        subscribe = found[0].stream if found is not None else None
        if environ["REQUEST_METHOD"] != "GET" or found is None or seat is None or subscribe is None:
            return None
        resource, params = found
        if _may_be_absent(seat):
            _check_present(seat, resource)
        account = self._caller(environ, seat, uri, found, "GET")
        if environ.get("HTTP_ODATA_VERSION", ODATA_VERSION) != ODATA_VERSION:
            raise Rejected(Message("PreconditionFailed"))
        assert self.streams is not None, "it was mounted with them"
        with seat.turn() as machine:
            call = self._call(machine, uri, params, account)
            return StreamResponse(self.streams.open(seat, machine, lambda: subscribe(call, request)))

    def _handle(self, environ: Environ, uri: str) -> Rendered:
        if len(uri) + len(environ.get("QUERY_STRING") or "") > self.limits.uri_bytes:
            raise Rejected(Message("UriTooLong", (str(self.limits.uri_bytes),)))
        if _header_bytes(environ) > self.limits.header_bytes:
            raise Rejected(Message("HeadersTooLarge", (str(self.limits.header_bytes),)))
        if not environ.get("HTTP_HOST") and environ.get("SERVER_PROTOCOL") == "HTTP/1.1":
            raise Rejected(Message("HeaderMissing", ("Host",)))  # RFC 9112, 3.2
        method = environ["REQUEST_METHOD"]
        seat = self._fleet.seat_for(environ.get("HTTP_HOST", ""))
        if seat is None:
            raise Rejected(Message("ResourceMissingAtURI", (f"//{environ.get('HTTP_HOST', '')[:100]}{uri}",)))
        uri = self._router.target(uri, method)
        found = self._router.find(uri)
        resource, params = found if found is not None else (None, NO_PARAMS)
        if _may_be_absent(seat):
            _check_present(seat, resource)
        account = self._caller(environ, seat, uri, found or NOT_FOUND, method)
        if environ.get("HTTP_ODATA_VERSION", ODATA_VERSION) != ODATA_VERSION:
            raise Rejected(Message("PreconditionFailed"))
        accept = environ.get("HTTP_ACCEPT")
        if method in ("GET", "HEAD"):
            rendered = self._get(seat, uri, resource, params, account)
            if rendered.body:
                check_accept(accept, kind_of(rendered))
            return not_modified(rendered, environ.get("HTTP_IF_NONE_MATCH"))
        if method == "OPTIONS":
            return self._options(seat, uri, resource, params, account)
        check_accept(accept, JSON)
        return self._write(seat, uri, resource, params, account)

    def _caller(
        self, environ: Environ, seat: Seat, uri: str, found: Found, method: str, *, at_once: bool = False
    ) -> Caller | None:
        """Who calls, if the method needs anybody. `at_once`: as `Authenticator.identify`.

        Raises:
            Rejected: AccessUnauthorized, LoginFailed, PasswordChangeRequired, InsufficientPrivilege.
        """
        needed = self._needed(found[0], uri, method)
        if needed is None and not environ.get("QUERY_STRING"):
            return None
        authorization, token = environ.get("HTTP_AUTHORIZATION"), environ.get("HTTP_X_AUTH_TOKEN")
        caller = self._authenticator.identify(seat, authorization, token, at_once=at_once)
        if needed is None:  # a query may ask for what is not open to everybody
            return caller if caller is not None and not caller.must_change_password else None
        if caller is None:
            if authorization or token:
                raise Rejected(Message("LoginFailed", (uri, "the caller")))
            raise Rejected(Message("AccessUnauthorized"))
        check_may(seat.loaded(), found, method, caller, needed)
        return caller

    def _needed(self, resource: Resource | None, uri: str, method: str) -> Needed:
        """What the method needs. The OData metadata are open to everybody (DSP0266, "Service root")."""
        if method in ("GET", "HEAD", "OPTIONS"):
            if resource is not None:
                return resource.privilege
            kind = str(self._site.tree.documents.get(uri, {}).get("@odata.type", ""))
            return None if uri in self._site.tree.files else PASSIVE.get(kind[1:].partition(".")[0], "Login")
        verb = self._verb(uri, resource, method)
        return verb.needed if verb is not None else "Login"

    # -- reading ------------------------------------------------------------------------------------------------------

    def _options(
        self, seat: Seat, uri: str, resource: Resource | None, params: Mapping[str, str], account: Caller | None
    ) -> Rendered:
        """What may be done here: Allow, and nothing else."""
        allow = self._allow(uri, resource)
        if resource is None or resource.get is not None:
            rendered = self._get(seat, uri, resource, params, account)
            allow = next(value for name, value in rendered.headers if name == "Allow")
        return Rendered(204, b"", [*COMMON_HEADERS[:2], ("Allow", allow)], "")

    def _get(
        self, seat: Seat, uri: str, resource: Resource | None, params: Mapping[str, str], account: Caller | None
    ) -> Rendered:
        query = request.query_string
        key = f"{uri}?{query.decode(errors='replace')}{sight(account)}" if query else uri
        kept = self._at_hand(seat, uri, key, resource)
        if kept is not None:
            return kept
        with seat.turn() as machine:
            call = self._call(machine, uri, params, account)
            rendered = self._render(call, seat.number, resource, parse_query(request.args))
            # both as they are now: when the turn is over another one may have changed, or replaced, the machine
            version, cache = machine.version, seat.rendered
        if resource is not None and resource.is_constant and key == uri:
            rendered = self._passive.setdefault(uri, rendered)
        if call.validity.until > machine.moment and rendered.status in (200, 202):
            if len(cache) >= RENDERED_MAX or (len(rendered.body) > LARGE_BYTES and _kept_bytes(cache) > KEPT_BYTES_MAX):
                cache.clear()
            cache[key] = Kept(version, call.validity.until, rendered)
        return rendered

    def _at_hand(self, seat: Seat, uri: str, key: str, resource: Resource | None) -> Rendered | None:
        """What was rendered for this key, if it is still true."""
        if resource is None and (key == uri or uri in self._site.tree.files):
            passive = self._passive.get(uri) or self._render_passive(uri)
            if passive is None or not self._differs(seat, uri):
                return passive
        kept = seat.rendered.get(key)
        if kept is None or not seat.is_current(kept):
            return None
        rendered: Rendered = kept.rendered
        return rendered

    def _render(self, call: Call, number: int, resource: Resource | None, query: Query) -> Rendered:
        got: Document | Reply | None
        if resource is None:
            got = call.base() or None
        elif resource.get is None:
            raise Rejected(Message("OperationNotAllowed"))
        else:
            got = resource.get(call)
        if got is None:
            raise Rejected(Message("ResourceMissingAtURI", (call.uri,)))
        status, document, headers = (
            (got.status, dict(got.body or {}), got.headers) if isinstance(got, Reply) else (200, got, ())
        )
        if query.only and (member := only_member(document)) is not None:
            return self._render_member(call, number, normal(member), query)
        own = partial(self._identities.document_for, number) if self._identities is not None and number > 1 else None
        allow = self._allow(call.uri, resource, document)
        if isinstance(got, Reply) and got.file is not None:
            return render_file(status, *got.file(own or dict), allow)
        page = resource.page if resource is not None else None
        whole = apply_query(call, document, query, page, own)
        if query.chooses:
            return render_document(status, select(whole, query), allow, headers, whole)
        return render_document(status, whole, allow, headers)

    def _render_member(self, call: Call, number: int, uri: str, query: Query) -> Rendered:
        """The one member of a collection, instead of it."""
        resource, params = self._router.find(uri) or (None, NO_PARAMS)
        return self._render(call.at(uri, params), number, resource, replace(query, only=False))

    def _render_passive(self, uri: str) -> Rendered | None:
        """A document of the mockup, or one of its other files, which is the same for every machine and for ever."""
        document = self._site.tree.get(uri)
        if document is not None:
            self._passive[uri] = render_document(200, document, self._allow(uri, None), ())
        elif uri in self._site.tree.files:
            kind = "application/xml" if self._site.tree.files[uri].lstrip()[:1] == b"<" else "application/yaml"
            headers = [*COMMON_HEADERS[:2], ("Content-Type", kind), ("Allow", "GET, HEAD")]
            self._passive[uri] = sized(Rendered(200, self._site.tree.files[uri], headers, ""))
        return self._passive.get(uri)

    def _differs(self, seat: Seat, uri: str) -> bool:
        """Whether this controller's document is not the mockup's. A machine that is not loaded has nothing stored."""
        if seat.machine is not None and uri in seat.machine.set_up.overlay:
            return True
        return seat.number > 1 and self._identities is not None and uri in self._identities.uris

    # -- writing ------------------------------------------------------------------------------------------------------

    def _write(
        self, seat: Seat, uri: str, resource: Resource | None, params: Mapping[str, str], account: Caller | None
    ) -> Rendered:
        verb = self._verb(uri, resource, request.method)
        if resource is None and self._render_passive(uri) is None:
            raise Rejected(Message("ResourceMissingAtURI", (uri,)))
        if verb is None:
            raise Rejected(Message("OperationNotAllowed"))
        refuse_query(request.args)
        if verb.needs_if_match and not request.headers.get("If-Match"):
            raise Rejected(Message("PreconditionRequired"))
        try:
            body = self._body(verb, account)
        except Rejected as refusal:
            if request.method != "PATCH":
                raise
            with seat.turn() as machine:
                document = self.document(self._call(machine, uri, params, account), uri)
            raise Rejected(*as_known(refusal.messages, document or {})) from refusal
        upload = verb.upload(request, self.limits.image_bytes) if verb.upload is not None else {}
        with seat.turn() as machine:
            call = self._call(machine, uri, params, account, body, upload)
            if not verb.any_type:
                self._check_if_match(call, seat.number, resource)
            newest = machine.queue.newest_serial
            reply = self._with_etag(call, seat.number, verb.handler(call))
            note_request(call, verb, request, newest)
            if request.method == "PATCH" and reply.status == 200 and (reply.body or {}).get("@odata.id") == uri:
                return self._render(call, seat.number, resource, Query())  # with its new ETag
        if self._identities is not None and seat.number > 1 and reply.body is not None:
            reply = replace(reply, body=self._identities.document_for(seat.number, reply.body))
        return finished(reply)

    def _with_etag(self, call: Call, number: int, reply: Reply) -> Reply:
        """The answer to what has made a resource, with the ETag of that, where it shows what a GET will."""
        body = reply.body
        if reply.status != 201 or body is None or "@odata.id" not in body:
            return reply
        made = self.document(call, body["@odata.id"]) or {}
        if {name: value for name, value in made.items() if name != ETAG} != body:
            return reply
        own = self._identities.document_for(number, body) if self._identities is not None and number > 1 else dict(body)
        etag = etag_of(own)
        return replace(reply, body={**own, ETAG: etag}, headers=(*reply.headers, ("ETag", etag)))

    def _body(self, verb: Verb, account: Caller | None) -> Mapping[str, Any]:
        if verb.payload is None:
            return {}
        content = request.get_data(cache=False)
        if len(content) >= self.limits.body_bytes:
            raise RequestEntityTooLarge
        content_type = None if verb.any_type else request.content_type
        body = parse_body(content, content_type, optional=verb.action is not None)
        check_properties(verb, body, account)
        check_payload(verb.payload, body, verb.action)
        return body

    def _check_if_match(self, call: Call, number: int, resource: Resource | None) -> None:
        """A write that names a version of the document happens only to that version: of an action, that of the resource
        whose action it is.

        Raises:
            Rejected: PreconditionFailed.
        """
        wanted = request.headers.get("If-Match")
        if not wanted or wanted.strip() == "*":
            return
        if "/Actions/" in call.uri:
            uri = call.uri.partition("/Actions/")[0]
            resource, params = self._router.find(uri) or (None, NO_PARAMS)
            call = call.at(uri, params)
        if resource is None and not call.exists(call.uri):
            return
        if resource is not None and resource.get is None:
            return
        if self._render(call, number, resource, Query()).etag not in tags_of(wanted):
            raise Rejected(Message("PreconditionFailed"))

    def _call(
        self,
        machine: Machine,
        uri: str,
        params: Mapping[str, str],
        account: Caller | None,
        body: Mapping[str, Any] | None = None,
        upload: Mapping[str, Any] | None = None,
    ) -> Call:
        return Call(
            machine=machine,
            site=self._site,
            dialect=self._dialect,
            documents=self,
            uri=uri,
            params=params,
            account=account,
            authenticator=self._authenticator,
            oem=self._oem,
            peer=request.environ.get("REMOTE_ADDR", ""),
            body=body or {},
            upload=upload or {},
            certificate=self._certificate,
        )

    def _refusal(self, refusal: Rejected, uri: str) -> Rendered:
        reply = error_reply(self._dialect, refusal.messages)
        if reply.status == 401:
            seat = self._fleet.seat_for(request.environ.get("HTTP_HOST", ""))
            return finished(replace(reply, headers=self._authenticator.challenge(seat, "Redfish")))
        if reply.status == 503 and refusal.messages[0].key in WAITS:
            return finished(replace(reply, headers=(("Retry-After", refusal.messages[0].args[0]),)))
        if reply.status == 405:
            uri = self._router.target(uri, request.method)
            found = self._router.find(uri)
            return finished(replace(reply, headers=(("Allow", self._allow(uri, found[0] if found else None)),)))
        return finished(reply)


def _may_be_absent(seat: Seat) -> bool:
    """Whether the controller was restarting, or its data services were, or something is due that may make it so.

    A machine that is not loaded has nothing stored: one that has is loaded when the process starts.
    """
    machine = seat.machine
    if machine is None:
        return False
    return machine.controller.condition in (Condition.AWAY, Condition.NOT_READY) or not seat.is_settled()


def _check_present(seat: Seat, resource: Resource | None) -> None:
    """Refuse while there is nobody to answer.

    Raises:
        Rejected: ControllerAway for everything, ControllerNotReady for what the data services would have to tell.
    """
    with seat.turn() as machine:
        machine.check_present()
        if resource is not None and resource.needs_ready:
            machine.check_ready()


def _header_bytes(environ: Environ) -> int:
    return sum(len(name) + len(value) for name, value in environ.items() if name.startswith("HTTP_"))


def _kept_bytes(cache: Mapping[str, Kept]) -> int:
    return sum(len(kept.rendered.body) for kept in cache.values())


def _uri(environ: Environ) -> str:
    """The path called, normalised: no doubled and no trailing slash, UTF-8 (WSGI hands it over as Latin-1)."""
    path: str = environ["PATH_INFO"]
    if not path.isascii():
        path = path.encode("latin-1").decode(errors="replace")
    return (_SLASHES.sub("/", path) if "//" in path else path).rstrip("/")
