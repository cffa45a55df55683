"""How the last days were: what was seen, how late, what was traded and what came of it."""

from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from mexc_sniper.core.clock import NS_PER_MS, NS_PER_S, iso_from_ns
from mexc_sniper.core.values import text_from_decimal
from mexc_sniper.ledger.reader import LedgerReader
from mexc_sniper.model.account import Account
from mexc_sniper.model.listing import ListingKind

DAY_NS = 86_400 * NS_PER_S
MOST_LISTINGS = 10_000
MOST_TRADES = 50_000
STAGES = ("source_lag", "tick_to_trade", "round_trip", "ack_to_fill", "open_to_order")


def summarise(reader: LedgerReader, *, days: int, now_ns: int) -> dict[str, Any]:
    """Sum up the last UTC days, today included, as plain JSON. Times are ms, money is decimal text.

    Raises:
        StoreError: the ledger cannot be read.
    """
    since_ns = (now_ns // DAY_NS - days + 1) * DAY_NS
    with reader.snapshot() as view:
        listings, _ = view.listings(limit=MOST_LISTINGS, since_ns=since_ns)
        trades, _ = view.trades(limit=MOST_TRADES)
        realized = view.realized(since_ns)
        latencies = view.latencies(since_ns)
        head = view.audit_head()
    new = [row for row in listings if row.kind is ListingKind.NEW]
    lags = [row.detection_lag_ns for row in new if row.detection_lag_ns is not None and not row.late]
    accounts = {}
    for account in (Account.LIVE, Account.PAPER):
        results = [pnl for whose, _, pnl in realized if whose is account]
        mine = [trade for trade in trades if trade.account is account and trade.created_ns >= since_ns]
        accounts["live" if account is Account.LIVE else "dry-run"] = {
            "trades": dict(Counter(trade.status.value for trade in mine)),
            "positionsClosed": len(results),
            "won": sum(pnl > 0 for pnl in results),
            "realizedPnl": text_from_decimal(sum(results, Decimal(0))),
            "latencyMs": {
                stage: percentiles(
                    [
                        value
                        for row in latencies
                        if row.account is account and (value := getattr(row, f"{stage}_ns")) is not None
                    ]
                )
                for stage in STAGES
            },
        }
    return {
        "since": iso_from_ns(since_ns),
        "until": iso_from_ns(now_ns),
        "listings": {
            "seen": len(listings),
            "new": len(new),
            "outcomes": dict(Counter(row.outcome.value for row in new)),
            "reasons": dict(Counter(row.reason.value for row in new if row.reason is not None).most_common(10)),
            "detectionLagMs": percentiles(lags),
        },
        "accounts": accounts,
        "auditHead": {"number": head.number, "hash": head.hash},
    }


def percentiles(values_ns: Sequence[int]) -> dict[str, float] | None:
    """Return count, median, 95th and 99th percentile and maximum in ms; None without a value."""
    if not values_ns:
        return None
    ordered = sorted(values_ns)

    def at(share: float) -> float:
        return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))] / NS_PER_MS, 3)

    return {
        "count": len(ordered),
        "p50": at(0.5),
        "p95": at(0.95),
        "p99": at(0.99),
        "max": round(ordered[-1] / NS_PER_MS, 3),
    }
