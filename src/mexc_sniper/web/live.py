"""The hub: follows the ledger once and tells every page (DASHBOARD 3.3).

Each event is converted and serialised once; every socket gets the same text. A page is registered first and gets its
snapshot after, so nothing falls between: events at or below the snapshot's number are skipped, the rest follow.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager

import structlog

from mexc_sniper import telemetry
from mexc_sniper.core.clock import NS_PER_S, iso_from_ns
from mexc_sniper.core.errors import StoreError
from mexc_sniper.ledger.reader import LedgerReader
from mexc_sniper.ledger.tail import LedgerTail
from mexc_sniper.ledger.view import LedgerEvent
from mexc_sniper.model import entries
from mexc_sniper.model.commands import CommandResult
from mexc_sniper.model.health import Component
from mexc_sniper.model.position import Position
from mexc_sniper.model.trading import Trade
from mexc_sniper.ports import Clock
from mexc_sniper.web import convert, convert_trading, views
from mexc_sniper.web.frames import entry_of, event_frame
from mexc_sniper.web.page_queue import Page
from mexc_sniper.web.state import Overview, Snapshot
from mexc_sniper.web.store import Store
from mexc_sniper.web.views_trading import PositionMarkView

MAX_PAGES = 64
MAX_POSITIONS = 500
"""Open positions that are valued live, the newest."""
BATCH = 500
TAIL_WAIT_S = 0.5
MARKS_EVERY_S = 0.25
STATE_EVERY_S = 2.0
SNAPSHOT_SHARED_S = 0.5
"""How long pages that come together share one snapshot; health and marks in it move without events."""
RETRY_MAX_S = 2.0

_log = structlog.get_logger()


def _state_at_last_number(reader: LedgerReader) -> tuple[int, list[Component], list[Position]]:
    with reader.snapshot() as view:
        positions, _ = view.positions(open_only=True, limit=MAX_POSITIONS)
        return view.last_seq(), view.components(), positions


class Outcome:
    """What the ledger has said so far about the trade a command led to; the latest wins."""

    def __init__(self) -> None:
        self.trade: Trade | None = None
        self.news = asyncio.Event()

    def tell(self, trade: Trade) -> None:
        """Take over a newer state and wake who waits."""
        self.trade = trade
        self.news.set()


class Hub:
    """Follows the ledger's events and live figures for all pages of this process."""

    def __init__(self, store: Store, tail: LedgerTail, overview: Overview, clock: Clock) -> None:
        self._store = store
        self._tail = tail
        self._overview = overview
        self._clock = clock
        self._pages: set[Page] = set()
        self._answers: dict[str, set[asyncio.Future[CommandResult]]] = {}
        self._outcomes: dict[str, set[Outcome]] = {}
        self.components: dict[str, Component] = {}
        self._marks: dict[str, views.MarkView] = {}
        self._positions: dict[str, Position] = {}
        self._snapshot_lock = asyncio.Lock()
        self._snapshot: tuple[str, int] | None = None
        self._snapshot_ns = 0
        self._news = asyncio.Event()
        self._state_told_ns = 0
        self.streams = 0
        self.seq = 0
        self.engine_alive = False

    @property
    def full(self) -> bool:
        """Whether no further page may come in."""
        return len(self._pages) >= MAX_PAGES

    @contextmanager
    def page(self) -> Iterator[Page]:
        """Register a page for as long as the block lasts."""
        page = Page()
        self._pages.add(page)
        telemetry.LIVE_PAGES.set(len(self._pages))
        try:
            yield page
        finally:
            self._pages.discard(page)
            telemetry.LIVE_PAGES.set(len(self._pages))

    async def snapshot(self) -> tuple[str, int]:
        """Return a snapshot's text and number; pages that come together share one."""
        async with self._snapshot_lock:
            fresh = self._clock.mono_ns() - self._snapshot_ns < SNAPSHOT_SHARED_S * NS_PER_S
            if fresh and self._snapshot is not None and self._snapshot[1] >= self.seq:
                return self._snapshot
            read: Snapshot = await self._overview.snapshot()
            self.components.update(read.components)
            self._snapshot_ns = self._clock.mono_ns()
            self._snapshot = (read.frame.model_dump_json(), read.frame.seq)
            return self._snapshot

    @contextmanager
    def expecting(self, command_id: str) -> Iterator[asyncio.Future[CommandResult]]:
        """Wait for the engine's answer to a command; register before reading whether it is there already."""
        future: asyncio.Future[CommandResult] = asyncio.get_running_loop().create_future()
        self._answers.setdefault(command_id, set()).add(future)
        try:
            yield future
        finally:
            future.cancel()
            waiting = self._answers[command_id]
            waiting.discard(future)
            if not waiting:
                del self._answers[command_id]

    @contextmanager
    def following(self, command_id: str) -> Iterator[Outcome]:
        """Follow the trade a command leads to, for as long as the block lasts."""
        outcome = Outcome()
        self._outcomes.setdefault(command_id, set()).add(outcome)
        try:
            yield outcome
        finally:
            waiting = self._outcomes[command_id]
            waiting.discard(outcome)
            if not waiting:
                del self._outcomes[command_id]

    @property
    def news(self) -> asyncio.Event:
        """Set at the next event; take it before reading what there is, so that nothing falls between."""
        return self._news

    async def run(self) -> None:
        """Follow the ledger until cancelled; a ledger that cannot be read is tried again, not given up."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._keep(self._follow_events, "events"))
            group.create_task(self._keep(self._follow_figures, "figures"))

    async def _keep(self, follow: Callable[[], Awaitable[None]], what: str) -> None:
        wait_s = 0.0
        while True:
            try:
                await follow()
            except StoreError as error:
                if not wait_s:
                    _log.warning("live_ledger_unreadable", what=what, error=str(error))
                wait_s = min(RETRY_MAX_S, wait_s * 2 or 0.1)
                await self._clock.sleep(wait_s)
                continue
            if wait_s:
                _log.info("live_ledger_readable_again", what=what)
                wait_s = 0.0

    async def _follow_events(self) -> None:
        """Bring every page up to date, then wait for the next commit."""
        while events := await self._store.read(lambda reader: reader.events(self.seq, BATCH)):
            if events[0].seq != self.seq + 1:
                break
            self._tell(events)
        else:
            last = await self._store.read(lambda reader: reader.last_seq())
            if last >= self.seq:
                await self._tail.wait(TAIL_WAIT_S)
                return
        await self._start_over()

    async def _start_over(self) -> None:
        """The numbers do not follow on (first read, retention, a restored ledger): everyone takes a new snapshot."""
        last, components, positions = await self._store.read(_state_at_last_number)
        if self.seq:
            _log.warning("live_numbers_broken", had=self.seq, found=last)
        self.seq = last
        self.components = {part.name: part for part in components}
        self._positions = {position.id: position for position in positions}
        self._resync()

    def _resync(self) -> None:
        self._snapshot = None
        for page in self._pages:
            page.restart()
        self._ring()

    def _tell(self, events: Sequence[LedgerEvent]) -> None:
        for event in events:
            self.seq = event.seq
            frame = self._frame(event)
            if frame is None:
                self._resync()
                continue
            text = frame.model_dump_json()
            for page in self._pages:
                page.offer(event.seq, text)
        self._ring()

    def _ring(self) -> None:
        self._news.set()
        self._news = asyncio.Event()

    def _frame(self, event: LedgerEvent) -> views.EventFrame | None:
        entry = entry_of(event)
        if entry is None:
            return None
        if isinstance(entry, entries.ComponentChanged):
            self.components[entry.component.name] = entry.component
        elif isinstance(entry, entries.CommandFinished):
            for future in self._answers.get(entry.result.id, ()):
                if not future.done():
                    future.set_result(entry.result)
        elif isinstance(entry, entries.PositionChanged):
            self._hold(entry.position)
        elif isinstance(entry, entries.TradeChanged) and entry.trade.command_id is not None:
            for outcome in self._outcomes.get(entry.trade.command_id, ()):
                outcome.tell(entry.trade)
        return event_frame(event, entry, self.components.values(), self._marks)

    def _hold(self, position: Position) -> None:
        if position.closed:
            self._positions.pop(position.id, None)
        else:
            self._positions[position.id] = position

    async def _follow_figures(self) -> None:
        """Four times a second, while somebody looks, tell what changed among the marks and the figures."""
        await self._clock.sleep(MARKS_EVERY_S)
        if not self._pages:
            self._marks = {}
            return
        figures = await self._store.figures()
        self.engine_alive = self._overview.life_from(figures).alive
        marks = convert.mark_views(figures, self._clock.wall_ns())
        changed = [mark for symbol, mark in marks.items() if self._marks.get(symbol) != mark]
        self._marks = marks
        if changed:
            self._tell_unnumbered(views.MarksFrame(marks=changed, positions=self._valued(changed)))
        await self._tell_state()

    def _valued(self, changed: Sequence[views.MarkView]) -> list[PositionMarkView]:
        """Value the open positions whose price moved."""
        prices = {mark.symbol: convert_trading.price_of(mark) for mark in changed}
        return [
            convert_trading.position_mark(position, price)
            for position in self._positions.values()
            if (price := prices.get(position.symbol)) is not None
        ]

    async def _tell_state(self) -> None:
        """Component figures and the monitor's clock move without events; pages get them every two seconds."""
        now_ns = self._clock.mono_ns()
        if now_ns - self._state_told_ns < STATE_EVERY_S * NS_PER_S:
            return
        self._state_told_ns = now_ns
        status = await self._overview.status()
        self.components.update(status.components)
        self._tell_unnumbered(status.frame)

    def _tell_unnumbered(self, frame: views.MarksFrame | views.StatusFrame) -> None:
        text = frame.model_dump_json()
        for page in self._pages:
            page.offer(None, text)

    def beat(self, seq: int) -> str:
        """The text that breaks a silence; ``seq`` is the number the page has."""
        return views.BeatFrame(
            seq=seq, server_time=iso_from_ns(self._clock.wall_ns()), engine_alive=self.engine_alive
        ).model_dump_json()
