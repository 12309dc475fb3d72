"""DellUpdateService: the older way to install what was pushed (DellUpdateService v1_1_0, as captured)."""

from __future__ import annotations

from collections.abc import Mapping

from emulator.mockup.site import Site
from emulator.redfish.view import Call, Document, Reply, Resource, Verb
from emulator.redfish.views.update_service import install

INSTALL, URIS = "DellUpdateService.Install", "SoftwareIdentityURIs"
INSTALL_UPON: Mapping[str, str] = {"Now": "OnReset", "NowAndReboot": "Immediate", "NextReboot": "OnReset"}
"""InstallUpon as an apply time. "Now" installs at once what needs no restart; a restart is left to somebody else."""


def resources(site: Site) -> list[Resource]:
    """The action, where the tree has something to update."""
    if site.update_service is None or not site.components:
        return []
    verb = Verb(install_packages, "ConfigureComponents", INSTALL, action=INSTALL)
    return [Resource(_target(site.update_service), verbs={"POST": verb})]


def install_packages(call: Call) -> Reply:
    """Install entries of the inventory: 202 with the last job's place."""
    upon = call.body.get("InstallUpon", "Now")
    return install(call, call.body[URIS], INSTALL_UPON[upon], URIS, INSTALL)


def extend_update_service(call: Call, document: Document) -> Document:
    """The action's place."""
    action = {"target": _target(document["@odata.id"]), "InstallUpon@Redfish.AllowableValues": list(INSTALL_UPON)}
    actions = document.get("Actions", {})
    # the captured key is "DellUpdateService.v1_1_0#DellUpdateService.Install"; keys of actions begin with a number sign
    return {**document, "Actions": {**actions, "Oem": {f"#{INSTALL}": action}}}


def _target(service: str) -> str:
    return f"{service}/Actions/Oem/{INSTALL}"
