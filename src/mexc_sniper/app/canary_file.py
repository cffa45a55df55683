"""Where the canary's results are kept: arming asks for one that passed (DESIGN 8: required before the first arm).

One file in the data directory with the last result for each key and venue. It holds a fingerprint of the key, never
the key.
"""

import hashlib
import os
from pathlib import Path
from urllib.parse import urlsplit

from mexc_sniper.core.errors import StoreError
from mexc_sniper.model.canary import FILE_NAME, LARGEST_FILE, CanaryResult, decode_canaries, encode_canaries

_FINGERPRINT_LETTERS = 16


def venue_name(rest_url: str) -> str:
    """Return what a result calls the venue at an address."""
    return urlsplit(rest_url).netloc


def key_fingerprint(api_key: str) -> str:
    """Return a name for an API key that does not tell it."""
    return hashlib.sha256(b"mexc-sniper key\0" + api_key.encode()).hexdigest()[:_FINGERPRINT_LETTERS]


def remember_canary(data_dir: Path, result: CanaryResult) -> None:
    """Write a result, fsynced, in the place of the older one for the same key and venue.

    Raises:
        StoreError: the file cannot be written.
    """
    kept = [old for old in _read(data_dir) if (old.venue, old.key) != (result.venue, result.key)]
    path = data_dir / FILE_NAME
    draft = path.with_suffix(".new")
    try:
        fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            os.write(fd, encode_canaries((*kept, result)))
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


def find_canary(data_dir: Path, *, rest_url: str, api_key: str) -> CanaryResult | None:
    """Return the last result of a key at a venue; None where there is none or it cannot be read."""
    wanted = (venue_name(rest_url), key_fingerprint(api_key))
    return next((result for result in _read(data_dir) if (result.venue, result.key) == wanted), None)


def _read(data_dir: Path) -> tuple[CanaryResult, ...]:
    try:
        with (data_dir / FILE_NAME).open("rb") as file:
            return decode_canaries(file.read(LARGEST_FILE))
    except OSError:
        return ()  # the next canary writes it anew
