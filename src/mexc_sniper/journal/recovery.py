"""What a start finds in the journal: every intent that may have become an order, and how far it can be trusted."""

from collections.abc import Container, Iterable, Iterator

import msgspec

from mexc_sniper.core.ids import ClientOrderId, IntentId
from mexc_sniper.journal.grants import Grant, GrantLimits, Totals, draw_of
from mexc_sniper.journal.record import RECORD_SIZE, BadRecord, Flag, Kind, Record, decode, decode_intent
from mexc_sniper.model.order import OrderIntent

SUSPECTS_KEPT = 6
"""Lives listed one by one; older ones are summed up in the oldest."""


class Suspect(msgspec.Struct, frozen=True, kw_only=True):
    """A life that did not end cleanly: up to this much may have been sent and be in no record.

    It counts as spent until the venue has been swept (orders by client-id prefix and epoch, open orders, balances).
    """

    epoch: int
    rest: Totals


class Damage(msgspec.Struct, frozen=True, kw_only=True):
    """A place in a file that holds no record although it should."""

    file: str
    offset: int
    why: str
    tail: bool
    """Nothing follows: what a power cut leaves behind. Otherwise the disk or somebody changed it."""


class JournaledIntent(msgspec.Struct, frozen=True, kw_only=True):
    """An intent with what the journal knows of it."""

    intent: OrderIntent
    epoch: int
    written_ns: int
    durable: bool
    """Prepared ahead; it may never have been meant to leave."""
    left: bool
    """It was written right before its bytes left, or was marked as sent; False proves nothing."""
    settled: bool


class Started(msgspec.Struct, frozen=True, kw_only=True):
    """The payload of a START record."""

    slots: int
    boot: str = ""
    """Which run of the machine's kernel it began in; empty: unknown."""
    suspect: tuple[Suspect, ...] = ()
    damaged: int = 0
    """Bad places found at an earlier start and not answered by a sweep yet."""


class Recovered(msgspec.Struct, frozen=True, kw_only=True):
    """What the journal held when it was opened."""

    epoch: int = 0
    """The last life's number; 0 on a first start."""
    clean: bool = True
    """The last life closed the journal and nothing in it is damaged."""
    intents: tuple[JournaledIntent, ...] = ()
    """In the order of writing: those not settled, and settled ones that are still in the file."""
    suspect: tuple[Suspect, ...] = ()
    damage: tuple[Damage, ...] = ()
    damaged_before: int = 0
    """Bad places an earlier start found, if no sweep has answered them since."""
    last_seq: int = 0
    marks_whole: bool = False
    """Every mark that was made is there: only the last life's process ended, not the machine."""

    def missing_from(self, known: Container[ClientOrderId]) -> tuple[OrderIntent, ...]:
        """Return the intents of which ``known`` (the ledger's orders) tells nothing: each must be reconciled.

        A prepared one is marked as leaving right before it leaves. Where the machine went down the last mark may be
        lost, so that of attempts prepared together the first without a mark may have left too; no further one, for it
        waits for an answer, and the mark is on the disk by then.
        """
        missing: list[OrderIntent] = []
        next_attempt: dict[IntentId, int] = {}
        for found in self.intents:
            if found.left:
                attempt = next_attempt.get(found.intent.id, 0)
                next_attempt[found.intent.id] = max(attempt, found.intent.attempt + 1)
        for found in self.intents:
            intent = found.intent
            unmarked = not self.marks_whole and not found.settled and intent.attempt == next_attempt.get(intent.id, 0)
            if intent.client_order_id not in known and (found.left or unmarked):
                missing.append(intent)
        return tuple(missing)

    @property
    def rest(self) -> Totals:
        """Everything suspect in one sum."""
        total = Totals()
        for suspect in self.suspect:
            total = total.plus(suspect.rest)
        return total


def recover(files: Iterable[tuple[str, bytes]], limits: GrantLimits | None, *, boot: str = "") -> Recovered:
    """Read journal files, oldest first.

    Args:
        files: names and contents.
        limits: those of now; where damage hides how much had been granted, a whole grant is suspect.
        boot: the run of the machine's kernel that reads them. What was stored in the same run is all there, fsynced or
            not, so that a life which only its process ended in leaves nothing suspect. Empty: unknown.
    """
    reading = _Reading(limits, boot)
    for name, content in files:
        reading.file(name, content)
    return reading.result()


def after_lost_life(found: Recovered, epoch: int, limits: GrantLimits | None) -> Recovered:
    """Add what follows when a life numbered ``epoch`` is known of elsewhere: if the files know nothing of it they were
    deleted or lost, and all it was granted is suspect."""
    if epoch <= found.epoch:
        return found
    suspect = () if limits is None else (Suspect(epoch=epoch, rest=_whole(limits)),)
    return msgspec.structs.replace(found, epoch=epoch, clean=False, suspect=_summed([*found.suspect, *suspect]))


def _whole(limits: GrantLimits) -> Totals:
    return Totals(entries=limits.entries, exits=limits.exits, notional=limits.notional)


