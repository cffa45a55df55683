"""``record`` and ``replay``: what the venue says onto a tape, and a tape through the same parsers and engine."""

import asyncio
import signal
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from mexc_sniper.app.gateway import build_gateway
from mexc_sniper.app.settings import Settings
from mexc_sniper.core.clock import NS_PER_S, iso_from_ns
from mexc_sniper.engine.effects import Effect, Record
from mexc_sniper.engine.engine import Engine
from mexc_sniper.model.commands import Command
from mexc_sniper.model.entries import LedgerEntry, ListingChanged
from mexc_sniper.model.events import Ticked
from mexc_sniper.model.listing import Listing
from mexc_sniper.model.market import Stamp
from mexc_sniper.model.restored import Restored
from mexc_sniper.runtime.clock import LoopClock, ThreadOffload
from mexc_sniper.runtime.process import run_engine
from mexc_sniper.tape.format import OVERHEAD, TapeRecord
from mexc_sniper.tape.player import TapePlayer
from mexc_sniper.tape.recorder import TapeRecorder
from mexc_sniper.tape.replay import Replay


class Findings:
    """The latest word on every listing; stands in for the ledger where nothing is kept."""

    def __init__(self) -> None:
        self.listings: dict[str, Listing] = {}

    def append(self, entries: Sequence[LedgerEntry]) -> None:
        for entry in entries:
            if isinstance(entry, ListingChanged):
                self.listings[entry.listing.id] = entry.listing

    @property
    def trouble(self) -> str:
        """Nothing can go wrong where nothing is kept."""
        return ""

    async def flush(self, *, deadline_s: float) -> None:
        """Nothing is kept, so nothing waits."""

    def run(self, effects: Sequence[Effect]) -> None:
        """Take the entries out of an engine's effects."""
        for effect in effects:
            if isinstance(effect, Record):
                self.append(effect.entries)


class _NobodyCommands:
    async def run(self, deliver: Callable[[Command], None]) -> None:
        await asyncio.Event().wait()


class _NobodyReads:
    def put(self, key: str, value: bytes) -> None:
        """Drop the figure."""


def record_tape(settings: Settings, tape: Path, *, seconds: float | None, console: Console) -> dict[str, Any]:
    """Listen to the venue as the engine would, keeping every frame and answer, until stopped.

    Raises:
        StoreError: the tape exists already or cannot be written.
        ConfigError: the settings do not name a venue that can be asked.
    """
    return asyncio.run(_record(settings, tape, seconds=seconds, console=console))


async def _record(settings: Settings, tape: Path, *, seconds: float | None, console: Console) -> dict[str, Any]:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    clock = LoopClock()
    offload = ThreadOffload()
    recorder = TapeRecorder(tape)
    findings = Findings()
    gateway = build_gateway(settings, clock, offload, tap=recorder)
    recorder.start()
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    try:
        with Progress(*columns, console=console, transient=True) as progress:
            task = progress.add_task(f"Recording {settings.venue.rest_url}", total=None)
            engine = asyncio.create_task(
                run_engine(
                    ledger=findings, inbox=_NobodyCommands(), gateway=gateway, figures=_NobodyReads(), clock=clock,
                    restored=Restored(), stop=stop, force_running=True,
                )
            )  # fmt: skip
            until_ns = None if seconds is None else clock.mono_ns() + int(seconds * NS_PER_S)
            while not engine.done() and not stop.is_set():
                if recorder.failed is not None or (until_ns is not None and clock.mono_ns() >= until_ns):
                    stop.set()
                text = f"Recording: {recorder.written:,} records, {len(findings.listings)} listings (Ctrl-C ends it)"
                progress.update(task, description=text)
                await asyncio.wait({engine}, timeout=0.2)
            stop.set()
            await engine
    finally:
        recorder.close()
        offload.close()
    if recorder.failed is not None:
        raise recorder.failed
    return {"tape": str(tape), "records": recorder.written, "dropped": recorder.dropped, **_summary(findings)}


def replay_tape(tape: Path, *, console: Console) -> dict[str, Any]:
    """Read a tape through the parsers and a fresh engine; returns counts and the listings it found.

    Raises:
        StoreError: the file is no tape, or damaged in the middle.
    """
    replay, engine, findings = Replay(), Engine(), Findings()
    kinds: Counter[str] = Counter()
    events: Counter[str] = Counter()
    first_ns = last_ns = 0
    columns = (TextColumn("Replaying"), BarColumn(), DownloadColumn())
    with TapePlayer(tape) as player, Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("replay", total=tape.stat().st_size)

        def one_by_one(record: TapeRecord) -> list[TapeRecord]:
            kinds[record.kind.name.lower()] += 1
            progress.advance(task, OVERHEAD + len(record.label.encode()) + len(record.payload))
            return [record]

        for record in player:
            if not first_ns:
                first_ns = last_ns = record.wall_ns
                findings.run(engine.start(Restored(), _stamp_of(record), force_running=True))
            while record.wall_ns - last_ns >= NS_PER_S:  # time passes for the engine as it did for the recorder
                last_ns += NS_PER_S
                mono_ns = record.mono_ns - (record.wall_ns - last_ns)
                findings.run(engine.handle(Ticked(stamp=Stamp(None, last_ns, mono_ns))))
            for event in replay.events(one_by_one(record)):
                events[type(event).__name__] += 1
                findings.run(engine.handle(event))
        last_ns = max(last_ns, first_ns)
        truncated_at = player.truncated_at
    return {
        "tape": str(tape),
        "from": iso_from_ns(first_ns) if first_ns else None,
        "seconds": (last_ns - first_ns) // NS_PER_S,
        "records": dict(kinds),
        "events": dict(events),
        "unread": replay.unread,
        "truncatedAt": truncated_at,
        **_summary(findings),
    }


def _stamp_of(record: TapeRecord) -> Stamp:
    return Stamp(None, record.wall_ns, record.mono_ns)


def _summary(findings: Findings) -> dict[str, Any]:
    found = sorted(findings.listings.values(), key=lambda listing: listing.detected_at_ns)
    return {
        "listings": [
            {
                "symbol": listing.symbol,
                "kind": str(listing.kind),
                "phase": str(listing.phase),
                "detectedAt": iso_from_ns(listing.detected_at_ns),
            }
            for listing in found
        ]
    }
