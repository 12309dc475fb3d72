"""What a person sees when the emulator starts: what is served where, with which account, and what to try."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator
from pathlib import Path

from emulator import __version__
from emulator.app import Service
from emulator.mockup.living import added_kinds
from emulator.mockup.site import Site
from emulator.settings import Settings


def banner(settings: Settings, service: Service, port: int, state: Path | None) -> str:
    """The lines."""
    scheme = "http" if settings.http else "https"
    host = settings.host if settings.host not in ("0.0.0.0", "::") else "127.0.0.1"  # noqa: S104
    address = f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"
    account = service.manifest.accounts[0]
    password = account.secret if not account.secret.startswith("scrypt$") else "***"
    system = service.site.systems[0]
    lines = [
        f"jobfish {__version__}  {service.manifest.model}, dialect {service.site.dialect}, "
        f"{len(service.site.tree.documents)} resources",
        "",
        f"  serving   {address}/redfish/v1{_fleet(settings)}",
        f"  accounts  {', '.join(f'{entry.name} ({entry.role})' for entry in service.manifest.accounts)}",
        *_listed("devices", _devices(service.site) or ["none that can be brought to life"]),
        *_repairs(settings, service.site),
        f"  peers     {_peers(settings)}",
        *(f"  ssdp      found on {text}" for text in settings.ssdp),
        f"  clock     {_clock(settings)}",
        f"  state     {_state(state)}",
        *(f"  fault     {text}" for text in settings.fail),
        "",
        f"  try       curl -sk -u {account.name}:{password} {address}{system}",
        "",
        "Ctrl-C stops it.",
    ]
    return "\n".join(lines)


def _fleet(settings: Settings) -> str:
    if settings.controllers == 1:
        return ""
    last = ".".join(str(part) for part in (127 << 24 | settings.controllers).to_bytes(4, "big"))
    return f"  and so on to {last}: {settings.controllers:,} controllers"


def _listed(label: str, entries: Iterable[str]) -> Iterator[str]:
    """One line each, the first one behind the label."""
    for entry in entries:
        yield f"  {label:<8}  {entry}"
        label = ""


def _devices(site: Site) -> list[str]:
    found = [f"{place.device_id}: {len(place.model.attributes)} attributes" for place in site.bioses]
    if site.nics:
        found.append(f"{len(site.nics)} network device functions")
    for storage in site.storages:
        drives, volumes = len(storage.model.drives), len(storage.model.delivered.volumes)
        found.append(f"{storage.device_id}: {drives} drives, {volumes} volumes")
    if site.components:
        found.append(f"firmware of {len(site.components)} components")
    found += [f"{len(places)} of kind {kind}" for kind, places in added_kinds(site) if places]
    return found


def _repairs(settings: Settings, site: Site) -> list[str]:
    """One line, where something in the mockup is broken."""
    mended = sum(finding.fix is not None for finding in site.tree.findings)
    left = len(site.tree.findings) - mended
    if not mended and not left:
        return []
    told = f", {left} left as {'it is' if left == 1 else 'they are'}" if left else ""
    return [f"  repairs   {mended}{told}: jobfish mockup check {shlex.quote(settings.mockup)} lists them"]


def _peers(settings: Settings) -> str:
    return "any: --allow-remote was given" if settings.allow_remote else "this machine's loopback only"


def _state(folder: Path | None) -> str:
    if folder is None:
        return "in memory: gone when this stops"
    home = Path.home()
    return f"~/{folder.relative_to(home)}" if folder.is_relative_to(home) else str(folder)


def _clock(settings: Settings) -> str:
    if settings.clock == "manual":
        return "stands still until POST /jobfish/v1/clock advances it"
    if settings.rate == 1:
        return "real time; POST /jobfish/v1/clock advances it"
    return f"{settings.rate:g} times as fast as real time"
