"""In front of everything: peers that are not on loopback are turned away before any of it is read."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from ipaddress import ip_address
from typing import Any

REFUSAL = (
    b'{"error": {"code": "Base.1.22.AccessForbidden", "message": "This emulator answers its own machine only. '
    b'Start it with --allow-remote to change that."}}'
)


class Guard:
    """A WSGI application around another one."""

    def __init__(self, inner: Callable[..., Iterable[bytes]], *, allow_remote: bool) -> None:
        self._inner = inner
        self._allow_remote = allow_remote
        self._known: dict[str, bool] = {}

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer, or refuse with 403."""
        if self._allow_remote or self._is_local(environ.get("REMOTE_ADDR") or ""):
            return self._inner(environ, start_response)
        start_response("403 Forbidden", [("Content-Type", "application/json"), ("Content-Length", str(len(REFUSAL)))])
        return [REFUSAL]

    def _is_local(self, address: str) -> bool:
        known = self._known.get(address)
        if known is None:
            known = is_loopback(address)
            if len(self._known) < 1024:
                self._known[address] = known
        return known


def is_loopback(address: str) -> bool:
    """Whether this is an address of the machine itself, in IPv4, IPv6, or IPv4 inside IPv6."""
    try:
        found = ip_address(address)
    except ValueError:
        return False
    mapped = getattr(found, "ipv4_mapped", None)
    return bool((mapped or found).is_loopback)
