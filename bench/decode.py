"""What reading the venue's bytes costs: frames, and an exchangeInfo of 2,000 rows and 5 MB.

Run: ``python -m bench.decode``. Each figure is the best of several rounds, so that a busy machine
shows in it as little as it can; ``longest slice`` is how long the loop is held at most.
"""

import gc
import json
import time
from collections.abc import Callable
from pathlib import Path

from mexc_proto import PushDataV3ApiWrapper
from mexc_sniper.venues.mexc.interpret import FrameInterpreter
from mexc_sniper.venues.mexc.parse.frames import decode_frame
from mexc_sniper.venues.mexc.sources.completeness import Census
from mexc_sniper.venues.mexc.sources.exchange_info import ExchangeInfoReader
from mexc_sniper.venues.mexc.sources.reading import Steps, Unconfirmed, finish

FIXTURES = Path(__file__).resolve().parent.parent / "tests" / "fixtures" / "mexc"
ROWS = 2_000
BODY_BYTES = 5_000_000


def best_of(rounds: int, work: Callable[[], object]) -> float:
    """Seconds of the fastest round."""
    fastest = float("inf")
    for _ in range(rounds):
        started = time.perf_counter()
        work()
        fastest = min(fastest, time.perf_counter() - started)
    return fastest


def frames() -> None:
    recorded = {entry["name"]: bytes.fromhex(entry["hex"]) for entry in json.loads(_read("ws/frames.json"))}
    for name in ("aggre.bookTicker@10ms BTCUSDT", "aggre.deals@100ms BTCUSDT two trades"):
        payload = recorded[name]
        seconds = best_of(20, lambda payload=payload: [decode_frame(payload) for _ in range(2_000)]) / 2_000
        print(f"{name:40} {seconds * 1e6:7.2f} us per frame  {1 / seconds:9,.0f} frames/s")
    wrapper = PushDataV3ApiWrapper(channel="spot@public.miniTickers.v3.api.pb@UTC+8", sendTime=1)
    for number in range(ROWS):
        wrapper.publicMiniTickers.items.add(symbol=f"S{number}USDT", price="1.2345", volume="1000000.12")
    payload = wrapper.SerializeToString()
    interpreter = FrameInterpreter()
    interpreter.read(1, payload, 1, 1)
    seconds = best_of(20, lambda: interpreter.read(1, payload, 1, 1))
    print(f"{f'miniTickers of {ROWS} pairs, nothing new':40} {seconds * 1e3:7.2f} ms per frame  {len(payload):,} bytes")


def exchange_info() -> None:
    """Rows as recorded, with a tag each and fields this version does not know until the body has its size."""
    originals = json.loads(_read("rest/recorded_2025-12-31/exchangeInfo_6_symbols.json"))["symbols"]
    rows = [originals[n % len(originals)] | {"symbol": f"S{n}USDT", "baseAsset": f"S{n}"} for n in range(ROWS)]
    plain = len(_body(rows))
    unknown = {
        f"laterField{n}": "0123456789"
        for n in range((BODY_BYTES - plain) // ROWS // len('"laterField00":"0123456789",'))
    }
    rows = [row | {"conceptPlates": ["mc-trade-zone-Meme"]} | unknown for row in rows]
    first = _body(rows)
    second = _body([*rows, rows[0] | {"symbol": "FRESHUSDT", "baseAsset": "FRESH"}], server_time=1767211152355)
    print(f"exchangeInfo: {ROWS} rows, {len(first):,} bytes")
    cold, cold_slice = min(_cold(first) for _ in range(5))
    print(f"{'  first answer, every row':40} {cold * 1e3:7.2f} ms in all      longest slice {cold_slice * 1e3:.2f} ms")
    later = (
        ("  later answer, nothing changed", _body(rows, server_time=1767211152355)),
        ("  later answer, one row more", second),
        ("  later answer, in another order", _body(rows[::-1])),
    )
    for what, body in later:
        total, longest = min(_warm(first, body) for _ in range(15))
        print(f"{what:40} {total * 1e3:7.2f} ms in all      longest slice {longest * 1e3:.2f} ms")


def _cold(body: bytes) -> tuple[float, float]:
    reader = ExchangeInfoReader(Census())
    _prime(reader, body)
    return _timed(reader.read(body, 1, 1))


def _warm(first: bytes, body: bytes) -> tuple[float, float]:
    reader = ExchangeInfoReader(Census())
    _prime(reader, first)
    finish(reader.read(first, 1, 1))
    return _timed(reader.read(body, 1, 1))


def _prime(reader: ExchangeInfoReader, body: bytes) -> None:
    try:
        finish(reader.read(body, 1, 1))
    except Unconfirmed:
        gc.collect()


def _timed(steps: Steps) -> tuple[float, float]:
    """Seconds in all, and of the longest slice."""
    total = longest = 0.0
    while True:
        started = time.perf_counter()
        try:
            next(steps)
        except StopIteration:
            took = time.perf_counter() - started
            return total + took, max(longest, took)
        took = time.perf_counter() - started
        total, longest = total + took, max(longest, took)


def _body(rows: list[dict[str, object]], server_time: int = 1767211147355) -> bytes:
    head = {"timezone": "CST", "serverTime": server_time, "rateLimits": [], "exchangeFilters": []}
    return json.dumps(head | {"symbols": rows}, separators=(",", ":")).encode()


def _read(name: str) -> str:
    return (FIXTURES / name).read_text()


if __name__ == "__main__":
    frames()
    exchange_info()
