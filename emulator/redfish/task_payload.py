"""The request that a job was made by: what Task's Payload shows of it (Task v1_3_0).

It is kept with the job, so it holds no secret: of the headers only those that are known to hold none, of the body
neither what its schema calls write-only nor what is called like a password or a key, and of a URI nobody's credentials.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Set
from typing import Any

import orjson
from flask import Request

from emulator.core.job import Job, Kind
from emulator.data import schema
from emulator.redfish import user_specified_job
from emulator.redfish.view import Call, Document, Verb

HEADERS = ("Accept", "Content-Type", "Host", "If-Match", "OData-Version", "User-Agent")
"""Which headers are kept: whatever else a client sends may be a secret."""
HEADER_MAX = 200
BODY_MAX = 4096
"""In bytes: a longer body is left out, because half of one is no JSON."""
HIDDEN = "******"
PRIVATE = frozenset({Kind.EXPORT, Kind.IMPORT, Kind.PREVIEW})
"""Jobs whose payload is hidden: it holds a whole profile, or the one word by which clients know that they have one."""
_SECRET = re.compile(r"passw|passphrase|secret|token|credential|psid|keys?$", re.IGNORECASE)
_USER_INFO = re.compile(r"((?<=//)[^/]*|^[^/]*:[^/]*)@")
"""Before the host of a URI, or of what becomes one with its protocol: up to the last @ there."""


def note_request(call: Call, verb: Verb, request: Request, newest: int) -> None:
    """Keep the request with all jobs that it has made: those after the one with the serial `newest`.

    What a recurring job makes was asked for at another time.
    """
    made = [job for job in call.machine.queue.made_since(newest) if "parent" not in job.details]
    if not made:
        return
    headers = ((name, request.headers.get(name)) for name in HEADERS)
    shown: Document = {
        "TargetUri": call.uri,
        "HttpOperation": request.method,
        "HttpHeaders": [f"{name}: {value[:HEADER_MAX]}" for name, value in headers if value],
    }
    if not any(job.kind in PRIVATE for job in made):
        body = orjson.dumps(_without_secrets(_body(call), {*_write_only(verb.payload), *_passwords(call, made)}))
        if len(body) <= BODY_MAX:
            shown["JsonBody"] = body.decode()
    for job in made:
        call.machine.came_from(job, shown)


def payload_of(job: Job) -> Document:
    """HidePayload, and Payload unless it is hidden; {} for what the service does by itself."""
    if job.kind is Kind.RECURRING:
        return user_specified_job.payload(job)
    if job.request is None:
        return {}
    if job.kind in PRIVATE:
        return {"HidePayload": True}
    return {"HidePayload": False, "Payload": dict(job.request)}


def _body(call: Call) -> Mapping[str, Any]:
    """The request's JSON: its body, or that part of a form."""
    parameters = call.upload.get("parameters")
    return parameters if isinstance(parameters, Mapping) else call.body


def _passwords(call: Call, made: Iterable[Job]) -> Iterator[str]:
    """The attributes of the type Password of what these jobs configure."""
    for target in {job.target for job in made if job.target in call.machine.devices}:
        described = call.machine.devices[target].describe()
        yield from (name for name, attribute in described.items() if attribute.type == "Password")


def _without_secrets(value: Any, write_only: Set[str]) -> Any:
    if isinstance(value, Mapping):
        return {
            name: HIDDEN if name in write_only or _SECRET.search(name) else _without_secrets(inner, write_only)
            for name, inner in value.items()
        }
    if isinstance(value, list | tuple):
        return [_without_secrets(inner, write_only) for inner in value]
    return _USER_INFO.sub("", value) if isinstance(value, str) else value


def _write_only(payload: str | None) -> Iterator[str]:
    """The names of all properties that a body's schema calls write-only, those of schemas that it refers to too."""
    seen: set[str] = set()
    waiting = [payload] if payload else []
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            yield from _secrets(schema(f"payloads/{name}"), waiting)


def _secrets(part: Any, referred: list[str]) -> Iterator[str]:
    if isinstance(part, list):
        for inner in part:
            yield from _secrets(inner, referred)
    if not isinstance(part, dict):
        return
    if isinstance(part.get("$ref"), str) and not part["$ref"].startswith("#"):
        referred.append(part["$ref"].partition("#")[0])
    for name, inner in part.items():
        if isinstance(inner, dict) and inner.get("writeOnly") is True:
            yield name
        yield from _secrets(inner, referred)
