"""DellSoftwareInstallationService: updates from a repository, which a real server on loopback has, and from a URI."""

from __future__ import annotations

import gzip
import hashlib
import shutil
from base64 import b64encode
from xml.etree import ElementTree

import pytest
from conftest import capture
from images import damaged, eventually, package, serving

from emulator.data import data_folder
from emulator.formats.catalog import Catalog, Package, render

SCHEMA = "DellSoftwareInstallationService"
PLACES = (
    f"/redfish/v1/Systems/System.Embedded.1/Oem/Dell/{SCHEMA}",
    f"/redfish/v1/Dell/Systems/System.Embedded.1/{SCHEMA}",
)
JOBS, TASKS = "/redfish/v1/JobService/Jobs", "/redfish/v1/TaskService/Tasks"
INVENTORY = "/redfish/v1/UpdateService/FirmwareInventory"
BIOS, SUPPLY, OTHER_SUPPLY, IDRAC = "BIOS.Setup.1-1", "PSU.Slot.1", "PSU.Slot.2", "iDRAC.Embedded.1-1"
DELIVERED = {BIOS: "2.1.5", SUPPLY: "00.1D.7D", OTHER_SUPPLY: "00.1D.7D", IDRAC: "7.10.50.00"}
SYSTEM_ID = "0AB1"
INSTALL_SECONDS = 120

NEW_BIOS = package("159", "2.9.0")
NEW_SUPPLY = package("112450", "00.2D.7D", needs_reboot=False)
NEW_IDRAC = package("25227", "7.20.10.00", needs_reboot=False)


@pytest.fixture
def images():
    with serving() as server:
        yield server


def entry(path, content, component, version, **more):
    facts = {"needs_reboot": None, "size": len(content), "digests": {"md5": hashlib.md5(content).hexdigest()}, **more}
    return Package(path, version, (component,), **facts)


def repository(server, *packages, name="repo/Catalog.xml", served=None, **catalog):
    """Serve these (path, content, component, version) and their catalogue; gives the parameters of the action.

    `served` is what is there instead of some of them; None for nothing.
    """
    for path, content, *_ in packages:
        if (found := (served or {}).get(path, content)) is not None:
            server.add(f"repo/{path}", found)
    content = render(Catalog(tuple(entry(*one) for one in packages), **catalog))
    server.add(name, gzip.compress(content) if name.endswith(".gz") else content)
    kind, _, place = server.url.partition("://")
    return {"ShareType": kind.upper(), "IPAddress": place, "ShareName": "repo", "CatalogFile": name.partition("/")[2]}


ALL = (
    ("idrac.img", NEW_IDRAC, "25227", "7.20.10.00"),
    ("bios.img", NEW_BIOS, "159", "2.9.0"),
    ("power/supply.img", NEW_SUPPLY, "112450", "00.2D.7D"),
)


def act(bmc, action, body=None, place=0, **options):
    return bmc.post(f"{PLACES[place]}/Actions/{SCHEMA}.{action}", {} if body is None else body, **options)


def install(bmc, parameters, **more):
    """The id of the job that was made."""
    answer = act(bmc, "InstallFromRepository", {**parameters, **more})
    assert answer.status == 202, answer.body
    assert answer.message_ids == ["Base.Success", "IDRAC.SYS413"]
    return answer.headers["Location"].rpartition("/")[2]


def arrived(bmc, job):
    return eventually(lambda: bmc.job(job), lambda found: found["JobState"] != "Downloading")


def compared(bmc, job):
    """The repository job when it has ended."""
    arrived(bmc, job)
    bmc.advance(10)
    return bmc.job(job)


