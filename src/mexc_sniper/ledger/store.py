"""The writer's one connection, whatever the database behind it."""

from typing import Protocol

from mexc_sniper.core.errors import StoreError
from mexc_sniper.ledger.memory import Memory
from mexc_sniper.ledger.rows import Batch


class Outage(StoreError):
    """The server went away or did not answer in time. It may come back, and the last commit may have happened."""


class DiskFull(Outage):
    """Nothing was written because there is no space. The connection is sound, and there may be space again: waiting
    keeps the engine alive, which sells what it holds by the journal alone, where ending it would not help."""


class LedgerStore(Protocol):
    """Used by the writer's thread alone, except that `open` may run elsewhere before that thread starts."""

    def open(self) -> None:
        """Connect, or connect anew; refuses a schema that is not this build's.

        Raises:
            Outage: the server cannot be reached now.
            ConfigError, StoreError: waiting would not help.
        """
        ...

    def last_seq(self) -> int:
        """Return the number of the newest event, 0 if there is none."""
        ...

    def memory(self, fills_since_ns: int) -> Memory:
        """Return what the writer must know of what is written: the fills received since a wall time among it."""
        ...

    def write(self, batch: Batch) -> None:
        """Commit one batch, wholly or not at all; fsynced if it is durable.

        Raises:
            Outage: the connection was lost; the batch is written wholly or not at all, `last_seq` tells which.
            StoreError: nothing was written and repeating would not help.
        """
        ...

    def forget_before(self, ts_ns: int, rows: int) -> bool:
        """Delete up to ``rows`` old events, signals and bars each; True while there may be more."""
        ...

    def rest(self) -> None:
        """Do what is better done while nothing waits (SQLite: fold the write-ahead log into the file)."""
        ...

    def close(self) -> None:
        """Let go of the connection; never raises."""
        ...
