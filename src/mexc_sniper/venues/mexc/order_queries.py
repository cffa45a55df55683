"""Questions about our orders, one answer each: look-ups, executions, sweeps (REFERENCE 1.7, RELIABILITY 3.3)."""

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from mexc_sniper.core.clock import NS_PER_MS, NS_PER_S
from mexc_sniper.core.errors import ProtocolError, Refused
from mexc_sniper.core.ids import ClientOrderId, VenueOrderId
from mexc_sniper.core.values import Symbol
from mexc_sniper.model.account import Account, Balance
from mexc_sniper.model.events import LookUpKind, VenueOrder
from mexc_sniper.model.order import Fill, Order, OrderStatus
from mexc_sniper.ports import Clock
from mexc_sniper.venues.mexc.budget import DOUBT_SHARE, READS_SHARE
from mexc_sniper.venues.mexc.faults import UNKNOWN_ORDER_CODES
from mexc_sniper.venues.mexc.parse.account import AccountRead, account_of
from mexc_sniper.venues.mexc.parse.orders import executions, one_order, order_list
from mexc_sniper.venues.mexc.rest import Answer, RestClient
from mexc_sniper.venues.mexc.urls import Endpoint

SINCE_BEFORE_NS = 60 * NS_PER_S
"""How far before an order's signing a list of all orders begins."""
LONGEST_RANGE_NS = 7 * 86_400 * NS_PER_S
"""What a list of all orders may span (REFERENCE 1.7)."""
TRADES_PER_PAGE = 100
MAX_PAGES = 50
ALL_ORDERS_LIMIT = 1_000


