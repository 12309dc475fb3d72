"""Accounts, roles, lock-outs and sessions of one machine, as a law."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
from core_world import refusal

from emulator.core import access, keeping
from emulator.core.access import ROLES, Secret, hash_password, permits
from emulator.core.accounts import Access, AccountRules, Accounts, Change, ManagerAccount
from emulator.core.clock import Clock
from emulator.core.machine import Machine
from emulator.core.message import Rejected
from emulator.core.policy import Policy
from emulator.core.sessions import Session, SessionRules
from emulator.stores.memory import MemoryStore

START = 1_700_000_000.0
ROOT, OPERATOR, READER = "1", "2", "3"
STRICT = AccountRules(
    min_password_length=4,
    max_password_length=8,
    lockout_threshold=3,
    lockout_duration=60,
    counter_reset_after=30,
    failure_logging_threshold=2,
)


@pytest.fixture(autouse=True)
def cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hash that costs nothing; `test_a_secret_does_not_tell_the_password` has the real one."""
    monkeypatch.setattr(
        access, "hash_password", lambda password, salt: f"scrypt${salt}${password[::-1].encode().hex()}"
    )


def delivered(rules: AccountRules = STRICT, slots: tuple[str, ...] = ()) -> Access:
    names = {ROOT: ("root", "Administrator"), OPERATOR: ("operator", "Operator"), READER: ("reader", "ReadOnly")}
    accounts = (ManagerAccount(key, name, Secret.of(name, key), role) for key, (name, role) in names.items())
    return Access(tuple(accounts), rules=rules, session_rules=SessionRules(timeout=100), slots=slots)


def new_machine(policy: Policy | None = None, given: Access | None = None) -> Machine:
    return Machine("1", Clock(lambda: START, rate=0), [], policy=policy, access=given or delivered())


@pytest.fixture
def machine() -> Machine:
    return new_machine()


def stored(machine: Machine) -> dict[Any, Any]:
    """What is kept of who may do what."""
    kinds = {
        "account": [*machine.accounts, ROOT, OPERATOR, READER],
        "role": list(machine.accounts.roles),
        "rules": ["accounts", "sessions"],
        "session": list(machine.sessions),
    }
    return {(kind, key): keeping.plain_of(machine, kind, key) for kind, keys in kinds.items() for key in keys}


def log_in(machine: Machine, account: str = ROOT, number: int = 1) -> Session:
    name = machine.accounts[account].name
    session = Session(str(number), name, f"digest-{number}", machine.moment, account=account)
    machine.sessions.open(session)
    return session


# -- privileges and secrets -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("role", "needed", "may"),
    [
        ("ReadOnly", None, True),
        ("ReadOnly", "Login", True),
        ("ReadOnly", "ConfigureManager", False),
        ("ReadOnly", ("ConfigureManager", "ConfigureSelf"), True),
        ("Operator", ("ConfigureManager", "ConfigureUsers"), False),
        ("Operator", (), False),
    ],
)
def test_any_of_several_privileges_is_enough(role: str, needed: Any, may: bool) -> None:
    assert permits(ROLES[role], needed) is may


def test_a_secret_does_not_tell_the_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access, "hash_password", hash_password)
    secret = Secret.of("calvin", "salt")
    assert secret.hashed.startswith("scrypt$salt$")
    assert (secret.accepts("calvin"), secret.accepts("Calvin")) == (True, False)
    assert "calvin" not in f"{secret.hashed} {secret!r} {access.Account('root', 'calvin', 'Administrator')!r}"


# -- accounts ---------------------------------------------------------------------------------------------------------

