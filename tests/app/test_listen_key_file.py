"""The fingerprint by which a life finds the last one's listen key."""

import stat
from pathlib import Path

import pytest

from mexc_sniper.app.listen_key_file import ListenKeyFile
from mexc_sniper.venues.mexc.listen_key import fingerprint_of


def test_last_fingerprint_is_found_by_the_next_life_and_is_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "listen-key"
    assert ListenKeyFile(path).last() == ""
    for key in ("first", "second"):
        ListenKeyFile(path).note(fingerprint_of(key))
    assert ListenKeyFile(path).last() == fingerprint_of("second")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("content", [b"", b"\xff" * 64, b"a" * 63, b"a" * 65, b"a" * 30 + b" " + b"a" * 33])
def test_what_is_no_fingerprint_counts_as_none(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "listen-key"
    path.write_bytes(content)
    assert ListenKeyFile(path).last() == ""


def test_disk_that_refuses_stops_nothing(tmp_path: Path) -> None:
    file = ListenKeyFile(tmp_path / "missing" / "listen-key")
    file.note(fingerprint_of("first"))
    assert file.last() == ""
