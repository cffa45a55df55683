"""Nothing here may block its loop."""

from collections.abc import Iterator

import pytest

from tests.support.blocking import nothing_blocks


@pytest.fixture(autouse=True)
def _nothing_blocks() -> Iterator[None]:
    with nothing_blocks():
        yield
