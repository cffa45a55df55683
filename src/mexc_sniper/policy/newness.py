"""Is this coin new? Tells a first listing from a relist, a second quote, a rename, a return and a look-alike.

The order of the questions matters: a name that imitates a known one is never called new, whatever its age; what is
provably the same coin is never called new, whatever its name; and only then does the age of its trading decide.
"""

from typing import Protocol

import msgspec

from mexc_sniper.core.clock import NS_PER_S
from mexc_sniper.core.values import Asset, Symbol
from mexc_sniper.model.listing import KnownSymbol, ListingKind
from mexc_sniper.model.market import Candle

GRACE_NS = 600 * NS_PER_S
"""How far before our last look an opening may lie and still count as new (FIELD 4.5: a candle older than 10 min)."""

_CONTRACT_MIN_LENGTH = 20
"""Shorter contract texts are labels shared by many coins ("xtokens"), REFERENCE 1.6."""


class Baseline(Protocol):
    """What is known already, indexed the ways newness asks for."""

    def get(self, symbol: Symbol) -> KnownSymbol | None: ...
    def with_base(self, base: Asset) -> tuple[KnownSymbol, ...]: ...
    def with_contract(self, contract: str) -> tuple[KnownSymbol, ...]: ...
    def with_coin_id(self, coin_id: str) -> tuple[KnownSymbol, ...]: ...
    def reading_alike(self, base: Asset) -> tuple[KnownSymbol, ...]: ...


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """Everything known about a symbol that may be a new listing.

    Attributes:
        before: its line in the baseline from before this episode; None: never seen.
        unseen_until_ns: the last instant at which a complete answer proved its absence (our wall clock).
        candles: the venue's oldest candles of it; None while not asked or not answerable.
    """

    symbol: Symbol
    base: Asset
    quote: Asset
    contract_address: str = ""
    coin_id: str = ""
    first_open_time_ns: int | None = None
    before: KnownSymbol | None = None
    unseen_until_ns: int
    candles: tuple[Candle, ...] | None = None
    opened: bool = False


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What the candidate is, and one sentence of proof. UNPROVEN asks for more evidence."""

    kind: ListingKind
    proof: str
    related_to: Symbol | None = None
    look_alike_of: Symbol | None = None


def telling_contract(contract: str) -> str:
    """Return a contract address that identifies a coin, in one letter case; empty when it does not."""
    text = contract.strip()
    return text.casefold() if len(text) >= _CONTRACT_MIN_LENGTH and text.strip("0x") != "" else ""


def classify(candidate: Candidate, baseline: Baseline, *, sibling: Symbol | None = None) -> Verdict:
    """Judge a candidate.

    Args:
        candidate: what is known about it.
        baseline: what was known before, this candidate's own line included.
        sibling: a pair of the same coin that belongs to the same opening and goes first (quote preference); the
            candidate is then its second quote.
    """
    if candidate.before is not None and candidate.before.absent_since_ns is not None:
        return Verdict(
            kind=ListingKind.RETURNED,
            proof="The symbol was known, was absent from the lists, and is back.",
            related_to=candidate.symbol,
        )
    if imitated := _imitated(candidate, baseline):
        return Verdict(
            kind=ListingKind.LOOK_ALIKE,
            proof=f"Its name reads like {imitated.base} but is written with other characters.",
            look_alike_of=imitated.symbol,
        )
    if same_coin := _same_coin(candidate, baseline):
        kind = ListingKind.SECOND_QUOTE if same_coin.base == candidate.base else ListingKind.RENAMED
        return Verdict(
            kind=kind,
            proof=f"The same coin (contract or coin id) is known as {same_coin.symbol}.",
            related_to=same_coin.symbol,
        )
    if same_base := _same_ticker(candidate, baseline):
        return Verdict(
            kind=ListingKind.SECOND_QUOTE,
            proof=f"The coin already trades as {same_base.symbol}.",
            related_to=same_base.symbol,
        )
    if sibling is not None:
        return Verdict(
            kind=ListingKind.SECOND_QUOTE,
            proof=f"The coin opens as {sibling} at the same time.",
            related_to=sibling,
        )
    return _by_age(candidate)


def _imitated(candidate: Candidate, baseline: Baseline) -> KnownSymbol | None:
    if not candidate.base:
        return None
    return next((k for k in baseline.reading_alike(candidate.base) if k.base != candidate.base), None)


def _same_coin(candidate: Candidate, baseline: Baseline) -> KnownSymbol | None:
    matches = (
        *(baseline.with_contract(c) if (c := telling_contract(candidate.contract_address)) else ()),
        *(baseline.with_coin_id(candidate.coin_id) if candidate.coin_id else ()),
    )
    return next((k for k in matches if k.symbol != candidate.symbol and _listed(k)), None)


def _same_ticker(candidate: Candidate, baseline: Baseline) -> KnownSymbol | None:
    """Find another pair of the ticker, unless contracts or coin ids prove it to be another coin (tickers repeat)."""
    for known in baseline.with_base(candidate.base) if candidate.base else ():
        if known.symbol == candidate.symbol or not _listed(known):
            continue
        mine, theirs = telling_contract(candidate.contract_address), telling_contract(known.contract_address)
        if mine and theirs and mine != theirs:
            continue
        if candidate.coin_id and known.coin_id and candidate.coin_id != known.coin_id:
            continue
        return known
    return None


def _listed(known: KnownSymbol) -> bool:
    return known.in_exchange_info or known.in_default_symbols


def _by_age(candidate: Candidate) -> Verdict:
    limit_ns = candidate.unseen_until_ns - GRACE_NS
    old = Verdict(
        kind=ListingKind.RELIST,
        proof="It traded before: ",
        related_to=candidate.symbol,
    )
    opens = candidate.first_open_time_ns
    if opens is not None and opens < limit_ns:
        return msgspec.structs.replace(old, proof=old.proof + "the venue's first opening time lies in the past.")
    for candle in candidate.candles or ():
        # Only a candle that lies wholly before our last look proves trading before it; a day's candle that
        # contains the opening proves nothing.
        if candle.open_time_ns + candle.interval_s * NS_PER_S <= limit_ns:
            return msgspec.structs.replace(old, proof=old.proof + "the venue holds candles from before.")
    if candidate.candles is not None:
        proof = "No candle is older than its opening." if candidate.candles else "The venue holds no candle of it yet."
        return Verdict(kind=ListingKind.NEW, proof=proof)
    if opens is not None:
        return Verdict(kind=ListingKind.NEW, proof="The venue's first opening time is not in the past.")
    return Verdict(kind=ListingKind.UNPROVEN, proof="")
