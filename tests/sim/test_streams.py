"""Connection and subscription rules of REFERENCE 2.1 and 2.2, in virtual time."""

from itertools import pairwise

import pytest

from mexc_sim.core.messages import SocketText
from tests.sim.venue import Venue, a_venue, deals, top

BLOCKED = "Not Subscribed successfully! [{}].  Reason： Blocked! "


def test_subscription_accepted_echoes_channel_and_id():
    venue = Venue()
    answer = venue.subscribe(venue.connect(), deals("BTCUSDT"), number=7)
    assert answer == {"id": 7, "code": 0, "msg": deals("BTCUSDT")}


def test_several_channels_are_acknowledged_joined_by_commas():
    venue = Venue()
    answer = venue.subscribe(venue.connect(), deals("BTCUSDT"), top("BTCUSDT"))
    assert answer["msg"] == f"{deals('BTCUSDT')},{top('BTCUSDT')}"


@pytest.mark.parametrize(
    "channel",
    [
        "spot@public.aggre.deals.v3.api@100ms@BTCUSDT",
        "spot@public.aggre.deals.v3.api.pb@20ms@BTCUSDT",
        "spot@public.aggre.deals.v3.api.pb@10ms@btcusdt",
        "spot@public.limit.depth.v3.api.pb@BTCUSDT@7",
        "spot@public.kline.v3.api.pb@BTCUSDT@Min2",
        "spot@public.miniTicker.v3.api.pb@BTCUSDT",
        "spot@public.miniTickers.v3.api.pb@UTC+99",
        "spot@private.orders.v3.api.pb",
        "",
    ],
)
def test_subscription_to_a_malformed_channel_is_rejected_with_code_zero(channel):
    venue = Venue()
    answer = venue.subscribe(venue.connect(), channel, number=3)
    assert answer == {"id": 3, "code": 0, "msg": BLOCKED.format(channel)}


def test_unsubscription_answers_channel_then_no_subscription():
    venue = Venue()
    connection = venue.connect()
    venue.subscribe(connection, deals("BTCUSDT"))
    assert deals("BTCUSDT") in venue.say(connection, method="UNSUBSCRIPTION", params=[deals("BTCUSDT")])
    assert "no subscription" in venue.say(connection, method="UNSUBSCRIPTION", params=[deals("BTCUSDT")])


def test_ping_in_either_case_is_answered_by_pong_with_id_zero():
    venue = Venue()
    connection = venue.connect()
    assert venue.say(connection, method="PING", id=9) == '{"id":0,"code":0,"msg":"PONG"}'
    assert venue.say(connection, method="ping") == '{"id":0,"code":0,"msg":"PONG"}'


@pytest.mark.parametrize("text", ["", "{", "[]", "7", '{"method":7}', '{"method":"SUBSCRIPTION","params":"x"}', "\x00"])
def test_nonsense_from_a_client_is_answered_and_harms_nobody(text):
    venue = Venue()
    connection = venue.connect()
    outcome = venue.exchange.handle(SocketText(connection, text), venue.now_ns)
    assert len(outcome.output) == 1
    assert venue.say(connection, method="PING") == '{"id":0,"code":0,"msg":"PONG"}'


def test_thirty_first_subscription_is_acknowledged_and_silently_dead():
    venue = Venue()
    connection = venue.connect()
    symbols = venue.json("/api/v3/defaultSymbols")["data"][:31]
    for symbol in symbols:
        assert venue.subscribe(connection, top(symbol))["msg"] == top(symbol)
    venue.advance(20)
    seen = {frame.symbol for frame in venue.frames(connection)}
    assert seen == set(symbols[:30])


def test_connection_without_subscription_is_closed_after_thirty_seconds():
    venue = Venue()
    connection = venue.connect()
    venue.subscribe(connection, "nonsense")
    venue.advance(29.9)
    assert venue.closed == []
    venue.advance(0.2)
    assert venue.closed == [connection]


def test_subscribed_but_silent_connection_is_closed_after_sixty_seconds_unless_pinged():
    venue = Venue()
    silent, pinged = venue.connect(), venue.connect()
    for connection in (silent, pinged):
        venue.subscribe(connection, deals("NOBODYUSDT"))
    venue.advance(50)
    venue.say(pinged, method="PING")
    venue.advance(11)
    assert venue.closed == [silent]
    venue.advance(50)
    assert venue.closed == [silent, pinged]


def test_connection_is_closed_at_the_end_of_its_life_however_busy():
    venue = a_venue(connection_life_s=5.0)
    connection = venue.connect()
    venue.subscribe(connection, top("BTCUSDT"))
    venue.advance(5.1)
    assert venue.closed == [connection]


def test_more_than_a_hundred_requests_in_a_second_end_the_connection():
    venue = Venue()
    connection = venue.connect()
    for _ in range(101):
        venue.say(connection, method="PING")
    assert venue.closed == [connection]


def test_unknown_symbol_is_accepted_and_speaks_once_it_lives():
    venue = Venue()
    connection = venue.connect()
    assert venue.subscribe(connection, top("LUMOUSDT"))["msg"] == top("LUMOUSDT")
    venue.advance(10)
    assert venue.frames(connection) == []
    venue.post("/sim/listings", base="LUMO", quoteInS=1)
    venue.advance(1.01)
    assert venue.frames(connection)[0].publicAggreBookTicker.askPrice


def test_unknown_symbol_is_rejected_where_the_rules_say_so():
    venue = a_venue(unknown_symbols="reject")
    answer = venue.subscribe(venue.connect(), top("LUMOUSDT"))
    assert answer["msg"] == BLOCKED.format(top("LUMOUSDT"))


def test_pushes_of_one_channel_keep_its_interval():
    venue = Venue()
    connection = venue.connect()
    venue.subscribe(connection, top("LUMOUSDT", "100ms"))
    venue.post("/sim/listings", base="LUMO", quoteInS=1, tradeInS=1.5)
    venue.advance(20)
    times = [frame.sendTime for frame in venue.frames(connection)]
    assert len(times) > 20
    assert min(later - earlier for earlier, later in pairwise(times)) >= 100


def test_depth_pushes_rebuild_the_book_without_a_gap():
    venue = Venue()
    connection = venue.connect()
    venue.subscribe(connection, "spot@public.aggre.depth.v3.api.pb@100ms@LUMOUSDT")
    venue.post("/sim/listings", base="LUMO", quoteInS=1, tradeInS=2)
    venue.advance(30)
    sides = {"asks": {}, "bids": {}}
    expected = None
    for frame in venue.frames(connection):
        push = frame.publicAggreDepths
        assert expected is None or int(push.fromVersion) == expected
        expected = int(push.toVersion) + 1
        for name, side in sides.items():
            for level in getattr(push, name):
                if level.quantity == "0":
                    side.pop(level.price, None)
                else:
                    side[level.price] = level.quantity
    depth = venue.json("/api/v3/depth?symbol=LUMOUSDT&limit=5000")
    assert sides == {"asks": dict(depth["asks"]), "bids": dict(depth["bids"])}


def test_mini_tickers_can_be_told_to_push_changes_only():
    venue = a_venue(mini_tickers="changed")
    connection = venue.connect()
    venue.subscribe(connection, "spot@public.miniTickers.v3.api.pb@24H")
    venue.advance(10)
    assert venue.frames(connection) == []
    venue.post("/sim/listings", base="LUMO", quoteInS=0, tradeInS=0)
    venue.advance(4)
    assert [item.symbol for item in venue.frames(connection)[-1].publicMiniTickers.items] == ["LUMOUSDT"]
