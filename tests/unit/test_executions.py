"""One execution told twice under two names is counted once; two that look alike are counted twice."""

from hypothesis import given
from hypothesis import strategies as st

from mexc_sniper.model.order import Fill, ReportSource
from mexc_sniper.policy.executions import Executions
from tests.builders import filled
from tests.journal.builders import an_intent

STREAM, QUERY = ReportSource.STREAM, ReportSource.QUERY
INTENT = an_intent(1)


def a_fill(name: str, price: str = "1", quantity: str = "9") -> Fill:
    return filled(1, INTENT, price=price, quantity=quantity, trade_id=name).fills[0]


def tell(known: Executions, source: ReportSource, *fills: Fill) -> list[str]:
    """The names of those that are counted now."""
    fresh = known.unknown(source, fills)
    for fill in fresh:
        known.count(fill, source)
    return [fill.trade_id for fill in fresh]


def test_execution_that_both_sources_tell_under_other_names_is_counted_once():
    known = Executions()
    assert tell(known, STREAM, a_fill("s1")) == ["s1"]
    assert tell(known, QUERY, a_fill("q1"), a_fill("q2", price="2")) == ["q2"]
    assert tell(known, STREAM, a_fill("s2", price="2")) == []


def test_two_executions_alike_are_counted_twice_whoever_tells_first():
    known = Executions()
    assert tell(known, STREAM, a_fill("s1")) == ["s1"]
    assert tell(known, QUERY, a_fill("q1"), a_fill("q2")) == ["q2"]
    assert tell(known, STREAM, a_fill("s2")) == []
    assert tell(known, STREAM, a_fill("s3")) == ["s3"]


def test_repeated_telling_counts_nothing_again():
    known = Executions()
    tell(known, QUERY, a_fill("q1"), a_fill("q2"))
    for _ in range(3):
        assert tell(known, QUERY, a_fill("q1"), a_fill("q2")) == []


def test_what_an_earlier_life_counted_is_known_by_name_and_by_shape():
    known = Executions()
    known.count(a_fill("q1"), None)
    assert tell(known, QUERY, a_fill("q0"), a_fill("q1")) == ["q0"], "the list tells of one more"
    known = Executions()
    known.count(a_fill("s1"), None)
    assert tell(known, QUERY, a_fill("q1")) == [], "the stream had told it under another name"


@given(
    shapes=st.lists(st.tuples(st.sampled_from("12"), st.sampled_from("39")), min_size=1, max_size=6),
    heard=st.sets(st.integers(0, 5)),
    first=st.booleans(),
    same_names=st.booleans(),
)
def test_sum_is_the_venues_in_whatever_order_and_by_whatever_names(shapes, heard, first, same_names):
    known = Executions()
    listed = [a_fill(f"q{number}", *shape) for number, shape in enumerate(shapes)]
    streamed = [
        a_fill(f"{'q' if same_names else 's'}{number}", *shape)
        for number, shape in enumerate(shapes)
        if number in heard
    ]
    if first:
        for fill in streamed:
            tell(known, STREAM, fill)
        tell(known, QUERY, *listed)
    else:
        tell(known, QUERY, *listed)
        for fill in streamed:
            tell(known, STREAM, fill)
    assert sorted(known.counted.values()) == sorted((fill.price, fill.quantity) for fill in listed)
