"""What is read about trading, in the same moment as everything else of a `LedgerView`."""

from collections.abc import Iterator
from decimal import Decimal

import msgspec
from sqlalchemy import ColumnElement, func, not_, or_, select

from mexc_sniper.core.clock import NS_PER_S
from mexc_sniper.core.ids import ClientOrderId, ListingId, PositionId, TradeId
from mexc_sniper.core.values import Asset, Symbol
from mexc_sniper.ledger.audit import AuditHead, AuditRow, StoredAuditRow, first_broken
from mexc_sniper.ledger.codec import column_text, to_json
from mexc_sniper.ledger.queries import Queries
from mexc_sniper.ledger.trading_tables import (
    attention,
    audit,
    balances,
    decisions,
    fills,
    orders,
    positions,
    trades,
    trading,
)
from mexc_sniper.model.account import Account, Balance
from mexc_sniper.model.market import Side
from mexc_sniper.model.order import TERMINAL, Fill, Order
from mexc_sniper.model.position import Position, PositionStatus
from mexc_sniper.model.restored import Restored
from mexc_sniper.model.trading import Attention, AttentionKind, Decision, Trade, TradeStatus, TradingStatus

Realized = tuple[Account, int, Decimal]
"""Account, closing time (ns), profit in quote asset."""

_DAY_NS = 86_400 * NS_PER_S
_FIRST_FILL_BEFORE_NS = 60 * NS_PER_S
"""A position is opened by the fill that was received just before."""

_AUDIT_PAGE = 1_000
_NO_COMMAND = ("config", "trading", "order", "fill")
"""What audit rows tell of besides commands, which carry their verb."""

_ENDED = [status.value for status in TERMINAL]
_CLOSED = [PositionStatus.CLOSED.value, PositionStatus.CLOSED_WITH_DUST.value]
_UNDECIDED = [TradeStatus.PENDING.value, TradeStatus.IN_DOUBT.value, TradeStatus.HIGH_VALUE_PENDING.value]


class TradeLatencies(msgspec.Struct, frozen=True, kw_only=True):
    """One trade's delays in ns, as `mexc_sniper.model.trading.Trade` names them; None: not known."""

    account: Account
    created_ns: int
    source_lag_ns: int | None
    tick_to_trade_ns: int | None
    round_trip_ns: int | None
    ack_to_fill_ns: int | None
    open_to_order_ns: int | None


