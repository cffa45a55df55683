"""The journal: the engine's own append-only file; an order's intent is in it before its first byte leaves (DESIGN 2).

It is local and the engine's alone, because a database round trip does not belong between a decision and its order.
The ledger tells what became of an intent; the journal tells, after any end of the process, which intents there were.
"""

from mexc_sniper.journal.disk import Disk
from mexc_sniper.journal.grants import GrantLimits
from mexc_sniper.journal.journal import FileJournal
from mexc_sniper.journal.record import RECORD_SIZE
from mexc_sniper.journal.recovery import Damage, JournaledIntent, Recovered, Suspect

__all__ = [
    "RECORD_SIZE",
    "Damage",
    "Disk",
    "FileJournal",
    "GrantLimits",
    "JournaledIntent",
    "Recovered",
    "Suspect",
]
