"""A process that ends, however it ends, loses nothing that it had acknowledged."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

SYSTEM = "/redfish/v1/Systems/System.Embedded.1"
MANAGER = "/redfish/v1/Managers/iDRAC.Embedded.1"
JOBS = f"{MANAGER}/Oem/Dell/Jobs"
SERVICE = f"{MANAGER}/Oem/Dell/DellJobService/Actions/DellJobService"
CHANGE = {"ProcVirtualization": "Disabled", "NumLock": "Off", "AcPwrRcvryUserDelay": 240}


class Remote:
    """A controller in another process."""

    def __init__(self, url):
        self.url = url
        self.session = requests.Session()
        self.session.auth = ("root", "calvin")
        self.session.verify = False

    def ask(self, method, path, body=None):
        answer = self.session.request(method, self.url + path, json=body, timeout=20)
        assert answer.ok, answer.text
        return answer

    def advance(self, seconds):
        self.ask("POST", "/jobfish/v1/clock", {"advance": seconds})

    def job(self, job_id):
        return self.ask("GET", f"{JOBS}/{job_id}").json()

    def start_job(self):
        self.ask("PATCH", f"{SYSTEM}/Bios/Settings", {"Attributes": CHANGE})
        made = self.ask("POST", JOBS, {"TargetSettingsURI": f"{SYSTEM}/Bios/Settings"})
        self.ask("POST", f"{SYSTEM}/Actions/ComputerSystem.Reset", {"ResetType": "ForceRestart"})
        return made.headers["Location"].rpartition("/")[2]

    def view(self):
        return {path: self.ask("GET", path).json() for path in (SYSTEM, f"{SYSTEM}/Bios", f"{SYSTEM}/Bios/Settings")}


@pytest.mark.parametrize(
    "seconds", [0, 2, 50, 91, 106, 121, 140, 400], ids=lambda seconds: f"{seconds} s after the reset"
)
def test_a_job_goes_on_where_it_was_when_the_process_was_killed(serve, tmp_path, seconds):
    arguments = ("--state", str(tmp_path), "--clock", "manual")
    first = serve(*arguments)
    bmc = Remote(first.url)
    job = bmc.start_job()
    bmc.advance(seconds)
    seen, documents = bmc.job(job), bmc.view()
    first.kill()
    again = Remote(serve(*arguments).url)
    assert again.job(job) == seen
    assert again.view() == documents
    again.advance(500)
    assert again.job(job)["JobState"] == "Completed"
    attributes = again.ask("GET", f"{SYSTEM}/Bios").json()["Attributes"]
    assert {name: attributes[name] for name in CHANGE} == CHANGE


def test_nothing_acknowledged_is_lost_when_many_write_at_the_moment_of_the_kill(serve, tmp_path):
    arguments = ("--state", str(tmp_path), "--clock", "manual", "--http")
    first = serve(*arguments)
    acknowledged, enough = [], threading.Event()

    def write(_):
        bmc = Remote(first.url)
        while True:
            try:
                made = bmc.ask("POST", f"{SERVICE}.CreateRebootJob", {"RebootJobType": "PowerCycle"})
            except (requests.RequestException, AssertionError):
                return
            acknowledged.append(made.headers["Location"].rpartition("/")[2])
            if len(acknowledged) >= 100:
                enough.set()

    with ThreadPoolExecutor(8) as pool:
        running = [pool.submit(write, number) for number in range(8)]
        assert enough.wait(60)
        first.kill()
        for task in running:
            task.result(timeout=30)
    again = Remote(serve(*arguments).url)
    kept = {member["@odata.id"].rpartition("/")[2] for member in again.ask("GET", JOBS).json()["Members"]}
    assert len(set(acknowledged)) == len(acknowledged), "ids are unique"
    assert set(acknowledged) <= kept
    assert len(kept) - len(acknowledged) <= 8, "at most one unacknowledged job for each writer"


def test_fresh_forgets_and_sessions_survive(serve, tmp_path):
    arguments = ("--state", str(tmp_path), "--clock", "manual")
    first = serve(*arguments)
    bmc = Remote(first.url)
    job = bmc.start_job()
    made = bmc.ask("POST", "/redfish/v1/SessionService/Sessions", {"UserName": "root", "Password": "calvin"})
    token = {"X-Auth-Token": made.headers["X-Auth-Token"]}
    assert first.stop() == 0
    second = serve(*arguments)
    assert requests.get(second.url + f"{JOBS}/{job}", headers=token, verify=False, timeout=10).status_code == 200
    second.stop()
    third = Remote(serve(*arguments, "--fresh").url)
    assert third.ask("GET", JOBS).json()["Members@odata.count"] == 0


def test_the_certificate_is_kept(serve, tmp_path):
    arguments = ("--state", str(tmp_path))
    first = serve(*arguments)
    certificate = tmp_path / "certificate.pem"
    pinned = certificate.read_bytes()
    assert requests.get(f"{first.url}/redfish", verify=str(certificate), timeout=10).status_code == 200
    first.stop()
    second = serve(*arguments)
    assert certificate.read_bytes() == pinned
    assert requests.get(f"{second.url}/redfish", verify=str(certificate), timeout=10).status_code == 200
    assert (tmp_path / "key.pem").stat().st_mode & 0o077 == 0, "the key is for its owner's eyes only"
