"""Every reason a listing ends with, as a closed list of codes with one sentence each.

The sentence is what the page shows under "why"; `docs/reasons.md` is generated from this file.
"""

from enum import StrEnum


class Reason(StrEnum):
    """Why a listing's outcome is what it is. Exactly one per outcome."""

    MONITOR_ONLY = "MONITOR_ONLY"
    RELIST = "RELIST"
    RETURNED = "RETURNED"
    SECOND_QUOTE = "SECOND_QUOTE"
    RENAMED = "RENAMED"
    LOOK_ALIKE = "LOOK_ALIKE"
    NEWNESS_UNPROVEN = "NEWNESS_UNPROVEN"
    DETECTED_LATE = "DETECTED_LATE"
    WITHDRAWN = "WITHDRAWN"
    NEVER_OPENED = "NEVER_OPENED"
    TEST_INJECTION = "TEST_INJECTION"
    QUOTE_NOT_CONFIGURED = "QUOTE_NOT_CONFIGURED"
    ENTERED = "ENTERED"

    # The gate: what is allowed at this moment
    ENTRIES_OFF = "ENTRIES_OFF"
    NOT_ARMED = "NOT_ARMED"
    TRADING_REDUCING = "TRADING_REDUCING"
    TRADING_HALTED = "TRADING_HALTED"
    KILL_LATCHED = "KILL_LATCHED"
    MONITOR_STOPPED = "MONITOR_STOPPED"
    CLOCK_UNCERTAIN = "CLOCK_UNCERTAIN"
    FEED_STALE = "FEED_STALE"
    NOT_RECONCILED = "NOT_RECONCILED"
    JOURNAL_UNHEALTHY = "JOURNAL_UNHEALTHY"
    LEASE_LOST = "LEASE_LOST"
    VENUE_BANNED = "VENUE_BANNED"
    VENUE_UNREACHABLE = "VENUE_UNREACHABLE"
    DATABASE_DOWN = "DATABASE_DOWN"
    LOOP_STALLED = "LOOP_STALLED"
    THROTTLED = "THROTTLED"
    GRANT_EXHAUSTED = "GRANT_EXHAUSTED"

    # Tradability
    RULES_UNKNOWN = "RULES_UNKNOWN"
    NOT_ONLINE = "NOT_ONLINE"
    API_CLOSED = "API_CLOSED"
    ONE_SIDED = "ONE_SIDED"
    SPECIAL_TREATMENT = "SPECIAL_TREATMENT"
    MARKET_ORDERS_CLOSED = "MARKET_ORDERS_CLOSED"
    CATEGORY_EXCLUDED = "CATEGORY_EXCLUDED"
    BASE_ALREADY_ENTERED = "BASE_ALREADY_ENTERED"
    NO_OFFICIAL_SOURCE = "NO_OFFICIAL_SOURCE"

    # Limits
    ABOVE_HARD_CAP = "ABOVE_HARD_CAP"
    ABOVE_POSITION_HARD_CAP = "ABOVE_POSITION_HARD_CAP"
    ABOVE_MAX_TRADE = "ABOVE_MAX_TRADE"
    ABOVE_MAX_POSITION = "ABOVE_MAX_POSITION"
    TOO_MANY_POSITIONS = "TOO_MANY_POSITIONS"
    DAILY_SPEND_REACHED = "DAILY_SPEND_REACHED"
    DAILY_LOSS_REACHED = "DAILY_LOSS_REACHED"
    DRAWDOWN_REACHED = "DRAWDOWN_REACHED"
    CONSECUTIVE_LOSSES_REACHED = "CONSECUTIVE_LOSSES_REACHED"
    TRADES_PER_HOUR_REACHED = "TRADES_PER_HOUR_REACHED"
    COOLDOWN = "COOLDOWN"
    INSUFFICIENT_BALANCE = "INSUFFICIENT_BALANCE"
    BELOW_MINIMUM = "BELOW_MINIMUM"
    EXIT_LEG_TOO_SMALL = "EXIT_LEG_TOO_SMALL"

    # The market
    SIGNAL_TOO_OLD = "SIGNAL_TOO_OLD"
    NO_BOOK = "NO_BOOK"
    NO_REFERENCE_PRICE = "NO_REFERENCE_PRICE"
    SPREAD_TOO_WIDE = "SPREAD_TOO_WIDE"
    DEPTH_TOO_THIN = "DEPTH_TOO_THIN"
    EXIT_TOO_THIN = "EXIT_TOO_THIN"
    SLIPPAGE_TOO_HIGH = "SLIPPAGE_TOO_HIGH"
    PRICE_IMPLAUSIBLE = "PRICE_IMPLAUSIBLE"
    OUTSIDE_PRICE_BAND = "OUTSIDE_PRICE_BAND"

    # What became of an order
    NOT_OPEN_TO_API = "NOT_OPEN_TO_API"
    VENUE_REFUSED = "VENUE_REFUSED"
    KEY_REFUSED = "KEY_REFUSED"
    NOT_SENT = "NOT_SENT"
    NEVER_ARRIVED = "NEVER_ARRIVED"
    NOTHING_FILLED = "NOTHING_FILLED"
    OUTCOME_UNKNOWN = "OUTCOME_UNKNOWN"
    CANCELED_BY_OPERATOR = "CANCELED_BY_OPERATOR"
    CANCELED_BY_KILL = "CANCELED_BY_KILL"
    CANCELED_FOR_EXIT = "CANCELED_FOR_EXIT"
    HIGH_VALUE = "HIGH_VALUE"
    CONFIRMATION_EXPIRED = "CONFIRMATION_EXPIRED"
    REJECTED_BY_OPERATOR = "REJECTED_BY_OPERATOR"


