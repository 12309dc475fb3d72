"""Session: log-ins that last (DSP0266, "Redfish session login authentication")."""

from __future__ import annotations

import secrets

from emulator.core.access import Session, digest_token
from emulator.core.message import Message, Rejected
from emulator.mockup.reader import ROOT
from emulator.mockup.site import Site
from emulator.redfish.view import Call, Document, Reply, Resource, Verb, collection, link, succeeded

SERVICE = f"{ROOT}/SessionService"
SESSIONS = f"{SERVICE}/Sessions"


def resources(site: Site) -> list[Resource]:
    """The service and its sessions."""
    create = {"POST": Verb(create_session, None, "Session.create")}
    return [
        Resource(SERVICE, get=session_service, needs_ready=False),
        Resource(SESSIONS, get=sessions, verbs=create, needs_ready=False),
        Resource(f"{SESSIONS}/{{id}}", get=session, verbs={"DELETE": Verb(delete_session, "Login")}, needs_ready=False),
    ]


def session_service(call: Call) -> Document:
    """The service."""
    document = {
        "@odata.id": SERVICE,
        "@odata.type": "#SessionService.v1_2_0.SessionService",
        "Id": "SessionService",
        "Name": "Session Service",
        **call.base(),
        "ServiceEnabled": True,
        "Sessions": link(SESSIONS),
    }
    document.pop("SessionTimeout", None)  # sessions last until they are deleted
    return document


def sessions(call: Call) -> Document:
    """The collection."""
    return collection(call, "SessionCollection", "Sessions", [f"{SESSIONS}/{key}" for key in call.machine.sessions])


def session(call: Call) -> Document | None:
    """One session; its token was shown once, when it was made."""
    found = call.machine.sessions.get(call.params["id"])
    return _document(call, found) if found else None


def create_session(call: Call) -> Reply:
    """Log in: 201 with the token in X-Auth-Token and the session's place in Location."""
    name = call.body["UserName"]
    account = call.authenticator.password(name, call.body["Password"])
    if account is None:
        raise Rejected(Message("LoginFailed", (SESSIONS, name[:64])))
    token = secrets.token_hex(20)
    made = Session(secrets.token_hex(8), name, digest_token(token), call.machine.moment)
    call.machine.open_session(made)
    place = f"{SESSIONS}/{made.id}"
    return Reply(201, _document(call, made), (("X-Auth-Token", token), ("Location", place)))


def delete_session(call: Call) -> Reply:
    """Log out: one's own session, or with ConfigureManager anybody's."""
    found = call.machine.sessions.get(call.params["id"])
    if found is None:
        raise Rejected(Message("ResourceMissingAtURI", (call.uri,)))
    allowed = call.account.privileges if call.account else frozenset()
    if found.user != call.user and "ConfigureManager" not in allowed:
        raise Rejected(Message("InsufficientPrivilege"))
    call.machine.close_session(found.id)
    return succeeded(call, "OperationDone")


def _document(call: Call, found: Session) -> Document:
    return {
        "@odata.id": f"{SESSIONS}/{found.id}",
        "@odata.type": "#Session.v1_8_0.Session",
        "Id": found.id,
        "Name": "User Session",
        "UserName": found.user,
        "CreatedTime": call.time(found.created_at),
    }
