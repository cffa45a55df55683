"""Tables of the ledger as CSV or JSON lines: read page by page, so that neither memory nor the engine feels it."""

import csv
import json
import os
import re
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from mexc_sniper.core.clock import iso_from_ns
from mexc_sniper.core.errors import ConfigError
from mexc_sniper.core.values import text_from_decimal

if TYPE_CHECKING:
    from mexc_sniper.ledger.reader import LedgerReader  # the command line starts without the database's library

PAGE = 500
_DURATIONS = re.compile(r"(lag|tick_to_trade|round_trip|ack_to_fill|open_to_order)_ns$")
"""Fields of nanoseconds that are no moments; all others are written as times."""
_FORMULA = re.compile(r"^[=+\-@\t\r]")
_NUMBER = re.compile(r"^[+-]?\d+(\.\d+)?$")


class Table(StrEnum):
    """What can be exported."""

    TRADES = "trades"
    ORDERS = "orders"
    POSITIONS = "positions"
    LISTINGS = "listings"
    AUDIT = "audit"


Page = Callable[["LedgerReader", int], tuple[Sequence[Any], int]]

_PAGES: dict[Table, Page] = {
    Table.TRADES: lambda reader, offset: reader.trades(limit=PAGE, offset=offset),
    Table.ORDERS: lambda reader, offset: reader.orders(limit=PAGE, offset=offset),
    Table.POSITIONS: lambda reader, offset: reader.positions(open_only=False, limit=PAGE, offset=offset),
    Table.LISTINGS: lambda reader, offset: reader.listings(limit=PAGE, offset=offset),
    Table.AUDIT: lambda reader, offset: reader.audit(PAGE, offset),
}


def rows(reader: "LedgerReader", table: Table, *, tell: Callable[[int, int], None]) -> Iterator[dict[str, Any]]:
    """Yield every row, newest first and each once; what is written meanwhile may be missing, never doubled.

    Args:
        reader: the ledger.
        table: which rows.
        tell: hears how many were read of how many there are.

    Raises:
        StoreError: the ledger cannot be read.
    """
    seen: set[str] = set()
    offset = 0
    while True:
        page, total = _PAGES[table](reader, offset)
        for item in page:
            row = _flat(msgspec.to_builtins(item, builtin_types=(Decimal,)))
            key = str(row.get("id") or row.get("intent.client_order_id") or row.get("number"))
            if key not in seen:
                seen.add(key)
                yield row
        offset += len(page)
        tell(min(offset, total), total)
        if len(page) < PAGE:
            return


def write(target: Path, found: Iterator[dict[str, Any]]) -> int:
    """Write rows to a new file of mode 600, CSV or JSON lines by its ending; returns how many.

    Raises:
        ConfigError: the ending is neither, or the file exists or cannot be written.
    """
    writing = {".csv": _write_csv, ".jsonl": _write_lines}.get(target.suffix)
    if writing is None:
        raise ConfigError(f"{target} ends neither in .csv nor in .jsonl: choose one of them")
    try:
        handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise ConfigError(f"{target} exists already: choose another name, nothing is overwritten") from None
    except OSError as error:
        raise ConfigError(f"{target} cannot be written ({error.strerror}): choose another place") from None
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            return writing(file, found)
    except BaseException:
        target.unlink(missing_ok=True)
        raise


def _write_lines(file: Any, found: Iterator[dict[str, Any]]) -> int:
    count = 0
    for row in found:
        file.write(json.dumps(row, ensure_ascii=False) + "\n")
        count += 1
    return count


def _write_csv(file: Any, found: Iterator[dict[str, Any]]) -> int:
    writer: Any = None
    count = 0
    for row in found:
        if writer is None:
            writer = csv.DictWriter(file, list(row), extrasaction="ignore", restval="")
            writer.writeheader()
        writer.writerow({name: cell(value) for name, value in row.items()})
        count += 1
    return count


def cell(value: object) -> str:
    """Write one cell; text that a spreadsheet would take for a formula gets a quote before it (RELIABILITY row 103)."""
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return f"'{text}" if _FORMULA.match(text) and not _NUMBER.match(text) else text


def _flat(value: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, item in value.items():
        if isinstance(item, dict) and name == "intent":
            flat |= _flat(item, f"{prefix}{name}.")
        elif name.endswith("_ns") and not _DURATIONS.search(name):
            flat[prefix + name.removesuffix("_ns")] = iso_from_ns(item) if item else None
        else:
            flat[prefix + name] = _plain(item)
    return flat


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return text_from_decimal(value)
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value
