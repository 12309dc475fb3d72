"""OpenStack's `sushy`, unmodified, over a TLS socket, against both bundled mockups."""

from __future__ import annotations

import pytest
import requests
import sushy

MOCKUPS = {"lifecycle-server": "System.Embedded.1", "rack-server": "rack-1"}


class Controller:
    """A controller and sushy's view of it."""

    def __init__(self, url, system):
        self.url = url
        self.auth = sushy.auth.SessionOrBasicAuth("root", "calvin")
        self.root = sushy.Sushy(url, auth=self.auth, verify=False)
        self.system = self.root.get_system(f"/redfish/v1/Systems/{system}")

    def control(self, path, body):
        answer = requests.post(
            f"{self.url}/jobfish/v1/{path}", json=body, auth=("root", "calvin"), verify=False, timeout=10
        )
        answer.raise_for_status()

    def reset_and_wait(self):
        self.system.reset_system(sushy.RESET_FORCE_RESTART)
        self.control("clock", {"advance": 500})

    def bios(self):
        bios = self.system.bios
        bios.refresh(force=True)
        return bios

    def manager(self):
        return self.root.get_manager_collection().get_members()[0]

    def tasks(self):
        return self.root.get_task_service().tasks.get_members()


@pytest.fixture(params=MOCKUPS)
def controller(request, served):
    made = Controller(served(request.param), MOCKUPS[request.param])
    yield made
    made.auth.close()  # or sushy tries to when it is collected, long after the service is gone


@pytest.fixture
def lifecycle(served):
    made = Controller(served("lifecycle-server"), "System.Embedded.1")
    yield made
    made.auth.close()


def test_a_bios_change_at_the_next_reset(controller):
    bios = controller.system.bios
    assert bios.attributes["ProcTurboMode"] == "Enabled"
    assert sushy.APPLY_TIME_ON_RESET in bios.supported_apply_times
    bios.set_attribute("ProcTurboMode", "Disabled", apply_time=sushy.APPLY_TIME_ON_RESET)
    assert controller.bios().pending_attributes == {"ProcTurboMode": "Disabled"}
    controller.reset_and_wait()
    assert controller.bios().attributes["ProcTurboMode"] == "Disabled"
    assert controller.bios().pending_attributes == {}
    assert [task.task_state for task in controller.tasks()] == [sushy.TASK_STATE_COMPLETED]


def test_a_run_in_which_one_attribute_fails_is_an_exception(controller):
    controller.control("faults", {"target": "*", "step": "ProcVirtualization"})
    change = {"ProcTurboMode": "Disabled", "ProcVirtualization": "Disabled"}
    controller.system.bios.set_attributes(change, apply_time=sushy.APPLY_TIME_ON_RESET)
    controller.reset_and_wait()
    attributes = controller.bios().attributes
    assert (attributes["ProcTurboMode"], attributes["ProcVirtualization"]) == ("Disabled", "Enabled")
    (task,) = controller.tasks()
    assert (task.task_state, task.task_status) == (sushy.TASK_STATE_EXCEPTION, sushy.HEALTH_WARNING)


@pytest.mark.parametrize("controller", ["rack-server"], indirect=True)
def test_messages_are_looked_up_in_the_registries(controller):
    """sushy words every message itself, by the registry that the service serves under prefix, major and minor version."""
    controller.control("faults", {"target": "*", "step": "ProcVirtualization"})
    change = {"ProcTurboMode": "Disabled", "ProcVirtualization": "Disabled"}
    controller.system.bios.set_attributes(change, apply_time=sushy.APPLY_TIME_ON_RESET)
    controller.reset_and_wait()
    (task,) = controller.tasks()
    served = [(message.message, message.severity) for message in task.messages]
    for message in task.messages:
        message.message = message.severity = message.resolution = None
    task.parse_messages()
    assert [(message.message, message.severity) for message in task.messages] == served
    assert all(message.resolution for message in task.messages)
    registries = controller.root.registries
    assert registries["Base.1.22"].registry_version == "1.22.1"
    assert registries["Base.1.22"].messages["PropertyUnknown"].number_of_args == 1


def test_the_attribute_registry_is_found(controller):
    registry = controller.system.bios.get_attribute_registry()
    names = {entry.name for entry in registry.registry_entries.attributes}
    assert set(controller.system.bios.attributes) <= names
    assert len(names) >= 80


def test_a_refusal_arrives_as_a_refusal(controller):
    with pytest.raises(sushy.exceptions.BadRequestError):
        controller.system.bios.set_attribute("ProcTurboMode", "Sometimes")
    assert controller.bios().pending_attributes == {}


def test_power_is_switched(controller):
    assert controller.system.power_state == sushy.POWER_STATE_ON
    controller.system.reset_system(sushy.RESET_FORCE_OFF)
    controller.system.refresh(force=True)
    assert controller.system.power_state == sushy.POWER_STATE_OFF
    controller.system.reset_system(sushy.RESET_ON)
    controller.system.refresh(force=True)
    assert controller.system.power_state == sushy.POWER_STATE_ON


def test_sushys_own_lifecycle_extension_sees_and_clears_the_queue(lifecycle):
    controller = lifecycle
    manager = controller.root.get_manager_collection().get_members()[0].get_oem_extension("Dell")
    assert manager.job_collection.get_unfinished_jobs() == []
    controller.system.bios.set_attribute("NumLock", "Off", apply_time=sushy.APPLY_TIME_ON_RESET)
    controller.control("clock", {"advance": 5})
    manager.job_collection.refresh(force=True)
    (job,) = manager.job_collection.get_unfinished_jobs()
    assert job.startswith("JID_")
    manager.job_service.delete_jobs(job_ids=[job])
    assert controller.bios().pending_attributes == {}


def test_virtual_media(controller):
    image = "http://192.0.2.9/images/live.iso"
    for drive in (
        controller.system.virtual_media.get_members()[0],
        controller.manager().virtual_media.get_members()[0],
    ):
        assert (drive.inserted, drive.image) == (False, None)
        drive.insert_media(image, username="me", password="secret", transfer_method="Stream")
        drive.refresh()
        assert (drive.inserted, drive.image, drive.image_name) == (True, image, "live.iso")
        assert drive.write_protected
        assert sushy.VIRTUAL_MEDIA_CD in drive.media_types
        with pytest.raises(sushy.exceptions.HTTPError):
            drive.insert_media(image)
        drive.eject_media()
        drive.refresh()
        assert (drive.inserted, drive.image) == (False, None)
        drive.eject_media()  # of an empty drive: sushy takes note, and goes on
