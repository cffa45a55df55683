"""What is thrown at the decoders: well-formed messages with hostile values, and bytes that were well-formed once."""

import json
from collections.abc import Callable
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from hypothesis import strategies as st

from mexc_proto import PushDataV3ApiWrapper
from tests.venue.samples import FIXTURES, FRAMES, MEXC

PUBLIC = "spot@public.aggre.bookTicker.v3.api.pb@10ms@ABCUSDT"
CHANNELS = (
    PUBLIC, "spot@public.aggre.deals.v3.api.pb@10ms@ABCUSDT", "spot@public.limit.depth.v3.api.pb@ABCUSDT@5",
    "spot@public.miniTickers.v3.api.pb@UTC+8", "spot@private.orders.v3.api.pb", "spot@private.deals.v3.api.pb",
    "spot@private.account.v3.api.pb",
)  # fmt: skip

HOSTILE = (
    "", " ", "0", "-0", "-1", "1e9", "1E-400", "NaN", "Infinity", "-inf", "١٢٣", "１．０", "1_000", "0x10", "+1", "1.",
    ".5", "1" * 400, "9" * 40, "0.000000000000000000000000001", "true", "null", "\x00", "A\x00B", "\u202eABC", "\ufeff",
    "<script>alert(1)</script>", "'; DROP TABLE orders; --", "{{7*7}}", "%s%n", "../../etc/passwd", "\U0001f4a3" * 8,
    "Ａ" * 64, "A" * 10_000, "msl0001aaaaaaaaaaaaaa00", "NEWUSDT", "USDT",
)  # fmt: skip
"""Numbers that are none, numbers in other alphabets, names that break pages, queries and terminals."""

text = st.sampled_from(HOSTILE) | st.text(max_size=24) | st.decimals(allow_nan=False, places=8).map(str)
_BOUNDS = {
    FieldDescriptor.TYPE_INT32: (-(2**31), 2**31 - 1),
    FieldDescriptor.TYPE_INT64: (-(2**63), 2**63 - 1),
    FieldDescriptor.TYPE_UINT32: (0, 2**32 - 1),
    FieldDescriptor.TYPE_UINT64: (0, 2**64 - 1),
}
_CORPUS = FIXTURES / "corpus"
FRAME_BYTES = [bytes.fromhex(entry["hex"]) for entry in FRAMES] + [
    path.read_bytes() for path in sorted((_CORPUS / "frames").iterdir())
]
JSON_BYTES = [path.read_bytes() for path in sorted((*_CORPUS.glob("json/*"), *MEXC.rglob("*.json")))]


@st.composite
def frames(draw: Callable[..., Any]) -> bytes:
    """A well-formed wrapper of any kind; every field it has may hold anything its type allows."""
    wrapper = PushDataV3ApiWrapper()
    _fill(draw, wrapper, depth=0)
    if draw(st.booleans()):
        wrapper.channel = draw(st.sampled_from(CHANNELS))
    if draw(st.booleans()):
        wrapper.symbol = draw(st.sampled_from(("NEWUSDT", "ABCUSDT")))
    return bytes(wrapper.SerializeToString())


def _fill(draw: Callable[..., Any], message: Message, *, depth: int) -> None:
    fields = message.DESCRIPTOR.fields
    inside = [field for field in fields if field.type == FieldDescriptor.TYPE_MESSAGE]
    for field in [field for field in fields if field.type != FieldDescriptor.TYPE_MESSAGE]:
        if draw(st.integers(0, 4)):
            _put(draw, message, field)
    if inside and depth < 3:
        field = draw(st.sampled_from(inside))  # the wrapper holds one body
        if field.is_repeated:
            for _ in range(draw(st.integers(0, 3))):
                _fill(draw, getattr(message, field.name).add(), depth=depth + 1)
        else:
            part = getattr(message, field.name)
            part.SetInParent()
            _fill(draw, part, depth=depth + 1)