def listed(bmc):
    """The packages of the list: of each its properties, and its arrays."""
    answer = act(bmc, "GetRepoBasedUpdateList")
    assert answer.status == 200, answer.body
    root = ElementTree.fromstring(answer.body["PackageList"])
    return [
        {
            **{one.get("NAME"): one.findtext("VALUE") for one in instance.iter("PROPERTY")},
            **{one.get("NAME"): [value.text for value in one.iter("VALUE")] for one in instance.iter("PROPERTY.ARRAY")},
        }
        for instance in root.findall(
            "MESSAGE/SIMPLEREQ/VALUE.NAMEDINSTANCE/INSTANCENAME[@CLASSNAME='DCIM_RepoUpdateSWID']"
        )
    ]


def installed(bmc):
    """FQDD -> version, of what is not as it was delivered."""
    members = bmc.get(f"{INVENTORY}?$expand=*($levels=1)").body["Members"]
    found = {one["Id"].partition("__")[2]: one["Version"] for one in members if one["Id"].startswith("Installed")}
    return {fqdd: version for fqdd, version in found.items() if DELIVERED.get(fqdd, version) != version}


# -- the resource -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", PLACES)
def test_the_service_stands_where_clients_look_for_it(bmc, place):
    found = bmc.get(place).body
    assert (found["@odata.id"], found["Id"]) == (place, SCHEMA)
    for name, action in found["Actions"].items():
        assert action["target"] == f"{place}/Actions/{name.removeprefix('#')}"
        assert bmc.call("GET", action["target"]).status == 405
    repository_action = found["Actions"][f"#{SCHEMA}.InstallFromRepository"]
    assert repository_action["ApplyUpdate@Redfish.AllowableValues"] == ["False", "True"]
    assert repository_action["ShareType@Redfish.AllowableValues"] == ["HTTP", "HTTPS"]


def test_the_system_has_a_link_to_it(bmc):
    assert bmc.get(bmc.system).body["Links"]["Oem"]["Dell"][SCHEMA] == {"@odata.id": PLACES[0]}


def test_a_plain_service_has_nothing_of_the_kind(rack):
    for place in PLACES:
        assert rack.get(place).status == 404
        assert rack.post(f"{place}/Actions/{SCHEMA}.GetRepoBasedUpdateList", {}).status == 404
    assert "Dell" not in str(rack.get(rack.system).body)


def test_a_captured_server_has_it_too(make_bmc, images):
    bmc = make_bmc(mockup=str(capture("poweredge-r750.tar.xz")))
    place = bmc.get(bmc.system).body["Links"]["Oem"]["Dell"][SCHEMA]["@odata.id"]
    assert (place, bmc.get(place).body["@odata.type"]) == (PLACES[0], f"#{SCHEMA}.v1_1_2.{SCHEMA}")
    job = install(bmc, repository(images, *ALL), ApplyUpdate="False")
    assert compared(bmc, job)["JobState"] == "Completed"
    bios = next(one for one in listed(bmc) if one["ComponentID"] == "159")
    assert (bios["Target"], bios["ComponentInstalledVersion"]) == ("DCIM:INSTALLED#741__BIOS.Setup.1-1", ["1.8.2"])


# -- the story --------------------------------------------------------------------------------------------------------


