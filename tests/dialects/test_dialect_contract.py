"""What every dialect promises: it has a word for everything that the program can say.

What the program can say is read from its source, so that a new message without words is found here.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Mapping
from itertools import product
from pathlib import Path
from typing import Any

import pytest

import emulator
from emulator.core import teller
from emulator.core.clock import Clock
from emulator.core.dialect import Dialect, Registry, Said
from emulator.core.engine import COURSES, REBOOT_EVENTS
from emulator.core.erase import COMPONENTS
from emulator.core.job import FINISHED, Job, Kind, State, Step
from emulator.core.machine import Machine
from emulator.core.message import Message
from emulator.core.policy import Policy
from emulator.data import data_folder, schema
from emulator.devices.attribute_registry import build_model
from emulator.devices.bios import Bios
from emulator.devices.raid.hardware import SAID
from emulator.dialects import dell, standard

SOURCE = Path(emulator.__file__).parent
SEVERITIES = {"OK", "Warning", "Critical"}
MAKERS: Mapping[str, Callable[[Mapping[str, Registry]], Dialect]] = {"dell": dell.dialect, "standard": standard.dialect}
REGISTRIES = {
    registry.prefix: registry
    for registry in (
        Registry.from_document(schema(f"registries/{path.stem}"))
        for path in sorted((data_folder("schemas") / "registries").glob("*.json"))
    )
}


@pytest.fixture(params=MAKERS)
def dialect(request: pytest.FixtureRequest) -> Dialect:
    return MAKERS[request.param](REGISTRIES)


# -- what the program says --------------------------------------------------------------------------------------------

SUCCESSES = (
    *("OperationDone", "JobDeleted", "ResourceCreated", "ControllerIsReady", "ControllerIsNotReady"),
    "StorageChangePending",
)
MAKING = {"Message": 0, "_about": 1, "says": 0, "start_job": 1, "refuse": 0, "_says": 0, "tell_once": 0}
"""Functions that make a message, and which of their arguments is the key."""
ENDINGS = {key for course in COURSES.values() for key in course.endings.values()}
KEYS_IN_VARIABLES = {
    "core/course.py": ENDINGS,
    "core/teller.py": {*teller.ENDINGS.values(), *teller.POWER.values(), *teller.HEALTH.values()},
    "core/machine.py": set(),  # start_job passes on what it is given
    "core/update.py": set(),  # gives a refusal the id of its job
    "core/profile.py": ENDINGS,
    "core/diagnostics.py": {"DiagnosticsInterrupted"},
    "core/erase.py": {key for component in COMPONENTS.values() for key in component},
    "devices/firmware.py": {"PropertyValueFormatError"},
    "devices/raid/operation.py": set(),  # refuse passes on what it is given
    "devices/raid/hardware.py": set(SAID.values()),
    "core/device.py": set(),  # _about passes on what it is given
    "devices/attribute_device.py": {"PropertyDependency", "PropertyNotWritable"},
    "devices/network_function.py": set(),  # spelled passes on what it is given
    "redfish/views/network_device_function.py": {"PropertyUnknown", "PropertyNotWritable"},
    "redfish/view.py": {"Success", *SUCCESSES},
    "core/job.py": set(),  # Job.says passes on what it is given
    "redfish/check.py": None,
    "redfish/capability.py": {
        f"PropertyValue{fault}" for fault in ("TypeError", "NotInList", "FormatError", "OutOfRange")
    },
    "dialects/dell/oem/dell_job_service.py": {"StartTimeMalformed", "UntilTimeMalformed"},
}
"""Files that make a message whose key is in a variable, and what it can be; None: all string tables of that file."""


def sources() -> Iterator[tuple[str, ast.Module]]:
    """Everything but the command line, which has no messages but sentences."""
    for file in sorted(SOURCE.rglob("*.py")):
        if file.parent.name != "cli":
            yield file.relative_to(SOURCE).as_posix(), ast.parse(file.read_text())


def name_of(call: ast.Call) -> str:
    """The last name of what is called."""
    return getattr(call.func, "id", None) or getattr(call.func, "attr", "")


def calls(tree: ast.AST) -> Iterator[tuple[ast.Call, ast.expr]]:
    """Each call that makes a message, and its key."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and name_of(node) in MAKING:
            place = MAKING[name_of(node)]
            if len(node.args) > place:
                yield node, node.args[place]


