"""``/config``: the trade configuration and its history (changing it comes with trading)."""

from typing import Annotated

from fastapi import Query, Request

from mexc_sniper.web import convert
from mexc_sniper.web.auth.principal import Scope
from mexc_sniper.web.errors import StoreUnavailable
from mexc_sniper.web.routing import router_for
from mexc_sniper.web.services import services
from mexc_sniper.web.views import ConfigHistoryView, ConfigView

router = router_for(Scope.READ, tag="config")


@router.get("/config")
async def config(request: Request) -> ConfigView:
    """Show the version in force."""
    version = await services(request).store.read(lambda reader: reader.config())
    if version is None:
        raise StoreUnavailable(starting=True)
    return convert.config_view(version)


@router.get("/config/history")
async def history(
    request: Request,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    offset: Annotated[int, Query(ge=0, le=1_000_000_000)] = 0,
) -> ConfigHistoryView:
    """List every version, newest first."""
    versions, total = await services(request).store.read(
        lambda reader: reader.config_history(limit=limit, offset=offset)
    )
    return ConfigHistoryView(versions=[convert.config_view(version) for version in versions], total=total)
