// One WebSocket: a snapshot, then numbered deltas. Any number but the next, or 5 s of silence, means a new snapshot.
// Where WebSockets are blocked the page asks over HTTP every 3 s instead and says so.
import { useQuery } from "@tanstack/react-query";
import { api, ApiError, queries } from "./api";
import { learnServerTime, serverNow } from "./clock";
import { label, SIGNALS } from "./format";
import { tellListing } from "./notify";
import type { ListingDetail, LiveFrame, SnapshotFrame, TradeDetail } from "./types";
import { fold, foldFigures, foldMarks, fromSnapshot, type World } from "./world";

export type Link =
  | { state: "connecting" }
  | { state: "live" }
  | { state: "polling" }
  | { state: "lost"; why: string; since: number }
  | { state: "signed_out" };

const SILENCE_MS = 5_000;
const REPAINT_MS = 50;
const POLL_MS = 3_000;
const SNAPSHOT_LISTINGS = 200;
const SNAPSHOT_TRADES = 100;

let socket: WebSocket | null = null;
let watchdog = 0;
let retry = 0;
let polls = 0;
let failures = 0;
let heard = false;
let world: World | undefined;
let link: Link = { state: "connecting" };
let lastHeard = serverNow();

export function startLive(): void {
  queries.setQueryDefaults(["world"], { staleTime: Infinity, gcTime: Infinity });
  queries.setQueryDefaults(["link"], { staleTime: Infinity, gcTime: Infinity });
  queries.setQueryData<Link>(["link"], link);
  const hurry = () => {
    if (link.state === "lost" && document.visibilityState === "visible") connect();
  };
  document.addEventListener("visibilitychange", hurry);
  window.addEventListener("online", hurry);
  connect();
}

/** After the operator's own deed: where only polling works, look at once. */
export function lookAgain(): void {
  if (link.state === "polling") void poll();
}

