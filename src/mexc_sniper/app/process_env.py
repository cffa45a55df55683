"""What each child process finds in its environment: its settings, and only the secrets that are its own."""

import os
from collections.abc import Mapping

from mexc_sniper.app.children import PARENT_PID_ENV
from mexc_sniper.app.settings import CHANNELS, ENV_PREFIX, SECRET_KEYS, Settings
from mexc_sniper.app.settings_load import CHANNELS_OF, CONFIG_FILE_ENV, SECRETS_OF, Role, env_name

_SECRETS = {"venue": {"api_key", "api_secret"}, "web": {"token"}, "notify": {"channels", "heartbeat_url"}}
_ALWAYS_STRIPPED = (
    env_name("database.url_file"),
    *(env_name(name) for secret, file in SECRET_KEYS.items() for name in (secret, file)),
)


def child_environment(
    settings: Settings, role: Role, *, environ: Mapping[str, str] | None = None, config: str | None = None
) -> dict[str, str]:
    """Return the environment of one child: everything decided by the supervisor, secrets by role.

    Args:
        settings: what the supervisor decided; the child must come to the same.
        role: whose child it is.
        environ: the environment to start from, by default this process's own.
        config: the toml file the command line named.
    """
    env = dict(os.environ if environ is None else environ)
    _strip(env)
    for section, value in settings.model_dump(mode="python", exclude=_SECRETS).items():
        pairs = value.items() if isinstance(value, dict) else [("", value)]
        for key, item in pairs:
            name = f"{section}.{key}" if key else section
            if name in SECRET_KEYS.values() or item is None or item == ():
                continue
            env[env_name(name)] = ",".join(item) if isinstance(item, tuple) else str(item)
    for name in SECRETS_OF[role]:
        section, _, key = name.partition(".")
        secret = getattr(getattr(settings, section), key)
        if secret is not None:
            env[env_name(name)] = secret.reveal()
    if role in CHANNELS_OF:
        for name, address in settings.notify.channels.items():
            env[env_name(CHANNELS + name)] = address.reveal()
    if config is not None:
        env[CONFIG_FILE_ENV] = config
    env[PARENT_PID_ENV] = str(os.getpid())
    return env


def simulator_environment(environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return an environment without any of our settings: the simulator is a program of its own."""
    env = dict(os.environ if environ is None else environ)
    for name in [*env]:
        if name.upper().startswith(ENV_PREFIX):
            del env[name]
    env[PARENT_PID_ENV] = str(os.getpid())
    return env


def forget_secrets_in_environment() -> None:
    """Take the secrets out of this process's environment once they are read, so that no child inherits them."""
    for name in [*os.environ]:
        if _is_secret(name):
            del os.environ[name]


def _strip(env: dict[str, str]) -> None:
    for name in [*env]:
        if _is_secret(name):
            del env[name]


def _is_secret(variable: str) -> bool:
    return variable in _ALWAYS_STRIPPED or variable.startswith(env_name(CHANNELS))
