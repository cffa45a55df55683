"""Notification channels: what the operator chose for each, how each does, and how far it has read the events.

The notifier and the web process both write here, each its own columns, in transactions of one statement. Addresses
are not here: they are secrets of the notifier alone.
"""

from collections.abc import Mapping
from typing import Any

import msgspec
from sqlalchemy import insert, select, update
from sqlalchemy.engine import Row

from mexc_sniper.ledger.codec import column_text, from_json, to_json
from mexc_sniper.ledger.inbox_file import InboxTables, upserted
from mexc_sniper.ledger.tables import cursors, notification_channels

_BEAT = "notifier"


class QuietHours(msgspec.Struct, frozen=True, kw_only=True):
    """From ``start`` to ``end``, each ``HH:MM`` in an IANA zone; over midnight where the end is the earlier one."""

    start: str
    end: str
    zone: str = "UTC"


class Choices(msgspec.Struct, frozen=True, kw_only=True):
    """What the operator wants of a channel; ``events`` None: those that are on by default."""

    enabled: bool = True
    events: tuple[str, ...] | None = None
    quiet: QuietHours | None = None


class ChannelState(msgspec.Struct, frozen=True, kw_only=True):
    """How a channel does; times are wall, UNIX ns. ``failing_since_ns`` None: the last attempt arrived."""

    last_sent_ns: int | None = None
    failing_since_ns: int | None = None
    last_error: str = ""


class TestAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a test message; ``asked`` is the word it was asked for with."""

    __test__ = False  # not for pytest

    asked: str
    ok: bool
    detail: str


class Channel(msgspec.Struct, frozen=True, kw_only=True):
    """One channel. ``present``: its address is in the settings of the notifier that started last."""

    id: str
    kind: str
    present: bool
    revision: int
    """Counts the operator's changes."""
    choices: Choices
    state: ChannelState
    test_asked: str | None
    test_answer: TestAnswer | None


class ChannelStore(InboxTables):
    """The channels of the inbox. Raises `StoreError` or `ConfigError` when it cannot be read or written."""

    def channels(self) -> list[Channel]:
        """Return every channel that has an address, by id."""
        asked = select(notification_channels).where(notification_channels.c.present)
        with self._file.read() as db:
            return [_channel(row) for row in db.execute(asked.order_by(notification_channels.c.id))]

    def channel(self, channel_id: str) -> Channel | None:
        """Return one channel, None where there is none with an address."""
        return next((channel for channel in self.channels() if channel.id == channel_id), None)

    def register(self, kinds: Mapping[str, str]) -> None:
        """Say which channels have an address now, id → kind; choices of others are kept for their return."""
        table = notification_channels
        with self._file.write() as db:
            known = set(db.execute(select(table.c.id)).scalars())
            db.execute(update(table).values(present=False))
            for name, kind in kinds.items():
                if name in known:
                    db.execute(update(table).where(table.c.id == name).values(kind=kind, present=True))
                else:
                    db.execute(
                        insert(table).values(
                            id=name,
                            kind=kind,
                            present=True,
                            revision=1,
                            choices=to_json(Choices()),
                            state=to_json(ChannelState()),
                        )
                    )

    def choose(self, channel_id: str, choices: Choices, revision: int) -> bool:
        """Write the operator's choices; False, and nothing written, when ``revision`` is not the newest."""
        table = notification_channels
        changed = (
            update(table)
            .where(table.c.id == column_text(channel_id), table.c.revision == revision)
            .values(choices=to_json(choices), revision=revision + 1)
        )
        with self._file.write() as db:
            return db.execute(changed).rowcount == 1

    def note(self, channel_id: str, state: ChannelState) -> None:
        """Write how a channel does."""
        self._set(channel_id, {"state": to_json(state)})

    def ask_test(self, channel_id: str, word: str) -> None:
        """Ask the notifier for a test message."""
        self._set(channel_id, {"test_asked": word})

    def answer_test(self, channel_id: str, answer: TestAnswer) -> None:
        """Say what came of it."""
        self._set(channel_id, {"test_answer": to_json(answer)})

    def cursor(self, name: str) -> int | None:
        """Return the number kept under ``name``, None at first."""
        with self._file.read() as db:
            number = db.execute(select(cursors.c.seq).where(cursors.c.name == column_text(name))).scalar()
            return None if number is None else int(number)

    def set_cursor(self, name: str, number: int) -> None:
        """Keep a number, such as that of the last event a channel was told."""
        row = {"name": column_text(name), "seq": number}
        with self._file.write() as db:
            db.execute(upserted(cursors, row, sqlite=self._location.is_sqlite))

    def beat(self, now_ns: int) -> None:
        """Note that the notifier runs."""
        self.set_cursor(_BEAT, now_ns)

    def last_beat_ns(self) -> int | None:
        """Return when the notifier was last seen running, wall time."""
        return self.cursor(_BEAT)

    def _set(self, channel_id: str, values: dict[str, Any]) -> None:
        table = notification_channels
        with self._file.write() as db:
            db.execute(update(table).where(table.c.id == column_text(channel_id)).values(values))


def _channel(row: Row[*tuple[Any, ...]]) -> Channel:
    return Channel(
        id=row.id,
        kind=row.kind,
        present=row.present,
        revision=row.revision,
        choices=from_json(row.choices, Choices),
        state=from_json(row.state, ChannelState),
        test_asked=row.test_asked,
        test_answer=None if row.test_answer is None else from_json(row.test_answer, TestAnswer),
    )
