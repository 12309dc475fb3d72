"""Roles, privileges, secrets, and who is calling (DSP0266, "Privilege model")."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Collection, Mapping
from dataclasses import dataclass

PRIVILEGES = ("Login", "ConfigureManager", "ConfigureUsers", "ConfigureComponents", "ConfigureSelf")
"""The five of DSP0266, in its order."""
ADMINISTRATOR = "Administrator"
ROLES: Mapping[str, frozenset[str]] = {
    ADMINISTRATOR: frozenset(PRIVILEGES),
    "Operator": frozenset({"Login", "ConfigureComponents", "ConfigureSelf"}),
    "ReadOnly": frozenset({"Login", "ConfigureSelf"}),
}
"""The three standard roles and their privileges."""
CONFIGURE_SELF = "ConfigureSelf"
"""Allows only what concerns the caller's own account, sessions and whatever else he has made himself."""

Needed = str | tuple[str, ...] | None
"""What something takes: a privilege, any one of several, or None: nobody has to log in."""

HASH_PREFIX = "scrypt$"


def permits(privileges: Collection[str], needed: Needed) -> bool:
    """Whether somebody with these privileges may do what takes `needed`."""
    if needed is None or isinstance(needed, str):
        return needed is None or needed in privileges
    return any(privilege in privileges for privilege in needed)


def hash_password(password: str, salt: str) -> str:
    """A secret that does not tell the password: scrypt, N 2^15, r 8, p 1. Takes tens of milliseconds."""
    digest = hashlib.scrypt(password.encode(), salt=salt.encode(), n=2**15, r=8, p=1, maxmem=64 * 2**20)
    return f"{HASH_PREFIX}{salt}${digest.hex()}"


class Secret:
    """A password as it is kept: a salted hash. That of a plain password is made when it is first asked for."""

    __slots__ = ("_hashed", "_password", "_salt")

    def __init__(self, hashed: str) -> None:
        """`hashed` is `scrypt$SALT$HEX`, made by `hash_password`."""
        self._hashed = hashed
        self._password = self._salt = ""

    @classmethod
    def of(cls, password: str, salt: str) -> Secret:
        """That of a password; the salt is random and nobody else's."""
        made = cls("")
        made._password, made._salt = password, salt
        return made

    @property
    def hashed(self) -> str:
        """`scrypt$SALT$HEX`."""
        password = self._password  # before the look at the hash: whoever makes it forgets the password afterwards
        if not self._hashed:
            self._hashed = hash_password(password, self._salt)
            self._password = ""
        return self._hashed

    def accepts(self, password: str) -> bool:
        """Whether this is the password; compared in constant time. Takes tens of milliseconds."""
        salt = self.hashed.split("$")[1]
        return hmac.compare_digest(hash_password(password, salt), self.hashed)

    def __repr__(self) -> str:
        return "Secret(***)"


@dataclass(frozen=True, slots=True)
class Account:
    """An account as a manifest names it. `secret` is a password, or `scrypt$SALT$HEX` made by `hash_password`."""

    name: str
    secret: str
    role: str

    def __repr__(self) -> str:
        return f"Account({self.name!r}, ***, {self.role!r})"


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who has been recognised, and what he may do."""

    name: str
    role: str
    privileges: frozenset[str]
    account_id: str
    session_id: str | None = None
    """None: he has sent his credentials with the request."""
    must_change_password: bool = False
    """True: until he has changed it he may do nothing else."""
