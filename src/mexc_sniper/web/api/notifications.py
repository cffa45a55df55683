"""``/notifications``: which channel is told what, and a test message for each. Addresses are the notifier's alone."""

from typing import Annotated

from fastapi import Path, Request
from pydantic import BaseModel, ConfigDict, Field

from mexc_sniper.ledger.channels import Channel, Choices, QuietHours
from mexc_sniper.notify.catalogue import CATALOGUE, DEFAULTS, Event
from mexc_sniper.notify.quiet import problem_of
from mexc_sniper.web import convert
from mexc_sniper.web.auth.principal import Scope
from mexc_sniper.web.errors import ApiError, invalid
from mexc_sniper.web.routing import router_for
from mexc_sniper.web.services import services
from mexc_sniper.web.views import ErrorView, Iso, View

OUTSIDE = "heartbeat"
"""The kind of the row that tells how the outside heartbeat does; it is no channel."""
TEST_WAIT_S = 20.0

reading = router_for(Scope.READ, tag="notifications")
controlling = router_for(Scope.CONTROL, tag="notifications")

MAX_REVISION = 2**31
ChannelId = Annotated[str, Path(min_length=1, max_length=32, pattern=r"^[a-z][a-z0-9_]*$")]


class QuietHoursView(View):
    """Only urgent messages pass from `start` to `end` (HH:MM in an IANA zone); the others wait."""

    model_config = ConfigDict(**View.model_config | {"extra": "forbid"})

    start: str = Field(max_length=5, examples=["22:00"])
    end: str = Field(max_length=5, examples=["07:00"])
    zone: str = Field(default="UTC", max_length=64, examples=["Europe/Berlin"])


class NotificationChannelView(View):
    """One channel; its address is not told."""

    id: str
    name: str
    kind: str
    revision: int
    """Send it back with a change: 409 when somebody was quicker."""
    enabled: bool
    events: list[Event]
    quiet_hours: QuietHoursView | None
    last_error: str
    """Empty while messages arrive."""
    failing_since: Iso | None
    last_sent_at: Iso | None


class NotificationEventView(View):
    """One kind of message; urgent ones pass quiet hours."""

    id: Event
    title: str
    urgent: bool
    on_by_default: bool


class HeartbeatView(View):
    """How the outside watchman's address does."""

    last_sent_at: Iso | None
    failing_since: Iso | None
    last_error: str


class NotificationsView(View):
    channels: list[NotificationChannelView]
    events: list[NotificationEventView]
    notifier_running: bool
    heartbeat: HeartbeatView | None
    """Null where none is configured."""


class ChannelChange(BaseModel):
    """Only what changes. ``quietHours`` null: none."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    enabled: bool | None = Field(default=None, strict=True)
    events: list[Event] | None = Field(default=None, max_length=len(Event))
    quiet_hours: QuietHoursView | None = Field(default=None, alias="quietHours")
    revision: int | None = Field(default=None, ge=1, le=MAX_REVISION, strict=True)


class NotificationTestView(View):
    ok: bool
    detail: str


@reading.get("/notifications")
async def notifications(request: Request) -> NotificationsView:
    """List the channels, what can be told, and how each does."""
    parts = services(request)
    rows = await parts.store.inbox_read(lambda inbox: inbox.channels())
    outside = next((row for row in rows if row.kind == OUTSIDE), None)
    return NotificationsView(
        channels=[_view(row) for row in rows if row.kind != OUTSIDE],
        events=[
            NotificationEventView(id=event, title=about.title, urgent=about.urgent, on_by_default=about.on)
            for event, about in CATALOGUE.items()
        ],
        notifier_running=await parts.notices.runs(),
        heartbeat=None
        if outside is None
        else HeartbeatView(
            last_sent_at=convert.iso(outside.state.last_sent_ns),
            failing_since=convert.iso(outside.state.failing_since_ns),
            last_error=outside.state.last_error,
        ),
    )


@controlling.put("/notifications/{channel_id}", responses={404: {"model": ErrorView}, 409: {"model": ErrorView}})
async def choose(request: Request, channel_id: ChannelId, body: ChannelChange) -> NotificationChannelView:
    """Choose what a channel is told; only what is given changes. 409 `stale_version` when somebody was quicker."""
    channel = await _channel(request, channel_id)
    if body.revision is not None and body.revision != channel.revision:
        raise _stale(channel)
    given = body.model_fields_set
    now = channel.choices
    quiet = now.quiet
    if "quiet_hours" in given:
        asked = body.quiet_hours
        quiet = None if asked is None else QuietHours(start=asked.start, end=asked.end, zone=asked.zone)
        if quiet is not None and (problem := problem_of(quiet)):
            raise invalid("body", "quietHours", problem)
    choices = Choices(
        enabled=now.enabled if body.enabled is None else body.enabled,
        events=now.events if body.events is None else tuple(event.value for event in Event if event in body.events),
        quiet=quiet,
    )
    store = services(request).store
    if not await store.inbox(lambda inbox: inbox.choose(channel_id, choices, channel.revision)):
        raise _stale(await _channel(request, channel_id))
    return _view(await _channel(request, channel_id))


@controlling.post("/notifications/{channel_id}/test", responses={404: {"model": ErrorView}})
async def test(request: Request, channel_id: ChannelId) -> NotificationTestView:
    """Send a test message, whatever the switches say, and tell what the service answered."""
    await _channel(request, channel_id)
    notices = services(request).notices
    if not await notices.runs():
        return NotificationTestView(ok=False, detail="The notifier does not run; `mexc-sniper run` starts it.")
    answer = await notices.test(channel_id, TEST_WAIT_S)
    if answer is None:
        return NotificationTestView(ok=False, detail=f"Nothing is known after {TEST_WAIT_S:.0f} s; look again later.")
    return NotificationTestView(ok=answer.ok, detail=answer.detail)


async def _channel(request: Request, channel_id: str) -> Channel:
    found = await services(request).store.inbox_read(lambda inbox: inbox.channel(channel_id))
    if found is None or found.kind == OUTSIDE:
        raise ApiError(404, "channel_not_found", "There is no such channel; the settings file names them.")
    return found


def _stale(channel: Channel) -> ApiError:
    return ApiError(
        409, "stale_version", "Somebody changed this channel meanwhile; look at it again.",
        details={"revision": channel.revision},
    )  # fmt: skip


def _view(channel: Channel) -> NotificationChannelView:
    choices, state = channel.choices, channel.state
    on = DEFAULTS if choices.events is None else choices.events
    quiet = choices.quiet
    return NotificationChannelView(
        id=channel.id,
        name=channel.id.replace("_", " "),
        kind=channel.kind,
        revision=channel.revision,
        enabled=choices.enabled,
        events=[event for event in Event if event.value in on],
        quiet_hours=None if quiet is None else QuietHoursView(start=quiet.start, end=quiet.end, zone=quiet.zone),
        last_error=state.last_error,
        failing_since=convert.iso(state.failing_since_ns),
        last_sent_at=convert.iso(state.last_sent_ns),
    )