NEW = Change("eve", "secret", "Operator")
Call = Callable[[Machine], object]
REFUSED: list[tuple[str, Call, list[str]]] = [
    ("no name", lambda m: m.accounts.create(Change(None, "secret", "Operator"), "s"), ["PropertyMissing"]),
    ("nothing", lambda m: m.accounts.create(Change(), "s"), ["PropertyMissing"] * 3),
    ("an empty name", lambda m: m.accounts.create(Change("", "secret", "Operator"), "s"), ["PropertyValueFormatError"]),
    ("a colon", lambda m: m.accounts.create(Change("a:b", "secret", "Operator"), "s"), ["PropertyValueFormatError"]),
    ("a line break", lambda m: m.accounts.create(Change("a\nb", "secret", "Operator"), "s"), ["PropertyValueFormatError"]),
    ("a blank", lambda m: m.accounts.create(Change(" a", "secret", "Operator"), "s"), ["PropertyValueFormatError"]),
    ("a long name", lambda m: m.accounts.create(Change("a" * 65, "secret", "Operator"), "s"), ["StringValueTooLong"]),
    ("a name twice", lambda m: m.accounts.create(Change("Root", "secret", "Operator"), "s"), ["ResourceAlreadyExists"]),
    ("a short password", lambda m: m.accounts.create(Change("eve", "abc", "Operator"), "s"), ["PasswordIncorrectLength"]),
    ("a long password", lambda m: m.accounts.create(Change("eve", "a" * 9, "Operator"), "s"), ["PasswordIncorrectLength"]),
    ("a NUL in it", lambda m: m.accounts.create(Change("eve", "abc\0d", "Operator"), "s"), ["PropertyValueFormatError"]),
    ("no such role", lambda m: m.accounts.create(Change("eve", "secret", "King"), "s"), ["PropertyValueNotInList"]),
    ("all of it", lambda m: m.accounts.create(Change(":", "", "King"), "s"),
     ["PropertyValueFormatError", "PasswordIncorrectLength", "PropertyValueNotInList"]),
    ("more than one has", lambda m: m.accounts.create(Change("eve", "secret", "Administrator"), "s", ROLES["Operator"]),
     ["InsufficientPrivilege"]),
    ("another's name", lambda m: m.accounts.change(READER, Change(name="OPERATOR"), "s"), ["ResourceAlreadyExists"]),
    ("a role above oneself", lambda m: m.accounts.change(READER, Change(role="Administrator"), "s", ROLES["Operator"]),
     ["InsufficientPrivilege"]),
    ("the last administrator goes", lambda m: m.accounts.delete(ROOT), ["LastAdministrator"]),
    ("he is disabled", lambda m: m.accounts.change(ROOT, Change(enabled=False), "s"), ["LastAdministrator"]),
    ("he is demoted", lambda m: m.accounts.change(ROOT, Change(role="Operator"), "s"), ["LastAdministrator"]),
    ("a predefined role changes", lambda m: m.accounts.change_role("ReadOnly", ["Login"]), ["PredefinedRoleNotWritable"]),
    ("a predefined role goes", lambda m: m.accounts.delete_role("ReadOnly"), ["PredefinedRoleNotDeletable"]),
    ("a role twice", lambda m: m.accounts.create_role("operator", ["Login"]), ["ResourceAlreadyExists"]),
    ("a role above oneself is made", lambda m: m.accounts.create_role("x", ["ConfigureUsers"], ROLES["Operator"]),
     ["InsufficientPrivilege"]),
    ("lengths that cross", lambda m: m.accounts.set_rules({"min_password_length": 9}), ["PropertyValueConflict"]),
    ("a reset after the end", lambda m: m.accounts.set_rules({"lockout_duration": 29}), ["PropertyValueConflict"]),
]  # fmt: skip


