"""What can be known of an API key before it is trusted with live orders (RELIABILITY 4.2).

No documented call returns a key's own rights, so they are tried: a test order that reaches no market, and reads
that a trading key must *not* be able to make. Nothing here writes anything.
"""

import asyncio
from enum import StrEnum

import msgspec

from mexc_sniper.core.clock import NS_PER_MS
from mexc_sniper.core.errors import AuthFailed, ClockSkew, RateLimited, Refused, VenueError
from mexc_sniper.core.values import Symbol
from mexc_sniper.model.account import Account, Balance
from mexc_sniper.ports import Clock, Offload
from mexc_sniper.venues.mexc.budget import RIGHTS_SHARE, WeightBudget
from mexc_sniper.venues.mexc.parse.account import account_of, uid_of
from mexc_sniper.venues.mexc.parse.names import server_time
from mexc_sniper.venues.mexc.parse.text import Code, accept, decode
from mexc_sniper.venues.mexc.rest import RestClient
from mexc_sniper.venues.mexc.signing import Credentials
from mexc_sniper.venues.mexc.time_sync import OffsetEstimate
from mexc_sniper.venues.mexc.urls import Endpoint, Host

TEST_SYMBOL = Symbol("MXUSDT")
_CLOCK_PROBES = 3
_DEADLINE_S = 45.0
_PATIENCE_S = 15.0
_LACKS_RIGHT = 700007


class Answer(StrEnum):
    """YES and NO are proven; UNKNOWN is neither and must be treated as the worse of the two."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


class KeyFault(StrEnum):
    """Why a key is refused altogether."""

    INVALID = "invalid"
    SIGNATURE_OR_EXPIRED = "signature_or_expired"
    ADDRESS = "address"
    CLOCK = "clock"
    BARRED = "barred"
    UNREACHABLE = "unreachable"


MENDS: dict[KeyFault, str] = {
    KeyFault.INVALID: "The venue does not know the key: copy MEXC_SNIPER_VENUE__API_KEY again, or make a new one.",
    KeyFault.SIGNATURE_OR_EXPIRED: (
        "The signature is refused: the secret belongs to another key, or the key has expired (a key without a bound "
        "address lives 90 days). Copy MEXC_SNIPER_VENUE__API_SECRET again, or make a new key."
    ),
    KeyFault.ADDRESS: "The key is bound to other addresses: add this machine's at the venue, or leave the VPN.",
    KeyFault.CLOCK: "The venue refuses our timestamps: set this machine's clock by NTP.",
    KeyFault.BARRED: "The venue bars the key or the account: ask its support.",
    KeyFault.UNREACHABLE: "The venue could not be asked: try again when it is reachable.",
}

_BY_CODE: dict[int, KeyFault] = {
    400: KeyFault.INVALID,  # "api key required"
    700001: KeyFault.INVALID,
    10001: KeyFault.INVALID,
    10015: KeyFault.INVALID,
    10072: KeyFault.INVALID,
    602: KeyFault.SIGNATURE_OR_EXPIRED,
    700002: KeyFault.SIGNATURE_OR_EXPIRED,
    700006: KeyFault.ADDRESS,
    10098: KeyFault.BARRED,
    60005: KeyFault.BARRED,
}


class KeyReport(msgspec.Struct, frozen=True, kw_only=True):
    """What was found. ``uid`` is the account's fingerprint, to be pinned at the first arm (RELIABILITY 2.6, 95)."""

    fault: KeyFault | None = None
    fault_text: str = ""
    uid: str | None = None
    account_can_trade: Answer = Answer.UNKNOWN
    """The account's flag, not the key's right."""
    may_read: Answer = Answer.UNKNOWN
    may_trade: Answer = Answer.UNKNOWN
    reads_withdrawals: Answer = Answer.UNKNOWN
    reads_transfers: Answer = Answer.UNKNOWN
    balances: tuple[Balance, ...] = ()
    clock_offset_ns: int = 0
    notes: tuple[str, ...] = ()

    @property
    def against_arming(self) -> tuple[str, ...]:
        """Every reason not to arm; empty: the key is fit. Absence of withdraw-read proves no absence of
        withdraw-write: only a small sub-account protects (RELIABILITY 4.2)."""
        if self.fault is not None:
            return (f"{MENDS[self.fault]} ({self.fault_text})",)
        reasons = []
        if self.may_read is not Answer.YES:
            reasons.append("The key cannot read the account: give it SPOT_ACCOUNT_READ and SPOT_DEAL_READ.")
        if self.may_trade is not Answer.YES:
            reasons.append("The key's right to trade is not proven: give it SPOT_DEAL_WRITE.")
        if self.account_can_trade is Answer.NO:
            reasons.append("The venue says that the account may not trade.")
        if self.reads_withdrawals is Answer.YES:
            reasons.append("The key can read withdrawals, so it has withdrawal rights: make one without them.")
        elif self.reads_withdrawals is Answer.UNKNOWN:
            reasons.append("It could not be proven that the key has no withdrawal rights: check again.")
        return tuple(reasons)

    @property
    def condemned(self) -> bool:
        """Whether something is proven against the key; otherwise `against_arming` only tells what is not known yet."""
        if self.fault is not None:
            return self.fault is not KeyFault.UNREACHABLE
        denied = (self.may_read, self.may_trade, self.account_can_trade)
        return Answer.NO in denied or self.reads_withdrawals is Answer.YES

    @property
    def warnings(self) -> tuple[str, ...]:
        """What deserves a look but stops nothing."""
        told = list(self.notes)
        if self.reads_transfers is Answer.YES:
            told.append("The key can read transfers; a trading bot does not need that.")
        return tuple(told)


