"""What the account holds. Exact decimals; every change is told to the private stream and kept for stale answers."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from mexc_sim.core.timers import Timers

ZERO = Decimal(0)
_KEPT_CHANGES = 50_000


@dataclass(frozen=True, slots=True)
class Holding:
    """One asset: what may be spent and what open orders hold."""

    free: Decimal = ZERO
    locked: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class Movement:
    """One change of a holding, as the private account channel tells it; ``reason`` is the venue's type word."""

    asset: str
    after: Holding
    free: Decimal
    locked: Decimal
    reason: str


class Wallet:
    """The balances of the key holder."""

    def __init__(self, timers: Timers) -> None:
        self._timers = timers
        self._holdings: dict[str, Holding] = {}
        self._before: deque[tuple[int, str, Holding]] = deque(maxlen=_KEPT_CHANGES)
        self.listener: Callable[[Movement], None] | None = None

    def of(self, asset: str) -> Holding:
        """What is held of an asset; nothing for an unknown one."""
        return self._holdings.get(asset, Holding())

    def move(self, asset: str, reason: str, *, free: Decimal = ZERO, locked: Decimal = ZERO) -> None:
        """Change a holding by these amounts."""
        if not free and not locked:
            return
        old = self.of(asset)
        new = Holding(old.free + free, old.locked + locked)
        self._before.append((self._timers.now_ns, asset, old))
        self._holdings[asset] = new
        if self.listener is not None:
            self.listener(Movement(asset, new, free, locked, reason))

    def as_of(self, ns: int) -> dict[str, Holding]:
        """All holdings as they were at an instant (as far back as changes are kept)."""
        held = dict(self._holdings)
        for when, asset, before in reversed(self._before):
            if when <= ns:
                break
            held[asset] = before
        return held

    def all(self) -> dict[str, Holding]:
        """All holdings, oldest asset first."""
        return dict(self._holdings)


def plain(value: Decimal) -> str:
    """Write a decimal as the wire does: no exponent, no trailing zeros."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") or "0" if "." in text else text
