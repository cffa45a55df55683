"""Limits hold at the venue itself when twenty listings open at once, and what was turned away says why."""

from collections import Counter
from decimal import Decimal
from pathlib import Path

from tests.support.program import eventually
from tests.support.trader import trading_bot

CAP = Decimal(90)


def test_twenty_listings_at_once_never_exceed_the_exposure_limit_at_the_venue(tmp_path: Path) -> None:
    with trading_bot(tmp_path / "data", live=True) as trader:
        trader.configure(
            maxTradeUsdt="50",
            maxPositionUsdt=str(CAP),
            maxOpenPositions=50,
            maxHoldMinutes=600,
            stopLossPct="90",
            maxTradesPerHour=1000,
        )
        symbols = [trader.list_quietly(f"CROWD{number}", openPrice=1.0) for number in range(20)]
        for symbol in symbols:
            trader.quote(symbol, "0.9900", "1.0000")

        def decided() -> bool:
            outcomes = [(trader.listing(symbol) or {}).get("outcome") for symbol in symbols]
            return all(outcome not in (None, "pending") for outcome in outcomes)

        eventually("every listing has its outcome", decided, deadline_s=60)
        bought = [order for order in trader.venue_orders() if order["side"] == "BUY"]
        spent = sum(Decimal(order["cummulativeQuoteQty"]) for order in bought)
        worst = sum(Decimal(one["params"]["quoteOrderQty"]) for one in trader.posts())
        assert spent <= worst <= CAP
        assert len(bought) == len(trader.posts()) == 4, "four times 20 USDT and fees fit under 90"
        assert len({order["clientOrderId"] for order in bought}) == len(bought)
        reasons = Counter((trader.listing(symbol) or {})["reason"] for symbol in symbols)
        assert reasons == {"ENTERED": 4, "ABOVE_MAX_POSITION": 16}
        denied = [trade for symbol in symbols for trade in trader.trades(symbol, status="rejected")]
        assert len(denied) == 16
        assert all(trade["reason"] == "ABOVE_MAX_POSITION" and trade["configVersion"] for trade in denied)
