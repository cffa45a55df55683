"""The application's route table, so that tests cover routes nobody thought of."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts

from mexc_sniper.web.auth.principal import Scope
from mexc_sniper.web.guard import SAFE_METHODS
from mexc_sniper.web.routing import GuardedRoute


@dataclass(frozen=True)
class Endpoint:
    method: str
    path: str
    needs: Scope | None

    @property
    def concrete(self) -> str:
        """A path a request can be sent to."""
        return re.sub(r"\{[a-z_]+(?::path)?\}", "x", self.path.replace("{token_id}", "0" * 16))

    @property
    def changes_state(self) -> bool:
        return self.method not in SAFE_METHODS


def endpoints(app: FastAPI) -> Iterator[Endpoint]:
    """Every HTTP endpoint; fails on a route that was not made by `router_for`."""
    for context in iter_route_contexts(app.routes):
        route = context.original_route
        if not isinstance(route, APIRoute):
            assert route.path == "/live", f"{route.path} is no guarded route"  # type: ignore[attr-defined]
            continue
        assert isinstance(route, GuardedRoute), f"{route.path} was not made by router_for"
        for method in sorted(route.methods or ()):
            yield Endpoint(method, route.path, route.needs)
