"""Who did what, when, and what came of it: numbered rows, each chained to the one before by a hash.

Whoever changes, removes or inserts a row without writing all later ones anew is found by `first_broken`. Rewriting all
of them, or cutting the end off, is found by comparing with a head kept elsewhere (the daily notification, a backup).
"""

from collections.abc import Iterable
from hashlib import blake2b

import msgspec

from mexc_sniper.core.values import text_from_decimal
from mexc_sniper.ledger.codec import from_json, int64, to_json
from mexc_sniper.ledger.statements import Row
from mexc_sniper.model.entries import (
    CommandFinished,
    ConfigChanged,
    FillRecorded,
    LedgerEntry,
    OrderChanged,
    TradingChanged,
)
from mexc_sniper.model.order import OrderIntent
from mexc_sniper.model.trading import TradingStatus

ENGINE = "engine"
"""Who did it where no person did."""

NO_HASH = "0" * 64
"""What the first row is chained to."""


class AuditHead(msgspec.Struct, frozen=True):
    """The end of the chain; ``number`` 0 and `NO_HASH` while it is empty."""

    number: int = 0
    hash: str = NO_HASH


class AuditRow(msgspec.Struct, frozen=True, kw_only=True):
    """One line. ``config_version`` is the one in force, for an order the one it was decided under (0: none yet);
    ``digest`` is BLAKE2b of the JSON of the state row it tells of, as it was stored at that moment."""

    number: int
    ts_ns: int
    who: str
    what: str
    """A command's verb, or config, trading, order, fill."""
    ref: str
    """Id of the command, version, order."""
    result: str
    config_version: int
    detail: str = ""
    digest: str = ""


class StoredAuditRow(msgspec.Struct, frozen=True, kw_only=True):
    """An audit row as the database holds it."""

    number: int
    body: str
    hash: str

    @property
    def row(self) -> AuditRow:
        return from_json(self.body, AuditRow)


def chained(before: str, body: str) -> str:
    """Return the hash of a row: BLAKE2b-256 in hex of the hash before it and the bytes of its JSON."""
    return blake2b(bytes.fromhex(before) + body.encode(), digest_size=32).hexdigest()


def first_broken(rows: Iterable[StoredAuditRow], known: AuditHead | None = None) -> int | None:
    """Return the number of the first row that is missing or not what was written, None if all are.

    Args:
        rows: every row, in order.
        known: a head noted earlier; it must still be in the chain.
    """
    last = AuditHead()
    for stored in rows:
        number = last.number + 1
        if stored.number != number or stored.hash != chained(last.hash, stored.body) or _told(stored) != number:
            return number
        if known is not None and known.number == number and known.hash != stored.hash:
            return number
        last = AuditHead(number, stored.hash)
    if known is not None and known.number > last.number:
        return last.number + 1
    return None


def _told(stored: StoredAuditRow) -> int | None:
    try:
        return stored.row.number
    except msgspec.MsgspecError:
        return None


class AuditChain:
    """Makes the next row; used by the writer's thread alone, which is what makes the chain one."""

    def __init__(self, head: AuditHead | None = None, config_version: int = 0) -> None:
        self.head = head or AuditHead()
        self._config_version = config_version

    def row(self, entry: LedgerEntry, ts_ns: int, state: str) -> Row | None:
        """Return the columns of the row that tells of ``entry``, None where it is not audited.

        Args:
            entry: what happened; its texts can be written as JSON (`codec.storable`).
            ts_ns: wall time.
            state: the JSON of its state row.
        """
        if isinstance(entry, ConfigChanged):
            self._config_version = entry.version.version
        told = self._tell(entry)
        if told is None:
            return None
        number = self.head.number + 1
        digest = blake2b(state.encode(), digest_size=16).hexdigest()
        body = to_json(msgspec.structs.replace(told, number=number, ts_ns=ts_ns, digest=digest))
        self.head = AuditHead(number, chained(self.head.hash, body))
        return {"number": number, "ts_ns": int64(ts_ns), "body": body, "hash": self.head.hash}

    def _tell(self, entry: LedgerEntry) -> AuditRow | None:
        match entry:
            case CommandFinished(result=result):
                return self._line(result.actor, result.verb, result.id, result.code or result.status, result.message)
            case ConfigChanged(version=version):
                return self._line(version.actor, "config", str(version.version), "done")
            case TradingChanged(status=status):
                return self._line(status.actor or ENGINE, "trading", "", status.state, _trading(status))
            case OrderChanged(order=order):
                intent = order.intent
                line = self._line(ENGINE, "order", intent.client_order_id, order.status, _order(intent))
                return msgspec.structs.replace(line, config_version=intent.config_version)
            case FillRecorded(fill=fill):
                detail = (
                    f"{fill.account} {fill.side} {text_from_decimal(fill.quantity)} {fill.symbol} "
                    f"at {text_from_decimal(fill.price)} ({fill.evidence})"
                )
                return self._line(ENGINE, "fill", fill.client_order_id, fill.trade_id, detail)
            case _:
                return None

    def _line(self, who: str, what: str, ref: str, result: str, detail: str = "") -> AuditRow:
        return AuditRow(
            number=0,
            ts_ns=0,
            who=who,
            what=str(what),
            ref=ref,
            result=str(result),
            config_version=self._config_version,
            detail=detail,
        )


def _trading(status: TradingStatus) -> str:
    words = [status.reason]
    if status.latched:
        words.append("latched")
    if status.armed_until_ns is not None:
        words.append(f"armed by {status.armed_by}")
    return "; ".join(word for word in words if word)


def _order(intent: OrderIntent) -> str:
    amount = intent.quantity if intent.quantity is not None else intent.quote_quantity
    asset = intent.base if intent.quantity is not None else intent.quote
    words = [
        f"{intent.account} {intent.side} {intent.symbol} {intent.type}",
        "" if amount is None else f"{text_from_decimal(amount)} {asset}",
        "" if intent.price is None else f"at {text_from_decimal(intent.price)}",
        f"as {intent.role}",
        "" if intent.command_id is None else f"for {intent.command_id}",
    ]
    return " ".join(word for word in words if word)
