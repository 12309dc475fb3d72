"""Transfers at work: fetches and sends what the machines' jobs want, and tells them how it goes.

A machine lists its transfers (`core/transfer.py`); after each turn this looks for new ones. A few daemon threads do the
work, outside of any turn. What arrives is looked at as it comes and not kept: of a firmware package only its header.
"""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from queue import SimpleQueue
from threading import Event, Lock, Thread
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

from emulator.core.job import Job
from emulator.core.transfer import Transfer
from emulator.formats import catalog as catalogs
from emulator.formats.image import ImageError, Inspector
from emulator.formats.profile import BYTES_MAX as PROFILE_BYTES_MAX
from emulator.formats.profile import ProfileError, parse
from emulator.formats.storage_profile import settings
from emulator.runtime.fleet import Fleet, Seat
from emulator.runtime.limits import Limits
from emulator.runtime.networks import Networks

log = logging.getLogger(__name__)

WORKERS_MAX = 8
PROGRESS_SECONDS = 0.2
"""How often progress is told where it cannot be told in percent."""

RenderExport = Callable[[int, Job, str], tuple[bytes, str]]
"""(a controller's number, an export job, the local time as text) -> what it sends as a file, and its media type."""


class Errand(NamedTuple):
    """One transfer for one machine."""

    seat: Seat
    transfer: Transfer

    @property
    def key(self) -> tuple[int, str, int]:
        """Tells one attempt of a transfer from all others."""
        return self.seat.number, self.transfer.job_id, self.transfer.attempt


