"""Refusals on demand: any code of REFERENCE 1.10 can be had for chosen requests, once or for as long as wanted."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any

from mexc_sim.core.replies import Refusal
from mexc_sim.core.targets import ORDER_TARGETS, REST_TARGETS
from mexc_sim.core.timers import NS_PER_S

TEXTS: dict[int, str] = {
    -2013: "Order does not exist.",
    -2011: "Unknown order sent.",
    -1128: "Combination of optional parameters invalid.",
    -1121: "Invalid symbol.",
    26: "operation not allowed",
    400: "api key required",
    401: "No authority",
    403: "Access Denied",
    429: "Too Many Requests",
    500: "Internal error",
    503: "Service not available, please try again",
    504: "Gateway Time-out",
    602: "Signature verification failed",
    10001: "user does not exist",
    10007: "symbol not support api",
    10015: "user id cannot be null",
    10072: "Invalid access key",
    10073: "Invalid Request-Time",
    10095: "amount cannot be null",
    10096: "amount decimal places is too long",
    10097: "amount is error",
    10098: "risk control system detected abnormal",
    10101: "资金不足",
    10102: "amount cannot be zero or negative",
    11444: "This feature is temporarily unavailable",
    20002: "internal error",
    22222: "record does not exist",
    30000: "The trading of this symbol has been suspended",
    30001: "Current transaction direction is not allowed to place an order",
    30002: "The minimum transaction volume cannot be less than:1USDT",
    30003: "The maximum transaction volume cannot be greater than:100000USDT",
    30004: "Insufficient position",
    30005: "Oversold",
    30010: "no valid trade price",
    30014: "invalid symbol",
    30016: "Trading disabled",
    30018: "market order is disabled",
    30019: "api market order is disabled",
    30020: "no permission for the symbol",
    30021: "invalid symbol",
    30025: "no opposite order in the order book",
    30026: "invalid order ids",
    30027: "The currency has reached the maximum position limit, the buying is suspended",
    30028: "The currency triggered the platform risk control, the selling is suspended",
    30029: "The number of orders has reached the maximum",
    30032: "Exceeding the maximum position",
    30041: "current order type can not place order",
    30051: "api market order is disabled",
    30087: "Order price exceeds allowed range",
    33333: "parameter wrong",
    44444: "parameter null",
    60005: "your account is abnormal",
    70011: "Pair user ban trade apikey.",
    140001: "sub account does not exist",
    140002: "sub account is forbidden",
    700001: "API-key format invalid.",
    700002: "Signature for this request is not valid.",
    700003: "Timestamp for this request is outside of the recvWindow.",
    700004: "Param 'origClientOrderId' or 'orderId' must be sent, but both were empty/null",
    700005: "recvWindow must less than 60000",
    700006: "IP [0.0.0.0] not in the ip white list",
    700007: "No permission to access the endpoint.",
    700008: "Illegal characters found in parameter.",
    700013: "Invalid content Type.",
}
"""Codes of REFERENCE 1.10 with their texts; where none was recorded the wording is the table's."""
_KEYS = ("code", "http", "msg", "times", "forS", "symbol", "side", "type", "endpoint", "accepted")


class RefusalError(ValueError):
    """A refusal was described wrongly; the text names what to mend."""


@dataclass(slots=True, kw_only=True)
class RefusalRule:
    """One rule; ``accepted`` takes the order and answers with the code all the same (codes that prove nothing)."""

    id: int
    code: int
    http: int
    message: str
    times: int | None
    until_ns: int | None
    match: dict[str, str]
    endpoint: str
    accepted: bool
    hits: int = 0

    def spent(self, now_ns: int) -> bool:
        return (self.times is not None and self.hits >= self.times) or (
            self.until_ns is not None and now_ns >= self.until_ns
        )

    def view(self) -> dict[str, Any]:
        """For the control API."""
        return {
            "id": self.id,
            "code": self.code,
            "http": self.http,
            "endpoint": self.endpoint,
            **self.match,
            "accepted": self.accepted,
            "hits": self.hits,
        }


class Refusals:
    """All rules in force."""

    def __init__(self) -> None:
        self._rules: list[RefusalRule] = []
        self._ids = count(1)

    def add(self, spec: Mapping[str, Any], now_ns: int) -> RefusalRule:
        """Put a rule in force: ``{code, http? 400, msg?, times?, forS?, symbol?, side?, type?, endpoint?, accepted?}``.

        Raises:
            RefusalError: something is wrong.
        """
        for key in spec:
            if key not in _KEYS:
                raise RefusalError(f"{key!r} is unknown; a refusal takes {', '.join(_KEYS)}")
        code = _whole(spec, "code", None)
        endpoint = spec.get("endpoint", "newOrder")
        if endpoint not in REST_TARGETS and endpoint != "orders":
            raise RefusalError(f"endpoint {endpoint!r} is unknown; use orders or one of {', '.join(REST_TARGETS)}")
        match = {key: spec[key] for key in ("symbol", "side", "type") if key in spec}
        if not all(isinstance(value, str) for value in match.values()):
            raise RefusalError("symbol, side and type must be texts")
        seconds = spec.get("forS")
        if seconds is not None and (isinstance(seconds, bool) or not isinstance(seconds, int | float)):
            raise RefusalError(f"forS must be a number of seconds, not {seconds!r}")
        rule = RefusalRule(
            id=next(self._ids),
            code=code,
            http=_whole(spec, "http", 400),
            message=str(spec.get("msg", TEXTS.get(code, "refused"))),
            times=_whole(spec, "times", None) if "times" in spec else None,
            until_ns=None if seconds is None else now_ns + int(seconds * NS_PER_S),
            match=match,
            endpoint=endpoint,
            accepted=spec.get("accepted") is True,
        )
        self._rules.append(rule)
        return rule

    def remove(self, number: int | None = None) -> int:
        """Lift one rule, or all; returns how many."""
        before = len(self._rules)
        self._rules = [rule for rule in self._rules if number is not None and rule.id != number]
        return before - len(self._rules)

    def view(self) -> list[dict[str, Any]]:
        """Rules in force."""
        return [rule.view() for rule in self._rules]

    def strike(self, endpoint: str, params: Mapping[str, str], now_ns: int) -> RefusalRule | None:
        """The first rule that hits this request, counted."""
        self._rules = [rule for rule in self._rules if not rule.spent(now_ns)]
        for rule in self._rules:
            named = rule.endpoint == endpoint or (rule.endpoint == "orders" and endpoint in ORDER_TARGETS)
            if named and all(params.get(key) == value for key, value in rule.match.items()):
                rule.hits += 1
                return rule
        return None


def refusal_of(rule: RefusalRule) -> Refusal:
    """The rule as the venue's answer."""
    return Refusal(rule.code, rule.message, status=rule.http)


def _whole(spec: Mapping[str, Any], key: str, default: int | None) -> int:
    value = spec.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int):
        raise RefusalError(f"{key} must be a whole number, not {value!r}")
    return value
