// What the API answers with: the same words as src/mexc_sniper/web/views.py.

export type Iso = string;
export type ComponentStatus = "ok" | "degraded" | "down" | "unavailable" | "stopped";
export type MonitorStatus = "running" | "stopped" | "degraded";
export type Source = "mexc_websocket" | "mexc_rest_api" | "test_injection";
export type SignalKind =
  | "calendar" | "announcement" | "web_symbol" | "exchange_info_row" | "api_opened" | "default_symbols"
  | "self_symbols" | "mini_tickers" | "first_quote" | "first_trade" | "candles" | "offline" | "test_injection";
export type Phase = "signaled" | "scheduled" | "pre_open" | "open" | "withdrawn";
export type Outcome = "pending" | "entered" | "skipped" | "missed" | "failed";
export type ListingKind =
  | "unproven" | "new" | "relist" | "returned" | "second_quote" | "renamed" | "look_alike" | "injected";
export type ListedAtBasis = "first_seen" | "announced" | "injection" | "first_open_time" | "first_trade";
export type Figure = number | string | null;

export type Component = {
  name: string; status: ComponentStatus; since: Iso; lastEventAt: Iso | null; detail: string;
  figures: Record<string, Figure>;
};
export type Health = {
  status: "ok" | "degraded" | "error"; version: string; environment: string; mode: "dry-run" | "live";
  engineAlive: boolean; engineHeartbeatAt: Iso | null; serverTime: Iso; components: Component[];
};
export type Monitor = {
  status: MonitorStatus; wanted: boolean; startedAt: Iso | null; lastEventAt: Iso | null; uptimeSeconds: number;
  listingsDetected: number; websocketConnected: boolean; lastError: string; baselineSize: number;
  baselineLearnedAt: Iso | null; sources: Component[];
};
export type SourceTime = {
  kind: SignalKind; source: Source; official: boolean; receivedAt: Iso; eventAt: Iso | null; lagMs: number | null;
};
export type Signal = SourceTime & { evidence: string };
export type Listing = {
  id: string; symbol: string; base: string; quote: string; fullName: string; kind: ListingKind; phase: Phase;
  outcome: Outcome; reason: string | null; reasonText: string; source: Source; firstSignal: SignalKind;
  listedAt: Iso; listedAtBasis: ListedAtBasis; listedAtFrozen: boolean; detectedAt: Iso; scheduledFor: Iso | null;
  rowSeenAt: Iso | null; apiOpenedAt: Iso | null; firstQuoteAt: Iso | null; firstTradeAt: Iso | null;
  openedAt: Iso | null; closedAt: Iso | null; detectionLagMs: number | null; late: boolean;
  lookAlikeOf: string | null; relatedTo: string | null; coinId: string; contractAddress: string;
  sources: SourceTime[]; duplicateSignals: number; newnessProof: string;
};
export type Listings = { listings: Listing[]; total: number; limit: number; offset: number };
export type ScheduleChange = { notedAt: Iso; opensAt: Iso | null };
export type PhaseSpan = { phase: Phase; enteredAt: Iso; seconds: number | null };
export type ListingDetail = {
  listing: Listing; timeline: Signal[]; schedule: ScheduleChange[]; phases: PhaseSpan[];
};
export type CalendarEntry = {
  coinId: string; asset: string; fullName: string; opensAt: Iso | null; zone: string; firstSeenAt: Iso;
  schedule: ScheduleChange[]; withdrawn: boolean; listingId: string | null;
};
export type Calendar = { entries: CalendarEntry[]; total: number };
export type Config = { version: number; updatedAt: Iso; updatedBy: string; config: Record<string, unknown> };
export type CommandResult = {
  id: string; verb: string; actor: string; status: "done" | "refused" | "expired"; code: string; message: string;
  finishedAt: Iso;
};
export type Mark = { symbol: string; last: string | null; bid: string | null; ask: string | null; at: Iso };
export type Session = { actor: string; scopes: string[]; csrfToken: string; expiresAt: Iso };

export type SnapshotFrame = {
  type: "snapshot"; seq: number; serverTime: Iso; health: Health; monitor: Monitor; listings: Listing[];
  listingsTotal: number; calendar: CalendarEntry[]; config: Config | null; marks: Mark[];
};
export type EventFrame = { type: "event"; seq: number; at: Iso } & (
  | { kind: "listing_changed"; data: Listing }
  | { kind: "signal_received"; data: { listingId: string; signal: Signal } }
  | { kind: "calendar_changed"; data: CalendarEntry }
  | { kind: "component_changed"; data: Component }
  | { kind: "monitor_changed"; data: Monitor }
  | { kind: "command_finished"; data: CommandResult }
  | { kind: "config_changed"; data: Config }
);
export type LiveFrame =
  | SnapshotFrame
  | EventFrame
  | { type: "marks"; marks: Mark[] }
  | { type: "beat"; seq: number; serverTime: Iso; engineAlive: boolean };
