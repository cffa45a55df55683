"""Text frames of the WebSocket (REFERENCE 2.1, 2.2): answers to subscriptions, and PONG."""

import re
from dataclasses import dataclass

import msgspec

from mexc_sniper.venues.mexc.parse.text import Code, Number, decode

PONG = "PONG"
_REFUSED = re.compile(r"^Not Subscribed", re.IGNORECASE)
_BRACKETED = re.compile(r"\[([^\]]*)\]")


class _Message(msgspec.Struct):
    id: Number = None
    code: Code = None
    msg: str | None = None


_message = msgspec.json.Decoder(_Message)


@dataclass(frozen=True)
class ControlAnswer:
    """One answer: channel names accepted and refused, or a PONG.

    Code 0 with a text that begins "Not Subscribed" is a refusal; a request counts as accepted only where its
    channel stands in ``accepted`` (REFERENCE 2.2).
    """

    request_id: int
    accepted: frozenset[str] = frozenset()
    refused: frozenset[str] = frozenset()
    pong: bool = False
    text: str = ""


def control_answer(payload: bytes) -> ControlAnswer:
    """Read one text frame.

    Raises:
        ProtocolError: no JSON object, as a firewall's page would be.
    """
    message = decode(_message, payload, "control frame")
    text = message.msg or ""
    request_id = message.id if isinstance(message.id, int) else 0
    if text.upper() == PONG:
        return ControlAnswer(request_id, pong=True)
    if _REFUSED.match(text):
        names = {name.strip() for part in _BRACKETED.findall(text) for name in part.split(",")}
        return ControlAnswer(request_id, refused=frozenset(names - {""}), text=text[:300])
    names = {name.strip() for name in text.split(",")} - {""}
    if message.code not in (0, "0", None):
        return ControlAnswer(request_id, refused=frozenset(names), text=text[:300])
    return ControlAnswer(request_id, accepted=frozenset(names), text=text[:300])
