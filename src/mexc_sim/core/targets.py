"""Short names of the REST and web endpoints, as faults and counters call them."""

REST_TARGETS = (
    "ping", "time", "defaultSymbols", "symbolOffline", "exchangeInfo", "depth", "trades", "aggTrades", "klines",
    "avgPrice", "ticker24hr", "tickerPrice", "tickerBookTicker", "announcements", "contractDetail", "selfSymbols",
    "account", "uid", "kycStatus", "calendar", "symbolsV2", "helpAnnouncements",
)  # fmt: skip
