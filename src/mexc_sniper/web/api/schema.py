"""``/openapi.json``: the contract, with the frames of ``/live`` declared as a webhook so that types can be made."""

from typing import Any

from fastapi import FastAPI, Request

from mexc_sniper.web.auth.principal import Scope
from mexc_sniper.web.routing import router_for
from mexc_sniper.web.views import LiveFrame

router = router_for(Scope.READ, tag="schema")


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
