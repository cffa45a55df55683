"""The kill switch in the operator's hand: from every page, by keyboard, on a phone, and when nobody answers."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from mexc_sniper.model.commands import Verb
from tests.e2e.conftest import ARTIFACTS, PHONE, OpenPage, signed_in
from tests.e2e.desk import Desk, a_desk
from tests.support.program import eventually


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with a_desk(tmp_path / "desk") as running:
        yield running


def _state(page: Page, word: str) -> None:
    expect(page.get_by_role("status", name="State of the bot")).to_contain_text(word)


def test_pause_by_keyboard_alone_is_answered_and_told_everywhere(desk: Desk, open_page: OpenPage) -> None:
    page = signed_in(open_page(), desk)
    _state(page, "ACTIVE")
    page.keyboard.press("g")
    page.keyboard.press("c")
    expect(page.get_by_role("heading", level=1, name="Calendar")).to_be_attached()
    page.keyboard.press("Shift+K")
    panel = page.get_by_role("dialog", name="Kill switch")
    expect(panel.get_by_role("button", name="Pause")).to_be_focused()
    page.keyboard.press("Enter")
    expect(panel.get_by_role("status", name="Answer of the engine")).to_contain_text("Pause: done after")
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    _state(page, "REDUCING")
    assert [(command.verb, command.arguments["action"]) for command in desk.heard] == [(Verb.KILL, "pause")]


def test_shift_k_while_typing_is_a_letter(desk: Desk, open_page: OpenPage) -> None:
    page = signed_in(open_page(), desk)
    page.goto(f"{desk.url}/dashboard/listings")
    page.get_by_role("searchbox", name="Filter by pair or name").press_sequentially("K")
    expect(page.get_by_role("dialog")).to_be_hidden()


def test_flatten_on_a_phone_says_what_it_sells_and_halts(desk: Desk, open_page: OpenPage) -> None:
    desk.position("ALPHAUSDT")
    desk.position("BETAUSDT")
    page = signed_in(open_page(viewport=PHONE), desk)
    page.get_by_role("button", name="Kill").click()
    panel = page.get_by_role("dialog", name="Kill switch")
    expect(panel).to_contain_text("sell 2 dry-run positions that cost 40.02 USDT")
    ARTIFACTS.mkdir(exist_ok=True)
    page.screenshot(path=ARTIFACTS / "kill-390.png")
    panel.get_by_role("button", name="Flatten").click()
    expect(panel.get_by_role("status", name="Answer of the engine")).to_contain_text("Flatten: done after")
    expect(panel).to_contain_text("HALTED by")
    page.keyboard.press("Escape")
    _state(page, "HALTED")


def test_silent_engine_leads_to_the_panic_command_and_the_latch_stands(desk: Desk, open_page: OpenPage) -> None:
    desk.silent = True
    page = signed_in(open_page(), desk)
    page.keyboard.press("Shift+K")
    panel = page.get_by_role("dialog", name="Kill switch")
    panel.get_by_role("button", name="Cancel", exact=True).click()
    answer = panel.get_by_role("status", name="Answer of the engine")
    expect(answer).to_contain_text("mexc-sniper panic", timeout=4_000)
    expect(answer).to_contain_text("latched, the engine has not answered")
    for step in ("Pause", "Cancel", "Flatten"):
        expect(panel.get_by_role("button", name=step, exact=True)).to_be_enabled()
    eventually("the command is recorded", lambda: [command.arguments["action"] for command in desk.heard] == ["cancel"])


def test_resume_takes_the_typed_word(desk: Desk, open_page: OpenPage) -> None:
    page = signed_in(open_page(), desk)
    page.keyboard.press("Shift+K")
    panel = page.get_by_role("dialog", name="Kill switch")
    expect(panel.get_by_label("type RESUME")).to_be_hidden()
    panel.get_by_role("button", name="Pause").click()
    resume = panel.get_by_role("button", name="Resume")
    expect(resume).to_be_disabled()
    panel.get_by_label("type RESUME").fill("resume")
    expect(resume).to_be_disabled()
    panel.get_by_label("type RESUME").fill("RESUME")
    resume.click()
    expect(panel.get_by_role("status", name="Answer of the engine")).to_contain_text("Resume: done after")
    page.keyboard.press("Escape")
    _state(page, "ACTIVE")
    assert [command.verb for command in desk.heard] == [Verb.KILL, Verb.RESUME]
