"""Whatever is logged, by whomever, no planted secret reaches the terminal or the file."""

import base64
import io
import json
import logging
from pathlib import Path
from urllib.parse import quote

import pytest
import structlog

from mexc_sniper.app.logging import configure_logging
from mexc_sniper.app.redaction import Redactor, escape_control
from mexc_sniper.app.settings import LogSettings

PLANTED = "mx0 vg/Lp+Zk=9'Q"


@pytest.fixture
def terminal(tmp_path: Path):
    stream = io.StringIO()
    configure_logging(LogSettings(format="json"), process="engine", log_dir=tmp_path, secrets=[PLANTED], stream=stream)
    yield stream
    for handler in logging.getLogger().handlers[:]:
        logging.getLogger().removeHandler(handler)
        handler.close()
    logging.captureWarnings(False)
    structlog.reset_defaults()


def everything(terminal: io.StringIO, folder: Path) -> str:
    return terminal.getvalue() + (folder / "engine.log").read_text()


@pytest.mark.parametrize(
    "text",
    [
        PLANTED,
        quote(PLANTED, safe=""),
        base64.b64encode(PLANTED.encode()).decode(),
        PLANTED.encode().hex(),
        repr(PLANTED),
        json.dumps(PLANTED),
    ],
)
def test_log_line_with_the_secret_in_any_encoding_shows_stars(terminal: io.StringIO, tmp_path: Path, text: str) -> None:
    structlog.get_logger().warning("call_failed", url=f"https://host/path?x={text}&y=1", note=[{"deep": text}])
    logging.getLogger("third.party").error("header %s", {"X": text})
    seen = everything(terminal, tmp_path)
    for form in (text, PLANTED, quote(PLANTED, safe="")):
        assert form not in seen
    assert seen.count("call_failed") == 2


def test_log_traceback_shows_neither_secret_nor_local_variables(terminal: io.StringIO, tmp_path: Path) -> None:
    def fail() -> None:
        hidden_local = "value-of-a-local-variable"
        raise RuntimeError(f"refused for {PLANTED}") from ValueError(hidden_local[:0])

    try:
        fail()
    except RuntimeError:
        structlog.get_logger().exception("it_failed")
        logging.getLogger("third.party").exception("it failed")
    seen = everything(terminal, tmp_path)
    assert "RuntimeError" in seen
    assert PLANTED not in seen
    assert "value-of-a-local-variable" not in seen


@pytest.mark.parametrize(
    "line",
    [
        "GET /api?symbol=X&signature=abc123def&timestamp=1",
        '{"apiSecret": "abc123def"}',
        "X-MEXC-APIKEY: abc123def",
        "Authorization: Bearer abc123def",
        "listenKey=abc123def",
        "postgresql://me:abc123def@host/db",
        "{'password': 'abc123def'}",
    ],
)
def test_redactor_stars_values_of_telling_names(line: str) -> None:
    assert "abc123def" not in Redactor().clean(line)


def test_redactor_leaves_ordinary_lines_alone() -> None:
    line = '{"event": "listing_detected", "symbol": "METALUSDT", "lag_ms": 41.2, "secret": null}'
    assert Redactor(["some-secret-value"]).clean(line) == line


def test_control_and_direction_characters_are_written_visibly() -> None:
    assert escape_control("a\x1b[31mb\r\u202ec") == "a\\u001b[31mb\\u000d\\u202ec"


def test_log_lines_are_json_with_the_process_name(terminal: io.StringIO) -> None:
    structlog.get_logger().info("listing_detected", symbol="龙USDT\x1b[2J")
    line = json.loads(terminal.getvalue())
    assert line["process"] == "engine"
    assert line["event"] == "listing_detected"
    assert line["symbol"] == "龙USDT\\u001b[2J"


def test_log_files_together_stay_below_their_cap(tmp_path: Path) -> None:
    settings = LogSettings(format="json", file_mb=1, files=2)
    configure_logging(settings, process="web", log_dir=tmp_path, stream=io.StringIO())
    for _ in range(30):
        logging.getLogger("noisy").warning("x" * 100_000)
    files = list(tmp_path.glob("web.log*"))
    assert len(files) == 2
    assert sum(file.stat().st_size for file in files) <= 2 * 1024 * 1024
    for handler in logging.getLogger().handlers[:]:
        logging.getLogger().removeHandler(handler)
        handler.close()
    logging.captureWarnings(False)
    structlog.reset_defaults()
