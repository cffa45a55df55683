"""Writes the Grafana dashboard and the Prometheus alert rules from the metrics the program declares.

Run it as ``python -m mexc_sniper.app.dashboards`` from the root of a checkout; ``--check`` compares instead. A name
that `telemetry` does not declare is refused, so neither file can speak of a metric that does not exist.
"""

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prometheus_client import Counter, Gauge, Histogram
from prometheus_client.metrics import MetricWrapperBase

from mexc_sniper import telemetry
from mexc_sniper.core.errors import InvariantError

GRAFANA = "deploy/grafana/mexc-sniper.json"
ALERTS = "deploy/prometheus/alerts.yml"
JOB = "mexc-sniper"
_GRID = 24


@dataclass(frozen=True, slots=True)
class Series:
    """What Prometheus stores of one metric."""

    metric: MetricWrapperBase

    @property
    def name(self) -> str:
        """The name to ask for: of a counter with its ``_total``, of a histogram its buckets."""
        found = declared().get(id(self.metric))
        if found is None:
            raise InvariantError("a panel asks for a metric that telemetry does not declare")
        if isinstance(self.metric, Counter):
            return f"{found}_total"
        return f"{found}_bucket" if isinstance(self.metric, Histogram) else found

    def by(self, *labels: str) -> tuple[str, ...]:
        """Return labels to group by.

        Raises:
            InvariantError: the metric has no such label.
        """
        known = tuple(self.metric._labelnames)
        for label in labels:
            if label not in known:
                raise InvariantError(f"{self.name} has no label {label}; it has {', '.join(known) or 'none'}")
        return labels


def declared() -> dict[int, str]:
    """Return every metric of `telemetry` by its identity, with its name."""
    values = vars(telemetry).values()
    return {id(value): value._name for value in values if isinstance(value, MetricWrapperBase)}


def rate(metric: Counter, *labels: str) -> str:
    """Ask how often per second, over five minutes."""
    series = Series(metric)
    return f"{_sum(series.by(*labels))}(rate({series.name}[5m]))"


def increase(metric: Counter, window: str, *labels: str) -> str:
    """Ask how many in a window."""
    series = Series(metric)
    return f"{_sum(series.by(*labels))}(increase({series.name}[{window}]))"


def quantile(share: float, metric: Histogram, *labels: str) -> str:
    """Ask for a percentile over five minutes."""
    series = Series(metric)
    grouped = ", ".join(("le", *series.by(*labels)))
    return f"histogram_quantile({share:g}, sum by ({grouped}) (rate({series.name}[5m])))"


def value(metric: Gauge, *labels: str) -> str:
    """Ask for a value as it is."""
    series = Series(metric)
    return f"max by ({', '.join(series.by(*labels))}) ({series.name})" if labels else f"max({series.name})"


def _sum(labels: tuple[str, ...]) -> str:
    return f"sum by ({', '.join(labels)}) " if labels else "sum"


@dataclass(frozen=True, slots=True)
class Panel:
    """One graph."""

    title: str
    queries: tuple[tuple[str, str], ...]
    """Expression and legend."""
    unit: str = "short"
    width: int = 8


@dataclass(frozen=True, slots=True)
class Alert:
    """One rule; it fires when the expression holds for so long."""

    name: str
    expression: str
    lasting: str
    severity: str
    summary: str


