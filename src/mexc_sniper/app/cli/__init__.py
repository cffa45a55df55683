"""The command ``mexc-sniper``. Every mistake ends in one sentence and a fixed exit code, never in a traceback."""

import logging
import os
import signal
import sys
from typing import Annotated, NoReturn

import structlog
import typer

from mexc_sniper import __version__
from mexc_sniper.app.cli.common import Exit, app, fail, is_debug
from mexc_sniper.app.client import ApiError, Unreachable
from mexc_sniper.core.errors import ConfigError, SniperError

# Importing registers the commands, in the order in which --help shows them.
# isort: off
from mexc_sniper.app.cli import processes, operate, trading, stopping, access, notifications, reports, tools, db  # noqa: F401
# isort: on

_UNREACHABLE_CODES = {"engine_unavailable", "starting"}


def _version(wanted: bool) -> None:
    if wanted:
        sys.stdout.write(f"mexc-sniper {__version__}\n")
        raise typer.Exit


@app.callback()
def root(
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks of errors.")] = False,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and leave.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """Remember what applies to every command."""
    if debug:
        os.environ["_MEXC_SNIPER_DEBUG"] = "1"


def main() -> None:
    """Run the command line and leave with its exit code."""
    try:
        app()
    except ConfigError as error:
        _ended(error, Exit.USAGE)
    except Unreachable as error:
        _ended(error, Exit.UNREACHABLE)
    except ApiError as error:
        _ended(error, Exit.UNREACHABLE if error.code in _UNREACHABLE_CODES else Exit.FAILED)
    except SniperError as error:
        _ended(error, Exit.FAILED)
    except KeyboardInterrupt:
        raise SystemExit(int(Exit.INTERRUPTED)) from None
    except BrokenPipeError:
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGPIPE)
    except Exception as error:  # a fault of ours: never past the redacting formatter
        _broken(error)


def _ended(error: Exception, code: Exit) -> NoReturn:
    if is_debug():
        raise error
    fail(str(error), code)


def _broken(error: Exception) -> NoReturn:
    if is_debug():
        raise error
    if logging.getLogger().handlers:
        structlog.get_logger(__name__).critical("process_failed", exc_info=error)
        raise SystemExit(int(Exit.FAILED))
    fail(f"this is a fault of the program ({type(error).__name__}): run again with --debug and report it", Exit.FAILED)
