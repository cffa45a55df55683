"""A call that blocks the loop fails the test that made it (RELIABILITY 2.4, row 63)."""

from collections.abc import Iterator
from contextlib import contextmanager

from blockbuster import BlockBuster

SCANNED = ["mexc_sniper"]
"""Only calls made by the program itself; what tests and libraries do to their own loops is their affair."""


@contextmanager
def nothing_blocks() -> Iterator[None]:
    """Have every blocking call within a running loop raise while the block runs."""
    watch = BlockBuster(scanned_modules=SCANNED)
    watch.activate()
    try:
        yield
    finally:
        watch.deactivate()