def panels() -> Iterator[tuple[str, tuple[Panel, ...]]]:
    """Yield the rows of the dashboard."""
    t = telemetry
    yield (
        "Trading",
        (
            Panel("Trades, last hour", ((increase(t.TRADES, "1h", "mode", "status"), "{{mode}} {{status}}"),)),
            Panel("At stake, worst case", ((value(t.AT_STAKE, "mode"), "{{mode}}"),), "currencyUSD"),
            Panel("Open positions", ((value(t.OPEN_POSITIONS, "mode"), "{{mode}}"),)),
            Panel("Refused by our checks, last hour", ((increase(t.RISK_REJECTIONS, "1h", "reason"), "{{reason}}"),)),
            Panel("Approved and never sent", ((increase(t.ORDERS_NOT_SENT, "1h", "reason"), "{{reason}}"),)),
            Panel("Orders in doubt", ((value(t.ORDERS_IN_DOUBT), "in doubt"),)),
            Panel(
                "Stages of a trade, p50 and p99",
                (
                    (quantile(0.5, t.TRADE_SECONDS, "mode", "stage"), "{{mode}} {{stage}} p50"),
                    (quantile(0.99, t.TRADE_SECONDS, "mode", "stage"), "{{mode}} {{stage}} p99"),
                ),
                "s",
                16,
            ),
            Panel("Room in the order throttle", ((value(t.THROTTLE_ROOM, "mode"), "{{mode}}"),)),
        ),
    )
    yield (
        "Listings",
        (
            Panel("New listings, last day", ((increase(t.LISTINGS_DETECTED, "1d", "source"), "{{source}}"),)),
            Panel(
                "Opening to first signal",
                ((quantile(0.5, t.DETECTION_LAG), "p50"), (quantile(0.95, t.DETECTION_LAG), "p95")),
                "s",
            ),
            Panel("Lag by kind of signal, p95", ((quantile(0.95, t.SOURCE_LAG, "kind"), "{{kind}}"),), "s"),
            Panel("Signals, last hour", ((increase(t.SIGNALS, "1h", "kind"), "{{kind}}"),)),
        ),
    )
    yield (
        "Venue",
        (
            Panel("Frames a second", ((rate(t.FRAMES, "kind"), "{{kind}}"),)),
            Panel("Frames not decoded, last hour", ((increase(t.BAD_FRAMES, "1h"), "bad"),)),
            Panel("Connections", ((value(t.ACTIVE_CONNECTIONS), "open"), (increase(t.RECONNECTIONS, "1h"), "anew"))),
            Panel("REST round trip, p95", ((quantile(0.95, t.API_REQUEST_SECONDS, "endpoint"), "{{endpoint}}"),), "s"),
            Panel("REST errors a second", ((rate(t.API_ERRORS, "type"), "{{type}}"),)),
            Panel("Weight used in ten seconds", ((value(t.API_WEIGHT), "used of 300"),)),
            Panel("Venue clock minus ours", ((value(t.CLOCK_OFFSET_SECONDS), "offset"),), "s"),
        ),
    )
    yield (
        "Program",
        (
            Panel("Engine alive", ((f"max({t.ENGINE_UP})", "alive"),)),
            Panel("Engine loop lag", ((value(t.LOOP_LAG_SECONDS), "lag"),), "s"),
            Panel("One decision, p99", ((quantile(0.99, t.HANDLE_SECONDS, "event"), "{{event}}"),), "s"),
            Panel("Ledger operation, p99", ((quantile(0.99, t.DB_SECONDS, "operation"), "{{operation}}"),), "s"),
            Panel("Entries waiting for the writer", ((value(t.LEDGER_QUEUE), "waiting"),)),
            Panel("API answer, p95", ((quantile(0.95, t.HTTP_SECONDS, "path"), "{{path}}"),), "s"),
            Panel("Open pages", ((value(t.LIVE_PAGES), "pages"),)),
            Panel("Commands, last hour", ((increase(t.COMMANDS, "1h", "verb", "status"), "{{verb}} {{status}}"),)),
            Panel("Configuration versions, last day", ((increase(t.CONFIG_UPDATES, "1d"), "written"),)),
        ),
    )


def alerts() -> Iterator[Alert]:
    """Yield the rules."""
    t = telemetry
    yield Alert(
        "MexcSniperUnreachable", f'up{{job="{JOB}"}} == 0 or absent(up{{job="{JOB}"}})', "1m", "page",
        "The web process does not answer; positions may be without a watcher.",
    )  # fmt: skip
    yield Alert(
        "MexcSniperEngineGone", f"max({t.ENGINE_UP}) == 0", "1m", "page",
        "The engine does not run: nothing watches the positions. Look at logs/engine.log.",
    )  # fmt: skip
    yield Alert(
        "MexcSniperOrderInDoubt", f"{value(t.ORDERS_IN_DOUBT)} > 0", "2m", "page",
        "The outcome of an order is unknown; `mexc-sniper attention` says what to do.",
    )  # fmt: skip
    yield Alert(
        "MexcSniperNoConnection", f"{value(t.ACTIVE_CONNECTIONS)} == 0 and {value(t.OPEN_POSITIONS)} > 0", "2m", "page",
        "No market stream is open while positions are held.",
    )  # fmt: skip
    yield Alert(
        "MexcSniperClockOff", f"abs({value(t.CLOCK_OFFSET_SECONDS)}) > 1", "5m", "warn",
        "This machine's clock differs from the venue's: switch on time synchronisation.",
    )  # fmt: skip
    yield Alert(
        "MexcSniperWeightHigh", f"{value(t.API_WEIGHT)} > 270", "1m", "warn",
        "The venue's request limit is nearly used up.",
    )  # fmt: skip
    yield Alert(
        "MexcSniperLoopLate", f"{value(t.LOOP_LAG_SECONDS)} > 0.1", "2m", "warn",
        "The engine's loop runs late: the machine is too busy.",
    )  # fmt: skip
    yield Alert(
        "MexcSniperLedgerQueue", f"{value(t.LEDGER_QUEUE)} > 5000", "2m", "warn",
        "The ledger's writer does not keep up; look at the disk or the database.",
    )  # fmt: skip
    yield Alert(
        "MexcSniperBadFrames", f"{increase(t.BAD_FRAMES, '10m')} > 5", "1m", "warn",
        "Frames of the venue cannot be decoded: its protocol may have changed.",
    )  # fmt: skip
    yield Alert(
        "MexcSniperOrdersFail", f"{increase(t.ORDERS_NOT_SENT, '15m')} > 3", "1m", "warn",
        "Approved orders did not leave.",
    )  # fmt: skip