def test_everything_is_updated_with_one_restart(bmc, images):
    job = install(bmc, repository(images, *ALL), RebootNeeded=True)
    found = arrived(bmc, job)
    assert (found["JobState"], found["JobType"], found["Name"]) == ("Running", "RepositoryUpdate", "Repository Update")
    assert [bmc.get(f"{place}/{job}").status for place in (JOBS, TASKS)] == [200, 200]
    bmc.advance(10)
    found = bmc.job(job)
    assert (found["JobState"], found["PercentComplete"], found["MessageId"]) == ("Completed", 100, "RED067")
    assert "completed successfully" in found["Message"]
    assert [bmc.get(f"{place}/{job}").status for place in (JOBS, TASKS)] == [200, 200]
    task = bmc.get(f"{TASKS}/{job}").body
    assert (task["TaskState"], task["Messages"][0]["Message"]) == ("Completed", found["Message"])

    packages = listed(bmc)
    assert [(one["ComponentID"], one["RebootType"]) for one in packages] == [
        *(("112450", "NONE"), ("159", "HOST"), ("25227", "IDRAC")),
    ]
    supply, bios, idrac = (one["JobID"] for one in packages)
    for one in (supply, bios, idrac):
        assert (bmc.job(one)["JobType"], arrived(bmc, one)["JobState"] != "Failed") == ("FirmwareUpdate", True)
    (reboot,) = [
        key["@odata.id"].rpartition("/")[2] for key in bmc.get(JOBS).body["Members"] if "RID" in key["@odata.id"]
    ]
    states = [bmc.job(one)["JobState"] for one in (supply, bios, idrac, reboot)]
    assert states == ["Running", "Scheduled", "Scheduled", "Scheduled"]
    assert bmc.job(bios)["Message"] == "Task successfully scheduled."
    bmc.advance(2 * INSTALL_SECONDS)
    assert installed(bmc) == {SUPPLY: "00.2D.7D", OTHER_SUPPLY: "00.2D.7D"}
    bmc.advance(20 + 5 + 90)
    assert [bmc.job(one)["JobState"] for one in (reboot, bios)] == ["RebootCompleted", "Running"]
    bmc.advance(INSTALL_SECONDS)
    assert [bmc.job(one)["JobState"] for one in (bios, idrac)] == ["Completed", "Running"]
    bmc.advance(INSTALL_SECONDS)
    assert bmc.get(bmc.system).status == 503
    bmc.advance(120)
    assert [bmc.job(one)["JobState"] for one in (supply, bios, idrac)] == ["Completed"] * 3
    assert installed(bmc) == {
        SUPPLY: "00.2D.7D",
        OTHER_SUPPLY: "00.2D.7D",
        BIOS: "2.9.0",
        IDRAC: "7.20.10.00",
    }
    # and once more: everything is current
    again = compared(bmc, install(bmc, repository(images, *ALL), RebootNeeded="True"))
    assert (again["JobState"], again["MessageId"]) == ("Completed", "RED064")
    answer = act(bmc, "GetRepoBasedUpdateList")
    assert (answer.status, answer.message_ids) == (400, ["IDRAC.SUP029"])


@pytest.mark.parametrize("flag", ["False", "false", False])
def test_only_the_list(bmc, images, flag):
    job = install(bmc, repository(images, *ALL), ApplyUpdate=flag, RebootNeeded=True)
    found = compared(bmc, job)
    assert (found["JobState"], found["MessageId"], found["Message"]) == (
        "Completed",
        "RED001",
        "Job completed successfully.",
    )
    supply, bios, _ = listed(bmc)
    assert supply == {
        "Criticality": "",
        "DisplayName": "Power Supply.Slot.1",
        "BaseLocation": "",
        "PackagePath": "power/supply.img",
        "PackageName": "supply.img",
        "PackageVersion": "00.2D.7D",
        "RebootType": "NONE",
        "JobID": "",
        "Target": "DCIM:INSTALLED#112450__PSU.Slot.1",
        "ComponentID": "112450",
        "ComponentType": "",
        "ComponentInfoTarget": ["DCIM:INSTALLED#112450__PSU.Slot.1", "DCIM:INSTALLED#112450__PSU.Slot.2"],
        "ComponentInstalledVersion": ["00.1D.7D", "00.1D.7D"],
    }
    assert (bios["DisplayName"], bios["ComponentInstalledVersion"]) == ("BIOS", ["2.1.5"])
    assert bmc.get(JOBS).body["Members@odata.count"] == 1
    assert "<VALUE/>" in act(bmc, "GetRepoBasedUpdateList", place=1).body["PackageList"]
    assert (len(images.asked), installed(bmc)) == (1, {})


