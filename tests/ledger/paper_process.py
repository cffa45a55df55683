"""A real process that plays the paper venue: each fill with its order and balance; killed by `test_crash`.

python -m tests.ledger.paper_process DATA_DIR [URL]
"""

import asyncio
import sys
from decimal import Decimal
from pathlib import Path

from mexc_sniper.core.values import Asset, Quantity
from mexc_sniper.ledger import LedgerWriter, locate
from mexc_sniper.model.account import Account, Balance
from mexc_sniper.model.entries import BalancesChanged, FillRecorded, OrderChanged
from mexc_sniper.model.order import OrderStatus
from mexc_sniper.runtime.clock import LoopClock
from tests.ledger.trading_builders import a_fill, an_order


async def main() -> None:
    location = locate(sys.argv[2] if len(sys.argv) > 2 else None, Path(sys.argv[1]))
    writer = LedgerWriter(location, LoopClock())
    writer.start()
    number = sum(balance.free for balance in writer.restore().balances)
    while True:
        number += 1
        bought = Quantity(Decimal(number))
        writer.append(
            [
                FillRecorded(fill=a_fill(f"o{number}", quantity=Quantity(Decimal(1)))),
                OrderChanged(order=an_order(f"o{number}", status=OrderStatus.FILLED)),
                BalancesChanged(balances=(Balance(Account.PAPER, Asset("ALPHA"), bought, Decimal(0)),)),
            ]
        )
        if int(number) % 3 == 0:
            await writer.flush(deadline_s=20)
            sys.stdout.write(f"{number}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main())
