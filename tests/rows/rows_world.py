"""What the rows share: a controller under any policy, and a desk on which jobs have names.

The tables of the row modules read (situation, call, status, message ids, states of the jobs afterwards). Situations and
calls are functions of a `Desk`; a state is the DellJob's JobState, or GONE.
"""

from __future__ import annotations

import io
import re
import zipfile
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import orjson
from images import package

from emulator.data import data_folder

MOCKUP = data_folder("mockups") / "lifecycle-server"
POWER_CYCLE = "PowerCycle"
GRACEFUL = "GracefulRebootWithoutForcedShutdown"
FORCED = "GracefulRebootWithForcedShutdown"

VALIDATE, SHUTDOWN, OFF, POST, BOOT, STEP, INSTALL = 3, 20, 5, 90, 45, 15, 120
"""How long things take on this machine, in virtual seconds."""
MINUTE, HOUR, DAY = 60, 3600, 86400
DONE = ["Base.Success", "IDRAC.SYS413"]
DELETED = ["Base.Success", "IDRAC.SUP020"]
GONE = "gone"

BIOS, RAID, NIC, POWER_SUPPLY, OTHER_SUPPLY = (
    "BIOS.Setup.1-1",
    "RAID.Integrated.1-1",
    "NIC.Embedded.1-1-1",
    "PSU.Slot.1",
    "PSU.Slot.2",
)
"""Components: the first three are updated by the host while it starts, power supplies by the controller at any time."""
CONFIG, REBOOT, UPDATE, SUPPLY = "configuration", "reboot", "update", "power supply"
"""Names of jobs, where a table needs no better ones."""

JOB_SERVICE, TASK_SERVICE = "/redfish/v1/JobService/Jobs", "/redfish/v1/TaskService/Tasks"
QUEUE_TIME, JOB_TIME = "%Y%m%d%H%M%S", "%Y-%m-%dT%H:%M:%S"
"""How SetupJobQueue and a DellJob write local time."""


def controller(make_bmc: Any, folder: Path, *, policy: Any = None, host: Any = None, offset: int = -300) -> Desk:
    """A lifecycle server whose machine.toml says this; `folder` is one for the test alone."""
    text = re.sub(r"\[policy\]\n(\w.*\n)*", "", (MOCKUP / "machine.toml").read_text())
    text = text.replace("utc_offset_minutes = -300", f"utc_offset_minutes = {offset}")
    for name, values in {"policy": policy or {}, "host": host or {}}.items():
        text += f"\n[{name}]\n" + "".join(f"{key} = {orjson.dumps(value).decode()}\n" for key, value in values.items())
    mockup = folder / "lifecycle-server.zip"
    mockup.write_bytes(_resources())
    with zipfile.ZipFile(mockup, "a") as archive:
        archive.writestr("machine.toml", text)
    return Desk(make_bmc(mockup=str(mockup)))


