"""Signing, faults, backoff, budget, plan and subscription answers: small rules, one by one."""

import asyncio
import json
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mexc_sim.core.limits import Limits
from mexc_sim.core.replies import Route
from mexc_sim.core.world import Rules
from mexc_sniper.core.clock import NS_PER_S
from mexc_sniper.core.errors import (
    AuthFailed,
    ClockSkew,
    ConfigError,
    FirewallBlocked,
    NotTradable,
    ProtocolError,
    RateLimited,
    ThrottleTimeout,
    UnknownRefusal,
    VenueUnavailable,
)
from mexc_sniper.model.events import SourceName
from mexc_sniper.venues.mexc.backoff import ATTEMPTS_PER_MINUTE, Backoff
from mexc_sniper.venues.mexc.budget import WeightBudget
from mexc_sniper.venues.mexc.channels import subscribe_text, symbol_channels, symbol_in
from mexc_sniper.venues.mexc.faults import fault_of
from mexc_sniper.venues.mexc.parse.control import control_answer
from mexc_sniper.venues.mexc.planner import Nearness, Planner, PollingOptions, check_plan
from mexc_sniper.venues.mexc.signing import Credentials, query_text, signature, signed_query
from mexc_sniper.venues.mexc.urls import Endpoint
from tests.venue.clock import ManualClock
from tests.venue.samples import sample

_SIGNING = json.loads(sample("signing_vectors.json"))


@pytest.mark.parametrize("vector", _SIGNING["vectors"], ids=lambda vector: vector["name"])
def test_signature_equals_the_published_vector(vector):
    assert signature(_SIGNING["secret"], vector["payload"]) == vector["signature"]


def test_signed_query_encodes_utf8_in_upper_case_and_puts_the_signature_last():
    credentials = Credentials("key", _SIGNING["secret"])
    parameters = {"symbol": "币安人生USDT", "note": "a b,c"}
    query = signed_query(credentials, parameters, timestamp_ms=1767211150479, recv_window_ms=5000)
    payload, _, signed = query.rpartition("&signature=")
    assert payload == (
        "symbol=%E5%B8%81%E5%AE%89%E4%BA%BA%E7%94%9FUSDT&note=a%20b%2Cc&recvWindow=5000&timestamp=1767211150479"
    )
    assert signed == signature(_SIGNING["secret"], payload)


def test_credentials_never_show_themselves():
    assert "secret-1" not in repr(Credentials("key-1", "secret-1"))
    assert "key-1" not in str(Credentials("key-1", "secret-1"))


@given(st.dictionaries(st.text(min_size=1), st.text()))
def test_query_text_is_ascii_without_plus_or_blank(parameters):
    text = query_text(parameters)
    assert text.isascii()
    assert not set(text) & {"+", " "}


@pytest.mark.parametrize(
    ("status", "code", "is_json", "expected"),
    [
        (200, None, True, None),
        (200, 0, True, None),
        (200, 200, True, None),
        (200, -1121, True, NotTradable),
        (400, 10007, True, NotTradable),
        (400, 700003, True, ClockSkew),
        (400, 700002, True, AuthFailed),
        (401, None, True, AuthFailed),
        (403, None, True, FirewallBlocked),
        (403, 700006, True, AuthFailed),
        (403, None, False, FirewallBlocked),
        (200, None, False, FirewallBlocked),
        (429, None, True, RateLimited),
        (429, None, False, RateLimited),
        (418, 0, True, RateLimited),
        (200, 429, True, RateLimited),
        (500, None, True, VenueUnavailable),
        (502, None, False, VenueUnavailable),
        (503, 0, True, VenueUnavailable),
        (200, 500, True, VenueUnavailable),
        (400, 424242, True, UnknownRefusal),
        (200, 424242, True, UnknownRefusal),
        (404, None, True, UnknownRefusal),
        (404, None, False, FirewallBlocked),
    ],
)
def test_fault_table(status, code, is_json, expected):
    fault = fault_of(status, code, "words", is_json=is_json)
    assert (None if fault is None else type(fault)) is expected


