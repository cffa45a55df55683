"""``/listings``, ``/calendar`` and ``/config``: shape, paging, filters, and what is refused."""

from typing import Any

import msgspec
import pytest

from mexc_sniper.core.clock import iso_from_ns
from mexc_sniper.core.reasons import SENTENCES, Reason
from mexc_sniper.core.values import Asset
from mexc_sniper.model.config import ConfigVersion, TradeConfig
from mexc_sniper.model.entries import CalendarChanged, ConfigChanged, SignalReceived
from mexc_sniper.model.listing import (
    CalendarEntry,
    ListingKind,
    Outcome,
    Phase,
    ScheduleChange,
    SignalKind,
    Source,
    SourceTime,
)
from mexc_sniper.web.views import ListingDetailView, ListingView, View
from tests.builders import T0_NS, ns
from tests.web.world import WebWorld, a_listing, a_signal


def keys(view: type[View]) -> set[str]:
    return {str(field.alias) for field in view.model_fields.values()}


async def test_listings_are_answered_newest_detection_first_in_pages(web: WebWorld):
    await web.engine.list(*(a_listing(f"C{i}USDT", number=i, seconds=i) for i in range(1, 8)))

    first = (await web.get("/listings?limit=3")).body
    second = (await web.get("/listings?limit=3&offset=3")).body

    assert [row["symbol"] for row in first["listings"]] == ["C7USDT", "C6USDT", "C5USDT"]
    assert [row["symbol"] for row in second["listings"]] == ["C4USDT", "C3USDT", "C2USDT"]
    assert (first["total"], first["limit"], first["offset"]) == (7, 3, 0)
    assert set(first["listings"][0]) == keys(ListingView)


async def test_a_listing_is_shown_with_iso_times_and_lags_in_milliseconds(web: WebWorld):
    seen = SourceTime(SignalKind.FIRST_TRADE, ns(1.5), ns(1.25), 250_000_000)
    await web.engine.list(
        a_listing(
            outcome=Outcome.SKIPPED,
            reason=Reason.MONITOR_ONLY,
            opened_at_ns=ns(1.5),
            phase=Phase.OPEN,
            detection_lag_ns=1_234_567,
            sources=(seen,),
        )
    )

    [row] = (await web.get("/listings")).body["listings"]

    assert row["listedAt"] == iso_from_ns(T0_NS)
    assert row["detectionLagMs"] == 1.235
    assert row["reasonText"] == SENTENCES[Reason.MONITOR_ONLY]
    assert row["scheduledFor"] is None
    assert row["sources"] == [
        {
            "kind": "first_trade",
            "source": "mexc_websocket",
            "official": True,
            "receivedAt": iso_from_ns(ns(1.5)),
            "eventAt": iso_from_ns(ns(1.25)),
            "lagMs": 250.0,
        }
    ]


FILTERS: list[tuple[str, str]] = [
    ("source=mexc_websocket", "WSUSDT"),
    ("phase=open", "OPENUSDT"),
    ("outcome=skipped", "SKIPUSDT"),
    ("kind=relist", "OLDUSDT"),
    ("text=needle", "NEEDLEUSDT"),
    (f"since={iso_from_ns(ns(1000))}", "LATEUSDT"),
]


@pytest.mark.parametrize(("query", "symbol"), FILTERS)
async def test_listings_are_filtered(web: WebWorld, query: str, symbol: str):
    await web.engine.list(
        a_listing("WSUSDT", number=1, source=Source.MEXC_WEBSOCKET),
        a_listing("OPENUSDT", number=2, phase=Phase.OPEN),
        a_listing("SKIPUSDT", number=3, outcome=Outcome.SKIPPED, reason=Reason.RELIST),
        a_listing("OLDUSDT", number=4, kind=ListingKind.RELIST),
        a_listing("NEEDLEUSDT", number=5),
        a_listing("LATEUSDT", number=6, seconds=1000),
    )

    body = (await web.get(f"/listings?{query}")).body

    assert [row["symbol"] for row in body["listings"]] == [symbol]
    assert body["total"] == 1


BAD_QUERIES = [
    ("/listings?limit=0", "limit"),
    ("/listings?limit=501", "limit"),
    ("/listings?limit=ten", "limit"),
    ("/listings?limit=", "limit"),
    ("/listings?offset=-1", "offset"),
    ("/listings?offset=99999999999999999999", "offset"),
    ("/listings?source=telegram", "source"),
    ("/listings?since=yesterday", "since"),
    ("/listings?since=2026-11-22T11:30:00", "since"),
    ("/listings?since=9999-12-31T23:59:59-23:59", "since"),
    ("/listings?phase=OPEN%00", "phase"),
    ("/listings?lmit=5", "lmit"),
    ("/listings?limit=5&limit=6", "limit"),
    ("/calendar?offset=x", "offset"),
    ("/config?x=1", "x"),
    ("/monitor/status?verbose=1", "verbose"),
    ("/health?a=b", "a"),
    ("/config/history?limit=1000", "limit"),
]


