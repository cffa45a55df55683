"""Plugs the accounts together: paper always, live in live mode. The only place that asks for the mode."""

from pathlib import Path
from random import Random

import msgspec
import structlog

from mexc_sniper.app.canary_file import find_canary, key_fingerprint
from mexc_sniper.app.listen_key_file import LISTEN_KEY_NAME, ListenKeyFile
from mexc_sniper.app.settings import Settings
from mexc_sniper.core.clock import NS_PER_MS, ClockReader
from mexc_sniper.core.errors import ConfigError
from mexc_sniper.journal import FileJournal, GrantLimits, Recovered
from mexc_sniper.model.account import Account
from mexc_sniper.model.events import Event, KeyChecked, SourceChanged
from mexc_sniper.model.limits import HardCaps
from mexc_sniper.model.market import Stamp
from mexc_sniper.model.order import Order, OrderStatus
from mexc_sniper.model.restored import Restored
from mexc_sniper.ports import Clock, Emit, Offload, OrderGateway
from mexc_sniper.runtime.throttle import Throttle
from mexc_sniper.runtime.trading_parts import TradingParts
from mexc_sniper.venues.mexc.budget import WEIGHT_LIMIT, WeightBudget
from mexc_sniper.venues.mexc.gateway import MexcMarketGateway
from mexc_sniper.venues.mexc.key_check import KeyFault, KeyReport, check_key
from mexc_sniper.venues.mexc.order_gateway import MexcOrderGateway
from mexc_sniper.venues.mexc.signing import Credentials
from mexc_sniper.venues.mexc.wire import PicowsWire
from mexc_sniper.venues.paper.gateway import PaperGateway
from mexc_sniper.venues.paper.options import PaperOptions

log = structlog.get_logger()

LATCH_NAME = "kill.latch"
"""The kill switch's file in the data directory; web, CLI and ``panic`` create it before anything else."""
JOURNAL_NAME = "journal"
KEY_RETRY_S = 5.0
KEY_AGAIN_S = 900.0


class PaperLatency:
    """Teaches the paper venue how long a request really takes: every REST source tells its round trips."""

    def __init__(self, paper: PaperGateway) -> None:
        self._paper = paper

    def see(self, event: Event) -> None:
        """Take a round trip out of a source's figures."""
        if isinstance(event, SourceChanged):
            round_trip_ms = event.figures.get("round_trip_ms")
            if isinstance(round_trip_ms, int | float) and round_trip_ms > 0:
                self._paper.note_round_trip(int(round_trip_ms * NS_PER_MS))


def hard_caps(settings: Settings) -> HardCaps:
    """Return the bounds that no configuration can exceed."""
    return HardCaps(max_trade=settings.hard_caps.max_trade_usdt, max_position=settings.hard_caps.max_position_usdt)


def throttle_of(settings: Settings) -> Throttle:
    """Return one account's order rate limit, full."""
    return Throttle(rate_per_s=settings.orders.per_second, burst=settings.orders.burst)


def open_journal(settings: Settings, clock: ClockReader, restored: Restored) -> FileJournal:
    """Begin a new life in the journal; its number is part of every order id, paper's too.

    Raises:
        ConfigError: another engine has the journal.
        StoreError: it cannot be read or written.
    """
    caps = settings.hard_caps
    limits = None
    if settings.mode == "live":
        limits = GrantLimits(notional_per_entry=caps.max_trade_usdt, notional=caps.max_position_usdt)
    journal = FileJournal(settings.data_dir / JOURNAL_NAME, clock, limits=limits)
    journal.open(minimum_epoch=_greatest_epoch(restored))
    return journal


def with_journaled(restored: Restored, recovered: Recovered, now_ns: int) -> Restored:
    """Add the live orders that the journal knows and the ledger does not: whether they arrived is in doubt.

    When one left is not known, only that it was before now: the proof of absence counts from here.
    """
    known = frozenset(order.intent.client_order_id for order in restored.orders)
    missing = tuple(
        Order(
            intent=intent,
            status=OrderStatus.IN_DOUBT,
            created_ns=intent.decided_ns or now_ns,
            submitted_ns=now_ns,
            doubt_since_ns=now_ns,
            text="found in the journal after an unclean end",
        )
        for intent in recovered.missing_from(known)
        if intent.account is Account.LIVE
    )
    if missing:
        log.warning("orders_found_in_journal", orders=[order.intent.client_order_id for order in missing])
    return msgspec.structs.replace(
        restored,
        orders=(*restored.orders, *missing),
        may_lack_orders=bool(recovered.suspect or recovered.damage or recovered.damaged_before),
    )


