"""Writes ``openapi.json``: ``python -m mexc_sniper.web.openapi`` from the repository's root; a test compares."""

import json
import sys
import tempfile
from pathlib import Path

from mexc_sniper.core.clock import SystemClock
from mexc_sniper.ledger.location import locate
from mexc_sniper.web.app import create_app
from mexc_sniper.web.options import WebOptions


class _NoWaiting(SystemClock):
    """The contract needs no time."""

    async def sleep(self, seconds: float) -> None:
        raise NotImplementedError

    async def until(self, mono_ns: int, *, exact: bool = False) -> None:
        raise NotImplementedError


def contract() -> str:
    """Return the API's contract as stable JSON text."""
    with tempfile.TemporaryDirectory() as folder:
        data_dir = Path(folder)
        options = WebOptions(data_dir=data_dir)
        app = create_app(options, location=locate(None, data_dir), clock=_NoWaiting())
        return json.dumps(app.openapi(), indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def main() -> None:
    """Write the file named as first argument, or ``openapi.json`` here."""
    target = Path(sys.argv[1] if len(sys.argv) > 1 else "openapi.json")
    target.write_text(contract(), encoding="utf-8")


if __name__ == "__main__":
    main()
