"""What trading needs besides the market: accounts, their throttles, the journal, the latch."""

from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mexc_sniper.model.account import Account
from mexc_sniper.model.events import Event
from mexc_sniper.ports import Emit, Journal, OrderGateway
from mexc_sniper.runtime.throttle import Throttle


def _nothing() -> int:
    return 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TradingParts:
    """Plugged together in `mexc_sniper.app.bootstrap`, the only place that knows the mode.

    Attributes:
        gateways: one per account; both in live mode, paper alone in dry-run.
        throttles: one per account of ``gateways``.
        watchers: who sees every event before the engine does (the paper venue sees the market).
        helpers: what else runs beside the engine and emits (the key check); none may end before the engine does.
        journal: where live intents are written before their bytes leave; None without a live account.
        latch: the kill switch's file.
        live: the process was started in live mode.
        epoch: number of this life, from the journal.
        prepare: entries are made ready before their pair has a price.
        stay_awake: keep a core busy while a prepared pair is about to open.
        banned_for_s: seconds until the venue listens to us again; 0 while it does.
        weight_used: request weight spent at the venue's API in the last ten seconds.
    """

    gateways: Mapping[Account, OrderGateway] = field(default_factory=dict)
    throttles: Mapping[Account, Throttle] = field(default_factory=dict)
    watchers: Sequence[Callable[[Event], None]] = ()
    helpers: Sequence[Callable[[Emit], Coroutine[Any, Any, None]]] = ()
    journal: Journal | None = None
    latch: Path | None = None
    live: bool = False
    epoch: int = 0
    prepare: bool = True
    stay_awake: bool = False
    banned_for_s: Callable[[], float] = _nothing
    weight_used: Callable[[], int] = _nothing
