"""Request bodies and their bound."""

from __future__ import annotations

from typing import Any

BODY_BYTES_MAX = 1_048_576
"""Flask refuses a larger Content-Length, and reads no further where a chunked body goes on."""
DRAIN_BYTES_MAX = 16 * BODY_BYTES_MAX
CHUNK_BYTES = 65_536


def drain(environ: dict[str, Any], bytes_max: int = DRAIN_BYTES_MAX) -> None:
    """Read on and throw away, within bounds, what is left of the body of a request that is refused.

    A client that is still sending when the connection closes never sees the answer. One that waits to be told to send
    (Expect: 100-continue) is not: it sees it at once.
    """
    if environ.get("HTTP_EXPECT"):
        return
    left = bytes_max
    while left > 0 and (chunk := environ["wsgi.input"].read(CHUNK_BYTES)):
        left -= len(chunk)