@pytest.mark.parametrize(("call", "keys"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_what_cannot_be_is_refused_whole(machine: Machine, call: Call, keys: list[str]) -> None:
    before, version = stored(machine), machine.version
    assert refusal(call, machine) == keys
    assert (stored(machine), machine.version) == (before, version)


def test_nothing_changes_while_the_service_is_switched_off(machine: Machine) -> None:
    machine.accounts.set_rules({"is_enabled": False})
    for call in (
        lambda: machine.accounts.create(NEW, "s"),
        lambda: machine.accounts.change(READER, Change(enabled=False), "s"),
        lambda: machine.accounts.delete(READER),
        lambda: machine.accounts.create_role("x", []),
    ):
        assert refusal(call) == ["ServiceDisabled"]


def test_an_account_comes_changes_and_goes(machine: Machine) -> None:
    made = machine.accounts.create(NEW, "salt")
    assert (made.id, made.enabled, made.secret.accepts("secret")) == ("4", True, True)
    changed = machine.accounts.change("4", Change("adam", "secret2", "ReadOnly", enabled=False), "other")
    assert machine.accounts.named("eve") is None
    assert machine.accounts.named("adam") == changed
    assert (changed.secret.accepts("secret2"), changed.role, changed.enabled) == (True, "ReadOnly", False)
    machine.accounts.delete("4")
    assert list(machine.accounts) == [ROOT, OPERATOR, READER]
    assert [entry.message.key for entry in machine.log][::-1] == [
        *("AccountCreated", "PasswordModified", "AccountRoleChanged", "AccountDisabled", "AccountDeleted"),
    ]  # fmt: skip


def test_an_administrator_may_go_when_there_is_another_one(machine: Machine) -> None:
    machine.accounts.change(OPERATOR, Change(role="Administrator"), "s")
    machine.accounts.delete(ROOT)
    assert refusal(machine.accounts.delete, OPERATOR) == ["LastAdministrator"]


@pytest.mark.parametrize(
    ("change", "before", "after"),
    [
        (Change(password="secret"), True, False),
        (Change(password="secret", must_change_password=True), False, True),
        (Change(enabled=True), True, True),
        (Change(must_change_password=False), True, False),
    ],
)
def test_another_password_is_what_was_asked_for(machine: Machine, change: Change, before: bool, after: bool) -> None:
    machine.accounts.change(READER, Change(must_change_password=before), "s")
    machine.accounts.change(READER, change, "s")
    assert machine.accounts[READER].must_change_password is after
    assert machine.accounts.caller(machine.accounts[READER]).must_change_password is after


def test_there_are_limits() -> None:
    machine = new_machine(Policy(max_accounts=4, max_roles=1, max_sessions=2))
    machine.accounts.create(NEW, "s")
    assert refusal(machine.accounts.create, Change("adam", "secret", "Operator"), "s") == [
        "CreateLimitReachedForResource"
    ]
    machine.accounts.create_role("one", [])
    assert refusal(machine.accounts.create_role, "two", []) == ["CreateLimitReachedForResource"]
    log_in(machine, number=1), log_in(machine, number=2)
    assert refusal(log_in, machine, number=3) == ["SessionLimitExceeded"]
    machine.advance(100)
    log_in(machine, number=3)
    assert list(machine.sessions) == ["3"], "those that have timed out do not count"


def test_slots_are_filled_and_the_first_one_last() -> None:
    machine = new_machine(given=delivered(slots=("0", "1", "2", "3", "4")))
    assert machine.accounts.places == ("0", "1", "2", "3", "4")
    made = [machine.accounts.create(Change(name, "secret", "Operator"), "s").id for name in ("eve", "adam")]
    assert made == ["4", "0"]
    assert refusal(machine.accounts.create, Change("noah", "secret", "Operator"), "s") == [
        "CreateLimitReachedForResource"
    ]


# -- roles ------------------------------------------------------------------------------------------------------------


def test_a_role_is_made_given_changed_and_deleted(machine: Machine) -> None:
    machine.accounts.create_role("auditor", ["Login"])
    machine.accounts.change(READER, Change(role="auditor"), "s")
    reader = machine.accounts[READER]
    assert machine.accounts.caller(reader).privileges == {"Login"}
    machine.accounts.change_role("auditor", ["Login", "ConfigureComponents"])
    assert machine.accounts.caller(reader).privileges == {"Login", "ConfigureComponents"}, "from now on"
    assert refusal(machine.accounts.delete_role, "auditor") == ["RoleInUse"]
    machine.accounts.change(READER, Change(role="ReadOnly"), "s")
    machine.accounts.delete_role("auditor")
    assert set(machine.accounts.roles) == set(ROLES)


def test_nobody_gives_or_takes_with_a_role_what_he_does_not_have(machine: Machine) -> None:
    machine.accounts.create_role("auditor", ["Login", "ConfigureUsers"])
    manager = frozenset({"Login", "ConfigureManager"})
    for privileges in (["Login"], ["Login", "ConfigureUsers", "ConfigureComponents"]):
        assert refusal(machine.accounts.change_role, "auditor", privileges, manager) == ["InsufficientPrivilege"]


# -- lock-outs --------------------------------------------------------------------------------------------------------

FAIL, WIN = "fail", "win"
LOCKOUTS: list[tuple[str, dict[str, Any], list[Any], bool]] = [
    # what happens, and whether the account is locked then; numbers are seconds that pass
    ("twice is not enough", {}, [FAIL, FAIL], False),
    ("three times is", {}, [FAIL, FAIL, FAIL], True),
    ("success begins anew", {}, [FAIL, FAIL, WIN, FAIL, FAIL], False),
    ("time begins anew", {}, [FAIL, FAIL, 30, FAIL, FAIL], False),
    ("less time does not", {}, [FAIL, FAIL, 29, FAIL], True),
    ("it lasts", {}, [FAIL, FAIL, FAIL, 59], True),
    ("and ends", {}, [FAIL, FAIL, FAIL, 60], False),
    ("trying does not prolong it", {}, [FAIL, FAIL, FAIL, 59, FAIL, 1], False),
    ("after it one failure is one", {}, [FAIL, FAIL, FAIL, 60, FAIL, FAIL], False),
    ("a threshold of 0", {"lockout_threshold": 0}, [FAIL] * 9, False),
    ("a duration of 0", {"lockout_duration": 0, "counter_reset_after": 0}, [FAIL] * 9, False),
    ("no reset by time", {"counter_reset_after": 0}, [FAIL, FAIL, 999, FAIL], True),
    ("until somebody says so", {"counter_reset_enabled": False}, [FAIL, FAIL, 999, FAIL, 99_999], True),
]


@pytest.mark.parametrize(
    ("rules", "happens", "locked"), [row[1:] for row in LOCKOUTS], ids=[row[0] for row in LOCKOUTS]
)
def test_failed_log_ins_lock_an_account(
    machine: Machine, rules: dict[str, Any], happens: list[Any], locked: bool
) -> None:
    machine.accounts.set_rules(rules)
    for what in happens:
        if what == FAIL:
            machine.accounts.failed("operator", machine.moment)
        elif what == WIN:
            machine.accounts.succeeded(OPERATOR)
        else:
            machine.advance(what)
    operator = machine.accounts[OPERATOR]
    assert machine.accounts.is_locked(OPERATOR, machine.moment) is locked
    assert machine.accounts.may_log_in(operator, machine.moment) is not locked
    assert machine.accounts.may_log_in(machine.accounts[ROOT], machine.moment), "nobody else is"
    machine.accounts.change(OPERATOR, Change(unlock=True), "s")
    assert not machine.accounts.is_locked(OPERATOR, machine.moment)


def test_a_lock_out_is_in_the_log(machine: Machine) -> None:
    for _ in range(3):
        machine.accounts.failed("operator", machine.moment)
    machine.accounts.failed("nobody", machine.moment)
    machine.accounts.change(OPERATOR, Change(unlock=True), "s")
    assert [(entry.message.key, entry.message.args) for entry in machine.log][::-1] == [
        ("LoginsFailed", ("operator",)),
        ("AccountLocked", ("operator",)),
        ("AccountUnlocked", ("operator",)),
    ]


def test_whoever_does_not_want_to_know_keeps_nothing() -> None:
    machine = new_machine(given=delivered(AccountRules()))
    machine.accounts.failed("operator", START)
    assert (machine.version, machine.accounts.locked_until(OPERATOR)) == (0, -math.inf)


# -- sessions ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("happens", "is_open"),
    [([99], True), ([100], False), ([99, "use", 99], True), ([60, "use", 60, "use", 99], True), ([100, "use"], False)],
)
def test_a_session_lasts_while_it_is_used(machine: Machine, happens: list[Any], is_open: bool) -> None:
    session = log_in(machine)
    for what in happens:
        if what == "use" and machine.sessions.with_token("digest-1", machine.moment):
            machine.sessions.use(session, machine.moment)
        elif what != "use":
            machine.advance(what)
    assert (machine.sessions.with_token("digest-1", machine.moment) is not None) is is_open


def test_a_session_has_an_end_however_much_it_is_used(machine: Machine) -> None:
    machine.sessions.set_rules({"has_absolute_timeout": True, "absolute_timeout": 150})
    session = log_in(machine)
    machine.advance(90)
    machine.sessions.use(session, machine.moment)
    assert machine.sessions.ends_at(session) == START + 150


def test_the_last_use_is_noted_once_in_a_while(machine: Machine) -> None:
    session = log_in(machine)
    assert [machine.sessions.use(session, START + second) for second in (1, 9, 10, 11)] == [False, False, True, True]
    machine.sessions.note_use(session)
    assert [machine.sessions.use(session, START + second) for second in (12, 20, 21)] == [False, False, True]


@pytest.mark.parametrize(
    ("call", "open_sessions"),
    [
        (lambda m: m.accounts.change(OPERATOR, Change(password="secret"), "s"), ["1"]),
        (lambda m: m.accounts.change(OPERATOR, Change(password="secret"), "s", session="2"), ["1", "2"]),
        (lambda m: m.accounts.change(OPERATOR, Change(enabled=False), "s", session="2"), ["1"]),
        (lambda m: m.accounts.change(OPERATOR, Change(role="ReadOnly"), "s"), ["1", "2", "3"]),
        (lambda m: m.accounts.change(OPERATOR, Change(name="mike"), "s"), ["1", "2", "3"]),
        (lambda m: m.accounts.delete(OPERATOR), ["1"]),
        (lambda m: m.sessions.close_all(), []),
    ],
)
def test_sessions_end_with_what_they_rest_on(machine: Machine, call: Call, open_sessions: list[str]) -> None:
    log_in(machine, ROOT, 1), log_in(machine, OPERATOR, 2), log_in(machine, OPERATOR, 3)
    call(machine)
    assert list(machine.sessions) == open_sessions
    for session in machine.sessions.values():
        account = machine.accounts.of_session(session)
        assert account is not None
        assert account.name == session.user


# -- keeping ----------------------------------------------------------------------------------------------------------


def everything(machine: Machine) -> Any:
    failures = {key: machine.accounts.failures_to_plain(key) for key in ("", ROOT, OPERATOR, READER)}
    accounts = {key: account.to_plain() for key, account in machine.accounts.items()}
    sessions = [session.to_plain() for session in machine.sessions.values()]
    return accounts, dict(machine.accounts.roles), machine.accounts.rules, machine.sessions.rules, failures, sessions


def test_what_was_changed_survives_a_restart_and_nothing_else_is_stored(machine: Machine) -> None:
    store = MemoryStore()
    machine.accounts.create_role("auditor", ["Login"])
    machine.accounts.create(Change("eve", "pa55word", "auditor"), "s")
    machine.accounts.delete(READER)
    machine.accounts.change(ROOT, Change(name="boss"), "s")
    machine.accounts.create(Change("root", "secret", "Operator"), "s")
    machine.accounts.set_rules({"max_password_length": 12})
    machine.sessions.set_rules({"timeout": 50})
    log_in(machine, ROOT)
    for _ in range(3):
        machine.accounts.failed("operator", machine.moment)
    store.save("1", machine.take_changes())
    kept = store.load("1")
    again = new_machine()
    again.restore(kept)
    assert everything(again) == everything(machine)
    assert again.accounts.is_locked(OPERATOR, again.moment)
    assert ("account", OPERATOR) not in kept
    assert "pa55word" not in repr(kept)


def test_a_reset_brings_everything_back(machine: Machine) -> None:
    fresh = everything(new_machine())
    machine.accounts.create(NEW, "s")
    machine.accounts.delete(READER)
    machine.accounts.create_role("auditor", ["Login"])
    machine.accounts.set_rules({"max_password_length": 12})
    machine.accounts.failed("root", machine.moment)
    log_in(machine, "4")
    machine.accounts.reset()
    assert everything(machine) == fresh


def test_an_accounts_view_of_itself_is_a_mapping(machine: Machine) -> None:
    accounts: Accounts = machine.accounts
    assert (len(accounts), list(accounts), accounts[ROOT].name) == (3, [ROOT, OPERATOR, READER], "root")
    with pytest.raises(Rejected):
        accounts.delete(ROOT)
