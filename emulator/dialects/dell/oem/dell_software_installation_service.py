"""DellSoftwareInstallationService: updates from a repository, or from a URI (DellSoftwareInstallationService v1_1_2,
as captured).

Clients fetch the list of packages as a CIM XML document, whose layout is that of a captured one: some look for a
package's properties with patterns that want them on one line, in this order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any
from xml.sax.saxutils import escape

from emulator.core.job import Job
from emulator.core.message import Message, Rejected
from emulator.core.repository import CONTROLLER, HOST, NONE, Wanted, packages_found, update_from_repository
from emulator.core.update import Request, fetch_and_update, firmware_of
from emulator.devices.firmware import Component
from emulator.dialects.dell.oem import network_share
from emulator.dialects.dell.oem.dell_job_service import uris_of
from emulator.dialects.dell.oem.dell_software_inventory import instance_id
from emulator.dialects.dell.oem.oem_part import with_links
from emulator.formats.xml_text import UNWRITABLE
from emulator.mockup.documents import object_at
from emulator.mockup.site import Site
from emulator.redfish.view import Call, Document, Reply, Resource, Verb, accepted, link, success_messages
from emulator.redfish.views.update_service import fetchable

SCHEMA = "DellSoftwareInstallationService"
INSTALL_FROM_REPOSITORY, INSTALL_FROM_URI = f"{SCHEMA}.InstallFromRepository", f"{SCHEMA}.InstallFromURI"
CATALOG = "Catalog.xml"
"""The catalogue's name where the request has none."""
REBOOT_TYPES: Mapping[str, str] = {NONE: "NONE", HOST: "HOST", CONTROLLER: "IDRAC"}
_TRUE = "true"


def resources(site: Site) -> list[Resource]:
    """The service and its actions, where the tree has something to update."""
    if not site.components:
        return []
    found = []
    for uri in _uris(site):
        found.append(Resource(uri, get=dell_software_installation_service))
        for name, (handler, privilege) in ACTIONS.items():
            verb = Verb(handler, privilege, f"{SCHEMA}.{name}", action=f"{SCHEMA}.{name}")
            found.append(Resource(f"{uri}/Actions/{SCHEMA}.{name}", verbs={"POST": verb}))
    return found


def dell_software_installation_service(call: Call) -> Document:
    """The service, with the actions that it really has."""
    return {
        "@odata.context": f"/redfish/v1/$metadata#{SCHEMA}.{SCHEMA}",
        "@odata.id": call.uri,
        "@odata.type": f"#{SCHEMA}.v1_1_2.{SCHEMA}",
        "Actions": {
            f"#{SCHEMA}.{name}": {**ALLOWED.get(name, {}), "target": f"{call.uri}/Actions/{SCHEMA}.{name}"}
            for name in sorted(ACTIONS)
        },
        "Description": "Installs firmware from a repository or from a URI.",
        "Id": SCHEMA,
        "Name": SCHEMA,
    }


def extend_computer_system(call: Call, document: Document) -> Document:
    """Where the service is."""
    if not call.site.components or call.uri not in call.site.systems[:1]:
        return document
    return with_links(document, {SCHEMA: link(_uris(call.site)[0])})


def _uris(site: Site) -> tuple[str, ...]:
    return uris_of(site.systems[:1], SCHEMA)


# -- the actions ------------------------------------------------------------------------------------------------------


def install_from_repository(call: Call) -> Reply:
    """Compare with a catalogue, and install what differs unless ApplyUpdate is false: 202 with the job's place."""
    body = call.body
    network_share.check_type(body)
    wanted = Wanted(
        call.user,
        network_share.uri_of(body, body.get("CatalogFile") or CATALOG, INSTALL_FROM_REPOSITORY),
        apply=_flag(body, "ApplyUpdate", default=True),
        restart=_flag(body, "RebootNeeded"),
        same=_flag(body, "ApplySameVersions"),
        older=_flag(body, "ApplyDowngradeVersions"),
        system_id=_system_id(call),
        credentials=network_share.credentials_of(body),
    )
    return _accepted(call, update_from_repository(call.machine, wanted))


def get_repo_based_update_list(call: Call) -> Reply:
    """What the last comparison has found, as an XML document."""
    packages = packages_found(call.machine)
    return Reply(200, {"@Message.ExtendedInfo": success_messages(call), "PackageList": package_list(call, packages)})


def install_from_uri(call: Call) -> Reply:
    """Fetch one package: 202 with the job's place. What needs the host waits until it is put into a queue."""
    uri, credentials = fetchable(call.body["URI"], "URI", INSTALL_FROM_URI)
    request = Request(
        call.user, targets=_targets(call), credentials=network_share.credentials_of(call.body) or credentials
    )
    return _accepted(call, fetch_and_update(call.machine, request, uri))


def _accepted(call: Call, job: Job) -> Reply:
    """202 with messages: unlike other clients, those of this service want a body."""
    messages: Document = {"@Message.ExtendedInfo": success_messages(call, "OperationDone")}
    return replace(accepted(call, job), body=messages)


