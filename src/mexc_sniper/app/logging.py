"""Structured logs: JSON lines to a size-capped file per process, and the same or a readable form to the terminal."""

import logging
import logging.handlers
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from mexc_sniper.app.redaction import Redactor, escape_control
from mexc_sniper.app.settings import LogSettings

_QUIET = ("aiohttp", "asyncio", "picows", "websockets", "uvicorn", "alembic", "sqlalchemy", "urllib3", "requests")


def configure_logging(
    settings: LogSettings,
    *,
    process: str,
    log_dir: Path | None,
    secrets: Iterable[str] = (),
    stream: TextIO | None = None,
    terminal_level: str | None = None,
) -> None:
    """Send every log of this process, third parties included, through the redacting formatter.

    Args:
        settings: level, form and sizes.
        process: ``engine``, ``web`` or ``supervisor``: the file's name and a field of every line.
        log_dir: where the file goes; None: terminal only.
        secrets: plain values that must never appear.
        stream: the terminal, by default stderr.
        terminal_level: least severity shown on the terminal where it differs from the file's.
    """
    stream = stream or sys.stderr
    redactor = Redactor(secrets)
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _named(process),
    ]
    as_json = settings.format == "json" or (settings.format == "auto" and not stream.isatty())
    terminal = logging.StreamHandler(stream)
    terminal.setFormatter(_formatter(shared, redactor, _json() if as_json else _console(colors=stream.isatty())))
    if terminal_level is not None:
        terminal.setLevel(terminal_level.upper())
    handlers: list[logging.Handler] = [terminal]
    if log_dir is not None:
        log_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = logging.handlers.RotatingFileHandler(
            log_dir / f"{process}.log",
            maxBytes=settings.file_mb * 1024 * 1024,
            backupCount=settings.files - 1,
            encoding="utf-8",
            errors="backslashreplace",
        )
        file.setFormatter(_formatter(shared, redactor, _json()))
        handlers.append(file)
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
        old.close()
    for handler in handlers:
        root.addHandler(handler)
    root.setLevel(settings.level.upper())
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.raiseExceptions = False  # a full disk must not print records to stderr (RELIABILITY 2.5, row 70)
    logging.captureWarnings(True)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )


class _RedactingFormatter(structlog.stdlib.ProcessorFormatter):
    def __init__(self, redactor: Redactor, **rest: Any) -> None:
        super().__init__(**rest)
        self._redactor = redactor

    def format(self, record: logging.LogRecord) -> str:
        return self._redactor.clean(super().format(record))


def _formatter(shared: list[Processor], redactor: Redactor, renderers: list[Processor]) -> logging.Formatter:
    return _RedactingFormatter(
        redactor,
        foreign_pre_chain=shared,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderers],
    )


def _json() -> list[Processor]:
    return [
        structlog.processors.ExceptionRenderer(),  # plain text: the dict form prints local variables
        _escaped,
        structlog.processors.JSONRenderer(ensure_ascii=False, default=repr),
    ]


def _console(*, colors: bool) -> list[Processor]:
    return [
        structlog.processors.ExceptionRenderer(),
        _escaped,
        structlog.dev.ConsoleRenderer(colors=colors, pad_event_to=32),
    ]


def _named(process: str) -> Processor:
    def add(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        event["process"] = process
        return event

    return add


def _escaped(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    event.pop("color_message", None)  # uvicorn's second copy of its text
    return {key: escape_control(value) if isinstance(value, str) else value for key, value in event.items()}
