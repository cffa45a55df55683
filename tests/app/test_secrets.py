"""The Secret type gives nothing away by accident."""

import copy
import json
import pickle

import pytest

from mexc_sniper.app.secrets import Secret


def test_secret_prints_as_stars_everywhere() -> None:
    secret = Secret("planted")
    assert f"{secret} {secret!r} {[secret]}" == "*** *** [***]"


def test_secret_cannot_be_serialised() -> None:
    for attempt in (pickle.dumps, json.dumps, copy.deepcopy):
        with pytest.raises(TypeError):
            attempt(Secret("planted"))


def test_secret_equality_is_by_value_and_never_with_plain_text() -> None:
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
