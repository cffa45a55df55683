"""Whether notifications arrive, as far as the inbox can prove it; read by the go-live checklist."""

import msgspec
from sqlalchemy import Connection, inspect, text

from mexc_sniper.ledger.codec import from_json


class ChannelProof(msgspec.Struct, frozen=True, kw_only=True):
    """What shows that a notification channel works. ``failing``: its last message did not arrive."""

    kind: str
    tested: bool
    """A test message has arrived."""
    failing: bool


_WATCHMAN = "heartbeat"
"""The row of the outside heartbeat is no channel: nobody reads it."""


class _TestAnswer(msgspec.Struct):
    ok: bool = False


class _ChannelState(msgspec.Struct):
    failing_since_ns: int | None = None


def channel_proofs(db: Connection) -> list[ChannelProof] | None:
    """Tell how every channel with an address has done, by id; None where the schema has no channels."""
    if not inspect(db).has_table("notification_channels"):
        return None
    rows = db.execute(
        text(
            "SELECT kind, state, test_answer FROM notification_channels WHERE present AND kind <> :watchman ORDER BY id"
        ),
        {"watchman": _WATCHMAN},
    ).all()
    return [
        ChannelProof(
            kind=row.kind,
            tested=row.test_answer is not None and from_json(row.test_answer, _TestAnswer).ok,
            failing=from_json(row.state, _ChannelState).failing_since_ns is not None,
        )
        for row in rows
    ]