class Transfers:
    """Does the transfers of a fleet."""

    def __init__(
        self, fleet: Fleet, networks: Networks, render_export: RenderExport, image_bytes: int = Limits().image_bytes
    ) -> None:
        """`image_bytes` is how large a firmware package may be."""
        self._fleet = fleet
        self._networks = networks
        self._render_export = render_export
        self._image_bytes = image_bytes
        self._lock = Lock()
        self._known: set[tuple[int, str, int]] = set()
        self._queue: SimpleQueue[Errand | None] = SimpleQueue()
        self._workers: list[Thread] = []
        self._stop = Event()

    def start(self) -> None:
        """Begin to listen to the fleet's turns."""
        self._fleet.on_transfers = self._noted

    def stop(self) -> None:
        """Begin no more, and let go of what is under way."""
        self._fleet.on_transfers = None
        self._stop.set()
        for _ in self._workers:
            self._queue.put(None)

    def _noted(self, seat: Seat) -> None:
        """A turn is over, and its machine has transfers; the seat's lock is held."""
        machine = seat.machine
        if machine is None or machine.controller.is_away:
            return
        for transfer in machine.transfers.values():
            # a copy: the machine may begin it again while it is at work
            errand = Errand(seat, replace(transfer))
            with self._lock:
                if errand.key in self._known:
                    continue
                self._known.add(errand.key)
                if len(self._workers) < WORKERS_MAX:
                    # a daemon: a server that is silent must not keep the process from ending
                    self._workers.append(Thread(target=self._work, name="transfer", daemon=True))
                    self._workers[-1].start()
            self._queue.put(errand)

    def _work(self) -> None:
        while (errand := self._queue.get()) is not None and not self._stop.is_set():
            try:
                self._carry_out(errand)
            except Exception:
                log.exception("a transfer for controller %d could not be told", errand.seat.number)
            finally:
                with self._lock:
                    self._known.discard(errand.key)

    def _carry_out(self, errand: Errand) -> None:
        from emulator.runtime.transfer import TransferError  # noqa: PLC0415 - 80 ms that most starts are spared

        job_id, attempt = errand.transfer.job_id, errand.transfer.attempt
        content: Mapping[str, Any] | None = None
        reason = "the emulator failed; its own log says how"
        try:
            content = _PURPOSES[errand.transfer.purpose](self, errand)
        except TransferError as error:
            reason = str(error)
        except Exception:
            log.exception("a transfer of %s for controller %d", job_id, errand.seat.number)
        if self._stop.is_set():
            return  # what the process's own end cut short begins again with the next one
        with errand.seat.turn() as machine:
            if content is not None:
                machine.transfer_done(job_id, attempt, content)
            else:
                machine.transfer_failed(job_id, attempt, reason)

    def _image(self, errand: Errand) -> Mapping[str, Any]:
        inspector, algorithm = Inspector(), errand.transfer.digest
        digest = hashlib.new(algorithm, usedforsecurity=False) if algorithm else None

        def take(chunk: bytes) -> None:
            inspector.feed(chunk)
            if digest is not None:
                digest.update(chunk)

        self._fetch(errand, take, self._image_bytes)
        package = package_of(inspector, unquote(urlsplit(errand.transfer.uri).path.rpartition("/")[2]))
        return package if digest is None else {**package, "digest": digest.hexdigest()}

    def _catalog(self, errand: Errand) -> Mapping[str, Any]:
        reader, uri = catalogs.Reader(), errand.transfer.uri
        self._fetch(errand, reader.feed, catalogs.BYTES_MAX)
        try:
            found = reader.finish()
        except catalogs.CatalogError as error:
            return {"error": str(error)}
        located = ((package, catalogs.location(found, package, uri)) for package in found.packages)
        return {"packages": [{**package.to_plain(), "uri": place} for package, place in located]}

    def _profile(self, errand: Errand) -> Mapping[str, Any]:
        content = bytearray()
        self._fetch(errand, content.extend, PROFILE_BYTES_MAX)
        try:
            profile = parse(bytes(content))
        except ProfileError as error:
            return {"error": str(error)}
        return {"settings": [list(setting) for setting in settings(profile)]}

    def _export(self, errand: Errand) -> Mapping[str, Any]:
        from emulator.runtime.transfer import put  # noqa: PLC0415 - as above

        with errand.seat.turn() as machine:
            job = machine.queue.get(errand.transfer.job_id)
            file = self._render_export(errand.seat.number, job, machine.show_time(machine.moment)) if job else None
        if file is not None:
            uri, credentials = errand.transfer.uri, errand.transfer.credentials
            put(uri, file[0], networks=self._networks, credentials=credentials, content_type=file[1])
        return {}

    def _fetch(self, errand: Errand, take: Callable[[bytes], object], bytes_max: int) -> None:
        from emulator.runtime.transfer import fetch  # noqa: PLC0415 - as above

        unwanted = Event()
        progress = _Progress(errand, unwanted)

        def sink(chunk: bytes, total: int | None) -> None:
            take(chunk)
            progress.moved(len(chunk), total)
            if self._stop.is_set():
                unwanted.set()

        transfer = errand.transfer
        fetch(
            transfer.uri,
            sink,
            networks=self._networks,
            bytes_max=bytes_max,
            credentials=transfer.credentials,
            stop=unwanted,
        )


class _Progress:
    """Tells the machine how far a transfer is, now and then, and notices when nobody wants it any more."""

    def __init__(self, errand: Errand, unwanted: Event) -> None:
        self._errand = errand
        self._unwanted = unwanted
        self._received = 0
        self._told = -1
        """Percent."""
        self._told_at = 0.0

    def moved(self, more: int, total: int | None) -> None:
        """So many more bytes are there."""
        self._received += more
        now, percent = time.monotonic(), self._received * 100 // total if total else -1
        if percent == self._told and now - self._told_at < PROGRESS_SECONDS:
            return
        self._told, self._told_at = percent, now
        seat, transfer = self._errand
        with seat.turn() as machine:
            if not machine.transfer_moves(transfer.job_id, transfer.attempt, self._received, total):
                self._unwanted.set()


def package_of(inspector: Inspector, source: str) -> dict[str, Any]:
    """What an update job is told of a package (`core/update.py`); `source` is its file's name."""
    package: dict[str, Any] = {"size": inspector.received, "source": source, "header": None}
    try:
        header = inspector.finish()
    except ImageError as error:
        package["error"] = str(error)
    else:
        package["header"] = header.to_plain() if header else None
    return package


_PURPOSES: Mapping[str, Callable[[Transfers, Errand], Mapping[str, Any]]] = {
    "image": Transfers._image,
    "catalog": Transfers._catalog,
    "profile": Transfers._profile,
    "export": Transfers._export,
}
