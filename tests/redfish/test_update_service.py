"""Updates over Redfish: what is asked, what happens when, what is refused, and what the inventory says of it."""

from __future__ import annotations

import io
import shutil
import socket
from contextlib import contextmanager
from datetime import datetime, timedelta

import orjson
import pytest
import requests
from conftest import Answer, Bmc, capture
from images import BLOCK, damaged, eventually, package, serving
from werkzeug.test import EnvironBuilder, run_wsgi_app

from emulator.app import build_service
from emulator.data import data_folder
from emulator.formats.image import Inspector
from emulator.settings import Settings

SERVICE = "/redfish/v1/UpdateService"
INVENTORY = f"{SERVICE}/FirmwareInventory"
SIMPLE_UPDATE = f"{SERVICE}/Actions/UpdateService.SimpleUpdate"
START_UPDATE = f"{SERVICE}/Actions/UpdateService.StartUpdate"
INSTALL = f"{SERVICE}/Actions/Oem/DellUpdateService.Install"
MULTIPART = f"{SERVICE}/MultipartUpload"
HTTP_PUSH = f"{SERVICE}/HttpPush"
JOBS, TASKS, MONITORS = (
    "/redfish/v1/JobService/Jobs",
    "/redfish/v1/TaskService/Tasks",
    "/redfish/v1/TaskService/TaskMonitors",
)
APPLY_TIME, WINDOW = "@Redfish.OperationApplyTime", "@Redfish.MaintenanceWindow"

BIOS, SUPPLY, OTHER_SUPPLY, IDRAC = "BIOS.Setup.1-1", "PSU.Slot.1", "PSU.Slot.2", "iDRAC.Embedded.1-1"
"""Needs the host's restart, needs none (both supplies), is the controller."""
ENTRIES = {
    BIOS: f"{INVENTORY}/Installed-159-{{}}__{BIOS}",
    SUPPLY: f"{INVENTORY}/Installed-112450-{{}}__{SUPPLY}",
    OTHER_SUPPLY: f"{INVENTORY}/Installed-112450-{{}}__{OTHER_SUPPLY}",
    IDRAC: f"{INVENTORY}/Installed-25227-{{}}__{IDRAC}",
}
DELIVERED = {BIOS: "2.1.5", SUPPLY: "00.1D.7D", OTHER_SUPPLY: "00.1D.7D", IDRAC: "7.10.50.00"}
NEWER = "99.1.3"
INSTALL_SECONDS, AWAY_SECONDS = 120, 120

VIEWS = {
    # of a DellJob: JobState of the Job, TaskState, status of the Task, of its monitor
    "Downloading": ("Running", "Running", 200, 202),
    "Downloaded": ("Pending", "Pending", 200, 202),
    "Scheduled": ("Starting", "Starting", 200, 202),
    "Running": ("Running", "Running", 200, 202),
    "Completed": ("Completed", "Completed", 200, 200),
    "Failed": ("Exception", "Exception", 200, 200),
}


@pytest.fixture
def images():
    with serving() as server:
        yield server


def simple_update(bmc, uri, **more):
    named = {"apply": APPLY_TIME, "window": WINDOW}
    return bmc.post(SIMPLE_UPDATE, {"ImageURI": uri, **{named.get(name, name): value for name, value in more.items()}})


def job_of(answer):
    """The job that was made."""
    assert answer.status == 202, answer.body
    assert answer.body == "" or "@odata.id" not in answer.body
    place, _, job = answer.headers["Location"].rpartition("/")
    assert place == MONITORS
    return job


def state(bmc, job):
    """A job's state, and that all its views agree; "away" while nobody answers."""
    found = bmc.get(f"{bmc.jobs}/{job}")
    if found.status == 503:
        return "away"
    task, monitor = bmc.get(f"{TASKS}/{job}"), bmc.get(f"{MONITORS}/{job}")
    seen = found.body["JobState"]
    views = bmc.get(f"{JOBS}/{job}").body["JobState"], task.body["TaskState"], task.status, monitor.status
    assert views == VIEWS[seen]
    assert task.body["Oem"]["Dell"]["JobState"] == seen
    return seen


def plain_state(rack, job):
    """A job's state in a plain service, and that its views agree."""
    seen, task = rack.get(f"{JOBS}/{job}").body["JobState"], rack.get(f"{TASKS}/{job}")
    assert (task.status, task.body["TaskState"]) == (200, seen)
    monitor = {"Completed": 200, "Exception": 400}.get(seen, 202)
    assert rack.get(f"{MONITORS}/{job}").status == monitor
    return seen


def arrived(bmc, job, look=state):
    """The job's state when its package is there, or did not come."""
    downloading = "Downloading" if look is state else "Running"
    return eventually(lambda: look(bmc, job), lambda seen: seen != downloading)


def watch(bmc, job, seconds, look=state):
    """The states that a job goes through in so much time."""
    seen = [look(bmc, job)]
    for _ in range(0, seconds, 10):
        bmc.advance(10)
        if (now := look(bmc, job)) != seen[-1]:
            seen.append(now)
    return seen


def said(bmc, job):
    """What the job says, in every view."""
    text = bmc.job(job)["Message"]
    assert [bmc.get(f"{place}/{job}").body["Messages"][0]["Message"] for place in (JOBS, TASKS)] == [text, text]
    return text


def inventory(bmc):
    """Id -> version, of everything in the inventory."""
    members = bmc.get(f"{INVENTORY}?$expand=*($levels=1)").body["Members"]
    return {member["Id"]: member["Version"] for member in members}


def installed(bmc):
    """FQDD -> version, of what is not as it was delivered."""
    found = {key.partition("__")[2]: version for key, version in inventory(bmc).items() if key.startswith("Installed")}
    assert set(DELIVERED) <= set(found)
    return {fqdd: version for fqdd, version in found.items() if DELIVERED.get(fqdd, version) != version}


def window(bmc, begins, seconds=900, offset=None):
    """A maintenance window that begins in so many seconds, in the controller's own time."""
    now = datetime.fromisoformat(bmc.get(bmc.manager).body["DateTime"])
    start = (now + timedelta(seconds=begins)).isoformat()
    return {
        "MaintenanceWindowStartTime": start if offset is None else start[:-6] + offset,
        "MaintenanceWindowDurationInSeconds": seconds,
    }


def form(**parts):
    """A form as `requests` writes it: (its bytes, its Content-Type). A part is (file name or None, content, type)."""
    made = requests.Request("POST", "http://127.0.0.1/", files=list(parts.items())).prepare()
    return made.body, made.headers["Content-Type"]


def push(bmc, parts, uri=MULTIPART, **headers):
    """Post a form; `parts` as a mapping, or as pairs where a name comes twice."""
    made = requests.Request("POST", "http://127.0.0.1/", files=parts).prepare()
    return bmc.post(uri, made.body, headers={"Content-Type": made.headers["Content-Type"], **headers})


def parameters(**wanted):
    named = {"apply": APPLY_TIME, "window": WINDOW}
    wanted = {named.get(name, name): value for name, value in wanted.items()}
    return (None, orjson.dumps(wanted), "application/json")


def image(component, version=NEWER, name="image.img", **more):
    return (name, package(component, version, **more), "application/octet-stream")


# -- SimpleUpdate: when it is installed -------------------------------------------------------------------------------

WAIT, RESET, START = "wait", "reset", "StartUpdate"
DIRECTLY = [(WAIT, 200, ["Running", "Completed"])]
IN_WINDOW = [(WAIT, 500, ["Downloaded"]), (WAIT, 900, ["Downloaded", "Running", "Completed"])]
STARTED = [(WAIT, 500, ["Downloaded"]), (START, 200, ["Running", "Completed"])]
COURSES = [
    # component, apply time, what is done then and the states from there on, restarts of the host that it makes
    (BIOS, None, [(WAIT, 500, ["Downloaded"]), (RESET, 400, ["Scheduled", "Running", "Completed"])], 0),
    (BIOS, "Immediate", [(WAIT, 400, ["Scheduled", "Running", "Completed"])], 1),
    (BIOS, "OnReset", [(WAIT, 500, ["Scheduled"]), (RESET, 400, ["Scheduled", "Running", "Completed"])], 0),
    (
        BIOS,
        "OnStartUpdateRequest",
        [(RESET, 400, ["Downloaded"]), (START, 500, ["Scheduled"]), (RESET, 400, ["Scheduled", "Running", "Completed"])],
        0,
    ),
    (
        BIOS,
        "AtMaintenanceWindowStart",
        [(WAIT, 500, ["Downloaded"]), (WAIT, 500, ["Downloaded", "Scheduled", "Running", "Completed"])],
        1,
    ),
    (
        BIOS,
        "InMaintenanceWindowOnReset",
        [(WAIT, 800, ["Downloaded", "Scheduled"]), (RESET, 400, ["Scheduled", "Running", "Completed"])],
        0,
    ),
    *((SUPPLY, apply, DIRECTLY, 0) for apply in (None, "Immediate", "OnReset")),
    (SUPPLY, "OnStartUpdateRequest", STARTED, 0),
    *((SUPPLY, apply, IN_WINDOW, 0) for apply in ("AtMaintenanceWindowStart", "InMaintenanceWindowOnReset")),
    *((IDRAC, apply, DIRECTLY, 0) for apply in (None, "Immediate", "OnReset")),
    (IDRAC, "OnStartUpdateRequest", STARTED, 0),
    *((IDRAC, apply, IN_WINDOW, 0) for apply in ("AtMaintenanceWindowStart", "InMaintenanceWindowOnReset")),
]  # fmt: skip


