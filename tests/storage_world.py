"""A storage controller as a client sees it, on both bundled mockups, and what tests do to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from conftest import Answer, Bmc

STEP = 30
"""Virtual seconds of one operation (`raid_step_seconds`)."""
POST = 400
"""More than a restart with a few operations takes, and less than anything that goes over a whole drive."""
GIB = 1 << 30
APPLY, SETTINGS_APPLY = "@Redfish.OperationApplyTime", "@Redfish.SettingsApplyTime"
WINDOW = "@Redfish.MaintenanceWindow"
USABLE = {"lifecycle-server": 1_919_716_163_584, "rack-server": 959_656_755_200}
"""What of a drive volumes can have, in bytes."""
PLACES = {
    "lifecycle-server": "/redfish/v1/Systems/System.Embedded.1/Storage/RAID.Integrated.1-1",
    "rack-server": "/redfish/v1/Systems/rack-1/Storage/raid-1",
}


@dataclass
class Storage:
    """One controller. Its drives are told by their numbers: 0 and 1 a mirror, 2 to 5 a RAID5, 6 and 7 free."""

    bmc: Bmc
    uri: str
    usable: int

    @property
    def volumes(self) -> str:
        return f"{self.uri}/Volumes"

    @property
    def device(self) -> str:
        return next(place.device_id for place in self.bmc.service.site.storages if place.uri == self.uri)

    @property
    def is_dell(self) -> bool:
        return self.bmc.service.site.dialect == "dell"

    @property
    def controller(self) -> str:
        return f"{self.uri}/Controllers/{self.device if self.is_dell else 1}"

    @property
    def drives(self) -> list[str]:
        return [one["@odata.id"] for one in self.bmc.get(self.uri).body["Drives"]]

    def drive(self, number: int) -> dict[str, Any]:
        return dict(self.bmc.get(self.drives[number]).body)

    def links(self, *numbers: int) -> list[dict[str, str]]:
        drives = self.drives
        return [{"@odata.id": drives[number]} for number in numbers]

    def numbers(self, links: list[dict[str, str]]) -> list[int]:
        """Which drives these links lead to."""
        return [self.drives.index(link["@odata.id"]) for link in links]

    def members(self) -> list[dict[str, Any]]:
        """The documents of all volumes."""
        return list(self.bmc.get(f"{self.volumes}?$expand=*").body["Members"])

    def names(self) -> list[str]:
        return [volume["Name"] for volume in self.members()]

    def volume(self, name: str) -> dict[str, Any]:
        return next(volume for volume in self.members() if volume["Name"] == name)

    def at(self, name: str) -> str:
        """The URI of a volume."""
        return str(self.volume(name)["@odata.id"])

    def create(self, level: str, *drives: int, **more: Any) -> Answer:
        named = {"Links": {"Drives": self.links(*drives)}} if drives else {}
        return self.bmc.post(self.volumes, {"RAIDType": level, **named, **more})

    def made(self, level: str, *drives: int, **more: Any) -> dict[str, Any]:
        """A volume that is there."""
        before = {volume["@odata.id"] for volume in self.members()}
        self.finish(self.create(level, *drives, **more))
        (volume,) = [volume for volume in self.members() if volume["@odata.id"] not in before]
        return volume

    def act(self, volume: str, action: str, **parameters: Any) -> Answer:
        return self.bmc.post(f"{self.at(volume)}/Actions/Volume.{action}", parameters)

    def finish(self, answer: Answer, seconds: float = STEP) -> dict[str, Any]:
        """Let the job of an answer come to its end; gives it."""
        assert answer.status == 202, answer.body
        self.bmc.advance(seconds)
        job = self.job(answer)
        assert job["JobState"] == "Completed", job
        return job

    def job(self, answer: Answer) -> dict[str, Any]:
        return dict(self.bmc.get(f"/redfish/v1/JobService/Jobs/{job_id(answer)}").body)

    def restart(self) -> None:
        self.bmc.reset()
        self.bmc.advance(POST)

    def befall(self, event: str, number: int) -> None:
        """Something happens to a drive."""
        part = self.drives[number].rpartition("/")[2]
        answer = self.bmc.post(f"/jobfish/v1/devices/{self.device}/events", {"event": event, "part": part})
        assert answer.status == 200, answer.body

    def window(self, after: float, seconds: int = 600) -> dict[str, Any]:
        """A maintenance window."""
        with self.bmc.service.fleet.seat_for("127.0.0.1").turn() as machine:
            start = machine.show_time(machine.moment + after)
        return {"MaintenanceWindowStartTime": start, "MaintenanceWindowDurationInSeconds": seconds}

    def count_of_jobs(self) -> int:
        return int(self.bmc.get("/redfish/v1/JobService/Jobs").body["Members@odata.count"])


def job_id(answer: Answer) -> str:
    assert answer.status == 202, answer.body
    return str(answer.headers["Location"]).rpartition("/")[2]


def storage_of(bmc: Bmc, mockup: str) -> Storage:
    found = Storage(bmc, PLACES[mockup], USABLE[mockup])
    if mockup == "rack-server":  # its last drive is delivered as a spare: here both servers begin alike
        found.finish(bmc.patch(found.drives[7], {"HotspareType": "None"}))
        bmc.delete(bmc.get("/redfish/v1/JobService/Jobs").body["Members"][0]["@odata.id"])
    return found
