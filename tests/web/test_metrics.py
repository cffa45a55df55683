"""``/metrics``: both processes on one page, every family once."""

from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from mexc_sniper import telemetry
from mexc_sniper.ledger.location import LedgerLocation
from mexc_sniper.web.metrics import merge
from tests.web.world import WebWorld, a_web_world, eventually


async def test_metrics_join_engine_and_web_without_a_family_twice(web: WebWorld):
    engine = (
        "# HELP listings_detected_total New listings.\n# TYPE listings_detected_total counter\n"
        'listings_detected_total{source="the_engine"} 3.0\n'
    )
    web.engine.live.put("metrics", engine.encode())
    await eventually(lambda: "metrics" in web.engine.live.get_all())
    await web.get("/listings?limit=1")

    answer = await web.get("/metrics")
    text = answer.body.decode()
    families = {family.name: family for family in text_string_to_metric_families(text)}

    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    heads = [line for line in text.splitlines() if line.startswith("# TYPE")]
    assert len(heads) == len(set(heads)) == len({line.split()[2] for line in heads})
    counts = {sample.labels["source"]: sample.value for sample in families["listings_detected"].samples}
    assert counts["the_engine"] == 3.0
    assert families["engine_up"].samples[0].value == 1
    counted = {
        (s.labels["method"], s.labels["path"], s.labels["status"])
        for s in families["api_request_duration_seconds"].samples
    }
    assert ("GET", "/listings", "200") in counted
    assert not any("?" in path for _, path, _ in counted)


async def test_requests_are_counted_by_route_and_never_by_what_was_sent(web: WebWorld):
    await web.get("/listings/L123")
    await web.get("/etc/passwd")
    await web.call("BREW", "/listings")

    text = (await web.get("/metrics")).body.decode()

    assert 'path="/listings/{listing_id}"' in text
    assert 'path="unmatched"' in text
    assert "L123" not in text
    assert "passwd" not in text
    assert "BREW" not in text


async def test_metrics_need_a_token_unless_made_public(location: LedgerLocation, tmp_path: Path):
    async with a_web_world(location, tmp_path) as web:
        refused = await web.get("/metrics", bearer=None)
        assert (refused.status, refused.code) == (401, "not_signed_in")
    async with a_web_world(location, tmp_path, migrated=False, metrics_public=True) as web:
        assert (await web.get("/metrics", bearer=None)).status == 200


async def test_a_dead_engines_figures_are_not_shown_as_if_it_lived(location: LedgerLocation, tmp_path: Path):
    async with a_web_world(location, tmp_path) as web:
        web.engine.live.put("metrics", b"# HELP odd Odd.\n# TYPE odd gauge\nodd 1.0\n")
        await eventually(lambda: "metrics" in web.engine.live.get_all())
        assert "\nodd 1" in (await web.get("/metrics")).body.decode()
        web.engine.beats = False
        web.clock.pass_by(60)

        text = (await web.get("/metrics")).body.decode()

        assert "odd" not in text
        assert "engine_up 0" in text


async def test_open_pages_are_counted(web: WebWorld):
    before = telemetry.LIVE_PAGES._value.get()
    page = await web.socket()
    await page.recv()
    assert telemetry.LIVE_PAGES._value.get() == before + 1
    await page.close()
    await eventually(lambda: telemetry.LIVE_PAGES._value.get() == before)


def test_series_of_both_processes_are_added_and_labels_stay_as_they_are():
    one = '# HELP a_total A.\n# TYPE a_total counter\na_total{x="p q} 1"} 1.0\na_total{x="b"} 2.0\n'
    two = (
        '# HELP a_total A.\n# TYPE a_total counter\na_total{x="p q} 1"} 0.5\n# HELP b B.\n# TYPE b gauge\nb +Inf\n'
        "# HELP a_created A.\n# TYPE a_created gauge\na_created 1.7e+09\n"
    )

    assert merge([one, two]) == (
        '# HELP a_total A.\n# TYPE a_total counter\na_total{x="p q} 1"} 1.5\na_total{x="b"} 2.0\n'
        "# HELP b B.\n# TYPE b gauge\nb +Inf\n"
    )


def test_the_programs_own_metrics_survive_the_merge():
    merged = merge([telemetry.render().decode(), telemetry.render().decode()])

    names = {family.name for family in text_string_to_metric_families(merged)}
    assert {"listings_detected", "websocket_reconnections", "websocket_active_connections"} <= names
    assert "db_operation_duration_seconds" in names
