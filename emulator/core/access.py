"""Accounts, roles, privileges and sessions (DSP0266, "Privilege model")."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

ROLES: Mapping[str, frozenset[str]] = {
    "Administrator": frozenset({"Login", "ConfigureManager", "ConfigureUsers", "ConfigureComponents", "ConfigureSelf"}),
    "Operator": frozenset({"Login", "ConfigureComponents", "ConfigureSelf"}),
    "ReadOnly": frozenset({"Login", "ConfigureSelf"}),
}
"""The three standard roles and their privileges."""

HASH_PREFIX = "scrypt$"


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who may log in. `secret` is a password, or `scrypt$SALT$HEX` made by `hash_password`."""

    name: str
    secret: str
    role: str

    @property
    def privileges(self) -> frozenset[str]:
        """What the role allows."""
        return ROLES[self.role]

    def accepts(self, password: str) -> bool:
        """Whether this is the password; compared in constant time. Slow (tens of milliseconds) for a hashed secret."""
        if self.secret.startswith(HASH_PREFIX):
            salt = self.secret.split("$")[1]
            return hmac.compare_digest(hash_password(password, salt), self.secret)
        return hmac.compare_digest(password.encode(), self.secret.encode())


def hash_password(password: str, salt: str) -> str:
    """A secret that does not tell the password: scrypt, N 2^15, r 8, p 1."""
    digest = hashlib.scrypt(password.encode(), salt=salt.encode(), n=2**15, r=8, p=1, maxmem=64 * 2**20)
    return f"{HASH_PREFIX}{salt}${digest.hex()}"


@dataclass(frozen=True, slots=True)
class Session:
    """A log-in that lasts. Only a digest of its token is kept."""

    id: str
    user: str
    token_digest: str
    created_at: float

    def to_plain(self) -> dict[str, Any]:
        """JSON types only, for a store."""
        return {
            "id": self.id,
            "user": self.user,
            "token_digest": self.token_digest,
            "created_at": self.created_at,
        }


def digest_token(token: str) -> str:
    """What is kept of a session's token."""
    return hashlib.sha256(token.encode()).hexdigest()
