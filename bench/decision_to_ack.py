"""From the decision to the venue's answer, with the simulator 20 ms away each way: p99 below 100 ms over 1,000 trades.

    python -m bench.decision_to_ack [--trades 1000]

The whole bot in live mode, as in `bench/tick_to_trade.py`; what is told are its own latencies as the API shows them:
frame → bytes handed to the socket, plus bytes → answer. Openings come five at a time, as fast as orders may leave.
"""

import argparse
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from statistics import median

from bench.tick_to_trade import Course, Program, quantile
from rich.console import Console
from tests.support.certificates import make_certificates
from tests.support.simulator import SimulatorProcess

BATCH = 5
LATENCY_MS = 20.0
BAR_MS = 100.0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trades", type=int, default=1_000, help="entries to make (default 1000, about 15 minutes)")
    options = parser.parse_args()
    console = Console()
    took: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        certificates = make_certificates(Path(folder))
        sim = stack.enter_context(
            SimulatorProcess(symbols=200, ip_weight=1_000_000, tls=certificates, latency_ms=LATENCY_MS)
        )
        course = Course(sim, certificates)
        time.sleep(2)
        program = Program(course, stack, Path(folder) / "data", prepare=True)
        while len(took) < options.trades:
            symbols = [course.list_quietly() for _ in range(BATCH)]
            for symbol in symbols:
                program.ready_for(symbol)
            time.sleep(0.6)
            for symbol in symbols:
                course.quote(symbol)
            time.sleep(1.2)
            for row in program.bot.api("GET", "/trade/history?limit=20&mode=live")["trades"]:
                if row["role"] == "entry" and row["roundTripMs"] is not None:
                    took[row["id"]] = row["tickToTradeMs"] + row["roundTripMs"]
    values = sorted(took.values())
    p99 = quantile(values, 0.99)
    holds = p99 < BAR_MS and len(values) >= options.trades
    console.print(
        f"{len(values)} trades, {LATENCY_MS:g} ms each way: decision → ack p50 {median(values):.1f} ms, "
        f"p99 {p99:.1f} ms, worst {max(values):.1f} ms (bar p99 < {BAR_MS:g}) {'ok' if holds else 'MISSED'}"
    )
    return 0 if holds else 1


if __name__ == "__main__":
    raise SystemExit(main())
