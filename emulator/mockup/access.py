"""Who may log in to the machines of a tree: the accounts of its manifest, under the tree's rules and in its places."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from emulator.core.access import PRIVILEGES, ROLES, Account, Secret
from emulator.core.accounts import PASSWORD_LENGTH_MAX, Access, AccountRules, ManagerAccount, Role, in_order
from emulator.core.sessions import SessionRules
from emulator.mockup.reader import ROOT, Tree

ACCOUNT_SERVICE = f"{ROOT}/AccountService"
ACCOUNTS = f"{ACCOUNT_SERVICE}/Accounts"
ROLE_COLLECTION = f"{ACCOUNT_SERVICE}/Roles"
SESSION_SERVICE = f"{ROOT}/SessionService"
SESSION_SECONDS = (30, 86_400)
"""The bounds of both time-outs (SessionService 1.2)."""
COUNT_MAX = 1_000
SECONDS_MAX = 86_400 * 365
RULES: Mapping[str, tuple[str, int, int]] = {
    "MinPasswordLength": ("min_password_length", 0, PASSWORD_LENGTH_MAX),
    "MaxPasswordLength": ("max_password_length", 1, PASSWORD_LENGTH_MAX),
    "AccountLockoutThreshold": ("lockout_threshold", 0, COUNT_MAX),
    "AccountLockoutDuration": ("lockout_duration", 0, SECONDS_MAX),
    "AccountLockoutCounterResetAfter": ("counter_reset_after", 0, SECONDS_MAX),
    "AuthFailureLoggingThreshold": ("failure_logging_threshold", 0, COUNT_MAX),
}
"""Property of the account service -> the rule, and its bounds."""
HTTP_BASIC_AUTH = ("Enabled", "Unadvertised", "Disabled")


def find_access(tree: Tree, accounts: Sequence[Account], secret_of: Callable[[Account], Secret]) -> Access:
    """Accounts, roles and rules as delivered.

    An account stands where the tree has one of the same name, or else in the first place that is free; of numbered
    slots the first one is left alone, as controllers do that have them.
    """
    slots = _slots(tree, len(accounts))
    return Access(
        accounts=tuple(_accounts(tree, slots, accounts, secret_of)),
        roles={role.id: role for role in (*_standard_roles(), *_roles(tree))},
        rules=_rules(tree.get(ACCOUNT_SERVICE) or {}),
        session_rules=_session_rules(tree.get(SESSION_SERVICE) or {}),
        slots=slots,
    )


def access_uris(access: Access) -> list[str]:
    """Where accounts and roles stand at first."""
    places = access.slots or [account.id for account in access.accounts]
    return [*(f"{ACCOUNTS}/{place}" for place in places), *(f"{ROLE_COLLECTION}/{role}" for role in access.roles)]


def _members(tree: Tree, collection: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The last part of a member's URI, and the member."""
    for uri in tree.members(collection):
        if uri.startswith(f"{collection}/"):
            yield uri.rpartition("/")[2], tree.documents[uri]


def _slots(tree: Tree, wanted: int) -> tuple[str, ...]:
    """The places for accounts of a tree that shows empty ones, too, if there are as many as are wanted."""
    found = dict(_members(tree, ACCOUNTS))
    if len(found) < wanted or not any(document.get("UserName") == "" for document in found.values()):
        return ()
    return tuple(sorted(found, key=lambda place: (int(place) if place.isdecimal() else 0, place)))


def _accounts(
    tree: Tree, slots: tuple[str, ...], accounts: Sequence[Account], secret_of: Callable[[Account], Secret]
) -> Iterator[ManagerAccount]:
    by_name = {str(document.get("UserName")): place for place, document in _members(tree, ACCOUNTS)}
    known = {account.name: by_name[account.name] for account in accounts if account.name in by_name}
    places = in_order(slots) or tuple(str(number) for number in range(1, 2 * len(accounts) + 1))
    free = iter([place for place in places if place not in known.values()])
    for account in accounts:
        place = known[account.name] if account.name in known else next(free)
        yield ManagerAccount(place, account.name, secret_of(account), account.role)


def _standard_roles() -> Iterable[Role]:
    return (Role(name, privileges, is_predefined=True) for name, privileges in ROLES.items())


def _roles(tree: Tree) -> Iterator[Role]:
    """The tree's roles besides the standard ones."""
    for place, document in _members(tree, ROLE_COLLECTION):
        if place not in ROLES:
            assigned = document.get("AssignedPrivileges")
            privileges = {name for name in assigned if name in PRIVILEGES} if isinstance(assigned, list) else ()
            yield Role(place, frozenset(privileges), is_predefined=document.get("IsPredefined") is True)


def _rules(service: Mapping[str, Any]) -> AccountRules:
    found = {name: _bounded(service.get(name), low, high) for name, (_, low, high) in RULES.items()}
    rules: dict[str, Any] = {RULES[name][0]: value for name, value in found.items() if value is not None}
    if rules.get("min_password_length", 0) > rules.get("max_password_length", PASSWORD_LENGTH_MAX):
        del rules["min_password_length"]
    if rules.get("counter_reset_after", 0) > rules.get("lockout_duration", 0):
        del rules["counter_reset_after"]
    if service.get("HTTPBasicAuth") in HTTP_BASIC_AUTH:
        rules["http_basic_auth"] = service["HTTPBasicAuth"]
    return AccountRules(**rules)


def _session_rules(service: Mapping[str, Any]) -> SessionRules:
    timeout = _bounded(service.get("SessionTimeout"), *SESSION_SECONDS)
    return SessionRules() if timeout is None else SessionRules(timeout=timeout)


def _bounded(value: Any, low: int, high: int) -> int | None:
    """A number as far as it is one, within its bounds."""
    if not isinstance(value, int) or isinstance(value, bool):
        return None
    return value if low <= value <= high else None
