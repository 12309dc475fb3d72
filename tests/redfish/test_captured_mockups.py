"""Trees that this program has never seen: their BIOS comes to life by itself."""

from __future__ import annotations

import pytest
from conftest import capture

OWN = frozenset({"Accounts", "Sessions", "Subscriptions"})
"""Collections with members of our own instead of those that were captured."""


@pytest.fixture
def r750(make_bmc):
    return make_bmc(mockup=str(capture("poweredge-r750.tar.xz")))


@pytest.fixture
def rackmount(make_bmc):
    return make_bmc(mockup=str(capture("dmtf-public-rackmount1.tar.xz")))


def run(bmc, **change):
    assert bmc.patch_bios(**change).status == 200
    job = bmc.create_job()
    bmc.reset()
    bmc.advance(3600)
    return bmc.job(job)


def test_the_r750_runs_the_main_job(r750):
    before = r750.attributes()
    assert (len(before), r750.service.site.dialect) == (455, "dell")
    job = run(r750, SysProfile="PerfPerWattOptimizedDapc", AcPwrRcvryUserDelay=240)
    assert (job["JobState"], job["MessageId"]) == ("Completed", "PR19")
    after = r750.attributes()
    assert (after["SysProfile"], after["AcPwrRcvryUserDelay"]) == ("PerfPerWattOptimizedDapc", 240)
    assert (before["ProcPwrPerf"], after["ProcPwrPerf"]) == ("MaxPerf", "SysDbpm"), "what its registry says follows"
    assert (before["ProcCStates"], after["ProcCStates"]) == ("Disabled", "Enabled")


REFUSED = [
    ("read-only", {"SystemModelName": "x"}, "IDRAC.SYS427"),
    ("read-only by a dependency", {"ProcPwrPerf": "SysDbpm"}, "IDRAC.SYS410"),
    ("hidden by a dependency", {"PxeDev5EnDis": "Enabled"}, "IDRAC.SYS410"),
    ("outside the enumeration", {"BootMode": "Maybe"}, "IDRAC.SYS426"),
    ("outside the bounds", {"AcPwrRcvryUserDelay": 1}, "IDRAC.SYS409"),
]


@pytest.mark.parametrize("row", REFUSED, ids=[row[0] for row in REFUSED])
def test_the_r750_honours_its_registry(r750, row):
    _, change, message = row
    before = r750.state()
    answer = r750.patch_bios(**change)
    assert (answer.status, answer.message_ids[0]) == (400, message)
    assert r750.state() == before


def test_the_r750_accepts_a_dependent_value_with_what_it_depends_on(r750):
    job = run(r750, ProcPwrPerf="SysDbpm", SysProfile="Custom")
    assert job["JobState"] == "Completed"
    assert r750.attributes()["ProcPwrPerf"] == "SysDbpm"


def test_the_r750s_captured_job_is_not_ours(r750):
    assert r750.get(r750.jobs).body["Members"] == []
    assert r750.get(r750.job_service).body["CurrentNumberOfJobs"] == 0
    assert r750.get(f"{r750.jobs}/JID_102241909559").status == 404


def test_the_r750_is_served_whole(r750):
    failed = [uri for uri in r750.service.site.tree.documents if r750.get(uri).status not in (200, 404)]
    assert failed == []
    gone = {uri for uri in r750.service.site.tree.documents if r750.get(uri).status == 404}
    assert {uri.partition("JID_")[0] for uri in gone if not OWN.intersection(uri.split("/"))} == {
        f"{r750.jobs}/",
        "/redfish/v1/JobService/Jobs/",
    }


def test_rackmount1_applies_staged_values_at_the_next_reset(rackmount):
    assert rackmount.service.site.dialect == "standard"
    assert rackmount.pending() == {}, "what was pending when it was captured is not"
    assert rackmount.patch_bios(ProcTurboMode="Disabled", ProcCoreDisable=2).status == 200
    rackmount.reset()
    rackmount.advance(3600)
    attributes = rackmount.attributes()
    assert (attributes["ProcTurboMode"], attributes["ProcCoreDisable"]) == ("Disabled", 2)
    (job,) = rackmount.get("/redfish/v1/JobService/Jobs?$expand=*").body["Members"]
    assert job["JobState"] == "Completed"


def test_rackmount1_has_no_registry_so_the_values_tell_the_types(rackmount):
    for change, message in (
        ({"ProcCoreDisable": "2"}, "TypeError"),
        ({"BootMode": 1}, "TypeError"),
        ({"X": 1}, "Unknown"),
    ):
        answer = rackmount.patch_bios(**change)
        assert answer.status == 400
        assert answer.message_ids[0].endswith(message)


def test_rackmount1s_action_info_tells_the_reset_types(rackmount):
    offered = rackmount.get(rackmount.system).body["Actions"]["#ComputerSystem.Reset"]
    assert "ForceRestart" in offered["ResetType@Redfish.AllowableValues"]
    assert rackmount.reset("Explode").status == 400
