"""Decimal on the grid for every symbol rule the venue ever showed us: what we would send fits steps and minimums."""

import json
from decimal import Decimal

import pytest

from mexc_sniper.core.precision import buy_price, order_quantity, quantity_for, sell_price, step
from mexc_sniper.core.values import Price, Quantity
from mexc_sniper.model.instrument import Instrument
from mexc_sniper.policy.sizing import meets_minimum, sellable
from mexc_sniper.venues.mexc.parse.exchange_info import instrument, split
from tests.venue.samples import MEXC

AWKWARD = ("0.000000012345678901", "0.1", "0.333333333333333333", "1", "7.77777777", "123456.789012345", "98765432.1")


def recorded() -> list[Instrument]:
    """Every row of every exchangeInfo sample, recorded or of the shape of one."""
    found: dict[str, Instrument] = {}
    for path in sorted(MEXC.rglob("*xchangeInfo*")):
        for sample in sorted(path.rglob("*.json")) if path.is_dir() else [path]:
            body = sample.read_bytes()
            try:
                rows = split(body)[1]
            except Exception:  # one row of its own, without the list around it
                rows = split(json.dumps({"symbols": [json.loads(body)]}).encode())[1]
            for row in rows:
                rules = instrument(row)
                found[f"{sample.name}:{rules.symbol}"] = rules
    return list(found.values())


RULES = recorded()


def test_there_are_recorded_rules_to_hold_against() -> None:
    assert len(RULES) >= 3
    assert len({(rules.price_decimals, rules.quantity_decimals) for rules in RULES}) >= 2


@pytest.mark.parametrize("rules", RULES, ids=lambda rules: str(rules.symbol))
@pytest.mark.parametrize("text", AWKWARD)
def test_prices_and_quantities_are_on_the_pairs_grid_and_on_the_safe_side(rules: Instrument, text: str) -> None:
    value = Decimal(text)
    for price in (buy_price(value, rules.price_decimals), sell_price(value, rules.price_decimals)):
        assert price % step(rules.price_decimals) == 0
        assert -price.as_tuple().exponent <= rules.price_decimals  # type: ignore[operator]
    assert buy_price(value, rules.price_decimals) <= value <= sell_price(value, rules.price_decimals)
    quantity = order_quantity(value, rules.quantity_decimals)
    assert quantity % step(rules.quantity_decimals) == 0
    assert 0 <= quantity <= value
    assert sellable(rules, value) == quantity


@pytest.mark.parametrize("rules", RULES, ids=lambda rules: str(rules.symbol))
@pytest.mark.parametrize("price", AWKWARD)
def test_amount_buys_a_quantity_that_never_costs_more_than_it(rules: Instrument, price: str) -> None:
    at = sell_price(Decimal(price), rules.price_decimals)
    if at <= 0:
        return
    quantity = quantity_for(Decimal(20), Price(at), rules.quantity_decimals)
    assert quantity % step(rules.quantity_decimals) == 0
    assert quantity * at <= 20
    for market in (True, False):
        least = rules.min_notional_market if market else rules.min_notional_limit
        fits = quantity > 0 and quantity >= rules.min_quantity and quantity * at >= least
        assert meets_minimum(rules, Quantity(quantity), Price(at), market=market) is fits