def literals(expression: ast.expr) -> list[str] | None:
    """The texts that it can be; None where that cannot be read from it alone."""
    if isinstance(expression, ast.Constant) and isinstance(expression.value, str):
        return [expression.value]
    if isinstance(expression, ast.IfExp):
        one, other = literals(expression.body), literals(expression.orelse)
        return None if one is None or other is None else one + other
    return None


def keys_said() -> dict[str, set[str]]:
    """Key -> the files that say it."""
    found: dict[str, set[str]] = {}
    for name, tree in sources():
        for _, key in calls(tree):
            texts = literals(key)
            if texts is None:
                texts = sorted(KEYS_IN_VARIABLES[name] or tables(tree)) if KEYS_IN_VARIABLES[name] != set() else []
            for text in texts:
                found.setdefault(text, set()).add(name)
    return found


def tables(tree: ast.Module) -> set[str]:
    """All texts of a file that are spelled like message keys of the Base registry."""
    texts = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    known = set(REGISTRIES["Base"].entries) | set(dell.MESSAGES)
    of_actions = {text.replace("Property", "ActionParameter", 1) for text in texts}  # as check.py spells them
    return (texts | of_actions) & known


KEYS = keys_said()


def said_by(key: str, dialect: Dialect) -> bool:
    """Whether the dialect has to have words.

    A vendor's own files speak in that vendor's dialect alone, and only some dialects name their successes.
    """
    if key in SUCCESSES and not dialect.names_success:
        return False
    return any(not name.startswith("dialects/") or name.startswith(f"dialects/{dialect.name}/") for name in KEYS[key])


def test_all_messages_of_the_program_were_found() -> None:
    assert len(KEYS) > 50
    assert {
        "PropertyUnknown",
        "JobCompleted",
        "StepFailed",
        "PropertyDependency",
        "LoginFailed",
        "InternalError",
    } <= set(KEYS)
    unread = {name for name, tree in sources() for _, key in calls(tree) if literals(key) is None}
    assert unread == set(KEYS_IN_VARIABLES)


@pytest.mark.parametrize("key", sorted(KEYS))
@pytest.mark.parametrize("name", MAKERS)
def test_every_message_can_be_said_with_entries_that_exist(name: str, key: str) -> None:
    dialect = MAKERS[name](REGISTRIES)
    if not said_by(key, dialect):
        assert KEYS[key]  # somebody else's word
        return
    args = tuple(f"<{number}>" for number in range(9))
    for view in ("", *dialect.words):
        for said in dialect.say(Message(key, args), view):
            assert said.key in REGISTRIES[said.registry].entries
            assert said.id == f"{said.registry}.{REGISTRIES[said.registry].version}.{said.key}"
            assert said.severity in SEVERITIES
            assert said.text
            assert "%" not in re.sub(r"\d ?%", "", said.text), said.text  # every placeholder is filled
            assert said.resolution


@pytest.mark.parametrize("name", MAKERS)
def test_every_refusal_has_words_so_that_it_has_a_status(name: str) -> None:
    """A job may have nothing to say of itself; a refusal may not."""
    dialect = MAKERS[name](REGISTRIES)
    own = {
        key for key in KEYS if key.startswith(("Job", "Reboot", "Update")) or key in (*SUCCESSES, "DefaultsRestored")
    }
    for key in set(KEYS) - own | {"JobStoreFull"}:
        if said_by(key, dialect):
            assert dialect.say(Message(key, ("a", "b", "c", "d"))), key


@pytest.mark.parametrize("name", MAKERS)
def test_everything_that_can_be_noted_has_words_in_the_log(name: str) -> None:
    """A log has no entries without a text."""
    dialect = MAKERS[name](REGISTRIES)
    for key in KEYS:
        if said_by(key, dialect) and any(place.startswith("core/") for place in KEYS[key]):
            assert dialect.say(Message(key, ("a", "b", "c", "d")), "Log")[0].text, key


