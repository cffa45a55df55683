"""Builds the object graph of each process; the only place that does, and the only one that asks for the mode."""

from typing import TYPE_CHECKING

from mexc_sniper.app.settings import Settings
from mexc_sniper.ledger.location import LedgerLocation, locate
from mexc_sniper.web.options import WebOptions

if TYPE_CHECKING:
    import socket


def location_of(settings: Settings) -> LedgerLocation:
    """Return where the ledger of these settings lives.

    Raises:
        ConfigError: when the address is none that can hold a ledger.
    """
    return locate(settings.database.url, settings.data_dir)


def web_options(settings: Settings) -> WebOptions:
    """Translate settings for the web process, which knows none."""
    web = settings.web
    return WebOptions(
        data_dir=settings.data_dir,
        host=web.host,
        port=web.port,
        environment=settings.environment,
        mode=settings.mode,
        public_url=web.public_url,
        allowed_hosts=web.allowed_hosts,
        trusted_proxy=web.trusted_proxy,
        token=web.token.reveal() if web.token else None,
        metrics_public=web.metrics_public,
        session_idle_s=web.session_idle_minutes * 60.0,
        session_absolute_s=web.session_hours * 3600.0,
    )


def run_web_process(settings: Settings, *, listener: "socket.socket") -> None:
    """Serve the page and the API until a signal ends it.

    Args:
        settings: loaded for the web role; they hold no venue secret.
        listener: the listening socket, opened by the supervisor or by the command.
    """
    import uvicorn

    from mexc_sniper.runtime.clock import LoopClock
    from mexc_sniper.web.app import create_app

    options = web_options(settings)
    options.check()
    app = create_app(options, location=location_of(settings), clock=LoopClock())
    config = uvicorn.Config(
        app,
        loop="uvloop",
        http="httptools",
        ws="websockets-sansio",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        proxy_headers=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=3,
        ws_max_size=64 * 1024,
        ws_ping_interval=20,
        ws_ping_timeout=20,
        h11_max_incomplete_event_size=64 * 1024,
    )
    uvicorn.Server(config).run(sockets=[listener])


def run_engine_process(settings: Settings) -> None:
    """Run the engine until a signal ends it; see `mexc_sniper.runtime.process`."""
    raise NotImplementedError
