"""Drives one exchange through a fixed set of requests and prints a digest of every byte it said."""

import sys
from hashlib import sha256

from mexc_sim.scenario import load_scenario
from tests.sim.venue import Venue, deals, get, top


def main() -> None:
    digest = sha256()
    venue = Venue(load_scenario(sys.argv[1]), seed=int(sys.argv[2]))
    connection = venue.connect()
    venue.subscribe(connection, deals("BTCUSDT"), top("KOVARIUSDT"), "spot@public.miniTickers.v3.api.pb@24H")
    venue.post("/sim/faults", target="stream", kind="duplicate", probability=0.3)
    for step in range(40):
        for path in ("/api/v3/defaultSymbols", "/api/v3/depth?symbol=BTCUSDT", "/api/operation/new_coin_calendar",
                     "/api/v3/klines?symbol=BTCUSDT&interval=1d&limit=3", "/sim/stamps", "/sim/state"):  # fmt: skip
            digest.update(venue.ask(get(path)).body)
        if step % 10 == 0:
            digest.update(venue.ask(get("/api/v3/exchangeInfo")).body)
            venue.post("/sim/listings", count=3, quoteInS=1)
        venue.advance(2.5)
    for item in venue.received[connection]:
        digest.update(item if isinstance(item, bytes) else item.encode())
    sys.stdout.write(f"{len(venue.received[connection])} {digest.hexdigest()}\n")


if __name__ == "__main__":
    main()
