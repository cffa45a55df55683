"""Effects are carried out in order, each by the one who can, and counted (the shell's half of `engine.effects`)."""

from typing import Any

import pytest

from mexc_sniper import telemetry
from mexc_sniper.core.ids import client_order_id, intent_id
from mexc_sniper.core.values import Asset, Symbol
from mexc_sniper.engine import effects
from mexc_sniper.model.account import Account
from mexc_sniper.model.events import LookUpKind, SourceName
from mexc_sniper.model.limits import Gate
from mexc_sniper.model.market import Side
from mexc_sniper.model.order import Approved, Order, OrderIntent, OrderRole, OrderType
from mexc_sniper.runtime.dispatch import Dispatch

PAIR = Symbol("ALPHAUSDT")


class Everyone:
    """Stands for ledger, gateway, desk, runner and keeper: remembers what was asked, in order."""

    def __init__(self, name: str, heard: list[tuple[Any, ...]]) -> None:
        self._name = name
        self._heard = heard

    def __getattr__(self, method: str) -> Any:
        return lambda *arguments: self._heard.append((self._name, method, *arguments))


def an_order(account: Account) -> Order:
    key = intent_id(f"dispatch-{account}", 0)
    return Order(
        intent=OrderIntent(
            id=key,
            client_order_id=client_order_id(account, 1, key, 0, 0),
            account=account,
            symbol=PAIR,
            base=Asset("ALPHA"),
            quote=Asset("USDT"),
            side=Side.SELL,
            role=OrderRole.STOP_LOSS,
            type=OrderType.MARKET,
        )
    )


PAPER, LIVE = an_order(Account.PAPER), an_order(Account.LIVE)
APPROVED = Approved(intent=LIVE.intent, generation=1)
GATE = Gate(generation=3)


def carried_out(*asked: effects.Effect, keeper: bool = True) -> list[tuple[Any, ...]]:
    heard: list[tuple[Any, ...]] = []
    dispatch = Dispatch(
        ledger=Everyone("ledger", heard),  # type: ignore[arg-type]
        gateway=Everyone("market", heard),  # type: ignore[arg-type]
        runner=Everyone("runner", heard),  # type: ignore[arg-type]
        desk=Everyone("desk", heard),  # type: ignore[arg-type]
        orders={account: Everyone(str(account), heard) for account in Account},  # type: ignore[misc]
        preparer=Everyone("preparer", heard),  # type: ignore[arg-type]
        wake_at=lambda wall_ns: heard.append(("wake", wall_ns)),
        keeper=Everyone("keeper", heard) if keeper else None,  # type: ignore[arg-type]
    )
    dispatch.run(list(asked))
    heard.append(("watched", *dispatch.watched))
    return heard[:-1] if len(heard[-1]) == 1 else heard


@pytest.mark.parametrize(
    ("effect", "done"),
    [
        (effects.Submit(APPROVED), ("desk", "submit", APPROVED)),
        (effects.SetGate(gate=GATE, account=Account.LIVE), ("desk", "set_gate", Account.LIVE, GATE)),
        (effects.LiftLatch(), ("desk", "lift_latch")),
        (effects.CancelOrder(LIVE), ("desk", "cancel", LIVE)),
        (effects.LookUp(PAPER, LookUpKind.ORDER), ("paper", "look_up", PAPER, LookUpKind.ORDER)),
        (effects.ReadFills(LIVE), ("live", "read_fills", LIVE)),
        (effects.Sweep(Account.LIVE, (PAIR,), (LIVE,)), ("live", "sweep", (PAIR,), (LIVE,))),
        (effects.WakeAt(5), ("wake", 5)),
        (effects.Unwatch(PAIR), ("market", "unwatch", PAIR)),
        (effects.ProbeAge(PAIR), ("market", "probe_age", PAIR)),
        (effects.ReadBook(PAIR), ("market", "read_book", PAIR)),
        (effects.ExpectOpenings((7,)), ("market", "expect_openings", (7,))),
        (effects.Refresh(SourceName.CALENDAR), ("market", "refresh", SourceName.CALENDAR)),
        (effects.StartGateway(), ("runner", "start")),
        (effects.StopGateway(), ("runner", "stop")),
    ],
    ids=lambda value: type(value).__name__ if not isinstance(value, tuple) else "",
)
def test_each_effect_reaches_the_one_who_carries_it_out_and_nobody_else(
    effect: effects.Effect, done: tuple[Any, ...]
) -> None:
    assert carried_out(effect) == [done]


