"""Role: what those may do to whom it is given. The predefined ones are fixed; others come and go."""

from __future__ import annotations

from emulator.core.access import PRIVILEGES
from emulator.core.message import Message, Rejected
from emulator.mockup.access import ROLE_COLLECTION
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
    succeeded,
)

ASSIGNED = "AssignedPrivileges"


def resources(site: Site) -> list[Resource]:
    """The collection, its alias `Members` for POST, and its members."""
    create = {"POST": Verb(create_role, "ConfigureManager", "Role.create")}
    verbs = {
        "PATCH": Verb(patch_role, "ConfigureManager", "Role.patch"),
        "DELETE": Verb(delete_role, "ConfigureManager"),
    }
    return [
        Resource(ROLE_COLLECTION, get=roles, verbs=create, needs_ready=False),
        Resource(f"{ROLE_COLLECTION}/Members", verbs=create, needs_ready=False),
        Resource(f"{ROLE_COLLECTION}/{{id}}", get=role, verbs=verbs, needs_ready=False),
    ]


def roles(call: Call) -> Document:
    """The collection."""
    return collection(
        call, "RoleCollection", "Roles", [f"{ROLE_COLLECTION}/{key}" for key in call.machine.accounts.roles]
    )


def role(call: Call) -> Document | None:
    """One role."""
    found = call.params["id"]
    return _document(call, found) if found in call.machine.accounts.roles else None


def create_role(call: Call) -> Reply:
    """Make a role of some privileges: 201."""
    made = call.machine.accounts.create_role(call.body["RoleId"], call.body[ASSIGNED], _may(call))
    return created(call, f"{ROLE_COLLECTION}/{made.id}", _document(call, made.id))


def patch_role(call: Call) -> Reply:
    """Let a role allow other things.

    Raises:
        Rejected: PropertyNotWritable, PropertyUnknown, NoOperation, and what the accounts say.
    """
    found = _existing(call)
    refuse_others(_document(call, found), call.body, frozenset({ASSIGNED}), "")
    if ASSIGNED not in call.body:
        raise Rejected(Message("NoOperation"))
    call.machine.accounts.change_role(found, call.body[ASSIGNED], _may(call))
    return changed(call, _document(call, found))


def delete_role(call: Call) -> Reply:
    """Delete a role that nobody has."""
    call.machine.accounts.delete_role(_existing(call))
    return succeeded(call, "OperationDone")


def _may(call: Call) -> frozenset[str]:
    return call.account.privileges if call.account is not None else frozenset()


def _existing(call: Call) -> str:
    found = call.params["id"]
    if found not in call.machine.accounts.roles:
        raise Rejected(Message("ResourceMissingAtURI", (call.uri,)))
    return found


def _document(call: Call, role_id: str) -> Document:
    found = call.machine.accounts.roles[role_id]
    uri = f"{ROLE_COLLECTION}/{role_id}"
    document = {
        "@odata.id": uri,
        "Name": f"{role_id} Role",
        **(call.base(uri) if found.is_predefined else {}),
        "@odata.type": "#Role.v1_3_3.Role",
        "Id": role_id,
        "RoleId": role_id,
        "IsPredefined": found.is_predefined,
        ASSIGNED: [privilege for privilege in PRIVILEGES if privilege in found.privileges],
    }
    document.pop(f"{ASSIGNED}@odata.count", None)
    return document
