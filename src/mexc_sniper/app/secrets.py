"""Secrets: a value that does not print itself, and the rules for the files they come from."""

import hmac
import os
import stat
from pathlib import Path
from typing import Any, NoReturn

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from mexc_sniper.core.errors import ConfigError

MAX_SECRET_BYTES = 4096


class Secret:
    """A text that prints as stars, compares in constant time and refuses to be pickled, copied out or serialised."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the plain text; the only way to it, so that every use can be found by name."""
        return self._text

    def __repr__(self) -> str:
        return "***"

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._text.encode(), other._text.encode())

    __hash__ = None  # type: ignore[assignment]  # a hash would be an oracle and is never needed

    def __reduce_ex__(self, _protocol: Any) -> NoReturn:
        raise TypeError("a Secret cannot be serialised")

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: Any, _handler: GetCoreSchemaHandler) -> CoreSchema:
        def refuse(_value: object) -> NoReturn:
            raise TypeError("a Secret cannot be serialised")

        return core_schema.no_info_plain_validator_function(
            cls._validated, serialization=core_schema.plain_serializer_function_ser_schema(refuse)
        )

    @classmethod
    def _validated(cls, value: object) -> "Secret":
        if isinstance(value, Secret):
            return value
        if isinstance(value, str) and value.strip() and value.isprintable():
            return cls(value)
        raise ValueError("must be a non-empty line of text")


def _is_systemds(path: Path) -> bool:
    """Whether systemd put the file there for this service alone: its access list then shows as bits of the group."""
    folder = os.environ.get("CREDENTIALS_DIRECTORY", "")
    return bool(folder) and path.parent.resolve() == Path(folder).resolve()


def read_secret_file(path: Path, *, named_by: str) -> str:
    """Return the first line of a secret file.

    Raises:
        ConfigError: when it is missing, empty, too large, or readable by group or others.
    """
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            if not stat.S_ISREG(mode):
                raise ConfigError(f"{named_by} names {path}, which is not a file: point it at a plain text file")
            if mode & (0o007 if _is_systemds(path) else 0o077):
                raise ConfigError(f"{named_by} names {path}, which other users can read: run 'chmod 600 {path}'")
            raw = file.read(MAX_SECRET_BYTES + 1)
    except OSError as error:
        raise ConfigError(
            f"{named_by} names {path}, which cannot be read ({error.strerror}): correct the path or its owner"
        ) from None
    try:
        text = raw.decode().strip()
    except UnicodeDecodeError:
        text = ""
    if not text or len(raw) > MAX_SECRET_BYTES or not text.isprintable():
        raise ConfigError(f"{named_by} names {path}, which does not hold one line of text: write only the secret in it")
    return text
