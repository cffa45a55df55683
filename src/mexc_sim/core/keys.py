"""API keys of the one account, and the checks every signed request goes through (REFERENCE 1.2, 1.10)."""

import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qsl

from mexc_sim.core.messages import HttpRequest
from mexc_sim.core.replies import Refusal
from mexc_sim.core.timers import NS_PER_S
from mexc_sim.core.world import World

DEFAULT_KEY = "mx0simulatorkey00001"
DEFAULT_SECRET = "simulator-secret-not-a-secret-0001"  # noqa: S105 - opens nothing but this simulator
READ = ("SPOT_ACCOUNT_READ", "SPOT_DEAL_READ")
TRADE = (*READ, "SPOT_DEAL_WRITE")
"""All a trading bot needs (REFERENCE 1.2); the default key has these and no more."""
RIGHTS = (*TRADE, "SPOT_ACCOUNT_WRITE", "SPOT_WITHDRAW_READ", "SPOT_TRANSFER_READ")
LONGEST_WINDOW_MS = 60_000
_ESCAPE = re.compile(r"%[0-9a-fA-F]{2}")
_SPEC = ("key", "secret", "rights", "addresses", "expiresInS")
_KEY = re.compile(r"[A-Za-z0-9]{1,64}")


class KeySpecError(ValueError):
    """A key was described wrongly; the text names what to mend."""


@dataclass(slots=True)
class ApiKey:
    """One key: what it may do, from where, until when (UNIX ns; None: for ever)."""

    key: str
    secret: str
    rights: tuple[str, ...] = TRADE
    addresses: tuple[str, ...] = ()
    """Addresses it is bound to; empty: any."""
    expires_ns: int | None = None

    def view(self) -> dict[str, Any]:
        """For the control API; without the secret."""
        return {
            "key": self.key,
            "rights": list(self.rights),
            "addresses": list(self.addresses),
            "expiresNs": self.expires_ns,
        }


class KeyRing:
    """All keys of the account."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._keys: dict[str, ApiKey] = {}

    def add(self, key: ApiKey) -> None:
        """Put a key in force, or replace it."""
        self._keys[key.key] = key

    def remove(self, key: str) -> bool:
        """Delete a key; whether it was there."""
        return self._keys.pop(key, None) is not None

    def view(self) -> list[dict[str, Any]]:
        """For the control API."""
        return [key.view() for key in self._keys.values()]

    def describe(self, spec: Mapping[str, Any]) -> ApiKey:
        """Make or change a key from ``{key, secret?, rights?, addresses?, expiresInS?}`` and put it in force.

        What is left out keeps its value for a known key; a new one needs a secret and gets the trading rights.

        Raises:
            KeySpecError: something is wrong.
        """
        unknown = set(spec) - {"key", "secret", "rights", "addresses", "expiresInS"}
        if unknown:
            raise KeySpecError(
                f"{sorted(unknown)[0]!r} is unknown; a key takes key, secret, rights, addresses, expiresInS"
            )
        name = spec.get("key", DEFAULT_KEY)
        if not isinstance(name, str) or not _KEY.fullmatch(name):
            raise KeySpecError(f"key must be 1 to 64 letters and digits, not {name!r}")
        old = self._keys.get(name)
        secret = spec.get("secret", old.secret if old else None)
        if not isinstance(secret, str) or not secret:
            raise KeySpecError("a new key needs a secret")
        made = ApiKey(
            key=name,
            secret=secret,
            rights=_texts(spec, "rights", old.rights if old else TRADE, RIGHTS),
            addresses=_texts(spec, "addresses", old.addresses if old else ()),
            expires_ns=old.expires_ns if old else None,
        )
        if "expiresInS" in spec:
            seconds = spec["expiresInS"]
            if seconds is not None and (isinstance(seconds, bool) or not isinstance(seconds, int | float)):
                raise KeySpecError(f"expiresInS must be a number of seconds or null, not {seconds!r}")
            made.expires_ns = None if seconds is None else self._world.timers.now_ns + int(seconds * NS_PER_S)
        self.add(made)
        return made

    def verify(self, request: HttpRequest, right: str = "") -> dict[str, str]:
        """Check key, content type, address, signature, time and right, in this order; returns the parameters.

        Raises:
            Refusal: with the venue's code for the first thing that is wrong.
        """
        name = request.headers.get("x-mexc-apikey")
        if not name:
            raise Refusal(400, "api key required")
        if not _KEY.fullmatch(name):
            raise Refusal(700001, "API-key format invalid.")
        key = self._keys.get(name)
        if key is None:
            raise Refusal(10072, "Invalid access key")
        if request.method != "GET" and request.headers.get("content-type", "").split(";")[0] != "application/json":
            raise Refusal(700013, "Invalid content Type.")
        if key.addresses and request.client not in key.addresses:
            raise Refusal(700006, f"IP [{request.client}] not in the ip white list")
        body = request.body.decode("utf-8", "replace")
        params = _parameters(request.query, body)
        _check_signature(key.secret, request.query, body)
        if key.expires_ns is not None and self._world.timers.now_ns >= key.expires_ns:
            raise Refusal(700002, "Signature for this request is not valid.")  # the venue's word for it (trap 7)
        self._check_time(params)
        if right and right not in key.rights:
            raise Refusal(700007, "No permission to access the endpoint.")
        return params

    def _check_time(self, params: dict[str, str]) -> None:
        window = _number(params.get("recvWindow", "5000"), "recvWindow")
        if window > LONGEST_WINDOW_MS:
            raise Refusal(700005, "recvWindow must less than 60000")
        stamp = _number(params.get("timestamp", ""), "timestamp")
        now = self._world.now_ms
        if not (stamp < now + 1_000 and now - stamp <= window):
            raise Refusal(700003, "Timestamp for this request is outside of the recvWindow.")


def _parameters(query: str, body: str) -> dict[str, str]:
    """A name in both: the query wins."""
    return dict(parse_qsl(body, keep_blank_values=True)) | dict(parse_qsl(query, keep_blank_values=True))


def _check_signature(secret: str, query: str, body: str) -> None:
    signed, mark, given = query.rpartition("&signature=")
    if not mark:
        body, mark, given = body.rpartition("&signature=")
        signed = query
    wanted = hmac.new(secret.encode(), _canonical(signed + body).encode(), sha256).hexdigest()
    if not mark or not hmac.compare_digest(wanted.encode(), given.encode()):
        raise Refusal(700002, "Signature for this request is not valid.")


def _canonical(text: str) -> str:
    """The text the venue signs: escapes in upper case, a blank as %20 (REFERENCE 1.2)."""
    return _ESCAPE.sub(lambda match: match.group().upper(), text).replace("+", "%20")


def _number(text: str, name: str) -> int:
    if not (text.isascii() and text.isdigit()) or len(text) > 18:
        raise Refusal(44444 if not text else 33333, f"parameter {name} {'null' if not text else 'wrong'}")
    return int(text)


def _texts(
    spec: Mapping[str, Any], key: str, default: tuple[str, ...], known: tuple[str, ...] | None = None
) -> tuple[str, ...]:
    values = spec.get(key, default)
    if not isinstance(values, list | tuple) or not all(isinstance(value, str) for value in values):
        raise KeySpecError(f"{key} must be a list of texts, not {values!r}")
    for value in values:
        if known is not None and value not in known:
            raise KeySpecError(f"{key}: {value!r} is unknown; use {', '.join(known)}")
    return tuple(values)