@pytest.mark.parametrize("flag", ["False", None])
def test_without_a_restart_what_needs_one_waits(bmc, images, flag):
    more = {} if flag is None else {"RebootNeeded": flag}
    found = compared(bmc, install(bmc, repository(images, ALL[1]), **more))
    assert found["MessageId"] == "RED066"
    (bios,) = (one["JobID"] for one in listed(bmc))
    arrived(bmc, bios)
    bmc.advance(1000)
    assert bmc.job(bios)["JobState"] == "Scheduled"
    bmc.reset()
    bmc.advance(300)
    assert (bmc.job(bios)["JobState"], installed(bmc)) == ("Completed", {BIOS: "2.9.0"})


VERSIONS = [
    # version in the catalogue, parameters, what comes of it
    ("2.1.5", {}, "RED064"),
    ("2.1.5", {"ApplySameVersions": "True"}, "RED066"),
    ("2.1.5", {"ApplyDowngradeVersions": True}, "RED064"),
    ("1.0.0", {}, "RED064"),
    ("1.0.0", {"ApplyDowngradeVersions": "True", "ApplySameVersions": "False"}, "RED066"),
]


@pytest.mark.parametrize(("version", "parameters", "message"), VERSIONS)
def test_the_same_and_older_versions_are_installed_if_wanted(bmc, images, version, parameters, message):
    content = package("159", version)
    found = compared(bmc, install(bmc, repository(images, ("b.img", content, "159", version)), **parameters))
    assert (found["JobState"], found["MessageId"]) == ("Completed", message)
    if message == "RED066":
        (one,) = listed(bmc)
        arrived(bmc, one["JobID"])
        bmc.reset()
        bmc.advance(300)
        assert bmc.job(one["JobID"])["JobState"] == "Completed"
        assert installed(bmc).get(BIOS, DELIVERED[BIOS]) == version


def test_an_opaque_package_has_the_version_of_the_catalogue(bmc, images):
    job = install(bmc, repository(images, ("power_9.9.bin", b"anything", "112450", "00.3F.00")))
    assert compared(bmc, job)["MessageId"] == "RED065"
    (one,) = listed(bmc)
    arrived(bmc, one["JobID"])
    bmc.advance(2 * INSTALL_SECONDS)
    assert installed(bmc) == {SUPPLY: "00.3F.00", OTHER_SUPPLY: "00.3F.00"}


def test_packages_for_other_systems_do_not_count(bmc, images):
    content = render(
        Catalog(
            (
                entry("new.img", b"x", "159", "9.9", systems=("0001",)),
                entry("bios.img", NEW_BIOS, "159", "2.9.0", systems=("0001", SYSTEM_ID)),
            )
        )
    )
    images.add("Catalog.xml", content)
    body = {"ShareType": "http", "IPAddress": images.url.partition("://")[2], "ApplyUpdate": "False"}
    compared(bmc, install(bmc, body))
    assert [one["PackageVersion"] for one in listed(bmc)] == ["2.9.0"]


def test_a_compressed_catalogue_over_tls_whose_packages_are_elsewhere(bmc, images, tmp_path):
    images.add("deep/bios.img", NEW_BIOS)
    with serving(tmp_path) as secure:
        base = f"{images.url.partition('://')[2]}/deep"
        body = repository(secure, ALL[1], name="repo/C.xml.gz", base_location=base, protocols=("http",))
        assert body["ShareType"] == "HTTPS"
        job = install(bmc, body, UserName="user", Password="secret", IgnoreCertWarning="On")
        assert compared(bmc, job)["MessageId"] == "RED066"
        (one,) = listed(bmc)
        assert arrived(bmc, one["JobID"])["JobState"] == "Scheduled"
        assert [path for path, _ in images.asked] == ["/deep/bios.img"]
        assert "Authorization" not in images.asked[0][1]  # they are for the catalogue's server
        assert secure.asked[0][1]["Authorization"].startswith("Basic ")


