"""Paper money: what is free, what is tied up, and for which order. The dry-run account's only truth (DESIGN 2)."""

from collections.abc import Iterable
from decimal import Decimal

from mexc_sniper.core.errors import InvariantError
from mexc_sniper.core.ids import ClientOrderId
from mexc_sniper.core.values import Asset
from mexc_sniper.model.account import Account, Balance
from mexc_sniper.venues.paper.exact import minus, plus

ZERO = Decimal(0)


class PaperAccount:
    """Totals by asset and the part of them each order has reserved. No operation leaves anything below zero."""

    def __init__(self, totals: dict[Asset, Decimal]) -> None:
        self._totals = dict(totals)
        self._reserved: dict[ClientOrderId, tuple[Asset, Decimal]] = {}
        self._changed: dict[Asset, None] = {}

    def total(self, asset: Asset) -> Decimal:
        """Return what the account owns of an asset, reserved or not."""
        return self._totals.get(asset, ZERO)

    def locked(self, asset: Asset) -> Decimal:
        """Return what orders have reserved of an asset."""
        return sum((amount for owner, amount in self._reserved.values() if owner == asset), ZERO)

    def free(self, asset: Asset) -> Decimal:
        """Return what the next order may reserve."""
        return minus(self.total(asset), self.locked(asset))

    def reserve(self, order: ClientOrderId, asset: Asset, amount: Decimal) -> bool:
        """Tie up what an order may cost; returns False, and changes nothing, when that is not there."""
        if not amount.is_finite() or amount < 0 or amount > self.free(asset):
            return False
        self._reserved[order] = (asset, amount)
        self._changed[asset] = None
        return True

    def release(self, order: ClientOrderId) -> None:
        """Give back what an order has not used; idempotent."""
        gone = self._reserved.pop(order, None)
        if gone is not None:
            self._changed[gone[0]] = None

    def exchange(self, order: ClientOrderId, *, pays: Decimal, gets: Asset, amount: Decimal) -> None:
        """Settle one fill: pay out of the order's reservation, receive another asset.

        Raises:
            InvariantError: when the order has not reserved that much.
        """
        asset, left = self._reserved.get(order, (gets, ZERO))
        if pays > left:
            raise InvariantError(f"paper order {order} pays {pays} {asset} and has reserved {left}")
        self._reserved[order] = (asset, minus(left, pays))
        self._totals[asset] = minus(self.total(asset), pays)
        self._totals[gets] = plus(self.total(gets), amount)
        self._changed[asset] = self._changed[gets] = None

    def take_changed(self) -> tuple[Balance, ...]:
        """Return the balances that changed since the last call."""
        changed, self._changed = self._changed, {}
        return self._balances(changed)

    def all(self) -> tuple[Balance, ...]:
        """Return every balance that is not zero."""
        return tuple(balance for balance in self._balances(self._totals) if balance.free or balance.locked)

    def _balances(self, assets: Iterable[Asset]) -> tuple[Balance, ...]:
        return tuple(Balance(Account.PAPER, asset, self.free(asset), self.locked(asset)) for asset in assets)
