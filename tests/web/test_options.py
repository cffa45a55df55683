"""What the web process refuses to start with."""

import asyncio
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mexc_sniper.app.client import ApiClient, Unreachable
from mexc_sniper.core.errors import ConfigError
from mexc_sniper.ledger.location import LedgerLocation
from mexc_sniper.web.app import create_app
from mexc_sniper.web.options import WebOptions, require_password
from mexc_sniper.web.server import listen, make_server
from tests.support.certificates import make_certificates
from tests.web.world import ShiftedClock, eventually


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "127.9.9.9", "[::1]"])
def test_loopback_needs_no_proxy(tmp_path: Path, host: str):
    WebOptions(data_dir=tmp_path, host=host).check()


EVERYWHERE = "0.0.0.0"  # noqa: S104


@pytest.mark.parametrize("host", [EVERYWHERE, "::", "192.168.1.5", "sniper.lan"])
def test_a_network_address_is_refused_unless_a_proxy_is_named(tmp_path: Path, host: str):
    options = WebOptions(data_dir=tmp_path, host=host)

    with pytest.raises(ConfigError, match="MEXC_SNIPER_WEB__TRUSTED_PROXY"):
        options.check()
    replace(options, trusted_proxy=True).check()


def test_a_network_address_with_tls_still_needs_a_password(tmp_path: Path):
    made = make_certificates(tmp_path)
    made.key.chmod(0o600)
    options = WebOptions(data_dir=tmp_path, host=EVERYWHERE, tls_cert=made.certificate, tls_key=made.key)

    options.check()
    assert options.tls
    with pytest.raises(ConfigError, match="mexc-sniper user password"):
        require_password(options, [])
    require_password(options, ["operator"])
    require_password(replace(options, host="127.0.0.1"), [])
    require_password(replace(options, trusted_proxy=True), [])


def test_half_a_certificate_a_readable_key_and_no_certificate_are_refused(tmp_path: Path):
    made = make_certificates(tmp_path)
    made.key.chmod(0o644)
    for cert, key, names in (
        (made.certificate, None, "tls_key_file"),
        (None, made.key, "tls_cert_file"),
        (made.certificate, made.key, "chmod 600"),
        (tmp_path / "none.pem", made.key, "none.pem"),
        (made.key, made.key, "PEM"),
    ):
        with pytest.raises(ConfigError, match=names):
            WebOptions(data_dir=tmp_path, tls_cert=cert, tls_key=key).check()


async def test_the_terminal_trusts_exactly_the_pages_own_certificate(location: LedgerLocation, tmp_path: Path):
    (tmp_path / "other").mkdir()
    made, other = make_certificates(tmp_path), make_certificates(tmp_path / "other")
    made.key.chmod(0o600)
    options = WebOptions(data_dir=tmp_path, port=0, tls_cert=made.certificate, tls_key=made.key)
    options.check()
    app = create_app(options, location=location, clock=ShiftedClock())
    with closing(listen(options)) as listener:
        server = make_server(app, options)
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        await eventually(lambda: server.started)
        url = f"https://127.0.0.1:{listener.getsockname()[1]}"
        try:
            answer = await asyncio.to_thread(ApiClient(url, certificate=made.certificate).get, "/health/live")
            with pytest.raises(Unreachable):
                await asyncio.to_thread(ApiClient(url, certificate=other.certificate).get, "/health/live")
            with pytest.raises(Unreachable):
                await asyncio.to_thread(ApiClient(url).get, "/health/live")
        finally:
            server.should_exit = True
            await serving
    assert answer


def test_a_wildcard_address_lets_no_further_name_in(tmp_path: Path):
    options = WebOptions(
        data_dir=tmp_path, host=EVERYWHERE, trusted_proxy=True, public_url="https://sniper.example.org"
    )

    assert options.host_names == {"127.0.0.1", "localhost", "::1", "sniper.example.org"}


BAD: list[tuple[dict[str, Any], str]] = [
    ({"token": "changeme-changeme-changeme"}, "MEXC_SNIPER_WEB__TOKEN"),
    ({"token": "a" * 64}, "MEXC_SNIPER_WEB__TOKEN"),
    ({"token": "short"}, "MEXC_SNIPER_WEB__TOKEN"),
    ({"token": "Zk3mQ8vT1xW7rB5n Y9cL2pH6"}, "MEXC_SNIPER_WEB__TOKEN"),
    ({"public_url": "sniper.example.org"}, "MEXC_SNIPER_WEB__PUBLIC_URL"),
    ({"public_url": "https://sniper.example.org/path"}, "MEXC_SNIPER_WEB__PUBLIC_URL"),
    ({"public_url": "ftp://x"}, "MEXC_SNIPER_WEB__PUBLIC_URL"),
    ({"allowed_hosts": ("*",)}, "MEXC_SNIPER_WEB__ALLOWED_HOSTS"),
    ({"allowed_hosts": ("*.example.org",)}, "MEXC_SNIPER_WEB__ALLOWED_HOSTS"),
]


@pytest.mark.parametrize(("changed", "names"), BAD)
def test_a_dangerous_option_is_refused_by_name_without_showing_a_secret(
    tmp_path: Path, changed: dict[str, Any], names: str
):
    with pytest.raises(ConfigError, match=names) as refused:
        WebOptions(data_dir=tmp_path, **changed).check()

    if "token" in changed:
        assert changed["token"] not in str(refused.value)


def test_a_taken_port_is_named_with_its_mend(tmp_path: Path):
    first = listen(WebOptions(data_dir=tmp_path, port=0))
    port = first.getsockname()[1]
    try:
        with pytest.raises(ConfigError, match=f"127.0.0.1:{port}.*--port"):
            listen(WebOptions(data_dir=tmp_path, port=port))
    finally:
        first.close()


def test_an_address_of_another_machine_is_named(tmp_path: Path):
    with pytest.raises(ConfigError, match=r"192\.0\.2\.1"):
        listen(WebOptions(data_dir=tmp_path, host="192.0.2.1", port=0))
