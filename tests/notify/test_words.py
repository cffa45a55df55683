"""Hostile names in messages: nobody is mentioned, nothing is linked, nothing is markup, in any messenger."""

import asyncio
import html
import re
from typing import Any

import apprise
import pytest

from mexc_sniper.core.errors import ConfigError
from mexc_sniper.notify.channel import Sender, kind_of, secrets_in
from mexc_sniper.notify.words import LONGEST, harmless
from tests.notify.servers import a_mail_service, an_http_service
from tests.support.hostile import HOSTILE_NAMES

LINKS = re.compile(r"https?://\S|[a-z]\.[a-z]{2,}|tg://\S", re.IGNORECASE)
MENTIONS = re.compile(r"@(?:everyone|here|channel)|<[!@#&][\w^&!]")


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_a_hostile_name_is_short_visible_text_and_nothing_else(name: str):
    text = harmless(name)

    assert len(text) <= 8 * LONGEST
    assert not re.search("[\x00-\x1f\x7f\u202a-\u202e\u2066-\u2069]", text)
    assert not MENTIONS.search(text)
    assert not LINKS.search(text)
    assert not re.search(r"\*\*|`[^\s\u200b]|\]\(|`$", text)


def test_an_ordinary_name_stays_as_it_is():
    for name in ("ALPHAUSDT", "测试币USDT", "Alpha Coin 2", "X-1"):
        assert harmless(name) == name


ADDRESSES = {
    "discord": "discord://123456789012345678/abcdefghijklmnopqrstuvwxyzabcdefghij",
    "slack": "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#general",
    "telegram": "tgram://123456789:abcdefg_hijklmnopqrstuvwxyzabcdefgh/12345678",
}


def shown(kind: str, body: dict[str, Any]) -> str:
    """The text as the service gets it."""
    if kind == "discord":
        assert body.get("allow_mentions", {"parse": []}) == {"parse": []} or "content" in body
        return str(body["content"])
    if kind == "slack":
        return " ".join(str(part.get("text", "")) for part in body["attachments"]) + str(body.get("text", ""))
    return str(body["text"])


@pytest.mark.parametrize("kind", ADDRESSES)
async def test_no_messenger_gets_a_mention_a_link_or_markup_from_a_name(kind: str, monkeypatch: pytest.MonkeyPatch):
    async with an_http_service() as service:
        plugin = type(apprise.Apprise.instantiate(ADDRESSES[kind]))
        for field in ("notify_url", "webhook_url"):
            if hasattr(plugin, field):
                monkeypatch.setattr(plugin, field, f"http://127.0.0.1:{service.port}/{kind}")
        monkeypatch.setattr(plugin, "request_rate_per_sec", 0)
        sender = Sender("x", ADDRESSES[kind])
        for name in HOSTILE_NAMES:
            error = await asyncio.to_thread(sender.send, "mexc-sniper", f"New listing: {harmless(name)}.")
            assert error == "", (name, error)

        assert len(service.requests) == len(HOSTILE_NAMES)
        for name, (_, body) in zip(HOSTILE_NAMES, service.requests, strict=True):
            text = shown(kind, body)
            assert not MENTIONS.search(text), (name, text)
            assert not LINKS.search(html.unescape(text)), (name, text)
            assert "<script" not in text
            assert "<img" not in text
            assert "<a " not in text
            if kind == "telegram":
                assert not re.search(r"<(?!/?b>)", text), (name, text)


async def test_a_mail_shows_a_name_as_text_and_takes_no_header_from_it(monkeypatch: pytest.MonkeyPatch):
    with a_mail_service() as service:
        address = f"mailto://127.0.0.1:{service.port}?from=bot@example.org&to=me@example.org&name=bot"
        monkeypatch.setattr(type(apprise.Apprise.instantiate(address)), "request_rate_per_sec", 0)
        sender = Sender("mail", address)
        assert sender.kind == "email"
        for name in HOSTILE_NAMES[:12] + HOSTILE_NAMES[24:28]:
            assert await asyncio.to_thread(sender.send, "mexc-sniper", f"New listing: {harmless(name)}.") == ""

        for mail in service.mails:
            assert mail["subject"] == "mexc-sniper"
            assert mail["to"] == "me@example.org"
            body = mail.get_body(("html", "plain")).get_content()
            assert "<script" not in body
            assert "<img" not in body
            assert "<svg" not in body


@pytest.mark.parametrize(
    "address",
    [
        "https://example.org",
        "exec://rm",
        "not an address",
        "",
        "tgram://nonsense",
        "discord://1/",
        ADDRESSES["discord"] + "?format=markdown",
        ADDRESSES["telegram"] + "?template=/etc/passwd",
    ],
)
def test_a_bad_address_is_refused_without_being_repeated(address: str):
    with pytest.raises(ConfigError, match=r"notify\.channels\.phone") as refused:
        Sender("phone", address)
    assert not address or address not in str(refused.value)


def test_every_secret_part_of_an_address_is_known():
    assert "TIiajkdnlazkcOXrIdevi7FQ" in secrets_in(ADDRESSES["slack"])
    assert "123456789:abcdefg_hijklmnopqrstuvwxyzabcdefgh" in secrets_in(ADDRESSES["telegram"])
    assert {"p4ssw0rd!", "hook-9f3a"} <= secrets_in("json://user:p4ssw0rd%21@host/hook-9f3a?+X-Key=aaaaaaaa")
    assert kind_of("x", "jsons://host/") == "webhook"


async def test_what_went_wrong_is_told_in_words():
    async with an_http_service() as service:
        sender = Sender("hook", f"json://127.0.0.1:{service.port}/hook")
        service.status = 503
        error = await asyncio.to_thread(sender.send, "t", "b")
        assert "503" in error
        assert len(error) <= 200
