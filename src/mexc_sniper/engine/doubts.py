"""Doubt about an order, resolved by proof alone: asked in three places and of the balances (RELIABILITY 3.3)."""

from mexc_sniper.core.clock import NS_PER_S
from mexc_sniper.core.ids import ClientOrderId
from mexc_sniper.core.reasons import Reason
from mexc_sniper.engine.attention import about_order, raise_attention
from mexc_sniper.engine.effects import LookUp, WakeAt
from mexc_sniper.engine.holdings import Holdings
from mexc_sniper.engine.state import EngineState
from mexc_sniper.engine.trading_state import Doubt
from mexc_sniper.engine.turn import Turn
from mexc_sniper.model.doubt import FENCE_NS
from mexc_sniper.model.events import LookUpKind, OrderLookedUp
from mexc_sniper.model.order import ExecutionReport, Order, OrderStatus, ReportSource
from mexc_sniper.model.trading import AttentionKind

PLACES = frozenset((LookUpKind.ORDER, LookUpKind.ALL_ORDERS, LookUpKind.OPEN_ORDERS))
"""Where an order would be seen: absence from all of them and balances that explain themselves are the proof."""
DOUBT_WEIGHT, PROOF_WEIGHT = 5, 15
"""Request weight of asking about one doubt before and after its grace: order 2, openOrders 3, allOrders 10
(REFERENCE 1.3)."""
NS_PER_DOUBT_WEIGHT = NS_PER_S // 10
"""A third of the venue's 300 in 10 s is for doubts: what protects positions and sees listings goes on."""
DOUBT_BURST_NS = 4 * NS_PER_S
"""The first few doubts do not wait."""
DOUBT_ALARM_NS = 60 * NS_PER_S
"""A doubt older than this needs a person."""


class Doubts:
    """Operations on the doubts. Holds no state of its own."""

    def __init__(self, state: EngineState, holdings: Holdings) -> None:
        self._state = state
        self._holdings = holdings

    def begin(self, turn: Turn, order: Order) -> None:
        """Begin to ask about an order that has just come into doubt."""
        signed_ns = order.submitted_ns or turn.now_ns
        fence_ns = signed_ns + FENCE_NS
        self._state.trading.doubts[order.intent.client_order_id] = Doubt(since_ns=turn.now_ns, fence_ns=fence_ns)
        turn.note("order_in_doubt", client_order_id=order.intent.client_order_id, symbol=order.intent.symbol)
        self.ask(turn, order)

    def ask(self, turn: Turn, order: Order) -> None:
        """Ask where the order would be seen, if it is time and the weight for doubts has room."""
        trading = self._state.trading
        doubt = trading.doubts.get(order.intent.client_order_id)
        if doubt is None:
            doubt = trading.doubts[order.intent.client_order_id] = Doubt(
                since_ns=order.doubt_since_ns or turn.now_ns,
                fence_ns=(order.submitted_ns or order.created_ns) + FENCE_NS,
            )
        if turn.now_ns < doubt.next_ask_ns or not self._may_ask(turn):
            return
        turn.ask(LookUp(order, LookUpKind.ORDER))
        turn.ask(LookUp(order, LookUpKind.OPEN_ORDERS))
        weight = DOUBT_WEIGHT
        if turn.now_ns >= doubt.proof_from_ns:
            turn.ask(LookUp(order, LookUpKind.ALL_ORDERS))
            weight = PROOF_WEIGHT
        trading.doubts_paid_until_ns = max(trading.doubts_paid_until_ns, turn.now_ns) + weight * NS_PER_DOUBT_WEIGHT
        # Of many, all are asked about before one is again.
        round_ns = len(trading.doubts) * weight * NS_PER_DOUBT_WEIGHT - DOUBT_BURST_NS
        pause_ns = max(round_ns, min(2 * NS_PER_S, (NS_PER_S // 5) * 2 ** min(doubt.asked, 4)))
        doubt.asked += 1
        doubt.next_ask_ns = turn.now_ns + pause_ns
        turn.ask(WakeAt(doubt.next_ask_ns))
        if not doubt.alarmed and turn.now_ns - doubt.since_ns > DOUBT_ALARM_NS:
            doubt.alarmed = True
            text = (
                f"Whether the venue has the order for {order.intent.symbol} is unknown for over a minute; its amount "
                "stays reserved. Look at the venue's own order list."
            )
            raise_attention(self._state, turn, about_order(turn, order, AttentionKind.IN_DOUBT, text))

    def seen(self, client_order_id: ClientOrderId) -> None:
        """Drop the evidence of absence: the venue knows the order."""
        doubt = self._state.trading.doubts.get(client_order_id)
        if doubt is not None:
            doubt.absent_after_fence.clear()

    def not_found(self, order: Order, event: OrderLookedUp) -> None:
        """Take "not found" as evidence, if it was asked for late enough."""
        doubt = self._state.trading.doubts.get(order.intent.client_order_id)
        if doubt is not None and event.asked_ns >= doubt.proof_from_ns:
            doubt.absent_after_fence[event.kind] = event.asked_ns

    def proof_of_absence(self, turn: Turn, order: Order) -> ExecutionReport | None:
        """Return the report that ends an order which never arrived, None while that is not proven.

        Everything was asked after fence and grace and knows nothing; balances decide last.
        """
        trading = self._state.trading
        doubt = trading.doubts.get(order.intent.client_order_id)
        if doubt is None or not doubt.absent_after_fence.keys() >= PLACES:
            return None
        if trading.balances_asked_ns < doubt.proof_from_ns or not self._holdings.balances_explain_absence(order):
            return None
        return ExecutionReport(
            stamp=turn.stamp,
            account=order.intent.account,
            client_order_id=order.intent.client_order_id,
            status=OrderStatus.NEVER_ARRIVED,
            source=ReportSource.LOCAL,
            reason=Reason.NEVER_ARRIVED,
        )

    def _may_ask(self, turn: Turn) -> bool:
        """Tell whether the weight set aside for doubts has room; wakes us when it has.

        The first comparison of a life goes first: nothing may be entered before it.
        """
        trading = self._state.trading
        if trading.sweeping and not trading.status.reconciled:
            return False
        room_ns = trading.doubts_paid_until_ns - DOUBT_BURST_NS
        if turn.now_ns < room_ns:
            turn.ask(WakeAt(room_ns))
            return False
        return True
