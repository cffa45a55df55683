"""Every page empty, loading, failing, disconnected and full: it says which, and never shows old as new."""

import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest
from playwright.sync_api import Page, Route, WebSocketRoute, expect

from mexc_sniper.core.clock import NS_PER_S
from mexc_sniper.core.values import Asset, Price, Quantity, Symbol
from mexc_sniper.model.entries import BarsRecorded, CalendarChanged, ComponentChanged
from mexc_sniper.model.health import Component, ComponentStatus
from mexc_sniper.model.listing import CalendarEntry, ScheduleChange
from mexc_sniper.model.market import Bar
from mexc_sniper.model.order import OrderRole
from tests.e2e.conftest import ARTIFACTS, OpenPage, go_to, signed_in
from tests.e2e.desk import Desk, a_desk

WARNING = "No data from the bot. What you see may be old."
_PATHS = "listings|trade|calendar|risk|config|golive|audit|analytics|attention|auth/tokens|notifications"
API = re.compile(rf"^http://[^/]+/({_PATHS})(/|\?|$)")
PAGES = {
    "Overview": "",
    "Calendar": "calendar",
    "Listings": "listings",
    "Trades": "trades",
    "Performance": "performance",
    "Risk": "risk",
    "Go live": "go-live",
    "Audit log": "audit",
    "Health": "health",
    "Settings": "settings",
}
ASKS = ("Listings", "Trades", "Performance", "Risk", "Go live", "Audit log", "Settings")
"""Pages that ask for something of their own besides the live data."""


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """An engine that has just begun: nothing seen, nothing done."""
    with a_desk(tmp_path_factory.mktemp("empty")) as desk:
        yield desk


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """One of everything."""
    with a_desk(tmp_path_factory.mktemp("full")) as desk:
        fill(desk)
        yield desk


def fill(desk: Desk) -> None:
    """Write one of everything that a page can show."""
    denied = desk.denied("BETAUSDT")
    desk.position("ALPHAUSDT")
    desk.waits("GAMMAUSDT", seconds=600)
    desk.needs_person("DELTAUSDT")
    won = desk.position(
        "WONUSDT", exit_role="take_profit", proceeds=Decimal(25), sold_quantity=Quantity(Decimal("441.2"))
    )
    desk.close(won)
    desk.trade("WONUSDT", role=OrderRole.TAKE_PROFIT, pnl=Decimal("4.99"), position_id=won.id)
    now = desk.now_ns
    soon = CalendarEntry(
        coin_id="c1", asset=Asset("SOON"), full_name="Soon Network", opens_at_ns=now + 3_000 * NS_PER_S
    )
    moved = (ScheduleChange(now, now + 2_000 * NS_PER_S), ScheduleChange(now, soon.opens_at_ns))
    source = Component(
        name="source.calendar",
        status=ComponentStatus.OK,
        since_ns=now,
        last_event_ns=now,
        figures={"interval_ms": 10_000, "plan": "near", "weight": 12},
    )
    clock = Component(
        name="clock",
        status=ComponentStatus.OK,
        since_ns=now,
        last_event_ns=now,
        figures={"offset_ms": -12.5, "uncertainty_ms": 4.0},
    )
    base = Price(Decimal("0.045"))
    bars = tuple(
        Bar(
            Symbol("BETAUSDT"),
            1,
            now - now % NS_PER_S + second * NS_PER_S,
            base,
            base,
            base,
            base,
            Quantity(Decimal(9)),
            2,
        )
        for second in range(40)
    )
    desk.write(
        CalendarChanged(entry=soon, first_seen_ns=now, schedule=moved),
        ComponentChanged(component=source),
        ComponentChanged(component=clock),
        BarsRecorded(bars=bars),
    )
    desk.listing_id = denied.listing_id


def _open(page: Page, desk: Desk, name: str) -> Page:
    page.goto(f"{desk.url}/dashboard/{PAGES[name]}")
    return page


def _picture(page: Page, state: str, name: str) -> None:
    ARTIFACTS.mkdir(exist_ok=True)
    page.screenshot(path=ARTIFACTS / f"state-{state}-{name.lower().replace(' ', '-')}.png", full_page=True)


