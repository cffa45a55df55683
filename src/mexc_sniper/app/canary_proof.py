"""What a passed canary leaves behind: the proof that arming asks for (DESIGN 8: required before the first arm).

One file in the data directory with one proof for each key and venue. It holds a fingerprint of the key, never the key.
"""

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from mexc_sniper.core.errors import StoreError

FILE_NAME = "canary.json"
_FINGERPRINT_LETTERS = 16
_LARGEST_FILE = 1_000_000


class CanaryProof(msgspec.Struct, frozen=True, kw_only=True):
    """One passed round trip. Another key, or another venue, needs one of its own."""

    venue: str
    """Host, and port where one is named, of the REST interface."""
    key: str
    """`key_fingerprint` of the API key."""
    symbol: str
    passed_ns: int


def venue_name(rest_url: str) -> str:
    """Return what a proof calls the venue at an address."""
    return urlsplit(rest_url).netloc


def key_fingerprint(api_key: str) -> str:
    """Return a name for an API key that does not tell it."""
    return hashlib.sha256(b"mexc-sniper key\0" + api_key.encode()).hexdigest()[:_FINGERPRINT_LETTERS]


def remember_canary(data_dir: Path, proof: CanaryProof) -> None:
    """Write a proof, fsynced, in the place of an older one for the same key and venue.

    Raises:
        StoreError: the file cannot be written.
    """
    kept = [old for old in _read(data_dir) if (old.venue, old.key) != (proof.venue, proof.key)]
    path = data_dir / FILE_NAME
    draft = path.with_suffix(".new")
    try:
        fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            os.write(fd, msgspec.json.encode([*kept, proof]))
            os.fsync(fd)
        finally:
            os.close(fd)
        os.replace(draft, path)
        folder = os.open(data_dir, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise StoreError(f"{path} cannot be written ({error.strerror}): the canary counts as not passed") from None


def find_canary(data_dir: Path, *, rest_url: str, api_key: str) -> CanaryProof | None:
    """Return the proof for a key at a venue; None where there is none or it cannot be read."""
    wanted = (venue_name(rest_url), key_fingerprint(api_key))
    return next((proof for proof in _read(data_dir) if (proof.venue, proof.key) == wanted), None)


def _read(data_dir: Path) -> Sequence[CanaryProof]:
    try:
        with (data_dir / FILE_NAME).open("rb") as file:
            return msgspec.json.decode(file.read(_LARGEST_FILE), type=list[CanaryProof])
    except (OSError, msgspec.MsgspecError):
        return ()  # what cannot be read proves nothing; the next canary writes it anew
