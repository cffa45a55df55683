"""Hostile names on the terminal, in logs and in the API's frames: text, whatever they hold."""

import io
import json
import re

import msgspec
import pytest
from rich.console import Console

from mexc_sniper.app.cli.common import plain
from mexc_sniper.app.redaction import escape_control
from mexc_sniper.model.listing import Listing
from mexc_sniper.web import convert
from tests.support.hostile import HOSTILE_NAMES
from tests.web.world import a_listing

UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_a_terminal_shows_a_name_as_text(name: str) -> None:
    said = io.StringIO()
    console = Console(file=said, force_terminal=True, color_system=None, width=20_000, highlight=False)

    console.print(f"[bold]{plain(name)}[/bold] end")

    shown = re.sub(r"\x1b\[[0-9;]*m", "", said.getvalue())
    assert not UNSAFE.search(shown.replace("\n", ""))
    # Nothing of it was taken for markup or control: what is shown is the escaped name itself.
    assert shown.rstrip("\n") == f"{escape_control(name)} end"


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_a_frame_carries_a_name_as_one_json_text(name: str) -> None:
    listing: Listing = msgspec.structs.replace(a_listing("XUSDT"), full_name=name)

    text = convert.listing_view(listing).model_dump_json()

    assert json.loads(text)["fullName"] == name
    assert "\n" not in text
    assert "\x1b" not in text
