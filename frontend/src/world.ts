// What the page believes, and how one frame changes it. Pure: no sockets, no timers, no React.
import { clock, duration, label, money, name, OUTCOMES, pairName, signed, SIGNALS, time } from "./format";
import { componentName, isSource } from "./words";
import { ROLES, TRADE_STATUSES } from "./trading";
import type {
  Attention, CalendarEntry, Component, Config, EventFrame, Health, Listing, Mark, Monitor, Position, PositionMark, SnapshotFrame, Trade, Trading,
} from "./types";

export type Activity = { key: string; at: number; text: string; who: "bot" | "operator" | "venue"; listingId?: string; tradeId?: string; tone?: "warn" | "down" };

export type World = {
  seq: number;
  health: Health;
  monitor: Monitor;
  engineAlive: boolean;
  /** Newest detection first. */
  listings: Listing[];
  listingsTotal: number;
  calendar: CalendarEntry[];
  config: Config | null;
  marks: Readonly<Record<string, Mark>>;
  /** What is allowed now; null until the engine has said. */
  trading: Trading | null;
  /** The open ones, newest first. */
  positions: Position[];
  /** Newest first. */
  trades: Trade[];
  tradesTotal: number;
  /** What needs a person, oldest first. */
  attention: Attention[];
  activity: Activity[];
  /** Listings and trades that arrived while the page was open, with the browser's time: they glow once. */
  fresh: Readonly<Record<string, number>>;
};

const KEEP_LISTINGS = 500;
const KEEP_TRADES = 200;
const KEEP_ACTIVITY = 60;

export function fromSnapshot(frame: SnapshotFrame, before: World | undefined): World {
  const marks: Record<string, Mark> = {};
  for (const mark of frame.marks) marks[mark.symbol] = mark;
  return {
    seq: frame.seq,
    health: frame.health,
    monitor: frame.monitor,
    engineAlive: frame.health.engineAlive,
    listings: frame.listings,
    listingsTotal: frame.listingsTotal,
    calendar: frame.calendar,
    config: frame.config,
    marks,
    trading: frame.trading ?? null,
    positions: frame.positions ?? [],
    trades: frame.trades ?? [],
    tradesTotal: frame.tradesTotal ?? 0,
    attention: frame.attention ?? [],
    activity: merge(before?.activity ?? [], [
      ...frame.listings.slice(0, 40).flatMap(history), ...(frame.trades ?? []).slice(0, 40).map(tradeLine),
    ]),
    fresh: before?.fresh ?? {},
  };
}