@pytest.mark.parametrize("row", COURSES, ids=[f"{row[0]}-{row[1]}" for row in COURSES])
def test_an_update_goes_its_way(bmc, images, row):
    component, apply, course, restarts = row
    uri, tap = images.tap("new.img", package(component, NEWER, needs_reboot=component == BIOS))
    wanted = {APPLY_TIME: apply} if apply else {}
    if apply and "Window" in apply:
        wanted[WINDOW] = window(bmc, 600)
    job = job_of(bmc.post(SIMPLE_UPDATE, {"ImageURI": uri, **wanted}))
    tap.wait_for_someone()
    assert state(bmc, job) == "Downloading"
    assert said(bmc, job) == "The update package is being downloaded."
    tap.send()
    arrived(bmc, job)
    for act, seconds, states in course:
        if act == RESET:
            assert bmc.reset().status == 204
        elif act == START:
            assert job_of(bmc.post(START_UPDATE)) == job
        restarts_controller = component == IDRAC and "Completed" in states
        expected = [*states[:-1], "away", states[-1]] if restarts_controller else states
        assert watch(bmc, job, seconds + AWAY_SECONDS * restarts_controller) == expected
    assert installed(bmc) == {component: NEWER}
    assert said(bmc, job) == "Job completed successfully."
    reboots = [member for member in bmc.get(bmc.jobs).body["Members"] if "/RID_" in member["@odata.id"]]
    assert len(reboots) == restarts
    assert bmc.job(job)["PercentComplete"] == 100


PLAIN_COURSES = [
    ("bios", None, [(WAIT, 500, ["Pending"]), (RESET, 400, ["Pending", "Running", "Completed"])]),
    ("bios", "Immediate", [(WAIT, 400, ["Pending", "Running", "Completed"])]),
    ("bios", "OnReset", [(WAIT, 500, ["Pending"]), (RESET, 400, ["Pending", "Running", "Completed"])]),
    ("bios", "OnStartUpdateRequest", [(RESET, 400, ["Pending"]), (START, 20, ["Pending"]), (RESET, 400, ["Pending", "Running", "Completed"])]),
    ("bios", "AtMaintenanceWindowStart", [(WAIT, 900, ["Pending", "Running", "Completed"])]),
    ("bios", "InMaintenanceWindowOnReset", [(WAIT, 900, ["Pending"]), (RESET, 400, ["Pending", "Running", "Completed"])]),
    ("psu-1", None, [(WAIT, 200, ["Running", "Completed"])]),
    ("psu-1", "OnStartUpdateRequest", [(WAIT, 200, ["Pending"]), (START, 200, ["Running", "Completed"])]),
]  # fmt: skip


@pytest.mark.parametrize("row", PLAIN_COURSES, ids=[f"{row[0]}-{row[1]}" for row in PLAIN_COURSES])
def test_an_update_of_a_plain_service_goes_its_way(rack, images, row):
    component, apply, course = row
    uri, tap = images.tap("new.img", package(component, NEWER, needs_reboot=component == "bios"))
    wanted = {APPLY_TIME: apply} if apply else {}
    if apply and "Window" in apply:
        wanted[WINDOW] = window(rack, 600)
    answer = rack.post(SIMPLE_UPDATE, {"ImageURI": uri, **wanted})
    job = job_of(answer)
    assert answer.headers["Location"] == f"{MONITORS}/{job}"
    tap.wait_for_someone()
    assert plain_state(rack, job) == "Running"
    tap.send()
    eventually(lambda: rack.get(f"{JOBS}/{job}").body["StepOrder"], lambda steps: steps == ["1"])
    for act, seconds, states in course:
        if act == RESET:
            assert rack.reset().status == 204
        elif act == START:
            assert job_of(rack.post(START_UPDATE)) == job
        assert watch(rack, job, seconds, plain_state) == states
    assert rack.get(f"{INVENTORY}/{component}").body["Version"] == NEWER


def test_start_update_without_anything_that_waits_is_a_success(bmc, rack):
    answer = bmc.post(START_UPDATE, {})
    assert (answer.status, answer.message_ids) == (200, ["Base.Success", "IDRAC.SYS413"])
    assert rack.post(START_UPDATE).status == 204


def test_start_update_starts_all_that_waits(bmc):
    jobs = [job_of(push(bmc, {"UpdateParameters": parameters(apply="OnStartUpdateRequest"), "UpdateFile": image(name, needs_reboot=False)})) for name in (SUPPLY, OTHER_SUPPLY)]  # fmt: skip
    assert job_of(bmc.post(START_UPDATE)) == jobs[0]
    assert [state(bmc, job) for job in jobs] == ["Running", "Scheduled"]
    bmc.advance(2 * INSTALL_SECONDS)
    assert installed(bmc) == {SUPPLY: NEWER, OTHER_SUPPLY: NEWER}


def test_a_window_may_be_given_to_the_service_beforehand(bmc):
    assert bmc.patch(SERVICE, {WINDOW: window(bmc, 600)}).message_ids == ["Base.Success", "IDRAC.SYS413"]
    shown = bmc.get(SERVICE).body[WINDOW]
    assert shown.pop("@odata.type").startswith("#Settings.")
    assert shown == window(bmc, 600)
    wanted = parameters(apply="InMaintenanceWindowOnReset")
    job = job_of(push(bmc, {"UpdateParameters": wanted, "UpdateFile": image(SUPPLY, needs_reboot=False)}))
    assert watch(bmc, job, 900) == ["Downloaded", "Running", "Completed"]


def test_a_window_of_the_request_goes_before_that_of_the_service(bmc):
    bmc.patch(SERVICE, {WINDOW: window(bmc, 5000)})
    wanted = parameters(apply="InMaintenanceWindowOnReset", window=window(bmc, 100))
    job = job_of(push(bmc, {"UpdateParameters": wanted, "UpdateFile": image(SUPPLY, needs_reboot=False)}))
    assert watch(bmc, job, 300) == ["Downloaded", "Running", "Completed"]


def test_an_update_whose_window_closes_before_the_host_restarts_has_failed(bmc):
    wanted = parameters(apply="InMaintenanceWindowOnReset", window=window(bmc, 100, 300))
    job = job_of(push(bmc, {"UpdateParameters": wanted, "UpdateFile": image(BIOS)}))
    assert watch(bmc, job, 500) == ["Downloaded", "Scheduled", "Failed"]
    assert (bmc.job(job)["MessageId"], installed(bmc)) == ("JCP004", {})


def test_the_service_says_what_it_offers(bmc, rack):
    for service, where in ((bmc, INVENTORY), (rack, HTTP_PUSH)):
        document = service.get(SERVICE).body
        action = document["Actions"]["#UpdateService.SimpleUpdate"]
        assert (document["HttpPushUri"], document["MultipartHttpPushUri"]) == (where, MULTIPART)
        assert action["target"] == SIMPLE_UPDATE
        assert action["TransferProtocol@Redfish.AllowableValues"] == ["HTTP", "HTTPS"]
        offered = action["@Redfish.OperationApplyTimeSupport"]
        assert document["MultipartHttpPushUri@Redfish.OperationApplyTimeSupport"] == offered
        for apply in offered["SupportedValues"]:
            given = {APPLY_TIME: apply, WINDOW: window(service, 600)}
            assert service.post(SIMPLE_UPDATE, {"ImageURI": "http://127.0.0.1:1/x", **given}).status == 202
    actions = bmc.get(SERVICE).body["Actions"]["Oem"]["#DellUpdateService.Install"]
    assert actions["target"] == INSTALL
    assert "HttpPushUriOptions" not in bmc.get(SERVICE).body
    assert "HttpPushUriOptions" in rack.get(SERVICE).body


# -- progress ---------------------------------------------------------------------------------------------------------


def percents(bmc, job):
    found = {bmc.get(f"{place}/{job}").body["PercentComplete"] for place in (bmc.jobs, JOBS, TASKS)}
    assert len(found) == 1
    return found.pop()


def test_progress_is_seen_while_bytes_arrive_and_while_it_is_installed(bmc, images):
    uri, tap = images.tap("fw_99.1.3.bin", bytes(16 * BLOCK))
    job = job_of(simple_update(bmc, uri, Targets=[ENTRIES[SUPPLY].format(DELIVERED[SUPPLY])]))
    tap.wait_for_someone()
    assert percents(bmc, job) == 0
    for blocks, percent in ((1, 6), (3, 25), (8, 75)):
        tap.send(blocks * BLOCK)
        assert eventually(lambda: percents(bmc, job), lambda seen, percent=percent: seen >= percent) == percent
        assert state(bmc, job) == "Downloading"
    tap.send()
    assert arrived(bmc, job) == "Running"
    seen = [percents(bmc, job)]
    for _ in range(8):
        bmc.advance(INSTALL_SECONDS / 8)
        seen.append(percents(bmc, job))
    assert seen == [1, 12, 25, 37, 50, 62, 75, 87, 100]


def test_progress_of_several_components_is_that_of_the_job(bmc):
    targets = [ENTRIES[name].format(DELIVERED[name]) for name in (SUPPLY, OTHER_SUPPLY)]
    job = job_of(
        push(bmc, {"UpdateParameters": parameters(Targets=targets), "UpdateFile": ("fw_99.1.3.bin", b"opaque")})
    )
    seen = []
    for _ in range(8):
        bmc.advance(INSTALL_SECONDS / 4)
        seen.append(percents(bmc, job))
    assert seen == [12, 25, 37, 50, 62, 75, 87, 100]
    assert installed(bmc) == {SUPPLY: NEWER, OTHER_SUPPLY: NEWER}


# -- downloads that fail ----------------------------------------------------------------------------------------------

LIMIT = 2 * 2**30
RED006 = "The download of the update package failed: "
RED007 = "The update failed, because its package could not be verified: "
NEW_SUPPLY = package(SUPPLY, NEWER, needs_reboot=False)


