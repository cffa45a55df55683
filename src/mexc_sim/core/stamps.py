"""When a client could first know each step of a listing's life: the measuring rod of the benches.

A step is *expected* once it has happened at the venue, *carried* by the first answers or frames that show it, and
*stamped* with the wall time at which the transport handed such an answer or frame to a socket.
"""

from mexc_sim.core.messages import Carried

STEPS = ("announcement", "calendar", "web_row", "row", "flag", "default", "quote", "trade", "mini", "offline")


class Stamps:
    """First hand-over times of listings made after the start; symbols of the universe are not followed."""

    def __init__(self) -> None:
        self._expected: dict[str, dict[str, None]] = {step: {} for step in STEPS}
        self._stamped: dict[str, dict[str, int]] = {}

    def expect(self, symbol: str, step: str) -> None:
        """A step has happened; the next answer or frame that shows it shall be stamped."""
        if step not in self._stamped.setdefault(symbol, {}):
            self._expected[step][symbol] = None

    def forget(self, symbol: str) -> None:
        """A new episode of a symbol begins: its old stamps are void."""
        self._stamped[symbol] = {}
        for waiting in self._expected.values():
            waiting.pop(symbol, None)

    def carried(
        self, *steps: str, only: str | None = None, hidden: frozenset[str] = frozenset()
    ) -> tuple[Carried, ...]:
        """What an answer that shows these steps (of all symbols, or of one) tells for the first time."""
        return tuple(
            (symbol, step)
            for step in steps
            for symbol in self._expected[step]
            if (only is None or symbol == only) and symbol not in hidden
        )

    def awaits(self, symbol: str, step: str) -> bool:
        """Whether nothing has carried this step of a symbol yet."""
        return symbol in self._expected[step]

    def stamp(self, carried: tuple[Carried, ...], wall_ns: int) -> None:
        """The transport has handed these to a socket at ``wall_ns``."""
        for symbol, step in carried:
            if symbol in self._expected[step]:
                del self._expected[step][symbol]
                self._stamped.setdefault(symbol, {})[step] = wall_ns

    def of(self, symbol: str) -> dict[str, int]:
        """Stamps of one symbol by step."""
        return dict(self._stamped.get(symbol, {}))

    def all(self) -> dict[str, dict[str, int]]:
        """Stamps of every followed symbol."""
        return {symbol: dict(steps) for symbol, steps in self._stamped.items()}
