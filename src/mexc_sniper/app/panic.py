"""``mexc-sniper panic``: stops at the venue itself, with engine, web process and database dead or absent.

The latch is set by whoever calls this. Here our open orders are canceled, known by their ids, and with ``flatten``
positions are sold. While an engine holds its lock nothing is done unless forced, for two hands at one account trip
over each other; without an engine the lock is held, so that none starts meanwhile.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from mexc_sniper.app.gateway import credentials_of
from mexc_sniper.app.instance import InstanceLock
from mexc_sniper.app.panic_venue import PanicVenue, Sale
from mexc_sniper.app.settings import Settings
from mexc_sniper.core.errors import ConfigError, StoreError
from mexc_sniper.core.values import Symbol
from mexc_sniper.ledger.location import locate
from mexc_sniper.ledger.reader import LedgerReader
from mexc_sniper.model.account import Account
from mexc_sniper.model.position import Position

RECENT_ORDERS = 100
MOST_SYMBOLS = 10
"""Asked one by one where the venue wants a symbol; each costs weight 13 of 300 in ten seconds."""

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class PanicPlan:
    """What is wanted. ``symbols``: sell all of these pairs' coins, whatever the ledger says."""

    flatten: bool = False
    symbols: tuple[str, ...] = ()
    force: bool = False
    latched: bool = False
    actor: str = ""


@dataclass(slots=True)
class PanicReport:
    """What was done. ``problems``: what is left for a person; empty means that all of it worked."""

    latched: bool
    reached_venue: bool = False
    canceled: list[str] = field(default_factory=list)
    sold: list[dict[str, Any]] = field(default_factory=list)
    foreign_orders: int = 0
    problems: list[str] = field(default_factory=list)
    note: str = ""

    @property
    def clean(self) -> bool:
        """Whether nothing is left to do."""
        return self.latched and not self.problems

    def as_json(self) -> dict[str, Any]:
        """Return it for scripts."""
        return {
            "latched": self.latched,
            "reachedVenue": self.reached_venue,
            "canceled": self.canceled,
            "sold": self.sold,
            "foreignOrders": self.foreign_orders,
            "problems": self.problems,
            "note": self.note,
        }

    def sentence(self) -> str:
        """Say it in words."""
        lines = [] if self.latched else ["THE LATCH COULD NOT BE SET: an engine that runs goes on entering."]
        if self.note:
            lines.append(self.note)
        if self.reached_venue:
            lines.append(f"{len(self.canceled)} of our orders were canceled, {len(self.sold)} positions sold.")
        if self.foreign_orders:
            lines.append(f"{self.foreign_orders} open orders are not ours and were left alone.")
        lines += [f"LEFT TO YOU: {problem}" for problem in self.problems]
        return "\n".join(lines)


def run_panic(settings: Settings, plan: PanicPlan, *, may_sell: Callable[[str], bool], tell: Tell) -> PanicReport:
    """Stop at the venue; never raises for what the venue or the ledger does.

    Args:
        settings: loaded for the engine's role; they hold the key.
        plan: what is wanted.
        may_sell: asked once, with every sale in one sentence.
        tell: progress, for a person.

    Raises:
        ConfigError: only one half of the key is set, or an address no order can be sent to.
    """
    report = PanicReport(latched=plan.latched)
    credentials = credentials_of(settings.venue)
    if credentials is None:
        report.note = "No API key is set (venue.api_key), so there is nothing live to cancel; paper positions stay."
        return report
    with _engine_kept_away(settings, plan, report) as may_act:
        if may_act:
            venue = PanicVenue(settings, credentials, tell)
            asyncio.run(_act(venue, settings, plan, report, may_sell, tell))
    return report


@contextmanager
def _engine_kept_away(settings: Settings, plan: PanicPlan, report: PanicReport) -> Iterator[bool]:
    lock = InstanceLock(settings.data_dir, name="engine.lock")
    try:
        lock.acquire()
    except ConfigError as error:
        beside = plan.force and plan.latched
        if not beside:
            report.problems.append(
                f"An engine runs ({error}). It acts on the latch by itself and sells with `mexc-sniper flatten`; if it "
                "hangs, end it, or repeat with --force to act at the venue beside it."
            )
        yield beside
        return
    except OSError as error:
        report.note = f"The data directory cannot be locked ({error.strerror}); no engine can be kept away."
        yield True
        return
    try:
        yield True
    finally:
        lock.release()


async def _act(
    venue: PanicVenue,
    settings: Settings,
    plan: PanicPlan,
    report: PanicReport,
    may_sell: Callable[[str], bool],
    tell: Tell,
) -> None:
    symbols, held = await asyncio.to_thread(_from_ledger, settings, tell)
    asked = tuple(Symbol(symbol) for symbol in plan.symbols)
    async with venue:
        if not await venue.connected():
            report.problems.append(f"{settings.venue.rest_url} could not be reached; cancel and sell at MEXC itself.")
            return
        await venue.cancel_ours((*asked, *symbols), report)
        if plan.flatten:
            await _sell(venue, asked, held, report, may_sell)


async def _sell(
    venue: PanicVenue,
    asked: tuple[Symbol, ...],
    held: tuple[Position, ...],
    report: PanicReport,
    may_sell: Callable[[str], bool],
) -> None:
    wanted = {position.symbol: position.quantity for position in held if position.symbol not in asked}
    sales: list[Sale] = await venue.sales({**wanted, **dict.fromkeys(asked)}, report)
    if not sales:
        if not wanted and not asked:
            report.problems.append(
                "No live position is known here, so nothing was sold; name coins to sell with --symbol."
            )
        return
    words = ", ".join(f"{sale.quantity} {sale.base}" for sale in sales)
    if not await asyncio.to_thread(may_sell, f"Sell at market, with real money: {words}."):
        report.problems.append(f"Not sold, as you said: {words}.")
        return
    for sale in sales:
        await venue.sell(sale, report)


def _from_ledger(settings: Settings, tell: Tell) -> tuple[tuple[Symbol, ...], tuple[Position, ...]]:
    """Read what the ledger knows of live orders and positions; nothing when it cannot be read."""
    reader: LedgerReader | None = None
    try:
        reader = LedgerReader(locate(settings.database.url, settings.data_dir))
        with reader.snapshot() as view:
            orders, _ = view.orders(limit=RECENT_ORDERS)
            positions, _ = view.positions(open_only=True, limit=RECENT_ORDERS)
    except (StoreError, ConfigError) as error:
        tell(f"The ledger cannot be read ({error}); the venue alone is asked.")
        return (), ()
    finally:
        if reader is not None:
            reader.close()
    live = tuple(position for position in positions if position.account is Account.LIVE)
    symbols = [position.symbol for position in live]
    symbols += [order.intent.symbol for order in orders if order.intent.account is Account.LIVE]
    return tuple(dict.fromkeys(symbols))[:MOST_SYMBOLS], live
