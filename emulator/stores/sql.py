"""A store in a database, through SQLAlchemy Core: SQLite, embedded, by default.

One table holds all entities of all machines. One thread writes. What arrives while it is writing goes into the next
transaction together (group commit), so many machines share the price of one flush to disk; each `save` returns only
once its own transaction is durable: SQLite runs in WAL mode with synchronous=FULL.
"""

from __future__ import annotations

import fcntl
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

import orjson
from sqlalchemy import (
    Column,
    LargeBinary,
    MetaData,
    String,
    Table,
    bindparam,
    create_engine,
    event,
    select,
)
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.engine import URL, Connection, Engine
from sqlalchemy.exc import DatabaseError

from emulator.core.store import Changes, Entity, StoreError

GROUP_ROWS_MAX = 20_000
"""A transaction takes in no further save once it has this many rows."""
CACHE_KIB = 65_536

METADATA = MetaData()
ENTITIES = Table(
    "entities",
    METADATA,
    Column("machine", String, primary_key=True),
    Column("kind", String, primary_key=True),
    Column("id", String, primary_key=True),
    Column("body", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)
ABOUT = Table("about", METADATA, Column("name", String, primary_key=True), Column("value", String, nullable=False))


class _Save:
    """One `save` on its way to the disk."""

    __slots__ = ("done", "error", "gone", "rows")

    def __init__(self, rows: list[tuple[Any, ...]], gone: list[tuple[Any, ...]]) -> None:
        self.rows = rows
        self.gone = gone
        self.done = threading.Event()
        self.error: BaseException | None = None


class SqlStore:
    """Entities in a SQLite file."""

    def __init__(self, path: Path, *, made_for: str, fresh: bool = False) -> None:
        """Open or make the file. `made_for` names the mockup: state of one cannot be used with another. `fresh`: forget
        what the file holds.

        Raises:
            StoreError: another process has it open, it belongs to another mockup, or it is no such file.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock_file = _lock(path)
        if fresh:
            for ending in ("", "-wal", "-shm"):
                path.with_name(path.name + ending).unlink(missing_ok=True)
        url = URL.create("sqlite", database=str(path))  # a path may hold what has a meaning in a URL
        self._engine = create_engine(url, connect_args={"check_same_thread": False})
        event.listen(self._engine, "connect", _set_up)
        try:
            self._open(path, made_for)
        except StoreError:
            self._let_go()
            raise
        upsert = insert(ENTITIES)
        upsert = upsert.on_conflict_do_update(
            index_elements=["machine", "kind", "id"], set_={"body": upsert.excluded.body}
        )
        gone = [ENTITIES.c[name] == bindparam(f"{name}_") for name in ("machine", "kind", "id")]
        self._upsert = _compiled(self._engine, upsert)
        self._delete = _compiled(self._engine, ENTITIES.delete().where(*gone))
        self._closing = threading.Lock()
        self._closed = False
        self._waiting: SimpleQueue[_Save | None] = SimpleQueue()
        self._writer = threading.Thread(target=self._write, name="store-writer", daemon=True)
        self._writer.start()

    def machines(self) -> Iterable[str]:
        """The ids of the machines that have anything stored."""
        with self._engine.connect() as connection:
            return [row.machine for row in connection.execute(select(ENTITIES.c.machine).distinct())]

    def load(self, machine: str) -> Mapping[Entity, Mapping[str, Any]]:
        """All entities of a machine."""
        wanted = select(ENTITIES.c.kind, ENTITIES.c.id, ENTITIES.c.body).where(ENTITIES.c.machine == machine)
        with self._engine.connect() as connection:
            return {(row.kind, row.id): orjson.loads(row.body) for row in connection.execute(wanted)}

    def save(self, machine: str, changes: Changes) -> None:
        """Make the changes durable; waits for the transaction that holds them.

        Raises:
            StoreError: they could not be written.
        """
        rows: list[tuple[Any, ...]] = []
        gone: list[tuple[Any, ...]] = []
        for (kind, key), plain in changes:
            if plain is None:
                gone.append((machine, kind, key))
            else:
                rows.append((machine, kind, key, orjson.dumps(plain)))
        save = _Save(rows, gone)
        with self._closing:
            if self._closed:
                raise StoreError("the state could not be written: the store is closed")
            self._waiting.put(save)
        save.done.wait()
        if save.error is not None:
            raise StoreError(f"the state could not be written: {save.error}")

    def close(self) -> None:
        """Finish what was begun and let go of the file."""
        with self._closing:
            if self._closed:
                return
            self._closed = True
            self._waiting.put(None)
        self._writer.join()
        self._let_go()

    def _let_go(self) -> None:
        self._engine.dispose()
        self._lock_file.close()

    def _write(self) -> None:
        open_ = True
        with self._engine.connect() as connection:
            while open_:
                group, open_ = self._next_group()
                if group:
                    _commit(connection, group, self._upsert, self._delete)

    def _next_group(self) -> tuple[list[_Save], bool]:
        """What arrived since the last transaction, at least one save; False when the store is to close."""
        save = self._waiting.get()
        group: list[_Save] = []
        rows = 0
        while save is not None:
            group.append(save)
            rows += len(save.rows)
            if rows >= GROUP_ROWS_MAX:
                return group, True
            try:
                save = self._waiting.get_nowait()
            except Empty:
                return group, True
        return group, False

    def _open(self, path: Path, made_for: str) -> None:
        try:
            METADATA.create_all(self._engine)
            self._check_owner(path, made_for)
        except DatabaseError as error:
            raise StoreError(f"{path}: not a state file that can be used ({error.orig}); try --fresh") from error

    def _check_owner(self, path: Path, made_for: str) -> None:
        with self._engine.begin() as connection:
            found = connection.execute(select(ABOUT.c.value).where(ABOUT.c.name == "mockup")).scalar()
            if found is None:
                connection.execute(ABOUT.insert().values(name="mockup", value=made_for))
            elif found != made_for:
                raise StoreError(f"{path}: this state belongs to another mockup ({found}); use --fresh to start anew")


def _compiled(engine: Engine, statement: Any) -> str:
    """The statement in the database's own words, once: SQLAlchemy would spell it anew for each transaction.

    Its parameters stand in the order machine, kind, id, body.
    """
    compiled = statement.compile(engine)
    assert [name.rstrip("_") for name in compiled.positiontup] == ["machine", "kind", "id", "body"][
        : len(compiled.positiontup)
    ]
    return str(compiled)


def _commit(connection: Connection, group: list[_Save], upsert: str, delete: str) -> None:
    error: BaseException | None = None
    try:
        # in the order of arrival, deletions and rows of each save: the last word on an entity is the one that stays
        for save in group:
            if save.gone:
                connection.exec_driver_sql(delete, save.gone)
            if save.rows:
                connection.exec_driver_sql(upsert, save.rows)
        connection.commit()
    except Exception as failure:  # noqa: BLE001 - whoever waits must be told, and the writer must go on
        connection.rollback()
        error = failure
    for save in group:
        save.error = error
        save.done.set()


def _set_up(connection: Any, _: Any) -> None:
    for setting in ("journal_mode=WAL", "synchronous=FULL", f"cache_size=-{CACHE_KIB}", "busy_timeout=5000"):
        connection.execute(f"PRAGMA {setting}")


def _lock(path: Path) -> Any:
    """Two processes on one state would each undo what the other does."""
    lock = path.with_suffix(".lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.close()
        raise StoreError(
            f"{path}: in use by another jobfish; give this one a --state folder of its own, or --state memory"
        ) from error
    return lock