def test_fault_keeps_the_venues_code_words_and_wait():
    fault = fault_of(400, 424242, "strange words", is_json=True, retry_after_s=7)
    assert fault is not None
    assert (fault.code, fault.http_status, fault.retry_after_s) == (424242, 400, 7)
    assert "strange words" in str(fault)


def test_backoff_grows_to_its_cap_and_starts_over_after_a_reset():
    backoff = Backoff(Random(1))
    steps = [1, 2, 4, 8, 16, 30, 30, 30]
    for step in steps:
        assert step * 0.75 <= backoff.next_delay_s() <= min(step * 1.25, 30)
    backoff.reset()
    assert backoff.next_delay_s() <= 1.25


def test_backoff_allows_only_so_many_attempts_a_minute():
    backoff = Backoff(Random(1))
    for attempt in range(ATTEMPTS_PER_MINUTE):
        assert backoff.storm_wait_s(attempt * NS_PER_S) == 0
        backoff.attempted(attempt * NS_PER_S)
    assert backoff.storm_wait_s(ATTEMPTS_PER_MINUTE * NS_PER_S) == 60 - ATTEMPTS_PER_MINUTE
    assert backoff.storm_wait_s(60 * NS_PER_S) == 0


async def test_budget_admits_up_to_its_weight_and_then_waits_for_the_window():
    clock = ManualClock()
    budget = WeightBudget(clock, weight_limit=53, requests_per_s=1000)
    await budget.acquire(25, deadline_s=1)
    await clock.advance(4)
    await budget.acquire(25, deadline_s=1)
    assert budget.weight_used == 50
    with pytest.raises(ThrottleTimeout):
        await budget.acquire(1, deadline_s=5)
    await clock.advance(6)
    await budget.acquire(25, deadline_s=0)
    assert budget.weight_used == 50


async def test_budget_never_lets_more_than_its_requests_into_a_second():
    clock = ManualClock()
    budget = WeightBudget(clock, requests_per_s=20)
    for _ in range(20):
        await budget.acquire(1, deadline_s=0)
    with pytest.raises(ThrottleTimeout):
        await budget.acquire(1, deadline_s=0.5)
    await clock.advance(1)
    await budget.acquire(1, deadline_s=0)


async def test_heavy_call_is_not_overtaken_by_light_ones_that_come_after_it():
    clock = ManualClock()
    budget = WeightBudget(clock, weight_limit=50, requests_per_s=1000)
    for _ in range(47):
        await budget.acquire(1, deadline_s=0)
        await clock.advance(0.1)
    served: list[str] = []

    async def call(name: str, weight: int) -> None:
        await budget.acquire(weight, deadline_s=30)
        served.append(name)

    calls = [asyncio.create_task(call("heavy", 20))]
    for number in range(20):
        await clock.advance(0.05)
        calls.append(asyncio.create_task(call(f"light {number}", 1)))
    await clock.advance(15)
    await asyncio.gather(*calls)
    assert served == ["heavy", *(f"light {number}" for number in range(20))]


async def test_call_that_waits_for_its_own_kind_holds_up_nobody():
    clock = ManualClock()
    budget = WeightBudget(clock)
    await budget.acquire(10, deadline_s=0, kind=7, gap_s=0.5)
    waiting = asyncio.create_task(budget.acquire(10, deadline_s=5, kind=7, gap_s=0.5))
    await clock.advance(0.1)
    await budget.acquire(1, deadline_s=0)
    assert not waiting.done()
    await clock.advance(1)
    await waiting


