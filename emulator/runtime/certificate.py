"""The certificate that the listening socket is served with: made on the first start, kept, shown and replaced.

It belongs to the socket, and so to all controllers of the process. Its folder holds

    certificate.pem   what is served, and what clients may pin
    key.pem           the key that was made with the first one
    keys/*.pem        keys that came later: sent with a certificate, or made with a request for one

Which key goes with the certificate is found by trying, so replacing one file is the whole of a replacement: it has
happened or it has not, whenever the process ends. The first key is P-256, because most scripts open a connection for
each request and an RSA-2048 handshake costs 2.5 times as much. Dates of certificates are real time, not virtual:
clients check them against their own clocks.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from emulator.formats.x509 import Bundle, Described

VALID_DAYS = 3650
CERTIFICATE, KEY, KEYS = "certificate.pem", "key.pem", "keys"
CANDIDATE = "candidate.pem"
PRIVATE, PUBLIC = 0o600, 0o644
NAMES = ("localhost", "127.0.0.1", "::1")
PENDING_MAX = 16
"""Keys that wait for their certificate; a further request forgets the oldest."""

Pair = tuple[Path, Path]
"""(certificate, key): files."""


class UnusableError(Exception):
    """The files of the folder cannot be served. The text is one line that says what to do."""


def real_now() -> datetime:
    """Real time."""
    return datetime.now(UTC)


class ServedCertificate:
    """The certificate of one listening socket, in a folder of its own."""

    def __init__(self, folder: Path, now: Callable[[], datetime] = real_now) -> None:
        """`now` gives real time, against which dates of certificates are checked."""
        self.try_out: Callable[[Path, Path], None] | None = None
        """Finds out whether the server can serve a pair: raises CertificateError if not. None: nothing serves it."""
        self.serve: Callable[[Path, Path], None] | None = None
        """Lets new connections see a pair; returns when they do. None: nothing serves it."""
        self._folder = folder
        self._now = now
        self._lock = Lock()
        self._described: tuple[bytes, Described] | None = None

    def pair(self) -> Pair:
        """What is to be served; made where there is none. The keys are for their owner's eyes only.

        Raises:
            UnusableError: none of the keys is that of the certificate.
        """
        if not (self._folder / CERTIFICATE).exists():
            ensure_certificate(self._folder)
        return self._folder / CERTIFICATE, self._key_of(self._folder / CERTIFICATE)

    def described(self) -> Described:
        """What is served."""
        from emulator.formats.x509 import describe  # noqa: PLC0415 - 50 ms that a start is spared

        content = (self._folder / CERTIFICATE).read_bytes()
        if self._described is None or self._described[0] != content:
            self._described = content, describe(content)
        return self._described[1]

    def request(
        self,
        names: Mapping[str, str],
        alternatives: Sequence[str] = (),
        usages: Sequence[str] = (),
        attributes: Mapping[str, str] | None = None,
        *,
        bits: int = 0,
        curve: str = "P-256",
    ) -> str:
        """Make a key, and a request for its certificate, PEM. The key is kept until that certificate comes.

        Raises:
            CertificateError: X.509 does not take a value.
        """
        from emulator.formats import x509  # noqa: PLC0415

        key = x509.make_key(bits=bits, curve=curve)
        said = x509.make_request(key, names, alternatives, usages, attributes)
        with self._lock:
            self._keep_key(x509.public_id(key.public_key()), x509.key_pem(key))
            self._forget_oldest()
        return said

    def request_again(
        self, attributes: Mapping[str, str], *, new_key: bool, bits: int = 0, curve: str = "P-256"
    ) -> str:
        """A request for a certificate that says what the present one says, for a new key or for its own.

        Raises:
            CertificateError: X.509 does not take an attribute.
        """
        from emulator.formats import x509  # noqa: PLC0415

        names, alternatives, usages = x509.names_of((self._folder / CERTIFICATE).read_bytes())
        if new_key:
            return self.request(names, alternatives, usages, attributes, bits=bits, curve=curve)
        key = x509.load_key(self.pair()[1].read_bytes())
        return x509.make_request(key, names, alternatives, usages, attributes)

    def replace(self, text: str, password: str | None = None) -> None:
        """Serve another certificate from now on: `text` is PEM, its chain behind it, with or without its key.

        Raises:
            CertificateError: it cannot be used, and nothing has changed.
        """
        from emulator.formats.x509 import read_bundle  # noqa: PLC0415

        bundle = read_bundle(text, password, self._now())
        with self._lock:
            former = self.pair()[1]
            key, is_new = self._key_for(bundle)
            candidate = self._folder / CANDIDATE
            try:
                _write(candidate, bundle.chain, PUBLIC)
                if self.try_out is not None:
                    self.try_out(candidate, key)
            except BaseException:
                candidate.unlink(missing_ok=True)
                if is_new:
                    key.unlink(missing_ok=True)
                raise
            candidate.replace(self._folder / CERTIFICATE)
            _flush(self._folder)
            if self.serve is not None:
                self.serve(self._folder / CERTIFICATE, key)
            if former != key:
                former.unlink(missing_ok=True)

    def _key_for(self, bundle: Bundle) -> tuple[Path, bool]:
        """The file of the bundle's key, and whether it is a new one."""
        from emulator.formats.x509 import CertificateError, load_key, public_id  # noqa: PLC0415

        for path in self._keys():
            with suppress(ValueError, TypeError):
                if public_id(load_key(path.read_bytes()).public_key()) == bundle.public:
                    return path, False
        if bundle.key is None:
            raise CertificateError("no private key is known for it, neither sent with it nor made by GenerateCSR")
        return self._keep_key(bundle.public, bundle.key), True

    def _keep_key(self, public: str, pem: bytes) -> Path:
        folder = self._folder / KEYS
        folder.mkdir(mode=0o700, exist_ok=True)
        path = folder / f"{public[:32]}.pem"
        _write(path, pem)
        _flush(folder)
        return path

    def _forget_oldest(self) -> None:
        served = self.pair()[1]
        waiting = [path for path in self._keys() if path != served]
        for path in sorted(waiting, key=lambda path: path.stat().st_mtime_ns)[:-PENDING_MAX]:
            path.unlink()

    def _keys(self) -> list[Path]:
        first = self._folder / KEY
        return [*([first] if first.exists() else ()), *sorted((self._folder / KEYS).glob("*.pem"))]

    def _key_of(self, certificate: Path) -> Path:
        for path in self._keys():
            with suppress(ssl.SSLError, OSError):
                ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, path)
                return path
        raise UnusableError(f"{certificate}: no key in its folder is its own; without the file a new one is made")


def ensure_certificate(folder: Path) -> Pair:
    """(certificate, key) in this folder; made where there is none. The key is for its owner's eyes only."""
    certificate, key = folder / CERTIFICATE, folder / KEY
    if not (certificate.exists() and key.exists()):
        folder.mkdir(parents=True, exist_ok=True)
        certificate_pem, key_pem = make_certificate()
        _write(key, key_pem)
        _write(certificate, certificate_pem, PUBLIC)
    return certificate, key


def make_certificate() -> tuple[bytes, bytes]:
    """A new (certificate, key), both PEM."""
    from emulator.formats import x509  # noqa: PLC0415

    key = x509.make_key()
    return x509.make_self_signed(key, "jobfish", NAMES, real_now(), VALID_DAYS), x509.key_pem(key)


def _write(path: Path, content: bytes, mode: int = PRIVATE) -> None:
    """Write a file whole or not at all; nobody else may read it, unless the mode says so."""
    half = path.with_name(f"{path.name}.new")
    descriptor = os.open(half, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(descriptor)
    half.replace(path)


def _flush(folder: Path) -> None:
    """Make what happened to a folder's names durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
