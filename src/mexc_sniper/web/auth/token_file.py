"""The token file of the data directory: how the CLI on the same machine speaks to the API."""

import os
import secrets
from pathlib import Path

from mexc_sniper.core.errors import ConfigError

TOKEN_FILE = "token"  # noqa: S105 - a file name
TOKEN_BYTES = 32
_MIN_CHARACTERS = 24


def ensure_token(data_dir: Path) -> str:
    """Return the token with all scopes, making the file (owner only) when there is none.

    Two processes that start together get the same token: the file appears whole or not at all.

    Raises:
        ConfigError: the file cannot be made or read, others may read it, or it does not hold a token.
    """
    path = data_dir / TOKEN_FILE
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.exists():
            _create(path)
        return _read(path)
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be made or read ({error.strerror}). Make the directory writable for this user or set "
            "MEXC_SNIPER_DATA_DIR to one that is."
        ) from None


def read_token(data_dir: Path) -> str | None:
    """Return the token a first start left, or None when there is none.

    Raises:
        ConfigError: as `ensure_token`.
    """
    path = data_dir / TOKEN_FILE
    try:
        return _read(path)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ConfigError(f"{path} cannot be read ({error.strerror}). Run as the user who owns it.") from None


def _create(path: Path) -> None:
    draft = path.with_name(f".{TOKEN_FILE}.{secrets.token_hex(8)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(TOKEN_BYTES) + "\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            return
    finally:
        draft.unlink()


def _read(path: Path) -> str:
    with path.open(encoding="ascii", errors="replace") as file:
        status = os.fstat(file.fileno())
        text = file.read(1024).strip()
    if status.st_mode & 0o077:
        raise ConfigError(
            f"{path} can be read by other users of this machine, so its token is burnt. Delete it; the next start "
            "makes a new one."
        )
    if len(text) < _MIN_CHARACTERS or not text.isprintable() or not text.isascii():
        raise ConfigError(f"{path} does not hold a token. Delete it; the next start makes a new one.")
    return text
