"""What the operator learns of one source: state changes at once, figures at most once a second, logs on change."""

import structlog

from mexc_sniper.core.clock import NS_PER_S
from mexc_sniper.model.events import SourceChanged, SourceName
from mexc_sniper.model.health import ComponentStatus
from mexc_sniper.model.market import Stamp
from mexc_sniper.ports import Clock, Emit

Figures = dict[str, int | float | str | None]

_log = structlog.get_logger("mexc_sniper.venue")


class SourceReport:
    """Emits `SourceChanged` for one source."""

    def __init__(self, source: SourceName, clock: Clock, emit: Emit) -> None:
        self._source = source
        self._clock = clock
        self._emit = emit
        self._status: ComponentStatus | None = None
        self._said: tuple[str, Figures] | None = None
        self._said_at = 0
        self._since = 0

    @property
    def status(self) -> ComponentStatus | None:
        """The last status told; None before the first."""
        return self._status

    def tell(self, status: ComponentStatus, detail: str, figures: Figures) -> None:
        """Report the present state; a repetition costs nothing and says nothing."""
        now = self._clock.mono_ns()
        if status is self._status:
            if self._said == (detail, figures) or now - self._said_at < NS_PER_S:
                return
        else:
            self._log_change(status, detail, now)
            self._status = status
            self._since = now
        self._said = (detail, figures)
        self._said_at = now
        self._emit(
            SourceChanged(
                stamp=Stamp(None, self._clock.wall_ns(), now),
                source=self._source,
                status=status,
                detail=detail,
                figures=figures,
            )
        )

    def _log_change(self, status: ComponentStatus, detail: str, now: int) -> None:
        lasted_s = round((now - self._since) / NS_PER_S, 1)
        if status is ComponentStatus.OK:
            if self._status is not None:
                _log.info("source_recovered", source=self._source.value, after_s=lasted_s)
        elif status is ComponentStatus.UNAVAILABLE:
            _log.info("source_unavailable", source=self._source.value, detail=detail)
        else:
            _log.warning("source_troubled", source=self._source.value, status=status.value, detail=detail)