def refusing():
    """The port of a server that is not there."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        return closed.getsockname()[1]


DOWNLOADS = [
    # situation, URI of what is to be fetched, what the job says
    ("a missing file", lambda images: f"{images.url}/nope.img", RED006 + "{host} answered 404 Not Found"),
    ("a server that is not there", lambda _: f"http://127.0.0.1:{refusing()}/x", RED006 + "{host} refused the connection"),
    ("a file cut short", lambda images: images.add("x", NEW_SUPPLY, len(NEW_SUPPLY) + 1), RED006 + "{host} sent less than it announced"),
    ("a file too large", lambda images: images.add("x", b"", LIMIT + 1), RED006 + f"the content is larger than {LIMIT} bytes"),
    ("another network", lambda _: "http://192.0.2.1/x.img", RED006 + "192.0.2.1 is not in a network that transfers may go to"),
    ("an unknown host", lambda _: "http://nowhere.invalid/x.img", RED006 + "the name nowhere.invalid is unknown"),
    ("another scheme after a redirect", lambda _: "http://[::1", RED006 + "the URI is not valid"),
    ("a damaged package", lambda images: images.add("x", damaged(NEW_SUPPLY)), RED007 + "the payload is damaged: its SHA-256 begins"),
    ("a package that ends too early", lambda images: images.add("x", NEW_SUPPLY[:-1]), RED007 + "the package is cut short: 6 of 7 payload bytes"),
    ("an empty file", lambda images: images.add("x", b""), RED007 + "the image is empty"),
    ("a package for something else", lambda images: images.add("x", package("Fan.1", "1")), "The package is for a component that this system does not have: Fan.1."),
    ("an older version", lambda images: images.add("x", package(SUPPLY, "00.1C")), f"Version 00.1C for {SUPPLY} is not newer than the installed version 00.1D.7D."),
]  # fmt: skip


@pytest.fixture
def connections(monkeypatch):
    """The addresses to which this process connects."""
    made, connect = [], socket.socket.connect

    def noting(self, address):
        made.append(address[0])
        return connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", noting)
    return made


@pytest.mark.parametrize("row", DOWNLOADS, ids=[row[0] for row in DOWNLOADS])
def test_a_download_that_fails_says_why_and_leaves_the_component_alone(bmc, images, connections, row):
    _, uri_of, reason = row
    uri = uri_of(images)
    before = inventory(bmc)
    job = job_of(simple_update(bmc, uri))
    assert arrived(bmc, job) == "Failed"
    host = uri.split("/")[2]
    assert said(bmc, job).startswith(reason.format(host=host))
    assert set(connections) <= {"127.0.0.1"}
    assert inventory(bmc) == before
    monitor = bmc.get(f"{MONITORS}/{job}")
    assert (monitor.status, monitor.body["Messages"][0]["Message"]) == (200, said(bmc, job))
    # the component is free
    again = job_of(simple_update(bmc, images.add("good.img", NEW_SUPPLY)))
    assert arrived(bmc, again) == "Running"
    bmc.advance(INSTALL_SECONDS)
    assert installed(bmc) == {SUPPLY: NEWER}


def test_a_package_for_another_component_than_the_target_fails(bmc):
    wanted = parameters(Targets=[ENTRIES[BIOS].format(DELIVERED[BIOS])])
    job = job_of(push(bmc, {"UpdateParameters": wanted, "UpdateFile": image(SUPPLY)}))
    assert state(bmc, job) == "Failed"
    assert said(bmc, job) == f"The package is for {SUPPLY}, but the request names {BIOS}."


def test_a_second_package_for_a_component_fails_while_the_first_waits(bmc):
    first, second = (job_of(push(bmc, {"UpdateFile": image(BIOS, version)})) for version in ("3.0", "4.0"))
    assert [state(bmc, job) for job in (first, second)] == ["Downloaded", "Failed"]
    assert bmc.job(second)["MessageId"] == "RED014"
    assert bmc.delete(f"{JOBS}/{first}").status == 200
    assert state(bmc, job_of(push(bmc, {"UpdateFile": image(BIOS)}))) == "Downloaded"


def test_a_planned_fault_fails_an_installation(bmc):
    bmc.post("/jobfish/v1/faults", {"target": SUPPLY, "step": "install", "message_id": "RED107"})
    job = job_of(push(bmc, {"UpdateFile": image(SUPPLY, needs_reboot=False)}))
    assert watch(bmc, job, 200) == ["Running", "Failed"]
    assert installed(bmc) == {}
    assert (bmc.job(job)["MessageId"], bmc.job(job)["PercentComplete"]) == ("PR21", 100)
    messages = [entry["MessageId"] for entry in bmc.get(f"{JOBS}/{job}").body["Messages"]]
    assert [name.rpartition(".")[2] for name in messages] == ["PR21", "RED107"]


def test_https_images_with_a_certificate_of_their_own_are_fetched(bmc, tmp_path):
    with serving(tmp_path) as images:
        job = job_of(simple_update(bmc, images.add("new.img", NEW_SUPPLY), TransferProtocol="HTTPS"))
        assert arrived(bmc, job) == "Running"


@pytest.mark.parametrize(
    ("uri", "more"),
    [
        ("http://{host}/new.img", {"Username": "me", "Password": "se:cret@"}),
        ("http://me:se%3Acret%40@{host}/new.img", {}),
        ("http://nobody:nothing@{host}/new.img", {"Username": "me", "Password": "se:cret@"}),
        ("me:se%3Acret%40@{host}/new.img", {"TransferProtocol": "HTTP"}),
    ],
)
def test_credentials_are_said_to_the_server_and_kept_nowhere(bmc, images, uri, more):
    images.add("new.img", NEW_SUPPLY)
    job = job_of(simple_update(bmc, uri.format(host=images.url.removeprefix("http://")), **more))
    assert arrived(bmc, job) == "Running"
    ((_, headers),) = images.asked
    assert headers["Authorization"] == requests.auth._basic_auth_str("me", "se:cret@")
    assert b"cret" not in b"".join(bmc.state().values())


# -- refused ----------------------------------------------------------------------------------------------------------

GOOD = {"ImageURI": "http://127.0.0.1:1/new.img"}


def in_window(apply="AtMaintenanceWindowStart", **window):
    return {**GOOD, APPLY_TIME: apply, **({WINDOW: window} if window else {})}


START_TIME, DURATION = "MaintenanceWindowStartTime", "MaintenanceWindowDurationInSeconds"
SIMPLE_UPDATES = [
    # situation, body, messages, related properties
    ("malformed JSON", b"{", ["IDRAC.SYS405", "Base.MalformedJSON"], set()),
    ("a list", b"[]", ["Base.UnrecognizedRequestBody"], set()),
    ("no image", {}, ["IDRAC.SYS428", "Base.ActionParameterMissing"], {"#/ImageURI"}),
    ("an image that is no text", {"ImageURI": 7}, ["IDRAC.SYS409", "Base.ActionParameterValueTypeError"], {"#/ImageURI"}),
    ("an empty image", {"ImageURI": ""}, ["IDRAC.SYS409", "Base.ActionParameterValueFormatError"], {"#/ImageURI"}),
    ("an unknown parameter", {**GOOD, "Image": 1}, ["IDRAC.SYS429", "Base.ActionParameterUnknown"], {"#/Image"}),
    ("a protocol that is not offered", {**GOOD, "TransferProtocol": "CIFS"}, ["IDRAC.SYS426", "Base.ActionParameterValueNotInList"], {"#/TransferProtocol"}),
    ("an apply time that is not offered", in_window("Now"), ["IDRAC.SYS426", "Base.ActionParameterValueNotInList"], {f"#/{APPLY_TIME}"}),
    ("a force that is no boolean", {**GOOD, "ForceUpdate": "yes"}, ["IDRAC.SYS409", "Base.ActionParameterValueTypeError"], {"#/ForceUpdate"}),
    ("targets that are no list", {**GOOD, "Targets": "BIOS"}, ["IDRAC.SYS409", "Base.ActionParameterValueTypeError"], {"#/Targets"}),
    ("a window without an end", in_window(**{START_TIME: "2030-01-01T00:00:00-05:00"}), ["IDRAC.SYS428", "Base.ActionParameterMissing"], {f"#/{WINDOW}/{DURATION}"}),
    ("no window", in_window(), ["IDRAC.SYS428", "Base.PropertyMissing"] * 2, {f"#/{WINDOW}/{START_TIME}", f"#/{WINDOW}/{DURATION}"}),
    ("a window that begins when nobody knows", in_window(**{START_TIME: "soon", DURATION: 600}), ["IDRAC.SYS447"], {f"#/{WINDOW}/{START_TIME}"}),
    ("a window in another zone", in_window(**{START_TIME: "2030-01-01T00:00:00+01:00", DURATION: 600}), ["IDRAC.SYS447"], {f"#/{WINDOW}/{START_TIME}"}),
    ("a target that is none", {**GOOD, "Targets": ["/redfish/v1/Systems"]}, ["IDRAC.SYS426", "Base.ActionParameterValueNotInList"], {"#/Targets"}),
    ("a window in the past", in_window(**{START_TIME: "2020-01-01T00:00:00-05:00", DURATION: 600}), ["IDRAC.SYS436"], {f"#/{START_TIME}"}),
    ("a window that is too short", in_window(**{START_TIME: "2030-01-01T00:00:00-05:00", DURATION: 299}), ["IDRAC.SYS448"], {f"#/{DURATION}"}),
    ("a scheme that is not offered", {"ImageURI": "ftp://127.0.0.1/new.img"}, ["IDRAC.SYS409", "Base.ActionParameterValueFormatError"], {"#/ImageURI"}),
    ("no scheme", {"ImageURI": "127.0.0.1/new.img"}, ["IDRAC.SYS409", "Base.ActionParameterValueFormatError"], {"#/ImageURI"}),
    ("an entry that is installed", {"ImageURI": ENTRIES[BIOS].format("2.1.5")}, ["IDRAC.SYS409", "Base.ActionParameterValueFormatError"], {"#/ImageURI"}),
    ("an entry that is not there", {"ImageURI": f"{INVENTORY}/Available-159-9.9__{BIOS}"}, ["IDRAC.SYS409", "Base.ActionParameterValueFormatError"], {"#/ImageURI"}),
]  # fmt: skip


@pytest.mark.parametrize("row", SIMPLE_UPDATES, ids=[row[0] for row in SIMPLE_UPDATES])
def test_a_simple_update_that_cannot_be_is_refused(bmc, row):
    _, body, messages, related = row
    before = bmc.state()
    answer = bmc.post(SIMPLE_UPDATE, body)
    assert (answer.status, answer.message_ids, answer.related) == (400, messages, related)
    assert bmc.state() == before


def test_a_password_in_a_refused_uri_is_not_repeated(bmc):
    answer = bmc.post(SIMPLE_UPDATE, {"ImageURI": "cifs://administrator:Swordfish@127.0.0.1/share/new.exe"})
    assert answer.status == 400
    assert "Swordfish" not in orjson.dumps(answer.body).decode()


FORMS = [
    # situation, parts, status, messages, related properties
    ("malformed parameters", {"UpdateParameters": (None, b"{")}, 400, ["IDRAC.SYS405", "Base.MalformedJSON"], set()),
    ("parameters that are a list", {"UpdateParameters": (None, b"[]")}, 400, ["Base.UnrecognizedRequestBody"], set()),
    ("an unknown parameter", {"UpdateParameters": parameters(Target=1)}, 400, ["IDRAC.SYS429", "Base.PropertyUnknown"], {"#/Target"}),
    ("an apply time that is not offered", {"UpdateParameters": parameters(apply="Now")}, 400, ["IDRAC.SYS426", "Base.PropertyValueNotInList"], {f"#/{APPLY_TIME}"}),
    ("a target that is none", {"UpdateParameters": parameters(Targets=["/redfish/v1/Nope"])}, 400, ["IDRAC.SYS426", "Base.PropertyValueNotInList"], {"#/Targets"}),
    ("parameters that are too large", {"UpdateParameters": (None, b" " * 70_000)}, 413, ["Base.PayloadTooLarge"], set()),
    ("much too large", {"UpdateParameters": (None, b" " * 700_000)}, 413, ["Base.PayloadTooLarge"], set()),
    ("parameters in a file that is too large", {"UpdateParameters": ("parameters.json", b" " * 70_000)}, 413, ["Base.PayloadTooLarge"], set()),
    ("parameters twice", [("UpdateParameters", parameters()), ("UpdateParameters", parameters())], 400, ["Base.PropertyDuplicate"], {"#/UpdateParameters"}),
    ("a part that nobody knows", {"UpdateParameter": parameters(apply="OnReset")}, 400, ["IDRAC.SYS429", "Base.PropertyUnknown"], {"#/UpdateParameter"}),
    ("no window", {"UpdateParameters": parameters(apply="AtMaintenanceWindowStart")}, 400, ["IDRAC.SYS428", "Base.PropertyMissing"] * 2, {f"#/{WINDOW}/{START_TIME}", f"#/{WINDOW}/{DURATION}"}),
    ("two files", {"OtherFile": image(SUPPLY)}, 400, ["Base.PropertyDuplicate"], {"#/UpdateFile"}),
    ("the same file twice", [("UpdateFile", image(SUPPLY))], 400, ["Base.PropertyDuplicate"], {"#/UpdateFile"}),
    ("twenty parts", [(f"Oem{number}", (None, b"x")) for number in range(20)], 413, ["Base.PayloadTooLarge"], set()),
]  # fmt: skip


@pytest.mark.parametrize("row", FORMS, ids=[row[0] for row in FORMS])
def test_a_form_that_cannot_be_is_refused(bmc, row):
    _, parts, status, messages, related = row
    before = bmc.state()
    parts = list(parts.items()) if isinstance(parts, dict) else parts
    answer = push(bmc, [*parts, ("UpdateFile", image(SUPPLY))])
    assert (answer.status, answer.message_ids, answer.related) == (status, messages, related)
    assert bmc.state() == before


def test_a_form_without_a_package_is_refused(bmc):
    before = bmc.state()
    for parts in ({"UpdateParameters": parameters()}, {"OemThing": (None, b"x")}):
        answer = push(bmc, parts)
        assert (answer.status, answer.message_ids) == (400, ["IDRAC.SYS428", "Base.PropertyMissing"])
        assert answer.related == {"#/UpdateFile"}
    assert bmc.state() == before


BODY, TYPE = form(UpdateFile=image(SUPPLY))
NO_FORMS = [
    ("a package alone", package(SUPPLY, NEWER), "application/octet-stream", 415, ["IDRAC.SYS401"]),
    ("JSON", b"{}", "application/json", 415, ["IDRAC.SYS401"]),
    ("a form of the other kind", b"UpdateFile=x", "application/x-www-form-urlencoded", 415, ["IDRAC.SYS401"]),
    ("no boundary", BODY, "multipart/form-data", 400, ["Base.UnrecognizedRequestBody"]),
    ("another boundary", BODY, "multipart/form-data; boundary=x", 400, ["Base.UnrecognizedRequestBody"]),
    ("a form cut short", BODY[:-50], TYPE, 400, ["Base.UnrecognizedRequestBody"]),
    ("a part without a name", BODY.replace(b'name="UpdateFile"; ', b""), TYPE, 202, []),
    ("a part without a disposition", BODY.replace(b"Content-Disposition", b"Content-Something"), TYPE, 400, ["Base.UnrecognizedRequestBody"]),
]  # fmt: skip


@pytest.mark.parametrize("row", NO_FORMS, ids=[row[0] for row in NO_FORMS])
def test_what_is_no_form_is_refused(bmc, row):
    _, body, kind, status, messages = row
    before = bmc.state()
    answer = bmc.post(MULTIPART, body, headers={"Content-Type": kind})
    assert (answer.status, answer.message_ids) == (status, messages)
    assert status == 202 or bmc.state() == before


PATCHES = [
    ("nothing in it", {}, ["Base.NoOperation"], set()),
    ("only annotations", {"@odata.id": "/x"}, ["Base.NoOperation"], set()),
    ("an unknown property", {"Service": False}, ["IDRAC.SYS429", "Base.PropertyUnknown"], {"#/Service"}),
    ("one that cannot be set", {"ServiceEnabled": False}, ["IDRAC.SYS427", "Base.PropertyNotWritable"], {"#/ServiceEnabled"}),
    ("a window without an end", {WINDOW: {START_TIME: "2030-01-01T00:00:00-05:00"}}, ["IDRAC.SYS428", "Base.PropertyMissing"], {f"#/{WINDOW}/{DURATION}"}),
    ("options of a push that it does not have", {"HttpPushUriOptions": {"ForceUpdate": True}}, ["IDRAC.SYS429", "Base.PropertyUnknown"], {"#/HttpPushUriOptions"}),
    ("targets of a push that it does not have", {"HttpPushUriTargets": []}, ["IDRAC.SYS429", "Base.PropertyUnknown"], {"#/HttpPushUriTargets"}),
    ("a window in another zone", {WINDOW: {START_TIME: "2030-01-01T00:00:00+01:00", DURATION: 600}}, ["IDRAC.SYS447"], {f"#/{WINDOW}/{START_TIME}"}),
    ("a window in the past", {WINDOW: {START_TIME: "2020-01-01T00:00:00-05:00", DURATION: 600}}, ["IDRAC.SYS436"], {f"#/{START_TIME}"}),
    ("a window that is too short", {WINDOW: {START_TIME: "2030-01-01T00:00:00-05:00", DURATION: 299}}, ["IDRAC.SYS448"], {f"#/{DURATION}"}),
]  # fmt: skip


@pytest.mark.parametrize("row", PATCHES, ids=[row[0] for row in PATCHES])
def test_a_patch_of_the_service_that_cannot_be_is_refused(bmc, row):
    _, body, messages, related = row
    before = bmc.state()
    answer = bmc.patch(SERVICE, body)
    assert (answer.status, answer.message_ids, answer.related) == (400, messages, related)
    assert bmc.state() == before


PUSH_APPLY = "HttpPushUriOptions/HttpPushUriApplyTime"


def push_apply(**apply):
    return {"HttpPushUriOptions": {"HttpPushUriApplyTime": apply}}


PLAIN_PATCHES = [
    ("no apply time", push_apply(), ["Base.PropertyMissing"], {f"/{PUSH_APPLY}/ApplyTime"}),
    ("an apply time that is not offered", push_apply(ApplyTime="Now"), ["Base.PropertyValueNotInList"], {f"/{PUSH_APPLY}/ApplyTime"}),
    ("no window", push_apply(ApplyTime="AtMaintenanceWindowStart"), ["Base.PropertyMissing"] * 2, {f"/{PUSH_APPLY}/{START_TIME}", f"/{PUSH_APPLY}/{DURATION}"}),
    ("a window in the past", push_apply(ApplyTime="AtMaintenanceWindowStart", **{START_TIME: "2020-01-01T00:00:00+00:00", DURATION: 600}), ["Base.PropertyValueOutOfRange"], {f"/{START_TIME}"}),
    ("a target that is none", {"HttpPushUriTargets": ["/redfish/v1/Systems"]}, ["Base.PropertyValueNotInList"], {"/HttpPushUriTargets"}),
    ("targets that are no list", {"HttpPushUriTargets": "bios"}, ["Base.PropertyValueTypeError"], {"/HttpPushUriTargets"}),
]  # fmt: skip


@pytest.mark.parametrize("row", PLAIN_PATCHES, ids=[row[0] for row in PLAIN_PATCHES])
def test_a_patch_of_a_plain_service_that_cannot_be_is_refused(rack, row):
    _, body, messages, related = row
    before = rack.state()
    answer = rack.patch(SERVICE, body)
    assert (answer.status, answer.message_ids, answer.related) == (400, messages, related)
    assert rack.state() == before


class Zeros:
    """A body of so many zeros."""

    def __init__(self, size):
        self.left = size

    def read(self, size):
        size = min(size, self.left)
        self.left -= size
        return bytes(size)


def announce(bmc, method, uri, length, body, **headers):
    """A request whose Content-Length says this, whatever the body is, as the server hands it over."""
    environ = EnvironBuilder(
        method=method, path=uri, auth=bmc.user, headers={"Content-Type": TYPE, **headers}
    ).get_environ()
    environ |= {
        "CONTENT_LENGTH": str(length),
        "wsgi.input": body,
        "wsgi.input_terminated": True,
        "REMOTE_ADDR": "127.0.0.1",
    }
    content, status, _ = run_wsgi_app(bmc.service.wsgi, environ)
    body = orjson.loads(b"".join(content))
    return Answer(int(status.split()[0]), {}, body)


WRITES = [
    # method, URI, body
    ("POST", SIMPLE_UPDATE, {"ImageURI": "http://127.0.0.1:1/x"}),
    ("POST", START_UPDATE, {}),
    ("POST", INSTALL, {"SoftwareIdentityURIs": [f"{INVENTORY}/Available-x"]}),
    ("PATCH", SERVICE, {WINDOW: {START_TIME: "2030-01-01T00:00:00-05:00", DURATION: 600}}),
    ("POST", MULTIPART, None),
    ("POST", INVENTORY, None),
    ("DELETE", ENTRIES[BIOS].format("2.1.5"), {}),
]


@pytest.mark.parametrize("row", WRITES, ids=[f"{row[0]} {row[1]}" for row in WRITES])
@pytest.mark.parametrize(
    ("user", "status", "messages"),
    [
        (("readonly", "readonly"), 403, ["IDRAC.SYS479", "Base.InsufficientPrivilege"]),
        (("root", "wrong"), 401, ["IDRAC.SYS415", "Base.ResourceAtUriUnauthorized"]),
        (None, 401, ["IDRAC.SYS416", "Base.AccessUnauthorized"]),
    ],
)
def test_who_may_not_is_refused_before_the_body_is_looked_at(bmc, monkeypatch, row, user, status, messages):
    method, uri, body = row
    monkeypatch.setattr(Inspector, "feed", lambda *_: pytest.fail("somebody looks at it"))
    before = bmc.state()
    bmc.user = user
    zeros = Zeros(40 * 2**20)
    answer = announce(bmc, method, uri, zeros.left, zeros) if body is None else bmc.call(method, uri, body)
    assert (answer.status, answer.message_ids) == (status, messages)
    assert bmc.state() == before
    if body is None:  # who is still sending would not see the answer; of strangers not everything is taken
        assert zeros.left == (0 if status == 403 else 24 * 2**20)


def test_who_waits_to_be_told_to_send_is_refused_at_once(bmc):
    zeros = Zeros(2**20)
    assert announce(bmc, "POST", INVENTORY, zeros.left, zeros, Expect="100-continue").status == 428
    assert zeros.left == 2**20


def test_an_operator_may_update(bmc):
    bmc.user = ("operator", "operator")
    job = job_of(push(bmc, {"UpdateFile": image(SUPPLY)}))
    assert bmc.get(f"{JOBS}/{job}").body["CreatedBy"] == "operator"


def test_what_is_announced_as_too_large_is_refused_before_it_is_read(bmc):
    before = bmc.state()
    for uri in (MULTIPART, INVENTORY):
        answer = announce(bmc, "POST", uri, LIMIT + 1, io.BytesIO(b"--"), **{"If-Match": "*"})
        assert (answer.status, answer.message_ids) == (413, ["Base.PayloadTooLarge"])
    assert bmc.state() == before


def test_a_full_store_refuses_every_way(make_bmc, tmp_path):
    bmc = make_bmc()
    push_kept(bmc, image(SUPPLY))
    for _ in range(256):
        bmc.create_reboot_job()
    before = bmc.state()
    kept = f"{INVENTORY}/Available-112450-{NEWER}__{SUPPLY}"
    for answer in (
        simple_update(bmc, "http://127.0.0.1:1/x"),
        simple_update(bmc, kept),
        push(bmc, {"UpdateFile": image(SUPPLY)}),
        bmc.post(INSTALL, {"SoftwareIdentityURIs": [kept]}),
    ):
        assert answer.message_ids == ["IDRAC.JCP017"]
    assert bmc.state() == before


# -- a form -----------------------------------------------------------------------------------------------------------

WAYS = [
    ("parameters as a field", {"UpdateParameters": parameters(apply="OnReset")}, "Scheduled"),
    ("parameters as a file", {"UpdateParameters": ("parameters.json", parameters(apply="OnReset")[1], "application/json")}, "Scheduled"),
    ("no parameters", {}, "Downloaded"),
    ("empty parameters", {"UpdateParameters": parameters()}, "Downloaded"),
    ("as Dell's script sends them", {"UpdateParameters": parameters(Targets=[], apply="OnReset", Oem={})}, "Scheduled"),
    ("with something of a vendor's", {"OemThing": (None, b"x"), "OemFile": ("x", b"y")}, "Downloaded"),
]  # fmt: skip


@pytest.mark.parametrize("row", WAYS, ids=[row[0] for row in WAYS])
@pytest.mark.parametrize("first", [True, False])
def test_a_form_with_a_package_makes_a_job(bmc, row, first):
    _, parts, expected = row
    file = {"UpdateFile": image(BIOS)}
    job = job_of(push(bmc, {**parts, **file} if first else {**file, **parts}))
    assert state(bmc, job) == expected
    assert bmc.job(job)["Name"] == "Firmware Update: BIOS"
    assert bmc.job(job)["JobType"] == "FirmwareUpdate"


def test_the_file_may_have_any_name_if_it_is_the_only_one(bmc):
    assert state(bmc, job_of(push(bmc, {"file": image(SUPPLY, needs_reboot=False)}))) == "Running"


@pytest.mark.parametrize("size", [0, 1, 65_535, 65_536, 200_000, 3_000_000])
def test_a_package_may_hold_any_bytes(bmc, size):
    payload = (bytes(range(256)) + b"\r\n--\r\n\n\r" * 7)[:size] * (size // 300 + 1)
    job = job_of(push(bmc, {"UpdateFile": image(SUPPLY, payload=payload[:size], needs_reboot=False)}))
    assert state(bmc, job) == "Running", said(bmc, job)


@pytest.mark.parametrize("content", [b"", damaged(package(SUPPLY, NEWER))])
def test_a_bad_package_makes_a_job_that_has_failed(bmc, content):
    job = job_of(push(bmc, {"UpdateFile": ("new.img", content)}))
    assert state(bmc, job) == "Failed"
    assert said(bmc, job).startswith(RED007)
    assert installed(bmc) == {}


# -- a package alone, kept in the inventory ---------------------------------------------------------------------------


def push_kept(bmc, part, tag=None):
    """Push to a lifecycle controller's HttpPushUri, as its scripts do; gives the answer."""
    tag = bmc.get(INVENTORY).headers["ETag"] if tag is None else tag
    return push(bmc, {"file": part}, INVENTORY, **{"If-Match": tag} if tag else {})