async def test_account_never_draws_a_429_when_one_call_travels_longer_than_the_next():
    clock, travel, venue = ManualClock(), Random(1), Limits(Rules(ip_weight=100_000))
    budget, account = WeightBudget(clock), Endpoint.ACCOUNT
    route = Route(account.label, handler=lambda _: None, weight=account.weight, rate=(2, 1))
    for _ in range(500):
        asking = asyncio.create_task(
            budget.acquire(account.weight, deadline_s=60, kind=account.number, gap_s=account.gap_s)
        )
        while not asking.done():
            await clock.advance(0.01)
        arrives_ns = clock.mono_ns() + int(travel.uniform(0.005, 0.15) * NS_PER_S)
        assert venue.spend("us", route, arrives_ns) is None


async def test_budget_share_leaves_room_for_the_others():
    budget = WeightBudget(ManualClock(), weight_limit=100, requests_per_s=1000)
    await budget.acquire(60, deadline_s=0, share=0.6)
    with pytest.raises(ThrottleTimeout):
        await budget.acquire(1, deadline_s=0, share=0.6)
    await budget.acquire(35, deadline_s=0)
    with pytest.raises(ThrottleTimeout, match="no room"):
        await budget.acquire(1, deadline_s=0)  # the rest is for orders, which leave without asking


async def test_budget_pace_leaves_requests_of_the_second_for_the_others():
    budget = WeightBudget(ManualClock(), requests_per_s=10)
    for _ in range(5):
        await budget.acquire(1, deadline_s=0, pace=0.5)
    with pytest.raises(ThrottleTimeout):
        await budget.acquire(1, deadline_s=0, pace=0.5)
    await budget.acquire(1, deadline_s=0)


async def test_budget_refuses_everything_while_the_venue_said_wait():
    clock = ManualClock()
    budget = WeightBudget(clock)
    budget.block(30, "the venue banned us")
    await clock.advance(29)
    with pytest.raises(RateLimited, match="banned") as caught:
        await budget.acquire(1, deadline_s=60)
    assert caught.value.retry_after_s == pytest.approx(1)
    await clock.advance(1)
    await budget.acquire(1, deadline_s=0)


def test_wait_without_a_time_doubles_up_to_ten_minutes_until_served():
    clock = ManualClock()
    budget = WeightBudget(clock)
    waits = []
    for _ in range(12):
        budget.block(None, "slow down")
        waits.append(budget.blocked_for_s())
        clock.now += int(waits[-1] * NS_PER_S)
    assert waits[:4] == [1, 2, 4, 8]
    assert waits[-1] == 600
    budget.served()
    budget.block(None, "slow down")
    assert budget.blocked_for_s() == 1


@given(st.lists(st.tuples(st.floats(0, 3), st.integers(1, 25)), max_size=60))
async def test_no_window_ever_holds_more_than_the_limits(calls):
    clock = ManualClock()
    budget = WeightBudget(clock, weight_limit=100, requests_per_s=5)
    spent = []
    for pause_s, weight in calls:
        clock.now += int(pause_s * NS_PER_S)
        try:
            await budget.acquire(weight, deadline_s=0)
        except ThrottleTimeout:
            continue
        spent.append((clock.now, weight))
    for at, _ in spent:
        assert sum(weight for when, weight in spent if at <= when < at + 10 * NS_PER_S) <= 100
        assert sum(1 for when, _ in spent if at <= when < at + NS_PER_S) <= 5


def test_default_plan_fits_into_half_of_the_budget():
    check_plan(PollingOptions(), with_key=True)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (PollingOptions(exchange_info_interval_ms=1000), "MEXC_SNIPER_MONITOR__EXCHANGE_INFO_INTERVAL_MS"),
        (PollingOptions(default_symbols_interval_ms=50), "MEXC_SNIPER_MONITOR__DEFAULT_SYMBOLS_INTERVAL_MS"),
        (PollingOptions(offline_interval_ms=1000), "MEXC_SNIPER_MONITOR__OFFLINE_INTERVAL_MS"),
        (PollingOptions(default_symbols_interval_ms=1001), "MEXC_SNIPER_MONITOR__DEFAULT_SYMBOLS_INTERVAL_MS"),
        (PollingOptions(calendar_interval_ms=0), "MEXC_SNIPER_MONITOR__CALENDAR_INTERVAL_MS"),
    ],
)
def test_plan_beyond_half_of_the_budget_is_refused_naming_the_interval(options, named):
    with pytest.raises(ConfigError, match=named):
        check_plan(options, with_key=False)