def test_credentials_reach_the_share_and_nothing_else(bmc, images):
    secret = "Sword" + "fish"
    job = install(bmc, repository(images, *ALL), UserName="user", Password=secret)
    compared(bmc, job)
    for one in listed(bmc):
        arrived(bmc, one["JobID"])
    said = f"Basic {b64encode(f'user:{secret}'.encode()).decode()}"
    assert {headers.get("Authorization") for _, headers in images.asked} == {said}
    assert len(images.asked) == 4
    shown = [bmc.get(f"{JOBS}/{job}").body, bmc.get(f"{bmc.manager}/LogServices/Lclog/Entries").body]
    assert secret not in str((bmc.state(), shown))


# -- failures ---------------------------------------------------------------------------------------------------------

UNUSABLE = [
    # situation, what the catalogue's file holds (None: there is none), what is said
    ("there is none", None, "404"),
    ("it is no XML", b"hello", "syntax error"),
    ("it is another document", b"<html/>", "not <Manifest>"),
    ("it is empty", b"", "no element found"),
    ("it has a document type", b"<!DOCTYPE a [<!ENTITY b 'c'>]><Manifest/>", "document type definition"),
    ("it is cut short", gzip.compress(b"<Manifest/>")[:-9], "cut short"),
    ("its data is damaged", b"\x1f\x8bnonsense", "damaged"),
    ("it has no packages", b"<Manifest/>", "none of its 0 packages is for this system"),
    ("none is for this system", render(Catalog((Package("a", "1", ("777",)),))), "none of its 1 packages is for this system"),
]  # fmt: skip


@pytest.mark.parametrize("row", UNUSABLE, ids=[row[0] for row in UNUSABLE])
def test_a_catalogue_that_cannot_be_used(bmc, images, row):
    _, content, said = row
    if content is not None:
        images.add("Catalog.xml", content)
    job = install(bmc, {"ShareType": "HTTP", "IPAddress": images.url.partition("://")[2]})
    found = arrived(bmc, job)
    assert (found["JobState"], found["MessageId"], found["PercentComplete"]) == ("Failed", "RED068", 100)
    assert said in found["Message"]
    assert "fail" in found["Message"].lower()
    assert act(bmc, "GetRepoBasedUpdateList").message_ids == [f"IDRAC.SUP02{9 if 'none of' in said else 8}"]
    entries = bmc.get(f"{bmc.manager}/LogServices/Lclog/Entries").body["Members"]
    assert any("RED068" in one["MessageId"] for one in entries)
    assert bmc.get(JOBS).body["Members@odata.count"] == 1


@pytest.mark.parametrize(("address", "said"), [("127.0.0.1:1", "refused"), ("192.0.2.1", "is not in a network")])
def test_a_server_that_cannot_be_reached(bmc, address, said):
    found = arrived(bmc, install(bmc, {"ShareType": "HTTP", "IPAddress": address}))
    assert found["JobState"] == "Failed"
    assert said in found["Message"]


BAD = [
    # what is served instead of the power supply's package, message, what is said
    (damaged(NEW_SUPPLY), "RED007", "damaged"),
    (NEW_SUPPLY[:-1], "RED007", "cut short"),
    (NEW_BIOS, "RED007", "bytes"),
    (None, "RED006", "404"),
]


@pytest.mark.parametrize(("content", "message", "said"), BAD, ids=["damaged", "cut short", "another", "missing"])
def test_a_bad_package_fails_alone(bmc, images, content, message, said):
    path = "power/supply.img"
    body = repository(images, *ALL[1:], served={path: content})
    compared(bmc, install(bmc, body, RebootNeeded=True))
    supply, bios = (one["JobID"] for one in listed(bmc))
    found = arrived(bmc, supply)
    assert (found["JobState"], found["MessageId"]) == ("Failed", message)
    assert said in found["Message"]
    arrived(bmc, bios)
    bmc.advance(400)
    assert (bmc.job(bios)["JobState"], installed(bmc)) == ("Completed", {BIOS: "2.9.0"})


