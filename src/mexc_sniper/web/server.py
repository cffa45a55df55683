"""uvicorn with the options that matter here; app/ runs what this makes."""

import socket

import uvicorn
from fastapi import FastAPI

from mexc_sniper.core.errors import ConfigError
from mexc_sniper.web.options import WebOptions

DEAD_PEER_MS = 20_000
"""A peer whose kernel takes no bytes for so long is dropped; else a frozen browser would hold its buffer for ever."""
SHUTDOWN_S = 3
MAX_HEADER_BYTES = 32 * 1024


def listen(options: WebOptions) -> socket.socket:
    """Bind the port before anything else starts, so that a taken port is one clear sentence.

    Raises:
        ConfigError: the port is taken or may not be used, or the address is not this machine's.
    """
    where = f"{options.host}:{options.port}"
    try:
        found = socket.getaddrinfo(options.host.strip("[]"), options.port, type=socket.SOCK_STREAM)
        family, kind, protocol, _, address = found[0]
        server = socket.socket(family, kind, protocol)
        try:
            server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            drop_dead_peers(server)
            server.bind(address)
            server.listen(128)
        except BaseException:
            server.close()
            raise
    except OSError as error:
        raise ConfigError(
            f"The dashboard cannot listen on {where} ({error.strerror}). Is another program, or a second copy, using "
            "it? Choose another port with --port or MEXC_SNIPER_WEB__PORT, another address with MEXC_SNIPER_WEB__HOST."
        ) from None
    server.setblocking(False)
    return server


def drop_dead_peers(server: socket.socket) -> None:
    """Set `DEAD_PEER_MS` on a listening socket, which accepted ones inherit; nothing where there is no such option."""
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        server.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, DEAD_PEER_MS)


def serve(app: FastAPI, listener: socket.socket, options: WebOptions) -> None:
    """Serve until a signal ends the process; ``listener`` may come from elsewhere (supervisor, systemd)."""
    drop_dead_peers(listener)
    make_server(app, options).run(sockets=[listener])


def make_server(app: FastAPI, options: WebOptions) -> uvicorn.Server:
    """Make the server, for those who bring their own loop; `serve` is for a process of its own."""
    return uvicorn.Server(
        uvicorn.Config(
            app,
            loop="uvloop",
            http="httptools",
            ws="websockets-sansio",
            ws_max_size=64 * 1024,
            ws_per_message_deflate=False,  # each event is serialised once; compressing it per socket would undo that
            ws_ping_interval=15.0,
            ws_ping_timeout=15.0,
            lifespan="on",
            access_log=False,
            log_config=None,
            proxy_headers=False,
            server_header=False,
            date_header=True,
            timeout_keep_alive=30,
            timeout_graceful_shutdown=SHUTDOWN_S,
            limit_concurrency=256,
            ssl_certfile=options.tls_cert,
            ssl_keyfile=options.tls_key,
        )
    )
