"""The pairs that already exist when the simulator starts: seeded, with the recorded field shapes and proportions.

Proportions: quotes as in the recorded defaultSymbols of 2025-12-31 (1875 USDT, 76 USDC, 20 BTC, 9 ETH, 8 EUR,
1 USDE of 1992), 91 of 1950 closed to the API (REFERENCE 1.6), three names not in ASCII.
"""

from dataclasses import replace
from random import Random

from mexc_sim.core.instrument import Instrument, coin_id, hex_id
from mexc_sim.core.numbers import price_scale_for, quantity_scale_for

_MS_PER_DAY = 86_400_000
_SYLLABLES = (
    (
        "ba be bi bo bu ca co cu da de di do du fa fe fi fo ga ge go gu ha he hi ho ja jo ka ke ki ko la le li lo lu "
        "ma me mi mo mu na ne ni no nu pa pe pi po pu qa ra re ri ro ru sa se si so su ta te ti to tu va ve vi vo wa "
        "wi xa xe xi ya yo za ze zi zo zu"
    )
    .upper()
    .split()
)
_ENDINGS = ("", "", "", "", "N", "X", "R", "S", "AI", "FI", "DAO", "2", "X", "L")
_WORDS = ("Protocol", "Network", "Token", "Finance", "Chain", "Labs", "Coin", "World", "Swap", "Games")
_QUOTE_SHARES = (("USDC", 76), ("BTC", 20), ("ETH", 9), ("EUR", 8), ("USDE", 1))
_QUOTE_VALUE = {"USDT": 1.0, "USDC": 1.0, "USDE": 1.0, "EUR": 1.1, "BTC": 65_000.0, "ETH": 3_200.0}
_MIN_NOTIONAL = {"USDT": "1", "USDC": "5", "USDE": "1", "EUR": "1", "BTC": "0.000005", "ETH": "0.0001"}
_MAJORS = (
    ("BTC", "Bitcoin", 65_000.0),
    ("ETH", "Ethereum", 3_200.0),
    ("SOL", "Solana", 180.0),
    ("MX", "MX Token", 3.2),
)
NON_ASCII_BASES = ("星空兔", "月光面包", "小火山")
_PLATES = (
    (5, "mc-trade-zone-layer1"),
    (12, "mc-trade-zone-pow"),
    (39, "mc-trade-zone-defi"),
    (51, "mc-trade-zone-meme"),
)


def invent_base(random: Random) -> str:
    """Invent a ticker of three to nine capitals, such as ``KOVARI``."""
    return "".join(random.choice(_SYLLABLES) for _ in range(random.choice((2, 2, 2, 3, 3, 4)))) + random.choice(
        _ENDINGS
    )


def invent_instrument(
    random: Random,
    *,
    base: str,
    quote: str = "USDT",
    usdt_price: float | None = None,
    full_name: str | None = None,
    first_open_ms: int | None = None,
    contract: str | None = None,
) -> Instrument:
    """Make a pair with plausible rules; what is not given is drawn from ``random``."""
    if usdt_price is None:
        usdt_price = 10 ** random.uniform(-5.5, 1.2)
    price = usdt_price / _QUOTE_VALUE.get(quote, 1.0)
    quantity_scale = quantity_scale_for(usdt_price)
    plate_count = random.choice((0, 1, 1, 2, 3))
    plates = tuple(sorted(random.sample(_PLATES, plate_count)))
    return Instrument(
        symbol=f"{base}{quote}",
        base=base,
        quote=quote,
        full_name=full_name or f"{base.title()} {random.choice(_WORDS)}",
        price_scale=price_scale_for(price),
        quantity_scale=quantity_scale,
        min_quantity=random.choice(("0", "0", "0", "0.1", "0.01")) if quantity_scale == 2 else "0.000001",
        min_notional=_MIN_NOTIONAL.get(quote, "1"),
        reference_price=price,
        first_open_ms=first_open_ms,
        contract=("0x" + hex_id("contract", base, random.getrandbits(64)) + "9f4c2a1d")
        if contract is None
        else contract,
        coin_id=coin_id(base),
        plates=tuple(name for _, name in plates),
        plate_ids=tuple(number for number, _ in plates),
        taker_fee="0.0005",
    )