def test_a_restart_for_nothing_is_called_off(bmc, images):
    body = repository(images, ALL[1], served={"bios.img": damaged(NEW_BIOS)})
    compared(bmc, install(bmc, body, RebootNeeded=True))
    (bios,) = (one["JobID"] for one in listed(bmc))
    assert arrived(bmc, bios)["JobState"] == "Failed"
    assert not [one for one in bmc.get(JOBS).body["Members"] if "RID_" in one["@odata.id"]]
    bmc.advance(1000)
    assert bmc.get(bmc.system).body["PowerState"] == "On"


def test_a_full_store_takes_all_updates_or_none(make_bmc, tmp_path, images):
    folder = tmp_path / "full"
    shutil.copytree(data_folder("mockups") / "lifecycle-server", folder)
    manifest = folder / "machine.toml"
    manifest.write_text(manifest.read_text().replace("max_jobs = 256", "max_jobs = 3"))
    bmc = make_bmc(mockup=str(folder))
    found = compared(bmc, install(bmc, repository(images, *ALL)))
    assert (found["JobState"], found["MessageId"]) == ("Failed", "RED068")
    assert "no room for 3 more jobs" in found["Message"]
    assert [one["JobID"] for one in listed(bmc)] == ["", "", ""]
    assert bmc.get(JOBS).body["Members@odata.count"] == 1


# -- refusals ---------------------------------------------------------------------------------------------------------

SHARE = {"ShareType": "HTTP", "IPAddress": "127.0.0.1:1"}
NOT_POSSIBLE = ["Jobfish.ShareTypeNotPossible"]
MISSING = ["IDRAC.SYS428", "Base.ActionParameterMissing"]
WRONG_TYPE = ["IDRAC.SYS409", "Base.ActionParameterValueTypeError"]
WRONG_FORMAT = ["IDRAC.SYS409", "Base.ActionParameterValueFormatError"]
REFUSED = [
    # action, body, status, messages
    *(("InstallFromRepository", {**SHARE, "ShareType": kind}, 400, NOT_POSSIBLE) for kind in ("NFS", "CIFS", "FTP", "TFTP", "LOCAL", "x")),
    ("InstallFromRepository", {"IPAddress": "127.0.0.1"}, 400, MISSING),
    ("InstallFromRepository", {"ShareType": "HTTP"}, 400, MISSING),
    ("InstallFromRepository", {**SHARE, "ApplyUpdate": "Maybe"}, 400, WRONG_FORMAT),
    ("InstallFromRepository", {**SHARE, "ApplyUpdate": 1}, 400, WRONG_TYPE),
    ("InstallFromRepository", {**SHARE, "RebootNeeded": None}, 400, WRONG_TYPE),
    ("InstallFromRepository", {**SHARE, "IPAddress": "a b"}, 400, WRONG_FORMAT),
    ("InstallFromRepository", {**SHARE, "IPAddress": "user@host"}, 400, WRONG_FORMAT),
    ("InstallFromRepository", {**SHARE, "IPAddress": "host/path"}, 400, WRONG_FORMAT),
    ("InstallFromRepository", {**SHARE, "Nope": 1}, 400, ["IDRAC.SYS429", "Base.ActionParameterUnknown"]),
    ("InstallFromRepository", b"{", 400, ["IDRAC.SYS405", "Base.MalformedJSON"]),
    ("GetRepoBasedUpdateList", {}, 400, ["IDRAC.SUP028"]),
    ("GetRepoBasedUpdateList", {"Nope": 1}, 400, ["IDRAC.SYS429", "Base.ActionParameterUnknown"]),
    ("InstallFromURI", {}, 400, MISSING),
    ("InstallFromURI", {"URI": "nfs://127.0.0.1/x"}, 400, WRONG_FORMAT),
    ("InstallFromURI", {"URI": "http://127.0.0.1/x", "Target": "Nope"}, 400, ["IDRAC.SUP024"]),
    ("SetUpdateSchedule", {}, 404, ["IDRAC.SYS403", "Base.ResourceMissingAtURI"]),
]  # fmt: skip