EMPTY = {
    "Overview": "No listing seen yet",
    "Calendar": "Nothing announced",
    "Listings": "No listing seen yet",
    "Trades": "No order sent yet",
    "Performance": "No position was closed in this window",
    "Risk": "Amount per entry",
    "Go live": "are missing",
    "Audit log": "2 entries recorded",
    "Health": "The engine has not reported yet",
    "Settings": "No token yet",
}


@pytest.mark.parametrize("name", PAGES)
def test_empty_page_says_what_will_fill_it(empty: Desk, open_page: OpenPage, name: str) -> None:
    page = _open(signed_in(open_page(), empty), empty, name)
    expect(page.get_by_text(EMPTY[name]).first).to_be_visible()
    expect(page.get_by_role("alert")).to_be_hidden()
    _picture(page, "empty", name)


FULL: dict[str, Callable[[Page], Any]] = {
    "Overview": lambda page: page.get_by_role("row", name="BETA").first,
    "Calendar": lambda page: page.get_by_role("row", name="SOON"),
    "Listings": lambda page: page.get_by_role("row", name="BETA"),
    "Trades": lambda page: page.get_by_role("row", name="ALPHAUSDT").first,
    "Performance": lambda page: page.get_by_role("img", name=re.compile("Realized profit")),
    "Risk": lambda page: page.get_by_text("Limits in use").first,
    "Go live": lambda page: page.get_by_text("−12.5 ms").or_(page.get_by_text("-12.5 ms")).first,
    "Audit log": lambda page: page.get_by_role("row", name=re.compile("fill")).first,
    "Health": lambda page: page.get_by_role("img", name=re.compile("clock is")),
    "Settings": lambda page: page.get_by_text("Signed in"),
}


@pytest.mark.parametrize("name", PAGES)
def test_full_page_shows_what_there_is(full: Desk, open_page: OpenPage, name: str) -> None:
    page = _open(signed_in(open_page(), full), full, name)
    expect(FULL[name](page)).to_be_visible()
    _picture(page, "full", name)


def test_listing_page_draws_its_candles_and_its_decision(full: Desk, open_page: OpenPage) -> None:
    page = signed_in(open_page(), full)
    page.goto(f"{full.url}/dashboard/listings/{full.listing_id}")
    expect(page.get_by_role("img", name=re.compile(r"BETA.USDT opened at 0\.045"))).to_be_visible()
    row = page.get_by_role("row", name=re.compile("Spread"))
    expect(row).to_contain_text("812 bps")
    expect(row).to_contain_text("500 bps")
    page.get_by_role("radio", name="2 min").focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("radio", name="10 min")).to_be_checked()
    expect(page.get_by_role("link", name="TradingView Lightweight Charts")).to_be_visible()
    _picture(page, "full", "listing")


@pytest.mark.parametrize("name", PAGES)
def test_page_that_waits_shows_no_figure_before_it_has_one(full: Desk, open_page: OpenPage, name: str) -> None:
    """Neither the live link nor the API answers; there is no zero, no spinner and no stale row, and Kill works."""
    page = signed_in(open_page(), full)
    page.route_web_socket("**/live", lambda socket: None)
    page.route(API, lambda route: None)
    _open(page, full, name)
    expect(page.get_by_role("status", name="State of the bot")).to_contain_text("connecting")
    expect(page.get_by_role("button", name="Kill")).to_be_enabled()
    expect(page.get_by_text("ALPHAUSDT")).to_have_count(0)
    expect(page.locator("main")).not_to_contain_text(re.compile(r"\b0\.00\b"))
    _picture(page, "loading", name)


@pytest.mark.parametrize("name", ASKS)
def test_page_whose_question_fails_says_so_in_the_apis_words(full: Desk, open_page: OpenPage, name: str) -> None:
    def fail(route: Route) -> None:
        said = {"code": "store_unavailable", "message": "The ledger does not answer; look at the disk.", "details": {}}
        route.fulfill(status=503, json=said)

    page = signed_in(open_page(), full)
    page.route(API, fail)
    _open(page, full, name)
    expect(page.get_by_role("alert").filter(has_text="The ledger does not answer").first).to_be_visible(timeout=15_000)
    _picture(page, "error", name)