def test_every_name_in_a_dialects_tables_exists_with_the_arguments_it_takes(dialect: Dialect) -> None:
    for table in (dialect.messages, *dialect.messages_in.values(), *dialect.messages_about.values()):
        for key, names in table.items():
            for full in names:
                name, _, chosen = full.partition(":")
                prefix, entry = name.split(".", 1)
                assert entry in REGISTRIES[prefix].entries, f"{key}: {full}"
                if chosen:
                    assert len(chosen.split(",")) == REGISTRIES[prefix].entries[entry].arguments, f"{key}: {full}"


def test_no_row_of_a_dialect_is_for_a_message_that_nobody_says(dialect: Dialect) -> None:
    spoken = set(KEYS) | {key for table in dialect.messages_in.values() for key in table}
    said = set(dialect.messages).union(*dialect.messages_about.values())
    assert said - spoken == set()


def argument_counts() -> list[tuple[str, int, str]]:
    """(key, how many arguments are given, where) of every message whose arguments are written out."""
    found = []
    for name, tree in sources():
        for call, key in calls(tree):
            texts = literals(key) or []
            function = name_of(call)
            given = call.args[MAKING[function] + 1 :]
            if function in ("says", "start_job"):
                found += [(text, 1, name) for text in texts]  # the job's id
            elif function == "_about":
                found += [(text, len(given), name) for text in texts]
            elif not given and not call.keywords:
                found += [(text, 0, name) for text in texts]
            elif given and isinstance(given[0], ast.Tuple):
                found += [(text, len(given[0].elts), name) for text in texts]
    return found


@pytest.mark.parametrize(("key", "count", "where"), sorted(set(argument_counts())))
@pytest.mark.parametrize("name", MAKERS)
def test_every_message_brings_the_arguments_that_its_words_take(name: str, key: str, count: int, where: str) -> None:
    dialect = MAKERS[name](REGISTRIES)
    if where.startswith("dialects/") and not where.startswith(f"dialects/{name}/"):
        assert not where.startswith("core/")
        return
    names = dialect.messages.get(key, (f"Base.{key}",))
    otherwise = (*dialect.messages_in.values(), *dialect.messages_about.values())
    for full in (*names, *(name for table in otherwise for name in table.get(key, ()))):
        entry, _, chosen = full.partition(":")
        prefix, short = entry.split(".", 1)
        wanted = REGISTRIES[prefix].entries[short].arguments
        if chosen:
            assert max(int(index) for index in chosen.split(",")) < count
        else:
            assert wanted <= count, f"{full} takes {wanted}"


# -- words ------------------------------------------------------------------------------------------------------------


def job(kind: Kind, state: State, reboot: str = "PowerCycle") -> Job:
    step = Step("host", "reboot", reboot, None, 0.0) if kind is Kind.REBOOT else Step("B", "set", "A", 1, 15.0)
    return Job("JID_1", kind, "BIOS.Setup.1-1", (step,), 0.0, state)


@pytest.mark.parametrize(("kind", "state"), list(product(Kind, State)))
def test_every_state_has_a_word_in_every_view(dialect: Dialect, kind: Kind, state: State) -> None:
    assert {"Job", "Task"} <= set(dialect.words)
    for view in dialect.words:
        assert dialect.word(view, job(kind, state)), view


JOB_STATES = {
    *("New", "Starting", "Running", "Suspended", "Interrupted", "Pending", "Stopping", "Completed", "Cancelled"),
    *("Exception", "Service", "UserIntervention", "Continue", "Validating"),
}
"""JobState of Job 1.3.0; TaskState has Killed instead of Validating, and these otherwise."""


@pytest.mark.parametrize("view", ["Job", "Task"])
def test_the_words_of_dmtfs_views_are_dmtfs(dialect: Dialect, view: str) -> None:
    allowed = JOB_STATES if view == "Job" else JOB_STATES - {"Validating"}
    assert set(dialect.words[view].values()) <= allowed


