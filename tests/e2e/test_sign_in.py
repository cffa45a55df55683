"""The one-time link: it signs in once, and says what to do when it cannot."""

from playwright.sync_api import expect

from tests.e2e.conftest import OpenPage, signed_in
from tests.support.program import Bot


def test_link_opened_once_signs_in_and_leaves_no_token_in_the_address(bot: Bot, open_page: OpenPage) -> None:
    page = signed_in(open_page(), bot)
    assert "token" not in page.url
    assert page.evaluate("() => document.cookie") == "", "the session's cookie is out of reach for scripts"
    page.reload()
    expect(page.get_by_role("button", name="monitoring")).to_be_visible()


def test_link_opened_twice_tells_how_to_get_another(bot: Bot, open_page: OpenPage) -> None:
    link = bot.sign_in_link()
    first = open_page()
    first.goto(link)
    expect(first.get_by_role("button", name="monitoring")).to_be_visible()
    second = open_page()
    second.goto(link)
    expect(second.get_by_role("alert")).to_contain_text("used already")
    expect(second.get_by_text("mexc-sniper user link")).to_be_visible()
    # The whole fresh link can be pasted where it stands.
    second.get_by_label("Token or whole link").fill(bot.sign_in_link())
    second.get_by_role("button", name="Sign in").click()
    expect(second.get_by_role("button", name="monitoring")).to_be_visible()


def test_page_opened_without_a_session_leads_to_sign_in(bot: Bot, open_page: OpenPage) -> None:
    page = open_page()
    page.goto(f"{bot.url}/dashboard/listings")
    expect(page.get_by_label("Token or whole link")).to_be_visible()
    assert page.url.endswith("/login")


def test_sign_out_ends_the_session_in_this_browser(bot: Bot, open_page: OpenPage) -> None:
    page = signed_in(open_page(), bot)
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("Token or whole link")).to_be_visible()
    page.goto(f"{bot.url}/dashboard/")
    expect(page.get_by_label("Token or whole link")).to_be_visible()


def test_password_signs_in_and_a_wrong_one_is_told_so(new_bot: Bot, open_page: OpenPage) -> None:
    password = "four green boats sailing"
    done = new_bot.command("user", "password", "--stdin", text=f"{password}\n")
    assert done.returncode == 0, done.stderr
    page = open_page()
    page.goto(f"{new_bot.url}/login")
    page.get_by_label("Password").fill("not that one at all")
    page.get_by_role("button", name="Use the password").click()
    expect(page.get_by_role("alert")).to_contain_text("wrong")
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Use the password").click()
    expect(page.get_by_role("button", name="monitoring")).to_be_visible()