export function fold(world: World, frame: EventFrame, wallNow: number): World {
  const next: World = { ...world, seq: frame.seq, engineAlive: true };
  const at = time(frame.at);
  switch (frame.kind) {
    case "listing_changed": {
      const place = world.listings.findIndex((known) => known.id === frame.data.id);
      const before = world.listings[place];
      if (before) {
        next.listings = world.listings.with(place, frame.data);
      } else {
        next.listings = insertBy(world.listings, frame.data, (listing) => listing.detectedAt).slice(0, KEEP_LISTINGS);
        next.listingsTotal = world.listingsTotal + 1;
        next.fresh = { ...world.fresh, [frame.data.id]: wallNow };
      }
      next.activity = merge(world.activity, changes(before, frame.data, at));
      break;
    }
    case "calendar_changed":
      next.calendar = upsert(world.calendar, frame.data, (entry) => entry.coinId).sort(byOpening);
      break;
    case "component_changed": {
      const before = world.health.components.find((known) => known.name === frame.data.name);
      const components = upsert(world.health.components, frame.data, (component) => component.name);
      next.health = { ...world.health, components };
      if (isSource(frame.data.name))
        next.monitor = { ...world.monitor, sources: upsert(world.monitor.sources, frame.data, (c) => c.name) };
      if (isNews(before, frame.data)) next.activity = merge(world.activity, [componentLine(frame.data, at)]);
      break;
    }
    case "monitor_changed":
      next.monitor = frame.data.sources.length ? frame.data : { ...frame.data, sources: world.monitor.sources };
      if (frame.data.status !== world.monitor.status)
        next.activity = merge(world.activity, [{
          key: `monitor ${frame.seq}`, at, who: "bot", text: `Monitor is ${frame.data.status}`,
          ...(frame.data.status === "degraded" ? { tone: "warn" as const } : {}),
        }]);
      break;
    case "command_finished": {
      const { id, verb, status, message } = frame.data;
      const asked = verb.replaceAll("_", " ");
      next.activity = merge(world.activity, [{
        key: `command ${id}`, at, who: "operator",
        text: status === "done" ? `Asked to ${asked}: done` : `Asked to ${asked}: ${status}. ${message}`,
        ...(status === "done" ? {} : { tone: "warn" as const }),
      }]);
      break;
    }
    case "config_changed":
      next.config = frame.data;
      next.activity = merge(world.activity, [
        { key: `config ${frame.data.version}`, at, who: "operator", text: `Configuration version ${frame.data.version}` },
      ]);
      break;
    case "trade_changed": {
      const place = world.trades.findIndex((known) => known.id === frame.data.id);
      if (place >= 0) {
        next.trades = world.trades.with(place, frame.data);
      } else {
        next.trades = insertBy(world.trades, frame.data, (trade) => trade.createdAt).slice(0, KEEP_TRADES);
        next.tradesTotal = world.tradesTotal + 1;
        next.fresh = { ...world.fresh, [frame.data.id]: wallNow };
      }
      next.activity = merge(world.activity, [tradeLine(frame.data)]);
      break;
    }
    case "position_changed":
      next.positions = frame.data.open
        ? upsert(world.positions, frame.data, (position) => position.id).sort((a, b) => b.openedAt.localeCompare(a.openedAt))
        : world.positions.filter((known) => known.id !== frame.data.id);
      break;
    case "trading_changed":
      next.trading = frame.data;
      if (frame.data.state !== world.trading?.state)
        next.activity = merge(world.activity, [{
          key: `trading ${frame.seq}`, at, who: "bot",
          text: `Trading is ${frame.data.state.toUpperCase()}${frame.data.reason && frame.data.state !== "active" ? `. ${frame.data.reason}` : ""}`,
          ...(frame.data.state === "active" ? {} : { tone: "warn" as const }),
        }]);
      break;
    case "attention_changed":
      next.attention = frame.data.resolvedAt
        ? world.attention.filter((known) => known.id !== frame.data.id)
        : upsert(world.attention, frame.data, (item) => item.id);
      if (!frame.data.resolvedAt)
        next.activity = merge(world.activity, [{ key: `attention ${frame.data.id}`, at, who: "bot", text: frame.data.text, tone: "warn" }]);
      break;
    case "signal_received":
    case "decision_made":
    case "order_changed":
    case "fill_recorded":
    case "balances_changed":
      break;
  }
  return next;
}

/** Figures and last-event times move without numbered events; nothing else is taken from a plain look. */
export function foldFigures(world: World, health: Health, monitor: Monitor): World {
  const seen = new Map(health.components.map((component) => [component.name, component]));
  const renew = (component: Component): Component => {
    const now = seen.get(component.name);
    return now && now.status === component.status && now.since === component.since ? now : component;
  };
  return {
    ...world,
    health: { ...world.health, status: health.status, components: world.health.components.map(renew) },
    monitor: {
      ...world.monitor,
      lastEventAt: monitor.lastEventAt ?? world.monitor.lastEventAt,
      sources: world.monitor.sources.map(renew),
    },
  };
}

export function foldMarks(world: World, marks: Mark[], positions: PositionMark[] = []): World {
  const merged = { ...world.marks };
  for (const mark of marks) merged[mark.symbol] = mark;
  if (!positions.length) return { ...world, marks: merged };
  const moved = new Map(positions.map((mark) => [mark.id, mark]));
  return {
    ...world, marks: merged,
    positions: world.positions.map((position) => {
      const mark = moved.get(position.id);
      return mark ? { ...position, ...mark } : position;
    }),
  };
}

/** Soonest first, "to be determined" last, as the snapshot sends them. */
export function byOpening(a: CalendarEntry, b: CalendarEntry): number {
  const left = a.opensAt === null ? Infinity : time(a.opensAt);
  const right = b.opensAt === null ? Infinity : time(b.opensAt);
  return left === right ? a.asset.localeCompare(b.asset) : left - right;
}

function insertBy<T>(all: T[], item: T, stamp: (item: T) => string): T[] {
  const at = all.findIndex((known) => stamp(known) <= stamp(item));
  return all.toSpliced(at < 0 ? all.length : at, 0, item);
}

function upsert<T>(all: T[], item: T, id: (item: T) => string): T[] {
  const place = all.findIndex((known) => id(known) === id(item));
  return place < 0 ? [...all, item] : all.with(place, item);
}

