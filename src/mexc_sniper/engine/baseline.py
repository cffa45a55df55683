"""The baseline: every symbol that is no news any more, with the indexes that newness asks for."""

from collections import defaultdict
from collections.abc import Container, Iterable
from typing import Any

import msgspec

from mexc_sniper.core.values import Asset, Symbol
from mexc_sniper.model.listing import KnownSymbol
from mexc_sniper.policy.newness import telling_contract
from mexc_sniper.policy.skeleton import skeleton


class Baseline:
    """Known symbols by name, base, contract, coin id and look.

    Dictionaries are used as ordered sets throughout: the order of answers must not depend on hashing.
    """

    def __init__(self, symbols: Iterable[KnownSymbol] = ()) -> None:
        self._known: dict[Symbol, KnownSymbol] = {}
        self._by_base: defaultdict[str, dict[Symbol, None]] = defaultdict(dict)
        self._by_contract: defaultdict[str, dict[Symbol, None]] = defaultdict(dict)
        self._by_coin_id: defaultdict[str, dict[Symbol, None]] = defaultdict(dict)
        self._by_skeleton: defaultdict[str, dict[Symbol, None]] = defaultdict(dict)
        self._unsaved: dict[Symbol, None] = {}
        for known in symbols:
            self._put(known)

    def __len__(self) -> int:
        return len(self._known)

    def __contains__(self, symbol: Symbol) -> bool:
        return symbol in self._known

    def get(self, symbol: Symbol) -> KnownSymbol | None:
        """Return what is known of a symbol, or None."""
        return self._known.get(symbol)

    def with_base(self, base: Asset) -> tuple[KnownSymbol, ...]:
        """Return every known pair of a ticker."""
        return self._all(self._by_base.get(base))

    def with_contract(self, contract: str) -> tuple[KnownSymbol, ...]:
        """Return every known pair of a contract (as `telling_contract` writes it)."""
        return self._all(self._by_contract.get(contract))

    def with_coin_id(self, coin_id: str) -> tuple[KnownSymbol, ...]:
        """Return every known pair of the venue's coin id."""
        return self._all(self._by_coin_id.get(coin_id))

    def reading_alike(self, base: Asset) -> tuple[KnownSymbol, ...]:
        """Return every known pair whose ticker reads like this one, the same ticker included."""
        return self._all(self._by_skeleton.get(skeleton(base)))

    def bases(self) -> Container[str]:
        """Return every known ticker, as a view: an entry asks, and must not wait for a copy of thousands."""
        return self._by_base.keys()

    def learn(self, known: KnownSymbol) -> None:
        """Insert or replace a line; kept for the next `take_unsaved`."""
        if self._known.get(known.symbol) == known:
            return
        self._put(known)
        self._unsaved[known.symbol] = None

    def update(self, symbol: Symbol, **changes: Any) -> None:
        """Change fields of a known line."""
        self.learn(msgspec.structs.replace(self._known[symbol], **changes))

    def take_unsaved(self) -> tuple[KnownSymbol, ...]:
        """Return the lines changed since the last call, for the ledger."""
        if not self._unsaved:
            return ()
        lines = tuple(self._known[symbol] for symbol in self._unsaved)
        self._unsaved.clear()
        return lines

    def present(self) -> Iterable[KnownSymbol]:
        """Iterate over the lines that are in the venue's lists."""
        return (known for known in self._known.values() if known.in_exchange_info or known.in_default_symbols)

    def _put(self, known: KnownSymbol) -> None:
        old = self._known.get(known.symbol)
        self._known[known.symbol] = known
        for index, key_of in (
            (self._by_base, lambda k: k.base),
            (self._by_contract, lambda k: telling_contract(k.contract_address)),
            (self._by_coin_id, lambda k: k.coin_id),
            (self._by_skeleton, lambda k: skeleton(k.base)),
        ):
            new_key = key_of(known)
            old_key = key_of(old) if old is not None else None
            if old_key == new_key:
                continue
            if old_key:
                index[old_key].pop(known.symbol, None)
                if not index[old_key]:
                    del index[old_key]
            if new_key:
                index[new_key][known.symbol] = None

    def _all(self, symbols: dict[Symbol, None] | None) -> tuple[KnownSymbol, ...]:
        return tuple(self._known[symbol] for symbol in symbols) if symbols else ()
