"""The paper account after a restart: its ledger rows are nobody else's to give back (DESIGN 2).

Waiting orders go on waiting. Orders that were on their way are taken as lost with the process that carried them: they
end as CANCELED with what had been filled.
"""

from decimal import Decimal

from mexc_sniper.core.ids import ClientOrderId
from mexc_sniper.core.values import Asset
from mexc_sniper.model.account import Account
from mexc_sniper.model.market import Side
from mexc_sniper.model.order import RESTING, Fill, Order, OrderStatus, OrderType
from mexc_sniper.model.restored import Restored
from mexc_sniper.venues.paper.account import PaperAccount
from mexc_sniper.venues.paper.exact import minus, plus
from mexc_sniper.venues.paper.options import PaperOptions
from mexc_sniper.venues.paper.orders import PaperOrder

ZERO = Decimal(0)
LOST = "on its way when the program stopped"


def totals_of(restored: Restored, options: PaperOptions) -> dict[Asset, Decimal]:
    """Return what the account owns: the stored balances, plus fills that were stored without them.

    A fill, the balances after it and the order's row are three transactions in this order, so a crash can part the
    fill from the balances. The order's row tells that it happened; what the open positions account for tells whether
    the balances had followed.
    """
    stored = {b.asset: plus(b.free, b.locked) for b in restored.balances if b.account is Account.PAPER}
    totals = options.starting_totals | stored
    for order in restored.orders:
        if order.intent.account is Account.PAPER:
            _catch_up(totals, order, _fills_of(restored, order.intent.client_order_id), restored)
    return totals


def orders_of(restored: Restored) -> list[PaperOrder]:
    """Return the account's orders as the ledger has them; those on their way are still SUBMITTED."""
    return [_order(order, restored) for order in restored.orders if order.intent.account is Account.PAPER]


def account_of(restored: Restored, options: PaperOptions) -> PaperAccount:
    """Return the account with nothing reserved yet."""
    return PaperAccount(totals_of(restored, options))


def _order(order: Order, restored: Restored) -> PaperOrder:
    fills = _fills_of(restored, order.intent.client_order_id)
    filled = sum((fill.quantity for fill in fills), ZERO)
    quote = sum((fill.quote_quantity for fill in fills), ZERO)
    waits = order.status in RESTING and order.intent.type in (OrderType.LIMIT, OrderType.LIMIT_MAKER)
    status = order.status
    if not order.terminal:
        status = _waiting(filled) if waits else OrderStatus.SUBMITTED
    return PaperOrder(
        intent=order.intent,
        created_ns=order.created_ns,
        status=status,
        venue_order_id=order.venue_order_id,
        filled=max(filled, order.filled_quantity),
        filled_quote=max(quote, order.filled_quote),
        fills=fills,
        code=order.code,
        text=order.text,
        reason=order.reason,
    )


def _waiting(filled: Decimal) -> OrderStatus:
    return OrderStatus.PARTIALLY_FILLED if filled > 0 else OrderStatus.ACCEPTED


def _fills_of(restored: Restored, client_order_id: ClientOrderId) -> list[Fill]:
    return [f for f in restored.fills if f.account is Account.PAPER and f.client_order_id == client_order_id]


def _catch_up(totals: dict[Asset, Decimal], order: Order, fills: list[Fill], restored: Restored) -> None:
    ahead = minus(sum((fill.quantity for fill in fills), ZERO), order.filled_quantity)
    if ahead <= 0:
        return
    base, buy = order.intent.base, order.intent.side is Side.BUY
    expected = sum((p.quantity for p in restored.positions if p.account is Account.PAPER and p.base == base), ZERO)
    surplus = minus(totals.get(base, ZERO), expected)  # dust of old positions, if the balances had followed
    if surplus >= 0 if buy else surplus < ahead:
        return
    for fill in _newest(fills, ahead):
        paid = plus(fill.quote_quantity, fill.fee) if buy else minus(fill.fee, fill.quote_quantity)
        got = fill.quantity if buy else -fill.quantity
        totals[order.intent.quote] = minus(totals.get(order.intent.quote, ZERO), paid)
        totals[base] = plus(totals.get(base, ZERO), got)


def _newest(fills: list[Fill], quantity: Decimal) -> list[Fill]:
    """Return the newest fills that make up a quantity."""
    newest: list[Fill] = []
    for fill in sorted(fills, key=lambda fill: int(fill.trade_id.rpartition(".")[2]), reverse=True):
        if quantity <= 0:
            break
        newest.append(fill)
        quantity -= fill.quantity
    return newest
