"""``/health``: for people and orchestrators; public, and never an error while the web process lives."""

from fastapi import Request

from mexc_sniper.web.errors import StoreUnavailable
from mexc_sniper.web.routing import router_for
from mexc_sniper.web.services import services
from mexc_sniper.web.views import ErrorView, HealthView, View

router = router_for(None, tag="health")


class ProbeView(View):
    """The answer to an orchestrator's probe."""

    status: str = "ok"


@router.get("/health")
async def health(request: Request) -> HealthView:
    """Tell how the program is: ok, degraded (a part is missing) or error (the engine does not answer)."""
    return await services(request).overview.health()


@router.get("/health/live")
async def live() -> ProbeView:
    """Tell that this web process answers."""
    return ProbeView()


@router.get("/health/ready", responses={503: {"model": ErrorView}})
async def ready(request: Request) -> ProbeView:
    """Tell whether pages can be served: the ledger can be read. Whether the engine lives, ``/health`` tells."""
    if not await services(request).store.ready():
        raise StoreUnavailable(starting=True)
    return ProbeView()
