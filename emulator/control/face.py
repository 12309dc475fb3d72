"""The control face: what no real controller has, and every test wants.

    GET  /jobfish/v1/clock                 {"now", "epoch", "rate", "next_due"}
    POST /jobfish/v1/clock                 {"advance": 90} and/or {"rate": 60}
    GET  /jobfish/v1/faults                {"faults": [...]}
    POST /jobfish/v1/faults                {"target", "step", "message_id"?, "count"?}
    DELETE /jobfish/v1/faults[/{id}]
    GET  /jobfish/v1/devices               {"devices": [{"id", "kind", "events": {name: [parts]}}]}
    POST /jobfish/v1/devices/{id}/events   {"event", "part"}: let something befall the hardware

It wants the same credentials as Redfish: any account may look, ConfigureManager may change. A refusal is
{"error": {"message", "details"}}.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import orjson
from flask import Flask, Response, request
from werkzeug.exceptions import RequestEntityTooLarge

from emulator.core.access import Caller
from emulator.core.device import Device
from emulator.core.machine import Machine
from emulator.data import payload_validator
from emulator.runtime.authentication import Authenticator
from emulator.runtime.body import DRAIN_BODIES, BodyError, drain
from emulator.runtime.fleet import Fleet, Seat
from emulator.runtime.limits import Limits

log = logging.getLogger(__name__)

ROOT = "/jobfish/v1"
DETAILS_MAX = 10


class Refused(Exception):  # noqa: N818 - it is an answer
    """The request cannot be done: a status, a sentence, and what is wrong in detail."""

    def __init__(
        self, status: int, message: str, details: list[str] | None = None, headers: Iterable[tuple[str, str]] = ()
    ) -> None:
        super().__init__(message)
        self.status = status
        self.headers = dict(headers)
        self.body = {"error": {"message": message, "details": details or []}}


class ControlFace:
    """Serves the control routes for all machines of a fleet."""

    def __init__(self, fleet: Fleet, authenticator: Authenticator, limits: Limits) -> None:
        self._fleet = fleet
        self._authenticator = authenticator
        self._limits = limits

    def mount(self, app: Flask) -> None:
        """Answer for everything below /jobfish/v1."""
        routes: list[tuple[str, str, Callable[..., Response]]] = [
            ("GET", "/clock", self.get_clock),
            ("POST", "/clock", self.post_clock),
            ("GET", "/faults", self.get_faults),
            ("POST", "/faults", self.post_fault),
            ("DELETE", "/faults", self.delete_faults),
            ("DELETE", "/faults/<rule_id>", self.delete_fault),
            ("GET", "/devices", self.get_devices),
            ("POST", "/devices/<device_id>/events", self.post_event),
        ]
        for method, path, view in routes:
            name = f"{method} {path}"
            app.add_url_rule(
                ROOT + path,
                name,
                _answering(view, DRAIN_BODIES * self._limits.body_bytes),
                methods=[method],
                strict_slashes=False,
            )

    def get_clock(self) -> Response:
        """What time it is on the machine, and when the next thing is due there."""
        with self._seat("Login").turn() as machine:
            return _json(_clock(machine))

    def post_clock(self) -> Response:
        """Advance, then set the rate; answers when everything that became due has happened."""
        seat, caller = self._entered("ConfigureManager")
        body = _body("Clock.post", self._limits)
        if not body:
            raise Refused(400, "say what to do: advance (seconds) or rate (virtual seconds per real second)")
        with seat.turn() as machine:
            try:
                if "advance" in body:
                    machine.advance(body["advance"])
                    _still_here(machine, caller)
            except ValueError as error:
                return _refused(Refused(400, str(error)))
            if "rate" in body:
                machine.set_rate(body["rate"])
            return _json(_clock(machine))

    def get_faults(self) -> Response:
        """The planned faults."""
        with self._seat("Login").turn() as machine:
            return _json({"faults": [rule.to_plain() for rule in machine.faults]})

    def post_fault(self) -> Response:
        """Plan a fault: 201 with the rule."""
        seat = self._seat("ConfigureManager")
        body = _body("Fault.post", self._limits)
        with seat.turn() as machine:
            rule = machine.add_fault(body["target"], body["step"], body.get("message_id"), body.get("count"))
            return _json(rule.to_plain(), 201, {"Location": f"{ROOT}/faults/{rule.id}"})

    def delete_faults(self) -> Response:
        """Forget all planned faults."""
        with self._seat("ConfigureManager").turn() as machine:
            for rule in list(machine.faults):
                machine.remove_fault(rule.id)
            return Response(status=204)

    def delete_fault(self, rule_id: str) -> Response:
        """Forget one planned fault."""
        with self._seat("ConfigureManager").turn() as machine:
            found = machine.remove_fault(rule_id)
        if not found:
            raise Refused(404, f"there is no fault {rule_id}")
        return Response(status=204)

    def get_devices(self) -> Response:
        """The living devices, and what can befall each of them now."""
        with self._seat("Login").turn() as machine:
            return _json({"devices": [_device(device) for device in machine.devices.values()]})

    def post_event(self, device_id: str) -> Response:
        """Let something befall the hardware: 200 with the device as it is then."""
        seat = self._seat("ConfigureManager")
        body = _body("DeviceEvent.post", self._limits)
        with seat.turn() as machine:
            device = machine.devices.get(device_id)
            if device is None:
                return _refused(Refused(404, f"there is no device {device_id}", sorted(machine.devices)))
            event, part = body["event"], body["part"]
            possible = device.events()
            if event not in possible:
                return _refused(Refused(400, f"{event} cannot befall {device_id} now", sorted(possible)))
            if part not in possible[event]:
                return _refused(Refused(400, f"{event} cannot befall {part} now", sorted(possible[event])))
            machine.befall(device_id, event, part)
            return _json(_device(device))

    def _seat(self, privilege: str) -> Seat:
        return self._entered(privilege)[0]

    def _entered(self, privilege: str) -> tuple[Seat, Caller]:
        seat = self._fleet.seat_for(request.host)
        if seat is None:
            raise Refused(404, f"no controller is served at {request.host}")
        headers = request.headers
        account = self._authenticator.identify(seat, headers.get("Authorization"), headers.get("X-Auth-Token"))
        if account is None:
            challenge = self._authenticator.challenge(seat, "jobfish")
            raise Refused(401, "log in: Basic credentials or X-Auth-Token", headers=challenge)
        if account.must_change_password:
            raise Refused(403, f"{account.name} has to change the password first")
        if privilege not in account.privileges:
            raise Refused(403, f"{account.name} ({account.role}) may not do this: it needs {privilege}")
        return seat, account


def _still_here(machine: Machine, caller: Caller) -> None:
    """Whoever asks for a jump of the clock has not been idle during it."""
    session = machine.sessions.get(caller.session_id or "")
    if session is not None and machine.sessions.use(session, machine.moment):
        machine.sessions.note_use(session)


def _clock(machine: Machine) -> dict[str, Any]:
    due = machine.next_due()
    return {
        "now": _iso(machine.moment),
        "epoch": machine.moment,
        "rate": machine.clock.rate,
        "next_due": None if due is None else _iso(due),
    }


def _device(device: Device) -> dict[str, Any]:
    events = {event: list(parts) for event, parts in device.events().items() if parts}
    return {"id": device.id, "kind": device.kind, "events": events}


def _iso(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds")


def _body(name: str, limits: Limits) -> Mapping[str, Any]:
    content = request.get_data(cache=False)
    if len(content) >= limits.body_bytes:
        raise RequestEntityTooLarge
    try:
        found = orjson.loads(content or b"{}")
    except orjson.JSONDecodeError as error:
        raise Refused(400, f"the body is not JSON: {error.msg}") from error
    wrong = [
        f"{'/'.join(str(part) for part in error.absolute_path) or 'body'}: {error.message}"[:200]
        for error in payload_validator(name).iter_errors(found)
    ]
    if wrong:
        raise Refused(400, "the body is not as it should be", wrong[:DETAILS_MAX])
    checked: Mapping[str, Any] = found
    return checked


def _json(body: Mapping[str, Any], status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return Response(orjson.dumps(body), status, dict(headers or {}), content_type="application/json")


def _refused(refusal: Refused) -> Response:
    return _json(refusal.body, refusal.status, refusal.headers)


def _answering(view: Callable[..., Response], drained: int) -> Callable[..., Response]:
    def answer(**params: str) -> Response:
        try:
            return view(**params)
        except RequestEntityTooLarge:
            drain(request.environ, drained)
            return _refused(Refused(413, "the body is too large"))
        except BodyError:
            return _refused(Refused(400, "the body did not arrive"))
        except Refused as refusal:
            return _refused(refusal)
        except Exception:
            log.exception("%s %s", request.method, request.path)
            return _refused(Refused(500, "internal error; see the log"))

    return answer
