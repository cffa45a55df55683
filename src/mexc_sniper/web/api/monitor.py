"""``/monitor``: start, stop and state of the watch for new listings."""

from fastapi import Request

from mexc_sniper.model.commands import Verb
from mexc_sniper.web.api.carrying import IdempotencyKey, carry_out
from mexc_sniper.web.auth.principal import Scope
from mexc_sniper.web.routing import router_for
from mexc_sniper.web.services import services
from mexc_sniper.web.views import CommandView, MonitorView

reading = router_for(Scope.READ, tag="monitor")
controlling = router_for(Scope.CONTROL, tag="monitor")


@reading.get("/monitor/status")
async def status(request: Request) -> MonitorView:
    """Tell whether the monitor runs, since when, and how each source does."""
    return await services(request).overview.monitor()


@controlling.post("/monitor/start")
async def start(request: Request, idempotency_key: IdempotencyKey = None) -> CommandView:
    """Start the monitor; does nothing when it runs."""
    return await _carry_out(request, Verb.START_MONITOR, idempotency_key)


@controlling.post("/monitor/stop")
async def stop(request: Request, idempotency_key: IdempotencyKey = None) -> CommandView:
    """Stop the monitor; does nothing when it is stopped."""
    return await _carry_out(request, Verb.STOP_MONITOR, idempotency_key)


async def _carry_out(request: Request, verb: Verb, key: str | None) -> CommandView:
    return await carry_out(request, verb, {}, key)
