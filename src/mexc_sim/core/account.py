"""Signed endpoints that exist so far, verified as strictly as REFERENCE 1.2 says."""

import hmac
import re
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qsl

from mexc_sim.core.messages import HttpRequest
from mexc_sim.core.replies import Ask, Refusal, Reply, Route, reply
from mexc_sim.core.world import World

DEFAULT_KEY = "mx0simulatorkey00001"
DEFAULT_SECRET = "simulator-secret-not-a-secret-0001"  # noqa: S105 - opens nothing but this simulator
_ESCAPE = re.compile(r"%[0-9a-fA-F]{2}")


class Account:
    """The one keyed client of this exchange."""

    def __init__(self, world: World, *, key: str = DEFAULT_KEY, secret: str = DEFAULT_SECRET) -> None:
        self._world = world
        self._key = key
        self._secret = secret.encode()
        self.balances: dict[str, tuple[str, str]] = {"USDT": ("10000", "0"), "MX": ("25", "0")}

    def routes(self) -> dict[str, Route]:
        """Path -> route of the signed reads."""
        return {
            "/api/v3/selfSymbols": Route("selfSymbols", self._self_symbols, 1, signed=True),
            "/api/v3/account": Route("account", self._account, 10, signed=True, rate=(2, 1)),
            "/api/v3/uid": Route("uid", self._uid, 1, signed=True),
            "/api/v3/kyc/status": Route("kycStatus", self._kyc, 1, signed=True),
        }

    def verify(self, request: HttpRequest) -> dict[str, str]:
        """Check key, content type, signature, timestamp and window; returns the parameters.

        Raises:
            Refusal: with the venue's code for the first thing that is wrong.
        """
        key = request.headers.get("x-mexc-apikey")
        if not key:
            raise Refusal(400, "api key required")
        if not hmac.compare_digest(key.encode(), self._key.encode()):
            raise Refusal(10072, "Invalid access key")
        if request.method != "GET" and request.headers.get("content-type", "").split(";")[0] != "application/json":
            raise Refusal(700013, "Invalid content Type.")
        body = request.body.decode("utf-8", "replace")
        params = dict(parse_qsl(body, keep_blank_values=True)) | dict(
            parse_qsl(request.query, keep_blank_values=True)
        )  # a name in both: the query wins
        query, mark, given = request.query.rpartition("&signature=")
        if not mark:
            body, mark, given = body.rpartition("&signature=")
            query = request.query
        if not mark:
            raise Refusal(700002, "Signature for this request is not valid.")
        wanted = hmac.new(self._secret, _canonical(query + body).encode(), sha256).hexdigest()
        if not hmac.compare_digest(wanted.encode(), given.encode()):
            raise Refusal(700002, "Signature for this request is not valid.")
        self._check_time(params)
        return params

    def _check_time(self, params: dict[str, str]) -> None:
        window = _number(params.get("recvWindow", "5000"), "recvWindow")
        if window > 60_000:
            raise Refusal(700005, "recvWindow must less than 60000")
        stamp = _number(params.get("timestamp", ""), "timestamp")
        now = self._world.now_ms
        if not (stamp < now + 1_000 and now - stamp <= window):
            raise Refusal(700003, "Timestamp for this request is outside of the recvWindow.")

    def _self_symbols(self, ask: Ask) -> Reply:
        markets = self._world.markets.values()
        names = [m.symbol for m in markets if m.in_default_symbols and m.symbol not in ask.hidden]
        return reply({"code": 200, "data": names, "msg": None})

    def _account(self, _ask: Ask) -> Reply:
        body: dict[str, Any] = {
            "makerCommission": None,
            "takerCommission": None,
            "buyerCommission": None,
            "sellerCommission": None,
            "canTrade": True,
            "canWithdraw": True,
            "canDeposit": True,
            "updateTime": None,
            "accountType": "SPOT",
            "balances": [
                {"asset": asset, "free": free, "locked": locked, "available": free}
                for asset, (free, locked) in self.balances.items()
            ],
            "permissions": ["SPOT"],
        }
        return reply(body)

    def _uid(self, _ask: Ask) -> Reply:
        return reply({"uid": "209302839"})

    def _kyc(self, _ask: Ask) -> Reply:
        return reply({"status": "2"})


def _canonical(text: str) -> str:
    """The text the venue signs: escapes in upper case, a blank as %20 (REFERENCE 1.2)."""
    return _ESCAPE.sub(lambda match: match.group().upper(), text).replace("+", "%20")


def _number(text: str, name: str) -> int:
    if not (text.isascii() and text.isdigit()) or len(text) > 18:
        raise Refusal(44444 if not text else 33333, f"parameter {name} {'null' if not text else 'wrong'}")
    return int(text)
