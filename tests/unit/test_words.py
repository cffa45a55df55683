"""Every code has its sentence, every error its answers."""

import inspect

from mexc_sniper.core import errors
from mexc_sniper.core.reasons import SENTENCES, Reason


def test_every_reason_has_one_sentence():
    assert set(SENTENCES) == set(Reason)
    assert all(text.endswith(".") for text in SENTENCES.values())


def test_every_venue_error_says_whether_to_retry_and_whether_the_venue_could_have_acted():
    kinds = [c for _, c in inspect.getmembers(errors, inspect.isclass) if issubclass(c, errors.VenueError)]
    assert len(kinds) > 10
    for kind in kinds:
        assert isinstance(kind.retryable, bool)
        assert isinstance(kind.outcome, errors.CallOutcome)
        assert kind.__name__ in (errors.__doc__ or "") or kind is errors.VenueError


def test_error_kind_is_its_name_in_snake_case():
    assert errors.RateLimited("x", retry_after_s=3).kind == "rate_limited"
