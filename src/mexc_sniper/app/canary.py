"""``doctor --canary``: one tiny round trip with real money, approved by the risk manager like any entry (DESIGN 8)."""

import asyncio
from decimal import Decimal

import msgspec

from mexc_sniper.app.canary_file import key_fingerprint, remember_canary, venue_name
from mexc_sniper.app.finding import Finding, Verdict
from mexc_sniper.app.gateway import credentials_of
from mexc_sniper.app.instance import InstanceLock
from mexc_sniper.app.settings import Settings
from mexc_sniper.app.trading import hard_caps
from mexc_sniper.app.venue_by_hand import EPOCH, VenueByHand
from mexc_sniper.core.errors import ConfigError, SniperError
from mexc_sniper.core.precision import above
from mexc_sniper.core.reasons import SENTENCES
from mexc_sniper.core.values import Symbol
from mexc_sniper.model.canary import CanaryResult
from mexc_sniper.model.config import TradeConfig
from mexc_sniper.model.instrument import Instrument
from mexc_sniper.model.limits import Gate
from mexc_sniper.model.market import Book, Stamp
from mexc_sniper.model.order import Approved, OrderIntent
from mexc_sniper.model.trading import Trigger
from mexc_sniper.policy.checks import EntryView, Exposure
from mexc_sniper.policy.risk import approve_reduction, assess
from mexc_sniper.venues.mexc.canary import Canary, CanaryReport
from mexc_sniper.venues.mexc.key_check import check_key
from mexc_sniper.venues.mexc.parse.depth import book_of
from mexc_sniper.venues.mexc.parse.names import tradable_names
from mexc_sniper.venues.mexc.urls import Endpoint

NAME = "canary"
RECORD_FILE = "canary.jsonl"
GATE = Gate(generation=0)
MAX_SLIPPAGE_BPS = 200
MAX_SPREAD_BPS = 200
BOOK_LEVELS = 20
ACCOUNT_PAUSE_S = 1.0
"""The account may be read twice a second (REFERENCE 1.3), and the look at the key has just read it."""


def run_canary(settings: Settings, symbol: str) -> CanaryReport:
    """Buy for little more than the minimum, measure, sell; the result is kept, for arming asks for one that passed.

    The engine must not run meanwhile.

    Raises:
        ConfigError: no key, or an engine uses the data directory.
        SniperError: the key is not fit, the pair cannot be judged, or the result cannot be kept.
    """
    credentials = credentials_of(settings.venue)
    if credentials is None:
        raise ConfigError("the canary needs a key: set venue.api_key and venue.api_secret")
    lock = InstanceLock(settings.data_dir, name="engine.lock")
    lock.acquire()
    try:
        venue = VenueByHand(settings, credentials, RECORD_FILE)
        report = asyncio.run(_sing(settings, venue, Symbol(symbol)))
        result = CanaryResult(
            venue=venue_name(settings.venue.rest_url),
            key=key_fingerprint(credentials.api_key),
            wall_ns=venue.clock.wall_ns(),
            symbol=report.symbol,
            passed=report.passed,
            cost=f"{report.cost.normalize():f}",
            problems=tuple(report.problems),
        )
        remember_canary(settings.data_dir, result)
        return report
    finally:
        lock.release()


def finding_of(report: CanaryReport) -> Finding:
    """Say what the round trip showed."""
    delays = "; ".join(
        f"{leg.side} {leg.status}: answer {_shown(leg.ack_ms)}, readable {_shown(leg.readable_ms)}, "
        f"stream {_shown(leg.stream_fill_ms)}, fees {_fees(leg.fees)}"
        for leg in report.legs
    )
    return Finding(
        name=NAME,
        verdict=Verdict.OK if report.passed else Verdict.FAIL,
        detail=f"{report.symbol} cost {report.cost.normalize():f}; {delays}" if report.legs else "nothing was sent",
        mend=" ".join(report.problems),
    )


async def _sing(settings: Settings, venue: VenueByHand, symbol: Symbol) -> CanaryReport:
    async with venue:
        key = await check_key(
            rest_url=settings.venue.rest_url, credentials=venue.credentials, clock=venue.clock, offload=venue.offload
        )
        if key.against_arming:
            raise SniperError(f"the key is not fit for live trading: {' '.join(key.against_arming)}")
        await venue.clock.sleep(ACCOUNT_PAUSE_S)
        await venue.learn_time()
        rules = await venue.rules(symbol)
        if rules is None:
            raise SniperError(f"{symbol} is not known at the venue: choose another with --symbol")
        free = next((balance.free for balance in key.balances if balance.asset == rules.quote), Decimal(0))
        _, open_to_api = tradable_names((await venue.rest.get(Endpoint.DEFAULT_SYMBOLS)).body)
        book = await _book(venue, symbol)
        denials: list[str] = []

        def approve(intent: OrderIntent) -> Approved | None:
            if intent.role.reduces_risk:
                verdict = approve_reduction(intent, GATE)
            else:
                view = _view(settings, venue, intent, rules, book, free, listed=symbol in open_to_api)
                verdict = assess(view).verdict
            if isinstance(verdict, Approved):
                return verdict
            measured = " of ".join(verdict.measured.values())
            denials.append(f"{SENTENCES[verdict.reason]} ({measured})" if measured else SENTENCES[verdict.reason])
            return None

        canary = Canary(venue.gateway, venue.clock, rules, approve=approve, record=venue.record, epoch=EPOCH)
        report = await canary.run()
        report.problems += denials
        return report


def _view(
    settings: Settings,
    venue: VenueByHand,
    intent: OrderIntent,
    rules: Instrument,
    book: Book,
    free: Decimal,
    *,
    listed: bool,
) -> EntryView:
    config = TradeConfig(take_profit=(), max_slippage_bps=MAX_SLIPPAGE_BPS, max_spread_bps=MAX_SPREAD_BPS)
    return EntryView(
        intent=msgspec.structs.replace(intent, reference_price=book.ask),
        trigger=Trigger.MANUAL,
        config=config,
        caps=hard_caps(settings),
        gate=GATE,
        exposure=Exposure(free_quote=free),
        instrument=rules,
        in_api_list=listed,
        now_ns=venue.clock.wall_ns(),
        book=book,
        cap=None if book.ask is None else above(book.ask, MAX_SLIPPAGE_BPS),
    )


async def _book(venue: VenueByHand, symbol: Symbol) -> Book:
    answer = await venue.rest.get(Endpoint.DEPTH, {"symbol": str(symbol), "limit": str(BOOK_LEVELS)})
    return book_of(answer.body, symbol, Stamp(None, answer.wall_ns, answer.mono_ns))


def _shown(took_ms: float | None) -> str:
    return "never" if took_ms is None else f"{took_ms:.0f} ms"


def _fees(fees: dict[str, Decimal]) -> str:
    return ", ".join(f"{fee.normalize():f} {asset}" for asset, fee in fees.items()) or "none"
