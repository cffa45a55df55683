"""Raising what needs a person: once, in the ledger, and kept until somebody resolves it."""

from mexc_sniper.engine.state import EngineState
from mexc_sniper.engine.turn import Turn
from mexc_sniper.model.entries import AttentionChanged
from mexc_sniper.model.order import Order
from mexc_sniper.model.trading import Attention, AttentionKind


def raise_attention(state: EngineState, turn: Turn, attention: Attention) -> bool:
    """Raise it; False when it waits for somebody already."""
    if attention.id in state.trading.attention:
        return False
    state.trading.attention[attention.id] = attention
    turn.entry(AttentionChanged(attention=attention))
    turn.note("attention_raised", kind=str(attention.kind), symbol=attention.symbol, text=attention.text)
    return True


def about_order(turn: Turn, order: Order, kind: AttentionKind, text: str) -> Attention:
    """Return what to raise about an order: one of each kind."""
    return Attention(
        id=f"{kind}:{order.intent.client_order_id}",
        kind=kind,
        account=order.intent.account,
        symbol=order.intent.symbol,
        text=text,
        raised_ns=turn.now_ns,
        client_order_id=order.intent.client_order_id,
    )
