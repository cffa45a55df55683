"""What sort of coin it is, from the venue's own categories and exact lists, never from a suffix guess alone."""

import re
from collections.abc import Container

from mexc_sniper.model.instrument import Instrument

_STABLES = frozenset(
    [
        "USDT",
        "USDC",
        "USD1",
        "USDE",
        "FDUSD",
        "TUSD",
        "DAI",
        "USDD",
        "USDP",
        "PYUSD",
        "GUSD",
        "EURC",
        "EURT",
        "EURI",
        "EUR",
        "BUSD",
        "FRAX",
        "LUSD",
        "SUSD",
        "USDS",
        "RLUSD",
    ]
)
_WRAPPED = frozenset(
    [
        "WBTC",
        "WETH",
        "WBNB",
        "WSOL",
        "WSTETH",
        "STETH",
        "CBBTC",
        "CBETH",
        "WEETH",
        "EZETH",
        "RETH",
        "BNSOL",
        "JITOSOL",
        "MSOL",
    ]
)
_LEVERAGED_NAME = re.compile(r"(?P<coin>.{2,})(?P<factor>[2-5])(?P<side>[LS])")
_STOCK_PLATES = ("mc-trade-zone-xstocks", "mc-trade-zone-stock", "mc-trade-zone-ondo")
_LEVERAGED_PLATES = ("mc-trade-zone-etf", "mc-trade-zone-leveraged")
_COMMODITY_PLATES = ("mc-trade-zone-metals", "mc-trade-zone-oil")


def categories(instrument: Instrument, *, known_bases: Container[str] = ()) -> tuple[str, ...]:
    """Return the categories of an instrument: leveraged, stocks, stables, wrapped, commodities.

    Args:
        instrument: its row; ``concept_plates`` is the venue's own word and decides where it speaks.
        known_bases: coins that trade; a name such as ``XRP3L`` is leveraged only where ``XRP`` is one of them, so an
            ordinary coin whose name merely ends alike is left alone.
    """
    plates = tuple(plate.casefold() for plate in instrument.concept_plates)
    found = []
    leveraged_name = _LEVERAGED_NAME.fullmatch(instrument.base)
    if any(plate.startswith(_LEVERAGED_PLATES) for plate in plates) or (
        leveraged_name is not None and leveraged_name["coin"] in known_bases
    ):
        found.append("leveraged")
    if any(plate.startswith(_STOCK_PLATES) for plate in plates):
        found.append("stocks")
    if any(plate.startswith(_COMMODITY_PLATES) for plate in plates):
        found.append("commodities")
    if instrument.base in _STABLES:
        found.append("stables")
    if instrument.base in _WRAPPED:
        found.append("wrapped")
    return tuple(found)
