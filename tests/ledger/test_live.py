"""Live figures: the latest wins, nothing blocks, and their loss is no fault of anybody."""

from pathlib import Path
from time import monotonic, sleep

from mexc_sniper.core.clock import NS_PER_S, SystemClock
from mexc_sniper.ledger import LedgerLocation, LiveStore, locate
from mexc_sniper.ledger.live import MAX_KEYS


def eventually(store: LiveStore, wanted: dict[str, bytes]) -> dict[str, tuple[bytes, int]]:
    """Read until the values are ``wanted``, at most ten seconds."""
    expires = monotonic() + 10
    while True:
        found = store.get_all()
        if {key: value for key, (value, _) in found.items()} == wanted or monotonic() > expires:
            assert {key: value for key, (value, _) in found.items()} == wanted
            return found
        sleep(0.02)


def test_reader_before_any_engine_finds_nothing(empty_location: LedgerLocation) -> None:
    assert LiveStore(empty_location).get_all() == {}


def test_latest_value_wins_and_says_when_it_was_put(empty_location: LedgerLocation) -> None:
    engine, web = LiveStore(empty_location, SystemClock()), LiveStore(empty_location)
    engine.start()
    before = SystemClock().wall_ns()
    for number in range(1_000):
        engine.put("mark:新\x00USDT", f"{number}".encode())
    engine.put("heartbeat", b"\x00\xff")
    found = eventually(web, {"mark:新\\0USDT": b"999", "heartbeat": b"\x00\xff"})
    assert before <= found["heartbeat"][1] <= SystemClock().wall_ns()
    engine.put("heartbeat", b"2")
    eventually(web, {"mark:新\\0USDT": b"999", "heartbeat": b"2"})
    engine.stop()
    web.close_reader()


def test_stopping_writes_what_waits_and_a_new_life_goes_on(empty_location: LedgerLocation) -> None:
    web = LiveStore(empty_location)
    for value in (b"1", b"2"):
        engine = LiveStore(empty_location, SystemClock())
        engine.start()
        engine.put("figure", value)
        engine.stop()
        assert web.get_all()["figure"][0] == value
    web.close_reader()


def test_figure_nobody_renews_is_forgotten(empty_location: LedgerLocation) -> None:
    class Past(SystemClock):
        def wall_ns(self) -> int:
            return super().wall_ns() - 7_200 * NS_PER_S

    old = LiveStore(empty_location, Past())
    old.start()
    old.put("mark:GONEUSDT", b"1")
    old.stop()
    fresh = LiveStore(empty_location, SystemClock())
    fresh.start()
    fresh.put("heartbeat", b"1")
    web = LiveStore(empty_location)
    eventually(web, {"heartbeat": b"1"})
    fresh.stop()
    web.close_reader()


def test_put_neither_blocks_nor_raises_while_the_place_is_unusable(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    store = LiveStore(locate(None, tmp_path / "file" / "data"), SystemClock())
    store.start()
    began = monotonic()
    for number in range(2 * MAX_KEYS):
        store.put(f"key{number}", b"x")
    assert monotonic() - began < 5
    assert len(store._waiting) <= MAX_KEYS
    store.stop()
    assert store.get_all() == {}
