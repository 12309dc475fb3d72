"""Two BIOS jobs from beginning to end, driven with DMTF's `redfish` library as any controller would be.

Starts an emulator, lets its clock run sixty times as fast, stages BIOS values, makes a targeted configuration job,
resets the host and follows the job to its end; then does it again with a step that is planned to fail.

    python examples/bios_job.py                              starts an emulator of its own
    python examples/bios_job.py --url https://127.0.0.1:8443  uses one that is running (lifecycle-server)
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import redfish
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn
from rich.table import Table

SYSTEM = "/redfish/v1/Systems/System.Embedded.1"
MANAGER = "/redfish/v1/Managers/iDRAC.Embedded.1"
SETTINGS = f"{SYSTEM}/Bios/Settings"
JOBS = f"{MANAGER}/Oem/Dell/Jobs"
USER, PASSWORD = "root", "calvin"
RATE = 60
POLL_SECONDS = 0.1
PATIENCE_SECONDS = 60
FINISHED = ("Completed", "CompletedWithErrors", "Failed")

GOOD = {"ProcVirtualization": "Disabled", "NumLock": "Off", "AcPwrRcvryUserDelay": 240, "AssetTag": "rack 7, unit 12"}
HALF_GOOD = {"LogicalProc": "Disabled", "SriovGlobalEnable": "Enabled", "MemTest": "Enabled"}
FAILING = "SriovGlobalEnable"

console = Console(highlight=False)


@contextmanager
def emulator() -> Iterator[str]:
    """Run one for as long as the block lasts; gives its URL."""
    command = [sys.executable, "-m", "emulator", "serve", "--port", "0", "--state", "memory"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        found = next((m for line in process.stdout if (m := re.search(r"serving +(https://[^/]+)", line))), None)
        if found is None:
            raise SystemExit("the emulator did not start")
        yield found[1]
    finally:
        process.terminate()
        process.wait(timeout=10)


def ask(client: Any, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
    """One request; a refusal ends the program with what the service said."""
    answer = getattr(client, method)(path, **({} if body is None else {"body": dict(body)}))
    if answer.status >= 400:
        raise SystemExit(f"{method.upper()} {path}: {answer.status}\n{answer.text}")
    return answer


def make_job(client: Any, values: Mapping[str, Any]) -> str:
    """Stage the values and make the job that will apply them; gives the job's URI."""
    ask(client, "patch", SETTINGS, {"Attributes": dict(values)})
    return str(ask(client, "post", JOBS, {"TargetSettingsURI": SETTINGS}).getheader("Location"))


def follow(client: Any, job: str, progress: Progress, title: str) -> dict[str, Any]:
    """Poll a job until it has finished, and show how it goes."""
    bar = progress.add_task(title, total=100, state="", virtual="")
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        found: dict[str, Any] = ask(client, "get", job).dict
        now = ask(client, "get", MANAGER).dict["DateTime"]
        progress.update(bar, completed=found["PercentComplete"], state=found["JobState"], virtual=now[11:19])
        if found["JobState"] in FINISHED:
            return found
        time.sleep(POLL_SECONDS)
    raise SystemExit(f"{job} did not finish within {PATIENCE_SECONDS} seconds")


def run_job(client: Any, values: Mapping[str, Any], progress: Progress, title: str) -> dict[str, Any]:
    """Make a job, reset the host, follow the job."""
    job = make_job(client, values)
    ask(client, "post", f"{SYSTEM}/Actions/ComputerSystem.Reset", {"ResetType": "ForceRestart"})
    return follow(client, job, progress, title)


def show_changes(before: Mapping[str, Any], after: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    """What is in force now, beside what was before and what was asked for."""
    table = Table("BIOS attribute", "before", "wanted", "now", title="Values in force", title_justify="left")
    for name, value in wanted.items():
        good = after[name] == value
        table.add_row(name, str(before[name]), str(value), f"[{'green' if good else 'red'}]{after[name]}")
    console.print(table)


def explain(client: Any, job: Mapping[str, Any]) -> None:
    """Why a job did not end well: the messages of its DMTF view."""
    seen = ask(client, "get", f"/redfish/v1/JobService/Jobs/{job['Id']}").dict
    console.print(f"\n{job['Id']} ended [yellow]{job['JobState']}[/] (DMTF: {seen['JobState']}): {job['Message']}")
    for message in seen["Messages"]:
        console.print(f"  {message['MessageId']}  {message['Message']}")


def attributes(client: Any) -> dict[str, Any]:
    """The BIOS values in force."""
    return dict(ask(client, "get", f"{SYSTEM}/Bios").dict["Attributes"])


def demonstrate(url: str) -> None:
    """Both jobs against the service at `url`."""
    client = redfish.redfish_client(base_url=url, username=USER, password=PASSWORD, max_retry=1, timeout=10)
    client.login(auth="session")
    ask(client, "post", "/jobfish/v1/clock", {"rate": RATE})
    before = attributes(client)
    columns = (
        TextColumn("{task.description:<22}"),
        BarColumn(30),
        TaskProgressColumn(),
        TextColumn("{task.fields[state]:<19}"),
        TextColumn("virtual time {task.fields[virtual]}"),
    )
    with Progress(*columns, console=console) as progress:
        run_job(client, GOOD, progress, "all steps go well")
        ask(client, "post", "/jobfish/v1/faults", {"target": "BIOS.Setup.1-1", "step": FAILING, "count": 1})
        half = run_job(client, HALF_GOOD, progress, f"{FAILING} fails")
    show_changes(before, attributes(client), {**GOOD, **HALF_GOOD})
    explain(client, half)
    client.logout()


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Two BIOS jobs, from beginning to end.")
    parser.add_argument("--url", help="an emulator that is running; default: start one")
    url = parser.parse_args().url
    if url:
        demonstrate(url)
        return
    with emulator() as own:
        demonstrate(own)


if __name__ == "__main__":
    main()