class OrderQueries:
    """Asks over REST within the weight budget; every method has its endpoints' deadlines."""

    def __init__(self, rest: RestClient, clock: Clock, account: Account) -> None:
        self._rest = rest
        self._clock = clock
        self._account = account

    async def find(self, order: Order, kind: LookUpKind) -> VenueOrder | None:
        """Look for an order in one place; None: it is not known there, which is evidence and no proof.

        Raises:
            VenueError: the venue could not be asked, or what it said cannot be trusted.
        """
        intent = order.intent
        share = DOUBT_SHARE if order.status is OrderStatus.IN_DOUBT else READS_SHARE
        if kind is LookUpKind.ORDER:
            return await self.one(intent.symbol, intent.client_order_id, order.venue_order_id, share=share)
        if kind is LookUpKind.OPEN_ORDERS:
            rows = await self._list(Endpoint.OPEN_ORDERS, {"symbol": intent.symbol}, share=share)
        else:
            rows = await self._all_orders(intent.symbol, _began_ns(order), share=share)
        return _only(rows, intent.client_order_id, order.venue_order_id)

    async def one(
        self,
        symbol: Symbol,
        client_order_id: ClientOrderId,
        venue_order_id: VenueOrderId | None,
        *,
        share: float = READS_SHARE,
    ) -> VenueOrder | None:
        """Ask for one order by our id, or by the venue's where ours is unknown; ``share`` as in `RestClient.get`.

        Raises:
            VenueError: as `find`.
        """
        if client_order_id:
            question = {"symbol": str(symbol), "origClientOrderId": str(client_order_id)}
        else:
            question = {"symbol": str(symbol), "orderId": str(venue_order_id)}
        try:
            answer = await self._rest.get(Endpoint.ORDER, question, share=share)
            found = one_order(answer.body, self._account, wall_ns=answer.wall_ns, mono_ns=answer.mono_ns)
        except Refused as error:
            if error.code in UNKNOWN_ORDER_CODES:
                return None
            raise
        if found.symbol != symbol:
            raise ProtocolError(f"asked for an order of {symbol!r}, got one of {found.symbol!r}")
        if client_order_id and found.client_order_id != client_order_id:
            known = venue_order_id and found.report.venue_order_id == venue_order_id
            if found.client_order_id or not known:
                raise ProtocolError(f"asked for order {client_order_id}, got {found.client_order_id!r}")
        return _named(found, client_order_id)

    async def fills(self, order: Order) -> tuple[Fill, ...]:
        """Read all executions of an order, page by page (RELIABILITY 2.3, 44); oldest first.

        Raises:
            VenueError: as `find`; nothing is returned rather than a part.
        """
        intent = order.intent
        venue_order_id = order.venue_order_id
        if venue_order_id is None:
            found = await self.one(intent.symbol, intent.client_order_id, None)
            if found is None or found.report.venue_order_id is None:
                return ()
            venue_order_id = found.report.venue_order_id
        seen: dict[str, tuple[Fill, int]] = {}
        until_ms: int | None = None
        for _ in range(MAX_PAGES):
            question = {"symbol": str(intent.symbol), "orderId": venue_order_id, "limit": str(TRADES_PER_PAGE)}
            if until_ms is not None:
                question["endTime"] = str(until_ms)
            answer = await self._rest.get(Endpoint.MY_TRADES, question)
            rows = executions(answer.body, self._account, intent.client_order_id, wall_ns=answer.wall_ns)
            fresh = {
                fill.trade_id: (fill, time_ms)
                for fill, order_id, time_ms in rows
                if order_id == venue_order_id and fill.symbol == intent.symbol and fill.trade_id not in seen
            }
            seen |= fresh
            if len(rows) < TRADES_PER_PAGE or not fresh:
                break
            until_ms = min(time_ms for _, _, time_ms in rows)
        else:
            raise ProtocolError(f"order {intent.client_order_id} has more than {MAX_PAGES} pages of executions")
        return tuple(fill for fill, _ in sorted(seen.values(), key=lambda entry: entry[1]))

    async def open_orders(self, symbols: Sequence[Symbol]) -> tuple[VenueOrder, ...]:
        """Read all open orders of the account; where the venue wants a symbol, those of ``symbols``.

        Raises:
            VenueError: as `find`.
        """
        try:
            return await self._list(Endpoint.OPEN_ORDERS, {})
        except Refused as error:
            if error.retryable or error.code is None or error.code in (700002, 700006, 700007, 10072):
                raise
        rows: list[VenueOrder] = []
        for symbol in symbols:
            rows += await self._list(Endpoint.OPEN_ORDERS, {"symbol": symbol})
        return tuple(rows)

    async def recent_orders(self, symbol: Symbol) -> tuple[VenueOrder, ...]:
        """Read the orders of the last day of a symbol (REFERENCE 1.7: 24 h by default).

        Raises:
            VenueError: as `find`.
        """
        return await self._all_orders(symbol, None)

    async def account(self) -> AccountRead:
        """Read the account, at most twice a second.

        Raises:
            VenueError: as `find`.
        """
        answer = await self._rest.get(Endpoint.ACCOUNT)
        return account_of(answer.body, self._account)

    async def balances(self) -> tuple[Balance, ...]:
        """Read every balance the account holds.

        Raises:
            VenueError: as `find`.
        """
        return (await self.account()).balances

    async def _all_orders(
        self, symbol: Symbol, since_ns: int | None, *, share: float = READS_SHARE
    ) -> tuple[VenueOrder, ...]:
        question = {"symbol": str(symbol), "limit": str(ALL_ORDERS_LIMIT)}
        if since_ns:  # without it the venue looks back 24 hours
            start_ns = max(0, since_ns - SINCE_BEFORE_NS)
            question["startTime"] = str(start_ns // NS_PER_MS)
            if self._clock.wall_ns() - start_ns > LONGEST_RANGE_NS - SINCE_BEFORE_NS:
                # A longer range is refused; an order that reached the venue did so near its signing.
                question["endTime"] = str((start_ns + LONGEST_RANGE_NS) // NS_PER_MS)
        rows = await self._list(Endpoint.ALL_ORDERS, question, share=share)
        if len(rows) >= ALL_ORDERS_LIMIT:
            raise ProtocolError(
                f"allOrders of {symbol!r} is cut off at {ALL_ORDERS_LIMIT} rows: absence proves nothing"
            )
        return rows

    async def _list(
        self, endpoint: Endpoint, question: Mapping[str, str], *, share: float = READS_SHARE
    ) -> tuple[VenueOrder, ...]:
        answer: Answer = await self._rest.get(endpoint, question, share=share)
        return order_list(answer.body, self._account, wall_ns=answer.wall_ns, mono_ns=answer.mono_ns)


def _only(
    rows: Sequence[VenueOrder], client_order_id: ClientOrderId, venue_order_id: VenueOrderId | None
) -> VenueOrder | None:
    mine = [
        row
        for row in rows
        if row.client_order_id == client_order_id
        or (not row.client_order_id and venue_order_id and row.report.venue_order_id == venue_order_id)
    ]
    ids = {row.report.venue_order_id for row in mine}
    if len(ids) > 1:
        raise ProtocolError(f"the venue holds {len(ids)} orders with the id {client_order_id}: {sorted(map(str, ids))}")
    return _named(mine[0], client_order_id) if mine else None


def _named(row: VenueOrder, client_order_id: ClientOrderId) -> VenueOrder:
    """Put our id into a row that was asked for by it and names none (REFERENCE 1.7)."""
    if row.client_order_id or not client_order_id:
        return row
    return replace(row, client_order_id=client_order_id, report=replace(row.report, client_order_id=client_order_id))


def _began_ns(order: Order) -> int:
    if order.signed_ts_ms is not None:
        return order.signed_ts_ms * NS_PER_MS
    return order.submitted_ns or order.created_ns
