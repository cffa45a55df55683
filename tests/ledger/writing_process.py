"""A real process that writes the ledger and prints every number once it is committed; killed by `test_crash`.

python -m tests.ledger.writing_process DATA_DIR [URL]
"""

import asyncio
import sys
from pathlib import Path

from mexc_sniper.ledger import LedgerReader, LedgerWriter, locate
from mexc_sniper.model.entries import ListingChanged, SymbolsLearned
from mexc_sniper.runtime.clock import LoopClock
from tests.ledger.builders import a_listing, a_signal, a_symbol


async def main() -> None:
    location = locate(sys.argv[2] if len(sys.argv) > 2 else None, Path(sys.argv[1]))
    writer = LedgerWriter(location, LoopClock())
    writer.start()
    reader = LedgerReader(location)
    number = reader.listings(limit=1)[1]
    reader.close()
    while True:
        for _ in range(3):
            name = f"S{number}USDT"
            writer.append(
                [
                    ListingChanged(listing=a_listing(name, listed_s=number)),
                    a_signal(name),
                    SymbolsLearned(symbols=(a_symbol(name),)),
                ]
            )
            number += 1
        await writer.flush(deadline_s=20)
        sys.stdout.write(f"{number}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main())
