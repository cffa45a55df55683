"""What permits live entries: mode, key, arming and its end; and what a high-value entry asks for besides."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from mexc_sim.core.account import DEFAULT_KEY, DEFAULT_SECRET
from mexc_sim.core.keys import RIGHTS, TRADE
from tests.support.program import Refused, eventually, running_bot
from tests.support.trader import COMMON, LIVE, Trader, trading_bot

UNANSWERED = "UNANSWEREDUSDT"
ENDING = "ENDINGUSDT"


@pytest.fixture(scope="module")
def one_minute(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trader]:
    """Armed for one minute in which a live position is opened, and a high-value offer stays unanswered."""
    with trading_bot(tmp_path_factory.mktemp("minute") / "data", live=True) as trader:
        trader.configure(maxHoldMinutes=30)  # the demo's two minutes may be over before the last of these tests asks
        trader.arm(minutes=1)
        trader.open_market("ENDING")
        trader.holds(ENDING, "20")
        trader.configure(highValueThresholdUsdt="10")
        trader.open_market("UNANSWERED")
        eventually("it is offered", lambda: trader.trades(UNANSWERED, status="high_value_pending"))
        trader.configure(highValueThresholdUsdt="500")
        yield trader


def test_after_the_armed_time_new_entries_go_to_paper_and_live_positions_keep_live_exits(one_minute: Trader) -> None:
    trader = one_minute
    assert trader.trades(ENDING)[0]["mode"] == "live"
    eventually("the time is over", lambda: not trader.trading()["armed"], deadline_s=75)
    later = trader.open_market("LATER")
    trade = eventually("it is entered", lambda: (t := trader.trades(later, status="filled")) and t[0])
    assert trade["mode"] == "dry-run"
    assert trader.venue_orders(later) == []
    position = trader.position(ENDING)
    assert position is not None
    trader.bot.api("POST", f"/positions/{position['id']}/close")
    trader.holds(ENDING, "0")
    assert [order["side"] for order in trader.venue_orders(ENDING)] == ["BUY", "SELL"]


def test_high_value_entry_nobody_confirms_stays_on_paper(one_minute: Trader) -> None:
    trader = one_minute
    offered = trader.trades(UNANSWERED)[0]
    ended = eventually(
        "the offer has ended",
        lambda: (t := trader.trades(UNANSWERED)[0]) and t["status"] != "high_value_pending" and t,
        deadline_s=90,
    )
    assert (ended["mode"], ended["status"], ended["reason"]) == ("dry-run", "filled", "CONFIRMATION_EXPIRED")
    with pytest.raises(Refused, match="not_pending"):
        trader.bot.api("POST", f"/trade/{offered['id']}/confirm")
    assert trader.venue_orders(UNANSWERED) == []


def test_without_a_passed_canary_arming_is_refused_and_after_doctor_has_sung_it_is_not(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    with trading_bot(data_dir, live=True, armed=False, canary=False) as trader:
        eventually("the key is checked", lambda: trader.trading()["keyFit"])
        with pytest.raises(Refused, match="doctor --canary") as refused:
            trader.bot.api("POST", "/arm", {"confirm": "LIVE", "minutes": 5})
        assert refused.value.status == 409
        assert (trader.trading()["canaryPassedAt"], trader.trading()["armed"]) == (None, False)
        trader.bot.sim(
            "POST", "/sim/book", {"symbol": "MXUSDT", "bids": [["3.09", "5000"]], "asks": [["3.10", "5000"]]}
        )
        trader.bot.stop_program()
        sung = trader.bot.command("doctor", "--canary", "--confirm", "CANARY", "--json")
        assert {one["name"]: one["verdict"] for one in json.loads(sung.stdout)}["canary"] == "ok", sung.stdout
        assert DEFAULT_KEY not in (data_dir / "canary.json").read_text()
        trader.bot.start_program()
        trader.arm()
        assert trader.trading()["canaryPassedAt"] is not None


def test_another_accounts_key_is_refused_arming_until_a_person_says_that_it_is_meant(tmp_path: Path) -> None:
    with trading_bot(tmp_path / "data", live=True) as trader:
        assert trader.trading()["accountPin"] == "same"
        trader.bot.sim("POST", "/sim/account", {"uid": "777"})
        trader.restart_engine()
        eventually("the account is seen to be another", lambda: trader.trading()["accountPin"] == "other")
        assert trader.trading()["armed"] is False, "the permission was given for the other account"
        refused = trader.bot.command("arm", "5", "--confirm", "LIVE")
        assert refused.returncode != 0
        assert "--new-account" in refused.stderr
        assert "777" in refused.stderr

        def meant() -> bool:
            return trader.bot.command("arm", "5", "--confirm", "LIVE", "--new-account").returncode == 0

        eventually("it is armed for the new account", meant, deadline_s=45)
        assert (trader.trading()["accountPin"], trader.trading()["armed"]) == ("same", True)


def test_dry_run_refuses_to_arm(tmp_path: Path) -> None:
    with trading_bot(tmp_path / "data", live=False) as trader:
        with pytest.raises(Refused, match="arming_refused") as refused:
            trader.bot.api("POST", "/arm", {"confirm": "LIVE", "minutes": 5})
        assert refused.value.status == 409
        assert "MEXC_SNIPER_MODE=live" in refused.value.error["message"]
        for wrong in ({"confirm": "live", "minutes": 5}, {"confirm": "LIVE", "minutes": 0}, {"minutes": 5}):
            with pytest.raises(Refused) as bad:
                trader.bot.api("POST", "/arm", wrong)
            assert bad.value.status == 422


@pytest.mark.parametrize("wrong", ["key", "secret", "none"])
def test_refused_or_missing_key_ends_the_start_with_one_sentence(tmp_path: Path, wrong: str) -> None:
    settings = {**COMMON, **LIVE}
    if wrong == "key":
        settings["MEXC_SNIPER_VENUE__API_KEY"] = "mx0nobodyknowsthis01"
    elif wrong == "secret":
        settings["MEXC_SNIPER_VENUE__API_SECRET"] = "not-the-secret-of-this-key"
    else:
        del settings["MEXC_SNIPER_VENUE__API_KEY"], settings["MEXC_SNIPER_VENUE__API_SECRET"]
    with (
        pytest.raises(AssertionError, match="the program ended with 2") as ended,
        running_bot(tmp_path / "data", symbols=60, settings=settings),
    ):
        pass
    said = (tmp_path / "data" / "terminal.log").read_text()
    assert "Traceback" not in said
    assert DEFAULT_SECRET not in said
    assert "not-the-secret-of-this-key" not in said
    fits = {"key": "key", "secret": "secret", "none": "MEXC_SNIPER_VENUE__API_KEY"}[wrong]
    assert fits in said, str(ended.value)
    assert said.count("child_started") <= 2, "a wrong key is no reason to start again"


def test_key_with_too_few_or_too_many_rights_is_refused_arming(tmp_path: Path) -> None:
    with trading_bot(tmp_path / "data", live=True) as trader:
        for rights, words in (
            (tuple(right for right in TRADE if right != "SPOT_DEAL_WRITE"), "SPOT_DEAL_WRITE"),
            (RIGHTS, "withdraw"),
        ):
            trader.bot.sim("POST", "/sim/keys", {"key": DEFAULT_KEY, "rights": list(rights)})
            trader.restart_engine()

            def refused_for(words: str = words) -> bool:
                try:
                    trader.bot.api("POST", "/arm", {"confirm": "LIVE", "minutes": 5})
                except Refused as refused:
                    return refused.status == 409 and words in refused.error["message"]
                return False

            eventually(f"arming is refused for {words}", refused_for, deadline_s=40)
            assert trader.trading()["armed"] is False, "what was armed before ends with the key's fitness"
