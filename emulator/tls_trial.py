"""`python -m emulator.tls_trial CERTIFICATE KEY CLIENT_CA`: whether a server can use this, as an exit status.

A process of its own, because a server that cannot use its certificate ends the process that it is in.
"""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

from emulator.server import Server, Tls, open_socket, served_certificate


def main() -> None:
    """Serve nothing, and look at the certificate; ends the process."""
    listening = open_socket("127.0.0.1", 0, loopback_only=True)
    port = listening.getsockname()[1]
    certificate, key, client_ca = sys.argv[1:]
    tls = Tls(client_ca=Path(client_ca) if client_ca else None)
    server = Server(lambda *_: (), listening, certificate=(Path(certificate), Path(key)), tls=tls)
    threading.Thread(target=_look, args=(port,), daemon=True).start()
    server.run()


def _look(port: int) -> None:
    status = 1
    try:
        served_certificate("127.0.0.1", port)
        status = 0
    finally:
        os._exit(status)


if __name__ == "__main__":
    main()
