"""The result a canary leaves: for one key at one venue, durable, and without the key in it."""

from pathlib import Path

import pytest

from mexc_sniper.app.canary_file import find_canary, key_fingerprint, remember_canary, venue_name
from mexc_sniper.core.errors import StoreError
from mexc_sniper.model.canary import FILE_NAME, CanaryResult

URL = "https://api.mexc.com"
KEY = "mx0anapikeyofatest01"


def result(*, url: str = URL, key: str = KEY, wall_ns: int = 1, passed: bool = True) -> CanaryResult:
    return CanaryResult(
        venue=venue_name(url), key=key_fingerprint(key), symbol="MXUSDT", wall_ns=wall_ns, passed=passed
    )


def test_result_is_found_for_its_own_key_and_venue_alone(tmp_path: Path) -> None:
    assert find_canary(tmp_path, rest_url=URL, api_key=KEY) is None
    remember_canary(tmp_path, result())
    assert find_canary(tmp_path, rest_url=URL, api_key=KEY) == result()
    assert find_canary(tmp_path, rest_url=URL, api_key=f"{KEY}x") is None
    assert find_canary(tmp_path, rest_url="http://127.0.0.1:9100", api_key=KEY) is None


def test_later_result_takes_the_place_of_the_earlier_and_leaves_others_alone(tmp_path: Path) -> None:
    remember_canary(tmp_path, result())
    remember_canary(tmp_path, result(key="another"))
    remember_canary(tmp_path, result(wall_ns=9, passed=False))
    assert find_canary(tmp_path, rest_url=URL, api_key=KEY) == result(wall_ns=9, passed=False)
    assert find_canary(tmp_path, rest_url=URL, api_key="another") == result(key="another")


def test_file_holds_no_key_and_is_its_owners_alone(tmp_path: Path) -> None:
    remember_canary(tmp_path, result())
    path = tmp_path / FILE_NAME
    assert KEY not in path.read_text()
    assert path.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("content", [b"", b"{", b'[{"venue": 1}]', b"\xff\x00"])
def test_file_that_cannot_be_read_proves_nothing_and_is_written_anew(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE_NAME).write_bytes(content)
    assert find_canary(tmp_path, rest_url=URL, api_key=KEY) is None
    remember_canary(tmp_path, result())
    assert find_canary(tmp_path, rest_url=URL, api_key=KEY) == result()


def test_result_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="counts as not passed"):
        remember_canary(tmp_path / "nowhere", result())
