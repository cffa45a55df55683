"""``/openapi.json``: the contract, with the frames of ``/live`` declared as a webhook so that types can be made."""

from typing import Any

from fastapi import FastAPI, Request
from fastapi.routing import iter_route_contexts

from mexc_sniper.web.auth.principal import Scope
from mexc_sniper.web.routing import GuardedRoute, router_for
from mexc_sniper.web.views import LiveFrame

router = router_for(Scope.READ, tag="schema")

_SCHEMES: dict[str, Any] = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "The file `token` in the data directory."},
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": "mexc_sniper_…",
        "description": "A browser's session; changes also need the header X-CSRF-Token.",
    },
}
_ERROR = {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorView"}}}


@router.get("/openapi.json", include_in_schema=False)
async def openapi(request: Request) -> dict[str, Any]:
    """Publish the contract."""
    app: FastAPI = request.app
    return app.openapi()


def declare_live_frames(app: FastAPI) -> None:
    """Put the WebSocket's frames into the contract; OpenAPI has no word for WebSockets."""

    @app.webhooks.post("live", summary="Every frame the WebSocket /live sends")
    async def live(frame: LiveFrame) -> None:
        """Sent by the server, as text, one JSON object a frame."""


class DescribedApp(FastAPI):
    """Adds to the contract what FastAPI cannot know: who may use a path, and that every error is JSON."""

    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is None:
            _describe(super().openapi(), self)
        return super().openapi()


def _describe(contract: dict[str, Any], app: FastAPI) -> None:
    contract["components"]["securitySchemes"] = _SCHEMES
    for path, operations in contract["paths"].items():
        for method, operation in operations.items():
            needs = _needs(app, path, method)
            if needs is not None:
                operation["security"] = [{"bearer": []}, {"session": []}]
                operation["x-scope"] = needs.value
            for status, response in operation["responses"].items():
                if int(status) >= 400:
                    response["content"] = _ERROR
    for schema in ("HTTPValidationError", "ValidationError"):
        contract["components"]["schemas"].pop(schema, None)
    for operations in contract.get("webhooks", {}).values():
        operations["post"]["responses"].pop("422", None)


def _needs(app: FastAPI, path: str, method: str) -> Scope | None:
    for context in iter_route_contexts(app.routes):
        route = context.original_route
        if isinstance(route, GuardedRoute) and route.path == path and method.upper() in (route.methods or ()):
            return route.needs
    return None
