"""ManagerAccount: who may log in. At first the accounts are the manifest's; a mockup's own are not served.

A mockup with empty accounts has slots: an account is then made by filling one, by PATCH as well as by POST, and is gone
when its name is taken away, or by DELETE.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import orjson

from emulator.core.access import ROLES as STANDARD_ROLES
from emulator.core.access import Caller
from emulator.core.accounts import NO_ROLE, Change, ManagerAccount
from emulator.core.machine import Machine
from emulator.core.message import Message, Rejected
from emulator.mockup.access import ACCOUNTS, ROLE_COLLECTION
from emulator.mockup.site import Site
from emulator.redfish.boot_order import refuse_others
from emulator.redfish.view import (
    Call,
    Document,
    Reply,
    Resource,
    Verb,
    changed,
    collection,
    created,
    link,
    succeeded,
)
from emulator.runtime.authentication import new_salt

TYPE = "#ManagerAccount.v1_14_1.ManagerAccount"
CHANGE_PASSWORD = "ManagerAccount.ChangePassword"  # noqa: S105 - an action
SETTABLE = frozenset({"UserName", "Password", "RoleId", "Enabled", "Locked", "PasswordChangeRequired", "AccountTypes"})
OWN_OR_ANY = ("ConfigureUsers", "ConfigureSelf")
READERS = ("ConfigureManager", "ConfigureUsers", "ConfigureSelf")


def resources(site: Site) -> list[Resource]:
    """The collection, its alias `Members` for POST, its members and what can be done with them."""
    create = {"POST": Verb(create_account, "ConfigureUsers", "ManagerAccount.create")}
    verbs = {
        "PATCH": Verb(
            patch_account,
            "ConfigureUsers",
            "ManagerAccount.patch",
            property_privileges={"Password": OWN_OR_ANY},
        ),
        "DELETE": Verb(delete_account, "ConfigureUsers"),
    }
    # the schema lets everybody change his own password by the action, too, of which the privilege registry has no word
    change = {"POST": Verb(change_password, OWN_OR_ANY, CHANGE_PASSWORD, action=CHANGE_PASSWORD)}
    return [
        Resource(ACCOUNTS, get=accounts, verbs=create, needs_ready=False),
        Resource(f"{ACCOUNTS}/Members", verbs=create, needs_ready=False),
        Resource(
            f"{ACCOUNTS}/{{id}}",
            get=manager_account,
            verbs=verbs,
            privilege=READERS,
            is_own=_is_own,
            before_password_change=frozenset({"GET", "HEAD", "PATCH"}),
            needs_ready=False,
        ),
        Resource(
            f"{ACCOUNTS}/{{id}}/Actions/{CHANGE_PASSWORD}",
            verbs=change,
            is_own=_is_own,
            before_password_change=frozenset({"POST"}),
            needs_ready=False,
        ),
    ]


def _is_own(_: Machine, params: Mapping[str, str], caller: Caller) -> bool:
    return params["id"] == caller.account_id


def accounts(call: Call) -> Document:
    """The collection: all slots, or the accounts that there are."""
    return collection(
        call, "ManagerAccountCollection", "Accounts", [f"{ACCOUNTS}/{place}" for place in call.machine.accounts.places]
    )


def manager_account(call: Call) -> Reply | None:
    """One account; its password is never shown."""
    place = call.params["id"]
    if place not in call.machine.accounts.places:
        return None
    document = _document(call, place)
    return Reply(200, document, (("ETag", document["@odata.etag"]),))


def create_account(call: Call) -> Reply:
    """Make an account: 201."""
    made = call.machine.accounts.create(_change(call.body), new_salt(), _may(call))
    return created(call, f"{ACCOUNTS}/{made.id}", _document(call, made.id))


def patch_account(call: Call) -> Reply:
    """Change an account; fill an empty slot; or empty one.

    Raises:
        Rejected: PropertyNotWritable, PropertyUnknown, NoOperation, and what the accounts say.
    """
    place = _existing(call)
    refuse_others(_document(call, place), call.body, SETTABLE, "")
    if SETTABLE.isdisjoint(call.body):
        raise Rejected(Message("NoOperation"))
    found, body = call.machine.accounts, call.body
    if place not in found:
        _fill(call, place)
    elif found.slots and body.get("UserName") == "":
        found.delete(place)
    else:
        session = call.account.session_id if call.account is not None else None
        found.change(place, _change(body), new_salt(), _may(call), session)
    return changed(call, _document(call, place))


def _fill(call: Call, place: str) -> None:
    """Make an account in an empty slot. Whoever wants nothing there gets it, as on a controller that has slots."""
    body = {"RoleId": _no_role(call), "Enabled": False, **call.body}
    if "UserName" in body and body["UserName"] == "" and body["Enabled"] is False:
        return
    call.machine.accounts.create(_change(body), new_salt(), _may(call), place)


def delete_account(call: Call) -> Reply:
    """Delete an account, or empty its slot."""
    place = _existing(call)
    if place in call.machine.accounts:
        call.machine.accounts.delete(place)
    return succeeded(call, "OperationDone")


def change_password(call: Call) -> Reply:
    """Change one's own password, or with ConfigureUsers anybody's; either way the caller says his own again.

    Raises:
        Rejected: ActionParameterValueError, and what the accounts say.
    """
    place = _existing(call)
    found = call.machine.accounts
    if place not in found:
        raise Rejected(Message("ResourceMissingAtURI", (call.uri,)))
    assert call.account is not None, "nobody comes here who is not known"
    if call.authenticator.password(call.machine, call.account.name, call.body["SessionAccountPassword"]) is None:
        name = "SessionAccountPassword"
        raise Rejected(Message("ActionParameterValueError", (name, CHANGE_PASSWORD), (name,)))
    try:
        found.change(place, Change(password=call.body["NewPassword"]), new_salt(), session=call.account.session_id)
    except Rejected as refused:
        raise Rejected(*(_of_the_action(message) for message in refused.messages)) from refused
    return succeeded(call, "OperationDone")


def _of_the_action(message: Message) -> Message:
    if message.related != ("Password",):
        return message
    if message.key == "PropertyValueFormatError":
        return Message("ActionParameterValueFormatError", ("", "NewPassword", CHANGE_PASSWORD), ("NewPassword",))
    return replace(message, related=("NewPassword",))


def _change(body: Mapping[str, Any]) -> Change:
    return Change(
        name=body.get("UserName"),
        password=body.get("Password"),
        role=body.get("RoleId"),
        enabled=body.get("Enabled"),
        unlock="Locked" in body,
        must_change_password=body.get("PasswordChangeRequired"),
    )


def _may(call: Call) -> frozenset[str]:
    return call.account.privileges if call.account is not None else frozenset()


def _existing(call: Call) -> str:
    place = call.params["id"]
    if place not in call.machine.accounts.places:
        raise Rejected(Message("ResourceMissingAtURI", (f"{ACCOUNTS}/{place}",)))
    return place


def _no_role(call: Call) -> str:
    """The role of an empty slot: one without privileges, where the mockup has it."""
    return (
        NO_ROLE
        if NO_ROLE in call.machine.accounts.roles
        else min(STANDARD_ROLES, key=lambda name: len(STANDARD_ROLES[name]))
    )


def _document(call: Call, place: str) -> Document:
    """The account in a place, or the place that is empty. The ETag changes with the password, too."""
    account = call.machine.accounts.get(place)
    uri = f"{ACCOUNTS}/{place}"
    role = account.role if account is not None else _no_role(call)
    document: Document = {
        "@odata.id": uri,
        "@odata.type": TYPE,
        "Id": place,
        "Name": "User Account",
        "UserName": account.name if account is not None else "",
        "Password": None,
        "RoleId": role,
        "Enabled": account is not None and account.enabled,
        "Locked": account is not None and _is_locked(call, account),
        "PasswordChangeRequired": account is not None and account.must_change_password,
        "AccountTypes": ["Redfish"],
        "Links": {"Role": link(f"{ROLE_COLLECTION}/{role}")},
        "Actions": {f"#{CHANGE_PASSWORD}": {"target": f"{uri}/Actions/{CHANGE_PASSWORD}"}},
    }
    version = account.version if account is not None else -1
    digest = hashlib.blake2b(orjson.dumps([document, version]), digest_size=9).hexdigest()
    return {"@odata.id": uri, "@odata.etag": f'"{digest}"', **document}


def _is_locked(call: Call, account: ManagerAccount) -> bool:
    until = call.machine.accounts.locked_until(account.id)
    if until <= call.machine.moment:
        return False
    call.holds_until(until)
    return True