@pytest.mark.parametrize("name", PAGES)
def test_disconnected_page_says_as_of_when_and_takes_the_colour_out_of_old_numbers(
    full: Desk, open_page: OpenPage, name: str
) -> None:
    page = open_page()
    sockets: list[WebSocketRoute] = []

    def forward(socket: WebSocketRoute) -> None:
        if sockets:  # the second and all later ones find nobody
            socket.close(code=1011)
            return
        sockets.append(socket)
        socket.connect_to_server()

    page.route_web_socket("**/live", forward)
    signed_in(page, full)
    go_to(page, name)
    expect(FULL[name](page)).to_be_visible()
    page.route(
        re.compile(r"^http://[^/]+/(health|monitor|listings|calendar|risk|positions|trade|attention|config)"),
        lambda route: route.abort(),
    )
    sockets[0].close(code=1011)
    alert = page.get_by_role("alert").filter(has_text=WARNING)
    expect(alert).to_be_visible()
    expect(alert).to_contain_text(re.compile(r"figures are as of \d\d:\d\d:\d\d UTC"))
    assert page.locator("main").evaluate("main => getComputedStyle(main).filter") == "grayscale(1)"
    expect(page.get_by_role("status", name="State of the bot")).to_contain_text("feed stale")
    _picture(page, "disconnected", name)
    page.keyboard.press("Shift+K")
    expect(page.get_by_role("dialog", name="Kill switch").get_by_role("button", name="Pause")).to_be_focused()


def test_silent_engine_greys_the_page_though_the_link_lives(full: Desk, open_page: OpenPage) -> None:
    page = open_page()

    def lie(socket: WebSocketRoute) -> None:
        server = socket.connect_to_server()

        def pass_on(message: str | bytes) -> None:
            text = message if isinstance(message, str) else message.decode()
            socket.send(text.replace('"engineAlive":true', '"engineAlive":false'))

        server.on_message(pass_on)

    page.route_web_socket("**/live", lie)
    signed_in(page, full)
    expect(page.get_by_role("alert").filter(has_text="The engine does not answer")).to_be_visible()
    assert page.locator("main").evaluate("main => getComputedStyle(main).filter") == "grayscale(1)"


def test_every_page_is_reached_by_keys_alone(full: Desk, open_page: OpenPage) -> None:
    page = signed_in(open_page(), full)
    places = dict(zip("cltprvahso", [*list(PAGES)[1:], "Overview"], strict=True))
    for key, name in places.items():
        page.keyboard.press("g")
        page.keyboard.press(key)
        expect(page.get_by_role("heading", level=1, name=name)).to_be_attached()


def test_double_click_acts_once(full: Desk, open_page: OpenPage) -> None:
    page = signed_in(open_page(), full)
    go_to(page, "Trades")
    page.get_by_role("button", name="Buy", exact=True).click()
    dialog = page.get_by_role("dialog", name="Buy by hand")
    dialog.get_by_label("Symbol").fill("ALPHAUSDT")
    dialog.get_by_label("Amount, USDT").fill("20")
    heard = len(full.heard)
    dialog.get_by_role("button", name=re.compile("Buy 20 USDT")).dblclick()
    expect(page.get_by_role("heading", level=1, name="ALPHAUSDT")).to_be_visible()
    bought = [command for command in full.heard[heard:] if command.verb == "execute_trade"]
    assert len(bought) == 1


def test_buy_repeated_after_a_lost_answer_is_the_same_buy(full: Desk, open_page: OpenPage) -> None:
    page = signed_in(open_page(), full)
    go_to(page, "Trades")
    keys = []

    def lose_the_first_answer(route: Route) -> None:
        keys.append(route.request.headers["idempotency-key"])
        if len(keys) == 1:
            route.fetch()
            route.abort()
        else:
            route.continue_()

    page.route("**/trade/execute", lose_the_first_answer)
    page.get_by_role("button", name="Buy", exact=True).click()
    dialog = page.get_by_role("dialog", name="Buy by hand")
    dialog.get_by_label("Symbol").fill("ALPHAUSDT")
    dialog.get_by_label("Amount, USDT").fill("33")
    heard = len(full.heard)
    buy = dialog.get_by_role("button", name=re.compile("Buy 33 USDT"))
    buy.click()
    expect(dialog.get_by_role("alert")).to_be_visible()
    buy.click()
    expect(page.get_by_role("heading", level=1, name="ALPHAUSDT")).to_be_visible()
    assert len(set(keys)) == 1
    assert sum(command.verb == "execute_trade" for command in full.heard[heard:]) == 1
