"""Short names of the REST and web endpoints, as faults and counters call them."""

ORDER_TARGETS = ("newOrder", "batchOrders", "cancelOrder", "cancelOpenOrders")
"""Endpoints that change orders; they share one rate (REFERENCE 1.3)."""
REST_TARGETS = (
    "ping", "time", "defaultSymbols", "symbolOffline", "exchangeInfo", "depth", "trades", "aggTrades", "klines",
    "avgPrice", "ticker24hr", "tickerPrice", "tickerBookTicker", "announcements", "contractDetail", "selfSymbols",
    "account", "uid", "kycStatus", "calendar", "symbolsV2", "helpAnnouncements",
    *ORDER_TARGETS, "testOrder", "getOrder", "openOrders", "allOrders", "myTrades", "tradeFee", "mxDeduct",
    "mxDeductSet", "capitalConfig", "withdrawHistory", "depositHistory", "transferHistory", "userDataStream",
    "userDataStreamExtend", "userDataStreamClose", "userDataStreamList",
)  # fmt: skip
