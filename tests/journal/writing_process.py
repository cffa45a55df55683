"""A real process that journals intents and prints each id once `write` has returned; killed by `test_kill`.

python -m tests.journal.writing_process DIRECTORY
"""

import asyncio
import sys
from decimal import Decimal
from pathlib import Path

from mexc_sniper.core.clock import SystemClock
from mexc_sniper.journal import FileJournal, GrantLimits
from tests.journal.builders import an_intent, approved

ROOMY = GrantLimits(entries=50, exits=50, notional_per_entry=Decimal(1_000), notional=Decimal(10_000))


async def main() -> None:
    journal = FileJournal(Path(sys.argv[1]), SystemClock(), limits=ROOMY, slots=128)
    journal.open()
    sys.stdout.write(f"epoch {journal.epoch}\n")
    sys.stdout.flush()
    number = 0
    while True:
        number += 1
        intent = an_intent(number, epoch=journal.epoch)
        if number % 7 == 0:
            await journal.write_durably([approved(intent)])
        elif not journal.write(approved(intent)):
            await asyncio.sleep(0.001)
            continue
        sys.stdout.write(f"{intent.client_order_id}\n")
        sys.stdout.flush()
        if number % 3 == 0:
            # Told before it is done: a kill between the two must not leave a mark that nobody was told of.
            sys.stdout.write(f"{intent.client_order_id} settled\n")
            sys.stdout.flush()
            journal.mark_settled(intent.client_order_id)
        await asyncio.sleep(0)


if __name__ == "__main__":
    asyncio.run(main())