class TradingView(Queries):
    """The queries about trading."""

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
        """Return a page of trades, newest first, and how many there are in all.

        Args:
            limit: rows of the page.
            offset: rows to skip.
            mode: only those of this account (PAPER is what the page calls dry-run).
            status: only those that stand so.
            symbol: only those in exactly this symbol.
            side: only buys or only sells.
        """
        wanted: list[ColumnElement[bool]] = []
        if mode is not None:
            wanted.append(trades.c.account == mode.value)
        if status is not None:
            wanted.append(trades.c.status == status.value)
        if symbol is not None:
            wanted.append(trades.c.symbol == column_text(symbol))
        if side is not None:
            wanted.append(trades.c.side == side.value)
        page = (
            select(trades.c.body)
            .where(*wanted)
            .order_by(trades.c.created_ns.desc(), trades.c.id.desc())
            .limit(limit)
            .offset(offset)
        )
        return self._all(page, Trade), self._count(select(func.count()).select_from(trades).where(*wanted))

    def trade(self, trade_id: TradeId) -> Trade | None:
        """Return one trade, None if there is none."""
        return self._one(select(trades.c.body).where(trades.c.id == column_text(trade_id)), Trade)

    def positions(self, *, open_only: bool = True, limit: int, offset: int = 0) -> tuple[list[Position], int]:
        """Return a page of positions, newest first, and how many there are; by default those not closed."""
        wanted = [positions.c.status.not_in(_CLOSED)] if open_only else []
        page = (
            select(positions.c.body)
            .where(*wanted)
            .order_by(positions.c.opened_ns.desc(), positions.c.id.desc())
            .limit(limit)
            .offset(offset)
        )
        return self._all(page, Position), self._count(select(func.count()).select_from(positions).where(*wanted))

    def position(self, position_id: PositionId) -> Position | None:
        """Return one position, None if there is none."""
        return self._one(select(positions.c.body).where(positions.c.id == column_text(position_id)), Position)

    def orders(
        self, *, limit: int, offset: int = 0, symbol: Symbol | None = None, open_only: bool = False
    ) -> tuple[list[Order], int]:
        """Return a page of orders, newest first, and how many there are in all.

        Args:
            limit: rows of the page.
            offset: rows to skip.
            symbol: only those in exactly this symbol.
            open_only: only those whose end is not known (IN_DOUBT is open).
        """
        wanted: list[ColumnElement[bool]] = []
        if symbol is not None:
            wanted.append(orders.c.symbol == column_text(symbol))
        if open_only:
            wanted.append(orders.c.status.not_in(_ENDED))
        page = (
            select(orders.c.body)
            .where(*wanted)
            .order_by(orders.c.created_ns.desc(), orders.c.client_order_id.desc())
            .limit(limit)
            .offset(offset)
        )
        return self._all(page, Order), self._count(select(func.count()).select_from(orders).where(*wanted))

    def order(self, account: Account, client_order_id: ClientOrderId) -> Order | None:
        """Return one order, None if there is none."""
        return self._one(
            select(orders.c.body).where(
                orders.c.account == account.value, orders.c.client_order_id == column_text(client_order_id)
            ),
            Order,
        )

    def fills(self, client_order_id: ClientOrderId) -> list[Fill]:
        """Return an order's executions by the venue's time."""
        return self._all(
            select(fills.c.body)
            .where(fills.c.client_order_id == column_text(client_order_id))
            .order_by(fills.c.ts_event_ns, fills.c.trade_id),
            Fill,
        )

    def decisions(self, listing_id: ListingId) -> list[Decision]:
        """Return every decision on a listing, oldest first; each attempt decides anew."""
        return self._all(
            select(decisions.c.body).where(decisions.c.listing_id == column_text(listing_id)).order_by(decisions.c.seq),
            Decision,
        )

    def trading(self) -> TradingStatus | None:
        """Return what is allowed now; None before the engine has ever said so."""
        return self._one(select(trading.c.body), TradingStatus)

    def balances(self) -> list[Balance]:
        """Return the last known balances of both accounts, by account and asset; those at zero included."""
        return self._all(select(balances.c.body).order_by(balances.c.account, balances.c.asset), Balance)

    def attention(self, open_only: bool = True) -> list[Attention]:
        """Return what needs a person, oldest first; by default what is not resolved."""
        wanted = [attention.c.resolved_ns.is_(None)] if open_only else []
        return self._all(
            select(attention.c.body).where(*wanted).order_by(attention.c.raised_ns, attention.c.id), Attention
        )

    def latencies(self, since_ns: int, *, limit: int = 50_000) -> list[TradeLatencies]:
        """Return the delays of up to ``limit`` trades made at a wall time or later, newest first."""
        rows = (
            select(
                trades.c.account,
                trades.c.created_ns,
                trades.c.source_lag_ns,
                trades.c.tick_to_trade_ns,
                trades.c.round_trip_ns,
                trades.c.ack_to_fill_ns,
                trades.c.open_to_order_ns,
            )
            .where(trades.c.created_ns >= since_ns)
            .order_by(trades.c.created_ns.desc(), trades.c.id.desc())
            .limit(limit)
        )
        return [
            TradeLatencies(
                account=Account(row.account),
                created_ns=row.created_ns,
                source_lag_ns=row.source_lag_ns,
                tick_to_trade_ns=row.tick_to_trade_ns,
                round_trip_ns=row.round_trip_ns,
                ack_to_fill_ns=row.ack_to_fill_ns,
                open_to_order_ns=row.open_to_order_ns,
            )
            for row in self._db.execute(rows)
        ]

    def trades_since(self, since_ns: int, *, limit: int) -> list[Trade]:
        """Return up to ``limit`` trades made at a wall time or later, newest first."""
        return self._all(
            select(trades.c.body)
            .where(trades.c.created_ns >= since_ns)
            .order_by(trades.c.created_ns.desc(), trades.c.id.desc())
            .limit(limit),
            Trade,
        )

    def closed_positions(self, since_ns: int = 0) -> list[Position]:
        """Return every position closed at a wall time or later, in the order of closing."""
        return self._all(
            select(positions.c.body)
            .where(positions.c.status.in_(_CLOSED), positions.c.closed_ns >= since_ns)
            .order_by(positions.c.closed_ns, positions.c.id),
            Position,
        )

    def realized(self, since_ns: int = 0) -> list[Realized]:
        """Return the profit of every position closed at a wall time or later, in the order of closing."""
        return [
            (position.account, position.closed_ns, position.realized_pnl)
            for position in self.closed_positions(since_ns)
            if position.closed_ns is not None
        ]

    def entered_bases(self) -> list[tuple[Account, Asset]]:
        """Return every base asset that was ever entered, by account."""
        one_each = select(func.min(positions.c.id)).group_by(positions.c.account, positions.c.base)
        found = self._all(select(positions.c.body).where(positions.c.id.in_(one_each)), Position)
        return sorted((position.account, position.base) for position in found)

    def audit(
        self, limit: int, offset: int = 0, *, what: str | None = None, text: str | None = None
    ) -> tuple[list[AuditRow], int]:
        """Return a page of the audit, newest first, and how many rows there are.

        Args:
            limit: rows of the page.
            offset: rows to skip.
            what: only this kind: ``command`` (whatever its verb), config, trading, order or fill.
            text: only rows that hold it in any of their texts. Both read the whole table.
        """
        wanted: list[ColumnElement[bool]] = []
        # The body is compact JSON and escapes the quotes in its texts, so these words can only be the field itself.
        kinds = {kind: audit.c.body.contains(f'"what":"{kind}"', autoescape=True) for kind in _NO_COMMAND}
        if what is not None:
            wanted.append(kinds[what] if what in kinds else not_(or_(*kinds.values())))
        if text:
            wanted.append(audit.c.body.contains(to_json(text)[1:-1], autoescape=True))
        page = select(audit.c.body).where(*wanted).order_by(audit.c.number.desc()).limit(limit).offset(offset)
        return self._all(page, AuditRow), self._count(select(func.count()).select_from(audit).where(*wanted))

    def audit_head(self) -> AuditHead:
        """Return the end of the audit's chain; kept elsewhere, it proves later that nothing was cut off."""
        row = self._db.execute(select(audit.c.number, audit.c.hash).order_by(audit.c.number.desc()).limit(1)).first()
        return AuditHead() if row is None else AuditHead(row.number, row.hash)

    def verify_audit(self, known: AuditHead | None = None) -> int | None:
        """Return the number of the first audit row that is missing or not what was written; None if all are.

        ``known`` is a head noted earlier: it must still be in the chain. Reads every row.
        """
        return first_broken(self._audit_rows(), known)

    def _audit_rows(self) -> Iterator[StoredAuditRow]:
        """Every row in order, a page at a time."""
        after = None
        while True:
            page = select(audit.c.number, audit.c.body, audit.c.hash).order_by(audit.c.number).limit(_AUDIT_PAGE)
            rows = self._db.execute(page if after is None else page.where(audit.c.number > after)).all()
            for row in rows:
                yield StoredAuditRow(number=row.number, body=row.body, hash=row.hash)
            if len(rows) < _AUDIT_PAGE:
                return
            after = rows[-1].number

    def _acknowledged(self, now_ns: int) -> Iterator[str]:
        """Yield the ids of foreign orders resolved lately; longer than the venue lists an order (REFERENCE 1.7)."""
        wanted = select(attention.c.id).where(
            attention.c.kind == AttentionKind.FOREIGN_ORDER.value, attention.c.resolved_ns >= now_ns - 8 * _DAY_NS
        )
        for row in self._db.execute(wanted):
            yield row.id

    def _with_trading(self, restored: Restored, now_ns: int) -> Restored:
        """Add what trading needs to go on; see `Restored`."""
        unsettled = orders.c.settled_ns.is_(None)
        recent = or_(unsettled, orders.c.created_ns >= now_ns - _DAY_NS)
        of_orders = (
            select(orders.c.client_order_id)
            .where(recent, orders.c.account == fills.c.account, orders.c.client_order_id == fills.c.client_order_id)
            .exists()
        )
        of_positions = (
            select(positions.c.id)
            .where(
                positions.c.status.not_in(_CLOSED),
                positions.c.account == fills.c.account,
                positions.c.symbol == fills.c.symbol,
                fills.c.ts_recv_ns >= positions.c.opened_ns - _FIRST_FILL_BEFORE_NS,
            )
            .exists()
        )
        of_unsettled = select(orders.c.client_order_id).where(unsettled)
        return msgspec.structs.replace(
            restored,
            orders=tuple(self._all(select(orders.c.body).where(recent).order_by(orders.c.created_ns), Order)),
            fills=tuple(
                self._all(
                    select(fills.c.body)
                    .where(or_(of_orders, of_positions))
                    .order_by(fills.c.ts_event_ns, fills.c.client_order_id, fills.c.trade_id),
                    Fill,
                )
            ),
            positions=tuple(
                self._all(
                    select(positions.c.body)
                    .where(or_(positions.c.status.not_in(_CLOSED), positions.c.closed_ns >= now_ns - _DAY_NS))
                    .order_by(positions.c.opened_ns, positions.c.id),
                    Position,
                )
            ),
            trades=tuple(
                self._all(
                    select(trades.c.body)
                    .where(or_(trades.c.status.in_(_UNDECIDED), trades.c.client_order_id.in_(of_unsettled)))
                    .order_by(trades.c.created_ns, trades.c.id),
                    Trade,
                )
            ),
            trading=self.trading(),
            balances=tuple(self.balances()),
            attention=tuple(self.attention()),
            acknowledged=frozenset(self._acknowledged(now_ns)),
            entered_bases=tuple(self.entered_bases()),
            realized=tuple(self.realized()),
        )
