"""The terminal's way to the API: plain HTTP with the token of the data directory, a deadline on every call."""

import http.client
import json
import ssl
import uuid
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from mexc_sniper.app.instance import read_run_info
from mexc_sniper.app.secrets import Secret
from mexc_sniper.core.errors import ConfigError, SniperError

TOKEN_FILE = "token"  # noqa: S105  # the name of the file, not a token
DEADLINE_S = 5.0
_LARGEST_ANSWER = 64 * 1024 * 1024


class Unreachable(SniperError):
    """Nothing answers at the address."""


class ApiError(SniperError):
    """The API refused; carries its status, code and details."""

    def __init__(self, status: int, code: str, message: str, details: dict[str, Any]) -> None:
        super().__init__(_with_fields(message, details))
        self.status = status
        self.code = code
        self.details = details


def _with_fields(message: str, details: dict[str, Any]) -> str:
    """Add every field the API named that its sentence does not tell already."""
    fields = details.get("fields")
    told = [
        f"\n  {field.get('name')}: {field.get('problem')}"
        for field in (fields if isinstance(fields, list) else ())
        if isinstance(field, dict) and str(field.get("problem")) not in message
    ]
    return message + "".join(told)


class ApiClient:
    """Speaks JSON with one web process."""

    def __init__(
        self,
        url: str,
        token: Secret | None = None,
        token_path: Path | None = None,
        *,
        certificate: Path | None = None,
    ) -> None:
        """Do no I/O. ``certificate`` is the page's own; over TLS exactly that one is trusted, whatever its name."""
        self.url = url
        self._certificate = certificate
        self._token = token
        self._token_path = token_path

    @classmethod
    def of_data_dir(
        cls, data_dir: Path, *, url: str | None = None, token: Secret | None = None, certificate: Path | None = None
    ) -> "ApiClient":
        """Find the running instance of a data directory and its token.

        Raises:
            Unreachable: when no instance of it runs and no address is given.
        """
        if url is None:
            info = read_run_info(data_dir)
            if info is None:
                raise Unreachable(
                    f"no mexc-sniper runs on the data directory {data_dir}: start one with 'mexc-sniper run' "
                    "(add --demo to speak to the demo)"
                )
            url = info.url
        return cls(url, token, data_dir / TOKEN_FILE, certificate=certificate)

    def get(self, path: str, query: dict[str, Any] | None = None) -> dict[str, Any]:
        """Read one resource.

        Raises:
            Unreachable: nothing answers.
            ApiError: the API refused.
        """
        given = {key: value for key, value in (query or {}).items() if value is not None}
        return self._call("GET", f"{path}?{urlencode(given)}" if given else path, None)

    def post(self, path: str, body: dict[str, Any], *, deadline_s: float = DEADLINE_S) -> dict[str, Any]:
        """Ask for one change, under an idempotency key of its own; errors as `get`."""
        return self._call("POST", path, body, deadline_s)

    def delete(self, path: str) -> dict[str, Any]:
        """Take one resource away, as `post`."""
        return self._call("DELETE", path, None)

    def put(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Ask for another state, as `post`."""
        return self._call("PUT", path, body)

    def login_link(self) -> str:
        """Return a fresh one-time link to the page; errors as `get`."""
        answer = self.post("/auth/link", {})
        return f"{self.url}/login#token={answer['token']}"

    def _call(
        self, method: str, path: str, body: dict[str, Any] | None, deadline_s: float = DEADLINE_S
    ) -> dict[str, Any]:
        parts = urlsplit(self.url)
        headers = {"Accept": "application/json", **self._authorization()}
        payload = None
        if body is not None:
            payload = json.dumps(body, ensure_ascii=False).encode()
            headers |= {"Content-Type": "application/json", "Idempotency-Key": uuid.uuid4().hex}
        host = parts.hostname or ""
        connection: http.client.HTTPConnection
        if parts.scheme == "https":
            connection = http.client.HTTPSConnection(host, parts.port, timeout=deadline_s, context=self._trust())
        else:
            connection = http.client.HTTPConnection(host, parts.port, timeout=deadline_s)
        try:
            connection.request(method, path, payload, headers)
            answer = connection.getresponse()
            status, raw = answer.status, answer.read(_LARGEST_ANSWER)
        except (OSError, http.client.HTTPException) as error:
            raise Unreachable(
                f"nothing answers at {self.url} ({error or type(error).__name__}): is 'mexc-sniper run' running?"
            ) from None
        finally:
            connection.close()
        return _decoded(status, raw, self.url)

    def _trust(self) -> ssl.SSLContext:
        if self._certificate is None:
            return ssl.create_default_context()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False  # the page is asked at its address, and its certificate itself is known
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        context.load_verify_locations(self._certificate)
        return context

    def _authorization(self) -> dict[str, str]:
        token = self._token
        if token is None and self._token_path is not None:
            try:
                token = Secret(self._token_path.read_text().strip())
            except FileNotFoundError:
                return {}
            except OSError as error:
                raise ConfigError(
                    f"the token file {self._token_path} cannot be read ({error.strerror}): run as the user who owns it"
                ) from None
        return {"Authorization": f"Bearer {token.reveal()}"} if token else {}


def _decoded(status: int, raw: bytes, url: str) -> dict[str, Any]:
    try:
        answer = json.loads(raw) if raw else {}
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        raise Unreachable(f"what answers at {url} is not mexc-sniper: correct the address or the port")
    if status >= 400:
        raise ApiError(
            status,
            str(answer.get("code", f"http_{status}")),
            str(answer.get("message", f"the API answered with status {status}")),
            answer.get("details") or {},
        )
    return answer
