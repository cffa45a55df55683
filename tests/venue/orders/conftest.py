"""A gateway on a scripted venue."""

import asyncio
import ssl
import subprocess
from contextlib import asynccontextmanager, suppress

import pytest

from mexc_sniper.model.events import FillsReported, GateSignaled, OrderReported
from mexc_sniper.runtime.clock import LoopClock, ThreadOffload
from mexc_sniper.venues.mexc.lines import LineOptions
from mexc_sniper.venues.mexc.order_gateway import MexcOrderGateway, OrderGatewayOptions
from mexc_sniper.venues.mexc.signing import Credentials
from mexc_sniper.venues.mexc.wire import PicowsWire
from tests.venue.orders.venue import OrderVenue
from tests.venue.streaming import eventually

CREDENTIALS = Credentials("mx0aBYs33eIilxBWC5", "45d0b3c26f2644f19bfb98b07741b2f5")
QUICK = LineOptions(lines=3, answer_deadline_s=0.4, warm_every_s=30)


class Desk:
    """A running gateway and what it said."""

    def __init__(self, gateway: MexcOrderGateway, venue: OrderVenue) -> None:
        self.gateway = gateway
        self.venue = venue
        self.events: list[object] = []

    def reports(self, client_order_id: str | None = None):
        reports = [event.report for event in self.events if isinstance(event, OrderReported)]
        return [r for r in reports if client_order_id in (None, r.client_order_id)]

    def statuses(self) -> list[str]:
        return [report.status.value for report in self.reports()]

    def of(self, kind):
        return [event for event in self.events if isinstance(event, kind)]

    def gates(self):
        return [(event.reason.value, event.closed) for event in self.of(GateSignaled)]

    def fills(self):
        return [fill for event in self.of(FillsReported) for fill in event.fills]

    async def until(self, condition, **options):
        return await eventually(condition, **options)

    async def ended(self, count: int = 2):
        """Wait until an order has its first report and what followed."""
        await eventually(lambda: len(self.reports()) >= count)
        return self.reports()[count - 1]


@asynccontextmanager
async def desk_on(venue, *, lines=QUICK, wire=None, offset_ns=lambda: 0, ready=True, ws_url="", before=None, **options):
    clock = LoopClock()
    wire = wire or PicowsWire(clock)
    offload = ThreadOffload(1)
    gateway = MexcOrderGateway(
        clock=clock,
        offload=offload,
        wire=wire,
        bytes_wire=wire,
        credentials=CREDENTIALS,
        venue_offset_ns=offset_ns,
        rest_url=venue.url,
        ws_url=ws_url or "ws://127.0.0.1:9/ws",
        options=OrderGatewayOptions(lines=lines, seed=1, **options),
    )
    desk = Desk(gateway, venue)
    if before is not None:
        before(gateway)
    task = asyncio.create_task(gateway.run(desk.events.append))
    try:
        if ready:
            await eventually(lambda: gateway.idle_connections >= lines.lines)
        yield desk
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        offload.close()


@pytest.fixture
async def venue():
    venue = OrderVenue()
    await venue.start()
    yield venue
    await venue.stop()


@pytest.fixture
async def desk(venue):
    async with desk_on(venue) as desk:
        yield desk


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-days",
        "2",
    ]
    command += ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    command += ["-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")]
    subprocess.run(command, check=True, capture_output=True)
    return folder


@pytest.fixture(scope="session")
def server_tls(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    return context


@pytest.fixture(scope="session")
def client_tls(certificate):
    return ssl.create_default_context(cafile=certificate / "cert.pem")
