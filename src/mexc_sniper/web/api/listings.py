"""``/listings`` and ``/calendar``: what was seen and what is coming."""

from decimal import Decimal
from typing import Annotated

from fastapi import Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field, field_validator

from mexc_sniper.core.clock import ns_from_iso
from mexc_sniper.core.ids import ListingId
from mexc_sniper.core.values import text_from_decimal
from mexc_sniper.ledger.reader import LedgerReader
from mexc_sniper.model.commands import Verb
from mexc_sniper.model.listing import ListingKind, Outcome, Phase, Source
from mexc_sniper.web import convert
from mexc_sniper.web.api.carrying import Id, IdempotencyKey, Limit, Offset, carry_out, price, visible_name
from mexc_sniper.web.auth.principal import Scope
from mexc_sniper.web.errors import ApiError, invalid
from mexc_sniper.web.listing_detail import ListingRecords, chart_view, detail_view, read_bars, read_listing
from mexc_sniper.web.routing import router_for
from mexc_sniper.web.services import services
from mexc_sniper.web.views import (
    CalendarView,
    CommandView,
    ErrorView,
    ListingChartView,
    ListingDetailView,
    ListingsView,
)

reading = router_for(Scope.READ, tag="listings")
controlling = router_for(Scope.CONTROL, tag="listings")

SearchText = Annotated[str | None, Query(min_length=1, max_length=64, description="Part of a symbol or a name.")]
Since = Annotated[str | None, Query(description="Detected at or after this ISO-8601 time with a zone.")]


@reading.get("/listings")
async def listings(
    request: Request,
    limit: Limit = 50,
    offset: Offset = 0,
    source: Source | None = None,
    since: Since = None,
    phase: Phase | None = None,
    outcome: Outcome | None = None,
    kind: ListingKind | None = None,
    text: SearchText = None,
) -> ListingsView:
    """List listings, newest detection first."""
    since_ns = None if since is None else _instant("since", since)
    found, total = await services(request).store.read(
        lambda reader: reader.listings(
            limit=limit,
            offset=offset,
            source=source,
            since_ns=since_ns,
            phase=phase,
            outcome=outcome,
            kind=kind,
            text=text,
        )
    )
    return ListingsView(
        listings=[convert.listing_view(listing) for listing in found], total=total, limit=limit, offset=offset
    )


ListingKey = Annotated[str, Path(min_length=1, max_length=64)]


@reading.get("/listings/{listing_id}", responses={404: {"model": ErrorView}})
async def listing(request: Request, listing_id: ListingKey) -> ListingDetailView:
    """Show one listing with everything that was said about it and everything we did about it."""
    parts = services(request)

    def read(reader: LedgerReader) -> ListingRecords | None:
        with reader.snapshot() as view:
            return read_listing(view, ListingId(listing_id))

    found = await parts.store.read(read)
    if found is None:
        raise _not_found()
    return detail_view(found, await parts.overview.marks())


@reading.get("/listings/{listing_id}/bars", responses={404: {"model": ErrorView}})
async def bars(request: Request, listing_id: ListingKey) -> ListingChartView:
    """Show a listing's first half hour as bars, with our fills and the prices our rules stand on.

    Bars exist for what was watched; they may miss the last moments before an unclean end.
    """
    parts = services(request)
    now_ns = parts.clock.wall_ns()

    def read(reader: LedgerReader) -> ListingChartView | None:
        with reader.snapshot() as view:
            records = read_listing(view, ListingId(listing_id))
            if records is None:
                return None
            version = next((trade.config_version for trade in reversed(records.trades)), None)
            config = None if version is None else view.config(version)
            return chart_view(records, read_bars(view, records.listing), config, now_ns)

    found = await parts.store.read(read)
    if found is None:
        raise _not_found()
    return found


def _not_found() -> ApiError:
    return ApiError(404, "listing_not_found", "There is no listing with this id.")


class InjectRequest(BaseModel):
    """A made-up listing that runs through the real path; marked as a test everywhere, never traded live."""

    model_config = ConfigDict(extra="forbid")

    symbol: str = Field(min_length=1, max_length=64, examples=["TESTUSDT"])
    quote: str | None = Field(default=None, min_length=1, max_length=32, examples=["USDT"])

    @field_validator("symbol", "quote")
    @classmethod
    def _is_a_name(cls, value: str | None) -> str | None:
        return None if value is None else visible_name(value)


@controlling.post("/listings/inject")
async def inject(request: Request, body: InjectRequest, idempotency_key: IdempotencyKey = None) -> CommandView:
    """Inject a test listing; refused with 409 while the monitor is stopped."""
    arguments = {name: value for name, value in body.model_dump().items() if value is not None}
    return await carry_out(request, Verb.INJECT_LISTING, arguments, idempotency_key)


class TimedEntryRequest(BaseModel):
    """Enter at the announced time itself, without having seen a price: an IOC limit at ``capPrice``."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    cap_price: Decimal | None = Field(
        alias="capPrice",
        examples=["0.05"],
        json_schema_extra={"format": "decimal"},
        description="The most to pay for one coin, in quote currency; decimal text. null takes the wish back.",
    )
    offset_ms: int = Field(
        default=0, alias="offsetMs", ge=-60_000, le=60_000, description="Added to the announced time."
    )

    @field_validator("cap_price", mode="before")
    @classmethod
    def _plain(cls, value: object) -> Decimal | None:
        return None if value is None else price(value)


@controlling.put("/listings/{listing_id}/timed-entry", responses={404: {"model": ErrorView}, 409: {"model": ErrorView}})
async def time_entry(
    request: Request, listing_id: Id, body: TimedEntryRequest, idempotency_key: IdempotencyKey = None
) -> CommandView:
    """Have a listing entered at its announced time, or at its first quote or trade if that comes earlier."""
    cap = None if body.cap_price is None else text_from_decimal(body.cap_price)
    arguments = {"listingId": listing_id, "capPrice": cap, "offsetMs": body.offset_ms}
    return await carry_out(request, Verb.TIME_ENTRY, arguments, idempotency_key)


@reading.get("/calendar")
async def calendar(request: Request, limit: Limit = 50, offset: Offset = 0, withdrawn: bool = False) -> CalendarView:
    """List announced openings, soonest first, those without a time last; an hour past at most."""
    parts = services(request)
    from_ns = parts.overview.calendar_from_ns()
    lines, total = await parts.store.read(
        lambda reader: reader.calendar(from_ns=from_ns, limit=limit, offset=offset, withdrawn=withdrawn)
    )
    return CalendarView(entries=[convert.calendar_view(line) for line in lines], total=total)


def _instant(name: str, text: str) -> int:
    try:
        return ns_from_iso(text)
    except (ValueError, OverflowError):
        raise invalid("query", name, "is no ISO-8601 time with a zone, such as 2026-11-22T11:30:00Z") from None
