"""One channel with its subscribers: collects changes and flushes at most once per interval."""

from collections.abc import Callable

from mexc_sim.core.channels import Channel
from mexc_sim.core.market import Trade
from mexc_sim.core.timers import Timer, Timers

Top = tuple[tuple[int, int] | None, tuple[int, int] | None]


class Feed:
    """A channel somebody is subscribed to. Flushing at once when idle keeps the first push prompt."""

    def __init__(self, channel: Channel, timers: Timers, flush: Callable[["Feed"], None]) -> None:
        self.channel = channel
        self.subscribers: dict[int, None] = {}
        self.trades: list[Trade] = []
        self.levels: dict[tuple[bool, int], None] = {}
        self.version = 0
        """Book version of the last depth push."""
        self.last_top: Top | None = None
        self.told: dict[str, int] = {}
        """Trades per symbol at the last push of all mini tickers."""
        self.dirty = True
        self._timers = timers
        self._flush = flush
        self._timer: Timer | None = None
        self._flushed_ns = -(1 << 62)

    def want(self) -> None:
        """Something changed: push in this instant's turn, or when the interval is over.

        Even an immediate push waits for the end of the present action, so that one action makes one frame.
        """
        if self._timer is None:
            due_ns = max(self._timers.now_ns, self._flushed_ns + self.channel.every_ns)
            self._timer = self._timers.at(due_ns, self._run)

    def start_clock(self) -> None:
        """Push every interval from now on, whatever changes (klines and mini tickers)."""
        if self._timer is None:
            self._timer = self._timers.after(self.channel.every_ns, self._beat)

    def take_dirty(self) -> bool:
        """Whether something was traded since the last push."""
        dirty, self.dirty = self.dirty, False
        return dirty

    def stop(self) -> None:
        """Nobody listens any more."""
        if self._timer is not None:
            self._timer.cancel()

    def _run(self, due_ns: int) -> None:
        self._timer = None
        self._flushed_ns = due_ns
        self._flush(self)

    def _beat(self, due_ns: int) -> None:
        self._timer = self._timers.again(due_ns, self.channel.every_ns, self._beat)
        self._flush(self)