function connect(): void {
  window.clearTimeout(retry);
  drop();
  heard = false;
  const opened = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/live`);
  socket = opened;
  opened.onmessage = (message) => {
    if (socket === opened && typeof message.data === "string") receive(message.data);
  };
  opened.onclose = () => {
    if (socket === opened) lose("the connection ended");
  };
  feedWatchdog();
}

function drop(): void {
  const old = socket;
  socket = null;
  window.clearTimeout(watchdog);
  if (old) {
    old.onmessage = old.onclose = null;
    old.close();
  }
}

function feedWatchdog(): void {
  window.clearTimeout(watchdog);
  watchdog = window.setTimeout(() => lose("nothing was heard for 5 s"), SILENCE_MS);
}

function lose(why: string): void {
  drop();
  failures = heard ? 0 : failures + 1;
  if (link.state !== "polling") {
    if (link.state !== "lost") setLink({ state: "lost", why, since: lastHeard });
    // A fresh look over HTTP tells "signed out" and "WebSockets blocked" from "the bot is gone".
    if (failures >= 2 || !heard) void poll();
  }
  const wait = link.state === "polling" ? 15_000 : Math.min(250 * 2 ** failures, 2_000);
  retry = window.setTimeout(connect, wait * (0.8 + 0.4 * Math.random()));
}

function receive(text: string): void {
  const frame = JSON.parse(text) as LiveFrame;
  feedWatchdog();
  lastHeard = serverNow();
  switch (frame.type) {
    case "snapshot":
      heard = true;
      failures = 0;
      window.clearTimeout(polls);
      takeSnapshot(frame);
      setLink({ state: "live" });
      return;
    case "event": {
      if (!world || frame.seq !== world.seq + 1) return lose("a message was missing");
      if (frame.kind === "listing_changed" && document.hidden && !world.listings.some((known) => known.id === frame.data.id))
        tellListing(frame.data.symbol, `New listing seen: ${label(SIGNALS, frame.data.firstSignal)}`, frame.data.id);
      world = fold(world, frame, Date.now());
      touchDetail(frame);
      return publish();
    }
    case "marks":
      if (world) world = foldMarks(world, frame.marks, frame.positions);
      return publish();
    case "status":
      if (world) world = foldFigures(world, frame.health, frame.monitor);
      return publish();
    case "beat":
      learnServerTime(frame.serverTime);
      if (!world || frame.seq !== world.seq) return lose("a message was missing");
      if (world.engineAlive !== frame.engineAlive) {
        world = { ...world, engineAlive: frame.engineAlive };
        publish();
      }
  }
}

function takeSnapshot(frame: SnapshotFrame): void {
  learnServerTime(frame.serverTime);
  world = fromSnapshot(frame, world);
  publish();
  void queries.invalidateQueries({ queryKey: ["listing"] });
  for (const key of ["listings", "trade", "trades", "orders", "risk", "configHistory"]) void queries.invalidateQueries({ queryKey: [key] });
}

async function poll(): Promise<void> {
  window.clearTimeout(polls);
  try {
    const [health, monitor, page, calendar, config, risk, held, trades, needs] = await Promise.all([
      api.health(), api.monitor(), api.listings(SNAPSHOT_LISTINGS, 0), api.calendar(), api.config().catch(() => null),
      api.risk(), api.positions(), api.trades(SNAPSHOT_TRADES, 0), api.attention(),
    ]);
    if (link.state === "live") return;
    if (failures < 2 && link.state !== "polling") return; // Only a check: the socket gets its second chance first.
    lastHeard = serverNow();
    takeSnapshot({
      type: "snapshot", seq: -1, serverTime: health.serverTime, health, monitor, listings: page.listings,
      listingsTotal: page.total, calendar: calendar.entries, config, marks: [],
      trading: risk.trading, positions: held.positions, trades: trades.trades, tradesTotal: trades.total, attention: needs.attention,
    });
    setLink({ state: "polling" });
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) {
      drop();
      window.clearTimeout(retry);
      return setLink({ state: "signed_out" });
    }
    if (link.state === "polling") setLink({ state: "lost", why: "the bot does not answer", since: lastHeard });
  }
  if (link.state === "polling") polls = window.setTimeout(() => void poll(), POLL_MS);
}

let painted = 0;
let pending = 0;

/** Repaint at once, then at most every 50 ms: animation frames would cost 20 ms, each event alone would drown. */
function publish(): void {
  if (pending) return;
  const wait = painted + REPAINT_MS - performance.now();
  const paint = () => {
    pending = 0;
    painted = performance.now();
    queries.setQueryData<World>(["world"], world);
  };
  if (wait <= 0) paint();
  else pending = window.setTimeout(paint, wait);
}

function setLink(next: Link): void {
  link = next;
  queries.setQueryData<Link>(["link"], next);
}

const RENEW_MS = 1_500;
const renewals = new Map<string, { last: number; timer: number }>();

/** Ask again for what an open page shows, at once and then at most every 1.5 s, however many events call for it. */
function renew(...key: string[]): void {
  const word = key.join(" ");
  const known = renewals.get(word) ?? { last: 0, timer: 0 };
  renewals.set(word, known);
  if (known.timer) return;
  const ask = () => {
    known.timer = 0;
    known.last = performance.now();
    void queries.invalidateQueries({ queryKey: key }, { cancelRefetch: false });
  };
  const wait = known.last ? known.last + RENEW_MS - performance.now() : 0;
  if (wait <= 0) ask();
  else known.timer = window.setTimeout(ask, wait);
}

/** Open detail pages follow; phases, history and figures are the server's to compute. */
function touchDetail(frame: Extract<LiveFrame, { type: "event" }>): void {
  const listing = (id: string | null | undefined) => id && renew("listing", id);
  switch (frame.kind) {
    case "signal_received":
      queries.setQueryData<ListingDetail>(["listing", frame.data.listingId], (known) =>
        known && { ...known, timeline: [...known.timeline, frame.data.signal] });
      return;
    case "listing_changed":
      queries.setQueryData<ListingDetail>(["listing", frame.data.id], (known) => known && { ...known, listing: frame.data });
      listing(frame.data.id);
      return;
    case "decision_made":
      listing(frame.data.listingId);
      return;
    case "trade_changed":
      queries.setQueryData<TradeDetail>(["trade", frame.data.id], (known) => known && { ...known, trade: frame.data });
      renew("risk");
      renew("trade");
      listing(frame.data.listingId);
      return;
    case "order_changed":
      renew("orders");
      renew("trade");
      listing(frame.data.listingId);
      return;
    case "fill_recorded":
      return renew("trade");
    case "position_changed":
      listing(frame.data.listingId);
      return renew("risk");
    case "trading_changed":
      renew("golive");
      return renew("risk");
    case "config_changed":
      renew("risk");
      return renew("configHistory");
    case "command_finished":
      return renew("audit");
  }
}

/** When the page last heard anything from the bot, server time in ms. */
export const heardAt = (): number => lastHeard;

/** A slice of what the page believes; undefined before the first snapshot. */
export function useWorld<T>(slice: (world: World) => T): T | undefined {
  return useQuery({ queryKey: ["world"], queryFn: () => new Promise<World>(() => undefined), enabled: false, select: slice }).data;
}

export function useLink(): Link {
  return useQuery({ queryKey: ["link"], queryFn: () => link, enabled: false, initialData: link }).data;
}
