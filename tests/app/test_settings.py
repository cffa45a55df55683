"""Settings: where they come from, what wins, and one clear sentence for every mistake."""

from pathlib import Path

import pytest

from mexc_sniper.app.process_env import child_environment
from mexc_sniper.app.settings_load import Role, env_name, load_settings, setting_names
from mexc_sniper.core.errors import ConfigError


def a_toml(folder: Path, text: str, *, mode: int = 0o600) -> Path:
    path = folder / "mexc-sniper.toml"
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
    return path


def a_secret_file(folder: Path, text: str = "the-secret-of-this-test\n", *, mode: int = 0o600) -> Path:
    path = folder / "secret"
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
    return path


def refusal(**given: object) -> str:
    with pytest.raises(ConfigError) as caught:
        load_settings(**given)  # type: ignore[arg-type]
    text = str(caught.value)
    assert "\n" not in text
    return text


def test_settings_without_any_source_are_the_safe_defaults() -> None:
    settings = load_settings(environ={})
    assert settings.mode == "dry-run"
    assert (settings.web.host, settings.web.port) == ("127.0.0.1", 8787)
    assert settings.venue.api_key is None


def test_settings_environment_beats_file_and_flag_beats_environment(tmp_path: Path) -> None:
    config = a_toml(tmp_path, 'environment = "file"\n[web]\nport = 1001\nhost = "::1"\n')
    environ = {"MEXC_SNIPER_WEB__PORT": "1002", "MEXC_SNIPER_ENVIRONMENT": "env"}
    settings = load_settings(config=config, environ=environ, flags={"web.port": 1003})
    assert (settings.web.host, settings.web.port, settings.environment) == ("::1", 1003, "env")


def test_settings_flag_left_out_changes_nothing() -> None:
    assert load_settings(environ={}, flags={"web.port": None}).web.port == 8787


@pytest.mark.parametrize("name", list(setting_names()))
def test_settings_every_documented_variable_is_known(name: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load_settings(environ={env_name(name) + "X": "1"})
    assert env_name(name) in str(caught.value)


def test_settings_unknown_variable_names_the_nearest() -> None:
    text = refusal(environ={"MEXC_SNIPER_WEB__PROT": "1"})
    assert "MEXC_SNIPER_WEB__PROT" in text
    assert "did you mean MEXC_SNIPER_WEB__PORT?" in text


def test_settings_unknown_key_in_file_names_line_and_nearest(tmp_path: Path) -> None:
    config = a_toml(tmp_path, '# a comment\n[venue]\nrest_ulr = "https://api.mexc.com"\n')
    text = refusal(config=config, environ={})
    assert f"{config}:3" in text
    assert "did you mean venue.rest_url?" in text


def test_settings_unknown_section_in_file_is_refused(tmp_path: Path) -> None:
    assert "trading" in refusal(config=a_toml(tmp_path, "[trading]\n"), environ={})


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("MEXC_SNIPER_VENUE__REST_URL", "ftp://api.mexc.com"),
        ("MEXC_SNIPER_VENUE__REST_URL", "https://user:pw@api.mexc.com"),
        ("MEXC_SNIPER_VENUE__WS_URL", "https://wbs-api.mexc.com/ws"),
        ("MEXC_SNIPER_VENUE__WEB_URL", "not an address"),
        ("MEXC_SNIPER_WEB__PORT", "70000"),
        ("MEXC_SNIPER_WEB__PORT", "http"),
        ("MEXC_SNIPER_MONITOR__DEFAULT_SYMBOLS_INTERVAL_MS", "5000"),
        ("MEXC_SNIPER_MONITOR__EXCHANGE_INFO_INTERVAL_MS", "soon"),
        ("MEXC_SNIPER_MODE", "LIVE!"),
        ("MEXC_SNIPER_ENVIRONMENT", "a b<script>"),
        ("MEXC_SNIPER_LOG__LEVEL", "loud"),
        ("MEXC_SNIPER_HARD_CAPS__MAX_TRADE_USDT", "-1"),
        ("MEXC_SNIPER_HARD_CAPS__MAX_TRADE_USDT", "NaN"),
        ("MEXC_SNIPER_ORDERS__PER_SECOND", "0"),
        ("MEXC_SNIPER_ORDERS__PER_SECOND", "13"),
        ("MEXC_SNIPER_ORDERS__PER_SECOND", "2.5"),
        ("MEXC_SNIPER_ORDERS__BURST", "11"),
    ],
)
def test_settings_bad_value_names_variable_and_mend(variable: str, value: str) -> None:
    text = refusal(environ={variable: value})
    assert variable in text
    assert "default" in text


def test_settings_bad_value_in_file_names_its_line(tmp_path: Path) -> None:
    config = a_toml(tmp_path, "\n\n[web]\nport = 99999\n")
    assert f"{config}:4" in refusal(config=config, environ={})


def test_settings_broken_or_missing_file_is_one_sentence(tmp_path: Path) -> None:
    assert "not valid TOML" in refusal(config=a_toml(tmp_path, "[web\n"), environ={})
    assert "does not exist" in refusal(config=tmp_path / "none.toml", environ={})


@pytest.mark.parametrize("url", ["https://evil.example", "https://mexc.com.evil.example", "http://api.mexc.com"])
def test_settings_live_mode_with_a_foreign_or_plain_venue_is_refused(url: str) -> None:
    text = refusal(environ={"MEXC_SNIPER_MODE": "live", "MEXC_SNIPER_VENUE__REST_URL": url})
    assert "venue.rest_url" in text


