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
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from flask import Flask, Response, request
from werkzeug.exceptions import RequestEntityTooLarge

from emulator.core.access import Account
from emulator.core.controller import Condition
from emulator.core.dialect import Dialect
from emulator.core.machine import Machine
from emulator.core.message import Message, Rejected
from emulator.mockup.identity import Identities
from emulator.mockup.reader import normal
from emulator.mockup.site import Site
from emulator.redfish.check import check_payload, parse_body
from emulator.redfish.errors import error_reply
from emulator.redfish.event_stream import StreamResponse
from emulator.redfish.query import apply_query, first_page, parse_query
from emulator.redfish.rendering import (
    COMMON_HEADERS,
    ODATA_VERSION,
    ReadyDocument,
    ReadyResponse,
    Rendered,
    finished,
    not_modified,
    render_document,
    render_file,
    sized,
    tags_of,
)
from emulator.redfish.router import NO_PARAMS, Router
from emulator.redfish.view import Call, Document, Oem, Reply, Resource, Verb
from emulator.runtime.authentication import Authenticator
from emulator.runtime.body import BODY_BYTES_MAX, DRAIN_BYTES_MAX, drain
from emulator.runtime.fleet import Fleet, Kept, Seat
from emulator.runtime.streams import Streams
from emulator.runtime.transfers import IMAGE_BYTES_MAX

log = logging.getLogger(__name__)

Environ = dict[str, Any]
"""A WSGI request."""
METHODS = ("GET", "HEAD", "POST", "PATCH", "PUT", "DELETE", "OPTIONS")
RENDERED_MAX = 512
"""Rendered documents kept for each machine."""
PIECES_MAX = 8_192
"""Documents of jobs kept for each machine, for the lists that show them whole."""
STRANGERS = frozenset({"AccessUnauthorized", "LoginFailed"})
"""Refusals of callers who are not known; of all others an image is read to its end before it is refused."""
_SLASHES = re.compile(r"/{2,}")