def test_a_pushed_package_is_kept_and_can_be_installed(bmc):
    before = inventory(bmc)
    answer = push_kept(bmc, image(BIOS))
    key = f"Available-159-{NEWER}__{BIOS}"
    assert (answer.status, answer.headers["Location"]) == (201, f"{INVENTORY}/{key}")
    assert (answer.body["Id"], answer.body["Version"], answer.body["Name"]) == (key, NEWER, "BIOS")
    assert answer.message_ids == ["Base.Created", "IDRAC.SYS414"]
    assert inventory(bmc) == {**before, key: NEWER}
    assert bmc.get(answer.headers["Location"]).body["Status"]["State"] == "StandbyOffline"
    # as redfish_firmware does, with the headers of the upload leaked
    leaked = {"Content-Type": "multipart/form-data", "If-Match": bmc.get(INVENTORY).headers["ETag"]}
    body = orjson.dumps({"ImageURI": answer.headers["Location"], APPLY_TIME: "Immediate"})
    job = job_of(bmc.post(SIMPLE_UPDATE, body, headers=leaked))
    assert watch(bmc, job, 400) == ["Scheduled", "Running", "Completed"]
    assert key not in inventory(bmc)
    assert installed(bmc) == {BIOS: NEWER}


def test_a_push_needs_to_know_what_it_adds_to(bmc):
    before, old = bmc.state(), bmc.get(INVENTORY).headers["ETag"]
    answer = push_kept(bmc, image(BIOS), tag="")
    assert (answer.status, answer.message_ids) == (428, ["IDRAC.SYS404", "Base.PreconditionRequired"])
    assert push_kept(bmc, image(BIOS), tag='"another"').status == 412
    assert bmc.state() == before
    assert push_kept(bmc, image(BIOS), tag=old).status == 201
    assert push_kept(bmc, image(BIOS, "100.0"), tag=old).status == 412
    assert push_kept(bmc, image(BIOS, "100.0"), tag="*").status == 201


