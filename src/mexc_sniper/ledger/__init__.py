"""The ledger: everything the program remembers, and the only thing its processes share (DESIGN 2, 6).

Engine: `migrations.upgrade`, `LedgerWriter`, `EngineInbox`, `LiveStore`. Web: `LedgerReader`, `LedgerTail`,
`WebInbox`, `LiveStore`. Both find each other by a `LedgerLocation`, which `locate` makes.
"""

from mexc_sniper.ledger.access import ApiToken, Session, hash_secret
from mexc_sniper.ledger.audit import AuditHead, AuditRow
from mexc_sniper.ledger.codec import entry_from_event
from mexc_sniper.ledger.faults import LedgerNotReady
from mexc_sniper.ledger.inbox import EngineInbox, WebInbox
from mexc_sniper.ledger.live import LiveStore
from mexc_sniper.ledger.location import LedgerLocation, locate
from mexc_sniper.ledger.reader import LedgerReader
from mexc_sniper.ledger.tail import LedgerTail
from mexc_sniper.ledger.trading_view import TradeLatencies, TradingView
from mexc_sniper.ledger.view import LedgerEvent, LedgerView
from mexc_sniper.ledger.writer import LedgerWriter

__all__ = [
    "ApiToken",
    "AuditHead",
    "AuditRow",
    "EngineInbox",
    "LedgerEvent",
    "LedgerLocation",
    "LedgerNotReady",
    "LedgerReader",
    "LedgerTail",
    "LedgerView",
    "LedgerWriter",
    "LiveStore",
    "Session",
    "TradeLatencies",
    "TradingView",
    "WebInbox",
    "entry_from_event",
    "hash_secret",
    "locate",
]
