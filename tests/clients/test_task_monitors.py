"""Clients that wait for an operation at its task monitor, unmodified, over a TLS socket, against both bundled mockups:
sushy, as it is and as OpenStack's Ironic uses it, the `redfish` library, and redfish_utilities.
"""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import redfish
import requests
import sushy
from sushy.taskmonitor import TaskMonitor

MOCKUPS = {"lifecycle-server": ("System.Embedded.1", "Off"), "rack-server": ("rack-1", False)}
MONITORS = "/redfish/v1/TaskService/TaskMonitors/"


class Controller:
    """A controller, and what there is to do with it."""

    def __init__(self, url, mockup):
        self.url, self.is_dell = url, mockup == "lifecycle-server"
        system, off = MOCKUPS[mockup]
        self.settings = f"/redfish/v1/Systems/{system}/Bios/Settings"
        self.reset = f"/redfish/v1/Systems/{system}/Actions/ComputerSystem.Reset"
        self.change = {"Attributes": {"NumLock": off}, "@Redfish.SettingsApplyTime": {"ApplyTime": "OnReset"}}

    def ask(self, path, body):
        answer = requests.post(f"{self.url}{path}", json=body, auth=("root", "calvin"), verify=False, timeout=10)
        answer.raise_for_status()

    def finish(self):
        """Let the host restart, and everything be done."""
        self.ask(self.reset, {"ResetType": "PowerCycle"})
        self.ask("/jobfish/v1/clock", {"advance": 800})

    def fail(self):
        self.ask("/jobfish/v1/faults", {"target": "*", "step": "NumLock"})


@pytest.fixture(params=MOCKUPS)
def controller(request, served):
    return Controller(served(request.param), request.param)


@pytest.fixture
def connector(controller):
    auth = sushy.auth.SessionOrBasicAuth("root", "calvin")
    yield sushy.Sushy(controller.url, auth=auth, verify=False)._conn
    auth.close()  # or sushy tries to when it is collected, long after the service is gone


@pytest.fixture
def client(controller):
    made = redfish.redfish_client(base_url=controller.url, username="root", password="calvin", max_retry=1)
    made.login(auth="session")
    yield made
    made.logout()


def monitor_of(connector, controller):
    answer = connector.patch(controller.settings, data=controller.change)
    made = TaskMonitor.from_response(connector, answer, controller.settings)
    assert made.task_monitor_uri.startswith(MONITORS), "whatever the body holds"
    return made


def test_sushy_sees_the_task_while_it_waits_and_then_the_answer(controller, connector):
    monitor = monitor_of(connector, controller)
    assert monitor.check_is_processing
    assert monitor.task.identity == monitor.task_monitor_uri.removeprefix(MONITORS)
    assert monitor.task.task_state in (sushy.TASK_STATE_NEW, sushy.TASK_STATE_STARTING)
    assert monitor.sleep_for == 1
    controller.finish()
    assert not monitor.check_is_processing
    assert monitor.response.status_code == 200


def test_ironic_reads_the_task_of_a_lifecycle_controller_where_it_has_waited(controller, connector):
    if not controller.is_dell:
        pytest.skip("a plain service ends with the operation's answer")
    for state, health in (
        (sushy.TASK_STATE_COMPLETED, sushy.HEALTH_OK),
        (sushy.TASK_STATE_EXCEPTION, sushy.HEALTH_CRITICAL),
    ):
        uri = monitor_of(connector, controller).task_monitor_uri
        controller.finish()
        again = TaskMonitor(connector, uri)
        assert not again.is_processing
        task = again.get_task()
        assert (task.task_state, task.task_status) == (state, health)
        assert all(message.message for message in task.messages)
        controller.change["Attributes"]["NumLock"] = "On"
        controller.fail()


def test_sushy_is_told_by_a_plain_service_that_an_operation_has_failed(controller, connector):
    if controller.is_dell:
        pytest.skip("a lifecycle controller tells it by the task")
    monitor = monitor_of(connector, controller)
    controller.fail()
    controller.finish()
    with pytest.raises(sushy.exceptions.BadRequestError):
        monitor.refresh()


def test_sushy_cancels_at_the_monitor(controller, connector):
    monitor = monitor_of(connector, controller)
    connector.delete(monitor.task_monitor_uri)
    with pytest.raises(sushy.exceptions.ResourceNotFoundError):
        monitor.refresh()


def test_the_library_follows_its_monitor(controller, client):
    made = client.patch(controller.settings, body=controller.change)
    assert (made.status, made.is_processing, made.retry_after) == (202, True, None)
    waits = made.monitor(client)
    assert (waits.status, waits.dict["PercentComplete"]) == (202, 0)
    controller.finish()
    ended = made.monitor(client)
    assert (ended.status, ended.is_processing) == (200, False)


def test_redfish_utilities_poll_to_the_end_and_show_the_state(controller, client, monkeypatch, capsys):
    tasks = pytest.importorskip("redfish_utilities.tasks")
    moves = iter((lambda: None, controller.finish))
    monkeypatch.setattr(tasks, "time", SimpleNamespace(sleep=lambda _: next(moves)()))
    made = client.patch(controller.settings, body=controller.change)
    ended = tasks.poll_task_monitor(client, made)
    assert ended.status == 200
    shown = capsys.readouterr().out
    assert "Task is New: 0% complete" in shown
    assert "Task is Done!" in shown