def _targets(call: Call) -> tuple[str, ...]:
    """The components that Target means: by InstanceID, or by what else the inventory calls them.

    Raises:
        Rejected: UpdateTargetUnknown.
    """
    target = call.body.get("Target")
    if target is None:
        return ()
    named = [one.id for one in call.site.components if instance_id(call, one) == target.replace("_0x23_", "#", 1)]
    firmware = firmware_of(call.machine)
    found = named or [part.id for part in (firmware.find_all(target) if firmware else ())]
    if not found:
        raise Rejected(Message("UpdateTargetUnknown", (target[:200],), ("Target",)))
    return tuple(found)


def _flag(body: Mapping[str, Any], name: str, *, default: bool = False) -> bool:
    """Clients send "True", "False" or a boolean, whichever the schema says."""
    return bool(str(body.get(name, default)).lower() == _TRUE)


def _system_id(call: Call) -> str:
    """How a catalogue names the system: "0AB1"; "" where the tree does not say."""
    system = call.base(call.site.systems[0])
    number = object_at(system, "Oem", "Dell", "DellSystem").get("SystemID")
    return f"{number:04X}" if isinstance(number, int) else ""


ACTIONS: Mapping[str, tuple[Callable[[Call], Reply], str]] = {
    "GetRepoBasedUpdateList": (get_repo_based_update_list, "Login"),
    "InstallFromRepository": (install_from_repository, "ConfigureComponents"),
    "InstallFromURI": (install_from_uri, "ConfigureComponents"),
}
"""Name -> what it does, and the privilege that it takes."""
_OF_TRANSFERS: Document = {
    "IgnoreCertWarning@Redfish.AllowableValues": ["Off", "On"],
    "ProxySupport@Redfish.AllowableValues": ["DefaultProxy", "Off", "ParametersProxy"],
    "ProxyType@Redfish.AllowableValues": ["HTTP", "SOCKS"],
}
ALLOWED: Mapping[str, Document] = {
    "InstallFromRepository": {
        "ApplyUpdate@Redfish.AllowableValues": ["False", "True"],
        **_OF_TRANSFERS,
        "ShareType@Redfish.AllowableValues": list(network_share.SCHEMES),
    },
    "InstallFromURI": _OF_TRANSFERS,
}


# -- the list as a document -------------------------------------------------------------------------------------------


def package_list(call: Call, packages: Sequence[Mapping[str, Any]]) -> str:
    """The packages as CIM XML: of each, what it is, its update job, and what it is for."""
    known = {component.id: component for component in call.site.components}
    instances = [_instance(call, package, known) for package in packages]
    return "\n".join(
        (
            '<?xml version="1.0"?>',
            '<CIM xmlns:fo="http://www.w3.org/1999/XSL/Format" CIMVERSION="2.0" DTDVERSION="2.0">',
            '  <MESSAGE ID="4711" PROTOCOLVERSION="1.0">',
            "    <SIMPLEREQ>",
            *instances,
            "    </SIMPLEREQ>",
            "  </MESSAGE>",
            "</CIM>",
            "",
        )
    )


def _instance(call: Call, package: Mapping[str, Any], known: Mapping[str, Component]) -> str:
    parts = [(known[part_id], version) for part_id, version in package["parts"] if part_id in known]
    targets = [instance_id(call, component) for component, _ in parts]
    properties = {
        "Criticality": package["criticality"],
        "DisplayName": parts[0][0].name if parts else package["name"],
        "BaseLocation": "",
        "PackagePath": package["path"],
        "PackageName": package["path"].replace("\\", "/").rpartition("/")[2],
        "PackageVersion": package["version"],
        "RebootType": REBOOT_TYPES[package["restarts"]],
        "JobID": package["job"],
        "Target": targets[0] if targets else "",
        "ComponentID": package["component"],
        "ComponentType": package["type"],
    }
    arrays = {"ComponentInfoTarget": targets, "ComponentInstalledVersion": [version for _, version in parts]}
    inside = "".join((*_properties(properties), *_arrays(arrays)))
    return (
        "      <VALUE.NAMEDINSTANCE>\n"
        f'        <INSTANCENAME CLASSNAME="DCIM_RepoUpdateSWID">{inside}</INSTANCENAME>\n'
        "      </VALUE.NAMEDINSTANCE>"
    )


def _properties(values: Mapping[str, str]) -> Iterator[str]:
    for name, value in values.items():
        yield f'<PROPERTY NAME="{name}" TYPE="string">{_value(value)}</PROPERTY>'


def _arrays(values: Mapping[str, Sequence[str]]) -> Iterator[str]:
    for name, texts in values.items():
        inside = "".join(_value(text) for text in texts)
        yield f'<PROPERTY.ARRAY NAME="{name}" TYPE="string"><VALUE.ARRAY>{inside}</VALUE.ARRAY></PROPERTY.ARRAY>'


def _value(text: str) -> str:
    """One value; an empty one has no text, by which clients see that there is no job."""
    return f"<VALUE>{escape(UNWRITABLE.sub('?', text))}</VALUE>" if text else "<VALUE/>"