@cache
def _resources() -> bytes:
    """The mockup without its manifest, packed."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in (MOCKUP / "redfish").rglob("*"):
            archive.write(file, file.relative_to(MOCKUP))
    return packed.getvalue()


def refused(desk: Desk, call: Any) -> Any:
    """The answer to a call that changes nothing."""
    before = desk.bmc.state()
    answer = call(desk)
    assert desk.bmc.state() == before
    return answer


def image(component: str, version: str, **header: Any) -> bytes:
    """A firmware package; by itself it says that it needs a restart unless it is for a power supply."""
    return package(component, version, **{"needs_reboot": component not in (POWER_SUPPLY, OTHER_SUPPLY), **header})


class Desk:
    """A controller whose test begins at a whole second, and its jobs by name."""

    def __init__(self, bmc: Any) -> None:
        self.bmc = bmc
        self.jobs: dict[str, str] = {}
        epoch = self._epoch()
        bmc.advance(-epoch % 1)
        self._start = self._epoch()
        assert self._start % 1 == 0

    # -- time

    def _epoch(self) -> float:
        return float(self.bmc.get("/jobfish/v1/clock").body["epoch"])

    @property
    def now(self) -> float:
        """Seconds from the start of the test."""
        return self._epoch() - self._start

    def until(self, seconds: float) -> None:
        """Let time pass until so many seconds from the start of the test."""
        self.bmc.advance(self._start + seconds - self._epoch())

    def local(self, seconds: float, form: str = QUEUE_TIME) -> str:
        """The controller's local time so many seconds from the start of the test."""
        there = datetime.fromisoformat(self.bmc.get(self.bmc.manager).body["DateTime"])
        return (there + timedelta(seconds=seconds - self.now)).strftime(form)

    def with_offset(self, seconds: float) -> str:
        """The same as Redfish writes it: with the controller's offset."""
        return self.local(seconds, JOB_TIME) + str(self.bmc.get(self.bmc.manager).body["DateTimeLocalOffset"])

    # -- doing: each gives the answer, and remembers the job that was made

    def _made(self, name: str, answer: Any) -> Any:
        if answer.status < 300:
            self.jobs[name] = answer.headers["Location"].rpartition("/")[2]
        return answer

    def stage(self, **values: Any) -> Any:
        return self.bmc.patch_bios(**(values or {"NumLock": "Off"}))

    def create(self, name: str = CONFIG, *, at: str = "", **body: Any) -> Any:
        """POST …/Jobs for what is staged; the reboot job that comes with it is named REBOOT."""
        before = self._ids()
        made = self._made(name, self.bmc.post(at or self.bmc.jobs, {"TargetSettingsURI": self.bmc.settings, **body}))
        self._name_reboot(before)
        return made

    def config(self, name: str = CONFIG, values: Any = None, **body: Any) -> Any:
        """Stage values, and make the job for them."""
        assert self.stage(**(values or {})).status == 200
        return self.create(name, **body)

    def apply(self, apply_time: str, name: str = CONFIG, values: Any = None, **window: Any) -> Any:
        """PATCH with an apply time."""
        before = self._ids()
        settings = {"Attributes": {"NumLock": "Off"} if values is None else values}
        settings["@Redfish.SettingsApplyTime"] = {"ApplyTime": apply_time, **window}
        made = self._made(name, self.bmc.patch(self.bmc.settings, settings))
        self._name_reboot(before)
        return made

    def reboot_job(self, kind: str = POWER_CYCLE, name: str = REBOOT) -> Any:
        return self._made(name, self.bmc.act("CreateRebootJob", RebootJobType=kind))

    def push(
        self, component: str = BIOS, version: str = "99.9", *, name: str = "", file: bytes = b"", **parameters: Any
    ) -> Any:
        """MultipartUpload of a package; `apply` and `window` are short for the two annotations."""
        before = self._ids()
        for short, annotation in (("apply", "OperationApplyTime"), ("window", "MaintenanceWindow")):
            if short in parameters:
                parameters[f"@Redfish.{annotation}"] = parameters.pop(short)
        form = {
            "UpdateParameters": (io.BytesIO(orjson.dumps(parameters)), "parameters.json", "application/json"),
            "UpdateFile": (io.BytesIO(file or image(component, version)), "image.bin", "application/octet-stream"),
        }
        name = name or (SUPPLY if component in (POWER_SUPPLY, OTHER_SUPPLY) else UPDATE)
        made = self._made(name, self.bmc.post("/redfish/v1/UpdateService/MultipartUpload", data=form))
        self._name_reboot(before)
        return made

    def simple_update(self, uri: str, name: str = UPDATE, **parameters: Any) -> Any:
        body = {"ImageURI": uri, **parameters}
        action = "/redfish/v1/UpdateService/Actions/UpdateService.SimpleUpdate"
        return self._made(name, self.bmc.post(action, body))

    def queue(self, *names: str, start: Any = "TIME_NOW", until: Any = None, **more: Any) -> Any:
        """SetupJobQueue of these jobs, or ids; `start` and `until` are texts, or seconds from the start of the test."""
        times = {"StartTimeInterval": start, "UntilTime": until}
        given = {key: value if isinstance(value, str) else self.local(value) for key, value in times.items() if value}
        return self.bmc.act("SetupJobQueue", JobArray=[self.jobs.get(name, name) for name in names], **given, **more)

    def delete(self, name: str, view: str = "{oem}") -> Any:
        """Delete a job in one of VIEWS."""
        job_id = self.jobs.get(name, name)
        if view == QUEUE:
            return self.bmc.act("DeleteJobQueue", JobID=job_id)
        return self.bmc.delete(f"{self.place(view)}/{job_id}")

    def clear_pending(self) -> Any:
        return self.bmc.post(f"{self.bmc.settings}/Actions/Oem/DellManager.ClearPending", {})

    def reset_bios(self) -> Any:
        return self.bmc.post(f"{self.bmc.bios}/Actions/Bios.ResetBios")

    def change_password(self) -> Any:
        change = {"PasswordName": "SetupPassword", "OldPassword": "", "NewPassword": "Fish-4711"}
        return self.bmc.post(f"{self.bmc.bios}/Actions/Bios.ChangePassword", change)

    def ignore_shutdown(self) -> None:
        """Let the host ignore the next request to shut down."""
        fault = {"target": "host", "step": "shutdown", "count": 1}
        assert self.bmc.post("/jobfish/v1/faults", fault).status == 201

    def restart(self, kind: str = "ForceRestart") -> Any:
        answer = self.bmc.reset(kind)
        assert answer.status == 204, answer.body
        return answer

    def _ids(self) -> set[str]:
        return {place.rpartition("/")[2] for place in self.listed()}

    def _name_reboot(self, before: set[str]) -> None:
        for job_id in self._ids() - before:
            if job_id.startswith("RID_"):
                self.jobs[REBOOT] = job_id

    # -- looking

    def place(self, view: str) -> str:
        """The collection of a view."""
        return view.format(oem=self.bmc.jobs, older=f"{self.bmc.manager}/Jobs")

    def listed(self, view: str = "{oem}") -> list[str]:
        """The URIs of the jobs in a view."""
        return [member["@odata.id"] for member in self.bmc.get(self.place(view)).body["Members"]]

    def job(self, name: str) -> dict[str, Any]:
        """A job as a DellJob."""
        return dict(self.bmc.job(self.jobs.get(name, name)))

    def state(self, name: str) -> str:
        answer = self.bmc.get(f"{self.bmc.jobs}/{self.jobs[name]}")
        return GONE if answer.status == 404 else str(answer.body["JobState"])

    def states(self) -> dict[str, str]:
        """The state of every job that has a name."""
        return {name: self.state(name) for name in self.jobs}

    def says(self, name: str) -> tuple[str, str]:
        """State and message id of a job."""
        found = self.job(name)
        return found["JobState"], found["MessageId"]

    def order(self) -> list[str]:
        """The jobs that have run, in the order in which they began."""
        began = {name: self.job(name)["ActualRunningStartTime"] for name in self.jobs}
        return sorted((name for name in began if began[name]), key=lambda name: str(began[name]))

    def numbers(self) -> dict[str, int]:
        """The job service's numbers."""
        found = self.bmc.get(self.bmc.job_service).body
        return {name: value for name, value in found.items() if isinstance(value, int)}

    def logged(self, message: str = "") -> list[tuple[str, list[str]]]:
        """What the lifecycle log says, the oldest first: message ids without versions, and arguments; or one message's."""
        found = self.bmc.get(f"{self.bmc.manager}/LogServices/Lclog/Entries?$top=1000").body["Members"]
        said = [(re.sub(r"\.\d+\.\d+\.", ".", entry["MessageId"]), entry["MessageArgs"]) for entry in reversed(found)]
        return [entry for entry in said if message in ("", entry[0])]

    def values(self, *names: str) -> list[Any]:
        """Attributes in force."""
        found = self.bmc.attributes()
        return [found[name] for name in names]

    def power(self) -> str:
        return str(self.bmc.get(self.bmc.system).body["PowerState"])

    def version(self, component: str) -> str:
        """The firmware version in force."""
        inventory = self.bmc.get("/redfish/v1/UpdateService/FirmwareInventory?$expand=.").body["Members"]
        (found,) = (
            entry["Version"]
            for entry in inventory
            if entry["Id"].startswith("Installed-") and entry["Id"].endswith(f"__{component}")
        )
        return str(found)


QUEUE = "DeleteJobQueue"
VIEWS = ("{oem}", "{older}", JOB_SERVICE, TASK_SERVICE)
"""The collections in which every job stands."""
WAYS_TO_DELETE = (*VIEWS, QUEUE)
