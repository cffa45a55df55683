"""What doctor and arming learn of an API key, against the simulator."""

import pytest

from mexc_sniper.runtime.clock import LoopClock, ThreadOffload
from mexc_sniper.venues.mexc.key_check import Answer, KeyFault, check_key
from mexc_sniper.venues.mexc.signing import Credentials
from tests.support.simulator import SimulatorProcess

TRADE = ["SPOT_ACCOUNT_READ", "SPOT_DEAL_READ", "SPOT_DEAL_WRITE"]
SECRET = "a-secret-for-this-test-only-0001"


@pytest.fixture(scope="module")
def simulator():
    with SimulatorProcess(symbols=20, ip_weight=100_000) as simulator:
        yield simulator


async def report_of(simulator, key="testkey1", secret=SECRET, rest_url=None, **spec):
    if spec:
        simulator.post("/sim/keys", {"key": key, "secret": SECRET, **spec})
    simulator.post("/sim/limits/forgive")
    offload = ThreadOffload(1)
    try:
        return await check_key(
            rest_url=rest_url or simulator.rest_url,
            credentials=Credentials(key, secret),
            clock=LoopClock(),
            offload=offload,
        )
    finally:
        offload.close()


async def test_trading_key_without_other_rights_may_be_armed(simulator):
    report = await report_of(simulator, rights=TRADE)
    assert report.against_arming == ()
    assert report.warnings == ()
    assert (report.may_trade, report.reads_withdrawals, report.reads_transfers) == (Answer.YES, Answer.NO, Answer.NO)
    assert report.uid
    assert {balance.asset for balance in report.balances} >= {"USDT", "MX"}


async def test_key_that_reads_withdrawals_is_refused(simulator):
    report = await report_of(simulator, rights=[*TRADE, "SPOT_WITHDRAW_READ"])
    assert report.reads_withdrawals is Answer.YES
    assert report.condemned
    assert any("withdraw" in reason for reason in report.against_arming)


async def test_key_that_reads_transfers_is_warned_of(simulator):
    report = await report_of(simulator, rights=[*TRADE, "SPOT_TRANSFER_READ"])
    assert report.against_arming == ()
    assert any("transfers" in warning for warning in report.warnings)


async def test_key_without_the_right_to_trade_is_refused(simulator):
    report = await report_of(simulator, rights=TRADE[:2])
    assert report.may_trade is Answer.NO
    assert any("SPOT_DEAL_WRITE" in reason for reason in report.against_arming)
    assert not simulator.orders()


async def test_key_without_the_right_to_read_is_refused(simulator):
    report = await report_of(simulator, rights=["SPOT_DEAL_WRITE"])
    assert report.may_read is Answer.NO
    assert report.against_arming


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"key": "nobodyknowsthis"}, KeyFault.INVALID),
        ({"secret": "wrong"}, KeyFault.SIGNATURE_OR_EXPIRED),
        ({"key": "oldkey", "rights": TRADE, "expiresInS": -1}, KeyFault.SIGNATURE_OR_EXPIRED),
        ({"key": "boundkey", "rights": TRADE, "addresses": ["203.0.113.7"]}, KeyFault.ADDRESS),
    ],
)
async def test_refused_key_names_its_fault_and_its_mend(simulator, changes, fault):
    await report_of(simulator, rights=TRADE)
    report = await report_of(simulator, **changes)
    assert report.fault is fault
    assert len(report.against_arming) == 1
    assert report.condemned
    assert SECRET not in report.against_arming[0]


async def test_wrong_clock_of_ours_is_measured_and_harmless(simulator):
    simulator.post("/sim/clock", {"skewMs": 40_000})
    try:
        report = await report_of(simulator, rights=TRADE)
    finally:
        simulator.post("/sim/clock", {"skewMs": 0})
    assert report.against_arming == ()
    assert abs(report.clock_offset_ns - 40_000_000_000) < 500_000_000


async def test_venue_that_cannot_be_reached_is_no_verdict_on_the_key(simulator, unused_tcp_port):
    report = await report_of(simulator, rest_url=f"http://127.0.0.1:{unused_tcp_port}")
    assert report.fault is KeyFault.UNREACHABLE
    assert report.against_arming
    assert not report.condemned


async def test_venue_that_asks_for_a_second_is_asked_again_after_it(simulator):
    await report_of(simulator, rights=TRADE)
    simulator.post("/sim/faults", {"target": "account", "kind": "rate_limit", "times": 1})
    try:
        report = await report_of(simulator)
    finally:
        simulator.delete("/sim/faults")
    assert report.against_arming == ()


async def test_venue_that_asks_us_to_wait_long_is_no_verdict_on_the_key(simulator):
    await report_of(simulator, rights=TRADE)
    wait = {"target": "account", "kind": "rate_limit", "retryAfterS": 600, "times": 1}
    simulator.post("/sim/faults", wait)
    try:
        report = await report_of(simulator)
    finally:
        simulator.delete("/sim/faults")
    assert report.fault is KeyFault.UNREACHABLE
    assert report.against_arming
    assert not report.condemned
