"""What a new pair's price is compared with: the operator's word, else the same coin's other pair, else nothing."""

from decimal import Decimal

import pytest

from mexc_sniper.core.values import Price, Symbol
from mexc_sniper.model.config import TradeConfig
from mexc_sniper.model.limits import HardCaps
from mexc_sniper.model.market import Book
from mexc_sniper.policy.config_rules import contradictions
from mexc_sniper.policy.reference import KnownReference, known_reference
from tests.builders import a_book, an_instrument, ns

ALPHA = an_instrument("ALPHAUSDT")
CAPS = HardCaps(max_trade=Decimal(500), max_position=Decimal(2000))
ROWS = {
    row.symbol: row
    for row in (
        ALPHA,
        an_instrument("ALPHAUSDC", quote="USDC"),
        an_instrument("ALPHABTC", quote="BTC"),
        an_instrument("BTCUSDT"),
        an_instrument("BETAUSDC", quote="USDC"),
    )
}


def asked(*books: Book, config: TradeConfig | None = None, second: float = 10) -> KnownReference | None:
    return known_reference(
        config or TradeConfig(), ALPHA, {book.symbol: book for book in books}, ROWS, now_ns=ns(second)
    )


def book(symbol: str, bid: str, ask: str, *, second: float = 9) -> Book:
    return a_book(second, symbol, bid=bid, ask=ask).book


def test_operators_price_goes_before_everything_else() -> None:
    config = TradeConfig(reference_prices=("BETAUSDT=9", "ALPHAUSDT=0.25"))
    assert asked(book("ALPHAUSDC", "1", "1.2"), config=config) == KnownReference(
        Price(Decimal("0.25")), "the operator's reference price"
    )


def test_other_pair_of_the_coin_in_another_dollar_is_taken_at_its_middle() -> None:
    found = asked(book("BETAUSDC", "5", "6"), book("ALPHAUSDC", "1", "1.2"), book("ALPHAUSDT", "7", "8"))
    assert found == KnownReference(Price(Decimal("1.1")), "the price of ALPHAUSDC")


def test_other_pair_in_another_currency_is_converted_by_that_currencys_own_pair() -> None:
    found = asked(book("ALPHABTC", "0.0001", "0.0003"), book("BTCUSDT", "49000", "51000"))
    assert found == KnownReference(Price(Decimal(10)), "the price of ALPHABTC")


def test_other_pair_is_converted_by_the_inverse_pair_where_that_is_the_one_there_is() -> None:
    in_btc = an_instrument("ALPHABTC", quote="BTC")
    books = {one.symbol: one for one in (book("ALPHAUSDT", "9", "11"), book("BTCUSDT", "49000", "51000"))}
    found = known_reference(TradeConfig(), in_btc, books, ROWS, now_ns=ns(10))
    assert found == KnownReference(Price(Decimal("0.0002")), "the price of ALPHAUSDT")


@pytest.mark.parametrize(
    "books",
    [
        (),
        (book("ALPHABTC", "1", "2"),),
        (book("ALPHAUSDC", "1", "1.2", second=-51),),
        (book("ALPHAUSDT", "1", "1.2"),),
        (book("GAMMAUSDC", "1", "1.2"),),
    ],
    ids=["no book", "no way to convert", "too old", "only itself", "a pair of unknown rules"],
)
def test_what_is_not_known_now_is_no_reference(books: tuple[Book, ...]) -> None:
    assert asked(*books) is None


def test_one_sided_book_is_no_reference() -> None:
    one_sided = Book(Symbol("ALPHAUSDC"), (), book("ALPHAUSDC", "1", "2").asks, book("ALPHAUSDC", "1", "2").stamp)
    assert asked(one_sided) is None


@pytest.mark.parametrize(("lines", "words"), [(("A=1", "A=2"), "twice"), (("A=0", "B=1"), "above 0")])
def test_contradictory_reference_prices_are_refused(lines: tuple[str, ...], words: str) -> None:
    assert words in contradictions(TradeConfig(reference_prices=lines), CAPS)["referencePrices"]


@pytest.mark.parametrize("line", ["ALPHAUSDT", "ALPHAUSDT=", "=1", "ALPHAUSDT=-1", "ALPHAUSDT=NaN", "A B=1", "A=1e5"])
def test_reference_price_that_is_none_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match="reference"):
        TradeConfig(reference_prices=(line,))
