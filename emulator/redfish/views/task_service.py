"""TaskService: the jobs as tasks."""

from __future__ import annotations

from emulator.mockup.reader import ROOT
from emulator.mockup.site import Site
from emulator.redfish.view import Call, Document, Resource, link

TASK_SERVICE = f"{ROOT}/TaskService"
TASKS = f"{TASK_SERVICE}/Tasks"
MONITORS = f"{TASK_SERVICE}/TaskMonitors"


def resources(site: Site) -> list[Resource]:
    """The service."""
    return [Resource(TASK_SERVICE, get=task_service)]


def task_service(call: Call) -> Document:
    """The service and its clock."""
    return {
        "@odata.id": TASK_SERVICE,
        "@odata.type": "#TaskService.v1_3_0.TaskService",
        "Id": "TaskService",
        "Name": "Task Service",
        **call.base(),
        "DateTime": call.time_of_day(),
        "ServiceEnabled": True,
        "CompletedTaskOverWritePolicy": "Oldest",
        "LifeCycleEventOnTaskStateChange": False,
        "Status": {"State": "Enabled", "Health": "OK"},
        "Tasks": link(TASKS),
    }
