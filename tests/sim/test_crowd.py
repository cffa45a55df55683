"""The opening looks like an opening (FIELD 4.3), and the book never lies."""

from hypothesis import given
from hypothesis import strategies as st

from mexc_sim.core.book import Book
from tests.sim.venue import Venue

_ACTIONS = st.lists(
    st.tuples(st.sampled_from(["bid", "ask", "buy", "sell", "cancel"]), st.integers(1, 60), st.integers(1, 50)),
    max_size=60,
)


@given(_ACTIONS)
def test_book_conserves_quantity_and_never_crosses(actions):
    book = Book(version=1)
    placed = taken = cancelled = 0
    for action, price, quantity in actions:
        if action in ("bid", "ask"):
            is_bid = action == "bid"
            placed += quantity
            for match in book.take(is_buy=is_bid, quantity=quantity, limit=price):
                assert match.price <= price if is_bid else match.price >= price
                taken += 2 * match.quantity
                quantity -= match.quantity
            if quantity:
                book.place(is_bid=is_bid, price=price, quantity=quantity)
        elif action == "cancel":
            order = book.cancel(price)
            cancelled += order.remaining if order else 0
        else:
            matches = book.take(is_buy=action == "buy", quantity=quantity)
            prices = [match.price for match in matches]
            assert prices == sorted(prices, reverse=action == "sell")
            taken += sum(match.quantity for match in matches)
        bid, ask = book.best(is_bid=True), book.best(is_bid=False)
        assert bid is None or ask is None or bid < ask
    resting = sum(q for is_bid in (True, False) for _, q in book.levels(is_bid=is_bid, limit=1_000))
    assert placed == resting + taken + cancelled


@given(_ACTIONS)
def test_book_version_grows_with_every_change_and_names_the_level(actions):
    book = Book(version=1)
    for action, price, quantity in actions:
        before, tops = book.version, [book.levels(is_bid=side, limit=99) for side in (True, False)]
        book.changed.clear()
        if action in ("bid", "ask"):
            other = book.best(is_bid=action == "ask")
            if other is None or (price < other if action == "bid" else price > other):
                book.place(is_bid=action == "bid", price=price, quantity=quantity)
        elif action == "cancel":
            book.cancel(price)
        else:
            book.take(is_buy=action == "buy", quantity=quantity)
        moved = tops != [book.levels(is_bid=side, limit=99) for side in (True, False)]
        assert (book.version > before) == moved == bool(book.changed)


def _prices(venue: Venue, symbol: str) -> list[tuple[int, float]]:
    trades = venue.json(f"/api/v3/trades?symbol={symbol}&limit=1000")
    return [(trade["time"], float(trade["price"])) for trade in reversed(trades)]


def test_opening_spikes_then_reverts():
    venue = Venue()
    listing = venue.post("/sim/listings", base="LUMO", openPrice=0.5, peak=3.0, peakAfterS=15, settle=1.0, quoteInS=0)
    start_ms = listing["times"]["trade"] // 1_000_000
    highest = 0.0
    first = None
    for _ in range(60):
        venue.advance(5)
        for time, price in _prices(venue, "LUMOUSDT"):
            first = first or price
            if time - start_ms < 40_000:
                highest = max(highest, price)
    last = _prices(venue, "LUMOUSDT")[-1][1]
    assert 0.45 < first < 0.65
    assert highest > 2 * first
    assert last < 0.7 * highest


def test_halt_empties_the_book_and_stops_trading_until_it_ends():
    venue = Venue()
    venue.post("/sim/listings", base="LUMO", quoteInS=0, tradeInS=0, haltInS=20, haltForS=30)
    venue.advance(21)
    count = len(_prices(venue, "LUMOUSDT"))
    depth = venue.json("/api/v3/depth?symbol=LUMOUSDT")
    row = venue.json("/api/v3/exchangeInfo?symbol=LUMOUSDT")["symbols"][0]
    assert depth["asks"] == depth["bids"] == []
    assert row["status"] == "2"
    venue.advance(20)
    assert len(_prices(venue, "LUMOUSDT")) == count
    venue.advance(30)
    assert len(_prices(venue, "LUMOUSDT")) > count
    assert venue.json("/api/v3/exchangeInfo?symbol=LUMOUSDT")["symbols"][0]["status"] == "1"


def test_old_pair_moves_only_while_someone_listens():
    venue = Venue()
    connection = venue.connect()
    venue.subscribe(connection, "spot@public.aggre.deals.v3.api.pb@100ms@BTCUSDT")
    venue.advance(20)
    moved = len(_prices(venue, "BTCUSDT"))
    assert moved > 5
    venue.hang_up(connection)
    venue.advance(60)
    assert len(_prices(venue, "BTCUSDT")) == moved
