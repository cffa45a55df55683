"""The web process's application: layers from the outside in are measuring, guard, compression, routes."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from fastapi import FastAPI
from starlette.middleware.gzip import GZipMiddleware

from mexc_sniper.ledger.location import LedgerLocation
from mexc_sniper.ledger.tail import LedgerTail
from mexc_sniper.ports import Clock
from mexc_sniper.web import errors
from mexc_sniper.web.api import (
    analytics,
    attention,
    config,
    events,
    golive,
    health,
    kill,
    listings,
    live,
    metrics,
    monitor,
    notifications,
    pages,
    positions,
    risk,
    schema,
    session,
    tokens,
    trade,
)
from mexc_sniper.web.auth.login import Login
from mexc_sniper.web.auth.service import Auth
from mexc_sniper.web.auth.token_file import ensure_token
from mexc_sniper.web.commands import Commander
from mexc_sniper.web.execute import Executor
from mexc_sniper.web.guard import Guard
from mexc_sniper.web.housekeeping import keep_small
from mexc_sniper.web.kill import KillSwitch
from mexc_sniper.web.live import Hub
from mexc_sniper.web.notices import Notices
from mexc_sniper.web.observe import Observe
from mexc_sniper.web.options import WebOptions
from mexc_sniper.web.services import Services
from mexc_sniper.web.state import Overview
from mexc_sniper.web.store import Store

_log = structlog.get_logger()

DESCRIPTION = """Sees every new spot listing on MEXC. JSON in camelCase, decimals as text, times in ISO-8601 UTC.
Every error is `{code, message, details}`. Programs send `Authorization: Bearer <token>`; the file `token` in the data
directory holds one with every scope."""


def _fail_loudly(task: asyncio.Task[None]) -> None:
    """A background task that ends by itself ends the process; the supervisor starts it anew (STYLE 7)."""
    if not task.cancelled() and task.exception() is not None:
        _log.critical("web_task_failed", task=task.get_name(), exc_info=task.exception())
        signal.raise_signal(signal.SIGTERM)


def create_app(options: WebOptions, *, location: LedgerLocation, clock: Clock) -> FastAPI:
    """Build the application; opens nothing until its lifespan starts, except the token file.

    Raises:
        ConfigError: a dangerous option (`WebOptions.check`) or an unusable token file.
    """
    options.check()
    full_token = options.token or ensure_token(options.data_dir)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        store = Store(location, clock)
        tail = LedgerTail(location)
        notices = Notices(store, clock)
        overview = Overview(options, store, clock, notices)
        hub = Hub(store, tail, overview, clock)
        auth = Auth(options, store, clock, full_token=full_token)
        login = Login(options, store, auth, clock)
        commander = Commander(options, store, overview, hub, clock)
        app.state.services = Services(
            options=options,
            clock=clock,
            store=store,
            auth=auth,
            login=login,
            notices=notices,
            overview=overview,
            hub=hub,
            commander=commander,
            executor=Executor(options, commander, store, hub, clock),
            kill_switch=KillSwitch(options, store, overview, commander, clock),
        )
        tasks = (
            asyncio.create_task(hub.run(), name="live-hub"),
            asyncio.create_task(notices.run(), name="notices"),
            asyncio.create_task(keep_small(store, clock), name="housekeeping"),
        )
        for task in tasks:
            task.add_done_callback(_fail_loudly)
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            login.close()
            await tail.aclose()
            await store.aclose()

    app = schema.DescribedApp(
        title="mexc-sniper",
        version=options.version,
        description=DESCRIPTION,
        lifespan=lifespan,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    errors.install(app)
    for router in (
        health.router,
        monitor.reading,
        monitor.controlling,
        listings.reading,
        listings.controlling,
        config.reading,
        config.controlling,
        trade.reading,
        trade.controlling,
        positions.reading,
        positions.controlling,
        risk.router,
        analytics.router,
        golive.router,
        kill.killing,
        kill.controlling,
        attention.reading,
        attention.controlling,
        events.router,
        live.router,
        metrics.router,
        session.public,
        session.reading,
        session.controlling,
        tokens.router,
        notifications.reading,
        notifications.controlling,
        schema.router,
        pages.router,
    ):
        app.include_router(router)
    schema.declare_live_frames(app)
    app.add_middleware(GZipMiddleware, minimum_size=1_000, compresslevel=5)
    app.add_middleware(Guard, options=options)
    app.add_middleware(Observe, clock=clock)
    return app