def test_a_package_alone_may_be_the_body_of_a_push(bmc):
    headers = {"Content-Type": "application/octet-stream", "If-Match": "*"}
    answer = bmc.post(INVENTORY, package(BIOS, NEWER), headers=headers)
    assert (answer.status, answer.body["Id"]) == (201, f"Available-159-{NEWER}__{BIOS}")


BAD_PUSHES = [
    ("an empty file", b"", ["IDRAC.RED007"]),
    ("a damaged package", damaged(package(BIOS, NEWER)), ["IDRAC.RED007"]),
    ("a package for something else", package("Fan.1", "1"), ["Jobfish.ImageForUnknownComponent"]),
    ("a file that tells nothing of itself", b"MZ", ["Jobfish.ImageForUnknownComponent"]),
]


@pytest.mark.parametrize("row", BAD_PUSHES, ids=[row[0] for row in BAD_PUSHES])
def test_what_nobody_could_install_is_not_kept(bmc, row):
    _, content, messages = row
    before = bmc.state()
    answer = push_kept(bmc, ("x.img", content))
    assert (answer.status, answer.message_ids) == (400, messages)
    assert bmc.state() == before


def test_a_push_that_ends_before_its_announced_length_is_refused(bmc, rack):
    before = bmc.state(), rack.state()
    for service, uri in ((bmc, INVENTORY), (rack, HTTP_PUSH)):
        kind = {"Content-Type": "application/octet-stream", "If-Match": "*"}
        answer = announce(service, "POST", uri, 10_000, io.BytesIO(b"an image, and then the client has gone"), **kind)
        assert (answer.status, answer.message_ids) == (400, ["Base.UnrecognizedRequestBody"])
    assert (bmc.state(), rack.state()) == before


