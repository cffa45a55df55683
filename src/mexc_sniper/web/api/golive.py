"""``/golive``: the checklist before live trading."""

import asyncio
from pathlib import Path

from fastapi import Request

from mexc_sniper.core.clock import iso_from_ns
from mexc_sniper.ledger.reader import LedgerReader
from mexc_sniper.model.canary import FILE_NAME, LARGEST_FILE, CanaryResult, decode_canaries
from mexc_sniper.web import convert
from mexc_sniper.web.auth.principal import Scope
from mexc_sniper.web.golive import Evidence, checklist, read_evidence
from mexc_sniper.web.risk import trading_figure
from mexc_sniper.web.routing import router_for
from mexc_sniper.web.services import services
from mexc_sniper.web.views_golive import GoLiveView

router = router_for(Scope.READ, tag="go live")


@router.get("/golive")
async def golive(request: Request) -> GoLiveView:
    """Show what stands between this program and live orders. The engine judges anew when it is asked to arm."""
    parts = services(request)
    now_ns = parts.clock.wall_ns()
    figures = await parts.store.figures()
    figure = trading_figure(figures, now_ns)
    life = parts.overview.life_from(figures)
    canary = await asyncio.to_thread(_canary, parts.options.data_dir / FILE_NAME)
    channels = await parts.store.inbox_read(lambda inbox: inbox.channels())

    def read(reader: LedgerReader) -> Evidence:
        with reader.snapshot() as view:
            return read_evidence(
                view,
                live=parts.options.mode == "live",
                engine_alive=life.alive,
                now_ns=now_ns,
                key=None if figure is None else figure.key,
                canary=canary,
                channels=channels,
            )

    evidence = await parts.store.read(read)
    items = checklist(evidence)
    until_ns = None if evidence.trading is None else evidence.trading.armed_until_ns
    armed = until_ns is not None and until_ns > now_ns
    return GoLiveView(
        items=items,
        ready=all(item.state != "missing" for item in items),
        armed=armed,
        armed_until=convert.iso(until_ns) if armed else None,
        checked_at=iso_from_ns(now_ns),
    )


def _canary(path: Path) -> CanaryResult | None:
    """Return the newest result; whether its key and venue are the engine's, the engine tells (`TradingStatus`)."""
    try:
        with path.open("rb") as file:
            results = decode_canaries(file.read(LARGEST_FILE))
    except OSError:
        return None
    return max(results, key=lambda result: result.wall_ns, default=None)
