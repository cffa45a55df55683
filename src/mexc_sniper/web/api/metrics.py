"""``GET /metrics``: Prometheus, both processes on one page."""

from fastapi import Request
from fastapi.responses import PlainTextResponse

from mexc_sniper import telemetry
from mexc_sniper.web import metrics as text
from mexc_sniper.web.auth.principal import Scope
from mexc_sniper.web.routing import authorise, router_for
from mexc_sniper.web.services import services

ENGINE_FIGURE = "metrics"
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_ENGINE_UP = (
    f"# HELP {telemetry.ENGINE_UP} Whether the engine's heartbeat is fresh.\n# TYPE {telemetry.ENGINE_UP} gauge\n"
    f"{telemetry.ENGINE_UP} "
)

router = router_for(None, tag="metrics")


@router.get("/metrics", response_class=PlainTextResponse)
async def metrics(request: Request) -> PlainTextResponse:
    """Return all metrics; needs the scope read unless the operator made them public.

    A dead engine's figures are left out; ``engine_up`` tells.
    """
    parts = services(request)
    if not parts.options.metrics_public:
        await authorise(request, Scope.READ)
    texts = [telemetry.render().decode()]
    figures = await parts.store.figures()
    alive = parts.overview.life_from(figures).alive
    if alive and ENGINE_FIGURE in figures:
        texts.append(figures[ENGINE_FIGURE][0].decode("utf-8", "replace"))
    texts.append(f"{_ENGINE_UP}{int(alive)}\n")
    return PlainTextResponse(text.merge(texts), media_type=CONTENT_TYPE)
