"""Sessions: log-ins that last, until they are ended, idle for too long, or too old (DSP0266, "Session management").

How long a session has been idle is worked out from the moment of its last use and virtual time; nothing is planned for
its end, and reading saves nothing. The last use is written down once in a tenth of the time-out, so after a restart a
session may end by that much too early, and never too late.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from emulator.core.message import Message, Rejected

NOTED_SHARE = 0.1
"""Of the time-out: how stale the last use may be that is stored."""


@dataclass(slots=True)
class Session:
    """A log-in that lasts. Only a digest of its token is kept."""

    id: str
    user: str
    token_digest: str
    created_at: float
    account: str = ""
    """The id of the user's account."""
    peer: str = ""
    """The address from which he has logged in."""
    used_at: float = -math.inf
    """The last use, in virtual time; that of one just made is its creation."""
    noted_at: float = -math.inf
    """The last use that was written down."""

    def __post_init__(self) -> None:
        self.used_at = max(self.used_at, self.created_at)
        self.noted_at = max(self.noted_at, self.used_at)

    def to_plain(self) -> dict[str, Any]:
        """JSON types only, for a store."""
        return {
            "id": self.id,
            "user": self.user,
            "token_digest": self.token_digest,
            "created_at": self.created_at,
            "account": self.account,
            "peer": self.peer,
            "used_at": self.noted_at,
        }


@dataclass(frozen=True, slots=True)
class SessionRules:
    """What a client may set of the session service."""

    is_enabled: bool = True
    """False: nobody can log in or out; who is logged in stays."""
    timeout: int = 86_400
    """Seconds without a request after which a session ends. As many as the schema allows, because clocks here are moved
    by hours while clients wait."""
    absolute_timeout: int = 86_400
    """Seconds after which a session ends, however much it is used."""
    has_absolute_timeout: bool = False

    def to_plain(self) -> dict[str, Any]:
        """JSON types only, for a store."""
        return {
            "is_enabled": self.is_enabled,
            "timeout": self.timeout,
            "absolute_timeout": self.absolute_timeout,
            "has_absolute_timeout": self.has_absolute_timeout,
        }


def digest_token(token: str) -> str:
    """What is kept of a session's token.

    Tokens are looked up by it, so the time that takes says nothing of a token that is nearly right.
    """
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()


class Sessions(Mapping[str, Session]):
    """The sessions of one machine, by id, the oldest first. The next log-in forgets those that have timed out."""

    def __init__(self, touch: Callable[[str, str], None], limit: int, rules: SessionRules) -> None:
        """`touch` is told (kind, id) of every entity that changes; `limit` is how many may be open at once."""
        self.rules = rules
        self.limit = limit
        self._delivered = rules
        self._touch = touch
        self._by_id: dict[str, Session] = {}
        self._by_token: dict[str, Session] = {}

    def __getitem__(self, session_id: str) -> Session:
        return self._by_id[session_id]

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_id)

    def __len__(self) -> int:
        return len(self._by_id)

    def open(self, session: Session) -> None:
        """Remember a log-in.

        Raises:
            Rejected: SessionLimitExceeded.
        """
        for other in list(self._by_id.values()):
            if not self.is_open(other, session.created_at):
                self.close(other.id)
        if len(self._by_id) >= self.limit:
            raise Rejected(Message("SessionLimitExceeded"))
        self.keep(session)
        self._touch("session", session.id)

    def with_token(self, token_digest: str, now: float) -> Session | None:
        """The log-in whose token has this digest, if it has not timed out. That is no use of it yet."""
        found = self._by_token.get(token_digest)
        return found if found is not None and self.is_open(found, now) else None

    def is_open(self, session: Session, now: float) -> bool:
        """Whether it has not timed out."""
        return now < self.ends_at(session)

    def ends_at(self, session: Session) -> float:
        """The virtual moment at which it times out if nobody uses it any more."""
        idle = session.used_at + self.rules.timeout
        return min(idle, session.created_at + self.rules.absolute_timeout) if self.rules.has_absolute_timeout else idle

    def use(self, session: Session, now: float) -> bool:
        """Its owner has sent a request. True if that is to be written down (`note_use`), in a turn."""
        session.used_at = max(session.used_at, now)
        return session.used_at - session.noted_at >= self.rules.timeout * NOTED_SHARE

    def note_use(self, session: Session) -> None:
        """Write the last use down."""
        session.noted_at = session.used_at
        self._touch("session", session.id)

    def close(self, session_id: str) -> bool:
        """Forget a log-in; True if there was one."""
        session = self._by_id.pop(session_id, None)
        if session is None:
            return False
        del self._by_token[session.token_digest]
        self._touch("session", session_id)
        return True

    def close_of(self, account: str, but: str | None = None) -> None:
        """Forget all log-ins of an account, `but` one."""
        for session in [session for session in self._by_id.values() if session.account == account]:
            if session.id != but:
                self.close(session.id)

    def close_all(self) -> None:
        """Forget all log-ins."""
        for session_id in list(self._by_id):
            self.close(session_id)

    def rename(self, account: str, user: str) -> None:
        """The user of an account is called otherwise now."""
        for session in self._by_id.values():
            if session.account == account:
                session.user = user
                self._touch("session", session.id)

    def set_rules(self, changes: Mapping[str, Any]) -> None:
        """Change some of the rules. A time-out that becomes shorter holds for the sessions that are open, too."""
        self.rules = replace(self.rules, **changes)
        self._touch("rules", "sessions")

    def reset_rules(self) -> None:
        """The rules as delivered."""
        if self.rules != self._delivered:
            self.rules = self._delivered
            self._touch("rules", "sessions")

    def keep(self, session: Session) -> None:
        """Take in a log-in that is stored already."""
        self._by_id[session.id] = session
        self._by_token[session.token_digest] = session

    def restore_rules(self, plain: Mapping[str, Any]) -> None:
        """Put stored rules back."""
        self.rules = SessionRules(**plain)
