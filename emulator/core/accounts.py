"""Accounts and roles: who may log in to a machine, and what he may do there (DSP0266, "Privilege model").

The delivered accounts, roles and rules are shared by all machines; a machine keeps what somebody has changed. Whoever
changes something says what he may himself (`by`, his privileges), because nobody gives what he does not have.

A lock-out is worked out from the moments of failed log-ins and virtual time, so an account is unlocked at its moment
whether or not anybody looks.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from emulator.core.access import ADMINISTRATOR, PRIVILEGES, ROLES, Caller, Secret
from emulator.core.message import Message, Rejected, reject_if_any
from emulator.core.policy import Policy
from emulator.core.sessions import Session, SessionRules, Sessions

NAME_LENGTH_MAX = 64
PASSWORD_LENGTH_MAX = 256
"""The longest that a rule can allow."""
NOBODY = ""
"""Failed log-ins of names that nobody has are counted under this id."""
NO_ROLE = "None"
"""The role of an empty slot."""
GONE = {"gone": True}
"""What is stored of something delivered that was deleted."""
ALL = frozenset(PRIVILEGES)
CALLERS_MAX = 1_024
"""How many are kept ready; sessions come and go."""


@dataclass(frozen=True, slots=True)
class ManagerAccount:
    """Somebody who may log in."""

    id: str
    name: str
    secret: Secret
    role: str
    enabled: bool = True
    must_change_password: bool = False
    version: int = 0
    """Grows with every change, that of the password too, which nothing else shows."""

    def to_plain(self) -> dict[str, Any]:
        """JSON types only, for a store; the password as its hash."""
        return {
            "id": self.id,
            "name": self.name,
            "secret": self.secret.hashed,
            "role": self.role,
            "enabled": self.enabled,
            "must_change_password": self.must_change_password,
            "version": self.version,
        }

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> ManagerAccount:
        """The reverse of `to_plain`."""
        return cls(**{**plain, "secret": Secret(plain["secret"])})


@dataclass(frozen=True, slots=True)
class Role:
    """What those may do to whom it is given."""

    id: str
    privileges: frozenset[str]
    is_predefined: bool = False

    def to_plain(self) -> dict[str, Any]:
        """JSON types only, for a store."""
        return {"id": self.id, "privileges": sorted(self.privileges), "is_predefined": self.is_predefined}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Role:
        """The reverse of `to_plain`."""
        return cls(plain["id"], frozenset(plain["privileges"]), plain["is_predefined"])


@dataclass(slots=True)
class Failures:
    """The failed log-ins of an account since the last one that succeeded."""

    total: int = 0
    count: int = 0
    """As far as they count for the lock-out."""
    last_at: float = -math.inf
    locked_at: float | None = None

    def to_plain(self) -> dict[str, Any]:
        """JSON types only, for a store."""
        return {"total": self.total, "count": self.count, "last_at": self.last_at, "locked_at": self.locked_at}


@dataclass(frozen=True, slots=True)
class AccountRules:
    """What a client may set of the account service."""

    is_enabled: bool = True
    """False: accounts cannot be made, changed or deleted, and nobody can log in to a session."""
    min_password_length: int = 0
    max_password_length: int = 64
    lockout_threshold: int = 0
    """How many failed log-ins lock an account; 0: none do."""
    lockout_duration: int = 0
    """For how many seconds; 0: not at all."""
    counter_reset_after: int = 0
    """After how many seconds without a failed log-in they are counted anew; 0: only after one that succeeds."""
    counter_reset_enabled: bool = True
    """False: a lock-out, and the count, end when an administrator says so."""
    failure_logging_threshold: int = 0
    """Every so many failed log-ins of an account are noted in the log; 0: none are."""
    http_basic_auth: str = "Enabled"
    """"Enabled"; "Unadvertised": accepted, but nobody is invited to it; "Disabled"."""

    def to_plain(self) -> dict[str, Any]:
        """JSON types only, for a store."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    @property
    def locks(self) -> bool:
        """Whether failed log-ins lock accounts."""
        return self.lockout_threshold > 0 and (self.lockout_duration > 0 or not self.counter_reset_enabled)

    @property
    def counts(self) -> bool:
        """Whether anybody wants to know of failed log-ins."""
        return self.lockout_threshold > 0 or self.failure_logging_threshold > 0


