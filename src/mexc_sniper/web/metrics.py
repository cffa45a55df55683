"""One Prometheus page out of two processes: the engine has no port, its text comes through the live figures.

Both processes declare the same families (telemetry.py), so series are added up by name and labels: a series only one
process moves is zero in the other.
"""

from collections.abc import Iterable
from decimal import Decimal

from mexc_sniper.core.values import text_from_decimal


def merge(texts: Iterable[str]) -> str:
    """Add up Prometheus texts, one HELP and TYPE per family; creation times are left out, they cannot be added."""
    families: dict[str, list[str]] = {}
    series: dict[str, dict[str, Decimal]] = {}
    for text in texts:
        family = ""
        for line in text.splitlines():
            if line.startswith("# HELP "):
                family = line.split(" ", 3)[2]
                families.setdefault(family, [])
            if line.startswith("# "):
                if line not in families[family]:
                    families[family].append(line)
            elif line:
                key, _, value = line.rpartition(" ")
                sums = series.setdefault(family, {})
                sums[key] = sums.get(key, Decimal(0)) + Decimal(value)
    lines: list[str] = []
    for family, head in families.items():
        if family.endswith("_created"):
            continue
        lines += head
        lines += [f"{key} {_plain(value)}" for key, value in series.get(family, {}).items()]
    return "\n".join(lines) + "\n"


def _plain(value: Decimal) -> str:
    if not value.is_finite():
        return {"Infinity": "+Inf", "-Infinity": "-Inf"}.get(str(value), "NaN")
    return text_from_decimal(value)