@pytest.mark.parametrize(("path", "name"), BAD_QUERIES)
async def test_a_bad_query_parameter_is_refused_and_named(web: WebWorld, path: str, name: str):
    answer = await web.get(path)

    assert (answer.status, answer.code) == (422, "invalid_request")
    assert answer.body["details"]["fields"][0]["name"] == name
    assert name in answer.body["message"]


async def test_a_listing_that_does_not_exist_is_a_404(web: WebWorld):
    answer = await web.get("/listings/L0")

    assert (answer.status, answer.code) == (404, "listing_not_found")


async def test_the_detail_has_timeline_schedule_and_time_in_each_phase(web: WebWorld):
    await web.engine.list(
        a_listing(
            phase=Phase.OPEN,
            schedule=(ScheduleChange(ns(0), None), ScheduleChange(ns(10), ns(70)), ScheduleChange(ns(20), ns(100))),
            row_seen_at_ns=ns(60),
            opened_at_ns=ns(100.5),
        )
    )
    listing_id = a_listing().id
    web.engine.write(
        SignalReceived(listing_id=listing_id, signal=a_signal(kind=SignalKind.CALENDAR)),
        SignalReceived(listing_id=listing_id, signal=a_signal(seconds=100.5)),
    )
    await web.engine.flush()

    body = (await web.get(f"/listings/{listing_id}")).body

    assert set(body) == keys(ListingDetailView)
    assert [(line["kind"], line["lagMs"]) for line in body["timeline"]] == [("calendar", 40.0), ("first_trade", 40.0)]
    assert [change["opensAt"] for change in body["schedule"]] == [None, iso_from_ns(ns(70)), iso_from_ns(ns(100))]
    assert [(phase["phase"], phase["seconds"]) for phase in body["phases"]] == [
        ("signaled", 10.0),
        ("scheduled", 50.0),
        ("pre_open", 40.5),
        ("open", None),
    ]


HOSTILE = [
    "<img src=x onerror=alert(1)>USDT",
    "</script><script>alert(1)</script>",
    "‮TDSU‬USDT",
    "a​b",
    "币安人生USDT",
    "'; DROP TABLE listings;--",
    "=HYPERLINK(1)",
    "\u2028\u2029",
    "𝔘𝔰𝔡𝔱" * 16,
]


@pytest.mark.parametrize("name", HOSTILE)
async def test_a_hostile_name_passes_through_as_data(web: WebWorld, name: str):
    await web.engine.list(a_listing(name, full_name=name))

    answer = await web.get("/listings")
    found = await web.get("/listings", params={"text": name[:64]})

    assert answer.body["listings"][0]["symbol"] == name
    assert answer.body["listings"][0]["fullName"] == name
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert found.body["total"] == 1


async def test_the_calendar_is_soonest_first_with_unknown_times_last(web: WebWorld):
    now_ns = web.clock.wall_ns()

    def line(coin: str, opens_at_ns: int | None, **changed: Any) -> CalendarChanged:
        entry = CalendarEntry(coin_id=coin, asset=Asset(coin), opens_at_ns=opens_at_ns)
        made = CalendarChanged(
            entry=entry, first_seen_ns=T0_NS, schedule=(ScheduleChange(T0_NS, opens_at_ns),), withdrawn=False
        )
        return msgspec.structs.replace(made, **changed)

    hour_ns = 3_600_000_000_000
    web.engine.write(
        line("TBD", None),
        line("LATER", now_ns + 2 * hour_ns),
        line("SOON", now_ns + hour_ns),
        line("JUST", now_ns - hour_ns // 2),
        line("PAST", now_ns - 2 * hour_ns),
        line("GONE", now_ns + hour_ns, withdrawn=True),
    )
    await web.engine.flush()

    body = (await web.get("/calendar")).body
    withdrawn_too = (await web.get("/calendar?withdrawn=true")).body

    assert [entry["asset"] for entry in body["entries"]] == ["JUST", "SOON", "LATER", "TBD"]
    assert body["total"] == 4
    assert "GONE" in [entry["asset"] for entry in withdrawn_too["entries"]]
    assert body["entries"][3]["schedule"] == [{"notedAt": iso_from_ns(T0_NS), "opensAt": None}]


async def test_config_shows_the_version_in_force_with_decimals_as_text(web: WebWorld):
    before = await web.get("/config")
    assert (before.status, before.code) == (503, "starting")
    for number in (1, 2):
        version = ConfigVersion(version=number, created_ns=ns(number), actor="operator", config=TradeConfig())
        web.engine.write(ConfigChanged(version=version))
    await web.engine.flush()

    current = (await web.get("/config")).body
    history = (await web.get("/config/history?limit=1")).body

    assert (current["version"], current["updatedBy"]) == (2, "operator")
    assert (current["config"]["tradeUsdt"], current["config"]["autoTrade"]) == ("20", False)
    assert [version["version"] for version in history["versions"]] == [2]
    assert history["total"] == 2
