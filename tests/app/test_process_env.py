"""What each child finds in its environment: the supervisor's decisions, and only its own secrets."""

from pathlib import Path

from mexc_sniper.app.process_env import child_environment, simulator_environment
from mexc_sniper.app.settings_load import Role, load_settings

SECRETS = {
    "MEXC_SNIPER_VENUE__API_KEY": "planted-key",
    "MEXC_SNIPER_VENUE__API_SECRET": "planted-secret",
    "MEXC_SNIPER_WEB__TOKEN": "planted-token-of-more-than-24-characters",
}


def values_for(role: Role, environ: dict[str, str]) -> str:
    settings = load_settings(environ=environ, role=Role.SUPERVISOR)
    return "\n".join(child_environment(settings, role, environ=environ).values())


def test_engine_gets_the_venue_key_and_not_the_web_token() -> None:
    seen = values_for(Role.ENGINE, SECRETS)
    assert "planted-key" in seen
    assert "planted-secret" in seen
    assert "planted-token" not in seen


def test_web_gets_its_token_and_nothing_of_the_venue() -> None:
    seen = values_for(Role.WEB, SECRETS)
    assert "planted-token" in seen
    assert "planted-key" not in seen
    assert "planted-secret" not in seen


def test_path_of_a_secret_file_reaches_no_child(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text("planted-secret")
    path.chmod(0o600)
    environ = {"MEXC_SNIPER_VENUE__API_SECRET_FILE": str(path)}
    assert str(path) not in values_for(Role.WEB, environ)
    assert "planted-secret" in values_for(Role.ENGINE, environ)


def test_simulator_gets_none_of_our_settings() -> None:
    env = simulator_environment({**SECRETS, "PATH": "/bin"})
    assert not set(env) & set(SECRETS)
    assert env["PATH"] == "/bin"


def test_child_comes_to_the_settings_the_supervisor_decided(tmp_path: Path) -> None:
    config = tmp_path / "mexc-sniper.toml"
    config.write_text(
        '[web]\nport = 1234\nallowed_hosts = ["a.example", "b.example"]\n[monitor]\ntime_interval_ms = 2000\n'
    )
    flags = {"web.port": 4321, "data_dir": str(tmp_path)}
    decided = load_settings(config=config, environ={}, flags=flags, role=Role.SUPERVISOR)
    env = child_environment(decided, Role.WEB, environ={}, config=str(config))
    env.pop("MEXC_SNIPER_SUPERVISOR_PID")
    assert load_settings(environ=env, role=Role.WEB) == decided


NOTIFY = {
    "MEXC_SNIPER_NOTIFY__CHANNELS__PHONE": "json://planted-host/planted-hook",
    "MEXC_SNIPER_NOTIFY__HEARTBEAT_URL": "https://watch.example/planted-ping",
}


def test_only_the_notifier_gets_the_addresses_of_the_channels() -> None:
    seen = values_for(Role.NOTIFY, SECRETS | NOTIFY)
    assert "planted-hook" in seen
    assert "planted-ping" in seen
    for word in ("planted-key", "planted-secret", "planted-token"):
        assert word not in seen
    for role in (Role.ENGINE, Role.WEB, Role.CLIENT):
        assert "planted-hook" not in values_for(role, SECRETS | NOTIFY)
        assert "planted-ping" not in values_for(role, SECRETS | NOTIFY)


def test_channels_of_a_file_reach_the_notifier_by_their_names(tmp_path: Path) -> None:
    address = tmp_path / "phone"
    address.write_text("json://planted-host/planted-hook\n")
    address.chmod(0o600)
    config = tmp_path / "mexc-sniper.toml"
    config.write_text(f'[notify.channels]\nphone_file = "{address}"\n')
    decided = load_settings(config=config, environ={}, role=Role.SUPERVISOR)
    env = child_environment(decided, Role.NOTIFY, environ={}, config=str(config))
    env.pop("MEXC_SNIPER_SUPERVISOR_PID")
    found = load_settings(environ=env, role=Role.NOTIFY).notify.channels
    assert {name: value.reveal() for name, value in found.items()} == {"phone": "json://planted-host/planted-hook"}
    web = child_environment(decided, Role.WEB, environ={}, config=str(config))
    web.pop("MEXC_SNIPER_SUPERVISOR_PID")
    assert load_settings(environ=web, role=Role.WEB).notify.channels == {}
