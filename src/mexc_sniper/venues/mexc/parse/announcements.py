"""Official announcements (REFERENCE 3.2): text only, so titles are read for the tickers of spot listings."""

import re

import msgspec

from mexc_sniper.core.errors import ProtocolError
from mexc_sniper.core.values import Asset
from mexc_sniper.model.listing import Announcement
from mexc_sniper.venues.mexc.parse.text import (
    Bad,
    Code,
    Number,
    accept,
    asset_of,
    decode,
    free_text,
    ns_or_none,
)

_LISTING = re.compile(r"\[initial listing\]|\bmexc (?:will|to) list\b|\bmexc lists\b", re.IGNORECASE)
_OTHER = re.compile(
    r"pre-?\s?market|futures|usd[tc]?-m\b|perpetual|delist|postpon|delay|suspen|convert|launchpad|kickstarter"
    r"|\bmargin\b|airdrop\+|cancel",
    re.IGNORECASE,
)
_TICKER = re.compile(r"[(\uff08]\s*([^()\uff08\uff09\s,/]{1,30})(?:\s*/\s*[A-Z]{2,6})?\s*[)\uff09]")
_PAIR = re.compile(r"\b([^\s()/]{1,30})/(?:USDT|USDC|USDE|EUR|BTC|ETH)\b")
_NOT_TICKERS = frozenset({"UTC", "UTC+8", "GMT", "USDT", "USDC"})


class _Post(msgspec.Struct, rename="camel"):
    title: str
    url: str | None = None
    post_time: Number = None


class _Page(msgspec.Struct):
    details: list[_Post] | None = None


class _Answer(msgspec.Struct):
    data: list[_Page] | None = None
    code: Code = None
    msg: str | None = None


_answer = msgspec.json.Decoder(_Answer)


def announcements(body: bytes) -> tuple[Announcement, ...]:
    """Read one page of posts, all of them; ``assets`` is empty where a title is no spot listing.

    Raises:
        ProtocolError: not the promised shape.
        VenueError: the body is an error answer.
    """
    answer = decode(_answer, body, "announcements")
    accept(answer.code, answer.msg)
    if answer.data is None:
        raise ProtocolError("announcements: the answer has no data")
    return tuple(
        Announcement(
            title=free_text(post.title),
            url=_link(post.url),
            posted_at_ns=ns_or_none(post.post_time),
            assets=listed_assets(post.title),
        )
        for page in answer.data
        for post in page.details or ()
    )


def listed_assets(title: str) -> tuple[Asset, ...]:
    """Return the tickers a title says MEXC will list on spot, in order; empty for anything else.

    Pre-market, futures, convert, launchpad, delisting and postponement posts look alike and count as anything else.
    """
    title = title[:1000]
    if not _LISTING.search(title) or _OTHER.search(title):
        return ()
    found: dict[Asset, None] = {}
    for ticker in (*_TICKER.findall(title), *_PAIR.findall(title)):
        try:
            asset = asset_of(ticker)
        except Bad:
            continue
        if asset.upper() not in _NOT_TICKERS:
            found.setdefault(asset)
    return tuple(found)


def _link(url: str | None) -> str:
    """Only addresses a page may link to; a script address stays out."""
    text = free_text(url)
    return text if text.startswith(("https://", "http://")) else ""