class _Piece(NamedTuple):
    """The document of a job, as it was at a version of that job."""

    job_id: str
    version: int
    document: ReadyDocument

    def is_true_of(self, machine: Machine) -> bool:
        """Whether the job is still there and as it was."""
        return machine.job_version(self.job_id) == self.version and self.job_id in machine.queue.jobs


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
    ) -> None:
        self.streams: Streams | None = None
        """Where streams of events are opened."""
        self._fleet = fleet
        self._site = site
        self._dialect = dialect
        self._authenticator = authenticator
        self._oem = oem
        self._router = Router(resources)
        self._identities = identities
        self._passive: dict[str, Rendered] = {}
        self._pieces: WeakKeyDictionary[Machine, dict[str, _Piece]] = WeakKeyDictionary()

    def mount(self, app: Flask) -> None:
        """Answer for everything below /redfish."""
        for rule in ("/redfish", "/redfish/", "/redfish/<path:_>"):
            app.add_url_rule(rule, endpoint=rule, view_func=self._answer, methods=METHODS, strict_slashes=False)

    def document(self, call: Call, uri: str) -> Document | None:
        """Any resource as the caller of `call` would get it, for $expand. What is handed out is not to be changed."""
        place = uri if "#" not in uri else uri.partition("#")[0]
        pieces = self._pieces.get(call.machine)
        kept = pieces.get(place) if pieces is not None else None
        if kept is not None and kept.is_true_of(call.machine):
            return kept.document
        place = normal(place)
        found = self._router.find(place)
        if found is None or found[0].get is None:
            return self._site.tree.get(place)
        resource, params = found
        got = found[0].get(call.at(place, params))
        document = dict(got.body or {}) if isinstance(got, Reply) else got
        if document is None or not resource.of_job:
            return document if document is None else first_page(place, document, resource.page)
        return self._kept_piece(call.machine, place, params["id"], document)

    def call_of(self, machine: Machine) -> Call:
        """A call that nobody made: for what is written without having been asked for, such as events."""
        site, dialect, oem = self._site, self._dialect, self._oem
        return Call(
            machine, site, dialect, self, "", NO_PARAMS, None, self._authenticator, oem
        )  # outside of any request

    def verb(self, uri: str, method: str) -> Verb | None:
        """What a method does at a normalised URI, for requests that are to be made later."""
        found = self._router.find(uri)
        return found[0].verbs.get(method) if found is not None else None

    def _kept_piece(self, machine: Machine, place: str, job_id: str, document: Document) -> Document:
        pieces = self._pieces.setdefault(machine, {})
        if len(pieces) >= PIECES_MAX:
            pieces.clear()
        pieces[place] = _Piece(job_id, machine.job_version(job_id), ReadyDocument(document))
        return pieces[place].document

    # -- one request --------------------------------------------------------------------------------------------------

    def _answer(self, _: str = "") -> Response:
        environ = request.environ
        uri = _uri(environ)
        try:
            return self._stream(environ, uri) or ReadyResponse(self._handle(environ, uri))
        except Rejected as refusal:
            drain(environ, DRAIN_BYTES_MAX if refusal.messages[0].key in STRANGERS else IMAGE_BYTES_MAX)
            return ReadyResponse(self._refusal(refusal, uri))
        except RequestEntityTooLarge:
            drain(environ)
            return ReadyResponse(finished(error_reply(self._dialect, [Message("PayloadTooLarge")])))
        except Exception:
            log.exception("%s %s", environ["REQUEST_METHOD"], uri)
            return ReadyResponse(finished(error_reply(self._dialect, [Message("InternalError")])))

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
            self._account(environ, seat, uri, resource, "GET")
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
        account = self._account(environ, seat, uri, resource, "GET")
        if environ.get("HTTP_ODATA_VERSION", ODATA_VERSION) != ODATA_VERSION:
            raise Rejected(Message("PreconditionFailed"))
        assert self.streams is not None, "it was mounted with them"
        with seat.turn() as machine:
            call = self._call(machine, uri, params, account)
            return StreamResponse(self.streams.open(seat, machine, lambda: subscribe(call, request)))

    def _handle(self, environ: Environ, uri: str) -> Rendered:
        method = environ["REQUEST_METHOD"]
        seat = self._fleet.seat_for(environ.get("HTTP_HOST", ""))
        if seat is None:
            raise Rejected(Message("ResourceMissingAtURI", (f"//{environ.get('HTTP_HOST', '')[:100]}{uri}",)))
        found = self._router.find(uri)
        resource, params = found if found is not None else (None, NO_PARAMS)
        if _may_be_absent(seat):
            _check_present(seat, resource)
        account = self._account(environ, seat, uri, resource, method)
        if environ.get("HTTP_ODATA_VERSION", ODATA_VERSION) != ODATA_VERSION:
            raise Rejected(Message("PreconditionFailed"))
        if method in ("GET", "HEAD"):
            rendered = self._get(seat, uri, resource, params, account)
            return not_modified(rendered, environ.get("HTTP_IF_NONE_MATCH"))
        return self._write(seat, uri, resource, params, account)

    def _account(
        self, environ: Environ, seat: Seat, uri: str, resource: Resource | None, method: str
    ) -> Account | None:
        """Who calls, if the method needs anybody.

        Raises:
            Rejected: AccessUnauthorized, LoginFailed, InsufficientPrivilege.
        """
        needed = _privilege(resource, method, is_file=uri in self._site.tree.files)
        if needed is None:
            return None
        authorization, token = environ.get("HTTP_AUTHORIZATION"), environ.get("HTTP_X_AUTH_TOKEN")
        account = self._authenticator.identify(seat, authorization, token)
        if account is None:
            if authorization or token:
                raise Rejected(Message("LoginFailed", (uri, "the caller")))
            raise Rejected(Message("AccessUnauthorized"))
        if needed not in account.privileges:
            raise Rejected(Message("InsufficientPrivilege"))
        return account

    # -- reading ------------------------------------------------------------------------------------------------------

    def _get(
        self, seat: Seat, uri: str, resource: Resource | None, params: Mapping[str, str], account: Account | None
    ) -> Rendered:
        query = request.query_string
        key = f"{uri}?{query.decode(errors='replace')}" if query else uri
        kept = self._at_hand(seat, uri, key, resource)
        if kept is not None:
            return kept
        with seat.turn() as machine:
            call = self._call(machine, uri, params, account)
            rendered = self._render(call, seat.number, resource)
            # both as they are now: when the turn is over another one may have changed, or replaced, the machine
            version, cache = machine.version, seat.rendered
        if call.validity.until > machine.moment and rendered.status in (200, 202):
            if len(cache) >= RENDERED_MAX:
                cache.clear()
            cache[key] = Kept(version, call.validity.until, rendered)
        return rendered

    def _at_hand(self, seat: Seat, uri: str, key: str, resource: Resource | None) -> Rendered | None:
        """What was rendered for this key, if it is still true."""
        if resource is None and key == uri:
            passive = self._passive.get(uri) or self._render_passive(uri)
            if passive is None or not self._differs(seat, uri):
                return passive
        kept = seat.rendered.get(key)
        if kept is None or not seat.is_current(kept):
            return None
        rendered: Rendered = kept.rendered
        return rendered

    def _render(self, call: Call, number: int, resource: Resource | None) -> Rendered:
        got: Document | Reply | None
        if resource is None:
            got = self._site.tree.get(call.uri)
        elif resource.get is None:
            raise Rejected(Message("OperationNotAllowed"))
        else:
            got = resource.get(call)
        if got is None:
            raise Rejected(Message("ResourceMissingAtURI", (call.uri,)))
        status, document, headers = (
            (got.status, dict(got.body or {}), got.headers) if isinstance(got, Reply) else (200, got, ())
        )
        own = partial(self._identities.document_for, number) if self._identities is not None and number > 1 else None
        if isinstance(got, Reply) and got.file is not None:
            return render_file(status, *got.file(own or dict), _allow(resource))
        page = resource.page if resource is not None else None
        document = apply_query(call, document, parse_query(request.args), page, own)
        if own is not None:
            document = own(document)
        return render_document(status, document, _allow(resource), headers)

    def _render_passive(self, uri: str) -> Rendered | None:
        """A document of the mockup, or one of its other files, which is the same for every machine and for ever."""
        document = self._site.tree.get(uri)
        if document is not None:
            self._passive[uri] = render_document(200, document, "GET, HEAD", ())
        elif uri in self._site.tree.files:
            kind = "application/xml" if self._site.tree.files[uri].lstrip()[:1] == b"<" else "application/yaml"
            headers = [*COMMON_HEADERS[:2], ("Content-Type", kind), ("Allow", "GET, HEAD")]
            self._passive[uri] = sized(Rendered(200, self._site.tree.files[uri], headers, ""))
        return self._passive.get(uri)

    def _differs(self, seat: Seat, uri: str) -> bool:
        return seat.number > 1 and self._identities is not None and uri in self._identities.uris

    # -- writing ------------------------------------------------------------------------------------------------------

    def _write(
        self, seat: Seat, uri: str, resource: Resource | None, params: Mapping[str, str], account: Account | None
    ) -> Rendered:
        verb = resource.verbs.get(request.method) if resource is not None else None
        if resource is None and self._render_passive(uri) is None:
            raise Rejected(Message("ResourceMissingAtURI", (uri,)))
        if resource is None or verb is None:
            raise Rejected(Message("OperationNotAllowed"))
        if verb.needs_if_match and not request.headers.get("If-Match"):
            raise Rejected(Message("PreconditionRequired"))
        body = self._body(verb)
        upload = verb.upload(request) if verb.upload is not None else {}
        with seat.turn() as machine:
            call = self._call(machine, uri, params, account, body, upload)
            self._check_if_match(call, seat.number, resource)
            reply = verb.handler(call)
        if self._identities is not None and seat.number > 1 and reply.body is not None:
            reply = replace(reply, body=self._identities.document_for(seat.number, reply.body))
        return finished(reply)

    def _body(self, verb: Verb) -> Mapping[str, Any]:
        if verb.payload is None:
            return {}
        content = request.get_data(cache=False)
        if len(content) >= BODY_BYTES_MAX:
            raise RequestEntityTooLarge
        content_type = None if verb.any_type else request.content_type
        body = parse_body(content, content_type, optional=verb.action is not None)
        check_payload(verb.payload, body, verb.action)
        return body

    def _check_if_match(self, call: Call, number: int, resource: Resource) -> None:
        """A write that names a version of the document happens only to that version.

        Raises:
            Rejected: PreconditionFailed.
        """
        wanted = request.headers.get("If-Match")
        if not wanted or wanted.strip() == "*" or resource.get is None:
            return
        if self._render(call, number, resource).etag not in tags_of(wanted):
            raise Rejected(Message("PreconditionFailed"))

    def _call(
        self,
        machine: Machine,
        uri: str,
        params: Mapping[str, str],
        account: Account | None,
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
            body=body or {},
            upload=upload or {},
        )

    def _refusal(self, refusal: Rejected, uri: str) -> Rendered:
        reply = error_reply(self._dialect, refusal.messages)
        if reply.status == 401:
            return finished(replace(reply, headers=(("WWW-Authenticate", 'Basic realm="Redfish"'),)))
        if reply.status == 503 and refusal.messages[0].key in ("ControllerAway", "ControllerNotReady"):
            return finished(replace(reply, headers=(("Retry-After", refusal.messages[0].args[0]),)))
        if reply.status == 405:
            found = self._router.find(uri)
            return finished(replace(reply, headers=(("Allow", _allow(found[0] if found else None)),)))
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


def _privilege(resource: Resource | None, method: str, *, is_file: bool) -> str | None:
    """What the method needs. The OData metadata are open to everybody (DSP0266, "Service root")."""
    if resource is None:
        return None if is_file else "Login"
    if method in ("GET", "HEAD"):
        return resource.privilege
    verb = resource.verbs.get(method)
    return verb.privilege if verb is not None else "Login"


def _allow(resource: Resource | None) -> str:
    if resource is None:
        return "GET, HEAD"
    verbs = (method for method, verb in resource.verbs.items() if verb.is_listed)
    reads = ("GET", "HEAD") if resource.get else ("GET",) if resource.stream else ()
    return ", ".join([*reads, *verbs])


def _uri(environ: Environ) -> str:
    """The path called, normalised: no doubled and no trailing slash, UTF-8 (WSGI hands it over as Latin-1)."""
    path: str = environ["PATH_INFO"]
    if not path.isascii():
        path = path.encode("latin-1").decode(errors="replace")
    return (_SLASHES.sub("/", path) if "//" in path else path).rstrip("/")
