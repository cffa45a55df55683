"""The pre-trade risk check: one ordered list of small questions (`policy.checks`), one answer.

Every question is asked, so that the operator sees every measured value; the first "no" in order is the reason.
`Approved` is made here and nowhere else.
"""

from collections.abc import Sequence

import msgspec

from mexc_sniper.core.reasons import Reason
from mexc_sniper.model.limits import Gate
from mexc_sniper.model.order import Approved, Denied, OrderIntent
from mexc_sniper.model.trading import Guard, Trigger
from mexc_sniper.policy.checks import AHEAD, AT_TRIGGER, Answers, Check, EntryView, words

_AUTOMATIC = frozenset({Trigger.SCHEDULED, Trigger.FIRST_QUOTE, Trigger.FIRST_TRADE, Trigger.SURPRISE})


class Ahead(msgspec.Struct, frozen=True, kw_only=True):
    """What `assess_ahead` found, and from what; good as long as nothing in ``view`` but the market changes."""

    view: EntryView
    answers: Answers
    approved: tuple[Approved, ...]


class Judgement:
    """The verdict on an entry and what every question measured."""

    __slots__ = ("_answers", "_view", "verdict")

    def __init__(self, view: EntryView, verdict: Approved | Denied, answers: Answers) -> None:
        self.verdict = verdict
        self._view = view
        self._answers = answers

    def guards(self) -> tuple[Guard, ...]:
        """Write down every question with its measured value and limit."""
        guards = [Guard(name=str(reason), passed=False) for reason in self._view.gate.closed]
        guards += (
            Guard(name=str(reason), passed=passed, measured=words(measured), limit=words(limit))
            for reason, (passed, measured, limit) in self._answers
        )
        if (ineligible := _ineligible(self._view)) is not None:
            guards.append(Guard(name=str(ineligible), passed=False))
        return tuple(guards)


def assess(view: EntryView, ahead: Answers | None = None) -> Judgement:
    """Judge an entry: every question is asked, the first "no" in order is the reason.

    ``ahead`` are the answers of `assess_ahead` for the same intent, where nothing they rest on has changed since.
    """
    answers = (ahead or _ask(AHEAD, view)) + _ask(AT_TRIGGER, view)
    return Judgement(view, _verdict(view, answers), answers)


def assess_ahead(view: EntryView, intents: Sequence[OrderIntent]) -> Ahead | Denied:
    """Ask what can be asked before the pair has a price, for the attempts of one entry (alike but for their ids).

    What is approved may be journaled and signed; only `assess` lets it leave.
    """
    answers = _ask(AHEAD, view)
    verdict = _verdict(view, answers)
    if isinstance(verdict, Denied):
        return verdict
    approved = tuple(Approved(intent=intent, generation=view.gate.generation) for intent in intents)
    return Ahead(view=view, answers=answers, approved=approved)


def _ask(checks: tuple[Check, ...], view: EntryView) -> Answers:
    return tuple([(reason, ask(view)) for reason, ask in checks])


def _verdict(view: EntryView, answers: Answers) -> Approved | Denied:
    if view.gate.closed:
        return Denied(reason=view.gate.closed[0])
    for reason, (passed, measured, limit) in answers:
        if passed is False:
            return Denied(reason=reason, measured={"measured": words(measured), "limit": words(limit)})
    if (ineligible := _ineligible(view)) is not None:
        return Denied(reason=ineligible)
    return Approved(intent=view.intent, generation=view.gate.generation)


def _ineligible(view: EntryView) -> Reason | None:
    return view.eligible if view.trigger in _AUTOMATIC else None


def approve_reduction(intent: OrderIntent, gate: Gate) -> Approved | Denied:
    """Judge an order that only reduces risk: it leaves in every state in which our own records can be trusted.

    Limits never stop an exit; a journal that cannot be written does, because an order nobody knows is worse.
    """
    if not intent.role.reduces_risk:
        raise ValueError(f"not an exit: {intent.role}")
    for reason in gate.closed:
        if reason in (Reason.JOURNAL_UNHEALTHY, Reason.LEASE_LOST):
            return Denied(reason=reason)
    return Approved(intent=intent, generation=gate.generation)
