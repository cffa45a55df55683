"""The exchange's own clock, which may be wrong on purpose."""

NS_PER_MS = 1_000_000


class VenueTime:
    """The venue's clock: true time plus ``skew_ms``."""

    def __init__(self, skew_ms: int = 0) -> None:
        self.skew_ms = skew_ms

    def ms(self, now_ns: int) -> int:
        """Milliseconds as the venue writes them."""
        return now_ns // NS_PER_MS + self.skew_ms