@pytest.mark.parametrize("view", ["Job", "Task"])
@pytest.mark.parametrize("kind", Kind)
def test_a_client_can_tell_from_the_word_whether_it_is_over(dialect: Dialect, view: str, kind: Kind) -> None:
    over = {dialect.word(view, job(kind, state)) for state in FINISHED}
    open_ = {dialect.word(view, job(kind, state)) for state in State if state not in FINISHED}
    assert not over & open_
    assert dialect.word(view, job(kind, State.COMPLETED)) not in {
        dialect.word(view, job(kind, state)) for state in (State.FAILED, State.COMPLETED_WITH_ERRORS)
    }


@pytest.mark.parametrize("reboot", sorted(REBOOT_EVENTS))
def test_every_job_has_a_name_in_every_view(dialect: Dialect, reboot: str) -> None:
    for view in dialect.words:
        assert "BIOS.Setup.1-1" in dialect.job_name(view, job(Kind.CONFIGURATION, State.NEW), "bios")
        assert reboot in dialect.job_name(view, job(Kind.REBOOT, State.NEW, reboot), "")


@pytest.mark.parametrize(
    ("state", "kind", "dmtf", "word"),
    [
        (State.NEW, Kind.CONFIGURATION, "New", "New"),
        (State.SCHEDULED, Kind.CONFIGURATION, "Starting", "Scheduled"),
        (State.RUNNING, Kind.CONFIGURATION, "Running", "Running"),
        (State.COMPLETED, Kind.CONFIGURATION, "Completed", "Completed"),
        (State.COMPLETED_WITH_ERRORS, Kind.CONFIGURATION, "Exception", "CompletedWithErrors"),
        (State.FAILED, Kind.CONFIGURATION, "Exception", "Failed"),
        (State.SCHEDULED, Kind.REBOOT, "Starting", "Scheduled"),
        (State.RUNNING, Kind.REBOOT, "Running", "RebootPending"),
        (State.COMPLETED, Kind.REBOOT, "Completed", "RebootCompleted"),
        (State.FAILED, Kind.REBOOT, "Exception", "RebootFailed"),
    ],
)
def test_the_words_of_a_lifecycle_controller(state: State, kind: Kind, dmtf: str, word: str) -> None:
    spoken = dell.dialect(REGISTRIES)
    assert [spoken.word(view, job(kind, state)) for view in ("Job", "Task", "DellJob")] == [dmtf, dmtf, word]


# -- texts that clients compare ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "message_id", "text"),
    [
        ("JobNew", "IDRAC.2.7.JCP033", None),
        ("JobScheduled", "IDRAC.2.7.JCP001", "Task successfully scheduled."),
        ("JobRunning", "IDRAC.2.7.PR20", "Job in progress."),
        ("JobCompleted", "IDRAC.2.7.PR19", "Job completed successfully."),
        ("JobCompletedWithErrors", "IDRAC.2.7.PR31", "Job completed with errors."),
        ("JobFailed", "IDRAC.2.7.PR21", "Job failed."),
        ("RebootPending", "IDRAC.2.7.RED029", "A reboot is pending."),
        ("RebootCompleted", "IDRAC.2.7.RED030", "Reboot is complete."),
        ("NothingPending", "IDRAC.2.7.BIOS008", "No pending data present to create a Configuration job."),
        ("JobDeleted", "IDRAC.2.7.SUP020", "The specified job was deleted"),
        ("OperationDone", "IDRAC.2.7.SYS413", "The operation successfully completed."),
        ("PendingCommitted", "IDRAC.2.7.SYS011", None),
    ],
)
def test_a_lifecycle_controller_says_exactly(key: str, message_id: str, text: str | None) -> None:
    said = dell.dialect(REGISTRIES).say(Message(key), "DellJob")[0]
    assert said.id == message_id
    if text is not None:
        assert said.text.rstrip(".") == text.rstrip(".")
        assert said.text == text or key == "JobDeleted"  # that one is captured with and without its full stop


