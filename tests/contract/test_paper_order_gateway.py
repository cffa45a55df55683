"""The paper gateway keeps the promises of every order gateway."""

from collections.abc import Callable

import pytest

from mexc_sniper.core.ids import ClientOrderId
from mexc_sniper.model.events import OrderReported
from mexc_sniper.model.market import Side
from mexc_sniper.model.order import Approved, OrderType
from mexc_sniper.venues.paper.options import Fault
from tests.contract.order_gateway_contract import CONTRACT, Promise
from tests.paper.world import PaperWorld, an_intent, running


class PaperHarness:
    def __init__(self, world: PaperWorld) -> None:
        self.world = world
        self.gateway = world.gateway
        self.events = world.events

    def approved(self, *, rests: bool) -> Approved:
        if rests:
            return Approved(intent=an_intent(Side.BUY, OrderType.LIMIT, quantity="10", price="0.90"), generation=0)
        return Approved(intent=an_intent(Side.BUY, amount="20"), generation=0)

    async def until(self, done: Callable[[], bool], *, seconds: float) -> None:
        for _ in range(int(seconds * 100)):
            if done():
                return
            await self.world.clock.advance(0.01)
        raise AssertionError(f"not within {seconds} s")

    async def pause(self, seconds: float) -> None:
        await self.world.clock.advance(seconds)
        self.show()

    def show(self) -> None:
        self.world.show(bids="0.99x1000", asks="1.00x1000")

    def prevent_next_send(self) -> None:
        self.gateway.rehearse(Fault.NOT_SENT)

    def orders_at_venue(self, client_order_id: ClientOrderId) -> int:
        said = self.world.said(OrderReported)
        mine = [event.report for event in said if event.report.client_order_id == client_order_id]
        return len({report.venue_order_id for report in mine if report.venue_order_id})


@pytest.mark.parametrize("promise", CONTRACT, ids=lambda promise: promise.__name__)
async def test_paper_gateway_promise(promise: Promise):
    async with running(PaperWorld()) as world:
        world.lists()
        harness = PaperHarness(world)
        harness.show()
        await promise(harness)
