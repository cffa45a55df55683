"""Builds the object graph of each process; the only place that does, and the only one that asks for the mode."""

import asyncio
import signal
import socket
from contextlib import AsyncExitStack

import structlog

from mexc_sniper import __version__
from mexc_sniper.app.settings import Settings
from mexc_sniper.core.errors import ConfigError, StoreError
from mexc_sniper.ledger import migrations
from mexc_sniper.ledger.accounts import AccountStore
from mexc_sniper.ledger.channels import ChannelStore
from mexc_sniper.ledger.location import LedgerLocation, locate
from mexc_sniper.model.config import FIRST_CONFIGS
from mexc_sniper.runtime.clock import LoopClock, ThreadOffload
from mexc_sniper.web.options import WebOptions, require_password

log = structlog.get_logger(__name__)


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
        tls_cert=web.tls_cert_file,
        tls_key=web.tls_key_file,
        token=web.token.reveal() if web.token else None,
        metrics_public=web.metrics_public,
        reads_per_minute=web.reads_per_minute,
        commands_per_minute=web.commands_per_minute,
        session_idle_s=web.session_idle_minutes * 60.0,
        session_absolute_s=web.session_hours * 3600.0,
    )


def prepare_start(settings: Settings) -> None:
    """Refuse at the terminal what a child process would refuse after its start, and migrate the ledger.

    Raises:
        ConfigError: a senseless polling plan, a ledger these settings cannot open, or a page open to a network
            without a password.
        StoreError: the database does not answer.
    """
    from mexc_sniper.app.gateway import build_gateway

    offload = ThreadOffload()
    build_gateway(settings, LoopClock(), offload)
    offload.close()
    migrations.upgrade(location_of(settings))
    _require_password(web_options(settings), location_of(settings))
    if not settings.notify.configured:
        forget = ChannelStore(location_of(settings))
        forget.register({})  # a channel that is configured no more must not look alive on the page
        forget.close()


def _require_password(options: WebOptions, location: LedgerLocation) -> None:
    if options.open_to_a_network:
        accounts = AccountStore(location)
        try:
            require_password(options, accounts.account_names())
        finally:
            accounts.close()


def run_web_process(settings: Settings, *, listener: socket.socket) -> None:
    """Serve the page and the API until a signal ends it.

    Args:
        settings: loaded for the web role; they hold no venue secret.
        listener: the listening socket, opened by the supervisor or by the command.

    Raises:
        ConfigError: when an option is dangerous or the token file cannot be used.
    """
    from mexc_sniper.web.app import create_app  # the engine process never loads the web's libraries
    from mexc_sniper.web.server import serve

    options = web_options(settings)
    options.check()
    _require_password(options, location_of(settings))
    app = create_app(options, location=location_of(settings), clock=LoopClock())
    log.info("web_started", address=listener.getsockname()[:2], version=__version__, mode=settings.mode)
    serve(app, listener, options)
    log.info("web_stopped")


def run_notify_process(settings: Settings) -> None:
    """Tell the channels what happens until a signal ends it.

    Args:
        settings: loaded for the notifier's role; they hold no venue secret.

    Raises:
        ConfigError: no channel is configured, or an address is none.
    """
    asyncio.run(_run_notifier(settings))


async def _run_notifier(settings: Settings) -> None:
    from mexc_sniper.app.redaction import Redactor
    from mexc_sniper.notify.channel import Sender  # only this process loads the messengers' library
    from mexc_sniper.notify.service import Notifier

    if not settings.notify.configured:
        raise ConfigError("no notification channel is configured: see docs/operating.md, Notifications")
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    senders = [Sender(name, address.reveal()) for name, address in sorted(settings.notify.channels.items())]
    url = settings.notify.heartbeat_url
    notifier = Notifier(
        location_of(settings), senders, LoopClock(), clean=Redactor(notify_secrets(settings)).clean,
        title="mexc-sniper" if settings.environment == "local" else f"mexc-sniper ({settings.environment})",
        heartbeat_url=None if url is None else url.reveal(), heartbeat_s=float(settings.notify.heartbeat_seconds),
    )  # fmt: skip
    await notifier.run(stop)
    log.info("notifier_stopped")


