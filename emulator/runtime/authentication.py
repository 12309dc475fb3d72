"""Who is calling: Basic credentials or a session's token (DSP0266, "Authentication").

Checking a password takes tens of milliseconds, and many clients send it with every request. So credentials that were
found right are remembered for a minute, with the hash that they were right for: whether that is still the account's,
and whether it may still be used, is looked up each time. What is remembered, under a keyed digest, does not tell the
password.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import secrets
import time
from functools import cache
from threading import BoundedSemaphore
from typing import NamedTuple

from emulator.core.access import HASH_PREFIX, Account, Caller, Secret
from emulator.core.accounts import ManagerAccount
from emulator.core.machine import Machine
from emulator.core.sessions import digest_token
from emulator.runtime.fleet import Seat

REMEMBER_SECONDS = 60.0
REMEMBERED_MAX = 4_096
CHECKS_AT_ONCE = 4
"""How many passwords are checked at the same time; each takes 32 MiB."""


class _Right(NamedTuple):
    """Credentials that were found right."""

    until: float
    """In seconds of this process."""
    name: str
    hashed: str
    """What they were right for."""


class Memory:
    """Credentials found right a moment ago. All services of a process may share it."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)
        self._right: dict[bytes, _Right] = {}

    def digest(self, text: str) -> bytes:
        """Under what something is remembered."""
        return hashlib.blake2b(text.encode(errors="surrogatepass"), key=self._key, digest_size=16).digest()

    def get(self, digest: bytes) -> _Right | None:
        """What is remembered, while it may be."""
        found = self._right.get(digest)
        return found if found is not None and found.until > time.monotonic() else None

    def keep(self, digest: bytes, account: ManagerAccount) -> None:
        """Remember that these credentials are right for this account's secret."""
        if len(self._right) >= REMEMBERED_MAX:
            self._right.clear()
        self._right[digest] = _Right(time.monotonic() + REMEMBER_SECONDS, account.name, account.secret.hashed)


_MEMORY = Memory()


@cache
def _nobodys() -> Secret:
    """What the password of a name is compared with that nobody has: that takes as long as any other."""
    return Secret.of(secrets.token_hex(16), new_salt())


@cache
def delivered_secret(account: Account) -> Secret:
    """The secret of a manifest's account, the same for all machines; a plain password is hashed when it is needed."""
    return Secret(account.secret) if account.secret.startswith(HASH_PREFIX) else Secret.of(account.secret, new_salt())


def new_salt() -> str:
    """Random, for one password."""
    return secrets.token_hex(16)


class Authenticator:
    """Tells who calls a machine, by its own accounts and sessions."""

    def __init__(self, memory: Memory = _MEMORY) -> None:
        self._memory = memory
        self._gate = BoundedSemaphore(CHECKS_AT_ONCE)

    def identify(
        self, seat: Seat, authorization: str | None, token: str | None, *, at_once: bool = False
    ) -> Caller | None:
        """Who is calling this machine, by the values of the headers Authorization and X-Auth-Token.

        `at_once`: only if that can be said without checking a password; None then means nothing.
        """
        if token:
            return self._by_token(seat, token)
        return self._by_basic(seat, authorization, at_once=at_once) if authorization else None

    def challenge(self, seat: Seat | None, realm: str) -> tuple[tuple[str, str], ...]:
        """The header that invites a stranger to send Basic credentials; none where that is not wanted."""
        if seat is not None and seat.loaded().accounts.rules.http_basic_auth != "Enabled":
            return ()
        return (("WWW-Authenticate", f'Basic realm="{realm}"'),)

    def password(self, machine: Machine, name: str, password: str) -> ManagerAccount | None:
        """The account with this name, if this is its password and it may be used. For use in a turn of the machine.

        A failure is counted.
        """
        account = machine.accounts.named(name)
        is_right = self._is_right(self._memory.digest(f"{len(name)}:{name}{password}"), account, password)
        return self._counted(machine, account, name, is_right=is_right)

    def _by_token(self, seat: Seat, token: str) -> Caller | None:
        machine = seat.loaded()
        now = machine.clock.now()
        session = machine.sessions.with_token(digest_token(token), now)
        account = machine.accounts.of_session(session) if session is not None else None
        if session is None or account is None:
            return None
        if machine.sessions.use(session, now):
            with seat.turn() as current:
                kept = current.sessions.get(session.id)
                if kept is not None:
                    current.sessions.use(kept, now)
                    current.sessions.note_use(kept)
        return machine.accounts.caller(account, session)

    def _by_basic(self, seat: Seat, header: str, *, at_once: bool) -> Caller | None:
        machine = seat.loaded()
        if machine.accounts.rules.http_basic_auth == "Disabled":
            return None
        digest = self._memory.digest(header)
        remembered = self._memory.get(digest)
        if remembered is not None:
            account = machine.accounts.named(remembered.name)
            if account is not None and account.secret.hashed == remembered.hashed and _is_free(machine, account):
                return machine.accounts.caller(account)
        if at_once:
            return None
        found = _credentials(header)
        return self._checked(seat, machine, digest, *found) if found is not None else None

    def _checked(self, seat: Seat, machine: Machine, digest: bytes, name: str, password: str) -> Caller | None:
        account = machine.accounts.named(name)
        is_right = self._is_right(digest, account, password)
        if is_right and account is not None and _is_free(machine, account):
            return machine.accounts.caller(account)
        with seat.turn() as current:
            now = current.accounts.named(name)  # what was right may be so no longer
            is_right = is_right and now is not None and account is not None and now.secret is account.secret
            found = self._counted(current, now, name, is_right=is_right)
            return current.accounts.caller(found) if found is not None else None

    def _is_right(self, digest: bytes, account: ManagerAccount | None, password: str) -> bool:
        """Whether the password is the account's; it takes as long where there is no such account."""
        if self._is_remembered(digest, account):
            return True
        with self._gate:
            if self._is_remembered(digest, account):  # another request with the same has come first
                return True
            is_right = (account.secret if account is not None else _nobodys()).accepts(password)
            if account is not None and is_right:
                self._memory.keep(digest, account)
            return account is not None and is_right

    def _is_remembered(self, digest: bytes, account: ManagerAccount | None) -> bool:
        remembered = self._memory.get(digest)
        return remembered is not None and account is not None and account.secret.hashed == remembered.hashed

    @staticmethod
    def _counted(
        machine: Machine, account: ManagerAccount | None, name: str, *, is_right: bool
    ) -> ManagerAccount | None:
        """The account, if its password was right and it may be used; what happened is noted, in a turn."""
        now = machine.moment
        if account is not None and is_right and machine.accounts.may_log_in(account, now):
            machine.accounts.succeeded(account.id)
            return account
        if not is_right:
            machine.accounts.failed(name, now)
        return None


def _is_free(machine: Machine, account: ManagerAccount) -> bool:
    """Whether the account may be used, and nothing has to be noted of that."""
    if not machine.accounts.has_failed(account.id):
        return account.enabled
    return False


def _credentials(header: str) -> tuple[str, str] | None:
    """Name and password of an Authorization header; None where it holds none."""
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        name, colon, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return None
    return (name, password) if colon else None
