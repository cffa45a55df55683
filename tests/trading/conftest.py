"""One live program per module for the tests that trade by hand; every test lists a coin of its own."""

from collections.abc import Callable, Iterator

import pytest

from tests.support.trader import Trader, by_hand_only, trading_bot

OpenMarket = Callable[[str], str]


@pytest.fixture(scope="module")
def trader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trader]:
    """A live, armed program that enters nothing by itself."""
    with trading_bot(tmp_path_factory.mktemp("live") / "data", live=True) as running:
        by_hand_only(running)
        yield running


@pytest.fixture
def open_market(trader: Trader) -> Iterator[OpenMarket]:
    """List a coin with a book around 1 USDT; afterwards no fault of the test stays in force."""
    yield trader.open_market
    trader.bot.sim("DELETE", "/sim/faults")
    trader.bot.sim("DELETE", "/sim/orders/refuse")
