"""The composition root: the only file that knows everyone.

It reads the mockup, makes the machines, hands the faces what they need and puts a guard in front. A new device kind,
dialect or face is a folder of its own and one line here.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from ipaddress import ip_address
from pathlib import Path
from typing import Any, cast

import orjson
from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException

from emulator.control.face import ControlFace
from emulator.core.accounts import Access
from emulator.core.clock import Clock
from emulator.core.device import Device
from emulator.core.dialect import Dialect, Registry
from emulator.core.fault import Rule, parse_rule
from emulator.core.job import Job
from emulator.core.machine import Machine
from emulator.core.store import Store
from emulator.data import data_folder, mockup_names, schema
from emulator.devices.adapter import NetworkAdapter
from emulator.devices.bios import Bios
from emulator.devices.firmware import Firmware
from emulator.devices.nic import Nic
from emulator.devices.raid import Raid
from emulator.dialects import dell, standard
from emulator.dialects.dell.oem import OEM as DELL_OEM
from emulator.guard import Guard, is_loopback
from emulator.mockup.access import access_uris, find_access
from emulator.mockup.boot import override_of
from emulator.mockup.dangling import mend_links
from emulator.mockup.documents import object_at
from emulator.mockup.identity import Identities
from emulator.mockup.manifest import Manifest, merged_policy, read_manifest
from emulator.mockup.reader import ROOT, MockupError, Tree, read_tree
from emulator.mockup.repair import mend_resources
from emulator.mockup.site import (
    Site,
    find_bioses,
    find_firmware,
    find_network_adapters,
    find_network_functions,
    find_storage_controllers,
    survey,
)
from emulator.redfish.device_kind import DeviceKind, DeviceKinds
from emulator.redfish.event_record import EventWriter
from emulator.redfish.face import Face
from emulator.redfish.fast import FastReads
from emulator.redfish.partitions import with_partitions
from emulator.redfish.router import Router
from emulator.redfish.schemas import metadata, types_of, vendor_schemas
from emulator.redfish.view import Oem, Resource, local_text
from emulator.redfish.views import (
    bios,
    boot_option,
    drive,
    is_filled,
    json_schema_file,
    message_registry,
    network_adapter,
    network_device_function,
    port,
    resources,
    storage,
    volume,
)
from emulator.redfish.views.service_root import METADATA
from emulator.runtime.authentication import Authenticator, delivered_secret
from emulator.runtime.body import Bodies
from emulator.runtime.certificate import ServedCertificate
from emulator.runtime.discovery import Discovery, Told, parse_place, told
from emulator.runtime.fleet import LOOPBACK_FIRST, Fleet
from emulator.runtime.limits import Limits
from emulator.runtime.networks import LOOPBACK, Networks
from emulator.runtime.outbox import Outbox
from emulator.runtime.streams import Streams
from emulator.runtime.ticker import Ticker
from emulator.runtime.transfers import Transfers
from emulator.settings import Settings
from emulator.stores.memory import MemoryStore

DIALECTS: Mapping[str, tuple[Callable[[Mapping[str, Registry]], Dialect], Oem]] = {
    "standard": (standard.dialect, Oem()),
    "dell": (dell.dialect, DELL_OEM),
}
DEVICE_KINDS: DeviceKinds = {
    "bios": DeviceKind(
        find_bioses,
        lambda place, timings, _: Bios(place.device_id, place.device_model, timings.bios_step_seconds),
        (bios.resources, boot_option.resources),
    ),
    "nic": DeviceKind(
        find_network_functions,
        lambda place, timings, _: Nic(place.device_id, place.model, timings.nic_step_seconds),
        (network_device_function.resources,),
    ),
    "adapter": DeviceKind(
        find_network_adapters,
        lambda place, timings, made: NetworkAdapter(
            *(place.device_id, place.model, timings.nic_step_seconds),
            port_models=place.port_models,
            functions={nic.device_id: cast("Nic", made[nic.device_id]) for nic in place.nics},
        ),
        (network_adapter.resources, port.resources),
    ),
    "raid": DeviceKind(
        find_storage_controllers,
        lambda place, timings, _: Raid(place.device_id, place.model, timings.raid_step_seconds),
        (storage.resources, volume.resources, drive.resources),
    ),
    "firmware": DeviceKind(
        find_firmware,
        lambda place, timings, _: Firmware(place.by_id, place.device_id, timings.firmware_step_seconds),
    ),
}
"""The kinds of device, in the order in which they are found and stand in a machine. A new one is one line
(docs/adding-a-device.md)."""
REGISTRIES = (
    "Base.1.22.1",
    "Power.1.2.0",
    "JobEvent.1.1.1",
    "TaskEvent.1.0.5",
    "Update.1.3.0",
    "ResourceEvent.1.4.3",
    "HeartbeatEvent.1.1.1",
    "StorageDevice.1.5.1",
    "NetworkDevice.1.1.1",
    "AccountSecurity.1.0.1",
    "Jobfish.1.0.0",
)
"""The message registries that every dialect speaks with; a vendor's own are in its `Oem`."""
OWN_TYPES = (
    "#Job.v1_3_0.Job",
    "#JobCollection.JobCollection",
    "#JobService.v1_1_0.JobService",
    "#Task.v1_7_4.Task",
    "#TaskCollection.TaskCollection",
    "#TaskService.v1_3_0.TaskService",
    "#Session.v1_8_0.Session",
    "#SessionCollection.SessionCollection",
    "#SessionService.v1_2_0.SessionService",
    "#ServiceRoot.v1_20_0.ServiceRoot",
    "#AccountService.v1_18_1.AccountService",
    "#ManagerAccount.v1_14_1.ManagerAccount",
    "#ManagerAccountCollection.ManagerAccountCollection",
    "#Role.v1_3_3.Role",
    "#RoleCollection.RoleCollection",
    "#PrivilegeRegistry.v1_2_0.PrivilegeRegistry",
    "#LogEntry.v1_21_0.LogEntry",
    "#LogEntryCollection.LogEntryCollection",
    "#ActionInfo.v1_4_2.ActionInfo",
    "#Certificate.v1_11_0.Certificate",
    "#CertificateCollection.CertificateCollection",
    "#CertificateLocations.v1_0_4.CertificateLocations",
    "#CertificateService.v1_2_1.CertificateService",
    "#EventService.v1_12_0.EventService",
    "#EventDestination.v1_16_0.EventDestination",
    "#EventDestinationCollection.EventDestinationCollection",
    "#Event.v1_13_0.Event",
    "#Message.v1_2_0.Message",
    "#Settings.v1_4_0.Settings",
    "#Settings.v1_4_0.PreferredApplyTime",
    "#CollectionCapabilities.v1_4_0.CollectionCapabilities",
    "#JsonSchemaFile.v1_1_5.JsonSchemaFile",
    "#JsonSchemaFileCollection.JsonSchemaFileCollection",
    "#MessageRegistry.v1_7_0.MessageRegistry",
    "#MessageRegistryFile.v1_1_5.MessageRegistryFile",
    "#MessageRegistryFileCollection.MessageRegistryFileCollection",
    "#MetricDefinition.v1_3_5.MetricDefinition",
    "#MetricDefinitionCollection.MetricDefinitionCollection",
    "#MetricReport.v1_5_2.MetricReport",
    "#MetricReportCollection.MetricReportCollection",
    "#MetricReportDefinition.v1_4_7.MetricReportDefinition",
    "#MetricReportDefinitionCollection.MetricReportDefinitionCollection",
    "#NetworkDeviceFunction.v1_11_1.NetworkDeviceFunction",
    "#Settings.v1_4_0.OperationApplyTimeSupport",
    "#TelemetryService.v1_4_1.TelemetryService",
    "#Volume.v1_10_2.Volume",
)
"""The types of what this program projects whatever the mockup has, for `$metadata`. A vendor's are in its `Oem`."""


