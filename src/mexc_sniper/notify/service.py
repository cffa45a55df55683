"""The notifier: follows the ledger for every channel, watches the engine, and says that it runs."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import aiohttp
import structlog

from mexc_sniper.core.errors import StoreError
from mexc_sniper.ledger.channels import ChannelState, ChannelStore, TestAnswer
from mexc_sniper.ledger.live import LiveStore
from mexc_sniper.ledger.location import LedgerLocation
from mexc_sniper.ledger.reader import LedgerReader
from mexc_sniper.ledger.tail import LedgerTail
from mexc_sniper.notify.channel import Sender
from mexc_sniper.notify.compose import Message
from mexc_sniper.notify.lane import Lane, Outlet
from mexc_sniper.notify.quiet import is_quiet
from mexc_sniper.notify.watch import EngineWatch, day_of, named, summary
from mexc_sniper.ports import Clock

LOOK_S = 1.0
"""Between two looks at the operator's choices and at the engine."""
BEAT_S = 10.0
TAIL_POLL_S = 0.2
RETRY_S = 2.0
PARTING_S = 5.0
WAITING_ALARMS = 20
OUTSIDE = "outside-heartbeat"
"""The row that tells how the outside heartbeat does; no channel can have a hyphen in its name."""
_OUTSIDE_DEADLINE_S = 10.0

_log = structlog.get_logger()


