"""``/risk/metrics``: exposure, limits, breakers, budget."""

from fastapi import Request

from mexc_sniper.web.auth.principal import Scope
from mexc_sniper.web.routing import router_for
from mexc_sniper.web.services import services
from mexc_sniper.web.views_trading import RiskMetricsView

router = router_for(Scope.READ, tag="risk")


@router.get("/risk/metrics")
async def metrics(request: Request) -> RiskMetricsView:
    """Tell what each account has at stake, how much of each limit is used, and what is allowed now."""
    return await services(request).overview.risk()