@pytest.mark.parametrize("row", REFUSED, ids=[f"{row[0]} {row[1]}" for row in REFUSED])
@pytest.mark.parametrize("place", [0, 1])
def test_what_is_refused_changes_nothing(bmc, row, place):
    action, body, status, messages = row
    before = bmc.state()
    answer = act(bmc, action, body, place)
    assert (answer.status, answer.message_ids) == (status, messages)
    assert bmc.state() == before


def test_a_share_that_cannot_be_used_is_told_what_can(bmc):
    (entry,) = act(bmc, "InstallFromRepository", {"ShareType": "NFS", "IPAddress": "h", "ShareName": "/x"}).info
    assert "NFS" in entry["Message"]
    assert "HTTP, HTTPS" in entry["Message"]


def test_only_one_comparison_at_a_time(bmc, images):
    _, tap = images.tap("Catalog.xml", render(Catalog(())))
    body = {"ShareType": "HTTP", "IPAddress": images.url.partition("://")[2]}
    job = install(bmc, body)
    tap.wait_for_someone()
    before = bmc.state()
    answer = act(bmc, "InstallFromRepository", body)
    assert (answer.status, answer.message_ids) == (400, ["IDRAC.RED034"])
    assert bmc.state() == before
    tap.send()
    assert arrived(bmc, job)["JobState"] == "Failed"


@pytest.mark.parametrize(
    ("user", "action", "status"),
    [
        (("readonly", "readonly"), "InstallFromRepository", 403),
        (("readonly", "readonly"), "InstallFromURI", 403),
        (("readonly", "readonly"), "GetRepoBasedUpdateList", 400),
        (None, "GetRepoBasedUpdateList", 401),
    ],
)
def test_who_may(bmc, user, action, status):
    before = bmc.state()
    bmc.user = user
    assert act(bmc, action, {**SHARE} if "Repository" in action else {}).status == status
    assert bmc.state() == before


# -- from a URI -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "target",
    [
        None,
        "DCIM:INSTALLED#159__BIOS.Setup.1-1",
        "DCIM:INSTALLED_0x23_159__BIOS.Setup.1-1",
        f"{INVENTORY}/Installed-159-2.1.5__BIOS.Setup.1-1",
        "159",
    ],
)
def test_one_package_is_downloaded_and_waits_to_be_queued(bmc, images, target):
    body = {"URI": images.add("bios.img", NEW_BIOS), **({} if target is None else {"Target": target})}
    answer = act(bmc, "InstallFromURI", body)
    assert (answer.status, answer.message_ids) == (202, ["Base.Success", "IDRAC.SYS413"])
    job = answer.headers["Location"].rpartition("/")[2]
    found = arrived(bmc, job)
    assert (found["JobState"], found["Message"], found["Name"]) == (
        "Downloaded",
        "Package successfully downloaded.",
        "Firmware Update: BIOS",
    )
    reboot = bmc.create_reboot_job()
    assert bmc.act("SetupJobQueue", JobArray=[job, reboot], StartTimeInterval="TIME_NOW").status == 200
    bmc.advance(400)
    assert (bmc.job(job)["JobState"], installed(bmc)) == ("Completed", {BIOS: "2.9.0"})


def test_user_and_password_of_a_uri_are_said_and_not_kept(bmc, images):
    secret = "Sword" + "fish"
    images.add("bios.img", NEW_BIOS)
    uri = images.url.replace("://", f"://user:{secret}@") + "/bios.img"
    job = act(bmc, "InstallFromURI", {"URI": uri}).headers["Location"].rpartition("/")[2]
    arrived(bmc, job)
    assert images.asked[0][1]["Authorization"] == f"Basic {b64encode(f'user:{secret}'.encode()).decode()}"
    assert secret not in str(bmc.state())
