"""What a careful user of ccxt.pro writes: watch the best bid and ask, then create a market order; on uvloop."""

import asyncio
import os
import sys

import ccxt.pro
import uvloop

from mexc_sim.core.account import DEFAULT_KEY, DEFAULT_SECRET


async def main(rest_url: str, ws_url: str) -> None:
    """Serve symbols until the input ends."""
    exchange = ccxt.pro.mexc(
        {
            "enableRateLimit": False,
            "apiKey": DEFAULT_KEY,
            "secret": DEFAULT_SECRET,
            "cafile": os.environ["SSL_CERT_FILE"],
        }
    )
    exchange.urls["api"]["spot"] = dict.fromkeys(("public", "private"), rest_url)
    exchange.urls["api"]["contract"] = dict.fromkeys(("public", "private"), f"{rest_url}/api/v1/contract")
    exchange.urls["api"]["ws"]["spot"] = ws_url
    loop = asyncio.get_running_loop()
    await exchange.load_markets()
    followed: list[str] = []
    while symbol := (await loop.run_in_executor(None, sys.stdin.readline)).strip():
        pair = next(name for name, market in exchange.markets.items() if market["id"] == symbol)
        await exchange.fetch_time()  # the connection for orders is warm
        watching = asyncio.ensure_future(exchange.watch_ticker(pair))
        await asyncio.sleep(0.1)
        print("ready", flush=True)
        await watching
        await exchange.create_market_buy_order_with_cost(pair, 20)
        print("sent", flush=True)
        followed.append(pair)
        if len(followed) > 3:  # a connection carries 30 channels
            await exchange.un_watch_ticker(followed.pop(0))
    await exchange.close()


if __name__ == "__main__":
    uvloop.run(main(*sys.argv[1:]))
