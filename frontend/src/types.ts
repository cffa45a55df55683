// Short names for the API's types, which are generated from openapi.json (`npm run api`).
import type { components } from "./schema";

type Views = components["schemas"];
type Frame<K extends string, T> = Omit<T, "type"> & { type: K };

export type Iso = string;
export type Attention = Views["AttentionView"];
export type AccountRisk = Views["AccountRiskView"];
export type Bar = Views["BarView"];
export type Calendar = Views["CalendarView"];
export type CalendarEntry = Views["CalendarEntryView"];
export type CommandResult = Views["CommandView"];
export type Component = Views["ComponentView"];
export type ComponentStatus = Views["ComponentStatus"];
export type Analytics = Views["LatencyView"];
export type CurvePoint = Views["CurvePointView"];
export type Group = Views["GroupView"];
export type Performance = Views["PerformanceView"];
export type Spread = Views["SpreadView"];
export type Stage = Views["StageView"];
export type AuditPage = Views["AuditView"];
export type Config = Views["ConfigView"];
export type ConfigHistory = Views["ConfigHistoryView"];
export type Decision = Views["DecisionView"];
export type Executed = Views["ExecutedView"];
export type Fill = Views["FillView"];
export type Figure = Component["figures"][string];
export type Guard = Views["GuardView"];
export type Health = Views["HealthView"];
export type Kill = Views["KillView"];
export type ListedAtBasis = Views["ListedAtBasis"];
export type Listing = Views["ListingView"];
export type ListingChart = Views["ListingChartView"];
export type ChartLine = Views["ChartLineView"];
export type ChartMark = Views["ChartMarkView"];
export type ListingDetail = Views["ListingDetailView"];
export type ListingKind = Views["ListingKind"];
export type Listings = Views["ListingsView"];
export type Mark = Views["MarkView"];
export type Monitor = Views["MonitorView"];
export type Mode = Views["TradeView"]["mode"];
export type Order = Views["OrderView"];
export type OrderRole = Views["OrderRole"];
export type Orders = Views["OrdersView"];
export type Outcome = Views["Outcome"];
export type Phase = Views["Phase"];
export type PhaseSpan = Views["PhaseView"];
export type Position = Views["PositionView"];
export type Positions = Views["PositionsView"];
export type PositionMark = Views["PositionMarkView"];
export type Risk = Views["RiskMetricsView"];
export type ScheduleChange = Views["ScheduleChangeView"];
export type Session = Views["SessionView"];
export type Signal = Views["SignalView"];
export type SignalKind = Views["SignalKind"];
export type Trade = Views["TradeView"];
export type TradeDetail = Views["TradeDetailView"];
export type Trades = Views["TradesView"];
export type TradeStatus = Views["TradeStatus"];
export type Trading = Views["TradingView"];
export type TradingState = Views["TradingState"];
export type Trigger = Views["Trigger"];

export type GoLive = Views["GoLiveView"];
export type GoLiveItem = Views["GoLiveItemView"];

/** What `/auth` and `/notifications` answer; not in openapi.json before that part of the program is merged. */
export type Personal = { passwordSet?: boolean; stepUpUntil?: Iso | null };
export type ApiToken = { id: string; name: string; scopes: string[]; createdAt: Iso; expiresAt: Iso | null; lastUsedAt: Iso | null };
export type QuietHours = { start: string; end: string; zone: string };
export type Channel = {
  id: string; name: string; kind: string; enabled: boolean; events: string[]; quietHours: QuietHours | null;
  lastError: string | null; lastSentAt: Iso | null; revision?: number;
};
export type NoticeKind = { id: string; title: string; urgent: boolean };
export type Channels = {
  channels: Channel[]; events: NoticeKind[]; notifierRunning?: boolean;
  heartbeat?: { lastSentAt: Iso | null; failingSince: Iso | null; lastError: string } | null;
};
export type ChannelChange = { enabled?: boolean; events?: string[]; quietHours?: QuietHours | null; revision?: number };

export type SnapshotFrame = Frame<"snapshot", Views["SnapshotFrame"]>;

/** OpenAPI cannot say which data belongs to which kind; `EventFrame` in views.py does. */
type Event<K extends Views["EventFrame"]["kind"], T> = { type: "event"; seq: number; at: Iso; kind: K; data: T };
export type EventFrame =
  | Event<"listing_changed", Listing>
  | Event<"signal_received", Views["SignalEventData"]>
  | Event<"calendar_changed", CalendarEntry>
  | Event<"component_changed", Component>
  | Event<"monitor_changed", Monitor>
  | Event<"command_finished", CommandResult>
  | Event<"config_changed", Config>
  | Event<"decision_made", Decision>
  | Event<"order_changed", Order>
  | Event<"fill_recorded", Fill>
  | Event<"position_changed", Position>
  | Event<"trade_changed", Trade>
  | Event<"trading_changed", Trading>
  | Event<"balances_changed", Views["BalancesEventData"]>
  | Event<"attention_changed", Attention>;

export type LiveFrame =
  | SnapshotFrame
  | EventFrame
  | Frame<"marks", Views["MarksFrame"]>
  | Frame<"status", Views["StatusFrame"]>
  | Frame<"beat", Views["BeatFrame"]>;