def test_effects_are_carried_out_in_their_order_and_the_order_goes_before_the_ledger() -> None:
    heard = carried_out(effects.Submit(APPROVED), effects.Record(()), effects.WakeAt(1))
    assert [step[:2] for step in heard] == [("desk", "submit"), ("ledger", "append"), ("keeper", "see"), ("wake", 1)]


def test_without_a_live_account_the_ledger_alone_is_told() -> None:
    assert carried_out(effects.Record(()), keeper=False) == [("ledger", "append", ())]


def test_watched_pairs_are_remembered_until_they_are_not_watched() -> None:
    other = Symbol("BETAUSDT")
    heard = carried_out(effects.Watch(PAIR), effects.Watch(other), effects.Unwatch(PAIR), effects.Unwatch(PAIR))
    assert heard[-1] == ("watched", other)


def test_urgent_effects_are_orders_and_gates_and_nothing_else() -> None:
    heard: list[tuple[Any, ...]] = []
    dispatch = Dispatch(
        ledger=Everyone("ledger", heard),  # type: ignore[arg-type]
        gateway=Everyone("market", heard),  # type: ignore[arg-type]
        runner=Everyone("runner", heard),  # type: ignore[arg-type]
        desk=Everyone("desk", heard),  # type: ignore[arg-type]
        orders={},
        preparer=Everyone("preparer", heard),  # type: ignore[arg-type]
        wake_at=lambda _: None,
    )
    for effect in (effects.Submit(APPROVED), effects.SetGate(gate=GATE, account=Account.PAPER), effects.StopGateway()):
        dispatch.urgent(effect)
    assert [step[:2] for step in heard] == [("desk", "submit"), ("desk", "set_gate")]


TOLD: list[tuple[str, dict[str, Any], Any]] = [
    (
        "signal_received",
        {"kind": "calendar", "lag_ms": 5.0},
        telemetry.SIGNALS.labels(kind="calendar", duplicate="false"),
    ),
    ("signal_repeated", {"kind": "calendar"}, telemetry.SIGNALS.labels(kind="calendar", duplicate="true")),
    ("listing_classified", {"kind": "new", "source": "test"}, telemetry.LISTINGS_DETECTED.labels(source="test")),
    ("listing_injected", {}, telemetry.LISTINGS_DETECTED.labels(source="test_injection")),
    ("command_finished", {"verb": "kill", "status": "done"}, telemetry.COMMANDS.labels(verb="kill", status="done")),
    ("entry_denied", {"reason": "NO_BOOK"}, telemetry.RISK_REJECTIONS.labels(reason="NO_BOOK")),
    ("config_updated", {}, telemetry.CONFIG_UPDATES),
    (
        "trade_ended",
        {"mode": "live", "status": "filled", "tick_to_trade_ms": 1.0},
        telemetry.TRADES.labels(mode="live", status="filled"),
    ),
]


@pytest.mark.parametrize(("name", "fields", "counter"), TOLD, ids=[name for name, *_ in TOLD])
def test_what_happened_is_counted_once(name: str, fields: dict[str, Any], counter: Any) -> None:
    before = counter._value.get()
    assert carried_out(effects.Note(name, fields)) == []
    assert counter._value.get() == before + 1


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("listing_classified", {"kind": "relist", "source": "uncounted"}),
        ("listing_phase", {"phase": "open", "detection_lag_ms": None}),
        ("listing_phase", {"phase": "pre_open", "detection_lag_ms": 5.0}),
        ("anything_else", {}),
    ],
)
def test_what_is_not_meant_is_not_counted(name: str, fields: dict[str, Any]) -> None:
    lags = telemetry.DETECTION_LAG._sum.get()
    carried_out(effects.Note(name, fields))
    assert telemetry.DETECTION_LAG._sum.get() == lags
    assert telemetry.LISTINGS_DETECTED.labels(source="uncounted")._value.get() == 0


def test_detection_lag_of_an_opening_is_measured() -> None:
    before = telemetry.DETECTION_LAG._sum.get()
    carried_out(effects.Note("listing_phase", {"phase": "open", "detection_lag_ms": 250.0}))
    assert telemetry.DETECTION_LAG._sum.get() == pytest.approx(before + 0.25)


def test_what_is_prepared_timed_or_thrown_away_goes_to_the_preparer_and_quiet_to_the_market() -> None:
    heard = carried_out(
        effects.Prepare(PAIR, (APPROVED,)), effects.FireAt(PAIR, 7), effects.Unprepare(PAIR), effects.HushPolls(9)
    )
    assert heard == [
        ("preparer", "prepare", PAIR, (APPROVED,)),
        ("preparer", "fire_at", PAIR, 7),
        ("preparer", "unprepare", PAIR),
        ("market", "hush", 9),
    ]