def notify_secrets(settings: Settings) -> set[str]:
    """Return every text of the channels' addresses that must appear nowhere."""
    from mexc_sniper.notify.channel import secrets_in

    addresses = [address.reveal() for address in settings.notify.channels.values()]
    if settings.notify.heartbeat_url is not None:
        addresses.append(settings.notify.heartbeat_url.reveal())
    return {secret for address in addresses for secret in secrets_in(address)}


def run_engine_process(settings: Settings) -> None:
    """Run the engine until a signal ends it; migrates the ledger first.

    Raises:
        ConfigError: when a setting or the ledger's address is wrong.
        StoreError: when the ledger cannot be read or written.
    """
    import uvloop

    uvloop.run(_run_engine(settings))


async def _run_engine(settings: Settings) -> None:
    from mexc_sniper.app.budget_file import BUDGET_NAME, BudgetFile
    from mexc_sniper.app.gateway import build_gateway  # the web process never loads the venue's libraries
    from mexc_sniper.app.trading import build_trading, hard_caps, open_journal, refuse_bad_key, with_journaled
    from mexc_sniper.ledger.inbox import EngineInbox
    from mexc_sniper.ledger.live import LiveStore
    from mexc_sniper.ledger.writer import LedgerWriter
    from mexc_sniper.runtime.loop import EngineLoop
    from mexc_sniper.runtime.process import run_engine
    from mexc_sniper.venues.mexc.budget import WeightBudget

    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    clock = LoopClock()
    location = location_of(settings)
    engine_loop: EngineLoop | None = None

    def remember(running: EngineLoop) -> None:
        nonlocal engine_loop
        engine_loop = running

    def ledger_failed(error: StoreError) -> None:  # on the writer's thread
        log.critical("ledger_failed", error=str(error))
        if engine_loop is not None:
            loop.call_soon_threadsafe(engine_loop.fail, error)

    async with AsyncExitStack() as parts:
        offload = ThreadOffload()
        parts.callback(offload.close)
        spent = BudgetFile(settings.data_dir / BUDGET_NAME)
        parts.callback(spent.close)
        gateway = build_gateway(settings, clock, offload, budget=WeightBudget(clock, record=spent))
        live = settings.mode == "live"
        key = await refuse_bad_key(settings, clock, offload, gateway.budget) if live else None
        migrations.upgrade(location)
        ledger = LedgerWriter(location, clock, on_failure=ledger_failed)
        ledger.start()
        parts.push_async_callback(ledger.aclose)
        figures = LiveStore(location, clock)
        figures.start()
        parts.push_async_callback(figures.aclose)
        restored = ledger.restore()
        journal = open_journal(settings, clock, restored)
        parts.push_async_callback(journal.aclose)
        restored = with_journaled(restored, journal.recovered, clock.wall_ns())
        trading = build_trading(settings, clock, offload, market=gateway, restored=restored, journal=journal, key=key)
        inbox = EngineInbox(location, clock, finished=restored.finished_commands)
        log.info(
            "engine_started", version=__version__, mode=settings.mode, ledger=location.describe(),
            symbols=len(restored.symbols), listings=len(restored.listings),
        )  # fmt: skip
        await run_engine(
            ledger=ledger,
            inbox=inbox,
            gateway=gateway,
            figures=figures,
            clock=clock,
            restored=restored,
            stop=stop,
            on_ready=lambda: log.info("engine_ready"),
            on_loop=remember,
            trading=trading,
            caps=hard_caps(settings),
            first_config=FIRST_CONFIGS[settings.first_config],
        )
    log.info("engine_stopped")
