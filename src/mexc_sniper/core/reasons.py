"""Every reason a listing ends with, as a closed list of codes with one sentence each.

The sentence is what the page shows under "why"; `docs/reasons.md` is generated from this file.
"""

from enum import StrEnum


class Reason(StrEnum):
    """Why a listing's outcome is what it is. Exactly one per outcome."""

    MONITOR_ONLY = "MONITOR_ONLY"
    RELIST = "RELIST"
    RETURNED = "RETURNED"
    SECOND_QUOTE = "SECOND_QUOTE"
    RENAMED = "RENAMED"
    LOOK_ALIKE = "LOOK_ALIKE"
    NEWNESS_UNPROVEN = "NEWNESS_UNPROVEN"
    DETECTED_LATE = "DETECTED_LATE"
    WITHDRAWN = "WITHDRAWN"
    NEVER_OPENED = "NEVER_OPENED"
    TEST_INJECTION = "TEST_INJECTION"
    QUOTE_NOT_CONFIGURED = "QUOTE_NOT_CONFIGURED"


SENTENCES: dict[Reason, str] = {
    Reason.MONITOR_ONLY: "Seen and recorded; automatic entries are not part of this version.",
    Reason.RELIST: "The pair traded before, so this is no first listing.",
    Reason.RETURNED: "The pair was known, went away and came back.",
    Reason.SECOND_QUOTE: "The coin already trades against another currency.",
    Reason.RENAMED: "The same contract was listed before under another name.",
    Reason.LOOK_ALIKE: "The name looks like a known one but is written with other characters.",
    Reason.NEWNESS_UNPROVEN: "No proof could be found that the coin is new.",
    Reason.DETECTED_LATE: "It opened while the bot was not watching.",
    Reason.WITHDRAWN: "The venue took the announcement back.",
    Reason.NEVER_OPENED: "The announced time passed and trading never began.",
    Reason.TEST_INJECTION: "Injected by the operator to test the path; not a real listing.",
    Reason.QUOTE_NOT_CONFIGURED: "Its quote currency is not among those configured.",
}
