"""What the page shows when the program hangs, dies, or its WebSocket is blocked: never old data as new."""

import signal

import pytest
from playwright.sync_api import Page, WebSocketRoute, expect

from tests.e2e.conftest import PHONE, OpenPage, signed_in
from tests.support.program import Bot, eventually

WARNING = "No data from the bot. What you see may be old."


@pytest.fixture(autouse=True)
def _monitor_runs(bot: Bot) -> None:
    bot.set_monitor(True)


def _live(page: Page) -> None:
    expect(page.get_by_role("alert").filter(has_text=WARNING)).to_be_hidden(timeout=20_000)
    expect(page.get_by_role("status", name="State of the bot")).to_contain_text("feed live", timeout=20_000)


@pytest.mark.parametrize("viewport", [{"width": 1440, "height": 900}, PHONE])
def test_hung_web_process_is_told_within_seconds_and_heals(
    bot: Bot, open_page: OpenPage, viewport: dict[str, int]
) -> None:
    page = signed_in(open_page(viewport=viewport), bot)
    _live(page)
    web = eventually("a web process", bot.web_process)
    web.send_signal(signal.SIGSTOP)
    try:
        expect(page.get_by_role("alert").filter(has_text=WARNING)).to_be_visible(timeout=8_000)
        expect(page.get_by_role("status", name="State of the bot")).to_contain_text("stale")
    finally:
        web.send_signal(signal.SIGCONT)
    _live(page)


def test_killed_web_process_is_told_and_missed_rows_are_there_after_the_restart(bot: Bot, open_page: OpenPage) -> None:
    page = signed_in(open_page(), bot)
    _live(page)
    page.evaluate("() => { window.stillTheSamePage = true }")
    old = eventually("a web process", bot.web_process)
    old.kill()
    expect(page.get_by_role("alert").filter(has_text=WARNING)).to_be_visible(timeout=2_000)
    eventually("a new web process", lambda: (bot.web_process() or old).pid != old.pid)
    bot.inject("AFTERKILLUSDT")
    _live(page)
    expect(page.get_by_role("row", name="AFTERKILL")).to_be_visible()
    assert page.evaluate("() => window.stillTheSamePage"), "healing must not reload the page"


def test_blocked_websockets_fall_back_to_polling_with_a_note(bot: Bot, open_page: OpenPage) -> None:
    page = open_page()

    def refuse(socket: WebSocketRoute) -> None:
        socket.close(code=1011)

    page.route_web_socket("**/live", refuse)
    signed_in(page, bot)
    expect(page.get_by_text("asks every 3 s instead")).to_be_visible()
    expect(page.get_by_role("alert").filter(has_text=WARNING)).to_be_hidden()
    bot.inject("POLLEDUSDT")
    expect(page.get_by_role("row", name="POLLED")).to_be_visible(timeout=8_000)
