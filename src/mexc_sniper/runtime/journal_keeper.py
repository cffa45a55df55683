"""Keeps the journal short and its grants honest: notes what is settled, and that the venue was swept."""

import structlog

from mexc_sniper.core.errors import StoreError
from mexc_sniper.core.ids import ClientOrderId
from mexc_sniper.model.account import Account
from mexc_sniper.model.entries import LedgerEntry, OrderChanged, TradingChanged
from mexc_sniper.ports import Clock, Journal, Ledger

log = structlog.get_logger()

EVERY_S = 2.0
FLUSH_DEADLINE_S = 10.0


class JournalKeeper:
    """Watches what is written to the ledger; an order is forgotten only after its row is committed."""

    def __init__(self, journal: Journal, ledger: Ledger, clock: Clock) -> None:
        self._journal = journal
        self._ledger = ledger
        self._clock = clock
        self._settled: dict[ClientOrderId, None] = {}
        self._reconciled = False

    def see(self, entries: tuple[LedgerEntry, ...]) -> None:
        """Remember what an event has settled."""
        for entry in entries:
            if isinstance(entry, OrderChanged):
                if entry.order.settled and entry.order.intent.account is Account.LIVE:
                    self._settled[entry.order.intent.client_order_id] = None
            elif isinstance(entry, TradingChanged):
                self._reconciled = entry.status.reconciled

    async def run(self) -> None:
        """Note it in the journal, until cancelled. A journal that fails is noticed by the next order's write."""
        while True:
            await self._clock.sleep(EVERY_S)
            if not self._journal.healthy:
                continue
            settled, self._settled = self._settled, {}
            try:
                if settled:
                    await self._ledger.flush(deadline_s=FLUSH_DEADLINE_S)
                for client_order_id in settled:
                    self._journal.mark_settled(client_order_id)
                # With something suspect, only a comparison that had to show it counts (`engine.reconcile`).
                if self._reconciled and self._journal.suspect:
                    self._journal.swept()
            except StoreError as error:
                self._settled = settled | self._settled
                log.warning("journal_not_kept", error=str(error))
