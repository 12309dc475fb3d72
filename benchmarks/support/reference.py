"""What the emulator is compared with: the same HTTP server around almost nothing.

`flask` is a Flask application with one catch-all route, `raw` a WSGI function; both answer the same 4 KB of JSON.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from typing import Any

from flask import Flask, Response

from emulator.server import Server, open_socket

BODY = (b'{"Name": "' + b"x" * 4096)[:4094] + b'"}'
HEADERS = [("Content-Type", "application/json"), ("OData-Version", "4.0"), ("Cache-Control", "no-cache")]


def raw(_: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """The bytes, and nothing else."""
    start_response("200 OK", [*HEADERS, ("Content-Length", str(len(BODY)))])
    return [BODY]


def flask() -> Callable[..., Any]:
    """The bytes, through Flask's routing and response."""
    app = Flask("reference", static_folder=None)
    app.add_url_rule("/<path:_>", endpoint="any", view_func=lambda _: Response(BODY, 200, HEADERS))
    return app


def main(name: str) -> None:
    """Serve until SIGTERM."""
    listening = open_socket("127.0.0.1", 0, loopback_only=True)
    print(f"serving   http://127.0.0.1:{listening.getsockname()[1]}/", flush=True)
    sys.setswitchinterval(0.001)
    Server(raw if name == "raw" else flask(), listening, certificate=None).run()


if __name__ == "__main__":
    main(sys.argv[1])
