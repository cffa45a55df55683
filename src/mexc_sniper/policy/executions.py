"""Which executions of an order are counted already, when two sources name the same one differently."""

from dataclasses import dataclass, field
from decimal import Decimal

from mexc_sniper.model.order import Fill, ReportSource

Shape = tuple[Decimal, Decimal]
"""Price and quantity."""


@dataclass(slots=True)
class Executions:
    """The executions of one order.

    The private stream and the trade list may give one execution two ids (REFERENCE 4.6). So what a source tells under
    an unknown id is one that is counted already as long as the source has told fewer of this price and quantity than
    are counted.
    """

    counted: dict[str, Shape] = field(default_factory=dict)
    """By trade id."""
    told: dict[ReportSource, dict[str, Shape]] = field(default_factory=dict)

    def unknown(self, source: ReportSource, fills: tuple[Fill, ...]) -> tuple[Fill, ...]:
        """Return those that are not counted yet; ``fills`` are all that the source tells at once."""
        told = self.told.setdefault(source, {})
        told.update({fill.trade_id: _shape(fill) for fill in fills if fill.trade_id in self.counted})
        fresh = []
        for fill in fills:
            shape = _shape(fill)
            if fill.trade_id in told:
                continue
            if _times(told, shape) < _times(self.counted, shape):
                told[fill.trade_id] = shape
            else:
                fresh.append(fill)
        return tuple(fresh)

    def count(self, fill: Fill, source: ReportSource | None) -> None:
        """Note that one was counted. ``source`` None: an earlier life counted it."""
        self.counted[fill.trade_id] = _shape(fill)
        if source is not None:
            self.told.setdefault(source, {})[fill.trade_id] = _shape(fill)


def _shape(fill: Fill) -> Shape:
    return fill.price, fill.quantity


def _times(shapes: dict[str, Shape], shape: Shape) -> int:
    return sum(1 for other in shapes.values() if other == shape)
