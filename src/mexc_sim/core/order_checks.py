"""Everything the exchange checks before it takes an order, in its order of questions (REFERENCE 1.10, 4.1-4.4)."""

import re
from collections.abc import Mapping
from decimal import Decimal

from mexc_sim.core.market import Market
from mexc_sim.core.orders import FOK, IOC, LIMIT, LIMIT_MAKER, MARKET, TYPES, Ticket, as_amount, as_quantity
from mexc_sim.core.replies import Refusal
from mexc_sim.core.world import World

CLIENT_ID = re.compile(r"[A-Za-z0-9_-]{1,32}")
_PLAIN = re.compile(r"-?[0-9]{1,20}(?:\.[0-9]{1,20})?")
_TYPE_ALIASES = {"LIMIT_ORDER": LIMIT, "MARKET_ORDER": MARKET}  # the documents' batch example says LIMIT_ORDER


def read_ticket(world: World, params: Mapping[str, str]) -> Ticket:
    """Check an order request up to the balance.

    Raises:
        Refusal: with the venue's code for the first thing that is wrong.
    """
    market = _market(world, params)
    side, kind = params.get("side", ""), params.get("type", "")
    kind = _TYPE_ALIASES.get(kind, kind)
    if side not in ("BUY", "SELL"):
        raise Refusal(44444 if not side else 33333, f"parameter side {'null' if not side else 'wrong'}")
    if kind not in TYPES:
        raise Refusal(44444 if not kind else 33333, f"parameter type {'null' if not kind else 'wrong'}")
    client_id = params.get("newClientOrderId") or None
    if client_id is not None and not CLIENT_ID.fullmatch(client_id):
        raise Refusal(700008, "Illegal characters found in parameter 'newClientOrderId'.")
    _check_open(market, is_buy=side == "BUY", kind=kind)
    ticket = _read_numbers(market, params, is_buy=side == "BUY", kind=kind, client_id=client_id)
    _check_size(ticket)
    _check_price(ticket)
    return ticket


def cap_of(market: Market, *, is_buy: bool, distance: float) -> int | None:
    """The protection cap of a market order in ticks; None when there is no price to derive it from."""
    last = market.last if market.last is not None else market.book.best(is_bid=not is_buy)
    if last is None:
        return None
    exact = Decimal(last) * (1 + Decimal(str(distance)) * (1 if is_buy else -1))
    return max(1, int(exact))


def _market(world: World, params: Mapping[str, str]) -> Market:
    symbol = params.get("symbol", "")
    if not symbol:
        raise Refusal(44444, "parameter symbol null")
    market = world.known(symbol)
    if market is None:
        raise Refusal(-1121, "Invalid symbol.")
    return market


def _check_open(market: Market, *, is_buy: bool, kind: str) -> None:
    coin = market.instrument
    if not market.orders_open:
        raise Refusal(10007, "symbol not support api")
    if market.status != "1":
        raise Refusal(30000, "The trading of this symbol has been suspended")
    if not market.quoting:
        raise Refusal(30016, "Trading disabled")
    if coin.trade_side_type == 4 or coin.trade_side_type == (3 if is_buy else 2):
        raise Refusal(30001, "Current transaction direction is not allowed to place an order")
    if kind == MARKET and not coin.market_orders:
        raise Refusal(30019, "api market order is disabled")


def _read_numbers(
    market: Market, params: Mapping[str, str], *, is_buy: bool, kind: str, client_id: str | None
) -> Ticket:
    coin = market.instrument
    if kind == MARKET:
        by_amount = is_buy and params.get("quoteOrderQty", "") != ""
        if by_amount:
            amount = _units(params["quoteOrderQty"], coin.price_scale, "quoteOrderQty")
            return Ticket(
                market=market, is_buy=True, type=kind, amount=amount * 10**coin.quantity_scale, client_id=client_id
            )
        return Ticket(
            market=market,
            is_buy=is_buy,
            type=kind,
            quantity=_units(params.get("quantity", ""), coin.quantity_scale, "quantity"),
            client_id=client_id,
        )
    quantity = _units(params.get("quantity", ""), coin.quantity_scale, "quantity")
    text = params.get("price", "")
    if not text:
        raise Refusal(44444, "parameter price null")
    price = _scaled(text, coin.price_scale) if _PLAIN.fullmatch(text) else None
    if price is None or price <= 0:
        raise Refusal(33333, "parameter price wrong")
    return Ticket(market=market, is_buy=is_buy, type=kind, price=price, quantity=quantity, client_id=client_id)


def _units(text: str, scale: int, name: str) -> int:
    if not text:
        raise Refusal(10095, f"The amount cannot be null: {name}")
    if not _PLAIN.fullmatch(text):
        raise Refusal(10097, f"The amount is wrong: {name}")
    if Decimal(text) <= 0:
        raise Refusal(10102, f"The amount cannot be zero or negative: {name}")
    units = _scaled(text, scale)
    if units is None:
        raise Refusal(10096, f"The amount has too many decimals: {name}")
    return units


def _scaled(text: str, scale: int) -> int | None:
    """Decimal text as whole units; None when it has more decimals than ``scale``."""
    whole, _, part = text.partition(".")
    part = part.rstrip("0")
    if len(part) > scale:
        return None
    return int(whole + part.ljust(scale, "0")) if whole != "-" else None


def _check_size(ticket: Ticket) -> None:
    market, coin = ticket.market, ticket.market.instrument
    if ticket.quantity is not None and as_quantity(market, ticket.quantity) < Decimal(coin.min_quantity):
        raise Refusal(30002, f"The minimum transaction volume cannot be less than:{coin.min_quantity}{coin.base}")
    price = ticket.price if ticket.price is not None else _reference(market, is_buy=ticket.is_buy)
    if price is None and ticket.amount is None:
        return
    value = as_amount(market, ticket.amount if ticket.amount is not None else (price or 0) * (ticket.quantity or 0))
    if value < Decimal(coin.min_notional):
        raise Refusal(30002, f"The minimum transaction volume cannot be less than:{coin.min_notional}{coin.quote}")
    largest = coin.max_notional_market if ticket.type == MARKET else coin.max_notional
    if value > Decimal(largest):
        raise Refusal(30003, f"The maximum transaction volume cannot be greater than:{largest}{coin.quote}")


def _check_price(ticket: Ticket) -> None:
    """The price band: fractions around the last price (REFERENCE 4.2); market orders are not named there."""
    if ticket.type not in (LIMIT, LIMIT_MAKER, IOC, FOK) or ticket.price is None:
        return
    reference = _reference(ticket.market, is_buy=ticket.is_buy)
    band = ticket.market.instrument.band
    if reference is None or not band:
        return
    up = Decimal(reference) * (Decimal(band) if Decimal(band) > 1 else 1 + Decimal(band))
    down = Decimal(reference) * (1 - min(Decimal(band), Decimal(1)))
    if (ticket.is_buy and ticket.price > up) or (not ticket.is_buy and ticket.price < down):
        raise Refusal(30087, "Order price exceeds allowed range")


def _reference(market: Market, *, is_buy: bool) -> int | None:
    """The last price; before the first trade the best opposite quote (modelled: REFERENCE 4.2 does not know)."""
    return market.last if market.last is not None else market.book.best(is_bid=not is_buy)
