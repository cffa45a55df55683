"""The simulator's command."""

import argparse
import asyncio
import json
import signal
import ssl
import sys
import time
from collections.abc import Sequence
from dataclasses import replace

import structlog
import uvloop

from mexc_sim.core.exchange import Exchange
from mexc_sim.core.script import Script
from mexc_sim.scenario import ScenarioError, bundled_names, load_scenario
from mexc_sim.server import Server

EXIT_OK = 0
EXIT_USAGE = 2
_HELP = """\
A stand-in for the exchange MEXC on one local port: REST, web calendar and protobuf WebSocket, without keys
or internet. When it is ready it prints one JSON line with its addresses:

  {"ready":true,"port":40123,"restUrl":"http://127.0.0.1:40123","wsUrl":"ws://127.0.0.1:40123/ws","webUrl":"…"}

Then list something and watch it happen:

  curl -X POST http://127.0.0.1:PORT/sim/listings -d '{"base":"LUMO","calendarInS":0,"openInS":20}'
  curl -X POST http://127.0.0.1:PORT/sim/listings -d '{"count":50,"spreadS":1}'
  curl -X POST http://127.0.0.1:PORT/sim/faults   -d '{"target":"exchangeInfo","kind":"rate_limit","times":3}'
  curl http://127.0.0.1:PORT/sim/state

Orders are taken with the key mx0simulatorkey00001 and the secret simulator-secret-not-a-secret-0001; GET /sim/orders
shows what the exchange knows of them, and /sim/orders/refuse, /sim/book, /sim/trade, /sim/balances, /sim/keys,
/sim/markets and /sim/foreign-order change its mind.
"""


def main(argv: Sequence[str]) -> int:
    """Run the simulator until SIGTERM or SIGINT; returns the exit code (0 ended, 2 wrong use)."""
    arguments = _parser().parse_args(argv)
    try:
        script = load_scenario(arguments.scenario)
    except ScenarioError as error:
        return _complain(str(error))
    if arguments.symbols is not None:
        script = replace(script, symbols=arguments.symbols)
    if arguments.ip_weight is not None:
        script = replace(script, rules=replace(script.rules, ip_weight=arguments.ip_weight))
    try:
        tls = _tls(arguments.tls)
    except OSError as error:  # ssl.SSLError is one
        return _complain(f"--tls {' '.join(arguments.tls)}: {error}; give a PEM certificate chain and its PEM key")
    try:
        uvloop.run(_serve(script, arguments, tls))
    except OSError as error:
        return _complain(
            f"port {arguments.port} on {arguments.host} cannot be opened ({error.strerror}); "
            "choose another with --port, or --port 0 for any free one"
        )
    return EXIT_OK


def _tls(files: list[str] | None) -> ssl.SSLContext | None:
    if files is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(*files)
    return context


async def _serve(script: Script, arguments: argparse.Namespace, tls: ssl.SSLContext | None) -> None:
    log = _logger()
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    server = Server(
        Exchange(script, seed=arguments.seed, now_ns=time.time_ns()),
        host=arguments.host,
        port=arguments.port,
        latency_s=arguments.latency_ms / 1_000,
        tls=tls,
    )
    try:
        await server.start()
        host, s = f"{arguments.host}:{server.port}", "" if tls is None else "s"
        ready = {
            "ready": True,
            "port": server.port,
            "restUrl": f"http{s}://{host}",
            "wsUrl": f"ws{s}://{host}/ws",
            "webUrl": f"http{s}://{host}",
        }
        sys.stdout.write(json.dumps(ready, separators=(",", ":")) + "\n")
        sys.stdout.flush()
        log.info("simulator_ready", port=server.port, scenario=arguments.scenario, seed=arguments.seed)
        await stop.wait()
        log.info("simulator_stopping", port=server.port)
    finally:
        await server.aclose()


def _logger() -> structlog.typing.FilteringBoundLogger:
    """JSON lines on stderr; stdout carries the ready line and nothing else."""
    log: structlog.typing.FilteringBoundLogger = structlog.wrap_logger(
        structlog.PrintLogger(sys.stderr),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(),
        ],
    )
    return log


def _complain(sentence: str) -> int:
    sys.stderr.write(f"mexc-sim: {sentence}\n")
    return EXIT_USAGE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="mexc-sim", description=_HELP, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=_port, default=0, help="port to listen on; 0 (default) takes a free one")
    parser.add_argument(
        "--scenario",
        default="quiet",
        help=f"what happens: {', '.join(bundled_names())}, or a TOML file of your own (default: %(default)s)",
    )
    parser.add_argument(
        "--seed", type=int, default=1, help="the same seed gives the same exchange (default: %(default)s)"
    )
    parser.add_argument(
        "--symbols", type=_symbols, help="how many pairs exist at the start (default: the scenario's, 2000)"
    )
    parser.add_argument(
        "--ip-weight", type=_symbols, help="request weight allowed per address and 10 s (default: the scenario's, 300)"
    )
    parser.add_argument(
        "--latency-ms", type=_latency, default=0.0, help="added to everything each way (default: %(default)s)"
    )
    parser.add_argument(
        "--tls", nargs=2, metavar=("CERT", "KEY"), help="serve https and wss with this PEM certificate and key"
    )
    return parser


def _latency(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if 0 <= number <= 60_000:
        return number
    raise argparse.ArgumentTypeError(f"{text!r} must be milliseconds from 0 to 60000")


def _port(text: str) -> int:
    if text.isascii() and text.isdigit() and int(text) <= 65_535:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is no port; use a number from 0 to 65535")


def _symbols(text: str) -> int:
    if text.isascii() and text.isdigit() and 1 <= int(text) <= 1_000_000:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} must be a whole number from 1 to 1000000")
