"""Session and its service: log-ins that last (DSP0266, "Redfish session login authentication")."""

from __future__ import annotations

import secrets
from collections.abc import Mapping

from emulator.core.access import Caller
from emulator.core.accounts import ManagerAccount
from emulator.core.machine import Machine
from emulator.core.message import Message, Rejected
from emulator.core.sessions import Session, digest_token
from emulator.mockup.access import ACCOUNTS
from emulator.mockup.access import SESSION_SERVICE as SERVICE
from emulator.mockup.site import Site
from emulator.redfish.rules import rules_document, wanted_rules
from emulator.redfish.view import (
    Call,
    Document,
    Reply,
    Resource,
    Verb,
    changed,
    collection,
    link,
    message_objects,
    succeeded,
)

SESSIONS = f"{SERVICE}/Sessions"
RULES: Mapping[str, str] = {
    "ServiceEnabled": "is_enabled",
    "SessionTimeout": "timeout",
    "AbsoluteSessionTimeout": "absolute_timeout",
    "AbsoluteSessionTimeoutEnabled": "has_absolute_timeout",
}
"""Property -> the rule that it is (`SessionRules`)."""
OWN_OR_ANY = ("ConfigureManager", "ConfigureSelf")


def resources(site: Site) -> list[Resource]:
    """The service and its sessions."""
    create = {"POST": Verb(create_session, None, "Session.create")}
    patch = {"PATCH": Verb(patch_session_service, "ConfigureManager", "SessionService.patch")}
    return [
        Resource(SERVICE, get=session_service, verbs=patch, needs_ready=False),
        Resource(SESSIONS, get=sessions, verbs=create, needs_ready=False),
        Resource(
            f"{SESSIONS}/{{id}}",
            get=session,
            verbs={"DELETE": Verb(delete_session, OWN_OR_ANY)},
            privilege=OWN_OR_ANY,
            is_own=_is_own,
            before_password_change=frozenset({"GET", "HEAD", "DELETE"}),
            needs_ready=False,
        ),
    ]


def _is_own(machine: Machine, params: Mapping[str, str], caller: Caller) -> bool:
    """A session of the caller's account, be it another one than that which he uses now."""
    found = machine.sessions.get(params["id"])
    account = machine.accounts.of_session(found) if found is not None else None
    return account is not None and account.id == caller.account_id


def session_service(call: Call) -> Document:
    """The service."""
    return {
        "@odata.id": SERVICE,
        "Id": "SessionService",
        "Name": "Session Service",
        **call.base(),
        "@odata.type": "#SessionService.v1_2_0.SessionService",
        **rules_document(RULES, call.machine.sessions.rules),
        "Sessions": link(SESSIONS),
    }


def patch_session_service(call: Call) -> Reply:
    """Set rules, all or nothing."""
    call.machine.sessions.set_rules(wanted_rules(RULES, session_service(call), call.body))
    return changed(call, session_service(call))


def sessions(call: Call) -> Document:
    """The collection, without those that have timed out."""
    found = [key for key, one in call.machine.sessions.items() if _is_open(call, one)]
    return collection(call, "SessionCollection", "Sessions", [f"{SESSIONS}/{key}" for key in found])


def session(call: Call) -> Document | None:
    """One session; its token was shown once, when it was made."""
    found = call.machine.sessions.get(call.params["id"])
    return _document(call, found) if found is not None and _is_open(call, found) else None


def create_session(call: Call) -> Reply:
    """Log in: 201 with the token in X-Auth-Token and the session's place in Location.

    Who has to change his password first is told so.

    Raises:
        Rejected: ServiceDisabled, LoginFailed, SessionLimitExceeded.
    """
    machine, name = call.machine, call.body["UserName"]
    for service, rules in (("SessionService", machine.sessions.rules), ("AccountService", machine.accounts.rules)):
        if not rules.is_enabled:
            raise Rejected(Message("ServiceDisabled", (service,)))
    account = call.authenticator.password(machine, name, call.body["Password"])
    if account is None:
        raise Rejected(Message("LoginFailed", (SESSIONS, name[:64])))
    token = secrets.token_hex(20)
    made = Session(
        secrets.token_hex(8), account.name, digest_token(token), machine.moment, account=account.id, peer=call.peer
    )
    machine.sessions.open(made)
    place = f"{SESSIONS}/{made.id}"
    document = {**_document(call, made), **_expected_of(call, account)}
    return Reply(201, document, (("X-Auth-Token", token), ("Location", place)))


def delete_session(call: Call) -> Reply:
    """Log out: one's own session, or with ConfigureManager anybody's.

    Raises:
        Rejected: ResourceMissingAtURI, ServiceDisabled.
    """
    found = call.machine.sessions.get(call.params["id"])
    if found is None or not _is_open(call, found):
        raise Rejected(Message("ResourceMissingAtURI", (call.uri,)))
    if not call.machine.sessions.rules.is_enabled:
        raise Rejected(Message("ServiceDisabled", ("SessionService",)))
    call.machine.sessions.close(found.id)
    return succeeded(call, "OperationDone")


def _expected_of(call: Call, account: ManagerAccount) -> Document:
    if not account.must_change_password:
        return {}
    message = Message("PasswordChangeRequired", (f"{ACCOUNTS}/{account.id}",))
    return {"@Message.ExtendedInfo": message_objects(call.dialect, message)}


def _is_open(call: Call, found: Session) -> bool:
    """Whether it has not timed out; until when that is so is noted."""
    if not call.machine.sessions.is_open(found, call.machine.moment):
        return False
    call.holds_until(call.machine.sessions.ends_at(found))
    return True


def _document(call: Call, found: Session) -> Document:
    account = call.machine.accounts.of_session(found)
    rules = call.machine.sessions.rules
    document: Document = {
        "@odata.id": f"{SESSIONS}/{found.id}",
        "@odata.type": "#Session.v1_8_0.Session",
        "Id": found.id,
        "Name": "User Session",
        "UserName": found.user,
        "SessionType": "Redfish",
        "Roles": [account.role] if account is not None else [],
        "CreatedTime": call.time(found.created_at),
    }
    if found.peer:
        document["ClientOriginIPAddress"] = found.peer
    if rules.has_absolute_timeout:
        document["ExpirationTime"] = call.time(found.created_at + rules.absolute_timeout)
    return document