def test_a_package_for_two_components_is_kept_for_each(bmc):
    answer = push_kept(bmc, image("112450", needs_reboot=False))
    keys = [f"Available-112450-{NEWER}__{name}" for name in (SUPPLY, OTHER_SUPPLY)]
    assert (answer.status, answer.body["Id"]) == (201, keys[0])
    assert set(keys) <= set(inventory(bmc))
    job = job_of(simple_update(bmc, f"{INVENTORY}/{keys[1]}"))
    bmc.advance(INSTALL_SECONDS)
    assert (state(bmc, job), installed(bmc)) == ("Completed", {OTHER_SUPPLY: NEWER})
    assert keys[0] in inventory(bmc)


def test_a_kept_package_can_be_thrown_away(bmc):
    place = push_kept(bmc, image(BIOS)).headers["Location"]
    assert bmc.delete(place, headers={"If-Match": '"another"'}).status == 412
    answer = bmc.delete(place, headers={"If-Match": bmc.get(place).headers["ETag"]})
    assert (answer.status, answer.message_ids) == (200, ["Base.Success", "IDRAC.SYS413"])
    assert bmc.get(place).status == 404
    before = bmc.state()
    assert bmc.delete(place).status == 404
    assert bmc.delete(ENTRIES[BIOS].format("2.1.5")).status == 405
    assert bmc.state() == before


INSTALLS = [
    # InstallUpon, component, what happens at once, restarts of the host
    (None, SUPPLY, "Running", 0),
    ("Now", BIOS, "Scheduled", 0),
    ("NextReboot", BIOS, "Scheduled", 0),
    ("NowAndReboot", BIOS, "Scheduled", 1),
]


@pytest.mark.parametrize("row", INSTALLS, ids=[f"{row[0]} {row[1]}" for row in INSTALLS])
def test_the_older_action_installs_what_was_pushed(bmc, row):
    upon, component, expected, restarts = row
    place = push_kept(bmc, image(component, needs_reboot=component == BIOS)).headers["Location"]
    more = {"InstallUpon": upon} if upon else {}
    job = job_of(bmc.post(INSTALL, {"SoftwareIdentityURIs": [place], **more}))
    assert state(bmc, job) == expected
    reboots = [member for member in bmc.get(bmc.jobs).body["Members"] if "/RID_" in member["@odata.id"]]
    assert len(reboots) == restarts
    if not restarts and component == BIOS:
        bmc.reset()
    bmc.advance(400)
    assert installed(bmc) == {component: NEWER}


def test_the_older_action_installs_several_with_one_restart(bmc):
    places = [push_kept(bmc, image(name)).headers["Location"] for name in (BIOS, "CPLD.Embedded.1", SUPPLY)]
    job = job_of(bmc.post(INSTALL, {"SoftwareIdentityURIs": places, "InstallUpon": "NowAndReboot"}))
    jobs = [member["@odata.id"].rpartition("/")[2] for member in bmc.get(bmc.jobs).body["Members"]]
    assert ([name[:3] for name in jobs], jobs[-1]) == (["JID", "RID", "JID", "JID"], job)
    bmc.advance(600)
    assert [bmc.job(name)["JobState"] for name in jobs] == ["Completed", "RebootCompleted", "Completed", "Completed"]


BAD_INSTALLS = [
    ("none", {}, ["IDRAC.SYS428", "Base.ActionParameterMissing"]),
    ("an empty list", {"SoftwareIdentityURIs": []}, ["IDRAC.SYS409", "Base.ActionParameterValueFormatError"]),
    ("another time", {"SoftwareIdentityURIs": ["x"], "InstallUpon": "Later"}, ["IDRAC.SYS426", "Base.ActionParameterValueNotInList"]),
    ("what is installed", {"SoftwareIdentityURIs": [ENTRIES[BIOS].format("2.1.5")]}, ["IDRAC.SYS426", "Base.ActionParameterValueNotInList"]),
    ("one good and two bad", {"SoftwareIdentityURIs": [f"{INVENTORY}/Available-159-{NEWER}__{BIOS}", "a", "b"]}, ["IDRAC.SYS426", "Base.ActionParameterValueNotInList"] * 2),
]  # fmt: skip


@pytest.mark.parametrize("row", BAD_INSTALLS, ids=[row[0] for row in BAD_INSTALLS])
def test_the_older_action_refuses_what_cannot_be(bmc, row):
    _, body, messages = row
    push_kept(bmc, image(BIOS))
    before = bmc.state()
    answer = bmc.post(INSTALL, body)
    assert (answer.status, answer.message_ids) == (400, messages)
    assert bmc.state() == before


# -- a package alone, installed at once -------------------------------------------------------------------------------


def push_raw(rack, content, **headers):
    return rack.post(HTTP_PUSH, content, headers={"Content-Type": "application/octet-stream", **headers})


def test_a_plain_service_installs_what_is_pushed(rack):
    job = job_of(push_raw(rack, package("psu-1", NEWER, needs_reboot=False)))
    assert watch(rack, job, 200, plain_state) == ["Running", "Completed"]
    found = rack.get(f"{INVENTORY}/psu-1").body
    assert (found["Version"], found["Id"]) == (NEWER, "psu-1")
    assert rack.get(f"{INVENTORY}/Previous-psu-1").body["Version"] == "1.07"


@contextmanager
def process(state):
    """A plain service that is there for a while, and leaves its state behind."""
    service = build_service(Settings(clock="manual", mockup="rack-server"), state_folder=state)
    service.start()
    try:
        yield Bmc(service)
    finally:
        service.stop()


def test_what_is_pushed_goes_by_the_options_that_were_given_before(tmp_path):
    options = {
        "HttpPushUriTargets": [f"{INVENTORY}/bios"],
        "HttpPushUriTargetsBusy": True,
        "HttpPushUriOptions": {"ForceUpdate": True, "HttpPushUriApplyTime": {"ApplyTime": "OnStartUpdateRequest"}},
    }
    with process(tmp_path) as rack:
        shown = rack.get(SERVICE).body
        assert (shown["HttpPushUriTargets"], shown["HttpPushUriTargetsBusy"]) == ([], False)
        assert shown["HttpPushUriOptions"] == {"ForceUpdate": False, "HttpPushUriApplyTime": {"ApplyTime": "Immediate"}}
        answer = rack.patch(SERVICE, options)
        assert answer.status == 200
        assert {name: answer.body[name] for name in options} == options
    with process(tmp_path) as rack:
        assert {name: rack.get(SERVICE).body[name] for name in options} == options
        job = job_of(push_raw(rack, b"an image of some other kind"))
        assert plain_state(rack, job) == "Pending"
        assert job_of(rack.post(START_UPDATE)) == job
        rack.reset()
        assert watch(rack, job, 400, plain_state) == ["Pending", "Running", "Completed"]
        assert rack.get(f"{INVENTORY}/bios").body["Version"] == "1.8.3"


def test_a_push_may_wait_for_a_window_that_was_given_before(rack):
    apply = {"ApplyTime": "AtMaintenanceWindowStart", **window(rack, 600)}
    rack.patch(SERVICE, {"HttpPushUriOptions": {"HttpPushUriApplyTime": apply}})
    job = job_of(push_raw(rack, package("bios", NEWER)))
    assert watch(rack, job, 900, plain_state) == ["Pending", "Running", "Completed"]
    before = rack.state()
    answer = push_raw(rack, package("psu-1", NEWER))
    assert (answer.status, answer.message_ids) == (400, ["Base.PropertyValueOutOfRange"]), "the window has passed"
    assert rack.state() == before


def test_options_are_changed_one_by_one_and_targets_can_be_taken_back(rack):
    rack.patch(SERVICE, {"HttpPushUriOptions": {"ForceUpdate": True}, "HttpPushUriTargets": [f"{INVENTORY}/bios"]})
    rack.patch(SERVICE, {"HttpPushUriOptions": {"HttpPushUriApplyTime": {"ApplyTime": "OnReset"}}})
    rack.patch(SERVICE, {"HttpPushUriTargets": None})
    shown = rack.get(SERVICE).body
    assert shown["HttpPushUriOptions"] == {"ForceUpdate": True, "HttpPushUriApplyTime": {"ApplyTime": "OnReset"}}
    assert shown["HttpPushUriTargets"] == []


