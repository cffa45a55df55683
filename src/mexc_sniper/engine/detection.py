"""From what the sources say to signals: which name, row, flag, quote or trade is news.

Every source's first answer is learned silently (a first start finds 2,000 symbols and no listing); from then on a
name is news once, because the baseline remembers it. Absence is believed only after several complete answers, so
two servers of the venue that disagree make no news (FIELD 7, traps 1 and 2).
"""

from collections.abc import Iterable

from mexc_sniper.core.clock import NS_PER_S
from mexc_sniper.core.values import Asset, Symbol
from mexc_sniper.engine.listings import Listings
from mexc_sniper.engine.state import Absence, EngineState
from mexc_sniper.engine.turn import Turn
from mexc_sniper.model.events import (
    AnnouncementsRead,
    CandlesRead,
    InstrumentsRead,
    MiniTickersSeen,
    OfflineRead,
    QuoteSeen,
    SourceName,
    TradableNamesRead,
    TradesSeen,
    WebSymbolsRead,
)
from mexc_sniper.model.instrument import Instrument, InstrumentStatus
from mexc_sniper.model.listing import KnownSymbol, Phase, SignalKind, WebSymbol
from mexc_sniper.model.market import Stamp
from mexc_sniper.policy.lifecycle import reschedule

GAP_NS = 30 * NS_PER_S
"""A source that was silent for longer than this may have missed an opening."""
ABSENT_ANSWERS = 5
ABSENT_NS = 60 * NS_PER_S
"""A symbol is gone after this many complete answers without it, over at least this time."""
TICKERS_LEARN_NS = 30 * NS_PER_S
"""Whether one miniTickers frame holds every pair is not documented (REFERENCE 2.3): names are learned this long."""
ASSUMED_QUOTE = Asset("USDT")
"""Calendar and announcements name a coin, not a pair; USDT in practice (REFERENCE 3.3)."""

_TRADABLE_SIGNAL = {
    SourceName.DEFAULT_SYMBOLS: SignalKind.DEFAULT_SYMBOLS,
    SourceName.SELF_SYMBOLS: SignalKind.SELF_SYMBOLS,
}