def build_trading(
    settings: Settings,
    clock: Clock,
    offload: Offload,
    *,
    market: MexcMarketGateway,
    restored: Restored,
    journal: FileJournal,
    key: KeyReport | None,
) -> TradingParts:
    """Return the accounts with what sends their orders; ``key`` is what `refuse_bad_key` has found.

    Raises:
        ConfigError: live mode without a key, or with one no request can be made of.
    """
    paper = PaperGateway(clock, PaperOptions(), random=Random(), epoch=journal.epoch, restored=restored)  # noqa: S311
    gateways: dict[Account, OrderGateway] = {Account.PAPER: paper}
    live = settings.mode == "live"
    bans = [market.budget.blocked_for_s]
    if live:
        wire = PicowsWire(clock)
        gateways[Account.LIVE] = orders = MexcOrderGateway(
            clock=clock,
            offload=offload,
            wire=wire,
            bytes_wire=wire,
            credentials=credentials_of(settings),
            venue_offset_ns=lambda: market.venue_offset_ns,
            resync_clock=market.resync_clock,
            budget=market.budget,
            rest_url=settings.venue.rest_url,
            ws_url=settings.venue.ws_url,
            listen_keys=ListenKeyFile(settings.data_dir / LISTEN_KEY_NAME),
        )
        bans.append(orders.banned_for_s)
    return TradingParts(
        gateways=gateways,
        throttles={account: throttle_of(settings) for account in gateways},
        watchers=(PaperLatency(paper).see, paper.see),
        helpers=(KeyWatch(settings, clock, offload, market.budget, key).run,) if live else (),
        journal=journal if live else None,
        latch=latch_of(settings.data_dir),
        live=live,
        epoch=journal.epoch,
        prepare=settings.orders.prepare,
        stay_awake=settings.orders.stay_awake,
        banned_for_s=lambda: max(ban() for ban in bans),
        weight_used=lambda: market.budget.weight_used,
    )


async def refuse_bad_key(settings: Settings, clock: Clock, offload: Offload, budget: WeightBudget) -> KeyReport | None:
    """Fail fast on a key that the venue refuses altogether; one that could not be tried is tried again later.

    Returns what was found, so that the first minutes need not ask for it again. None when earlier lives have spent most
    of what the venue allows: what is left is for our orders, and `KeyWatch` asks a little later.

    Raises:
        ConfigError: what is wrong with the key and how to mend it.
    """
    if budget.weight_used > WEIGHT_LIMIT // 2:
        return None
    report = await check_key(
        rest_url=settings.venue.rest_url,
        credentials=credentials_of(settings),
        clock=clock,
        offload=offload,
        budget=budget,
    )
    if report.fault is not None and report.fault is not KeyFault.UNREACHABLE:
        raise ConfigError(f"the venue refuses the key: {' '.join(report.against_arming)}")
    return report


class KeyWatch:
    """Tells what the start has found, tries the key every quarter of an hour, and soon again while it cannot be."""

    def __init__(
        self, settings: Settings, clock: Clock, offload: Offload, budget: WeightBudget, first: KeyReport | None
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._offload = offload
        self._budget = budget
        self._first = first

    async def run(self, emit: Emit) -> None:
        """Emit what was found, until cancelled."""
        credentials = credentials_of(self._settings)
        if self._first is None:
            await self._clock.sleep(KEY_RETRY_S)
        while True:
            report = self._first or await check_key(
                rest_url=self._settings.venue.rest_url,
                credentials=credentials,
                clock=self._clock,
                offload=self._offload,
                budget=self._budget,
            )
            self._first = None
            stamp = Stamp(None, self._clock.wall_ns(), self._clock.mono_ns())
            problems, condemned = report.against_arming, report.condemned
            canary = find_canary(
                self._settings.data_dir, rest_url=self._settings.venue.rest_url, api_key=credentials.api_key
            )
            emit(
                KeyChecked(
                    stamp=stamp,
                    problems=problems,
                    warnings=report.warnings,
                    condemned=condemned,
                    canary_passed_ns=canary.wall_ns if canary is not None and canary.passed else None,
                    uid=report.uid,
                    fingerprint=key_fingerprint(credentials.api_key),
                )
            )
            unknown = report.fault is not None or (problems and not condemned)
            await self._clock.sleep(KEY_RETRY_S if unknown else KEY_AGAIN_S)


def latch_of(data_dir: Path) -> Path:
    """Return where the kill switch's file is."""
    return data_dir / LATCH_NAME


def credentials_of(settings: Settings) -> Credentials:
    """Return the key of live mode.

    Raises:
        ConfigError: it is missing; naming both settings.
    """
    venue = settings.venue
    if venue.api_key is None or venue.api_secret is None:
        raise ConfigError(
            "live mode needs venue.api_key and venue.api_secret (MEXC_SNIPER_VENUE__API_KEY and __API_SECRET, or "
            "their _FILE forms); without them start in dry-run"
        )
    return Credentials(venue.api_key.reveal(), venue.api_secret.reveal())


def _greatest_epoch(restored: Restored) -> int:
    """Return the greatest epoch written into known order ids: a deleted journal must not number a life twice."""
    epochs = [int(order.intent.client_order_id[3:7], 36) for order in restored.orders]
    return max(epochs, default=0)
