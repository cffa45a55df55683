"""Drives one exchange through a fixed set of requests and prints a digest of every byte it said."""

import sys
from hashlib import sha256

from mexc_sim.scenario import load_scenario
from tests.sim.trader import ACCOUNT, DEALS, ORDERS, Trader
from tests.sim.venue import Venue, deals, get, top


def main() -> None:
    digest = sha256()
    venue = Venue(load_scenario(sys.argv[1]), seed=int(sys.argv[2]))
    connection = venue.connect()
    trader = Trader(venue)
    private = trader.listen(ORDERS, DEALS, ACCOUNT)
    venue.subscribe(connection, deals("BTCUSDT"), top("KOVARIUSDT"), "spot@public.miniTickers.v3.api.pb@24H")
    venue.post("/sim/faults", target="stream", kind="duplicate", probability=0.3)
    for step in range(40):
        for path in ("/api/v3/defaultSymbols", "/api/v3/depth?symbol=BTCUSDT", "/api/operation/new_coin_calendar",
                     "/api/v3/klines?symbol=BTCUSDT&interval=1d&limit=3", "/sim/stamps", "/sim/state"):  # fmt: skip
            digest.update(venue.ask(get(path)).body)
        if step % 10 == 0:
            digest.update(venue.ask(get("/api/v3/exchangeInfo")).body)
            venue.post("/sim/listings", count=3, quoteInS=1)
        for body in trade(trader, step):
            digest.update(body)
        venue.advance(2.5)
    digest.update(venue.ask(get("/sim/orders")).body)
    for item in venue.received[connection] + venue.received[private]:
        digest.update(item if isinstance(item, bytes) else item.encode())
    sys.stdout.write(f"{len(venue.received[connection])} {digest.hexdigest()}\n")


def trade(trader: Trader, step: int) -> list[bytes]:
    """A market buy, and an order below the market that is cancelled some steps later."""
    symbol = trader.venue.json("/api/v3/defaultSymbols")["data"][step % 5]
    market = {"symbol": symbol, "side": "BUY", "type": "MARKET", "quoteOrderQty": "30", "newClientOrderId": f"m{step}"}
    last = trader.venue.exchange.world.markets[symbol].price_text(trader.venue.exchange.world.markets[symbol].last or 1)
    resting = market | {"type": "LIMIT", "quantity": "100", "price": last, "newClientOrderId": f"l{step}"}
    requests = [
        trader.request("POST", "/api/v3/order", **market),
        trader.request("POST", "/api/v3/order", **resting),
        trader.request("GET", "/api/v3/myTrades", symbol=symbol),
    ]
    if step % 4 == 3:
        requests.append(trader.request("DELETE", "/api/v3/openOrders", symbol=symbol))
    return [trader.venue.ask(request).body for request in requests]


if __name__ == "__main__":
    main()
