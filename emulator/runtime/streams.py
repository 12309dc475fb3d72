"""Server-sent events: open connections on which events are written as they happen (DSP0266, "Server-sent events").

A stream is an iterator of bytes that the server's own thread for its connection reads. It waits until something
happens on its machine, and writes a comment where nothing does for a while: that is how the server notices that nobody
is at the other end any more. It ends when its subscription is gone, and takes its subscription along when its
connection ends.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from threading import Event, Lock

from emulator.core.machine import Machine
from emulator.core.message import Message, Rejected
from emulator.core.subscription import Subscription
from emulator.runtime.fleet import Fleet, Seat
from emulator.runtime.payload import NextPayload

KEEP_ALIVE_SECONDS = 5.0
BEGINNING, KEEP_ALIVE = b": events\n\n", b": still here\n\n"


class Streams:
    """The open streams of a fleet."""

    def __init__(self, fleet: Fleet, next_payload: NextPayload, most: int) -> None:
        """`most`: how many may be open at once, in the whole process: each one takes a thread of the server."""
        self._fleet = fleet
        self._next_payload = next_payload
        self._most = most
        self._lock = Lock()
        self._open: dict[int, dict[str, Stream]] = {}
        """By controller's number, then by subscription."""
        self._count = 0
        self.is_stopped = False

    def start(self) -> None:
        """Begin to listen to the fleet's turns."""
        self._fleet.on_events.append(self._noted)

    def stop(self) -> None:
        """All of them end now, and no new one begins."""
        self.is_stopped = True
        with self._lock:
            streams = [stream for streams in self._open.values() for stream in streams.values()]
        for stream in streams:
            stream.stir()
        if self._noted in self._fleet.on_events:
            self._fleet.on_events.remove(self._noted)

    def open(self, seat: Seat, machine: Machine, subscribe: Callable[[], Subscription]) -> Stream:
        """The stream of a subscription that `subscribe` makes in this turn of the machine.

        Raises:
            Rejected: CreateLimitReachedForResource, or as `subscribe`.
        """
        with self._lock:
            if self._count >= self._most or self.is_stopped:
                raise Rejected(Message("CreateLimitReachedForResource"))
            self._count += 1
        try:
            subscription_id = subscribe().id
        except BaseException:
            with self._lock:
                self._count -= 1
            raise
        stream = Stream(self, seat, subscription_id)
        with self._lock:
            self._open.setdefault(seat.number, {})[subscription_id] = stream
        return stream

    def written(self, stream: Stream, machine: Machine, subscription: Subscription) -> bytes | None:
        """What a stream is to be sent next: b"" where there may be more, None where there is nothing now."""
        payload = self._next_payload(stream.seat.number, machine, subscription)
        if payload is None:
            return None
        if not payload.body:
            return b""
        machine.subscriptions.delivered(subscription, payload.last)
        return b"id: %d\ndata: %b\n\n" % (payload.last, payload.body)

    def closed(self, stream: Stream) -> None:
        """A connection has ended."""
        with self._lock:
            known = self._open.get(stream.seat.number, {}).pop(stream.subscription_id, None)
            if known is None:
                return
            self._count -= 1
        with stream.seat.turn() as machine:
            machine.subscriptions.remove(stream.subscription_id)

    def _noted(self, seat: Seat, machine: Machine) -> None:
        """A turn is over; the seat's lock is held."""
        streams = self._open.get(seat.number)
        if not streams:
            return
        with self._lock:
            found = list(streams.values())
        for stream in found:
            subscription = machine.subscriptions.get(stream.subscription_id)
            if subscription is None or machine.subscriptions.has_work(subscription):
                stream.stir()


class Stream:
    """One open stream: what its connection is sent, piece by piece."""

    def __init__(self, streams: Streams, seat: Seat, subscription_id: str) -> None:
        self._streams = streams
        self.seat = seat
        self.subscription_id = subscription_id
        self._stirred = Event()
        self._has_begun = False

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        """The next piece, as soon as there is one; at the end the subscription goes."""
        if not self._has_begun:
            self._has_begun = True
            return BEGINNING
        try:
            return self._next()
        except BaseException:
            self.close()
            raise

    def stir(self) -> None:
        """There may be something to write, or this is the end."""
        self._stirred.set()

    def close(self) -> None:
        """The connection has ended."""
        self._streams.closed(self)

    def _next(self) -> bytes:
        written: bytes | None = None
        while not self._streams.is_stopped:
            self._stirred.clear()
            with self.seat.turn() as machine:
                subscription = machine.subscriptions.get(self.subscription_id)
                if subscription is not None:
                    written = self._streams.written(self, machine, subscription)
            if subscription is None:
                break
            if written:
                return written
            if written is None and not self._stirred.wait(KEEP_ALIVE_SECONDS):
                return KEEP_ALIVE
        raise StopIteration