@pytest.mark.parametrize(
    ("view", "key", "message_id"),
    [
        ("Job", "JobRunning", "JobEvent.1.1.JobStarted"),
        ("Job", "JobCompleted", "JobEvent.1.1.JobCompletedOK"),
        ("Job", "JobCompletedWithErrors", "JobEvent.1.1.JobCompletedException"),
        ("Job", "JobFailed", "JobEvent.1.1.JobCompletedException"),
        ("Task", "JobRunning", "TaskEvent.1.0.TaskStarted"),
        ("Task", "JobCompleted", "TaskEvent.1.0.TaskCompletedOK"),
        ("Task", "JobCompletedWithErrors", "TaskEvent.1.0.TaskAborted"),
        ("Task", "JobFailed", "TaskEvent.1.0.TaskAborted"),
    ],
)
def test_plain_redfish_says_it_with_dmtfs_event_registries(view: str, key: str, message_id: str) -> None:
    (said,) = standard.dialect(REGISTRIES).say(Message(key, ("JID_1",)), view)
    assert said.id == message_id
    assert "JID_1" in said.text


@pytest.mark.parametrize("faults", [[], ["A"], ["*"]])
def test_how_the_last_job_went_is_said_without_gaps(dialect: Dialect, faults: list[str]) -> None:
    """What `@Redfish.Settings` shows: every argument that the words take is there."""
    model = build_model({"A": "x", "B": "y"}, None)
    clock = Clock(lambda: 0.0, rate=0, start=1.7e9)
    machine = Machine("1", clock, [Bios("BIOS.Setup.1-1", model)], policy=Policy())
    for step in faults:
        machine.add_fault("*", step, None, None)
    machine.stage("BIOS.Setup.1-1", {"A": "1", "B": "2"})
    machine.create_configuration_job("BIOS.Setup.1-1", "root")
    machine.advance(10)
    machine.reset("ForceRestart")
    machine.advance(1000)
    for message in machine.results["BIOS.Setup.1-1"].messages:
        for said in dialect.say(message):
            assert all(said.args), said


# -- a message id given from outside ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("native", "expected"),
    [
        ("PR21", ("IDRAC", "PR21", "IDRAC.2.7.PR21")),
        ("PropertyNotUpdated", ("Base", "PropertyNotUpdated", "Base.1.22.PropertyNotUpdated")),
        ("Contoso.1.0.Smoke", ("Contoso.1.0", "Smoke", "Contoso.1.0.Smoke")),
        ("SMOKE01", ("Unknown", "SMOKE01", "SMOKE01")),
        ("IDRAC.2.7.PR21", ("IDRAC", "PR21", "IDRAC.2.7.PR21")),
    ],
)
def test_a_planned_faults_own_message_is_said_whatever_it_is(
    dialect: Dialect, native: str, expected: tuple[str, str, str]
) -> None:
    (said,) = dialect.say(Message("StepFailed", ("A",), native=native))
    assert (said.registry, said.key, said.id) == expected
    assert said.text
    assert said.severity in SEVERITIES


def test_arguments_stand_where_the_text_wants_them() -> None:
    registry = Registry.from_document(
        {
            "RegistryPrefix": "Base",
            "RegistryVersion": "1.2.3",
            "Messages": {
                "Two": {
                    "Message": "%2 is not %1: %1.",
                    "MessageSeverity": "OK",
                    "Resolution": "None.",
                    "NumberOfArgs": 2,
                }
            },
        }
    )
    dialect = Dialect("x", {"Base": registry}, {"Swapped": ("Base.Two:1,0",)}, {}, {})
    table: list[tuple[Message, str]] = [
        (Message("Two", ("a", "b")), "b is not a: a."),
        (Message("Swapped", ("a", "b")), "a is not b: b."),
        (Message("Two", ("a", "b", "c")), "b is not a: a."),
        (Message("Two", ("%2", "%1")), "%1 is not %2: %2."),  # an argument is no text to fill in
        (Message("Two", ("a",)), " is not a: a."),
    ]
    for message, text in table:
        (said,) = dialect.say(message)
        assert said.text == text
        assert isinstance(said, Said)
        assert len(said.args) == 2


def test_a_dialects_policy_is_a_policy(dialect: Dialect) -> None:
    defaults: Any = Policy()
    assert type(dialect.policy) is type(defaults)
    assert dialect.policy.apply_staged_on_reset is (dialect.name == "standard")
