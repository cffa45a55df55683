from collections.abc import AsyncIterator

import pytest

from tests.paper.world import PaperWorld, running


@pytest.fixture
async def world() -> AsyncIterator[PaperWorld]:
    """A running paper venue that lists ALPHAUSDT and has seen no market yet."""
    async with running(PaperWorld()) as world:
        world.lists()
        world.events.clear()
        yield world
