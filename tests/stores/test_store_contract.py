"""What every store promises. A new kind of store is one more line in STORES."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emulator.core.store import Entity, Store, StoreError
from emulator.stores.memory import MemoryStore
from emulator.stores.sql import SqlStore

JOB: Entity = ("job", "JID_746727125416")
HOST: Entity = ("host", "host")


def sql(path: Path) -> SqlStore:
    return SqlStore(path / "state.sqlite", made_for="rack-server-1")


STORES: dict[str, Callable[[Path], Store]] = {"memory": lambda _: MemoryStore(), "sql": sql}


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    made = STORES[request.param](tmp_path)
    yield made
    made.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state.sqlite"


# -- every store ------------------------------------------------------------------------------------------------------


def test_a_machine_that_was_never_saved_has_nothing(store: Store) -> None:
    assert dict(store.load("1")) == {}
    assert list(store.machines()) == []


def test_what_was_saved_is_loaded(store: Store) -> None:
    data = {"text": "Ä\u0000\n", "number": -1.5, "big": 2**53, "none": None, "yes": True, "list": [1, [2, {"a": "b"}]]}
    store.save("1", [(JOB, data), (HOST, {})])
    assert dict(store.load("1")) == {JOB: data, HOST: {}}
    assert list(store.machines()) == ["1"]


def test_machines_do_not_see_each_other(store: Store) -> None:
    store.save("1", [(JOB, {"of": 1})])
    store.save("2", [(JOB, {"of": 2})])
    store.save("1", [(JOB, None)])
    assert dict(store.load("1")) == {}
    assert dict(store.load("2")) == {JOB: {"of": 2}}
    assert list(store.machines()) == ["2"]


@pytest.mark.parametrize(
    ("saves", "left"),
    [
        ([[(JOB, {"n": 1})], [(JOB, {"n": 2})]], {JOB: {"n": 2}}),
        ([[(JOB, {"n": 1})], [(JOB, None)]], {}),
        ([[(JOB, {"n": 1})], [(JOB, None)], [(JOB, {"n": 3})]], {JOB: {"n": 3}}),
        ([[(JOB, None)]], {}),
        ([[(JOB, {"n": 1}), (HOST, {"n": 2})], [(JOB, None), (HOST, {"n": 3})]], {HOST: {"n": 3}}),
        ([[(JOB, {"n": 1, "m": 2})], [(JOB, {"n": 1})]], {JOB: {"n": 1}}),  # the whole new data, not a part
        ([[]], {}),
        ([[(("job", "a:b"), {}), (("job:a", "b"), {})]], {("job", "a:b"): {}, ("job:a", "b"): {}}),
        ([[(("job", ""), {"n": 1}), (("", "job"), {"n": 2})]], {("job", ""): {"n": 1}, ("", "job"): {"n": 2}}),
    ],
)
def test_the_last_word_on_an_entity_counts(
    store: Store, saves: list[list[tuple[Entity, Any]]], left: dict[Entity, Any]
) -> None:
    for changes in saves:
        store.save("1", changes)
    assert dict(store.load("1")) == left


def test_data_is_copied_on_its_way_in(store: Store) -> None:
    data: dict[str, Any] = {"steps": [1]}
    store.save("1", [(JOB, data)])
    data["steps"].append(2)
    data["more"] = True
    assert store.load("1")[JOB] == {"steps": [1]}


def test_data_is_copied_on_its_way_out(store: Store) -> None:
    store.save("1", [(JOB, {"steps": [1]})])
    loaded: Any = store.load("1")
    loaded[JOB]["steps"].append(2)
    loaded[HOST] = {}
    assert dict(store.load("1")) == {JOB: {"steps": [1]}}


@pytest.mark.parametrize("wrong", [object(), {1: 2}, {"a": {1, 2}}, {"a": 2**70}])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_save_is_done_whole_or_not_at_all(store: Store, wrong: Any, place: int) -> None:
    before = {JOB: {"n": 1}, HOST: {"n": 1}}
    store.save("1", list(before.items()))
    changes: list[tuple[Entity, Any]] = [(JOB, {"n": 2}), (HOST, None)]
    changes.insert(place, (("job", "bad"), wrong))
    with pytest.raises(TypeError):
        store.save("1", changes)
    assert dict(store.load("1")) == before
    store.save("1", [(JOB, {"n": 3})])  # and the store goes on
    assert store.load("1")[JOB] == {"n": 3}


def test_many_threads_that_save_at_once_lose_nothing(store: Store) -> None:
    threads, saves = 16, 40
    ready = threading.Barrier(threads)
    wrong: list[BaseException] = []

    def work(number: int) -> None:
        try:
            ready.wait()
            for count in range(saves):
                changes: list[tuple[Entity, Any]] = [(HOST, {"n": count}), (("job", str(count)), {"by": number})]
                if count:
                    changes.append((("due", str(count - 1)), None))
                changes.append((("due", str(count)), {}))
                store.save(str(number), changes)
                assert store.load(str(number))[HOST] == {"n": count}  # what save returned from is there
        except BaseException as error:  # noqa: BLE001 - a thread's failure is the test's
            wrong.append(error)

    workers = [threading.Thread(target=work, args=(number,)) for number in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(30)
    assert wrong == []
    for number in range(threads):
        assert dict(store.load(str(number))) == {
            HOST: {"n": saves - 1},
            ("due", str(saves - 1)): {},
            **{("job", str(count)): {"by": number} for count in range(saves)},
        }


ENTITIES = st.tuples(st.sampled_from(["job", "due"]), st.sampled_from("abc"))
SAVES = st.lists(
    st.tuples(
        st.sampled_from("12"),
        st.dictionaries(ENTITIES, st.none() | st.dictionaries(st.sampled_from("xy"), st.integers(0, 9)), max_size=4),
    ),
    max_size=12,
)


@given(SAVES)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_store_does_what_dictionaries_would_do(
    store: Store, saves: list[tuple[str, dict[Entity, dict[str, int] | None]]]
) -> None:
    for machine in ("1", "2"):
        store.save(machine, [(entity, None) for entity in store.load(machine)])
    model: dict[str, dict[Entity, dict[str, int]]] = {"1": {}, "2": {}}
    for machine, changes in saves:
        store.save(machine, list(changes.items()))
        for entity, plain in changes.items():
            model[machine].pop(entity, None)
            if plain is not None:
                model[machine][entity] = plain
    assert {machine: dict(store.load(machine)) for machine in model} == model
    assert sorted(store.machines()) == [machine for machine, entities in model.items() if entities]


# -- the one that outlives the process --------------------------------------------------------------------------------


def test_what_was_saved_is_there_after_the_store_was_closed(path: Path) -> None:
    for count in range(3):
        store = SqlStore(path, made_for="rack-server-1")
        assert len(store.load("1")) == count
        store.save("1", [(("job", str(count)), {"n": count})])
        store.close()
    store = SqlStore(path, made_for="rack-server-1")
    assert dict(store.load("1")) == {("job", str(count)): {"n": count} for count in range(3)}
    store.close()


def test_what_save_returned_from_is_in_the_file_at_once(path: Path) -> None:
    """Another reader of the file sees it, before the store is closed."""
    store = SqlStore(path, made_for="rack-server-1")
    store.save("1", [(JOB, {"n": 1})])
    with sqlite3.connect(path) as reader:
        assert reader.execute("select machine, kind, id, body from entities").fetchall() == [("1", *JOB, b'{"n":1}')]
        assert reader.execute("pragma journal_mode").fetchone() == ("wal",)
    reader.close()
    store.close()


def test_fresh_forgets_what_the_file_holds(path: Path) -> None:
    store = SqlStore(path, made_for="rack-server-1")
    store.save("1", [(JOB, {})])
    store.close()
    store = SqlStore(path, made_for="rack-server-1", fresh=True)
    assert list(store.machines()) == []
    store.close()


@pytest.mark.parametrize("leftover", ["", "-wal", "-shm"])
def test_fresh_begins_anew_whatever_lies_there(path: Path, leftover: str) -> None:
    path.with_name(path.name + leftover).write_bytes(b"not a database, and quite long enough to be looked at" * 100)
    store = SqlStore(path, made_for="rack-server-1", fresh=True)
    store.save("1", [(JOB, {})])
    assert dict(store.load("1")) == {JOB: {}}
    store.close()


def test_the_folder_is_made(tmp_path: Path) -> None:
    store = SqlStore(tmp_path / "a" / "b" / "state.sqlite", made_for="x")
    store.close()
    assert (tmp_path / "a" / "b" / "state.sqlite").is_file()


@pytest.mark.parametrize("folder", ["with space", "100%", "a#b", "what?", "ä", "a&b=c"])
def test_a_folder_may_have_any_name(tmp_path: Path, folder: str) -> None:
    path = tmp_path / folder / "state.sqlite"
    store = SqlStore(path, made_for="x")
    store.save("1", [(JOB, {})])
    store.close()
    assert path.stat().st_size > 0
    store = SqlStore(path, made_for="x")
    assert dict(store.load("1")) == {JOB: {}}
    store.close()


# -- refusals ---------------------------------------------------------------------------------------------------------


def refusal(path: Path, **options: Any) -> StoreError:
    with pytest.raises(StoreError) as refused:
        SqlStore(path, **{"made_for": "rack-server-1", **options})
    text = str(refused.value)
    assert str(path) in text
    assert "\n" not in text  # one line
    assert "--" in text  # and it says what to do
    return refused.value


@pytest.mark.parametrize("fresh", [False, True])
def test_a_file_that_is_in_use_is_refused_and_stays_as_it_is(path: Path, fresh: bool) -> None:
    store = SqlStore(path, made_for="rack-server-1")
    store.save("1", [(JOB, {})])
    assert "in use" in str(refusal(path, fresh=fresh))
    assert dict(store.load("1")) == {JOB: {}}
    store.save("1", [(HOST, {})])
    store.close()
    again = SqlStore(path, made_for="rack-server-1")
    assert set(again.load("1")) == {JOB, HOST}
    again.close()


def test_the_state_of_another_mockup_is_refused_and_stays_as_it_is(path: Path) -> None:
    store = SqlStore(path, made_for="lifecycle-server-2")
    store.save("1", [(JOB, {})])
    store.close()
    assert "lifecycle-server-2" in str(refusal(path))
    again = SqlStore(path, made_for="lifecycle-server-2")
    assert dict(again.load("1")) == {JOB: {}}
    again.close()


@pytest.mark.parametrize(
    "content",
    [b"not a database" * 1000, b"SQLite format 3\0" + b"\xff" * 5000, b"\0" * 4096],
    ids=["text", "a broken head", "zeroes"],
)
def test_a_file_that_is_no_state_is_refused_and_stays_as_it_is(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    assert "--fresh" in str(refusal(path))
    assert path.read_bytes() == content


def test_a_database_of_somebody_else_is_refused_or_left_alone(path: Path) -> None:
    with sqlite3.connect(path) as other:
        other.execute("create table entities (name text)")
        other.execute("insert into entities values ('mine')")
    other.close()
    refused_at = None
    try:
        store = SqlStore(path, made_for="rack-server-1")
        refused_at = "use"
        try:
            store.save("1", [(JOB, {})])
        finally:
            store.close()
    except StoreError:
        refused_at = refused_at or "opening"
    assert refused_at is not None
    with sqlite3.connect(path) as other:
        assert other.execute("select name from entities").fetchall() == [("mine",)]
    other.close()


def test_a_refused_state_can_be_opened_by_its_owner_while_the_refusal_is_still_being_reported(path: Path) -> None:
    """The one that was refused lets go of the file, whoever still holds its exception."""
    SqlStore(path, made_for="lifecycle-server-2").close()
    refused = refusal(path)
    store = SqlStore(path, made_for="lifecycle-server-2")
    store.close()
    assert str(refused)


def test_what_cannot_be_written_is_a_refusal_and_the_store_goes_on(path: Path) -> None:
    store = SqlStore(path, made_for="rack-server-1")
    store.save("1", [(JOB, {"n": 1})])
    with sqlite3.connect(path) as other:  # as a full disk would
        other.execute("create trigger full before update on entities begin select raise(abort, 'disk full'); end")
    with pytest.raises(StoreError, match="disk full"):
        store.save("1", [(HOST, {}), (JOB, {"n": 2})])
    assert dict(store.load("1")) == {JOB: {"n": 1}}  # nothing of that save
    with sqlite3.connect(path) as other:
        other.execute("drop trigger full")
    other.close()
    store.save("1", [(JOB, {"n": 3})])
    assert dict(store.load("1")) == {JOB: {"n": 3}}
    store.close()


def test_a_save_after_the_end_is_refused_and_does_not_wait_for_ever(path: Path) -> None:
    """At the end of the process a request may still be on its way."""
    store = SqlStore(path, made_for="rack-server-1")
    store.close()
    refused: list[StoreError] = []

    def late() -> None:
        try:
            store.save("1", [(JOB, {})])
        except StoreError as error:
            refused.append(error)

    thread = threading.Thread(target=late, daemon=True)
    thread.start()
    thread.join(2)
    assert not thread.is_alive()
    assert len(refused) == 1