class _Reading:
    def __init__(self, limits: GrantLimits | None, boot: str) -> None:
        self._limits = limits
        self._boot_now = boot
        self._boot = ""
        self._epoch = 0
        self._closed = True
        self._seq = 0
        self._granted = Totals()
        self._drawn = Totals()
        self._suspect: list[Suspect] = []
        self._damage: list[Damage] = []
        self._damaged_before = 0
        self._hidden = False
        self._intents: dict[ClientOrderId, JournaledIntent] = {}

    def file(self, name: str, content: bytes) -> None:
        bad: list[Damage] = []
        slots = last_good = 0
        for offset, record in _records(name, content, bad):
            if record.kind is Kind.START:
                slots = self._start(record)
            else:
                self._one(record)
            self._epoch = max(self._epoch, record.epoch)
            self._seq = max(self._seq, record.seq)
            last_good = offset
        # A record after a bad place proves that the place is no torn end.
        bad = [msgspec.structs.replace(place, tail=place.offset > last_good) for place in bad]
        if len(content) < slots * RECORD_SIZE:
            bad.append(Damage(file=name, offset=len(content), why="the file was cut off here", tail=True))
            self._hidden = True
        elif slots == 0 and content.strip(b"\x00"):
            bad.append(Damage(file=name, offset=0, why="no record tells which life it belongs to", tail=False))
        self._hidden = self._hidden or any(not place.tail for place in bad)
        self._damage.extend(bad)

    def _start(self, record: Record) -> int:
        started = msgspec.msgpack.decode(record.payload, type=Started)
        if not record.flags & Flag.CONTINUED:  # else the same life goes on in its next file; its grant follows
            self._end_life()
            self._hidden = False
            self._granted = self._drawn = Totals()
        self._closed = False
        self._boot = started.boot
        self._suspect = list(started.suspect)  # made of everything before, which may be deleted
        self._damaged_before = started.damaged
        return started.slots

    def _one(self, record: Record) -> None:
        self._closed = record.kind is Kind.CLOSED
        match record.kind:
            case Kind.INTENT:
                self._intent(record)
            case Kind.SENT | Kind.SETTLED:
                self._mark(record)
            case Kind.GRANT:
                grant = msgspec.msgpack.decode(record.payload, type=Grant)
                self._granted, self._drawn = grant.granted, grant.drawn
            case Kind.SWEPT:
                self._suspect.clear()
                self._damaged_before = 0
            case _:
                pass

    def _intent(self, record: Record) -> None:
        intent = decode_intent(record.payload)
        durable = bool(record.flags & Flag.DURABLE)
        carried = bool(record.flags & Flag.CARRIED)
        known = self._intents.get(intent.client_order_id)
        left = bool(record.flags & Flag.LEFT) or not (durable or carried) or (known is not None and known.left)
        self._intents[intent.client_order_id] = JournaledIntent(
            intent=intent,
            epoch=record.epoch,
            written_ns=record.wall_ns,
            durable=durable,
            left=left,
            settled=known is not None and known.settled,
        )
        draw = None if durable or carried else draw_of(intent)
        if draw is not None:
            self._drawn = self._drawn.plus(draw)

    def _mark(self, record: Record) -> None:
        client_order_id = ClientOrderId(record.payload.decode())
        known = self._intents.get(client_order_id)
        if known is None:
            return
        self._intents[client_order_id] = (
            msgspec.structs.replace(known, left=True)
            if record.kind is Kind.SENT
            else msgspec.structs.replace(known, settled=True)
        )

    def _end_life(self) -> None:
        """The life read so far is over; without a CLOSED record its unused rest is suspect."""
        if self._closed and not self._hidden:
            return
        if self._boot and self._boot == self._boot_now and not self._hidden:
            return
        rest = self._granted.less(self._drawn)
        if self._hidden and self._limits is not None:
            rest = rest.at_least(_whole(self._limits))
        if not rest.nothing:
            self._suspect.append(Suspect(epoch=self._epoch, rest=rest))

    def result(self) -> Recovered:
        clean = self._closed and not self._damage
        same_boot = bool(self._boot) and self._boot == self._boot_now and not self._hidden and not self._damage
        self._end_life()
        return Recovered(
            epoch=self._epoch,
            clean=clean,
            intents=tuple(self._intents.values()),
            suspect=_summed(self._suspect),
            damage=tuple(self._damage),
            damaged_before=self._damaged_before,
            last_seq=self._seq,
            marks_whole=clean or same_boot,
        )


def _records(name: str, content: bytes, bad: list[Damage]) -> Iterator[tuple[int, Record]]:
    """Yield every good record with its offset; bad places go to ``bad``, as tails until something follows."""
    for offset in range(0, len(content), RECORD_SIZE):
        data = content[offset : offset + RECORD_SIZE]
        if not data.strip(b"\x00"):
            continue
        try:
            record = decode(data)
            _check_payload(record)
        except BadRecord as fault:
            bad.append(Damage(file=name, offset=offset, why=str(fault), tail=True))
            continue
        yield offset, record


def _check_payload(record: Record) -> None:
    """Refuse a record whose checksum is right and whose payload another version wrote."""
    try:
        if record.kind is Kind.INTENT:
            decode_intent(record.payload)
        elif record.kind is Kind.START:
            msgspec.msgpack.decode(record.payload, type=Started)
        elif record.kind is Kind.GRANT:
            msgspec.msgpack.decode(record.payload, type=Grant)
        else:
            record.payload.decode()
    except (msgspec.MsgspecError, UnicodeDecodeError) as fault:
        raise BadRecord(f"written by another version ({fault})") from fault


def _summed(suspect: list[Suspect]) -> tuple[Suspect, ...]:
    while len(suspect) > SUSPECTS_KEPT:
        first, second, *others = suspect
        suspect = [Suspect(epoch=second.epoch, rest=first.rest.plus(second.rest)), *others]
    return tuple(suspect)
