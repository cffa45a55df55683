"""Browsers that somebody keeps busy: each page goes from view to view, ten times a second in all.

    python bench/contenders/browsers.py CHROMIUM LINK PAGES

LINK is a one-time sign-in link. Says "ready" once all pages are signed in, and ends with its standard input.
"""

import os
import sys
import threading
from itertools import count
from urllib.parse import urlsplit

from playwright.sync_api import sync_playwright

VIEWS = ("", "listings", "trades", "performance", "health")


def main() -> None:
    chromium, link, many = sys.argv[1:]
    ended = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
    parts = urlsplit(link)
    home = f"{parts.scheme}://{parts.netloc}/dashboard/"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, chromium_sandbox=os.geteuid() != 0)
        context = browser.new_context(viewport={"width": 1440, "height": 900})
        context.new_page().goto(link)
        context.pages[0].get_by_role("button", name="monitoring").wait_for()
        pages = [context.pages[0], *(context.new_page() for _ in range(int(many) - 1))]
        for page in pages:
            page.goto(home)
            page.get_by_role("button", name="monitoring").wait_for()
        print("ready", flush=True)
        for turn in count():
            if ended.is_set():
                break
            page = pages[turn % len(pages)]
            view = VIEWS[(turn + turn // len(pages)) % len(VIEWS)]  # another one at each of a page's turns
            page.evaluate(
                "to => { history.pushState(null, '', to); dispatchEvent(new PopStateEvent('popstate')) }", home + view
            )
            page.wait_for_timeout(100)
        browser.close()


if __name__ == "__main__":
    main()
