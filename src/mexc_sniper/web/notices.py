"""The web process's look at the notifier: whether it runs and how its channels do."""

from uuid import uuid4

import structlog

from mexc_sniper.core.clock import NS_PER_S
from mexc_sniper.core.errors import StoreError
from mexc_sniper.ledger.channels import Channel, TestAnswer
from mexc_sniper.ledger.inbox import WebInbox
from mexc_sniper.model.health import Component, ComponentStatus
from mexc_sniper.ports import Clock
from mexc_sniper.web.store import Store

LOOK_S = 3.0
SILENT_AFTER_S = 40.0
"""Age of the notifier's last sign of life above which it counts as gone; it gives one every ten seconds."""
FAILING_AFTER_S = 30.0
"""A channel that fails longer is shown as degraded; shorter, it is a hiccup."""
TEST_POLL_S = 0.2

_log = structlog.get_logger()


class Notices:
    """Keeps the components that health shows, and hands tests on."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self.components: list[Component] = []

    async def run(self) -> None:
        """Look again and again until cancelled; a database that does not answer changes nothing."""
        while True:
            try:
                await self.look()
            except StoreError as error:
                _log.debug("notices_unreadable", error=str(error))
            await self._clock.sleep(LOOK_S)

    async def look(self) -> None:
        """Read how the notifier and its channels do.

        Raises:
            StoreError: the inbox cannot be read.
        """
        channels, beat_ns = await self._store.inbox_read(_channels_and_beat)
        now_ns = self._clock.wall_ns()
        self.components = [_channel(channel, now_ns) for channel in channels]
        if channels:
            self.components.insert(0, _notifier(beat_ns, now_ns))

    async def runs(self) -> bool:
        """Whether the notifier gave a sign of life lately.

        Raises:
            StoreError: the inbox cannot be read.
        """
        beat_ns = await self._store.inbox_read(lambda inbox: inbox.last_beat_ns())
        return _is_fresh(beat_ns, self._clock.wall_ns())

    async def test(self, channel_id: str, wait_s: float) -> TestAnswer | None:
        """Have a test message sent; None when the notifier did not say what came of it in time.

        Raises:
            StoreError: the inbox cannot be used.
        """
        word = uuid4().hex
        await self._store.inbox(lambda inbox: inbox.ask_test(channel_id, word))
        ends_ns = self._clock.mono_ns() + round(wait_s * NS_PER_S)
        while self._clock.mono_ns() < ends_ns:
            channel = await self._store.inbox_read(lambda inbox: inbox.channel(channel_id))
            answer = None if channel is None else channel.test_answer
            if answer is not None and answer.asked == word:
                return answer
            await self._clock.sleep(TEST_POLL_S)
        return None


def _channels_and_beat(inbox: WebInbox) -> tuple[list[Channel], int | None]:
    return inbox.channels(), inbox.last_beat_ns()


def _is_fresh(beat_ns: int | None, now_ns: int) -> bool:
    return beat_ns is not None and abs(now_ns - beat_ns) <= SILENT_AFTER_S * NS_PER_S


def _notifier(beat_ns: int | None, now_ns: int) -> Component:
    fresh = _is_fresh(beat_ns, now_ns)
    return Component(
        name="notifier",
        status=ComponentStatus.OK if fresh else ComponentStatus.DOWN,
        since_ns=beat_ns or now_ns,
        last_event_ns=beat_ns,
        detail="" if fresh else "The notifier does not run, so nothing is told. Its log tells why.",
    )


def _channel(channel: Channel, now_ns: int) -> Component:
    state = channel.state
    since_ns = state.failing_since_ns
    failing = since_ns is not None and now_ns - since_ns >= FAILING_AFTER_S * NS_PER_S
    status = ComponentStatus.DEGRADED if failing else ComponentStatus.OK
    if not channel.choices.enabled:
        status = ComponentStatus.STOPPED
    return Component(
        name=f"notify.{channel.id}",
        status=status,
        since_ns=since_ns or state.last_sent_ns or now_ns,
        last_event_ns=state.last_sent_ns,
        detail=f"Messages do not arrive: {state.last_error}" if failing else "",
    )
