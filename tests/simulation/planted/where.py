"""Which of the first seeds are worth playing first for a bug: those in which what it breaks is put to the test.

A guess only: where it is wrong the other seeds follow, so a hint saves time and never hides that a bug is missed.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from tests.simulation.plan import Plan

_TAKEN = (
    "order_lost_after", "order_reset_after", "order_5xx_after", "order_502_page", "order_refused_but_taken",
    "order_half_answer", "order_not_json", "order_empty_answer", "order_answer_hangs", "order_answer_stalls",
)  # fmt: skip
_UNANSWERED = (*_TAKEN, "order_lost_before", "order_late", "order_held_back", "order_reset_before")
_DEATHS = ("die", "power_cut", "stop_cleanly")
_KILLS = ("kill_pause", "kill_cancel", "kill_flatten")
_OLD_NEWS = ("reads_stale", "private_reordered", "private_late", "private_doubled")
_BUYS = ("bought_by_hand",)

Hint = Callable[[Plan], bool]


def _struck(*groups: tuple[str, ...]) -> Hint:
    """At least one kind of each group."""

    def hint(plan: Plan) -> bool:
        kinds = {strike.kind for strike in plan.strikes}
        return all(any(kind in kinds for kind in group) for group in groups)

    return hint


def _at_bought(kinds: tuple[str, ...]) -> Hint:
    """One of the kinds while an order may be waiting."""
    return lambda plan: any(strike.kind in kinds and strike.point == "bought" for strike in plan.strikes)


def _busy(plan: Plan) -> bool:
    return len(plan.listings) > 1 or bool(plan.buys_s)


def _both(first: Hint, second: Hint) -> Hint:
    return lambda plan: first(plan) and second(plan)


HINTS: Mapping[str, Hint] = MappingProxyType(
    {
        "timeout_is_failure": _struck(_TAKEN),
        "timeout_may_be_retried": _struck(_TAKEN),
        "not_found_is_proof": _struck(("order_unseen", "order_late", "order_held_back")),
        "post_repeated": _struck(_UNANSWERED),
        "journal_failure_ignored": _struck(("fsync_fails",)),
        "journal_not_read": _struck(_DEATHS),
        "leaving_forgotten": _struck(_DEATHS),
        "reserved_after_ack": _busy,
        "released_at_end": _busy,
        "doubt_not_counted": _both(_struck(_UNANSWERED), _busy),
        "late_fill_ignored": _struck(("late_fill",)),
        "stale_answer_believed": _struck(_OLD_NEWS),
        "partial_cancel_is_nothing": lambda plan: any(listing.depth < 5 for listing in plan.listings),
        "end_is_not_final": _struck(_OLD_NEWS),
        "base_fee_forgotten": lambda plan: plan.fees == "base",
        "exits_not_reserved": _struck((*_UNANSWERED, "closed_by_hand", "kill_flatten")),
        "latch_not_looked_at": _at_bought(_KILLS),
        "kill_not_rechecked": _both(_at_bought(_KILLS), lambda plan: plan.throttle == (1, 1)),
        "config_change_unnoticed": _both(_at_bought(("limit_lowered",)), lambda plan: plan.throttle == (1, 1)),
        "entry_before_reconciliation": _struck(_DEATHS),
        "armed_for_ever": _struck(("disarmed",)),
        "refused_without_reason": _struck((*_KILLS, "fsync_fails", "limit_lowered")),
        "entered_again": _struck(_TAKEN),
    }
)


def order(name: str, plans: list[Plan]) -> list[Plan]:
    """The likely seeds first, then all others."""
    hint = HINTS.get(name)
    if hint is None:
        return plans
    return sorted(plans, key=lambda plan: not hint(plan))
