"""Signed reads and switches of the account that are not about orders (REFERENCE 1.9)."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from mexc_sim.core.instrument import coin_id
from mexc_sim.core.keys import DEFAULT_KEY, DEFAULT_SECRET, ApiKey, KeyRing
from mexc_sim.core.listen_keys import ListenKeys
from mexc_sim.core.messages import HttpRequest
from mexc_sim.core.replies import Ask, Refusal, Reply, Route, reply
from mexc_sim.core.wallet import Wallet, plain
from mexc_sim.core.world import World

__all__ = ["DEFAULT_KEY", "DEFAULT_SECRET", "Account"]
_OPENING_BALANCES = {"USDT": "10000", "MX": "25"}
_READ = "SPOT_ACCOUNT_READ"


class Account:
    """The one account behind all keys."""

    def __init__(self, world: World, *, key: str = DEFAULT_KEY, secret: str = DEFAULT_SECRET) -> None:
        self._world = world
        self.uid = "209302839"
        self.keys = KeyRing(world)
        self.keys.add(ApiKey(key, secret))
        self.wallet = Wallet(world.timers)
        self.listen_keys = ListenKeys(world)
        for asset, amount in _OPENING_BALANCES.items():
            self.wallet.move(asset, "DEPOSIT", free=Decimal(amount))

    def verify(self, request: HttpRequest, right: str = "") -> dict[str, str]:
        """Check a signed request; see `KeyRing.verify`."""
        return self.keys.verify(request, right)

    def routes(self) -> dict[tuple[str, str], Route]:
        """(method, path) -> route; weights of REFERENCE 1.3."""

        def signed(
            name: str, handler: Callable[[Ask], Reply], weight: int, right: str = _READ, *, per_s: int = 0
        ) -> Route:
            return Route(name, handler, weight, signed=True, right=right, rate=(per_s, 1) if per_s else None)

        stream = "/api/v3/userDataStream"
        return {
            ("GET", "/api/v3/selfSymbols"): signed("selfSymbols", self._self_symbols, 1),
            ("GET", "/api/v3/account"): signed("account", self._account, 10, per_s=2),
            ("GET", "/api/v3/uid"): signed("uid", self._uid, 1),
            ("GET", "/api/v3/kyc/status"): signed("kycStatus", self._kyc, 1),
            ("GET", "/api/v3/tradeFee"): signed("tradeFee", self._trade_fee, 20),
            ("GET", "/api/v3/mxDeduct/enable"): signed("mxDeduct", self._mx_deduct, 1),
            ("POST", "/api/v3/mxDeduct/enable"): signed("mxDeductSet", self._set_mx_deduct, 1, "SPOT_ACCOUNT_WRITE"),
            ("GET", "/api/v3/capital/config/getall"): signed("capitalConfig", self._coins, 10),
            ("GET", "/api/v3/capital/withdraw/history"): signed(
                "withdrawHistory", self._nothing, 1, "SPOT_WITHDRAW_READ"
            ),
            ("GET", "/api/v3/capital/deposit/hisrec"): signed("depositHistory", self._nothing, 1, "SPOT_WITHDRAW_READ"),
            ("GET", "/api/v3/capital/transfer"): signed("transferHistory", self._no_rows, 1, "SPOT_TRANSFER_READ"),
            ("POST", stream): signed("userDataStream", self._new_listen_key, 1),
            ("PUT", stream): signed("userDataStreamExtend", self._extend_listen_key, 1),
            ("DELETE", stream): signed("userDataStreamClose", self._close_listen_key, 1),
            ("GET", stream): signed("userDataStreamList", self._list_listen_keys, 1),
        }

    # -- reads ------------------------------------------------------------------------------------------------

    def _self_symbols(self, ask: Ask) -> Reply:
        markets = self._world.markets.values()
        names = [m.symbol for m in markets if m.in_default_symbols and m.symbol not in ask.hidden]
        return reply({"code": 200, "data": names, "msg": None})

    def _account(self, ask: Ask) -> Reply:
        held = self.wallet.as_of(self._world.timers.now_ns - ask.stale_ns) if ask.stale_ns else self.wallet.all()
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
                {
                    "asset": asset,
                    "free": plain(holding.free),
                    "locked": plain(holding.locked),
                    "available": plain(holding.free),
                }
                for asset, holding in held.items()
                if holding.free or holding.locked
            ],
            "permissions": ["SPOT"],
        }
        return reply(body)

    def _uid(self, _ask: Ask) -> Reply:
        return reply({"uid": self.uid})

    def _kyc(self, _ask: Ask) -> Reply:
        return reply({"status": "2"})

    def _trade_fee(self, ask: Ask) -> Reply:
        market = self._world.known(ask.params.get("symbol"))
        if market is None:
            raise Refusal(-1121, "Invalid symbol.")
        fees = {
            "makerCommission": float(market.instrument.maker_fee),
            "takerCommission": float(market.instrument.taker_fee),
        }
        return self._enveloped(fees)

    def _mx_deduct(self, _ask: Ask) -> Reply:
        return self._enveloped({"mxDeductEnable": self._world.fee_asset == "mx"})

    def _set_mx_deduct(self, ask: Ask) -> Reply:
        wanted = ask.params.get("mxDeductEnable", "").lower()
        if wanted not in ("true", "false"):
            raise Refusal(33333, "parameter mxDeductEnable wrong")
        self._world.fee_asset = "mx" if wanted == "true" else "quote"
        return self._enveloped({"mxDeductEnable": wanted == "true"})

    def _enveloped(self, data: Any) -> Reply:
        return reply({"data": data, "code": 0, "msg": "success", "timestamp": self._world.now_ms})

    def _coins(self, _ask: Ask) -> Reply:
        return reply(
            [{"coin": asset, "name": asset, "coinId": coin_id(asset), "networkList": []} for asset in self.wallet.all()]
        )

    def _nothing(self, _ask: Ask) -> Reply:
        return reply([])

    def _no_rows(self, _ask: Ask) -> Reply:
        return reply({"rows": [], "total": 0})

    # -- listen keys ------------------------------------------------------------------------------------------

    def _new_listen_key(self, _ask: Ask) -> Reply:
        return reply({"listenKey": self.listen_keys.make()})

    def _extend_listen_key(self, ask: Ask) -> Reply:
        return reply({"listenKey": self.listen_keys.extend(ask.params.get("listenKey", ""))})

    def _close_listen_key(self, ask: Ask) -> Reply:
        return reply({"listenKey": self.listen_keys.close(ask.params.get("listenKey", ""))})

    def _list_listen_keys(self, _ask: Ask) -> Reply:
        return reply({"listenKey": self.listen_keys.alive()})
