// Short names for the API's types, which are generated from openapi.json (`npm run api`).
import type { components } from "./schema";

type Views = components["schemas"];
type Frame<K extends string, T> = Omit<T, "type"> & { type: K };

export type Iso = string;
export type Calendar = Views["CalendarView"];
export type CalendarEntry = Views["CalendarEntryView"];
export type CommandResult = Views["CommandView"];
export type Component = Views["ComponentView"];
export type ComponentStatus = Views["ComponentStatus"];
export type Config = Views["ConfigView"];
export type Figure = Component["figures"][string];
export type Health = Views["HealthView"];
export type ListedAtBasis = Views["ListedAtBasis"];
export type Listing = Views["ListingView"];
export type ListingDetail = Views["ListingDetailView"];
export type ListingKind = Views["ListingKind"];
export type Listings = Views["ListingsView"];
export type Mark = Views["MarkView"];
export type Monitor = Views["MonitorView"];
export type Outcome = Views["Outcome"];
export type Phase = Views["Phase"];
export type PhaseSpan = Views["PhaseView"];
export type ScheduleChange = Views["ScheduleChangeView"];
export type Session = Views["SessionView"];
export type Signal = Views["SignalView"];
export type SignalKind = Views["SignalKind"];

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
  | Event<"config_changed", Config>;

export type LiveFrame =
  | SnapshotFrame
  | EventFrame
  | Frame<"marks", Views["MarksFrame"]>
  | Frame<"status", Views["StatusFrame"]>
  | Frame<"beat", Views["BeatFrame"]>;