def test_settings_live_mode_accepts_mexc_and_loopback() -> None:
    load_settings(environ={"MEXC_SNIPER_MODE": "live"})
    loopback = {
        "MEXC_SNIPER_MODE": "live",
        "MEXC_SNIPER_VENUE__REST_URL": "http://127.0.0.1:9",
        "MEXC_SNIPER_VENUE__WS_URL": "ws://[::1]:9/ws",
        "MEXC_SNIPER_VENUE__WEB_URL": "http://localhost:9",
    }
    load_settings(environ=loopback)


def test_settings_secret_in_the_toml_file_is_refused_without_showing_it(tmp_path: Path) -> None:
    config = a_toml(tmp_path, '[venue]\napi_secret = "planted-secret"\n')
    text = refusal(config=config, environ={})
    assert "venue.api_secret_file" in text
    assert "planted-secret" not in text


def test_settings_database_password_in_a_readable_file_is_refused(tmp_path: Path) -> None:
    config = a_toml(tmp_path, '[database]\nurl = "postgresql://me:planted@localhost/x"\n', mode=0o644)
    text = refusal(config=config, environ={})
    assert "chmod 600" in text
    assert "planted" not in text


def test_settings_secret_file_is_read_for_its_role_alone(tmp_path: Path) -> None:
    environ = {"MEXC_SNIPER_VENUE__API_SECRET_FILE": str(a_secret_file(tmp_path))}
    engine = load_settings(environ=environ, role=Role.ENGINE)
    assert engine.venue.api_secret is not None
    assert engine.venue.api_secret.reveal() == "the-secret-of-this-test"
    assert load_settings(environ=environ, role=Role.WEB).venue.api_secret is None


def test_settings_secret_variable_is_ignored_by_a_role_that_must_not_hold_it() -> None:
    environ = {"MEXC_SNIPER_VENUE__API_SECRET": "the-secret-of-this-test"}
    assert load_settings(environ=environ, role=Role.WEB).venue.api_secret is None


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666])
def test_settings_secret_file_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    path = a_secret_file(tmp_path, mode=mode)
    text = refusal(environ={"MEXC_SNIPER_VENUE__API_SECRET_FILE": str(path)}, role=Role.ENGINE)
    assert f"chmod 600 {path}" in text
    assert "the-secret-of-this-test" not in text


@pytest.mark.parametrize("content", ["", "\n", "two\nlines", "x" * 5000])
def test_settings_secret_file_without_one_line_is_refused(tmp_path: Path, content: str) -> None:
    path = a_secret_file(tmp_path, content)
    assert str(path) in refusal(environ={"MEXC_SNIPER_VENUE__API_KEY_FILE": str(path)}, role=Role.ENGINE)


def test_settings_secret_given_twice_in_the_environment_is_refused(tmp_path: Path) -> None:
    environ = {
        "MEXC_SNIPER_VENUE__API_KEY": "one-way",
        "MEXC_SNIPER_VENUE__API_KEY_FILE": str(a_secret_file(tmp_path)),
    }
    assert "keep one" in refusal(environ=environ, role=Role.ENGINE)


def test_settings_never_print_a_secret() -> None:
    settings = load_settings(environ={"MEXC_SNIPER_VENUE__API_SECRET": "planted-secret"}, role=Role.ENGINE)
    assert "planted-secret" not in repr(settings)
    assert "planted-secret" not in str(settings)
    with pytest.raises(Exception, match="serialis"):
        settings.model_dump_json()


def test_settings_channel_address_in_the_toml_file_is_refused_without_repeating_it(tmp_path: Path) -> None:
    config = a_toml(tmp_path, '[notify.channels]\nphone = "tgram://planted/1"\n')
    text = refusal(config=config, environ={})
    assert "notify.channels.phone_file" in text
    assert "planted" not in text


@pytest.mark.parametrize("name", ["Phone_file", "9_file", "a-b_file", "_file", "x" * 40 + "_file"])
def test_settings_channel_with_a_bad_name_is_refused(tmp_path: Path, name: str) -> None:
    assert "channel" in refusal(config=a_toml(tmp_path, f'[notify.channels]\n"{name}" = "/x"\n'), environ={})


def test_settings_channel_file_others_can_read_is_refused(tmp_path: Path) -> None:
    path = a_secret_file(tmp_path, "json://host/hook", mode=0o644)
    config = a_toml(tmp_path, f'[notify.channels]\nphone_file = "{path}"\n')
    assert "chmod 600" in refusal(config=config, environ={}, role=Role.NOTIFY)


def test_settings_channel_twice_in_the_environment_is_refused(tmp_path: Path) -> None:
    environ = {
        "MEXC_SNIPER_NOTIFY__CHANNELS__PHONE": "json://a/b",
        "MEXC_SNIPER_NOTIFY__CHANNELS__PHONE_FILE": str(a_secret_file(tmp_path)),
    }
    assert "both set" in refusal(environ=environ, role=Role.NOTIFY)


def test_settings_database_address_comes_from_a_file_or_the_environment_not_both(tmp_path: Path) -> None:
    file = a_secret_file(tmp_path, "postgresql://u:planted@host/db\n")
    environ = {"MEXC_SNIPER_DATABASE__URL_FILE": str(file)}
    for role in Role:
        assert load_settings(environ=environ, role=role).database.url == "postgresql://u:planted@host/db"
    text = refusal(environ=environ | {"MEXC_SNIPER_DATABASE__URL": "postgresql://host/db"})
    assert "both set" in text
    config = a_toml(tmp_path, f'[database]\nurl_file = "{file}"\n')
    decided = load_settings(config=config, environ={}, role=Role.SUPERVISOR)
    env = child_environment(decided, Role.WEB, environ=environ, config=str(config))
    env.pop("MEXC_SNIPER_SUPERVISOR_PID")
    assert load_settings(environ=env, role=Role.WEB).database.url == "postgresql://u:planted@host/db"
