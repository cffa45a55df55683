"""A short walk of `tests.fuzz.api`; ``make fuzz`` takes the long one."""

import pytest

from tests.fuzz.api import fuzz


@pytest.mark.timeout(240)
def test_no_call_of_the_contract_breaks_the_web_process() -> None:
    figures, answers = fuzz(150, quiet=True)
    assert answers.wrong == {}
    assert figures["operations"] > 30
    assert figures["cases"] >= 100
