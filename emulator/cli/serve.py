"""`jobfish serve`: run the emulator."""

from __future__ import annotations

import gc
import os
import resource
import signal
import socket
import ssl
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack, suppress
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from emulator.cli.refusal import refuse
from emulator.settings import SETTINGS, Setting, Settings, default_state_folder

CHOICES = {"clock": ["real", "manual"], "tls-min": ["1.2", "1.3"]}
if TYPE_CHECKING:
    from emulator.runtime.discovery import Discovery
    from emulator.server import Tls

LOOPBACK_CONTROLLERS_MAX = 2**24 - 2


def _options(command: Callable[..., None]) -> Callable[..., None]:
    for setting in reversed(SETTINGS):
        command = _option(setting)(command)
    return command


def _option(setting: Setting) -> Callable[[Callable[..., None]], Callable[..., None]]:
    flag = f"--{setting.name}"
    common: dict[str, Any] = {"help": setting.help, "envvar": setting.environment, "default": setting.default}
    if setting.name in CHOICES:
        return click.option(flag, type=click.Choice(CHOICES[setting.name]), show_default=True, **common)
    if setting.default is False:
        return click.option(flag, is_flag=True, **common)
    kind = type(setting.default) if not setting.many else str
    return click.option(
        flag,
        type=kind,
        metavar=setting.shown_as,
        multiple=setting.many,
        show_default=bool(setting.default),
        **common,
    )


@click.command()
@_options
def serve(**values: Any) -> None:
    """Serve Redfish at https://127.0.0.1:8443, from a resource tree whose jobs really run.

    Every option is also an environment variable: --mockup is JOBFISH_MOCKUP, and so on.
    """
    settings = Settings(**values)
    _check(settings)
    with ExitStack() as stack:
        _serve(settings, stack)


def _check(settings: Settings) -> None:
    if not 1 <= settings.controllers <= LOOPBACK_CONTROLLERS_MAX:
        refuse(f"--controllers {settings.controllers}: between 1 and {LOOPBACK_CONTROLLERS_MAX}")
    if not 0 <= settings.port <= 65535:
        refuse(f"--port {settings.port}: between 0 and 65535")
    if not 0 < settings.rate <= 1e6:
        refuse(f"--rate {settings.rate}: more than 0 and at most 1,000,000; --clock manual freezes time")
    if settings.client_ca:
        _check_client_ca(settings)
    _check_discovery(settings)
    try:
        ip_address(_address(settings))
    except ValueError:
        refuse(f"--host {settings.host}: not an IP address")


def _check_discovery(settings: Settings) -> None:
    from emulator.runtime.discovery import parse_place  # noqa: PLC0415

    for text in settings.ssdp:
        try:
            parse_place(text)
        except ValueError:
            refuse(f"--ssdp {text}: not of the form ADDRESS or ADDRESS:PORT")


def _check_client_ca(settings: Settings) -> None:
    if settings.http:
        refuse("--client-ca needs HTTPS, and --http says otherwise")
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_verify_locations(settings.client_ca)
    except ssl.SSLError:
        refuse(f"--client-ca {settings.client_ca}: no certificates in PEM")
    except OSError as error:
        refuse(f"--client-ca {settings.client_ca}: {error.strerror}")


def _serve(settings: Settings, stack: ExitStack) -> None:
    from emulator.app import build_service  # noqa: PLC0415 - keeps --help quick
    from emulator.cli.banner import banner  # noqa: PLC0415
    from emulator.core.store import StoreError  # noqa: PLC0415
    from emulator.mockup.reader import MockupError  # noqa: PLC0415
    from emulator.runtime.certificate import ServedCertificate, UnusableError  # noqa: PLC0415
    from emulator.server import Server, check_servable  # noqa: PLC0415

    signal.signal(signal.SIGTERM, _stop_early)  # until the server takes over: leave nothing lying about
    state = _state_folder(settings)
    listening = stack.enter_context(_listen(settings))
    certificate, pair = None, None
    try:
        if not settings.http:
            folder = state or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="jobfish-")))
            certificate = ServedCertificate(folder)
            pair = certificate.pair()
            if settings.client_ca:
                check_servable(*pair, _tls(settings))
        service = build_service(settings, state_folder=state, served=certificate)
    except (MockupError, StoreError, UnusableError, ValueError) as error:
        refuse(str(error))
    discovery = service.discover(listening.getsockname()[1])
    if discovery is not None:
        _start_discovery(discovery, stack)
    service.start()
    stack.callback(service.stop)
    _tune()
    click.echo(banner(settings, service, listening.getsockname()[1], state))
    tls, limits = _tls(settings), service.limits
    server = Server(service.wsgi, listening, certificate=pair, tls=tls, limits=limits, on_stop=service.hasten)
    if certificate is not None:
        certificate.try_out, certificate.serve = check_servable, server.use_certificate
    server.run()
    click.echo("jobfish: stopped")


def _start_discovery(discovery: Discovery, stack: ExitStack) -> None:
    try:
        discovery.start()
    except OSError as error:
        refuse(f"cannot be found by SSDP: {error.strerror}; try another address or port with --ssdp")
    stack.callback(discovery.stop)


def _tls(settings: Settings) -> Tls:
    from emulator.server import Tls  # noqa: PLC0415

    return Tls(settings.tls_min, Path(settings.client_ca) if settings.client_ca else None)


def _tune() -> None:
    """Keep answers short while jobs run: threads change places often; what lives for ever is no longer searched.

    Every connection takes a descriptor, so all that may be had are taken.
    """
    with suppress(ValueError, OSError):
        most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    sys.setswitchinterval(0.001)
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


def _stop_early(*_: object) -> NoReturn:
    raise SystemExit(0)


def _state_folder(settings: Settings) -> Path | None:
    if settings.state == "memory":
        return None
    folder = Path(settings.state) if settings.state else default_state_folder(dict(os.environ), Path.home())
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        refuse(f"--state {folder}: {error.strerror}")
    return folder


def _address(settings: Settings) -> str:
    return "127.0.0.1" if settings.host == "localhost" else settings.host


def _listen(settings: Settings) -> socket.socket:
    from emulator.server import ANY, open_socket  # noqa: PLC0415

    host = _address(settings)
    widened = settings.controllers > 1 and ip_address(host).is_loopback and ip_address(host).version == 4
    try:
        # one socket for all of 127.0.0.1, 127.0.0.2, ... has to be on all addresses
        return open_socket(ANY if widened else host, settings.port, loopback_only=widened)
    except OSError as error:
        refuse(f"cannot listen on {settings.host} port {settings.port}: {error.strerror}; try another --port")