def test_a_form_may_be_pushed_too_and_its_parameters_count(rack):
    rack.patch(SERVICE, {"HttpPushUriOptions": {"HttpPushUriApplyTime": {"ApplyTime": "OnStartUpdateRequest"}}})
    parts = {"UpdateParameters": parameters(apply="OnReset"), "UpdateFile": image("psu-1", needs_reboot=False)}
    assert plain_state(rack, job_of(push(rack, parts, HTTP_PUSH))) == "Running"


# -- what an image is for ---------------------------------------------------------------------------------------------

SYSTEM, MANAGER = "/redfish/v1/Systems/System.Embedded.1", "/redfish/v1/Managers/iDRAC.Embedded.1"
SUPPLIES = "/redfish/v1/Chassis/System.Embedded.1/PowerSubsystem/PowerSupplies"
TARGETS = [
    # target, component
    (ENTRIES[BIOS].format("2.1.5"), BIOS),
    (ENTRIES[BIOS].format("2.1.5") + "/", BIOS),
    (f"{SYSTEM}/Bios", BIOS),
    (f"{SYSTEM}/Bios/", BIOS),
    (MANAGER, IDRAC),
    (f"{SUPPLIES}/{SUPPLY}", SUPPLY),
    (SUPPLY, SUPPLY),
]


@pytest.mark.parametrize("row", TARGETS, ids=[row[0] for row in TARGETS])
def test_an_opaque_image_is_for_its_targets(bmc, row):
    target, component = row
    wanted = parameters(Targets=[target], apply="Immediate")
    job = job_of(push(bmc, {"UpdateParameters": wanted, "UpdateFile": (f"fw_{NEWER}.EXE", b"MZ opaque")}))
    bmc.advance(1000)
    assert (state(bmc, job), installed(bmc)) == ("Completed", {component: NEWER})


@pytest.mark.parametrize(
    ("target", "component"),
    [
        ("/redfish/v1/Systems/rack-1/Bios", "bios"),
        ("/redfish/v1/Managers/bmc", "bmc"),
        (f"{INVENTORY}/psu-1", "psu-1"),
        ("/redfish/v1/Chassis/rack-1/PowerSubsystem/PowerSupplies/psu-1", "psu-1"),
    ],
)
def test_an_opaque_image_is_for_its_targets_in_a_plain_service(rack, target, component):
    wanted = parameters(Targets=[target], apply="Immediate")
    job_of(push(rack, {"UpdateParameters": wanted, "UpdateFile": (f"fw_{NEWER}.bin", b"opaque")}))
    rack.advance(1000)
    assert rack.get(f"{INVENTORY}/{component}").body["Version"] == NEWER


def test_an_opaque_image_without_targets_is_for_nothing(bmc):
    job = job_of(push(bmc, {"UpdateFile": ("fw_3.0.EXE", b"MZ")}))
    assert state(bmc, job) == "Failed"
    assert "does not have: nothing that it names" in said(bmc, job)


@pytest.mark.parametrize(
    ("name", "version"),
    [("BIOS_FW8K_WN64_2.3.0.EXE", "2.3.0"), ("image-2.3.0-rc1.bin", "2.3.0"), ("image.bin", "2.1.6"), ("", "2.1.6")],
)
def test_the_version_of_an_opaque_image_is_in_its_name_or_the_next(bmc, name, version):
    wanted = parameters(Targets=[f"{SYSTEM}/Bios"], apply="Immediate")
    job_of(push(bmc, {"UpdateParameters": wanted, "UpdateFile": (name or '""', b"opaque")}))
    bmc.advance(1000)
    assert installed(bmc) == {BIOS: version}


def test_the_name_of_a_fetched_image_is_the_last_part_of_its_path(bmc, images):
    uri = images.add("folder%20of/fw%2B2.3.0.bin", b"opaque") + "?token=7.7"
    job = job_of(simple_update(bmc, uri, Targets=[f"{SYSTEM}/Bios"], apply="Immediate"))
    assert arrived(bmc, job) == "Scheduled"
    bmc.advance(1000)
    assert installed(bmc) == {BIOS: "2.3.0"}


def test_an_image_of_a_shared_software_id_is_for_all_that_have_it_or_for_those_named(bmc):
    first = job_of(push(bmc, {"UpdateFile": image("112450", "10.0", needs_reboot=False)}))
    assert bmc.job(first)["Name"] == "Firmware Update: Power Supply.Slot.1, Power Supply.Slot.2"
    bmc.advance(2 * INSTALL_SECONDS)
    assert installed(bmc) == {SUPPLY: "10.0", OTHER_SUPPLY: "10.0"}
    wanted = parameters(Targets=[f"{SUPPLIES}/{OTHER_SUPPLY}"])
    job_of(push(bmc, {"UpdateParameters": wanted, "UpdateFile": image("112450", "11.0", needs_reboot=False)}))
    bmc.advance(INSTALL_SECONDS)
    assert installed(bmc) == {SUPPLY: "10.0", OTHER_SUPPLY: "11.0"}


@pytest.mark.parametrize("version", ["00.1D.7D", "00.1C"])
@pytest.mark.parametrize("way", ["SimpleUpdate", "form"])
def test_by_force_the_same_or_an_older_version_is_installed(bmc, images, version, way):
    content = package(SUPPLY, version, needs_reboot=False)

    def send(force):
        if way == "form":
            return job_of(push(bmc, {"UpdateParameters": parameters(ForceUpdate=force), "UpdateFile": ("x", content)}))
        return job_of(simple_update(bmc, images.add("x.img", content), ForceUpdate=force))

    refused = send(False)
    assert arrived(bmc, refused) == "Failed"
    assert said(bmc, refused) == f"Version {version} for {SUPPLY} is not newer than the installed version 00.1D.7D."
    job = send(True)
    arrived(bmc, job)
    bmc.advance(INSTALL_SECONDS)
    assert (state(bmc, job), inventory(bmc)[f"Installed-112450-{version}__{SUPPLY}"]) == ("Completed", version)


# -- the inventory before and after -----------------------------------------------------------------------------------


def update(bmc, component, version=NEWER):
    """Install this at once; gives the moment at which it was."""
    job = job_of(push(bmc, {"UpdateParameters": parameters(apply="Immediate"), "UpdateFile": image(component, version, needs_reboot=component == BIOS)}))  # fmt: skip
    bmc.advance(1000)
    assert bmc.get(f"{JOBS}/{job}").body["JobState"] == "Completed"
    return bmc.get(f"{JOBS}/{job}").body["EndTime"]


def test_the_inventory_tells_what_is_installed_and_what_can_be_brought_back(bmc):
    before = inventory(bmc)
    update(bmc, BIOS)
    old, new = (f"159-{version}__{BIOS}" for version in ("2.1.5", NEWER))
    gone = {key: version for key, version in before.items() if key != f"Installed-{old}"}
    assert inventory(bmc) == {**gone, f"Installed-{new}": NEWER, f"Previous-{old}": "2.1.5"}
    assert bmc.get(f"{INVENTORY}/Installed-{old}").status == 404
    entry = bmc.get(f"{INVENTORY}/Installed-{new}").body
    assert (entry["Id"], entry["@odata.id"]) == (f"Installed-{new}", f"{INVENTORY}/Installed-{new}")
    assert (entry["Version"], entry["Status"]["State"]) == (NEWER, "Enabled")
    assert "InstallDate" not in entry, "DMTF's SoftwareInventory has no such property"
    assert "ReleaseDate" not in entry, "it was that of another version"
    assert bmc.get(f"{INVENTORY}/Previous-{old}").body["Status"]["State"] == "StandbyOffline"


@pytest.mark.parametrize("mockup", ["lifecycle-server", "rack-server", "poweredge-r750.tar.xz"])
def test_whatever_led_to_an_entry_leads_to_the_new_one(make_bmc, mockup):
    bmc = make_bmc(mockup=str(capture(mockup)) if mockup.endswith(".xz") else mockup)
    bios, controller = (BIOS, IDRAC) if mockup != "rack-server" else ("bios", "bmc")
    for component in (bios, controller):
        update(bmc, component)
    found = [
        bmc.get(bmc.bios).body["Links"]["ActiveSoftwareImage"],
        bmc.get(bmc.manager).body["Links"]["ActiveSoftwareImage"],
    ]
    assert [bmc.get(link["@odata.id"]).body["Version"] for link in found] == [NEWER] * 2
    for uri in (bmc.bios, bmc.manager):
        links = bmc.get(uri).body["Links"]
        assert len(links.get("SoftwareImages", [])) == links.get("SoftwareImages@odata.count", 0)
        assert all(bmc.get(link["@odata.id"]).status == 200 for link in links.get("SoftwareImages", []))
    for member in bmc.get(INVENTORY).body["Members"]:
        assert bmc.get(member["@odata.id"]).status == 200
    assert bmc.get(bmc.system).body["BiosVersion"] == NEWER
    assert bmc.get(bmc.manager).body["FirmwareVersion"] == NEWER


