// The prices our rules stand on, as the chart and its legend name them.
import type { ChartLine } from "../types";

export const LINES: Record<ChartLine["kind"], { title: string; name: string; tone: "up" | "down" | "warn" | "accent" | "dim"; dotted: boolean }> = {
  reference: { title: "ref", name: "Reference", tone: "dim", dotted: true },
  cap: { title: "cap", name: "Most it might pay", tone: "warn", dotted: true },
  entry: { title: "entry", name: "Entry", tone: "accent", dotted: false },
  take_profit: { title: "take profit", name: "Take profit", tone: "up", dotted: false },
  stop: { title: "stop", name: "Stop", tone: "down", dotted: false },
  trailing: { title: "trail from", name: "Trailing stop begins", tone: "accent", dotted: true },
};
