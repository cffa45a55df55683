"""Twelve planted secrets in six encodings appear in no log, answer, export or dump of a run where much goes wrong."""

from pathlib import Path

import pytest

from tests.app.leaks import Places, Planted, search


@pytest.mark.timeout(600)
async def test_twelve_secrets_go_in_and_none_comes_out(tmp_path: Path):
    places = await search(tmp_path, 8.0)

    assert places.leaks == []
    assert set(places.searched) >= {"answer", "live", "export", "dump", "log", "command", "file"}
    assert all(size > 500 for size in places.searched.values()), places.searched


def test_the_search_finds_a_secret_in_every_encoding():
    planted = Planted({"a": "s3cret+/=&%~'\\ value"})
    forms = planted.forms()
    assert len(forms) == 6
    for form in forms:
        places = Places(planted)
        places.look("log x", f"line\n... {form} ...")
        assert places.leaks