def _put(draw: Callable[..., Any], message: Message, field: FieldDescriptor) -> None:
    if field.type in _BOUNDS:
        low, high = _BOUNDS[field.type]
        strategy: Any = st.integers(low, high) | st.sampled_from([0, 1, 2, 3, 4, 5, 1_795_000_000_000 % high])
    elif field.type == FieldDescriptor.TYPE_STRING:
        strategy = text.map(lambda value: value.encode("utf-8", "replace").decode())
    elif field.type == FieldDescriptor.TYPE_BOOL:
        strategy = st.booleans()
    else:
        raise TypeError(f"the protocol has a type that is not fuzzed yet: {field.name}")
    if field.is_repeated:
        getattr(message, field.name).extend(draw(st.lists(strategy, max_size=3)))
    else:
        setattr(message, field.name, draw(strategy))


@st.composite
def damaged(draw: Callable[..., Any], originals: st.SearchStrategy[bytes]) -> bytes:
    """Bytes with a few changed, left out, doubled or put in."""
    body = bytearray(draw(originals))
    for _ in range(draw(st.integers(1, 5))):
        if not body:
            break
        at = draw(st.integers(0, len(body) - 1))
        match draw(st.integers(0, 3)):
            case 0:
                body[at] = draw(st.integers(0, 255))
            case 1:
                del body[at : at + draw(st.integers(1, 20))]
            case 2:
                body[at:at] = body[at : at + draw(st.integers(1, 40))]
            case _:
                body[at:at] = draw(st.binary(max_size=8))
    return bytes(body)


_scalar = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | text
values = st.recursive(
    _scalar, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
)


@st.composite
def bodies(draw: Callable[..., Any]) -> bytes:
    """A sample of the venue's JSON in which some values were replaced."""
    sample = json.loads(draw(st.sampled_from(_SAMPLES)))
    for _ in range(draw(st.integers(1, 4))):
        sample = _replaced(draw, sample, depth=0)
    return json.dumps(sample).encode("utf-8", "surrogatepass")


def _replaced(draw: Callable[..., Any], value: Any, *, depth: int) -> Any:
    if depth < 4 and isinstance(value, dict) and value:
        key = draw(st.sampled_from(sorted(value)))
        if not draw(st.integers(0, 5)):
            return {name: item for name, item in value.items() if name != key}
        return {**value, key: _replaced(draw, value[key], depth=depth + 1)}
    if depth < 4 and isinstance(value, list) and value:
        at = draw(st.integers(0, len(value) - 1))
        return [*value[:at], _replaced(draw, value[at], depth=depth + 1), *value[at + 1 :]]
    return draw(values)


_ORDER = {
    "symbol": "NEWUSDT", "orderId": "C02__1", "clientOrderId": "msl0001aaaaaaaaaaaaaa00", "price": "1.5",
    "origQty": "10", "executedQty": "4", "cummulativeQuoteQty": "6", "status": "PARTIALLY_FILLED", "type": "LIMIT",
    "side": "BUY", "time": 1_795_000_000_000, "updateTime": 1_795_000_000_000, "isWorking": True,
}  # fmt: skip
_TRADE = {
    "symbol": "NEWUSDT", "id": "7", "orderId": "C02__1", "price": "1.5", "qty": "4", "quoteQty": "6",
    "commission": "0.003", "commissionAsset": "USDT", "time": 1_795_000_000_000, "isBuyer": True, "isMaker": False,
}  # fmt: skip
_ACCOUNT = {"canTrade": True, "balances": [{"asset": "USDT", "free": "10", "locked": "0"}], "permissions": ["SPOT"]}


def _readable() -> list[str]:
    found = []
    for body in JSON_BYTES:
        try:
            if len(body) < 8_000:
                found.append(json.dumps(json.loads(body)))
        except (ValueError, RecursionError):
            continue  # the corpus holds bodies that are no JSON
    return found


_SAMPLES = [
    json.dumps(one)
    for one in (
        _ORDER, [_ORDER, _ORDER], [_TRADE], _ACCOUNT, {"listenKey": "a1b2"}, {"uid": "7"},
        {"code": -2013, "msg": "Order does not exist."}, {"code": "429", "msg": None},
    )
] + _readable()  # fmt: skip
