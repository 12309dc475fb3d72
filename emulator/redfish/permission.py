"""Who may do what: what a route declares, held against who calls (DSP0266, "Privilege model")."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from emulator.core.access import CONFIGURE_SELF, Caller, Needed, permits
from emulator.core.machine import Machine
from emulator.core.message import Message, Rejected
from emulator.mockup.access import ACCOUNTS
from emulator.redfish.router import NO_PARAMS
from emulator.redfish.view import Resource, Verb

SEES_ALL = frozenset({"Login", "ConfigureManager", "ConfigureUsers"})
"""Who has these may read everything."""
PASSIVE: Mapping[str, Needed] = {
    "Certificate": "ConfigureManager",
    "CertificateCollection": "ConfigureManager",
    "CertificateEnrollment": "ConfigureManager",
    "CertificateEnrollmentCollection": "ConfigureManager",
    "CertificateLocations": "ConfigureManager",
    "ManagerAccount": ("ConfigureManager", "ConfigureUsers"),
    "Session": "ConfigureManager",
}
"""Schema -> what reading the mockup's resources of it takes, where that is more than to log in (the standard privilege
registry)."""
Found = tuple[Resource | None, Mapping[str, str]]
"""The resource at a URI, and the URI's parameters."""
NOT_FOUND: Found = (None, NO_PARAMS)


def check_may(machine: Machine, found: Found, method: str, caller: Caller, needed: Needed) -> None:
    """Refuse what the caller may not do, whatever he sends.

    Raises:
        Rejected: PasswordChangeRequired, InsufficientPrivilege.
    """
    resource, params = found
    judges = resource is not None and resource.is_own is not None
    is_own = resource is not None and resource.is_own is not None and resource.is_own(machine, params, caller)
    if caller.must_change_password:
        if resource is None or not is_own or method not in resource.before_password_change:
            raise Rejected(Message("PasswordChangeRequired", (f"{ACCOUNTS}/{caller.account_id}",)))
        return
    if not permits(caller.privileges if is_own or not judges else caller.privileges - {CONFIGURE_SELF}, needed):
        raise Rejected(Message("InsufficientPrivilege"))


def check_properties(verb: Verb, body: Mapping[str, Any], caller: Caller | None) -> None:
    """Refuse properties that take more than the caller may. That what is touched is his own was checked before.

    Raises:
        Rejected: PasswordChangeRequired, InsufficientPrivilege.
    """
    if caller is None or not verb.property_privileges:
        return
    names = [name for name in body if not name.startswith("@")]
    if caller.must_change_password and any(name not in verb.property_privileges for name in names):
        raise Rejected(Message("PasswordChangeRequired", (f"{ACCOUNTS}/{caller.account_id}",)))
    if not all(permits(caller.privileges, verb.property_privileges.get(name, verb.privilege)) for name in names):
        raise Rejected(Message("InsufficientPrivilege"))


def sight(caller: Caller | None) -> str:
    """Tells those apart who do not see the same when they look at other resources through a query."""
    if caller is None:
        return "\0"
    if caller.privileges >= SEES_ALL:
        return ""
    return f"\0{caller.account_id}\0{caller.session_id}\0{sorted(caller.privileges)}"