class Detection:
    """Handlers of everything the sources say, the calendar excepted."""

    def __init__(self, state: EngineState, listings: Listings) -> None:
        self._state = state
        self._listings = listings

    # ------------------------------------------------------------------ exchangeInfo

    def instruments(self, turn: Turn, event: InstrumentsRead) -> None:
        """Compare a complete exchangeInfo answer with what is known."""
        source = SourceName.EXCHANGE_INFO
        silent = source not in self._state.learned
        unseen_until_ns, after_gap = self._last_look(turn, source)
        for row in sorted(event.changed, key=self._quote_first):
            self._state.instruments[row.symbol] = row
            self._row(turn, row, silent=silent, unseen_until_ns=unseen_until_ns, after_gap=after_gap)
        if event.names != self._state.listed_names or self._state.absent:
            self._note_absence(turn, event.names)
            self._state.listed_names = event.names
        self._answered(turn, source)

    def rules_only(self, event: InstrumentsRead) -> None:
        """Take over the rules without looking for news."""
        for row in event.changed:
            self._state.instruments[row.symbol] = row

    def _row(self, turn: Turn, row: Instrument, *, silent: bool, unseen_until_ns: int, after_gap: bool) -> None:
        baseline, symbol = self._state.baseline, row.symbol
        known = baseline.get(symbol)
        fresh = known is None or not known.in_exchange_info
        opens_later = row.first_open_time_ns is not None and row.first_open_time_ns > turn.venue_now_ns
        news = (fresh and not silent) or (fresh and opens_later)
        if news and symbol not in self._state.active:
            self._listings.begin(
                turn,
                symbol,
                SignalKind.EXCHANGE_INFO_ROW,
                unseen_until_ns=unseen_until_ns,
                after_gap=after_gap and not opens_later,
            )
        was_open = known is not None and _api_open(known)
        self._learn_row(row, turn.now_ns)
        if symbol not in self._state.active:
            if not was_open and not silent and _api_open(baseline.get(symbol)):
                self._api_opened(turn, symbol, unseen_until_ns=unseen_until_ns, after_gap=after_gap)
            return
        self._listings.describe(turn, symbol, row)
        if opens_later and self._state.active[symbol].scheduled_for_ns is None:
            turn.put(reschedule(self._state.active[symbol], row.first_open_time_ns, noted_at_ns=turn.now_ns))
        if fresh:
            self._listings.hear(turn, symbol, SignalKind.EXCHANGE_INFO_ROW, evidence=_row_text(row))
        else:
            self._listings.judge(turn, symbol)
            self._listings.decide(turn, symbol)
        if not was_open and _api_open(baseline.get(symbol)):
            self._listings.hear(turn, symbol, SignalKind.API_OPENED, evidence="API trading allowed")

    def _learn_row(self, row: Instrument, now_ns: int) -> None:
        baseline = self._state.baseline
        known = baseline.get(row.symbol) or KnownSymbol(
            symbol=row.symbol, base=row.base, quote=row.quote, first_seen_ns=now_ns
        )
        baseline.learn(known)
        baseline.update(
            row.symbol,
            base=row.base,
            quote=row.quote,
            contract_address=row.contract_address or known.contract_address,
            first_open_time_ns=row.first_open_time_ns or known.first_open_time_ns,
            in_exchange_info=True,
            absent_since_ns=None,
            # Sticky: two servers that disagree about the flag must not open a symbol twice.
            api_trading=known.api_trading or (row.api_trading and row.status is InstrumentStatus.ONLINE),
        )

    def _note_absence(self, turn: Turn, names: frozenset[Symbol]) -> None:
        absent = self._state.absent
        for symbol in tuple(absent):
            if symbol in names:
                del absent[symbol]
        gone = sorted(self._state.listed_names - names)
        for symbol in (*absent, *(s for s in gone if s not in absent)):
            seen = absent.setdefault(symbol, Absence(0, turn.now_ns))
            seen.answers += 1
            if seen.answers >= ABSENT_ANSWERS and turn.now_ns - seen.since_ns >= ABSENT_NS:
                del absent[symbol]
                self._state.baseline.update(
                    symbol,
                    absent_since_ns=seen.since_ns,
                    in_exchange_info=False,
                    in_default_symbols=False,
                    api_trading=False,
                )
                turn.note("symbol_gone", symbol=symbol)

    # ------------------------------------------------------------------ defaultSymbols, selfSymbols

    def tradable_names(self, turn: Turn, event: TradableNamesRead) -> None:
        """Compare a complete list of API-tradable names with the one before."""
        state, source = self._state, event.source
        before = state.default_names if source is SourceName.DEFAULT_SYMBOLS else state.self_names
        new = sorted(event.names - before)
        silent = source not in state.learned
        unseen_until_ns, after_gap = self._last_look(turn, source)
        for symbol in new:
            self._tradable(turn, source, symbol, silent=silent, unseen_until_ns=unseen_until_ns, after_gap=after_gap)
        if source is SourceName.DEFAULT_SYMBOLS:
            state.default_names = event.names
        else:
            state.self_names = event.names
        self._answered(turn, source)

    def _tradable(
        self, turn: Turn, source: SourceName, symbol: Symbol, *, silent: bool, unseen_until_ns: int, after_gap: bool
    ) -> None:
        state, kind = self._state, _TRADABLE_SIGNAL[source]
        known = state.baseline.get(symbol)
        if known is not None and known.in_default_symbols and symbol not in state.active:
            return  # a server that had forgotten it for a moment
        was_open = known is not None and _api_open(known)
        unknown = known is None or not (known.in_exchange_info or known.in_default_symbols)
        if unknown and not silent and symbol not in state.active:
            self._listings.begin(turn, symbol, kind, unseen_until_ns=unseen_until_ns, after_gap=after_gap)
        if symbol not in state.baseline:
            state.baseline.learn(KnownSymbol(symbol=symbol, base=Asset(""), quote=Asset(""), first_seen_ns=turn.now_ns))
        state.baseline.update(symbol, in_default_symbols=True)
        opened = not was_open and _api_open(state.baseline.get(symbol))
        if symbol in state.active:
            self._listings.hear(turn, symbol, kind, evidence=f"named in {source}")
            if opened:
                self._listings.hear(turn, symbol, SignalKind.API_OPENED, evidence="API trading allowed")
        elif opened and not silent:
            self._api_opened(turn, symbol, unseen_until_ns=unseen_until_ns, after_gap=after_gap)

    def _api_opened(self, turn: Turn, symbol: Symbol, *, unseen_until_ns: int, after_gap: bool) -> None:
        """Open an episode for a pair that was in the lists, closed, and can now be traded."""
        row = self._state.instruments.get(symbol)
        self._listings.begin(turn, symbol, SignalKind.API_OPENED, unseen_until_ns=unseen_until_ns, after_gap=after_gap)
        if row is not None:
            self._listings.describe(turn, symbol, row)
        self._listings.hear(turn, symbol, SignalKind.API_OPENED, evidence="API trading allowed")

    # ------------------------------------------------------------------ stream

    def mini_tickers(self, turn: Turn, event: MiniTickersSeen) -> None:
        """Look for names nobody knew before in the all-symbols ticker."""
        state, source = self._state, SourceName.STREAM
        if SourceName.EXCHANGE_INFO not in state.learned:
            return
        since_ns = state.learned.setdefault(source, turn.now_ns)
        silent = turn.now_ns - since_ns < TICKERS_LEARN_NS
        unseen_until_ns, after_gap = self._last_look(turn, source)
        for ticker in event.tickers:
            symbol = ticker.symbol
            if symbol in state.active:
                self._listings.hear(turn, symbol, SignalKind.MINI_TICKERS, evidence=f"price {ticker.price}")
            elif symbol in state.baseline:
                continue
            elif silent:
                state.baseline.learn(
                    KnownSymbol(symbol=symbol, base=Asset(""), quote=Asset(""), first_seen_ns=turn.now_ns)
                )
            else:
                self._listings.begin(
                    turn, symbol, SignalKind.MINI_TICKERS, unseen_until_ns=unseen_until_ns, after_gap=after_gap
                )
                self._listings.hear(turn, symbol, SignalKind.MINI_TICKERS, evidence=f"price {ticker.price}")
        state.answered_ns[source] = turn.now_ns

    def quote(self, turn: Turn, event: QuoteSeen) -> None:
        """Take the first quote with an offer of a listing that is not open yet."""
        symbol = event.quote.symbol
        listing = self._state.active.get(symbol)
        if listing is None or event.quote.ask is None:
            return
        if listing.first_quote_at_ns is not None and listing.phase is Phase.OPEN:
            return
        if listing.first_quote_at_ns is None:
            bid = event.quote.bid if event.quote.bid is not None else "none"
            self._listings.hear(
                turn, symbol, SignalKind.FIRST_QUOTE, evidence=f"bid {bid}, ask {event.quote.ask}", stamp=event.stamp
            )
        else:
            self._listings.quote_again(turn, symbol, event.stamp)

    def trades(self, turn: Turn, event: TradesSeen) -> None:
        """Take the first trade of a listing."""
        listing = self._state.active.get(event.symbol)
        if listing is None or listing.first_trade_at_ns is not None or not event.trades:
            return
        first = event.trades[0]
        stamp = Stamp(first.ts_event_ns, event.stamp.ts_recv_ns, event.stamp.mono_ns)
        self._listings.hear(
            turn,
            event.symbol,
            SignalKind.FIRST_TRADE,
            evidence=f"{first.side} {first.quantity} at {first.price}",
            stamp=stamp,
        )

    # ------------------------------------------------------------------ the rest

    def web_symbols(self, turn: Turn, event: WebSymbolsRead) -> None:
        """Compare the web's symbol table (unofficial) with what is known."""
        source = SourceName.WEB_SYMBOLS
        silent = source not in self._state.learned
        unseen_until_ns, after_gap = self._last_look(turn, source)
        for row in event.changed:
            self._web_row(turn, row, silent=silent, unseen_until_ns=unseen_until_ns, after_gap=after_gap)
        self._answered(turn, source)

    def _web_row(self, turn: Turn, row: WebSymbol, *, silent: bool, unseen_until_ns: int, after_gap: bool) -> None:
        state = self._state
        symbol = Symbol(f"{row.base}{row.quote}")
        ahead = row.opens_at_ns is not None and row.opens_at_ns > turn.venue_now_ns
        known = state.baseline.get(symbol)
        if known is None and silent and not ahead:
            state.baseline.learn(KnownSymbol(symbol=symbol, base=row.base, quote=row.quote, first_seen_ns=turn.now_ns))
        elif known is None and symbol not in state.active:
            self._listings.begin(
                turn,
                symbol,
                SignalKind.WEB_SYMBOL,
                unseen_until_ns=unseen_until_ns,
                after_gap=after_gap and not ahead,
                base=row.base,
                quote=row.quote,
                full_name=row.full_name,
            )
        state.baseline.update(symbol, coin_id=row.coin_id)
        if symbol in state.active:
            self._listings.identify(turn, symbol, coin_id=row.coin_id, contract_address=row.contract_address)
            if ahead:
                turn.put(reschedule(state.active[symbol], row.opens_at_ns, noted_at_ns=turn.now_ns))
            self._listings.hear(
                turn, symbol, SignalKind.WEB_SYMBOL, evidence=f"web symbol, codes {row.status_codes or 'none'}"
            )

    def announcements(self, turn: Turn, event: AnnouncementsRead) -> None:
        """Follow coins named in listing posts that are younger than our last look."""
        source = SourceName.ANNOUNCEMENTS
        silent = source not in self._state.learned
        unseen_until_ns, _ = self._last_look(turn, source)
        for post in event.posts:
            if silent or post.posted_at_ns is None or post.posted_at_ns < unseen_until_ns - GAP_NS:
                continue
            for asset in post.assets:
                symbol = Symbol(f"{asset}{ASSUMED_QUOTE}")
                known = self._state.baseline.get(symbol)
                if symbol not in self._state.active:
                    if known is not None:
                        continue
                    self._listings.begin(
                        turn,
                        symbol,
                        SignalKind.ANNOUNCEMENT,
                        unseen_until_ns=turn.now_ns,
                        after_gap=False,
                        base=asset,
                        quote=ASSUMED_QUOTE,
                    )
                stamp = Stamp(post.posted_at_ns, turn.stamp.ts_recv_ns, turn.stamp.mono_ns)
                self._listings.hear(turn, symbol, SignalKind.ANNOUNCEMENT, evidence=post.title[:200], stamp=stamp)
        self._answered(turn, source)

    def offline(self, turn: Turn, event: OfflineRead) -> None:
        """Note on the timeline of active listings that the venue suspended or delisted them."""
        for row in event.changed:
            if row.symbol in self._state.active:
                word = {2: "suspended", 3: "delisted"}.get(row.state, f"state {row.state}")
                self._listings.hear(turn, row.symbol, SignalKind.OFFLINE, evidence=word)

    def candles(self, turn: Turn, event: CandlesRead) -> None:
        """Take the answer of an age probe as proof."""
        evidence = self._state.evidence.get(event.symbol)
        if evidence is None:
            return
        evidence.probing = False
        if event.error:
            evidence.probe_failed = True
            turn.note("age_probe_failed", symbol=event.symbol, error=event.error)
        else:
            evidence.candles = event.candles
            text = f"{len(event.candles)} candles" if event.candles else "no candle yet"
            self._listings.hear(turn, event.symbol, SignalKind.CANDLES, evidence=text)
        self._listings.judge(turn, event.symbol)
        self._listings.decide(turn, event.symbol)

    # ------------------------------------------------------------------ shared

    def _last_look(self, turn: Turn, source: SourceName) -> tuple[int, bool]:
        """Return when this source last proved absence, and whether that is long enough ago to have missed much."""
        before_ns = self._state.answered_ns.get(source)
        if before_ns is None:
            return self._state.last_life_ns or turn.now_ns, True
        return before_ns, turn.now_ns - before_ns > GAP_NS

    def _answered(self, turn: Turn, source: SourceName) -> None:
        self._state.learned.setdefault(source, turn.now_ns)
        self._state.answered_ns[source] = turn.now_ns

    def _quote_first(self, row: Instrument) -> tuple[int, str]:
        quotes: Iterable[str] = self._state.config.config.quote_assets
        preference = {quote: rank for rank, quote in enumerate(quotes)}
        return preference.get(row.quote, len(preference)), row.symbol


def _api_open(known: KnownSymbol | None) -> bool:
    """Tell whether an ordinary key could trade it: flag and membership together (REFERENCE 3.4)."""
    return known is not None and known.api_trading and known.in_default_symbols


def _row_text(row: Instrument) -> str:
    flag = "API trading allowed" if row.api_trading else "API trading not allowed yet"
    return f"status {row.status}, {flag}"
