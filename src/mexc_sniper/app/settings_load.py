"""Loads the settings: ``mexc-sniper.toml`` < environment < flags, and names every mistake with its origin and mend."""

import difflib
import os
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from mexc_sniper.app.secrets import read_secret_file
from mexc_sniper.app.settings import CHANNELS, ENV_PREFIX, SECRET_KEYS, Settings
from mexc_sniper.core.errors import ConfigError

CONFIG_FILE_NAME = "mexc-sniper.toml"
CONFIG_FILE_ENV = f"{ENV_PREFIX}CONFIG"
_LARGEST_FILE = 256 * 1024


class Role(StrEnum):
    """Which process asks; decides which secrets it may hold (DESIGN 2: the web process never holds the API secret)."""

    SUPERVISOR = "supervisor"
    ENGINE = "engine"
    WEB = "web"
    NOTIFY = "notify"
    DOCTOR = "doctor"
    CLIENT = "client"


SECRETS_OF: dict[Role, frozenset[str]] = {
    Role.SUPERVISOR: frozenset(SECRET_KEYS),
    Role.ENGINE: frozenset({"venue.api_key", "venue.api_secret"}),
    Role.WEB: frozenset({"web.token"}),
    Role.NOTIFY: frozenset({"notify.heartbeat_url"}),
    Role.DOCTOR: frozenset({"venue.api_key", "venue.api_secret", "notify.heartbeat_url"}),
    Role.CLIENT: frozenset({"web.token"}),
}

CHANNELS_OF = frozenset({Role.SUPERVISOR, Role.NOTIFY, Role.DOCTOR})
"""Who may hold the addresses of notification channels."""

_CHANNEL = re.compile(r"[a-z][a-z0-9_]{0,31}")


def setting_names(model: type[BaseModel] = Settings, prefix: str = "") -> Iterator[str]:
    """Yield every setting as ``section.key``, in the order of the documentation."""
    for name, field in model.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from setting_names(kind, f"{prefix}{name}.")
        elif f"{prefix}{name}." != CHANNELS:
            yield prefix + name


def env_name(setting: str) -> str:
    """Return the environment variable of a setting: ``venue.rest_url`` is ``MEXC_SNIPER_VENUE__REST_URL``."""
    return ENV_PREFIX + setting.replace(".", "__").upper()


def load_settings(
    *,
    flags: Mapping[str, Any] | None = None,
    role: Role = Role.CLIENT,
    config: Path | None = None,
    environ: Mapping[str, str] | None = None,
) -> Settings:
    """Read and check all settings.

    Args:
        flags: settings by dotted name that the command line gave; None values are ignored.
        role: decides which secrets are read; the others stay None.
        config: the toml file the command line named; without one ``MEXC_SNIPER_CONFIG`` or ``./mexc-sniper.toml``.
        environ: the environment, by default the process's own.

    Raises:
        ConfigError: naming the setting, where it came from and how to mend it.
    """
    env = dict(os.environ if environ is None else environ)
    file = _find_file(config, env)
    from_file, lines = _read_file(file) if file else ({}, {})
    from_env = _read_env(env)
    from_flags = {name: value for name, value in (flags or {}).items() if value is not None}
    for name in [*from_env]:
        if name in SECRET_KEYS and name not in SECRETS_OF[role]:
            del from_env[name]

    def origin(name: str) -> str:
        if name in from_flags:
            return f"--{name.rpartition('.')[2].replace('_', '-')}"
        if name in from_env:
            return env_name(name)
        return f"{file}:{lines[name]}" if name in lines else "its default"

    merged = {**from_file, **from_env, **from_flags}
    for name in [*merged]:
        if name.startswith(CHANNELS) and role not in CHANNELS_OF:
            del merged[name]
    channels = {name.removesuffix("_file") for name in merged if name.startswith(CHANNELS)}
    for secret, file_setting in (SECRET_KEYS | {name: f"{name}_file" for name in sorted(channels)}).items():
        if secret in from_env and file_setting in from_env:
            raise ConfigError(f"{env_name(secret)} and {env_name(file_setting)} are both set: keep one of them")
        if secret in from_env:
            merged.pop(file_setting, None)  # the environment goes before the toml file
        if file_setting in merged and (secret in SECRETS_OF[role] or secret in channels):
            path = Path(str(merged[file_setting])).expanduser()
            merged[secret] = read_secret_file(path, named_by=origin(file_setting))
            if secret in channels:
                del merged[file_setting]
    _read_database_url(merged, from_env, origin)
    try:
        return Settings.model_validate(_nested(merged))
    except ValidationError as error:
        raise ConfigError(_sentence(error.errors(include_url=False, include_input=False)[0], origin)) from None


def _read_database_url(merged: dict[str, Any], from_env: Mapping[str, Any], origin: Callable[[str], str]) -> None:
    """Put the address a file holds in the file's place; every process may know it."""
    file = merged.pop("database.url_file", None)
    if file is None:
        return
    if "database.url" in merged:
        if "database.url_file" in from_env or "database.url" not in from_env:
            raise ConfigError("database.url and database.url_file are both set: keep one of them")
        return  # the environment goes before the toml file
    path = Path(str(file)).expanduser()
    merged["database.url"] = read_secret_file(path, named_by=origin("database.url_file"))


def _find_file(config: Path | None, env: Mapping[str, str]) -> Path | None:
    named = config or (Path(env[CONFIG_FILE_ENV]) if env.get(CONFIG_FILE_ENV) else None)
    if named is not None:
        if not named.is_file():
            raise ConfigError(f"the settings file {named} does not exist: correct --config or {CONFIG_FILE_ENV}")
        return named
    here = Path(CONFIG_FILE_NAME)
    return here if here.is_file() else None


