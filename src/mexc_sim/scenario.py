"""Scenario files: TOML, checked key by key; a wrong one is refused with one sentence naming file, line and mend."""

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import fields
from importlib import resources
from pathlib import Path
from typing import Any, TypeVar

from mexc_sim.core.faults import FaultError, Faults
from mexc_sim.core.listing_request import ListingError, read_listing
from mexc_sim.core.script import Repeat, Script, ScriptedCut, ScriptedFault, ScriptedListing
from mexc_sim.core.targets import REST_TARGETS
from mexc_sim.core.world import Rules

T = TypeVar("T")
_LARGEST_FILE = 1_048_576
_TOP = ("title", "begins", "universe", "rules", "clock", "listing", "fault", "cut")
_UNIVERSE = ("symbols",)
_CLOCK = ("skewMs",)
_REPEAT = ("everyS", "times")


class ScenarioError(ValueError):
    """A scenario cannot be used; the text names the file, the place and the mend."""


class _Wrong(ValueError):
    """Something is wrong with one table; the caller adds file and line."""


def bundled_names() -> list[str]:
    """Names of the scenarios that come with the package."""
    folder = resources.files("mexc_sim") / "scenarios"
    return sorted(entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml"))


def load_scenario(name_or_path: str) -> Script:
    """Load a bundled scenario by name, or a file by path.

    Raises:
        ScenarioError: not found, too large, not TOML, or a key or value is wrong.
    """
    if name_or_path in bundled_names():
        source = resources.files("mexc_sim") / "scenarios" / f"{name_or_path}.toml"
        return parse_scenario(source.read_text("utf-8"), f"{name_or_path}.toml")
    path = Path(name_or_path)
    try:
        if path.stat().st_size > _LARGEST_FILE:
            raise ScenarioError(f"scenario {path}: larger than 1 MiB; a scenario is a short text file")
        text = path.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise ScenarioError(f"scenario {path}: byte {error.start} is no UTF-8; save the file as UTF-8 text") from error
    except (OSError, ValueError) as error:
        if isinstance(error, ScenarioError):
            raise
        known = ", ".join(bundled_names())
        raise ScenarioError(f"scenario {name_or_path!r} cannot be read; name a TOML file or one of {known}") from error
    return parse_scenario(text, str(path))


def parse_scenario(text: str, name: str) -> Script:
    """Check a scenario's text; ``name`` is what messages call the file.

    Raises:
        ScenarioError: not TOML, or a key or value is wrong.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        told = str(error).replace("at end of document", f"at line {text.count(chr(10)) + 1}, the end of the document")
        raise ScenarioError(f"scenario {name}: no valid TOML: {told}; mend that place") from error
    reader = _Reader(text, name)
    reader.check_keys(document, _TOP, "the file")
    universe = reader.table(document, "universe", _UNIVERSE)
    clock = reader.table(document, "clock", _CLOCK)
    begins = document.get("begins", "start")
    if begins not in ("start", "first_request"):
        raise reader.error("begins", f'begins must be "start" or "first_request", not {begins!r}')
    title = document.get("title", "")
    if not isinstance(title, str):
        raise reader.error("title", "title must be text")
    return Script(
        title=title,
        symbols=reader.whole(universe, "symbols", 2_000, low=1, high=1_000_000),
        begins=begins,
        rules=reader.rules(document),
        skew_ms=reader.whole(clock, "skewMs", 0, low=-86_400_000, high=86_400_000),
        listings=reader.each(document, "listing", _listing),
        faults=reader.each(document, "fault", _fault),
        cuts=reader.each(document, "cut", _cut),
    )


class _Reader:
    """Finds lines for messages."""

    def __init__(self, text: str, name: str) -> None:
        self._lines = text.splitlines()
        self._name = name

    def error(self, key: str, sentence: str, table: str = "", number: int = 0) -> ScenarioError:
        """A sentence with the line at which ``key`` stands (in the ``number``-th ``[[table]]``)."""
        return ScenarioError(f"scenario {self._name}, line {self._line(key, table, number)}: {sentence}")

    def check_keys(self, table: Mapping[str, Any], known: tuple[str, ...], where: str) -> None:
        for key in table:
            if key not in known:
                raise self.error(key, f"key {key!r} is unknown in {where}; it takes {', '.join(known)}")

    def table(self, document: Mapping[str, Any], key: str, known: tuple[str, ...]) -> Mapping[str, Any]:
        table = document.get(key, {})
        if not isinstance(table, dict):
            raise self.error(key, f"{key} must be a table; write [{key}]")
        self.check_keys(table, known, f"[{key}]")
        return table

    def whole(self, table: Mapping[str, Any], key: str, default: int, *, low: int, high: int) -> int:
        value = table.get(key, default)
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise self.error(key, f"{key} must be a whole number from {low} to {high}, not {value!r}")
        return value

    def rules(self, document: Mapping[str, Any]) -> Rules:
        names = {_camel(f.name): f for f in fields(Rules)}
        table = self.table(document, "rules", tuple(names))
        choices = {
            "miniTickers": ("all", "changed"),
            "unknownSymbols": ("accept", "reject"),
            "duplicateClientIds": ("accept", "refuse"),
            "streamTradeIds": ("same", "other"),
            "fees": ("quote", "base", "mx"),
        }
        values: dict[str, Any] = {}
        for key, value in table.items():
            if key in choices:
                if value not in choices[key]:
                    raise self.error(key, f"{key} must be one of {', '.join(choices[key])}, not {value!r}")
            elif isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e9:
                raise self.error(key, f"{key} must be a number from 0, not {value!r}")
            values[names[key].name] = value
        return Rules(**values)

    def each(self, document: Mapping[str, Any], key: str, read: Callable[[dict[str, Any]], T]) -> tuple[T, ...]:
        tables = document.get(key, [])
        if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
            raise self.error(key, f"{key} must be a list of tables; write [[{key}]]")
        found: list[T] = []
        for number, table in enumerate(tables, start=1):
            try:
                found.append(read(dict(table)))
            except (ListingError, FaultError, _Wrong) as error:
                raise self.error("", f"[[{key}]] number {number}: {error}", key, number) from error
        return tuple(found)

    def _line(self, key: str, table: str, number: int) -> int:
        seen = 0
        for line_number, line in enumerate(self._lines, start=1):
            stripped = line.strip()
            if table:
                if stripped.replace(" ", "").startswith(f"[[{table}]]"):
                    seen += 1
                    if seen == number:
                        return line_number
            elif stripped.split("=")[0].strip().strip('"') == key or stripped.strip("[] ") == key:
                return line_number
        return 1


def _listing(table: dict[str, Any]) -> ScriptedListing:
    repeat = _repeat(table)
    bases = table.pop("bases", [])
    if not isinstance(bases, list) or not all(
        isinstance(base, str) and base == base.upper() and base for base in bases
    ):
        raise _Wrong(f"bases must be a list of upper-case names, not {bases!r}")
    return ScriptedListing(read_listing(table), repeat, tuple(bases))


def _fault(table: dict[str, Any]) -> ScriptedFault:
    repeat = Repeat(_seconds(table, "everyS", 0.0), _times(table, "repeats", 1))
    in_s = _seconds(table, "inS", 0.0)
    Faults(0, REST_TARGETS).check(table)
    return ScriptedFault(table, in_s, repeat)


def _cut(table: dict[str, Any]) -> ScriptedCut:
    repeat = _repeat(table)
    in_s, refuse = _seconds(table, "inS", 0.0), _seconds(table, "refuseForS", 0.0)
    freeze = table.pop("freeze", False)
    if not isinstance(freeze, bool):
        raise _Wrong(f"freeze must be true or false, not {freeze!r}")
    if table:
        raise _Wrong(f"key {next(iter(table))!r} is unknown; a cut takes inS, refuseForS, freeze, everyS, times")
    return ScriptedCut(in_s, freeze, refuse, repeat)


def _repeat(table: dict[str, Any]) -> Repeat:
    return Repeat(_seconds(table, "everyS", 0.0), _times(table, "times", 1))


def _seconds(table: dict[str, Any], key: str, default: float) -> float:
    value = table.pop(key, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e9:
        raise _Wrong(f"{key} must be a number of seconds from 0, not {value!r}")
    return float(value)


def _times(table: dict[str, Any], key: str, default: int) -> int:
    value = table.pop(key, default)
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 1_000_000:
        raise _Wrong(f"{key} must be a whole number from 1, not {value!r}")
    return value


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part.title() for part in rest)
