"""Makes text of the venue harmless in every messenger: as a mention, a link, markup or a control character."""

import re

LONGEST = 80
_BREAK = "\u200b"
"""Zero width: it is not seen, and what it stands in is no mention, tag or address any more."""

_UNSEEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e0fff\ud800-\udfff]"
)
_TRIGGER = re.compile(r"[@<#&\[\]()*_~`|\\!]|(?<=\S)[.:/](?=\S)")


def harmless(text: object) -> str:
    """Return foreign text that no messenger acts on: no `@everyone`, no `<!channel>`, no link, no markup.

    Unseen and direction-changing characters are written as ``\\uXXXX``; what is longer than `LONGEST` is cut. The
    channel's library escapes its own markup besides; this holds where it does not.
    """
    shown = str(text)
    cut = len(shown) > LONGEST
    shown = _UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", shown[:LONGEST])
    return _TRIGGER.sub(lambda found: found[0] + _BREAK, shown) + ("…" if cut else "")