def _read_file(file: Path) -> tuple[dict[str, Any], dict[str, int]]:
    try:
        raw = file.read_bytes()
        if len(raw) > _LARGEST_FILE:
            raise ConfigError(f"the settings file {file} is larger than 256 KiB: is it the right file?")
        text = raw.decode()
        document = tomllib.loads(text)
    except OSError as error:
        raise ConfigError(f"the settings file {file} cannot be read ({error.strerror}): check its owner") from None
    except UnicodeDecodeError:
        raise ConfigError(f"the settings file {file} is not UTF-8 text: save it as UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"the settings file {file} is not valid TOML: {error}") from None
    values = dict(_flat(document))
    lines = _line_numbers(text)
    known = set(setting_names())
    for name in values:
        line = lines.setdefault(name, 1)
        if name in SECRET_KEYS:
            raise ConfigError(
                f"{file}:{line} holds the secret {name}: put it into a file of mode 600 and set {SECRET_KEYS[name]}"
            )
        if name.startswith(CHANNELS):
            _check_channel_file(name, f"{file}:{line}")
        elif name not in known:
            raise ConfigError(f"{file}:{line} sets '{name}', which is not a setting{_nearest(name, known)}")
    if "@" in str(values.get("database.url", "")) and file.stat().st_mode & 0o077:
        raise ConfigError(
            f"{file}:{lines['database.url']} holds a database address with a password, and other users can read the "
            f"file: run 'chmod 600 {file}'"
        )
    return values, lines


def _flat(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in table.items():
        if isinstance(value, dict) and value:
            yield from _flat(value, f"{prefix}{key}.")
        elif not isinstance(value, dict) or f"{prefix}{key}" not in Settings.model_fields:
            yield prefix + key, value


def _nested(flat: Mapping[str, Any]) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for name, value in flat.items():
        *sections, key = name.split(".")
        branch = tree
        for section in sections:
            branch = branch.setdefault(section, {})
        branch[key] = value
    return tree


def _line_numbers(text: str) -> dict[str, int]:
    lines: dict[str, int] = {}
    table = ""
    for number, line in enumerate(text.splitlines(), 1):
        if found := re.match(r"\s*\[\s*([^\[\]]+?)\s*\]", line):
            table = found[1].replace('"', "").replace(" ", "") + "."
        elif found := re.match(r"\s*([A-Za-z0-9_.\"'-]+)\s*=", line):
            lines.setdefault(table + found[1].replace('"', "").replace("'", ""), number)
    return lines


def _read_env(env: Mapping[str, str]) -> dict[str, Any]:
    known = {env_name(name): name for name in setting_names()}
    values: dict[str, Any] = {}
    for variable, value in env.items():
        if not variable.upper().startswith(ENV_PREFIX) or variable.upper() == CONFIG_FILE_ENV:
            continue
        channel = variable.removeprefix(env_name(CHANNELS))
        if channel != variable and variable.isupper():
            if not _CHANNEL.fullmatch(channel.lower().removesuffix("_file")):
                raise ConfigError(f"{variable} names no channel: {_CHANNEL_RULE}")
            if value:
                values[f"{CHANNELS}{channel.lower()}"] = value
            continue
        if variable not in known:
            raise ConfigError(
                f"the environment variable {variable} is not a setting{_nearest(variable.upper(), known)}"
            )
        name = known[variable]
        if value == "":
            continue  # an empty variable is how containers say "not set"
        values[name] = _env_list(variable, value) if name == "web.allowed_hosts" else value
    return values


_CHANNEL_RULE = "a channel's name begins with a letter and has at most 32 small letters, digits and _"


def _check_channel_file(name: str, where: str) -> None:
    """Refuse an address in the toml file, and a name that is none."""
    channel = name.removeprefix(CHANNELS)
    if not channel.endswith("_file"):
        raise ConfigError(
            f"{where} holds the address of the channel {channel}, which is a secret: put it into a file of mode 600 "
            f"and set {name}_file"
        )
    if not _CHANNEL.fullmatch(channel.removesuffix("_file")):
        raise ConfigError(f"{where} names no channel: {_CHANNEL_RULE}")


def _env_list(variable: str, value: str) -> list[str]:
    names = [item.strip().strip('"') for item in value.strip().removeprefix("[").removesuffix("]").split(",")]
    if not all(names):
        raise ConfigError(f"{variable} has an empty name in its list: write names separated by commas")
    return names


def _nearest(name: str, known: Mapping[str, Any] | set[str]) -> str:
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f": did you mean {close[0]}?" if close else ": see docs/configuration.md for all settings"


def _sentence(error: ErrorDetails, origin: Any) -> str:
    name = ".".join(str(part) for part in error["loc"] if not isinstance(part, int))
    text = error["msg"].removeprefix("Value error, ")
    text = text[:1].lower() + text[1:]
    if not name:
        return text
    if error["type"] == "extra_forbidden":
        return f"'{name}' is not a setting{_nearest(name, set(setting_names()))}"
    return f"{name} is wrong: {text.removeprefix('input ')} (from {origin(name)}; it {_mend(name)})"


def _mend(name: str) -> str:
    model: type[BaseModel] = Settings
    *sections, key = name.split(".")
    for section in sections:
        kind = model.model_fields[section].annotation
        if not (isinstance(kind, type) and issubclass(kind, BaseModel)):
            return "must be corrected"
        model = kind
    default = model.model_fields[key].default if key in model.model_fields else None
    return (
        f"may be left out for the default, {default}" if isinstance(default, str | int | Decimal) else "may be left out"
    )
