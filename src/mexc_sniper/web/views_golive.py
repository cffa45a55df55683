"""What the API answers with about going live; part of the contract in `views`."""

from typing import Literal

from mexc_sniper.web.view_base import Iso, View


class GoLiveItemView(View):
    """One thing to be in order before live trading. ``warning``: the operator must say that it is."""

    id: Literal[
        "mode",
        "key_rights",
        "address_binding",
        "clock",
        "balance",
        "reconciled",
        "state",
        "canary",
        "notifications",
        "paper_record",
        "auto_trade",
    ]
    label: str
    state: Literal["ok", "missing", "warning"]
    detail: str
    """What was found."""
    mend: str
    """What to do; empty when it is in order."""


class GoLiveView(View):
    """``ready``: nothing is missing. The engine judges anew when it is asked to arm."""

    items: list[GoLiveItemView]
    ready: bool
    armed: bool
    armed_until: Iso | None
    checked_at: Iso
