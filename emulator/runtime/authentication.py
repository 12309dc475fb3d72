"""Who is calling: Basic credentials or a session's token (DSP0266, "Authentication").

Checking a hashed password takes tens of milliseconds, and many clients send it with every request. So credentials that
were found right are remembered for a minute, under a keyed digest: what is remembered does not tell the password.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import secrets
import time
from collections.abc import Iterable

from emulator.core.access import Account, digest_token
from emulator.core.machine import Machine
from emulator.runtime.fleet import Seat

REMEMBER_SECONDS = 60.0
REMEMBERED_MAX = 1_024


class Authenticator:
    """The accounts of a mockup, and the credentials found right a moment ago."""

    def __init__(self, accounts: Iterable[Account]) -> None:
        self.accounts = tuple(accounts)
        self._by_name = {account.name: account for account in self.accounts}
        self._key = secrets.token_bytes(32)
        self._right: dict[bytes, tuple[float, Account]] = {}

    def identify(self, seat: Seat, authorization: str | None, token: str | None) -> Account | None:
        """Who is calling this machine, by the values of the headers Authorization and X-Auth-Token."""
        if token:
            return self.token(seat.loaded(), token)
        return self.basic(authorization) if authorization else None

    def basic(self, header: str) -> Account | None:
        """The account that an Authorization header stands for; None where it is not right."""
        digest = hashlib.blake2b(header.encode(errors="replace"), key=self._key, digest_size=16).digest()
        found = self._right.get(digest)
        if found is not None and found[0] > time.monotonic():
            return found[1]
        account = self._checked(header)
        if account is not None:
            if len(self._right) >= REMEMBERED_MAX:
                self._right.clear()
            self._right[digest] = (time.monotonic() + REMEMBER_SECONDS, account)
        return account

    def password(self, name: str, password: str) -> Account | None:
        """The account with this name, if this is its password."""
        account = self._by_name.get(name)
        return account if account is not None and account.accepts(password) else None

    def token(self, machine: Machine, token: str) -> Account | None:
        """The account whose session has this token."""
        session = machine.session_with(digest_token(token))
        return self._by_name.get(session.user) if session else None

    def _checked(self, header: str) -> Account | None:
        scheme, _, encoded = header.partition(" ")
        if scheme.lower() != "basic":
            return None
        try:
            name, colon, password = base64.b64decode(encoded, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return None
        return self.password(name, password) if colon else None