function merge(known: Activity[], more: Activity[]): Activity[] {
  if (!more.length) return known;
  // A later word on the same thing knows more: at first a listing may have nothing but its symbol.
  const renewed = new Set(more.map((entry) => entry.key));
  return [...more, ...known.filter((entry) => !renewed.has(entry.key))].sort((a, b) => b.at - a.at).slice(0, KEEP_ACTIVITY);
}

const NAME_CHARACTERS = 24;

const short = (text: string) => (text.length > NAME_CHARACTERS ? `${text.slice(0, NAME_CHARACTERS)}…` : text);
const pair = (listing: Listing) => short(pairName(listing));

function seenLine(listing: Listing): Activity {
  return {
    key: `seen ${listing.id}`, at: time(listing.detectedAt), who: "bot", listingId: listing.id,
    text: `${pair(listing)} seen: ${label(SIGNALS, listing.firstSignal)}`,
  };
}
function openLine(listing: Listing): Activity {
  const lag = listing.detectionLagMs;
  return {
    key: `open ${listing.id}`, at: time(listing.openedAt), who: "venue", listingId: listing.id,
    text: `${pair(listing)} is open${lag === null ? "" : `, seen ${duration(lag)} after the opening`}`,
    ...(listing.late ? { tone: "warn" as const } : {}),
  };
}
function withdrawnLine(listing: Listing): Activity {
  return {
    key: `withdrawn ${listing.id}`, at: time(listing.closedAt), who: "venue", listingId: listing.id, tone: "warn",
    text: `${pair(listing)} was withdrawn`,
  };
}

/** One line per trade, renewed as it moves on. */
function tradeLine(trade: Trade): Activity {
  const done = trade.status === "filled" || trade.status === "partially_filled";
  const verb = trade.side === "buy" ? (done ? "bought" : "buy") : done ? "sold" : "sell";
  const how = trade.role === "entry" ? "" : `, ${label(ROLES, trade.role)}`;
  const worth = done ? ` for ${money(trade.quoteQty)}` : `: ${label(TRADE_STATUSES, trade.status)}`;
  const why = !done && trade.reasonText ? `. ${trade.reasonText}` : "";
  const trouble = trade.status === "failed" || trade.status === "in_doubt" || trade.status === "high_value_pending";
  return {
    key: `trade ${trade.id}`, at: time(trade.createdAt), who: "bot", tradeId: trade.id, ...(trouble ? { tone: "warn" as const } : {}),
    text: `${short(name(trade.symbol))} ${verb}${worth}${how}${trade.pnl ? `, ${signed(trade.pnl)}` : ""}, ${trade.mode}${why}`,
  };
}

function history(listing: Listing): Activity[] {
  return [
    seenLine(listing),
    ...(listing.openedAt ? [openLine(listing)] : []),
    ...(listing.closedAt ? [withdrawnLine(listing)] : []),
  ];
}

function changes(before: Listing | undefined, after: Listing, at: number): Activity[] {
  const lines = history(after);
  if (before?.scheduledFor && after.scheduledFor && before.scheduledFor !== after.scheduledFor)
    lines.push({
      key: `moved ${after.id} ${after.scheduledFor}`, at, who: "venue", listingId: after.id, tone: "warn",
      text: `${pair(after)} moved: ${clock(time(before.scheduledFor), at)} → ${clock(time(after.scheduledFor), at)}`,
    });
  if (before && before.outcome !== after.outcome)
    lines.push({
      key: `outcome ${after.id}`, at, who: "bot", listingId: after.id,
      text: `${pair(after)} ${label(OUTCOMES, after.outcome)}. ${after.reasonText}`,
    });
  return lines;
}

/** A part that starts or stops as asked is no news; trouble and its end are. */
function isNews(before: Component | undefined, after: Component): boolean {
  if (before?.status === after.status || after.status === "stopped") return false;
  return after.status !== "ok" || (before !== undefined && before.status !== "stopped");
}

function componentLine(component: Component, at: number): Activity {
  const bad = component.status === "down" || component.status === "degraded";
  return {
    key: `${component.name} ${at}`, at, who: "bot",
    text: `${componentName(component.name)}: ${component.status}${component.detail ? `. ${component.detail}` : ""}`,
    ...(bad ? { tone: "warn" as const } : {}),
  };
}
