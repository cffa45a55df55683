"""Whatever is done to the order desk, money is conserved and the book agrees with the orders."""

from decimal import Decimal

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mexc_sim.core.orders import FINAL
from tests.sim.trader import SYMBOL, Trader, a_trader

PRICES = st.integers(9_000, 11_000).map(lambda ticks: f"{ticks / 100:.2f}")
QUANTITIES = st.integers(2, 800).map(lambda steps: f"{steps / 100:.2f}")
SIDES = st.sampled_from(["BUY", "SELL"])
ORDER = st.tuples(
    st.just("order"),
    SIDES,
    st.sampled_from(["LIMIT", "LIMIT_MAKER", "IMMEDIATE_OR_CANCEL", "FILL_OR_KILL", "MARKET", "AMOUNT"]),
    PRICES,
    QUANTITIES,
)
TRADE = st.tuples(st.just("trade"), SIDES, PRICES, QUANTITIES)
CANCEL = st.tuples(st.just("cancel"), st.integers(0, 5), st.booleans())
WAIT = st.tuples(st.just("wait"), st.sampled_from([0.1, 1.0]))
FEES = st.tuples(st.just("fees"), st.sampled_from(["quote", "base", "mx"]))


def act(trader: Trader, action: tuple) -> None:
    match action:
        case ("order", side, kind, price, quantity):
            params = {"symbol": SYMBOL, "side": side, "type": kind, "quantity": quantity}
            if kind == "AMOUNT":
                params |= {"type": "MARKET", "side": "BUY", "quoteOrderQty": price}
            elif kind != "MARKET":
                params["price"] = price
            trader.call("POST", "/api/v3/order", **params)
        case ("trade", side, price, quantity):
            trader.venue.post("/sim/trade", symbol=SYMBOL, side=side, price=price, quantity=quantity)
        case ("cancel", index, late):
            rows = trader.good("GET", "/api/v3/openOrders")
            if rows:
                if late:
                    trader.venue.post("/sim/faults", target="cancelOrder", kind="fill_after", ms=300, times=1)
                order_id = rows[index % len(rows)]["orderId"]
                trader.good("DELETE", "/api/v3/order", symbol=SYMBOL, orderId=order_id)
        case ("wait", seconds):
            trader.venue.advance(seconds)
        case ("fees", paid_in):
            trader.venue.post("/sim/fees", **{"in": paid_in})


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.one_of(ORDER, ORDER, TRADE, CANCEL, WAIT, FEES), max_size=25))
def test_balances_equal_deposits_plus_fills_and_locks_equal_open_orders(actions):
    trader = a_trader(deal_push_delay_ms=0)
    trader.venue.post("/sim/balances", SOL="20", USDT="3000")
    for action in actions:
        act(trader, action)
    trader.venue.advance(1)  # late fills land
    desk, wallet = trader.venue.exchange.desk, trader.venue.exchange.account.wallet
    wanted = {"USDT": Decimal(3000), "SOL": Decimal(20), "MX": Decimal(25)}
    locked = {"USDT": Decimal(0), "SOL": Decimal(0), "MX": Decimal(0)}
    for order in desk.orders.values():
        sign = 1 if order.ticket.is_buy else -1
        assert sum(fill.quantity for fill in order.fills) == order.executed
        assert order.executed <= order.quantity
        assert order.is_final is (order.status in FINAL)
        for fill in order.fills:
            wanted["SOL"] += sign * Decimal(fill.quantity) / 100
            wanted["USDT"] -= sign * Decimal(fill.amount) / 10_000
            wanted[fill.fee_asset] -= fill.fee
            within = fill.price <= order.price if order.ticket.is_buy else fill.price >= order.price
            assert within
        if order.is_final:
            assert order.locked == 0
        else:
            locked[order.lock_asset] += order.locked
            assert order.resting is not None
            assert order.resting.remaining == order.quantity - order.executed
    for asset, total in wanted.items():
        holding = wallet.of(asset)
        assert holding.free + holding.locked == total, asset
        assert holding.locked == locked[asset], asset
        assert holding.free >= 0, asset
    book = desk.orders and next(iter(desk.orders.values())).market.book
    if book:
        bid, ask = book.best(is_bid=True), book.best(is_bid=False)
        assert bid is None or ask is None or bid < ask