def sibling(instrument: Instrument, quote: str) -> Instrument:
    """The same coin against another quote currency."""
    price = instrument.reference_price * _QUOTE_VALUE.get(instrument.quote, 1.0) / _QUOTE_VALUE.get(quote, 1.0)
    return replace(
        instrument,
        symbol=f"{instrument.base}{quote}",
        quote=quote,
        price_scale=price_scale_for(price),
        min_notional=_MIN_NOTIONAL.get(quote, "1"),
        reference_price=price,
    )


def generate(seed: int, count: int, now_ms: int) -> list[tuple[Instrument, bool]]:
    """Make ``count`` pairs; the flag says whether ordinary API keys may trade it (about 95 in 100)."""
    random = Random(f"universe:{seed}")
    others = [(quote, max(1, round(count * share / 1992))) for quote, share in _QUOTE_SHARES] if count >= 40 else []
    usdt_count = max(1, count - sum(number for _, number in others))
    coins = _coins(random, usdt_count, now_ms)
    pairs: list[tuple[Instrument, bool]] = [(coin, _api_open(random, coin)) for coin in coins]
    for quote, number in others:
        candidates = [coin for coin in coins if coin.base != quote]
        for coin in random.sample(candidates, min(number, len(candidates))):
            opened_ms = min(now_ms - _MS_PER_DAY, (coin.first_open_ms or now_ms) + random.randrange(400 * _MS_PER_DAY))
            pairs.append((replace(sibling(coin, quote), first_open_ms=opened_ms), True))
    if others and all(pair.symbol != "BTCUSDC" for pair, _ in pairs):
        pairs[-1] = (sibling(coins[0], "USDC"), True)
    return pairs


def _coins(random: Random, count: int, now_ms: int) -> list[Instrument]:
    taken: dict[str, None] = {}
    coins: list[Instrument] = []
    for base, name, price in _MAJORS[:count]:
        taken[base] = None
        made = invent_instrument(
            random, base=base, usdt_price=price, full_name=name, first_open_ms=now_ms - 2_000 * _MS_PER_DAY, contract=""
        )
        coins.append(replace(made, band="0.005", max_notional="4000000", max_notional_market="4000000"))
    extra = list(NON_ASCII_BASES)
    while len(coins) < count:
        base = extra.pop() if extra and count >= 40 else invent_base(random)
        if base in taken:
            continue
        taken[base] = None
        age_days = 30 + int(2_100 * random.random() ** 2)
        opened = now_ms - age_days * _MS_PER_DAY - random.randrange(_MS_PER_DAY)
        coins.append(_with_oddities(random, invent_instrument(random, base=base, first_open_ms=opened)))
    return coins


def _with_oddities(random: Random, coin: Instrument) -> Instrument:
    """The rare shapes a parser must survive."""
    draw = random.random()
    if draw < 0.02:
        return replace(coin, market_orders=False)
    if draw < 0.05:
        return replace(coin, special_treatment=True)
    if draw < 0.055:
        return replace(coin, trade_side_type=random.choice((2, 3, 4)))
    if draw < 0.085:
        return replace(coin, plates=("mc-trade-zone-xStocks",), plate_ids=(64,), contract="xtokens")
    if draw < 0.16:
        return replace(coin, first_open_ms=None)
    if draw < 0.20:
        return replace(coin, contract="")
    return coin


def _api_open(random: Random, coin: Instrument) -> bool:
    if coin.base in ("BTC", "ETH"):  # as recorded on 2025-12-31 (REFERENCE 1.6)
        return False
    return random.random() >= 0.047
