"""Whatever stands in a settings file or a change of the configuration: one sentence or settings, never a traceback."""

import contextlib
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mexc_sniper.app.settings import Settings
from mexc_sniper.app.settings_load import Role, load_settings, setting_names
from mexc_sniper.core.errors import ConfigError
from mexc_sniper.model.commands import CommandStatus, Verb
from mexc_sniper.model.config import TradeConfig
from tests.builders import a_command
from tests.engine_world import a_world_that_knows
from tests.fuzz import strategies
from tests.fuzz.test_decoders import some

NAMES = sorted(setting_names())
FIELDS = sorted(field.alias or name for name, field in TradeConfig.model_fields.items())
_plain = st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats() | strategies.text


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
    escaped = "".join(c if c.isprintable() and c not in '"\\' else f"\\U{ord(c):08X}" for c in str(value))
    return f'"{escaped}"'


@st.composite
def files(draw: Any) -> bytes:
    """A settings file with known names, unknown ones, and values of any kind."""
    lines = []
    for _ in range(draw(st.integers(0, 5))):
        name = draw(st.sampled_from(NAMES) | st.text("abc._-\"' []=", min_size=1, max_size=12))
        lines.append(f"{name} = {_toml(draw(_plain | st.lists(_plain, max_size=3)))}")
    return "\n".join(lines).encode("utf-8", "surrogatepass")


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("settings") / "mexc-sniper.toml"


@some
@given(content=files() | strategies.damaged(files()) | st.binary(max_size=200), role=st.sampled_from(Role))
def test_settings_file(file: Path, content: bytes, role: Role) -> None:
    file.write_bytes(content)
    said = ""
    try:
        assert isinstance(load_settings(config=file, role=role, environ={}), Settings)
    except ConfigError as error:
        said = str(error) or "nothing\n"
    assert "\n" not in said, "one sentence, on one line"


@some
@given(
    environ=st.dictionaries(
        st.sampled_from([f"MEXC_SNIPER_{name.replace('.', '__').upper()}" for name in NAMES]),
        strategies.text.filter(lambda value: "\x00" not in value),
        max_size=3,
    )
)
def test_settings_of_the_environment(file: Path, environ: dict[str, str]) -> None:
    file.write_bytes(b"")
    with contextlib.suppress(ConfigError):
        load_settings(config=file, role=Role.ENGINE, environ=environ)


@some
@given(st.dictionaries(st.sampled_from(FIELDS) | st.text(max_size=10), strategies.values, max_size=4), st.booleans())
def test_change_of_the_configuration_is_done_or_refused(changes: dict[str, Any], confirm: bool) -> None:
    world = a_world_that_knows(live=True)
    world.hear(a_command(1, Verb.UPDATE_CONFIG, config=changes, confirm=confirm))
    results = [entry.result for entry in world.results()]
    assert results, "every command is answered"
    assert results[-1].status in (CommandStatus.DONE, CommandStatus.REFUSED)
    if results[-1].status is CommandStatus.REFUSED:
        assert results[-1].code
    config = world.engine.state.config.config
    for name in TradeConfig.model_fields:
        value = getattr(config, name)
        assert not isinstance(value, Decimal) or value.is_finite()