@dataclass(frozen=True, slots=True)
class Access:
    """Who may log in to a machine as delivered, and under which rules. All machines of a mockup share it."""

    accounts: tuple[ManagerAccount, ...] = ()
    roles: Mapping[str, Role] = field(
        default_factory=lambda: {name: Role(name, privileges, is_predefined=True) for name, privileges in ROLES.items()}
    )
    rules: AccountRules = AccountRules()
    session_rules: SessionRules = SessionRules()
    slots: tuple[str, ...] = ()
    """The ids of the places for accounts, where there is a fixed number of them; empty: accounts come and go."""


@dataclass(frozen=True, slots=True)
class Change:
    """What somebody wants of an account; None: as it is."""

    name: str | None = None
    password: str | None = None
    role: str | None = None
    enabled: bool | None = None
    unlock: bool = False
    must_change_password: bool | None = None


class Accounts(Mapping[str, ManagerAccount]):
    """The accounts and roles of one machine; as a mapping, its accounts by id."""

    def __init__(
        self,
        access: Access,
        policy: Policy,
        sessions: Sessions,
        touch: Callable[[str, str], None],
        note: Callable[[Message], None],
    ) -> None:
        """`touch` is told (kind, id) of every entity that changes; `note` writes into the log."""
        self.rules = access.rules
        self.slots = access.slots
        self.limit = len(access.slots) or policy.max_accounts
        self._delivered = access
        self._max_roles = policy.max_roles
        self._sessions = sessions
        self._touch = touch
        self._note = note
        self._by_id: dict[str, ManagerAccount] = {}
        self._by_name: dict[str, ManagerAccount] = {}
        self._roles: dict[str, Role] = dict(access.roles)
        self._failures: dict[str, Failures] = {}
        self._callers: dict[tuple[str, str | None], Caller] = {}
        """By account and session, until an account or a role changes."""
        for account in access.accounts:
            self._put(account)

    def __getitem__(self, account_id: str) -> ManagerAccount:
        return self._by_id[account_id]

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._by_id, key=_place))

    def __len__(self) -> int:
        return len(self._by_id)

    @property
    def places(self) -> Sequence[str]:
        """The ids under which there is something to read: of all slots, or of the accounts."""
        return self.slots or tuple(self)

    @property
    def roles(self) -> Mapping[str, Role]:
        """By id."""
        return self._roles

    # -- who is calling -----------------------------------------------------------------------------------------------

    def named(self, name: str) -> ManagerAccount | None:
        """The account of this name."""
        return self._by_name.get(name)

    def of_session(self, session: Session) -> ManagerAccount | None:
        """The account that a session belongs to, if it may still be used."""
        account = self._by_id.get(session.account) if session.account else self._by_name.get(session.user)
        return account if account is not None and account.enabled else None

    def may_log_in(self, account: ManagerAccount, now: float) -> bool:
        """Whether the right password lets anybody in."""
        return account.enabled and not self.is_locked(account.id, now)

    def is_locked(self, account_id: str, now: float) -> bool:
        """Whether too many log-ins have failed a while ago."""
        return now < self.locked_until(account_id)

    def locked_until(self, account_id: str) -> float:
        """The virtual moment at which a lock-out ends; minus infinity where there is none."""
        failures = self._failures.get(account_id)
        if failures is None or failures.locked_at is None:
            return -math.inf
        return failures.locked_at + self.rules.lockout_duration if self.rules.counter_reset_enabled else math.inf

    def caller(self, account: ManagerAccount, session: Session | None = None) -> Caller:
        """The account as one who calls."""
        session_id = session.id if session is not None else None
        known = self._callers.get((account.id, session_id))
        if known is None:
            if len(self._callers) >= CALLERS_MAX:
                self._callers.clear()
            privileges, must = self.privileges_of(account.role), account.must_change_password
            known = Caller(account.name, account.role, privileges, account.id, session_id, must_change_password=must)
            self._callers[account.id, session_id] = known
        return known

    def privileges_of(self, role_id: str) -> frozenset[str]:
        """What a role allows; one that is not there any more allows nothing."""
        role = self._roles.get(role_id)
        return role.privileges if role is not None else frozenset()

    def has_failed(self, account_id: str) -> bool:
        """Whether log-ins have failed since the last one that succeeded."""
        return account_id in self._failures

    def failed(self, name: str, now: float) -> None:
        """A log-in with this name has failed. One to a locked account does not prolong the lock-out."""
        if not self.rules.counts:
            return
        account = self._by_name.get(name)
        account_id = account.id if account is not None else NOBODY
        failures = self._failures.setdefault(account_id, Failures())
        self._touch("login", account_id)
        failures.total += 1
        if account is None or self.is_locked(account_id, now):
            return
        if failures.locked_at is not None or self._counts_anew(failures, now):
            failures.count, failures.locked_at = 0, None
        failures.count += 1
        failures.last_at = now
        every = self.rules.failure_logging_threshold
        if every and failures.total % every == 0:
            self._note(Message("LoginsFailed", (account.name,)))
        if self.rules.locks and failures.count >= self.rules.lockout_threshold:
            failures.locked_at = now
            self._note(Message("AccountLocked", (account.name,)))

    def _counts_anew(self, failures: Failures, now: float) -> bool:
        after = self.rules.counter_reset_after
        return self.rules.counter_reset_enabled and after > 0 and now >= failures.last_at + after

    def succeeded(self, account_id: str) -> None:
        """Somebody has logged in: what failed before counts no more."""
        if self._failures.pop(account_id, None) is not None:
            self._touch("login", account_id)

    # -- accounts -----------------------------------------------------------------------------------------------------

    def create(
        self, change: Change, salt: str, by: frozenset[str] = ALL, account_id: str | None = None
    ) -> ManagerAccount:
        """Make an account, with name, password and role; `account_id` names an empty slot for it.

        Raises:
            Rejected: ServiceDisabled, CreateLimitReachedForResource, PropertyMissing, InsufficientPrivilege, and a
                message for each value that cannot be.
        """
        self._check_enabled()
        name, password, role = change.name, change.password, change.role
        if name is None or password is None or role is None:
            given = {"UserName": name, "Password": password, "RoleId": role}
            missing = [property_ for property_, value in given.items() if value is None]
            raise Rejected(*(Message("PropertyMissing", (property_,), (property_,)) for property_ in missing))
        if len(self._by_id) >= self.limit:
            raise Rejected(Message("CreateLimitReachedForResource"))
        self._check(change, by, None)
        made = ManagerAccount(
            account_id or self._free_id(),
            name,
            Secret.of(password, salt),
            role,
            enabled=change.enabled is not False,
            must_change_password=bool(change.must_change_password),
        )
        self._put(made)
        self._changed(made.id)
        self._note(Message("AccountCreated", (made.name,)))
        return made

    def change(
        self, account_id: str, change: Change, salt: str, by: frozenset[str] = ALL, session: str | None = None
    ) -> ManagerAccount:
        """Change an account, all of it or nothing.

        Another password, and no longer being enabled, end its sessions, but not the one that asks for it (`session`).

        Raises:
            Rejected: ServiceDisabled, LastAdministrator, InsufficientPrivilege, and a message for each value that
                cannot be.
        """
        self._check_enabled()
        before = self._by_id[account_id]
        self._check(change, by, before)
        after = replace(
            before,
            name=before.name if change.name is None else change.name,
            secret=before.secret if change.password is None else Secret.of(change.password, salt),
            role=before.role if change.role is None else change.role,
            enabled=before.enabled if change.enabled is None else change.enabled,
            must_change_password=_must_change(before, change),
            version=before.version + 1,
        )
        if not (after.enabled and after.role == ADMINISTRATOR):
            self._check_not_last_administrator(before)
        del self._by_name[before.name]
        self._put(after)
        self._changed(account_id)
        self._follow(before, after, change, session)
        return after

    def delete(self, account_id: str) -> None:
        """Delete an account; its sessions end.

        Raises:
            Rejected: ServiceDisabled, LastAdministrator.
        """
        self._check_enabled()
        account = self._by_id[account_id]
        self._check_not_last_administrator(account)
        del self._by_id[account_id], self._by_name[account.name]
        self._changed(account_id)
        self.succeeded(account_id)
        self._sessions.close_of(account_id)
        self._note(Message("AccountDeleted", (account.name,)))

    def _follow(self, before: ManagerAccount, after: ManagerAccount, change: Change, session: str | None) -> None:
        """What a change brings with it, and what is said of it in the log."""
        name = after.name
        if change.unlock and before.id in self._failures:
            if self._failures[before.id].locked_at is not None:
                self._note(Message("AccountUnlocked", (name,)))
            self.succeeded(before.id)
        if before.name != name:
            self._sessions.rename(before.id, name)
        if before.secret is not after.secret:
            self._sessions.close_of(before.id, but=session)
            self._note(Message("PasswordModified", (name,)))
        if before.role != after.role:
            self._note(Message("AccountRoleChanged", (name, before.role, after.role)))
        if before.enabled != after.enabled:
            self._note(Message("AccountEnabled" if after.enabled else "AccountDisabled", (name,)))
        if not after.enabled:
            self._sessions.close_of(before.id)

    def _check(self, change: Change, by: frozenset[str], account: ManagerAccount | None) -> None:
        """Refuse what cannot be of a new account, or of `account`."""
        reject_if_any(
            [
                *(self._wrong_name(change.name, account) if change.name is not None else ()),
                *(self._wrong_password(change.password) if change.password is not None else ()),
                *(self._wrong_role(change.role) if change.role is not None else ()),
            ]
        )
        if change.role is not None and not (account is not None and account.role == change.role):
            self._check_giving(self.privileges_of(change.role), by)

    def _wrong_name(self, name: str, account: ManagerAccount | None) -> Iterator[Message]:
        """A colon would end it in Basic authentication; two names that differ in case alone are the same."""
        if not name:
            yield Message("PropertyValueFormatError", (name, "UserName"), ("UserName",))
        elif len(name) > NAME_LENGTH_MAX:
            yield Message(
                "StringValueTooLong", (name[:NAME_LENGTH_MAX], str(NAME_LENGTH_MAX), "UserName"), ("UserName",)
            )
        elif ":" in name or not name.isprintable() or name.strip() != name:
            yield Message("PropertyValueFormatError", (name, "UserName"), ("UserName",))
        elif any(other.name.casefold() == name.casefold() for other in self._by_id.values() if other is not account):
            yield Message("ResourceAlreadyExists", ("ManagerAccount", "UserName", name), ("UserName",))

    def _wrong_password(self, password: str) -> Iterator[Message]:
        rules = self.rules
        if not rules.min_password_length <= len(password) <= rules.max_password_length or not password:
            yield Message("PasswordIncorrectLength", (), ("Password",))
        elif not password.isprintable():
            yield Message("PropertyValueFormatError", ("", "Password"), ("Password",))

    def _wrong_role(self, role_id: str) -> Iterator[Message]:
        if role_id not in self._roles:
            yield Message("PropertyValueNotInList", (role_id[:NAME_LENGTH_MAX], "RoleId"), ("RoleId",))

    def _check_giving(self, privileges: Collection[str], by: frozenset[str]) -> None:
        if not by.issuperset(privileges):
            raise Rejected(Message("InsufficientPrivilege"))

    def _check_enabled(self) -> None:
        if not self.rules.is_enabled:
            raise Rejected(Message("ServiceDisabled", ("AccountService",)))

    def _check_not_last_administrator(self, account: ManagerAccount) -> None:
        administrators = [one for one in self._by_id.values() if one.enabled and one.role == ADMINISTRATOR]
        if administrators == [account]:
            raise Rejected(Message("LastAdministrator", (account.name,)))

    def _free_id(self) -> str:
        places = in_order(self.slots) or (str(number) for number in range(1, self.limit + len(self._by_id) + 1))
        return next(place for place in places if place not in self._by_id)

    # -- roles --------------------------------------------------------------------------------------------------------

    def create_role(self, role_id: str, privileges: Collection[str], by: frozenset[str] = ALL) -> Role:
        """Make a role.

        Raises:
            Rejected: ServiceDisabled, ResourceAlreadyExists, CreateLimitReachedForResource, InsufficientPrivilege.
        """
        self._check_enabled()
        if any(known.casefold() == role_id.casefold() for known in self._roles):
            raise Rejected(Message("ResourceAlreadyExists", ("Role", "RoleId", role_id), ("RoleId",)))
        if sum(not role.is_predefined for role in self._roles.values()) >= self._max_roles:
            raise Rejected(Message("CreateLimitReachedForResource"))
        self._check_giving(privileges, by)
        return self._put_role(Role(role_id, frozenset(privileges)))

    def change_role(self, role_id: str, privileges: Collection[str], by: frozenset[str] = ALL) -> Role:
        """Let a role allow other things, from now on.

        Raises:
            Rejected: ServiceDisabled, PredefinedRoleNotWritable, InsufficientPrivilege.
        """
        self._check_enabled()
        before = self._roles[role_id]
        if before.is_predefined:
            name = "AssignedPrivileges"
            raise Rejected(Message("PredefinedRoleNotWritable", (name, role_id), (name,)))
        self._check_giving(before.privileges.symmetric_difference(privileges), by)
        after = self._put_role(replace(before, privileges=frozenset(privileges)))
        for privilege in PRIVILEGES:
            if privilege in before.privileges ^ after.privileges:
                is_new = privilege in after.privileges
                self._note(Message("RolePrivilegeAdded" if is_new else "RolePrivilegeRemoved", (privilege, role_id)))
        return after

    def delete_role(self, role_id: str) -> None:
        """Delete a role that no account has.

        Raises:
            Rejected: ServiceDisabled, PredefinedRoleNotDeletable, RoleInUse.
        """
        self._check_enabled()
        if self._roles[role_id].is_predefined:
            raise Rejected(Message("PredefinedRoleNotDeletable", (role_id,)))
        users = sorted(account.name for account in self._by_id.values() if account.role == role_id)
        if users:
            raise Rejected(Message("RoleInUse", (role_id, ", ".join(users))))
        del self._roles[role_id]
        self._role_changed(role_id)

    def _put_role(self, role: Role) -> Role:
        self._roles[role.id] = role
        self._role_changed(role.id)
        return role

    def _role_changed(self, role_id: str) -> None:
        self._callers.clear()
        self._touch("role", role_id)

    # -- rules --------------------------------------------------------------------------------------------------------

    def set_rules(self, changes: Mapping[str, Any]) -> None:
        """Change some of the rules. Passwords that are kept stay valid under another length.

        Raises:
            Rejected: PropertyValueConflict where two rules do not go together.
        """
        rules = replace(self.rules, **changes)
        if rules.min_password_length > rules.max_password_length:
            raise Rejected(_conflict("MinPasswordLength", "MaxPasswordLength"))
        if rules.counter_reset_after > rules.lockout_duration:
            raise Rejected(_conflict("AccountLockoutCounterResetAfter", "AccountLockoutDuration"))
        self.rules = rules
        self._touch("rules", "accounts")

    def reset(self) -> None:
        """Everything as delivered; sessions of accounts that are others now end."""
        kept = dict(self._by_id)
        for account_id in {*kept, *(account.id for account in self._delivered.accounts)}:
            self._touch("account", account_id)
        for role_id in {*self._roles, *self._delivered.roles}:
            self._touch("role", role_id)
        for account_id in list(self._failures):
            self.succeeded(account_id)
        self.rules = self._delivered.rules
        self._touch("rules", "accounts")
        self._by_id, self._by_name, self._roles = {}, {}, dict(self._delivered.roles)
        self._callers.clear()
        for account in self._delivered.accounts:
            self._put(account)
        for account_id, account in kept.items():
            if self._by_id.get(account_id) is not account:
                self._sessions.close_of(account_id)

    # -- keeping ------------------------------------------------------------------------------------------------------

    def account_to_plain(self, account_id: str) -> Mapping[str, Any] | None:
        """An account for a store; None for one that is as delivered, or gone for good."""
        account = self._by_id.get(account_id)
        delivered = next((one for one in self._delivered.accounts if one.id == account_id), None)
        if account is None:
            return GONE if delivered is not None else None
        return None if account is delivered else account.to_plain()

    def role_to_plain(self, role_id: str) -> Mapping[str, Any] | None:
        """A role for a store, in the same way."""
        role, delivered = self._roles.get(role_id), self._delivered.roles.get(role_id)
        if role is None:
            return GONE if delivered is not None else None
        return None if role is delivered else role.to_plain()

    def failures_to_plain(self, account_id: str) -> Mapping[str, Any] | None:
        """The failed log-ins of an account for a store."""
        failures = self._failures.get(account_id)
        return failures.to_plain() if failures is not None else None

    def restore_account(self, account_id: str, plain: Mapping[str, Any]) -> None:
        """Put a stored account back in place of the delivered one."""
        before = self._by_id.pop(account_id, None)
        if before is not None and self._by_name.get(before.name) is before:
            del self._by_name[before.name]
        if plain != GONE:
            self._put(ManagerAccount.from_plain(plain))

    def restore_role(self, role_id: str, plain: Mapping[str, Any]) -> None:
        """Put a stored role back in place of the delivered one."""
        self._roles.pop(role_id, None)
        if plain != GONE:
            self._roles[role_id] = Role.from_plain(plain)

    def restore_failures(self, account_id: str, plain: Mapping[str, Any]) -> None:
        """Put the failed log-ins of an account back."""
        self._failures[account_id] = Failures(**plain)

    def restore_rules(self, plain: Mapping[str, Any]) -> None:
        """Put stored rules back."""
        self.rules = AccountRules(**plain)

    def _put(self, account: ManagerAccount) -> None:
        self._by_id[account.id] = account
        self._by_name[account.name] = account

    def _changed(self, account_id: str) -> None:
        self._callers.clear()
        self._touch("account", account_id)


def in_order(slots: Sequence[str]) -> tuple[str, ...]:
    """Slots in the order in which they are filled: the first one last, which controllers keep for themselves."""
    return (*slots[1:], *slots[:1])


def _place(account_id: str) -> tuple[int, str]:
    return (int(account_id) if account_id.isdecimal() else 0), account_id


def _must_change(before: ManagerAccount, change: Change) -> bool:
    """Another password settles it, unless the very change says otherwise."""
    if change.must_change_password is not None:
        return change.must_change_password
    return before.must_change_password and change.password is None


def _conflict(name: str, other: str) -> Message:
    return Message("PropertyValueConflict", (name, other), (name, other))