@dataclass(slots=True)
class Service:
    """Everything that serves one mockup."""

    site: Site
    manifest: Manifest
    fleet: Fleet
    ticker: Ticker
    transfers: Transfers
    limits: Limits
    bodies: Bodies
    outbox: Outbox
    streams: Streams
    wsgi: Any
    """The WSGI application."""
    discover: Callable[[int], Discovery | None]
    """Lets the controllers be found, with the port that they are served on; None where nobody wants it."""

    def start(self) -> None:
        """Let time run: what became due meanwhile happens, and the ticker wakes up for the rest."""
        self.ticker.start()
        self.bodies.start()
        self.transfers.start()
        self.outbox.start()
        self.streams.start()
        self.fleet.wake_stored()

    def hasten(self) -> None:
        """What would not end by itself soon, ends: streams, and requests that are never completed."""
        self.streams.stop()
        self.bodies.hasten()

    def stop(self) -> None:
        """End everything that was begun."""
        self.streams.stop()
        self.outbox.stop()
        self.transfers.stop()
        self.bodies.stop()
        self.ticker.stop()
        self.fleet.store.close()


def build_service(
    settings: Settings,
    *,
    state_folder: Path | None = None,
    real: Callable[[], float] = time.time,
    kinds: DeviceKinds = DEVICE_KINDS,
    served: ServedCertificate | None = None,
) -> Service:
    """Put a service together.

    `state_folder` is where state is kept; None keeps it in memory. `real` gives real time, in seconds since 1970.
    `kinds` are the kinds of device that can live. `served` is what the socket will be served with, if it is.

    Raises:
        MockupError: the mockup or its manifest cannot be used.
        ValueError: a setting cannot be used.
        StoreError: the kept state cannot be used.
    """
    limits = Limits.of(settings.limit)
    rules = [parse_rule(text, f"cli-{number}") for number, text in enumerate(settings.fail, 1)]
    tree, manifest, site = read_site(settings.mockup, kinds)
    make_dialect, oem = DIALECTS[site.dialect]
    dialect = make_dialect(_registries(oem))
    store = _store(tree, state_folder, fresh=settings.fresh)
    build = _machine_builder(settings, site, manifest, kinds, dialect, rules, real)
    fleet = Fleet(settings.controllers, build, store)
    authenticator = Authenticator()
    app = Flask("emulator", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = limits.body_bytes
    app.url_map.merge_slashes = False  # clients double them, and do not follow redirects
    identities = Identities(site.tree) if settings.controllers > 1 else None
    live = live_resources(site, kinds)
    face = Face(fleet, site, dialect, authenticator, live, oem, identities, limits, served)
    face.mount(app)
    ControlFace(fleet, authenticator, limits).mount(app)
    _answer_elsewhere(app, face)
    bodies = Bodies(app.wsgi_app, limits)
    wsgi = Guard(FastReads(bodies, face), allow_remote=settings.allow_remote)
    networks = Networks.of((*LOOPBACK, *settings.allow_network))
    transfers = Transfers(fleet, networks, partial(_exported, site, oem, identities), limits.image_bytes)
    writer = EventWriter(face.call_of, identities)
    outbox = Outbox(fleet, networks, writer.next_payload)
    face.streams = Streams(fleet, writer.next_payload, limits.streams)
    ticker, discover = Ticker(fleet), partial(_discovery, settings, site, face)
    return Service(
        *(site, manifest, fleet, ticker, transfers, limits, bodies, outbox, face.streams, wsgi, discover),
    )


def read_site(mockup: str, kinds: DeviceKinds = DEVICE_KINDS) -> tuple[Tree, Manifest, Site]:
    """A mockup as it was read, and what `find_site` makes of it. Nothing of that is ever changed.

    Raises:
        MockupError: the mockup or its manifest cannot be used.
    """
    tree = read_tree(find_mockup(mockup))
    return tree, *find_site(tree, kinds)


def _discovery(settings: Settings, site: Site, face: Face, port: int) -> Discovery | None:
    """Lets the controllers be found, as far as their own network protocols say so."""
    protocol = site.network_protocol
    if not settings.ssdp or protocol is None:
        return None
    scheme = "http" if settings.http else "https"

    def tell(number: int, address: str) -> Told | None:
        host = str(ip_address(LOOPBACK_FIRST + number)) if settings.controllers > 1 else served_at(settings, address)
        host = f"[{host}]" if ":" in host else host
        return told(face.shown(number, ROOT), face.shown(number, protocol), f"{scheme}://{host}:{port}{ROOT}/")

    return Discovery(
        [parse_place(text) for text in settings.ssdp],
        settings.controllers,
        tell,
        lambda peer: settings.allow_remote or is_loopback(peer),
    )


def served_at(settings: Settings, address: str) -> str:
    """The address under which somebody who asked at `address` reaches the socket."""
    is_any = settings.host in ("0.0.0.0", "::")  # noqa: S104 - peers elsewhere are refused
    return address.partition("%")[0] if is_any else "127.0.0.1" if settings.host == "localhost" else settings.host


def _network_services(settings: Settings, site: Site) -> dict[str, Any]:
    """The network services as they are delivered; SSDP is enabled from the beginning where --ssdp asks for it."""
    delivered = dict(site.tree.get(site.network_protocol) or {}) if site.network_protocol else {}
    if settings.ssdp:
        delivered["SSDP"] = {**object_at(delivered, "SSDP"), "ProtocolEnabled": True}
    return delivered


def find_site(tree: Tree, kinds: DeviceKinds = DEVICE_KINDS) -> tuple[Manifest, Site]:
    """The manifest of a tree, and where in the tree, mended, the living things stand.

    Raises:
        MockupError: the mockup or its manifest cannot be used.
    """
    manifest = read_manifest(tree.manifest, model=tree.name, source=tree.source, schema=schema("machine.schema"))
    mended = mend_resources(tree, _is_filled)
    is_served = _served_by(live_resources(surveyed(mended, manifest, kinds), kinds), _access(mended, manifest))
    mended = mend_links(mended, is_served, _is_filled)
    site = surveyed(mended, manifest, kinds)
    return manifest, replace(site, tree=_with_metadata(mended, DIALECTS[site.dialect][1]))


def surveyed(tree: Tree, manifest: Manifest, kinds: DeviceKinds = DEVICE_KINDS) -> Site:
    """As `survey`, with these kinds of device."""
    return survey(tree, manifest, {name: kind.find for name, kind in kinds.items()})


def _is_filled(uri: str) -> bool:
    return is_filled(uri) or any(oem.fills(uri) for _, oem in DIALECTS.values())


def _access(tree: Tree, manifest: Manifest) -> Access:
    return find_access(tree, manifest.accounts, delivered_secret)


def _served_by(found: list[Resource], access: Access) -> Callable[[str], bool]:
    """Tells the places where there is always something to read, whatever the tree has."""
    router, places = Router(found), access_uris(access)
    return lambda uri: router.has_document(uri) or uri in places


def live_resources(site: Site, kinds: DeviceKinds = DEVICE_KINDS) -> list[Resource]:
    """All resources that the emulator answers for itself; the rest of the tree is served as it is."""
    of_kinds = [found for kind in kinds.values() for view in kind.views for found in view(site)]
    oem = DIALECTS[site.dialect][1]
    about = (
        *message_registry.resources(site, _registry_names(oem), oem.registry_places),
        *json_schema_file.resources(site, OWN_TYPES),
    )
    return with_partitions(site, [*resources(site), *about, *of_kinds, *oem.resources(site)])


def passive_uris(site: Site) -> list[str]:
    """What of a tree nothing lives in: it is served as it is."""
    router = Router(live_resources(site))
    return [uri for uri in site.tree.documents if router.find(uri) is None]


def _exported(
    site: Site, oem: Oem, identities: Identities | None, number: int, job: Job, time: str
) -> tuple[bytes, str]:
    """What an export of controller `number` sends as a file at this local time, and its media type."""
    assert oem.export is not None, "only a vendor that has something to export makes such jobs"
    system = site.tree.documents[site.systems[0]]
    if identities is not None and number > 1:
        system = identities.document_for(number, system)
        job = replace(job, details=identities.document_for(number, job.details))
    return oem.export(dict(system), time, job)


def _answer_elsewhere(app: Flask, face: Face) -> None:
    """What is below neither /redfish nor /jobfish is refused in JSON too, with a word on where to look.

    What Flask refuses by itself below /redfish (a method that nobody knows, a Host that is none) is the face's to word.
    """

    def refuse(error: HTTPException) -> Response:
        if request.path.lstrip("/").partition("/")[0] == "redfish":
            return face.turn_away(error)
        body = {"error": {"message": f"{error.name}: try {ROOT}/ or /jobfish/v1/clock", "details": []}}
        headers = {name: value for name, value in error.get_headers() if name != "Content-Type"}
        return Response(orjson.dumps(body), error.code, headers, content_type="application/json")

    app.register_error_handler(HTTPException, refuse)


def find_mockup(name: str) -> Path:
    """A bundled mockup by its name, or a path.

    Raises:
        MockupError: neither.
    """
    bundled = data_folder("mockups") / name
    if name in mockup_names():
        return bundled
    if not Path(name).exists():
        raise MockupError(
            f"{name}: there is no such file or folder, and the bundled mockups are {' and '.join(mockup_names())}"
        )
    return Path(name)


def _machine_builder(
    settings: Settings,
    site: Site,
    manifest: Manifest,
    kinds: DeviceKinds,
    dialect: Dialect,
    rules: Iterable[Rule],
    real: Callable[[], float],
) -> Callable[[int], Machine]:
    policy = merged_policy(dialect.policy, manifest.policy)
    timings = manifest.timings
    planned = tuple(rules)
    log = site.lifecycle_log
    access = _access(site.tree, manifest)

    def build(number: int) -> Machine:
        devices: dict[str, Device] = {}
        for kind, places in site.places.items():
            for place in places:
                devices[place.device_id] = kinds[kind].build(place, timings, devices)
        return Machine(
            str(number),
            Clock(real, rate=settings.clock_rate),
            devices.values(),
            timings=timings,
            policy=policy,
            faults=planned,
            host_ignores_shutdown=manifest.host_ignores_shutdown,
            first_log_number=log.last_number + 1 if log else 1,
            utc_offset_minutes=site.utc_offset_minutes,
            write_time=local_text,
            boot_override=override_of(site.tree.documents[site.systems[0]]),
            network_services=_network_services(settings, site),
            access=access,
        )

    return build


def _registry_names(oem: Oem) -> tuple[str, ...]:
    return (*REGISTRIES, *oem.registries)


def _registries(oem: Oem) -> dict[str, Registry]:
    found = [Registry.from_document(schema(f"registries/{name}")) for name in _registry_names(oem)]
    return {registry.prefix: registry for registry in found}


def _store(tree: Tree, state_folder: Path | None, *, fresh: bool) -> Store:
    if state_folder is None:
        return MemoryStore()
    from emulator.stores.sql import SqlStore  # noqa: PLC0415 - 150 ms that a start without a database is spared

    path = state_folder / f"{tree.name}.sqlite"
    return SqlStore(path, made_for=_fingerprint(tree), fresh=fresh)


def _fingerprint(tree: Tree) -> str:
    """Tells one mockup from another of the same name: its name and a digest of its URIs."""
    digest = hashlib.blake2b("\n".join(sorted(tree.documents)).encode(), digest_size=6).hexdigest()
    return f"{tree.name}-{digest}"


def _with_metadata(tree: Tree, oem: Oem) -> Tree:
    """The tree with a `$metadata` that is true of what is served, and with the schemas that are its vendor's.

    One that came with the tree tells of what was served elsewhere, and refers to files that are not in the tree.
    """
    types = types_of(tree).union(OWN_TYPES, oem.types)
    documents = {uri: document for uri, document in tree.documents.items() if uri != METADATA}
    files = {**vendor_schemas(types), **tree.files, METADATA: metadata(types)}
    return replace(tree, documents=documents, files=files)
