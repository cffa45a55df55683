from collections.abc import AsyncIterator, Iterator

import pytest

from tests.paper.world import PaperWorld, running
from tests.support.blocking import nothing_blocks


@pytest.fixture(autouse=True)
def _nothing_blocks() -> Iterator[None]:
    with nothing_blocks():
        yield


@pytest.fixture
async def world() -> AsyncIterator[PaperWorld]:
    """A running paper venue that lists ALPHAUSDT and has seen no market yet."""
    async with running(PaperWorld()) as world:
        world.lists()
        world.events.clear()
        yield world
