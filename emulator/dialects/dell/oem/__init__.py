"""A lifecycle controller's own resources, and its part in everybody's.

`redfish` hands these the same `Call` as its own views and does not know them; `app.py` brings the two together.
"""

from __future__ import annotations

from emulator.core.job import Job, Kind
from emulator.dialects.dell.oem import (
    dell_boot_sources,
    dell_diagnostics,
    dell_enclosure,
    dell_job,
    dell_job_service,
    dell_lc_service,
    dell_log,
    dell_manager,
    dell_network_adapter,
    dell_network_attributes,
    dell_network_metrics,
    dell_raid_service,
    dell_software_installation_service,
    dell_software_inventory,
    dell_storage,
    dell_system,
    dell_time_service,
    dell_update_service,
    oem_manager,
)
from emulator.mockup.site import Site
from emulator.redfish.view import Call, Document, Oem, Resource


def resources(site: Site) -> list[Resource]:
    """All of them, under the first manager and the first system."""
    return [
        *dell_boot_sources.resources(site),
        *dell_enclosure.resources(site),
        *dell_job.resources(site),
        *dell_job_service.resources(site),
        *dell_lc_service.resources(site),
        *dell_log.resources(site),
        *dell_manager.resources(site),
        *dell_network_adapter.resources(site),
        *dell_network_attributes.resources(site),
        *dell_software_installation_service.resources(site),
        *dell_raid_service.resources(site),
        *dell_network_metrics.resources(site),
        *dell_software_inventory.resources(site),
        *dell_time_service.resources(site),
        *dell_update_service.resources(site),
        *oem_manager.resources(site),
    ]


def extend_manager(call: Call, document: Document) -> Document:
    """Links, and the actions with configuration profiles."""
    return oem_manager.extend_manager(call, dell_manager.extend_manager(call, document))


def extend_computer_system(call: Call, document: Document) -> Document:
    """Where the boot sources are, what installs from a repository and configures storage; whether power is limited."""
    with_sources = dell_boot_sources.extend_computer_system(call, document)
    with_installer = dell_software_installation_service.extend_computer_system(call, with_sources)
    with_cap = dell_system.extend_computer_system(call, with_installer)
    return dell_raid_service.extend_computer_system(call, with_cap)


def extend_task(call: Call, document: Document) -> Document:
    """The job in the controller's words, and what became of each attribute of a profile."""
    return oem_manager.extend_task(call, dell_job.extend_task(call, document))


def export(system: Document, time: str, job: Job) -> tuple[bytes, str]:
    """What an export job sends."""
    render = dell_diagnostics.exported if job.kind is Kind.DIAGNOSTICS_EXPORT else oem_manager.export
    return render(system, time, job)


TYPES = (
    "#DellBootSources.v1_0_0.DellBootSources",
    "#DellController.v1_4_1.DellController",
    "#DellJob.v1_2_0.DellJob",
    "#DellJobCollection.DellJobCollection",
    "#DellJobService.v1_2_0.DellJobService",
    "#DellLCService.v1_3_0.DellLCService",
    "#DellManager.v1_0_0.ServerConfigurationProfileResults",
    "#DellManager.v1_2_0.DellManager",
    "#DellNetworkAttributes.v1_0_0.DellNetworkAttributes",
    "#DellOem.v1_3_0.DellOemLinks",
    "#DellOem.v1_3_0.DellOemResources",
    "#DellOemEnclosureChassis.v1_0_0.DellOemEnclosureChassis",
    "#DellOemStorageController.v1_0_0.DellOemStorageController",
    "#DellPhysicalDisk.v1_6_0.DellPhysicalDisk",
    "#DellRaidService.v1_5_1.DellRaidService",
    "#DellSoftwareInstallationService.v1_1_2.DellSoftwareInstallationService",
    "#DellTimeService.v1_0_1.DellTimeService",
    "#DellVirtualDisk.v1_2_0.DellVirtualDisk",
    "#DellVolume.v1_2_0.DellVolume",
    "#OemManager.v1_4_0.OemActions",
)

OEM = Oem(
    resources=resources,
    fills=dell_job.fills,
    extend={
        "Task": extend_task,
        "Job": oem_manager.extend_job,
        "Manager": extend_manager,
        "ComputerSystem": extend_computer_system,
        "Chassis": dell_enclosure.extend_chassis,
        "Storage": dell_storage.extend_storage,
        "StorageController": dell_storage.extend_storage_controller,
        "Drive": dell_storage.extend_drive,
        "Volume": dell_storage.extend_volume,
        "LogEntry": dell_log.extend_log_entry,
        "Bios.Settings": dell_manager.extend_settings,
        "StorageController.Settings": dell_manager.extend_settings,
        "Volume.Settings": dell_manager.extend_settings,
        "SoftwareInventory": dell_software_inventory.extend_software_inventory,
        "UpdateService": dell_update_service.extend_update_service,
    },
    export=export,
    types=TYPES,
    registries=("IDRAC.2.7",),
    registry_places={"Base": "BaseMessages/BaseRegistry.json", "IDRAC": "Messages/EEMIRegistry"},  # [C]
)
