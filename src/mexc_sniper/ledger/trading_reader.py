"""Trading's part of `LedgerReader`: every method is one read transaction; `TradingView` says what each returns."""

from abc import ABC, abstractmethod
from contextlib import AbstractContextManager

from mexc_sniper.core.ids import ClientOrderId, ListingId, PositionId, TradeId
from mexc_sniper.core.values import Symbol
from mexc_sniper.ledger.audit import AuditHead, AuditRow
from mexc_sniper.ledger.trading_view import Realized, TradeLatencies, TradingView
from mexc_sniper.model.account import Account, Balance
from mexc_sniper.model.market import Side
from mexc_sniper.model.order import Fill, Order
from mexc_sniper.model.position import Position
from mexc_sniper.model.trading import Attention, Decision, Trade, TradeStatus, TradingStatus


class TradingReader(ABC):
    """Needs only a way to one consistent moment."""

    @abstractmethod
    def snapshot(self) -> AbstractContextManager[TradingView]:
        """One consistent moment."""

    def trades(
        self,
        *,
        limit: int,
        offset: int = 0,
        mode: Account | None = None,
        status: TradeStatus | None = None,
        symbol: Symbol | None = None,
        side: Side | None = None,
    ) -> tuple[list[Trade], int]:
        with self.snapshot() as view:
            return view.trades(limit=limit, offset=offset, mode=mode, status=status, symbol=symbol, side=side)

    def trade(self, trade_id: TradeId) -> Trade | None:
        with self.snapshot() as view:
            return view.trade(trade_id)

    def positions(self, *, open_only: bool = True, limit: int, offset: int = 0) -> tuple[list[Position], int]:
        with self.snapshot() as view:
            return view.positions(open_only=open_only, limit=limit, offset=offset)

    def position(self, position_id: PositionId) -> Position | None:
        with self.snapshot() as view:
            return view.position(position_id)

    def orders(
        self, *, limit: int, offset: int = 0, symbol: Symbol | None = None, open_only: bool = False
    ) -> tuple[list[Order], int]:
        with self.snapshot() as view:
            return view.orders(limit=limit, offset=offset, symbol=symbol, open_only=open_only)

    def order(self, account: Account, client_order_id: ClientOrderId) -> Order | None:
        with self.snapshot() as view:
            return view.order(account, client_order_id)

    def fills(self, client_order_id: ClientOrderId) -> list[Fill]:
        with self.snapshot() as view:
            return view.fills(client_order_id)

    def decisions(self, listing_id: ListingId) -> list[Decision]:
        with self.snapshot() as view:
            return view.decisions(listing_id)

    def trading(self) -> TradingStatus | None:
        with self.snapshot() as view:
            return view.trading()

    def balances(self) -> list[Balance]:
        with self.snapshot() as view:
            return view.balances()

    def attention(self, open_only: bool = True) -> list[Attention]:
        with self.snapshot() as view:
            return view.attention(open_only)

    def latencies(self, since_ns: int, *, limit: int = 50_000) -> list[TradeLatencies]:
        with self.snapshot() as view:
            return view.latencies(since_ns, limit=limit)

    def realized(self, since_ns: int = 0) -> list[Realized]:
        with self.snapshot() as view:
            return view.realized(since_ns)

    def audit(self, limit: int, offset: int = 0) -> tuple[list[AuditRow], int]:
        with self.snapshot() as view:
            return view.audit(limit, offset)

    def audit_head(self) -> AuditHead:
        with self.snapshot() as view:
            return view.audit_head()

    def verify_audit(self, known: AuditHead | None = None) -> int | None:
        with self.snapshot() as view:
            return view.verify_audit(known)
