// Every filter is in the URL; anything unknown there is dropped. Apart from the pages, which are loaded when opened.
import { KINDS, OUTCOMES, PHASES } from "./format";
import { MODES, TRADE_STATUSES } from "./trading";

export type ListingsSearch = { q?: string; phase?: string; outcome?: string; kind?: string; page?: number };

export function readSearch(raw: Record<string, unknown>): ListingsSearch {
  const search: ListingsSearch = {};
  if (typeof raw.q === "string" || typeof raw.q === "number") search.q = String(raw.q).slice(0, 64);
  if (typeof raw.phase === "string" && raw.phase in PHASES) search.phase = raw.phase;
  if (typeof raw.outcome === "string" && raw.outcome in OUTCOMES) search.outcome = raw.outcome;
  if (typeof raw.kind === "string" && raw.kind in KINDS) search.kind = raw.kind;
  const page = Number(raw.page);
  if (Number.isInteger(page) && page > 1) search.page = page;
  return search;
}

export type TradesSearch = { symbol?: string; mode?: string; status?: string; page?: number };

export function readTradesSearch(raw: Record<string, unknown>): TradesSearch {
  const search: TradesSearch = {};
  if ((typeof raw.symbol === "string" || typeof raw.symbol === "number") && raw.symbol !== "") search.symbol = String(raw.symbol).slice(0, 64);
  if (typeof raw.mode === "string" && raw.mode in MODES) search.mode = raw.mode;
  if (typeof raw.status === "string" && raw.status in TRADE_STATUSES) search.status = raw.status;
  const page = Number(raw.page);
  if (Number.isInteger(page) && page > 1) search.page = page;
  return search;
}


export const WINDOWS = { "1h": "1 h", "24h": "24 h", "7d": "7 d", "30d": "30 d", all: "all" } as const;
export type Window = keyof typeof WINDOWS;
export type PerformanceSearch = { window?: Window; mode?: "live" };

export function readPerformanceSearch(raw: Record<string, unknown>): PerformanceSearch {
  const search: PerformanceSearch = {};
  if (typeof raw.window === "string" && raw.window in WINDOWS && raw.window !== "7d") search.window = raw.window as Window;
  if (raw.mode === "live") search.mode = "live";
  return search;
}

/** What the audit tells of; `q` is any text in a row. */
export const AUDIT_KINDS = { command: "commands", config: "configuration", trading: "trading state", order: "orders", fill: "fills" } as const;
export type AuditSearch = { q?: string; kind?: string; page?: number };

export function readAuditSearch(raw: Record<string, unknown>): AuditSearch {
  const search: AuditSearch = {};
  if ((typeof raw.q === "string" || typeof raw.q === "number") && raw.q !== "") search.q = String(raw.q).slice(0, 64);
  if (typeof raw.kind === "string" && raw.kind in AUDIT_KINDS) search.kind = raw.kind;
  const page = Number(raw.page);
  if (Number.isInteger(page) && page > 1) search.page = page;
  return search;
}
