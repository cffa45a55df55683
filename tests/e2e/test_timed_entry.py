"""An announced listing's page: whether its entry lies ready, and the operator's word to enter at the announced time."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace
from playwright.sync_api import expect

from mexc_sniper.core.clock import NS_PER_S
from mexc_sniper.core.values import Price
from mexc_sniper.model.commands import Command, CommandResult, Verb
from mexc_sniper.model.entries import ListingChanged
from mexc_sniper.model.listing import Listing, Phase, TimedEntry
from tests.e2e.conftest import ARTIFACTS, PHONE, OpenPage, signed_in
from tests.e2e.desk import Desk, a_desk
from tests.web.world import a_listing, done


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with a_desk(tmp_path / "desk") as running:
        yield running


def _announced(desk: Desk) -> Listing:
    now_ns = desk.now_ns
    listing = a_listing(
        "LUMOUSDT", phase=Phase.SCHEDULED, scheduled_for_ns=now_ns + 50 * NS_PER_S, listed_at_ns=now_ns,
        detected_at_ns=now_ns, prepared_ns=now_ns,
    )  # fmt: skip
    desk.write(ListingChanged(listing=listing))
    return listing


def test_entry_is_timed_and_taken_back_from_its_page(desk: Desk, open_page: OpenPage) -> None:
    listing = _announced(desk)
    usual = desk._answer

    def answer(command: Command) -> CommandResult | None:
        if command.verb is not Verb.TIME_ENTRY:
            return usual(command)
        desk.heard.append(command)
        cap = command.arguments["capPrice"]
        timed = None if cap is None else TimedEntry(cap=Price(cap), offset_ms=command.arguments["offsetMs"])
        desk.write(ListingChanged(listing=replace(listing, timed_entry=timed)))
        return done(command)

    desk.world.engine.answer = answer
    page = signed_in(open_page(viewport=PHONE), desk)
    page.goto(f"{desk.url}/dashboard/listings/{listing.id}")
    card = page.locator("section", has=page.get_by_role("heading", name="At the opening"))
    expect(card).to_contain_text("lies ready")
    card.get_by_text("Enter at the announced time itself").click()
    price = card.get_by_label("At most for one coin, USDT")
    price.fill("0")
    expect(card).to_contain_text("A price above zero")
    expect(card.get_by_role("button", name="Enter at the announced time")).to_be_disabled()
    price.fill("0.05")
    card.get_by_label("Milliseconds after the announced time").fill("-40")
    page.screenshot(path=ARTIFACTS / "timed-entry.png", full_page=True)
    card.get_by_role("button", name="Enter at the announced time").click()
    expect(card).to_contain_text("for at most 0.05 a coin")
    card.get_by_role("button", name="Take it back").click()
    expect(card.get_by_role("button", name="Take it back")).to_be_hidden()
    assert [dict(command.arguments) for command in desk.heard] == [
        {"listingId": listing.id, "capPrice": "0.05", "offsetMs": -40},
        {"listingId": listing.id, "capPrice": None, "offsetMs": 0},
    ]
