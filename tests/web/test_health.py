"""``/health`` answers whatever else is broken."""

from pathlib import Path

import msgspec

from mexc_sniper.ledger.location import LedgerLocation
from mexc_sniper.model.entries import ComponentChanged, MonitorChanged
from mexc_sniper.model.health import Component, ComponentStatus, MonitorState, MonitorStatus
from mexc_sniper.web.views import HealthView
from tests.builders import T0_NS
from tests.web.world import WebWorld, a_web_world


async def test_health_with_a_running_engine_is_ok_and_names_version_mode_and_environment(web: WebWorld):
    answer = await web.get("/health", bearer=None)

    assert answer.status == 200
    assert set(answer.body) == {field.alias for field in HealthView.model_fields.values()}
    assert answer.body["status"] == "ok"
    assert (answer.body["mode"], answer.body["environment"]) == ("dry-run", "local")
    assert answer.body["engineAlive"] is True


async def test_health_with_a_part_down_is_degraded_but_an_absent_unofficial_source_is_normal(web: WebWorld):
    absent = Component(name="source.calendar", status=ComponentStatus.UNAVAILABLE, since_ns=T0_NS, detail="403")
    web.engine.write(ComponentChanged(component=absent))
    await web.engine.flush()
    assert (await web.get("/health")).body["status"] == "ok"

    down = Component(name="stream", status=ComponentStatus.DOWN, since_ns=T0_NS, detail="connection refused")
    web.engine.write(ComponentChanged(component=down))
    await web.engine.flush()
    body = (await web.get("/health")).body

    assert body["status"] == "degraded"
    assert {part["name"]: part["status"] for part in body["components"]} == {
        "source.calendar": "unavailable",
        "stream": "down",
    }


async def test_health_with_a_degraded_monitor_is_degraded(web: WebWorld):
    web.engine.write(MonitorChanged(state=MonitorState(wanted=True, status=MonitorStatus.DEGRADED)))
    await web.engine.flush()

    assert (await web.get("/health")).body["status"] == "degraded"


async def test_health_without_an_engine_is_an_error_with_status_200(location: LedgerLocation, tmp_path: Path):
    async with a_web_world(location, tmp_path, engine_runs=False) as web:
        answer = await web.get("/health")

        assert answer.status == 200
        assert answer.body["status"] == "error"
        assert answer.body["engineAlive"] is False


async def test_health_with_an_old_or_broken_heartbeat_counts_the_engine_as_gone(web: WebWorld):
    web.clock.pass_by(2.5)
    assert web.app.state.services.overview.life_from(beaten(web, ago_s=2.9)).alive
    assert not web.app.state.services.overview.life_from(beaten(web, ago_s=3.1)).alive
    assert not web.app.state.services.overview.life_from({"heartbeat": (b"{", 0)}).alive
    assert not web.app.state.services.overview.life_from({}).alive


def beaten(web: WebWorld, *, ago_s: float) -> dict[str, tuple[bytes, int]]:
    wall_ns = web.clock.wall_ns() - int(ago_s * 1e9)
    return {"heartbeat": (msgspec.json.encode({"wall_ns": wall_ns}), wall_ns)}


async def test_without_a_ledger_health_answers_and_everything_else_is_starting(
    location: LedgerLocation, tmp_path: Path
):
    async with a_web_world(location, tmp_path, migrated=False) as web:
        health = await web.get("/health")
        assert (health.status, health.body["status"]) == (200, "error")
        assert [part["name"] for part in health.body["components"]] == ["ledger"]

        assert (await web.get("/health/live", bearer=None)).status == 200
        ready = await web.get("/health/ready", bearer=None)
        assert (ready.status, ready.code) == (503, "starting")

        for path in ("/listings", "/calendar", "/monitor/status", "/config"):
            answer = await web.get(path)
            assert (answer.status, answer.code) == (503, "starting"), path


async def test_a_migrated_but_empty_ledger_gives_empty_answers(location: LedgerLocation, tmp_path: Path):
    async with a_web_world(location, tmp_path, engine_runs=False) as web:
        assert (await web.get("/health/ready", bearer=None)).status == 200
        assert (await web.get("/listings")).body == {"listings": [], "total": 0, "limit": 50, "offset": 0}
        assert (await web.get("/calendar")).body == {"entries": [], "total": 0}
        monitor = (await web.get("/monitor/status")).body
        assert (monitor["status"], monitor["wanted"], monitor["sources"]) == ("stopped", False, [])
