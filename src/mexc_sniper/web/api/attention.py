"""``/attention`` and ``/audit``: what only a person can end, and who did what."""

from typing import Annotated, Literal

from fastapi import Path, Query, Request
from pydantic import BaseModel, ConfigDict

from mexc_sniper.core.clock import iso_from_ns
from mexc_sniper.ledger.audit import AuditHead, AuditRow
from mexc_sniper.ledger.reader import LedgerReader
from mexc_sniper.model.commands import Verb
from mexc_sniper.web import convert_trading as convert
from mexc_sniper.web.api.carrying import IdempotencyKey, Limit, Offset, carry_out
from mexc_sniper.web.auth.principal import Scope
from mexc_sniper.web.routing import router_for
from mexc_sniper.web.services import services
from mexc_sniper.web.views import CommandView, ErrorView
from mexc_sniper.web.views_trading import AttentionsView, AuditEntryView, AuditView

AttentionId = Annotated[str, Path(min_length=1, max_length=128, description="Any text: it may hold a symbol.")]

reading = router_for(Scope.READ, tag="attention")
controlling = router_for(Scope.CONTROL, tag="attention")


class ResolveRequest(BaseModel):
    """``adopt``: take the venue's word into our books. ``ignore``: leave the books as they are. ``mark``: done by
    hand, nothing to do."""

    model_config = ConfigDict(extra="forbid")

    resolution: Literal["adopt", "ignore", "mark"]


@reading.get("/attention")
async def attention(
    request: Request,
    open_only: Annotated[bool, Query(alias="open", description="Only what is not resolved.")] = True,
) -> AttentionsView:
    """List what needs a person, oldest first."""
    found = await services(request).store.read(lambda reader: reader.attention(open_only))
    return AttentionsView(attention=[convert.attention_view(item) for item in found])


@controlling.post("/attention/{attention_id}/resolve", responses={404: {"model": ErrorView}})
async def resolve(
    request: Request, attention_id: AttentionId, body: ResolveRequest, idempotency_key: IdempotencyKey = None
) -> CommandView:
    """Say how one of them ends."""
    arguments = {"id": attention_id, "resolution": body.resolution}
    return await carry_out(request, Verb.RESOLVE_ATTENTION, arguments, idempotency_key)


@reading.get("/audit")
async def audit(
    request: Request,
    limit: Limit = 50,
    offset: Offset = 0,
    what: Annotated[
        Literal["command", "config", "trading", "order", "fill"] | None, Query(description="Only rows of this kind.")
    ] = None,
    text: Annotated[
        str | None, Query(min_length=1, max_length=64, description="Only rows that hold this text.")
    ] = None,
    verify: Annotated[bool, Query(description="Follow the whole hash chain; reads every row.")] = False,
) -> AuditView:
    """List who did what and what came of it, newest first."""

    def read(reader: LedgerReader) -> tuple[list[AuditRow], int, AuditHead, int | None]:
        with reader.snapshot() as view:
            rows, total = view.audit(limit, offset, what=what, text=text)
            return rows, total, view.audit_head(), view.verify_audit() if verify else None

    rows, total, head, broken = await services(request).store.read(read)
    return AuditView(
        entries=[_entry(row) for row in rows],
        total=total,
        limit=limit,
        offset=offset,
        head=head.hash,
        verified=verify,
        first_broken=broken,
    )


def _entry(row: AuditRow) -> AuditEntryView:
    return AuditEntryView(
        number=row.number,
        at=iso_from_ns(row.ts_ns),
        who=row.who,
        what=row.what,
        ref=row.ref,
        result=row.result,
        config_version=row.config_version,
        detail=row.detail,
        digest=row.digest,
    )
