"""What can be told, whether it passes quiet hours, and whether it is told without being asked for."""

from dataclasses import dataclass
from enum import StrEnum


class Event(StrEnum):
    """Kinds of messages; the values are the API's."""

    LISTING = "listing"
    LISTING_OPEN = "listing_open"
    LISTING_OTHER = "listing_other"
    ENTRY = "entry"
    EXIT = "exit"
    CONFIRMATION = "confirmation"
    TRADE_FAILED = "trade_failed"
    TRADE_REFUSED = "trade_refused"
    IN_DOUBT = "in_doubt"
    STOPPED = "stopped"
    RESUMED = "resumed"
    ARMED = "armed"
    DISARMED = "disarmed"
    ATTENTION = "attention"
    CONFIG = "config"
    PART_DOWN = "part_down"
    ENGINE_GONE = "engine_gone"
    DAILY = "daily"


@dataclass(frozen=True, slots=True)
class About:
    """One kind of message: its name for people, whether it is urgent (passes quiet hours), and on by default."""

    title: str
    urgent: bool = False
    on: bool = True


CATALOGUE: dict[Event, About] = {
    Event.LISTING: About("A new listing was seen"),
    Event.LISTING_OPEN: About("A listing opened"),
    Event.LISTING_OTHER: About("A relist, second quote or renamed coin was seen", on=False),
    Event.ENTRY: About("Something was bought"),
    Event.EXIT: About("Something was sold, with its result"),
    Event.CONFIRMATION: About("A high-value entry waits for your word", urgent=True),
    Event.TRADE_FAILED: About("An order was refused or failed", urgent=True),
    Event.TRADE_REFUSED: About("Our own checks refused an entry", on=False),
    Event.IN_DOUBT: About("An order's outcome is unknown", urgent=True),
    Event.STOPPED: About("Trading was stopped or restricted", urgent=True),
    Event.RESUMED: About("Trading was resumed", urgent=True),
    Event.ARMED: About("Live entries were armed", urgent=True),
    Event.DISARMED: About("Live entries are not armed any more"),
    Event.ATTENTION: About("Something needs you", urgent=True),
    Event.CONFIG: About("The trade configuration was changed", urgent=True),
    Event.PART_DOWN: About("A part or source of the bot is down", on=False),
    Event.ENGINE_GONE: About("The engine is gone; positions without protection", urgent=True),
    Event.DAILY: About("The summary of the day, with the head of the audit chain"),
}

DEFAULTS: tuple[str, ...] = tuple(event.value for event, about in CATALOGUE.items() if about.on)