class Notifier:
    """Everything of the notifier's process. Holds no secret of the venue and writes nothing but its own rows."""

    def __init__(
        self,
        location: LedgerLocation,
        senders: Sequence[Sender],
        clock: Clock,
        *,
        clean: Callable[[str], str],
        title: str = "mexc-sniper",
        heartbeat_url: str | None = None,
        heartbeat_s: float = 60.0,
    ) -> None:
        """Do no I/O. ``clean`` takes secrets out of what a service answered; ``title`` heads every message."""
        self._reader = LedgerReader(location)
        self._store = ChannelStore(location)
        self._figures = LiveStore(location)
        self._tail = LedgerTail(location, poll_s=TAIL_POLL_S)
        self._clock = clock
        self._clean = clean
        self._outlets = [Outlet(sender, self._store, clock, clean, title) for sender in senders]
        self._alarms: dict[str, asyncio.Queue[Message]] = {
            outlet.name: asyncio.Queue(WAITING_ALARMS) for outlet in self._outlets
        }
        self._watch = EngineWatch(self._reader, self._figures, clock)
        self._heartbeat_url = heartbeat_url
        self._heartbeat_s = heartbeat_s
        self._news = asyncio.Event()
        self._answered: dict[str, str] = {}

    async def run(self, stop: asyncio.Event) -> None:
        """Run until told to stop; a database that does not answer is waited for.

        Raises:
            ExceptionGroup: a fault of ours; the supervisor starts the process anew.
        """
        stopping = asyncio.create_task(stop.wait())
        working = asyncio.create_task(self._work())
        try:
            await asyncio.wait({stopping, working}, return_when=asyncio.FIRST_COMPLETED)
            if working.done():
                working.result()
        finally:
            stopping.cancel()
            working.cancel()
            await asyncio.gather(stopping, working, return_exceptions=True)
            await self._part()
            await self._tail.aclose()
            self._figures.close_reader()
            self._reader.close()
            self._store.close()
            for outlet in self._outlets:
                outlet.close()

    async def _work(self) -> None:
        await self._patiently(self._begin)
        async with asyncio.TaskGroup() as group:
            for outlet in self._outlets:
                for urgent in (True, False):
                    lane = Lane(outlet, self._reader, self._store, self._clock, urgent=urgent)
                    group.create_task(self._follow(lane))
                group.create_task(self._tell_alarms(outlet))
                group.create_task(self._forever(self._daily(outlet), 30.0))
            group.create_task(self._wake())
            group.create_task(self._forever(self._obey, LOOK_S))
            group.create_task(self._forever(self._look_after_the_engine, LOOK_S))
            group.create_task(self._forever(self._beat, BEAT_S))
            if self._heartbeat_url is not None:
                group.create_task(self._forever(self._beat_outside, self._heartbeat_s))

    async def _begin(self) -> None:
        kinds = {outlet.name: outlet.sender.kind for outlet in self._outlets}
        if self._heartbeat_url is not None:
            kinds[OUTSIDE] = "heartbeat"
        await asyncio.to_thread(self._store.register, kinds)
        known = {channel.id: channel for channel in await asyncio.to_thread(self._store.channels)}
        for outlet in self._outlets:
            found = known.get(outlet.name)
            if found is not None:
                outlet.begin(found.state, found.choices)
        for channel in known.values():
            self._answered[channel.id] = channel.test_asked or ""  # asked of an earlier life; nobody waits any more
        await self._beat()
        _log.info("notifier_started", channels=sorted(kinds))

    async def _follow(self, lane: Lane) -> None:
        await self._patiently(lane.start)
        while True:
            news = self._news
            try:
                if await lane.step():
                    continue
            except StoreError as error:
                _log.warning("notifier_store_unusable", lane=lane.cursor_name, error=str(error))
                await self._clock.sleep(RETRY_S)
                continue
            try:
                async with asyncio.timeout(LOOK_S * 5):
                    await news.wait()
            except TimeoutError:
                pass

    async def _wake(self) -> None:
        async for _ in self._tail.changes():
            self._news.set()
            self._news = asyncio.Event()

    async def _obey(self) -> None:
        """Take over the operator's choices and send the tests he asks for."""
        channels = {channel.id: channel for channel in await asyncio.to_thread(self._store.channels)}
        asked = []
        for outlet in self._outlets:
            channel = channels.get(outlet.name)
            if channel is None:
                continue
            outlet.choices = channel.choices
            if channel.test_asked and channel.test_asked != self._answered.get(channel.id):
                self._answered[channel.id] = channel.test_asked
                asked.append(self._test(outlet, channel.test_asked))
        await asyncio.gather(*asked)

    async def _test(self, outlet: Outlet, word: str) -> None:
        error = await outlet.send("This is a test message. Whoever reads it hears from the bot.")
        answer = TestAnswer(asked=word, ok=not error, detail=error or "The service took it.")
        await asyncio.to_thread(self._store.answer_test, outlet.name, answer)

    async def _look_after_the_engine(self) -> None:
        message = await asyncio.to_thread(self._watch.look)
        if message is None:
            return
        _log.warning("notifier_engine_watch", text=message.text)
        for outlet in self._outlets:
            if outlet.wants(message):
                waiting = self._alarms[outlet.name]
                if waiting.full():
                    waiting.get_nowait()
                waiting.put_nowait(message)

    async def _tell_alarms(self, outlet: Outlet) -> None:
        while True:
            message = await self._alarms[outlet.name].get()
            await outlet.deliver(message.text)

    def _daily(self, outlet: Outlet) -> Callable[[], Awaitable[None]]:
        name = f"notify.{outlet.name}.day"

        async def tell() -> None:
            now_ns = self._clock.wall_ns()
            today, told = day_of(now_ns), await asyncio.to_thread(self._store.cursor, name)
            if told is not None and told < today and not is_quiet(outlet.choices.quiet, now_ns):
                message = await asyncio.to_thread(summary, self._reader, today - 1)
                if outlet.wants(message):
                    await outlet.deliver(message.text)
            if told is None or (told < today and not is_quiet(outlet.choices.quiet, now_ns)):
                await asyncio.to_thread(self._store.set_cursor, name, today)

        return tell

    async def _beat(self) -> None:
        await asyncio.to_thread(self._store.beat, self._clock.wall_ns())

    async def _beat_outside(self) -> None:
        """Knock at the outside watchman while the engine lives; his alarm is that nobody knocks."""
        seen = await asyncio.to_thread(self._watch.seen)
        if not seen.alive or self._heartbeat_url is None:
            return
        error, now_ns = "", self._clock.wall_ns()
        try:
            timeout = aiohttp.ClientTimeout(total=_OUTSIDE_DEADLINE_S)
            async with aiohttp.ClientSession(timeout=timeout) as http, http.get(self._heartbeat_url) as answer:
                if answer.status >= 400:
                    error = f"answered with status {answer.status}"
        except (aiohttp.ClientError, TimeoutError, ValueError) as fault:
            error = self._clean(str(fault) or type(fault).__name__)
        was = await asyncio.to_thread(self._store.channel, OUTSIDE)
        since_ns = (was.state.failing_since_ns if was is not None else None) or now_ns
        sent_ns = was.state.last_sent_ns if was is not None else None
        state = ChannelState(last_sent_ns=now_ns)
        if error:
            state = ChannelState(last_sent_ns=sent_ns, failing_since_ns=since_ns, last_error=error)
        await asyncio.to_thread(self._store.note, OUTSIDE, state)

    async def _part(self) -> None:
        """Say a last word where live positions stay behind: from now on nobody tells of them."""
        try:
            held = await asyncio.to_thread(self._watch.live_positions)
        except StoreError:
            return
        if not held:
            return
        text = (
            f"Notifications end here: the notifier was stopped with {len(held)} LIVE position(s) open: {named(held)}."
        )
        try:
            async with asyncio.timeout(PARTING_S):
                await asyncio.gather(*(outlet.send(text) for outlet in self._outlets if outlet.choices.enabled))
        except TimeoutError:
            _log.warning("notifier_parting_not_sent")

    async def _patiently(self, work: Callable[[], Awaitable[None]]) -> None:
        """Do something once the database answers."""
        while True:
            try:
                await work()
            except StoreError as error:
                _log.warning("notifier_store_unusable", error=str(error))
                await self._clock.sleep(RETRY_S)
            else:
                return

    async def _forever(self, work: Callable[[], Awaitable[None]], every_s: float) -> None:
        while True:
            await self._patiently(work)
            await self._clock.sleep(every_s)
