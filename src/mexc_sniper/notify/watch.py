"""What no event tells: that the engine is gone, and how the day was."""

from dataclasses import dataclass
from decimal import Decimal

import msgspec

from mexc_sniper.core.clock import NS_PER_S, ClockReader, iso_from_ns
from mexc_sniper.ledger.live import LiveStore
from mexc_sniper.ledger.reader import LedgerReader
from mexc_sniper.model.account import Account
from mexc_sniper.model.listing import ListingKind
from mexc_sniper.model.position import Position
from mexc_sniper.notify.catalogue import Event
from mexc_sniper.notify.compose import Message, mode, money
from mexc_sniper.notify.words import harmless

GONE_AFTER_S = 10.0
"""Age of the engine's heartbeat above which it counts as gone."""
AT_FIRST_S = 60.0
"""A start may take so long before a missing engine is told."""
AGAIN_S = 900.0
"""Live positions without protection are told again as long as they are."""
DAY_NS = 86_400 * NS_PER_S
DAILY_AFTER_NS = 300 * NS_PER_S
"""The day's summary is made five minutes after midnight UTC."""
NAMED = 10
"""Symbols named in one message."""
_LISTINGS_A_DAY = 2_000


class _Heartbeat(msgspec.Struct):
    wall_ns: int


@dataclass(frozen=True, slots=True)
class EngineSeen:
    """The engine's last sign of life (wall, UNIX ns; None: never) and whether it counts as alive."""

    last_ns: int | None
    alive: bool


class EngineWatch:
    """Tells once when the engine goes and when it comes back, and again while live positions lie open meanwhile.

    Synchronous; every method may raise `StoreError`.
    """

    def __init__(self, reader: LedgerReader, figures: LiveStore, clock: ClockReader) -> None:
        self._reader = reader
        self._figures = figures
        self._clock = clock
        self._began_ns = clock.wall_ns()
        self._gone_since_ns: int | None = None
        self._told_ns = 0

    def seen(self) -> EngineSeen:
        """Read the heartbeat."""
        written = self._figures.get_all().get("heartbeat")
        if written is None:
            return EngineSeen(None, alive=False)
        try:
            last_ns = msgspec.json.decode(written[0], type=_Heartbeat).wall_ns
        except msgspec.MsgspecError:
            return EngineSeen(None, alive=False)
        return EngineSeen(last_ns, alive=abs(self._clock.wall_ns() - last_ns) <= GONE_AFTER_S * NS_PER_S)

    def look(self) -> Message | None:
        """Return what is to be told now, if anything."""
        seen, now_ns = self.seen(), self._clock.wall_ns()
        if seen.alive:
            gone_ns, self._gone_since_ns = self._gone_since_ns, None
            if gone_ns is None:
                return None
            return Message(Event.ENGINE_GONE, f"The engine is back after {(now_ns - gone_ns) // NS_PER_S:,} s.")
        if self._gone_since_ns is None:
            if now_ns - self._began_ns < AT_FIRST_S * NS_PER_S:
                return None
            self._gone_since_ns = seen.last_ns or self._began_ns
        elif now_ns - self._told_ns < AGAIN_S * NS_PER_S or not self.live_positions():
            return None
        self._told_ns = now_ns
        return Message(Event.ENGINE_GONE, self._alarm(self._gone_since_ns))

    def live_positions(self) -> list[Position]:
        """Return the open positions of the live account."""
        held, _ = self._reader.positions(open_only=True, limit=500)
        return [position for position in held if position.account is Account.LIVE]

    def _alarm(self, since_ns: int) -> str:
        since = iso_from_ns(since_ns)
        held = self.live_positions()
        if not held:
            return f"The engine is gone since {since}. No live position is open. `mexc-sniper run` starts it."
        return (
            f"UNPROTECTED since {since}: the engine is gone and {len(held)} LIVE position(s) are open without "
            f"stop-loss and exits: {named(held)}. Start it, or sell in MEXC's app."
        )


def named(positions: list[Position]) -> str:
    """Name the symbols of positions, harmless."""
    symbols = [harmless(position.symbol) for position in positions[:NAMED]]
    more = len(positions) - len(symbols)
    return ", ".join(symbols) + (f" and {more} more" if more > 0 else "")


def day_of(wall_ns: int) -> int:
    """Return the number of a UTC day, whose summary is due once five minutes of the next one have passed."""
    return (wall_ns - DAILY_AFTER_NS) // DAY_NS


def summary(reader: LedgerReader, day: int) -> Message:
    """Sum up one UTC day (its number since 1970), with the head of the audit chain.

    Raises:
        StoreError: the ledger cannot be read.
    """
    begin_ns, end_ns = day * DAY_NS, (day + 1) * DAY_NS
    with reader.snapshot() as view:
        seen, _ = view.listings(limit=_LISTINGS_A_DAY, since_ns=begin_ns)
        realized = [(whose, pnl) for whose, at_ns, pnl in view.realized(begin_ns) if at_ns < end_ns]
        held, held_in_all = view.positions(open_only=True, limit=500)
        waiting = view.attention()
        head = view.audit_head()
    new = [row for row in seen if row.detected_at_ns < end_ns and row.kind is ListingKind.NEW]
    lines = [f"{iso_from_ns(begin_ns)[:10]}: {len(new)} new listing(s)."]
    for account in (Account.LIVE, Account.PAPER):
        results = [pnl for whose, pnl in realized if whose is account]
        if results:
            total = sum(results, Decimal(0))
            lines.append(
                f"{mode(account)}: {len(results)} position(s) closed, result {'+' if total > 0 else ''}{money(total)}."
            )
    live = sum(position.account is Account.LIVE for position in held)
    lines.append(f"Open positions: {live} live, {held_in_all - live} dry-run. Needs you: {len(waiting)}.")
    lines.append(f"Audit chain: row {head.number}, {head.hash}")
    return Message(Event.DAILY, "\n".join(lines))