SENTENCES: dict[Reason, str] = {
    Reason.MONITOR_ONLY: "Seen and recorded; nothing was meant to be traded.",
    Reason.RELIST: "The pair traded before, so this is no first listing.",
    Reason.RETURNED: "The pair was known, went away and came back.",
    Reason.SECOND_QUOTE: "The coin already trades against another currency.",
    Reason.RENAMED: "The same contract was listed before under another name.",
    Reason.LOOK_ALIKE: "The name looks like a known one but is written with other characters.",
    Reason.NEWNESS_UNPROVEN: "No proof could be found that the coin is new.",
    Reason.DETECTED_LATE: "It opened while the bot was not watching.",
    Reason.WITHDRAWN: "The venue took the announcement back.",
    Reason.NEVER_OPENED: "The announced time passed and trading never began.",
    Reason.TEST_INJECTION: "Injected by the operator to test the path; not a real listing.",
    Reason.QUOTE_NOT_CONFIGURED: "Its quote currency is not among those configured.",
    Reason.ENTERED: "Bought.",
    Reason.ENTRIES_OFF: "Automatic entries are switched off for this account.",
    Reason.NOT_ARMED: "Live entries are not armed.",
    Reason.TRADING_REDUCING: "Only exits are allowed right now.",
    Reason.TRADING_HALTED: "Trading is halted.",
    Reason.KILL_LATCHED: "The kill switch is latched.",
    Reason.MONITOR_STOPPED: "The monitor is stopped.",
    Reason.CLOCK_UNCERTAIN: "The venue's clock is not known well enough to sign an order.",
    Reason.FEED_STALE: "The market data is stale.",
    Reason.NOT_RECONCILED: "Orders and balances have not been compared with the venue since the start.",
    Reason.JOURNAL_UNHEALTHY: "The journal cannot be written, so no order may leave.",
    Reason.LEASE_LOST: "Another engine may be in charge.",
    Reason.VENUE_BANNED: "The venue has banned this address for a while.",
    Reason.VENUE_UNREACHABLE: "The venue cannot be reached.",
    Reason.DATABASE_DOWN: "The ledger cannot be written.",
    Reason.LOOP_STALLED: "The engine was held up and its view of the market may be old.",
    Reason.THROTTLED: "The order rate limit had no room before the order lost its point.",
    Reason.GRANT_EXHAUSTED: "The budget for unprepared entries is used up until the next one is written.",
    Reason.RULES_UNKNOWN: "The trading rules of the pair are not known.",
    Reason.NOT_ONLINE: "The venue says the pair is not online.",
    Reason.API_CLOSED: "The pair is not open to API orders.",
    Reason.ONE_SIDED: "The pair allows one side only, so there would be no way out.",
    Reason.SPECIAL_TREATMENT: "The venue warns of the coin (special treatment).",
    Reason.MARKET_ORDERS_CLOSED: "Market orders are closed for the pair and the configuration allows no other.",
    Reason.CATEGORY_EXCLUDED: "The coin belongs to a category that is excluded.",
    Reason.BASE_ALREADY_ENTERED: "The coin was entered before.",
    Reason.NO_OFFICIAL_SOURCE: "No official source has confirmed the listing.",
    Reason.ABOVE_HARD_CAP: "The amount is above the hard cap of the settings file.",
    Reason.ABOVE_POSITION_HARD_CAP: "The exposure would be above the hard cap of the settings file.",
    Reason.ABOVE_MAX_TRADE: "The amount is above the limit per trade.",
    Reason.ABOVE_MAX_POSITION: "Exposure would rise above its limit.",
    Reason.TOO_MANY_POSITIONS: "The limit of open positions is reached.",
    Reason.DAILY_SPEND_REACHED: "The spending limit of the day would be exceeded.",
    Reason.DAILY_LOSS_REACHED: "The loss limit of the day is reached.",
    Reason.DRAWDOWN_REACHED: "The loss from the peak has reached its limit.",
    Reason.CONSECUTIVE_LOSSES_REACHED: "Too many losses in a row.",
    Reason.TRADES_PER_HOUR_REACHED: "The limit of entries per hour is reached.",
    Reason.COOLDOWN: "The pair was traded too recently.",
    Reason.INSUFFICIENT_BALANCE: "The free balance does not cover the order.",
    Reason.BELOW_MINIMUM: "The amount is below the venue's minimum.",
    Reason.EXIT_LEG_TOO_SMALL: "Even the whole position would be below the venue's minimum to sell.",
    Reason.SIGNAL_TOO_OLD: "The opening was seen too late to enter.",
    Reason.NO_BOOK: "No order book arrived in time.",
    Reason.NO_REFERENCE_PRICE: "No price is known to measure against.",
    Reason.SPREAD_TOO_WIDE: "Bid and ask are too far apart.",
    Reason.DEPTH_TOO_THIN: "Too little is offered within the price limit.",
    Reason.EXIT_TOO_THIN: "Too few bids to get out again.",
    Reason.SLIPPAGE_TOO_HIGH: "Buying now would cost too much above the reference price.",
    Reason.PRICE_IMPLAUSIBLE: "The price is implausible against a known reference.",
    Reason.OUTSIDE_PRICE_BAND: "The venue's price band would refuse the order.",
    Reason.NOT_OPEN_TO_API: "The pair did not open to API orders in time.",
    Reason.VENUE_REFUSED: "The venue refused the order.",
    Reason.KEY_REFUSED: "The venue refuses the key or the account; trading is halted until a person has looked.",
    Reason.NOT_SENT: "The order never left.",
    Reason.NEVER_ARRIVED: "The order is proven never to have reached the venue.",
    Reason.NOTHING_FILLED: "The order found nobody to trade with at its price.",
    Reason.OUTCOME_UNKNOWN: "The venue's answer is missing; the outcome is being established.",
    Reason.CANCELED_BY_OPERATOR: "Canceled by the operator.",
    Reason.CANCELED_BY_KILL: "Canceled by the kill switch.",
    Reason.CANCELED_FOR_EXIT: "A waiting take-profit, canceled because the position is sold in another way.",
    Reason.HIGH_VALUE: "The amount needs the operator's confirmation; done on paper meanwhile.",
    Reason.CONFIRMATION_EXPIRED: "Nobody confirmed in time; it stays a paper trade.",
    Reason.REJECTED_BY_OPERATOR: "The operator said no; it stays a paper trade.",
}