def test_hardware_that_shows_its_version_shows_the_new_one(bmc, rack):
    raid = "RAID.Integrated.1-1"
    for service, component, uri in (
        (bmc, SUPPLY, f"{SUPPLIES}/{SUPPLY}"),
        (bmc, raid, f"{SYSTEM}/Storage/{raid}/Controllers/{raid}"),
        (rack, "psu-1", "/redfish/v1/Chassis/rack-1/PowerSubsystem/PowerSupplies/psu-1"),
        (rack, "raid-1", "/redfish/v1/Systems/rack-1/Storage/raid-1/Controllers/1"),
    ):
        before = service.get(uri).untagged
        update(service, component)
        after = service.get(uri).untagged
        vendors = after.pop("Oem", {}).get("Dell", {}).get("DellStorageController", {})
        assert vendors.get("ControllerFirmwareVersion", NEWER) == NEWER
        before.pop("Oem", None)
        assert after == {**before, "FirmwareVersion": NEWER}
    assert bmc.get(f"{SUPPLIES}/{OTHER_SUPPLY}").body["FirmwareVersion"] == DELIVERED[OTHER_SUPPLY]


def test_a_rollback_brings_the_previous_version_back_and_can_be_rolled_back_itself(bmc):
    update(bmc, BIOS)
    previous = f"{INVENTORY}/Previous-159-2.1.5__{BIOS}"
    job = job_of(simple_update(bmc, previous))
    assert (state(bmc, job), bmc.job(job)["Name"]) == ("Scheduled", "Firmware Rollback: BIOS")
    bmc.reset()
    assert watch(bmc, job, 400) == ["Scheduled", "Running", "Completed"]
    assert bmc.get(previous).status == 404
    entry = bmc.get(ENTRIES[BIOS].format("2.1.5")).body
    assert entry["ReleaseDate"] == "2026-01-20T00:00:00Z"
    job = job_of(simple_update(bmc, f"{INVENTORY}/Previous-159-{NEWER}__{BIOS}", apply="Immediate"))
    bmc.advance(1000)
    assert (state(bmc, job), installed(bmc)) == ("Completed", {BIOS: NEWER})


def test_a_plain_service_rolls_back_too(rack):
    update(rack, "bios")
    uri = f"https://127.0.0.1{INVENTORY}/Previous-bios"
    job = job_of(simple_update(rack, uri, apply="Immediate"))
    rack.advance(1000)
    assert plain_state(rack, job) == "Completed"
    assert rack.get(f"{INVENTORY}/bios").body["Version"] == "1.8.2"


def test_the_older_action_rolls_back_too(bmc):
    update(bmc, SUPPLY)
    job_of(bmc.post(INSTALL, {"SoftwareIdentityURIs": [f"{INVENTORY}/Previous-112450-00.1D.7D__{SUPPLY}"]}))
    bmc.advance(INSTALL_SECONDS)
    assert installed(bmc) == {}


DELL_INVENTORY = f"{SERVICE}/Oem/Dell/DellSoftwareInventory"


def test_the_vendors_own_inventory_tells_the_same(bmc):
    place = f"{DELL_INVENTORY}/DCIM:INSTALLED_0x23_159__{BIOS}"
    delivered, listed = bmc.get(place).untagged, bmc.get(DELL_INVENTORY).body
    assert (delivered["Version"], listed["Members@odata.count"]) == ("2.1.5", 10)
    at = datetime.fromisoformat(update(bmc, BIOS))
    numbers = {"MajorVersion": 99, "MinorVersion": 1, "RevisionNumber": 3, "Version": NEWER}
    date = f"{at - at.utcoffset():%Y-%m-%dT%H:%M:%S}Z"
    assert bmc.get(place).untagged == {**delivered, **numbers, "InstallationDate": date}
    previous = bmc.get(place.replace("INSTALLED", "PREVIOUS")).body
    assert (previous["Version"], previous["Status"], previous["InstallationDate"]) == (
        "2.1.5",
        "AvailableForInstallation",
        "NA",
    )
    listed = bmc.get(f"{DELL_INVENTORY}?$expand=*($levels=1)").body["Members"]
    assert len(listed) == 11
    assert {member["@odata.id"]: bmc.get(member["@odata.id"]).body for member in listed} == {
        member["@odata.id"]: member for member in listed
    }
    assert bmc.get(f"{DELL_INVENTORY}/DCIM:INSTALLED_0x23_1__Nope").status == 404


def test_the_vendors_own_inventory_of_a_captured_controller_tells_the_same(make_bmc):
    bmc = make_bmc(mockup=str(capture("poweredge-r750.tar.xz")))
    assert bmc.get(DELL_INVENTORY).body["Members@odata.count"] == bmc.get(INVENTORY).body["Members@odata.count"]

    def own(version):
        """Of the BIOS: within its entry, below it, and elsewhere."""
        entry = bmc.get(ENTRIES[BIOS].format(version)).body
        within = entry["Oem"]["Dell"]["DellSoftwareInventory"]
        key = within["Id"]
        found = [
            bmc.get(f"{place}/{key}").body
            for place in (
                DELL_INVENTORY,
                f"{INVENTORY}/Oem/Dell/DellSoftwareInventory",
                within["@odata.id"].rpartition("/")[0],
            )
        ]
        return [{name: value for name, value in one.items() if not name.startswith("@odata.")} for one in (within, *found)]  # fmt: skip

    delivered = own("1.8.2")
    assert delivered == delivered[:1] * 4
    update(bmc, BIOS)
    assert own(NEWER) == own(NEWER)[:1] * 4
    assert {name: value for name, value in own(NEWER)[0].items() if value != delivered[0][name]}.keys() == {
        *("MajorVersion", "MinorVersion", "RevisionNumber", "HashValue", "InstallationDate"),
    }
    assert bmc.get(f"{ENTRIES[BIOS].format('1.8.2')}/Oem/Dell/DellSoftwareInventory/{delivered[0]['Id']}").status == 404


# -- taken back, and cut short ----------------------------------------------------------------------------------------


def test_deleting_a_job_while_it_downloads_stops_the_transfer(bmc, images):
    uri, tap = images.tap("fw_3.0.bin", bytes(400 * BLOCK))
    job = job_of(simple_update(bmc, uri, Targets=[f"{SYSTEM}/Bios"]))
    tap.wait_for_someone()
    tap.send(8 * BLOCK)
    eventually(lambda: percents(bmc, job), lambda seen: seen > 0)
    assert bmc.delete(f"{bmc.jobs}/{job}").status == 200
    assert bmc.get(f"{TASKS}/{job}").status == 404

    def sends_on():
        tap.send(8 * BLOCK)
        return tap.gone.is_set()

    eventually(sends_on, bool)
    assert (installed(bmc), bmc.get(bmc.jobs).body["Members@odata.count"]) == ({}, 0)
    again = job_of(simple_update(bmc, images.add("good.img", package(BIOS, NEWER))))
    assert arrived(bmc, again) == "Downloaded"


def test_a_restart_of_the_controller_begins_a_download_anew(bmc, images):
    uri, tap = images.tap("fw_99.1.3.bin", bytes(16 * BLOCK))
    job = job_of(simple_update(bmc, uri, Targets=[f"{SUPPLIES}/{SUPPLY}"]))
    tap.wait_for_someone()
    tap.send(8 * BLOCK)
    eventually(lambda: percents(bmc, job), lambda seen: seen == 50)
    assert bmc.post(f"{MANAGER}/Actions/Manager.Reset", {"ResetType": "GracefulRestart"}).status == 204
    tap.send()
    assert state(bmc, job) == "away"
    bmc.advance(AWAY_SECONDS)
    tap.wait_for_someone()
    assert (state(bmc, job), percents(bmc, job), tap.asked) == ("Downloading", 0, 2)
    tap.send()
    assert arrived(bmc, job) == "Running"
    bmc.advance(INSTALL_SECONDS)
    assert installed(bmc) == {SUPPLY: NEWER}


def test_an_installation_whose_time_is_over_while_the_controller_is_away_is_done_when_it_is_back(bmc):
    job = job_of(push(bmc, {"UpdateFile": image(SUPPLY, needs_reboot=False)}))
    bmc.advance(50)
    assert percents(bmc, job) == 37
    bmc.post(f"{MANAGER}/Actions/Manager.Reset", {"ResetType": "GracefulRestart"})
    bmc.advance(AWAY_SECONDS)
    assert (state(bmc, job), installed(bmc)) == ("Completed", {SUPPLY: NEWER})


def test_an_installation_goes_on_where_its_time_has_come_to_when_the_controller_is_back(make_bmc, tmp_path):
    manifest = (data_folder("mockups") / "rack-server" / "machine.toml").read_text()
    longer = manifest.replace("[timings]\n", "[timings]\nfirmware_step_seconds = 400\n")
    shutil.copytree(data_folder("mockups") / "rack-server", tmp_path / "rack")
    (tmp_path / "rack" / "machine.toml").write_text(longer)
    rack = make_bmc(mockup=str(tmp_path / "rack"))
    job = job_of(push(rack, {"UpdateFile": image("psu-1", needs_reboot=False)}))
    rack.advance(60)
    rack.post("/redfish/v1/Managers/bmc/Actions/Manager.Reset", {"ResetType": "ForceRestart"})
    rack.advance(AWAY_SECONDS)
    seen = []
    for _ in range(4):
        seen.append(rack.get(f"{JOBS}/{job}").body["PercentComplete"])
        rack.advance(55)
    assert (seen, plain_state(rack, job)) == ([37, 50, 62, 75], "Completed")


def test_a_running_installation_that_is_taken_back_is_undone(bmc):
    targets = [f"{SUPPLIES}/{name}" for name in (SUPPLY, OTHER_SUPPLY)]
    job = job_of(push(bmc, {"UpdateParameters": parameters(Targets=targets), "UpdateFile": ("fw_99.1.3.bin", b"x")}))
    bmc.advance(INSTALL_SECONDS + 60)
    assert installed(bmc) == {SUPPLY: NEWER}
    assert bmc.delete(f"{TASKS}/{job}").status == 200
    bmc.advance(1000)
    assert installed(bmc) == {}
