"""The same rules with the ledger in PostgreSQL, and what happens when that server goes away."""

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from mexc_sniper.ledger.location import locate
from mexc_sniper.model.entries import ListingChanged
from tests.support.postgres import PostgresServer, database, server_programs
from tests.web import test_commands as commands
from tests.web import test_events as events
from tests.web import test_execute as execute
from tests.web import test_kill as kill
from tests.web import test_listings as listings
from tests.web import test_live as live
from tests.web import test_passwords as passwords
from tests.web import test_security as security
from tests.web import test_sign_in as sign_in
from tests.web import test_trading as trading
from tests.web.world import WebWorld, a_listing, a_web_world, event

pytestmark = pytest.mark.postgres

SAME_ON_POSTGRES: list[Callable[[WebWorld], Awaitable[None]]] = [
    commands.test_the_same_idempotency_key_is_one_command_with_one_answer,
    commands.test_the_engines_refusal_comes_back_with_its_status_code_and_details,
    events.test_a_script_resumes_after_the_last_number_it_saw,
    events.test_more_events_than_one_read_arrive_in_order_while_the_engine_writes,
    listings.test_listings_are_answered_newest_detection_first_in_pages,
    listings.test_the_calendar_is_soonest_first_with_unknown_times_last,
    execute.test_a_buy_sent_twice_under_one_key_acts_once_and_answers_the_same,
    kill.test_a_stop_sent_twice_under_one_key_acts_once,
    live.test_a_page_gets_a_snapshot_of_everything_it_shows,
    live.test_a_snapshot_holds_what_may_be_traded_what_is_held_and_the_newest_trades,
    live.test_every_kind_of_entry_reaches_a_page_as_the_frame_the_contract_promises,
    live.test_pages_that_come_while_the_engine_writes_miss_nothing_and_see_nothing_twice,
    live.test_marks_reach_the_page_only_when_they_change,
    security.test_every_route_refuses_a_token_without_its_scope,
    passwords.test_the_right_password_begins_a_session,
    passwords.test_the_first_password_is_set_by_whoever_came_by_the_link,
    sign_in.test_a_link_works_once,
    sign_in.test_the_session_tells_who_is_signed_in_until_signed_out,
    trading.test_the_history_tells_every_trade_newest_first_with_mode_reason_and_delays_in_ms,
    trading.test_the_audit_tells_who_did_what_and_that_its_chain_holds,
]


@pytest.fixture
async def web(tmp_path: Path) -> AsyncIterator[WebWorld]:
    with database() as url:
        async with a_web_world(locate(url, tmp_path), tmp_path) as world:
            yield world


@pytest.mark.parametrize("scenario", SAME_ON_POSTGRES, ids=lambda scenario: scenario.__name__.removeprefix("test_"))
async def test_on_postgres(web: WebWorld, scenario: Callable[[WebWorld], Awaitable[None]]):
    await scenario(web)


@pytest.fixture
def own_server() -> Iterator[PostgresServer]:
    """A server this test may crash."""
    programs = server_programs()
    if programs is None:
        pytest.skip("PostgreSQL's server programs (initdb, postgres) are not installed")
    server = PostgresServer(programs)
    server.start()
    with closing(server.administer()) as admin:
        admin.execute("CREATE DATABASE ledger ENCODING 'UTF8' TEMPLATE template0")
    yield server
    server.remove()


async def test_a_crash_of_the_server_is_told_and_heals_without_a_lost_event(own_server: PostgresServer, tmp_path: Path):
    async with a_web_world(locate(own_server.url("ledger"), tmp_path), tmp_path) as web:
        page = await web.socket()
        assert (await event(page))["type"] == "snapshot"
        await web.engine.list(a_listing("C1USDT", number=1))
        assert (await event(page))["seq"] == 1

        await asyncio.to_thread(own_server.stop, signal.SIGQUIT)
        answer = await web.get("/listings", bearer=web.token)
        assert (answer.status, answer.code) == (503, "ledger_unavailable")
        stop = await web.post("/kill-switch", {"action": "pause"})
        assert (stop.status, stop.body["latched"], stop.body["recorded"]) == (202, True, False)
        command = await web.post("/monitor/start")
        assert (command.status, command.code) in ((503, "engine_unavailable"), (503, "ledger_unavailable"))
        health = await web.get("/health")
        assert (health.status, health.body["status"]) == (200, "error")
        web.engine.write(*(ListingChanged(listing=a_listing(f"C{i}USDT", number=i)) for i in (2, 3)))

        await asyncio.to_thread(own_server.start)
        assert [(await event(page))["seq"] for _ in range(2)] == [2, 3]
        assert (await web.get("/listings")).body["total"] == 3
