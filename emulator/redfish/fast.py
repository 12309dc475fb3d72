"""In front of Flask: a plain GET whose answer is at hand is answered here, at a tenth of the price."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from emulator.redfish.accept import is_accepted
from emulator.redfish.face import Environ, Face
from emulator.redfish.rendering import ODATA_VERSION, kind_of, status_line


class FastReads:
    """A WSGI application around Flask's."""

    def __init__(self, inner: Callable[..., Iterable[bytes]], face: Face) -> None:
        self._inner = inner
        self._face = face

    def __call__(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        """Answer, or hand on."""
        if (
            environ["REQUEST_METHOD"] == "GET"
            and not environ.get("QUERY_STRING")
            and "HTTP_IF_NONE_MATCH" not in environ
            and environ.get("HTTP_ODATA_VERSION", ODATA_VERSION) == ODATA_VERSION
            and environ["PATH_INFO"].startswith("/redfish")
            and environ.get("HTTP_HOST")
        ):
            rendered = self._face.kept(environ)
            accept = environ.get("HTTP_ACCEPT")
            if rendered is not None and (accept is None or accept == "*/*" or is_accepted(accept, kind_of(rendered))):
                start_response(status_line(rendered.status), rendered.headers)
                return [rendered.body]
        return self._inner(environ, start_response)