def dashboard() -> str:
    """Return the dashboard as JSON that Grafana imports."""
    found: list[dict[str, Any]] = []
    y = number = 0
    for title, row in panels():
        found.append(_at({"type": "row", "title": title, "collapsed": False, "panels": []}, number, 0, y, _GRID, 1))
        number, y, x = number + 1, y + 1, 0
        for panel in row:
            if x + panel.width > _GRID:
                x, y = 0, y + 8
            found.append(_at(_graph(panel), number, x, y, panel.width, 8))
            number, x = number + 1, x + panel.width
        y += 8
    source = {
        "name": "datasource", "label": "Prometheus", "type": "datasource", "query": "prometheus", "current": {},
        "hide": 0, "includeAll": False, "multi": False, "options": [], "refresh": 1, "regex": "",
    }  # fmt: skip
    document = {
        "uid": "mexc-sniper",
        "title": "mexc-sniper",
        "tags": ["mexc-sniper"],
        "schemaVersion": 39,
        "editable": True,
        "graphTooltip": 1,
        "refresh": "10s",
        "time": {"from": "now-6h", "to": "now"},
        "timezone": "utc",
        "templating": {"list": [source]},
        "panels": found,
    }
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def rules() -> str:
    """Return the alert rules as YAML that Prometheus loads; every text is quoted as JSON, which YAML reads."""
    lines = [
        "# Generated by `python -m mexc_sniper.app.dashboards`; do not edit.",
        "groups:",
        "  - name: mexc-sniper",
        "    rules:",
    ]
    for alert in alerts():
        lines += [
            f"      - alert: {alert.name}",
            f"        expr: {json.dumps(alert.expression)}",
            f"        for: {alert.lasting}",
            "        labels:",
            f"          severity: {alert.severity}",
            "        annotations:",
            f"          summary: {json.dumps(alert.summary, ensure_ascii=False)}",
        ]
    return "\n".join(lines) + "\n"


def _at(panel: dict[str, Any], number: int, x: int, y: int, width: int, height: int) -> dict[str, Any]:
    return {"id": number + 1, "gridPos": {"x": x, "y": y, "w": width, "h": height}, **panel}


def _graph(panel: Panel) -> dict[str, Any]:
    source = {"type": "prometheus", "uid": "${datasource}"}
    return {
        "type": "timeseries",
        "title": panel.title,
        "datasource": source,
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": None}, "overrides": []},
        "options": {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi"}},
        "targets": [
            {"refId": chr(ord("A") + place), "datasource": source, "expr": expression, "legendFormat": legend}
            for place, (expression, legend) in enumerate(panel.queries)
        ],
    }


def main(arguments: list[str]) -> int:
    """Write the files, or with ``--check`` say which are out of date."""
    stale = []
    for name, text in {GRAFANA: dashboard(), ALERTS: rules()}.items():
        path = Path.cwd() / name
        if "--check" not in arguments:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        elif not path.is_file() or path.read_text(encoding="utf-8") != text:
            stale.append(name)
    if stale:
        sys.stderr.write(f"out of date: {', '.join(stale)}; run 'make docs'\n")
    return 1 if stale else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