def test_key_counts_in_the_plan():
    tight = PollingOptions(self_symbols_interval_ms=100)
    check_plan(tight, with_key=False)
    with pytest.raises(ConfigError, match="SELF_SYMBOLS"):
        check_plan(tight, with_key=True)


@pytest.mark.parametrize(
    ("ahead_s", "nearness"),
    [
        (3600, Nearness.CALM),
        (599, Nearness.NEAR),
        (59, Nearness.IMMINENT),
        (-29, Nearness.IMMINENT),
        (-31, Nearness.CALM),
    ],
)
def test_polling_tightens_near_an_opening_and_relaxes_after_it(ahead_s, nearness):
    clock = ManualClock()
    planner = Planner(PollingOptions(), clock, Random(1))
    planner.expect([clock.wall_ns() + ahead_s * NS_PER_S, clock.wall_ns() + 86_400 * NS_PER_S])
    assert planner.nearness() is nearness


def test_intervals_shrink_towards_an_opening_and_never_exceed_the_setting():
    clock = ManualClock()
    planner = Planner(replace(PollingOptions(), calendar_interval_ms=3_000), clock, Random(1))
    calm = planner.interval_s(SourceName.EXCHANGE_INFO)
    planner.expect([clock.wall_ns() + 30 * NS_PER_S])
    assert planner.interval_s(SourceName.EXCHANGE_INFO) < calm
    assert planner.interval_s(SourceName.CALENDAR) == 3
    assert planner.interval_s(SourceName.DEFAULT_SYMBOLS) == 0.5


@pytest.mark.parametrize(
    "entry", [entry for entry in json.loads(sample("ws", "control_messages.json")) if entry["dir"] == "in"], ids=str
)
def test_recorded_control_message_is_understood(entry):
    answer = control_answer(json.dumps(entry["json"]).encode())
    text = entry["json"]["msg"]
    assert answer.request_id == entry["json"]["id"]
    assert answer.pong is (text == "PONG")
    if text.startswith("Not Subscribed"):
        assert answer.refused == {"spot@public.miniTicker.v3.api.pb@BTCUSDT"}
        assert not answer.accepted
    elif text.startswith("spot@"):
        assert answer.accepted == {text}
        assert not answer.refused


def test_several_accepted_channels_are_joined_by_commas():
    first, second, _ = symbol_channels("币安人生USDT")
    payload = json.dumps({"id": 3, "code": 0, "msg": f"{first},{second}"}, ensure_ascii=False).encode()
    assert control_answer(payload).accepted == {first, second}


def test_code_other_than_zero_is_a_refusal_too():
    answer = control_answer(b'{"id":3,"code":1001,"msg":"spot@x"}')
    assert answer.refused == {"spot@x"}
    assert not answer.accepted


def test_small_letter_pong_counts():
    assert control_answer(b'{"id":0,"code":0,"msg":"pong"}').pong


@pytest.mark.parametrize("payload", [b"<html>", b"Invalid listen key", b"[]", b""])
def test_text_that_is_no_answer_is_a_protocol_error(payload):
    with pytest.raises(ProtocolError):
        control_answer(payload)


def test_subscription_text_keeps_non_ascii_names():
    text = subscribe_text(symbol_channels("币安人生USDT"), 5)
    assert json.loads(text) == {
        "method": "SUBSCRIPTION",
        "params": list(symbol_channels("币安人生USDT")),
        "id": 5,
    }


def test_channel_of_levels_names_its_symbol_before_their_number():
    assert [symbol_in(channel) for channel in symbol_channels("币安人生USDT")] == ["币安人生USDT"] * 3
