"""What the validators are to find: no service at rest, but jobs, tasks, a subscription and pending settings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import requests
import urllib3

from conformance.tools import PASSWORD, USER

ROOT = "/redfish/v1"
TIMEOUT_SECONDS = 30


class Client:
    """Asks the service, as its administrator."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._session = requests.Session()
        self._session.auth = (USER, PASSWORD)
        self._session.verify = False
        self._session.trust_env = False
        urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)  # the certificate signs itself

    def get(self, uri: str) -> Any:
        """A resource."""
        return self.ask("GET", uri).json()

    def ask(self, method: str, uri: str, body: Mapping[str, Any] | None = None) -> requests.Response:
        """The answer, which must be a good one."""
        answer = self._session.request(method, self._url + uri, json=body, timeout=TIMEOUT_SECONDS)
        if not answer.ok:
            raise RuntimeError(f"{method} {uri}: {answer.status_code} {answer.text[:500]}")
        return answer

    def members(self, uri: str) -> list[str]:
        """Where the members of a collection are."""
        return [member["@odata.id"] for member in self.get(uri)["Members"]]


def bring_about(url: str) -> list[str]:
    """Let there be jobs that have ended, wait, run and recur, staged values, a subscription; returns what there is."""
    client = Client(url)
    client.ask("POST", "/jobfish/v1/clock", {"advance": 1})
    system = client.members(f"{ROOT}/Systems")[0]
    return [*_jobs(client, system), *_work(client, system), *_recurrence(client, system), _subscription(client)]


def _jobs(client: Client, system: str) -> Iterator[str]:
    settings, changes = _changes(client, system)
    client.ask("POST", "/jobfish/v1/faults", {"target": "*", "step": changes[0][0], "count": 1})
    _stage(client, settings, dict(changes))
    client.ask("POST", f"{system}/Actions/ComputerSystem.Reset", {"ResetType": "ForceRestart"})
    client.ask("POST", "/jobfish/v1/clock", {"advance": 1_200})
    yield "a job that has ended with errors"
    _stage(client, settings, dict(changes[:1]))
    yield f"one that waits, with {changes[0][0]} staged"


def _work(client: Client, system: str) -> Iterator[str]:
    """Let a volume be initialized, where there is one."""
    for storage in client.members(f"{system}/Storage"):
        volumes = client.get(storage).get("Volumes", {}).get("@odata.id")
        for volume in client.members(volumes) if volumes else ():
            target = client.get(volume).get("Actions", {}).get("#Volume.Initialize", {}).get("target")
            if target:
                client.ask("POST", target, {"InitializeType": "Slow"})
                yield "one at work on a volume"
                return


def _recurrence(client: Client, system: str) -> Iterator[str]:
    service = client.get(f"{ROOT}/JobService")
    if service.get("ServiceCapabilities", {}).get("UserSpecifiedJobs"):
        restart = {"TargetUri": f"{system}/Actions/ComputerSystem.Reset", "HttpOperation": "POST"}
        wanted = {"Payload": restart, "Schedule": {"InitialStartTime": "2036-01-01T02:00:00Z"}}
        client.ask("POST", f"{ROOT}/JobService/Jobs", wanted)
        yield "one that recurs"


def _stage(client: Client, settings: str, values: Mapping[str, Any]) -> None:
    """Stage values, and have a job for them."""
    apply_time = {"@Redfish.SettingsApplyTime": {"ApplyTime": "OnReset"}}
    client.ask("PATCH", settings, {"Attributes": values, **apply_time})


def _changes(client: Client, system: str) -> tuple[str, list[tuple[str, Any]]]:
    """The BIOS's settings resource, and three attributes with values that they do not have."""
    bios = client.get(client.get(system)["Bios"]["@odata.id"])
    registry = _registry(client, bios["AttributeRegistry"])
    found = []
    for entry in registry["RegistryEntries"]["Attributes"]:
        name = entry["AttributeName"]
        others = [
            value["ValueName"] for value in entry.get("Value", ()) if value["ValueName"] != bios["Attributes"].get(name)
        ]
        if entry["Type"] == "Enumeration" and others and name in HARMLESS and not entry.get("ReadOnly"):
            found.append((name, others[0]))
    return bios["@Redfish.Settings"]["SettingsObject"]["@odata.id"], found[:3]


HARMLESS = ("NumLock", "ProcVirtualization", "ErrPrompt", "MemTest", "EmbSata")
"""Attributes on which no other depends, of which most servers have some."""


def _registry(client: Client, name: str) -> Any:
    """The attribute registry of this name; captured services write its version in ways of their own."""
    for uri in client.members(f"{ROOT}/Registries"):
        file = client.get(uri)
        if file["Id"].partition(".")[0] == name.partition(".")[0]:
            return client.get(file["Location"][0]["Uri"])
    raise RuntimeError(f"there is no registry {name}")


def _subscription(client: Client) -> str:
    wanted = {"Destination": "http://127.0.0.1:9/", "Protocol": "Redfish", "Context": "conformance"}
    client.ask("POST", f"{ROOT}/EventService/Subscriptions", wanted)
    return "a subscription whose destination does not answer"
