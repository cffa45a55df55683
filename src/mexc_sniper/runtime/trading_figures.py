"""What is at stake, once a second, for the page and for Prometheus: latest wins, never in the way of a decision."""

from collections.abc import Callable, Mapping

import msgspec

from mexc_sniper import telemetry
from mexc_sniper.core.clock import NS_PER_S
from mexc_sniper.engine.engine import Engine
from mexc_sniper.model.account import Account
from mexc_sniper.ports import Clock, LiveFigures
from mexc_sniper.runtime.desk import OrderDesk
from mexc_sniper.runtime.throttle import Throttle

FIGURE = "trading"
_MODES = {Account.PAPER: "dry-run", Account.LIVE: "live"}


class TradingFigures:
    """Writes exposure and order budget to the live figures, and the gauges beside them."""

    def __init__(
        self,
        engine: Engine,
        desk: OrderDesk,
        throttles: Mapping[Account, Throttle],
        figures: LiveFigures,
        clock: Clock,
        *,
        banned_for_s: Callable[[], float],
        weight_used: Callable[[], int],
    ) -> None:
        self._engine = engine
        self._desk = desk
        self._throttles = throttles
        self._figures = figures
        self._clock = clock
        self._banned_for_s = banned_for_s
        self._weight_used = weight_used

    def write(self) -> None:
        """Tell how things stand now."""
        exposures = {account: self._engine.exposure(account, self._clock.wall_ns()) for account in self._throttles}
        for account, exposure in exposures.items():
            telemetry.AT_STAKE.labels(mode=_MODES[account]).set(float(exposure.at_stake))
            telemetry.OPEN_POSITIONS.labels(mode=_MODES[account]).set(exposure.open_positions)
        telemetry.ORDERS_IN_DOUBT.set(self._engine.orders_in_doubt())
        now_ns = self._clock.mono_ns()
        for account, throttle in self._throttles.items():
            telemetry.THROTTLE_ROOM.labels(mode=_MODES[account]).set(throttle.tokens(now_ns))
        # The budget shown is the one that the venue would count: the live one where there is a live account.
        shown = self._throttles.get(Account.LIVE) or self._throttles.get(Account.PAPER)
        if shown is None:
            return
        banned_for_s = self._banned_for_s()
        trading = self._engine.state.trading
        figure = {
            "throttle": {
                "per_second": shown.per_second,
                "available": max(0.0, shown.tokens(now_ns)),
                "waiting": self._desk.waiting,
                "api_weight_used": self._weight_used(),
                "banned_until_ns": self._clock.wall_ns() + int(banned_for_s * NS_PER_S) if banned_for_s > 0 else None,
            },
            "key": {
                "checked": trading.key is not None and not trading.key.problems,
                "problem": " ".join(trading.key.problems) if trading.key is not None else "",
                "warnings": trading.key.warnings if trading.key is not None else (),
            },
            "exposure": {str(account): exposure for account, exposure in exposures.items()},
        }
        self._figures.put(FIGURE, msgspec.json.encode(figure))
