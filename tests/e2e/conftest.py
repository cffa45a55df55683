"""One program per module, one fresh browser context per test; a console error fails the test that caused it."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect

from tests.e2e.desk import Desk
from tests.support.program import ROOT, Bot, running_bot

CHROMIUM = (
    os.environ.get("CHROMIUM")
    or shutil.which("chromium")
    or shutil.which("chromium-browser")
    or shutil.which("google-chrome")
)
STATIC = ROOT / "src" / "mexc_sniper" / "web" / "static"
ARTIFACTS = ROOT / "artifacts"
DESKTOP = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}
_FLAGS = [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

expect.set_options(timeout=10_000)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test of this folder; without a browser or a built page they are skipped with the reason."""
    reason = None
    if CHROMIUM is None:
        reason = "no Chromium on this machine (apt-get install chromium, or set CHROMIUM)"
    elif not (STATIC / "index.html").is_file():
        reason = "the page is not built (pip install --no-deps -e .)"
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.timeout(180))
            if reason:
                item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """Use the machine's Chromium; nothing is downloaded. Its sandbox refuses to run as root."""
    return {
        **browser_type_launch_args,
        "executable_path": CHROMIUM,
        "chromium_sandbox": os.geteuid() != 0,
        "args": _FLAGS,
    }


@pytest.fixture(scope="module")
def bot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bot]:
    """A running program that the tests of a module share, in any order."""
    with running_bot(tmp_path_factory.mktemp("bot")) as running:
        yield running


@pytest.fixture
def new_bot(tmp_path: Path) -> Iterator[Bot]:
    """A running program of the test's own, as a newcomer's: monitor stopped, nothing seen."""
    with running_bot(tmp_path / "bot") as running:
        yield running


OpenPage = Callable[..., Page]


@pytest.fixture
def open_page(browser: Browser, request: pytest.FixtureRequest) -> Iterator[OpenPage]:
    """Open pages in contexts of their own; what they say on the console is checked at the end.

    Network failures are expected where a test takes the program away; everything else on the console is a defect,
    a violated content policy above all.
    """
    said: list[str] = []
    contexts = []

    def listen(message: ConsoleMessage) -> None:
        network = "Failed to load resource" in message.text or "WebSocket connection" in message.text
        if message.type in ("error", "warning") and not network:
            said.append(f"{message.type}: {message.text}")

    def opened(*, viewport: dict[str, int] = DESKTOP, scheme: str = "dark", **more: Any) -> Page:
        context = browser.new_context(viewport=viewport, color_scheme=scheme, reduced_motion="reduce", **more)
        contexts.append(context)
        page = context.new_page()
        page.on("console", listen)
        page.on("pageerror", lambda error: said.append(f"uncaught: {error}"))
        return page

    yield opened
    failed = getattr(request.node, "failed_call", False)
    for number, context in enumerate(contexts):
        if failed and context.pages:
            ARTIFACTS.mkdir(exist_ok=True)
            context.pages[0].screenshot(path=ARTIFACTS / f"failed-{request.node.name}-{number}.png")
        context.close()
    assert not said, "\n".join(said)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]):
    """Let `open_page` know that the test failed, so that it keeps a picture."""
    report = yield
    if report.when == "call" and report.failed:
        item.failed_call = True  # type: ignore[attr-defined]
    return report


def signed_in(page: Page, bot: Bot | Desk) -> Page:
    """Sign in by a fresh one-time link; ends on the overview."""
    page.goto(bot.sign_in_link())
    expect(page.get_by_role("button", name="monitoring")).to_be_visible()
    return page


def go_to(page: Page, name: str) -> None:
    """Go to a page by the navigation; a phone keeps some of them under "More"."""
    link = page.get_by_role("navigation", name="Pages of the dashboard").get_by_role("link", name=name)
    if not link.is_visible():
        page.get_by_role("button", name="More").click()
        link = page.get_by_role("navigation", name="More pages").get_by_role("link", name=name)
    link.click()
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(page.get_by_role("heading", level=1, name=name)).to_be_attached()
