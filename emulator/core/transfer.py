"""Transfers: files that a job needs from elsewhere, or sends there.

The machine says which there are; the runtime fetches or sends, and tells the machine how it went. So the core stays
without sockets, and a transfer that a restart has cut short is simply there again, to be begun anew.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(slots=True)
class Transfer:
    """One file on its way. Its id is its job's."""

    job_id: str
    uri: str
    purpose: str
    """"image": a firmware package comes; "catalog": a catalogue of such packages comes; "profile": a configuration
    profile comes; "export": one, or the result of diagnostics, is sent."""
    attempt: int = 1
    """Grows when it is begun anew; whatever an earlier attempt still brings is nobody's."""
    credentials: tuple[str, str] | None = None
    """User and password for the server. Never stored: after a restart of the process it is tried without."""
    digest: str = ""
    """The algorithm of the digest that the job wants to know of the file ("md5", "sha256"); "" for none."""

    def to_plain(self) -> dict[str, Any]:
        """JSON types only, for a store; without the credentials."""
        return {
            "job_id": self.job_id,
            "uri": self.uri,
            "purpose": self.purpose,
            "attempt": self.attempt,
            "digest": self.digest,
        }

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Transfer:
        """The reverse of `to_plain`."""
        digest = plain.get("digest", "")
        return cls(plain["job_id"], plain["uri"], plain["purpose"], plain["attempt"], digest=digest)