async def check_key(
    *,
    rest_url: str,
    credentials: Credentials,
    clock: Clock,
    offload: Offload,
    symbol: Symbol = TEST_SYMBOL,
    budget: WeightBudget | None = None,
) -> KeyReport:
    """Try a key against the venue; never raises for what the venue does.

    Args:
        rest_url, credentials, clock, offload: whom to ask, as whom, and with what.
        symbol: what the test order is for.
        budget: shared with everything that speaks to the venue from our address; None makes an own one.
    """
    estimate = OffsetEstimate()
    rest = RestClient(
        {Host.API: rest_url},
        clock,
        offload,
        budget or WeightBudget(clock),
        venue_offset_ns=lambda: estimate.offset_ns,
        credentials=credentials,
        most=RIGHTS_SHARE,
    )
    try:
        async with asyncio.timeout(_DEADLINE_S), rest:
            await _learn_time(rest, estimate)
            try:
                report = await _try(rest, symbol)
            except RateLimited as busy:
                # Whoever read the account just before us used up what its second allows (REFERENCE 1.3).
                if busy.retry_after_s is None or busy.retry_after_s > _PATIENCE_S:
                    raise
                await clock.sleep(busy.retry_after_s)
                report = await _try(rest, symbol)
            return msgspec.structs.replace(report, clock_offset_ns=estimate.offset_ns)
    except VenueError as error:
        return _faulty(error, estimate.offset_ns)
    except TimeoutError:
        return KeyReport(fault=KeyFault.UNREACHABLE, fault_text=f"not done within {_DEADLINE_S:g} s")


async def _try(rest: RestClient, symbol: Symbol) -> KeyReport:
    """Raise what condemns the key as a whole; what it may and may not do goes into the report."""
    notes: list[str] = []
    uid: str | None = None
    try:
        uid = uid_of((await rest.get(Endpoint.UID)).body)
    except Refused as error:
        _raise_if_condemned(error)
        notes.append(f"The account's number could not be read ({error}).")
    may_read, account_can_trade = Answer.NO, Answer.UNKNOWN
    balances: tuple[Balance, ...] = ()
    try:
        account = account_of((await rest.get(Endpoint.ACCOUNT)).body, Account.LIVE)
    except AuthFailed as error:
        _raise_if_condemned(error)
    else:
        may_read, balances = Answer.YES, account.balances
        account_can_trade = Answer.YES if account.can_trade else Answer.NO
    return KeyReport(
        uid=uid,
        may_read=may_read,
        account_can_trade=account_can_trade,
        balances=balances,
        may_trade=await _may_trade(rest, symbol, notes),
        reads_withdrawals=await _reads_withdrawals(rest),
        reads_transfers=await _reads(rest, Endpoint.TRANSFERS, {"fromAccountType": "SPOT", "toAccountType": "FUTURES"}),
        notes=tuple(notes),
    )


async def _may_trade(rest: RestClient, symbol: Symbol, notes: list[str]) -> Answer:
    """Send a test order, which is checked and reaches no market."""
    order = {"symbol": str(symbol), "side": "BUY", "type": "LIMIT", "quantity": "10", "price": "1"}
    try:
        answer = await rest.call("POST", Endpoint.ORDER_TEST, order)
        _accept(answer.body)
    except AuthFailed as error:
        _raise_if_condemned(error)
        return Answer.NO
    except ClockSkew:
        raise
    except Refused as error:
        # The order was judged, not the key; which of the two is checked first is undocumented, so nothing is proven.
        notes.append(f"The test order was refused for another reason ({error}).")
        return Answer.UNKNOWN
    return Answer.YES


async def _reads_withdrawals(rest: RestClient) -> Answer:
    """Ask for withdrawals and withdrawal addresses: one success is proof of a right it must not have."""
    history = await _reads(rest, Endpoint.WITHDRAW_HISTORY, {})
    if history is Answer.YES:
        return history
    addresses = await _reads(rest, Endpoint.WITHDRAW_ADDRESS, {})
    return Answer.YES if addresses is Answer.YES else history


async def _reads(rest: RestClient, endpoint: Endpoint, question: dict[str, str]) -> Answer:
    try:
        answer = await rest.get(endpoint, question)
        _accept(answer.body)
    except AuthFailed as error:
        return Answer.NO if error.code == _LACKS_RIGHT else Answer.UNKNOWN
    except VenueError:
        return Answer.UNKNOWN
    return Answer.YES


async def _learn_time(rest: RestClient, estimate: OffsetEstimate) -> None:
    for _ in range(_CLOCK_PROBES):
        answer = await rest.get(Endpoint.TIME)
        estimate.add(
            server_time(answer.body),
            sent_mono_ns=answer.sent_mono_ns,
            received_mono_ns=answer.mono_ns,
            received_wall_ns=answer.wall_ns,
        )


def _accept(body: bytes) -> None:
    """Raise what an error body in a 200 answer means; lists and other objects are success."""
    if body.lstrip()[:1] == b"{":
        read = decode(_error, body, "answer")
        accept(read.code, read.msg)


def _raise_if_condemned(error: VenueError) -> None:
    if error.code in _BY_CODE:
        raise error


def _faulty(error: VenueError, offset_ns: int) -> KeyReport:
    if isinstance(error, ClockSkew):
        fault = KeyFault.CLOCK
        text = f"{error}; our clock is {-offset_ns // NS_PER_MS} ms ahead"
    else:
        fault = _BY_CODE.get(
            error.code or 0, KeyFault.BARRED if isinstance(error, AuthFailed) else KeyFault.UNREACHABLE
        )
        text = str(error)
    return KeyReport(fault=fault, fault_text=text, clock_offset_ns=offset_ns)


class _Error(msgspec.Struct):
    code: Code = None
    msg: str | None = None


_error = msgspec.json.Decoder(_Error)
