"""How one channel is told: at least once, in order, urgent things on a way of their own.

Each channel has two cursors over the numbered events, one for urgent messages and one for the rest. A cursor moves
only after the service took the message, so nothing is lost with the network, the service or this process; what was
sent in the instant before an end is sent again. Memory is bounded: at most `BATCH` events are held at once.
"""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import msgspec
import structlog

from mexc_sniper.core.clock import NS_PER_S
from mexc_sniper.core.errors import StoreError
from mexc_sniper.ledger.channels import ChannelState, ChannelStore, Choices
from mexc_sniper.ledger.codec import entry_from_event
from mexc_sniper.ledger.reader import LedgerReader
from mexc_sniper.ledger.view import LedgerEvent, LedgerView
from mexc_sniper.model.entries import LedgerEntry
from mexc_sniper.notify.catalogue import CATALOGUE, DEFAULTS
from mexc_sniper.notify.channel import Sender
from mexc_sniper.notify.compose import Message, compose
from mexc_sniper.notify.quiet import is_quiet
from mexc_sniper.ports import Clock

BATCH = 200
TOGETHER = 20
"""Messages that wait are sent as one, up to so many: an outage ends in a few long messages, not in a flood."""
SEND_DEADLINE_S = 60.0
FIRST_RETRY_S = 1.0
LONGEST_RETRY_S = 300.0

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Numbered:
    """A message and the number of the event it is about."""

    seq: int
    message: Message


class Outlet:
    """One channel: its sender, a thread for it, and how it does. Both lanes and everything else speak through it."""

    def __init__(
        self, sender: Sender, store: ChannelStore, clock: Clock, clean: Callable[[str], str], title: str
    ) -> None:
        self.sender = sender
        self.name = sender.name
        self.choices = Choices()
        self._store = store
        self._clock = clock
        self._clean = clean
        self._title = title
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"notify-{sender.name}")
        self._state = ChannelState()

    def begin(self, state: ChannelState, choices: Choices) -> None:
        """Go on from what was known of the channel."""
        self._state, self.choices = state, choices

    def wants(self, message: Message) -> bool:
        """Whether the operator wants this kind here."""
        events = DEFAULTS if self.choices.events is None else self.choices.events
        return self.choices.enabled and message.event.value in events

    async def send(self, body: str) -> str:
        """Send once; returns "" or what went wrong, and notes either for the page."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(SEND_DEADLINE_S):
                error = await loop.run_in_executor(self._thread, self.sender.send, self._title, body)
        except TimeoutError:
            error = f"no answer within {SEND_DEADLINE_S:.0f} s"
        error = self._clean(error)
        await self._note(error)
        return error

    async def deliver(self, body: str) -> None:
        """Send until the service took it, or the operator switched the channel off."""
        wait_s = FIRST_RETRY_S
        while self.choices.enabled and await self.send(body):
            await self._clock.sleep(wait_s)
            wait_s = min(LONGEST_RETRY_S, wait_s * 2)

    def close(self) -> None:
        """Wait for nothing; a message on its way goes on."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def _note(self, error: str) -> None:
        now_ns, was = self._clock.wall_ns(), self._state
        if error:
            self._state = msgspec.structs.replace(
                was, failing_since_ns=was.failing_since_ns or now_ns, last_error=error
            )
            if was.failing_since_ns is None:
                _log.warning("notification_channel_failing", channel=self.name, error=error)
        else:
            self._state = ChannelState(last_sent_ns=now_ns)
            if was.failing_since_ns is not None:
                down_s = (now_ns - was.failing_since_ns) // NS_PER_S
                _log.info("notification_channel_recovered", channel=self.name, failed_s=down_s)
        await _tried(lambda: self._store.note(self.name, self._state))


class Lane:
    """Follows the events for one channel, urgent ones or the rest."""

    def __init__(
        self, outlet: Outlet, reader: LedgerReader, store: ChannelStore, clock: Clock, *, urgent: bool
    ) -> None:
        self._outlet = outlet
        self._reader = reader
        self._store = store
        self._clock = clock
        self._urgent = urgent
        self.cursor_name = f"notify.{outlet.name}.{'urgent' if urgent else 'rest'}"
        self._written = self._seq = 0

    async def start(self) -> None:
        """Go on from the cursor; a new channel begins with what happens from now on.

        Raises:
            StoreError: the ledger or the inbox cannot be read.
        """
        kept = await asyncio.to_thread(self._store.cursor, self.cursor_name)
        last = await asyncio.to_thread(self._reader.last_seq)
        if kept is None or kept > last:  # above the last: another ledger was put in the old one's place
            await asyncio.to_thread(self._store.set_cursor, self.cursor_name, last)
            kept = last
        self._written = self._seq = kept

    async def step(self) -> bool:
        """Tell what is to be told now; False when there is nothing to do until more happens.

        Raises:
            StoreError: the ledger or the inbox cannot be used.
        """
        if not self._urgent and is_quiet(self._outlet.choices.quiet, self._clock.wall_ns()):
            return False
        last, found = await asyncio.to_thread(self._read)
        wanted = [item for item in found if self._outlet.wants(item.message)]
        for start in range(0, len(wanted), TOGETHER):
            together = wanted[start : start + TOGETHER]
            await self._outlet.deliver(_joined([item.message for item in together]))
            await self._move(together[-1].seq, at_once=True)
        moved = last > self._seq
        await self._move(last)
        return moved

    def _read(self) -> tuple[int, list[Numbered]]:
        """Read on; returns the number of the last event read and what there is to say."""
        found: list[Numbered] = []
        last = self._seq
        with self._reader.snapshot() as view:
            for event in view.events(self._seq, BATCH):
                last = event.seq
                message = _message(view, event)
                if message is not None and CATALOGUE[message.event].urgent is self._urgent:
                    found.append(Numbered(event.seq, message))
        return last, found

    async def _move(self, seq: int, *, at_once: bool = False) -> None:
        """Move on. What held no message is written now and then only: to read it again costs nothing."""
        self._seq = max(self._seq, seq)
        if self._seq != self._written and (at_once or self._seq - self._written >= BATCH):
            await asyncio.to_thread(self._store.set_cursor, self.cursor_name, self._seq)
            self._written = self._seq


def _message(view: LedgerView, event: LedgerEvent) -> Message | None:
    entry = _entry(event)
    if entry is None:
        return None
    before = view.before(event)
    return compose(entry, None if before is None else _entry(before))


_TOLD_OF = frozenset(
    ("listing_changed", "trade_changed", "trading_changed", "attention_changed", "config_changed", "component_changed")
)


def _entry(event: LedgerEvent) -> LedgerEntry | None:
    if event.kind not in _TOLD_OF:
        return None
    try:
        return entry_from_event(event.kind, event.payload)
    except (msgspec.MsgspecError, ValueError):
        _log.warning("notification_event_unreadable", seq=event.seq, kind=event.kind)
        return None


def _joined(messages: Sequence[Message]) -> str:
    return "\n".join(message.text for message in messages)


async def _tried(work: Callable[[], None]) -> None:
    try:
        await asyncio.to_thread(work)
    except StoreError as error:
        _log.warning("notification_state_not_written", error=str(error))
