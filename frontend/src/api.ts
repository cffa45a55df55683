// The only place that talks HTTP. Every call has a deadline; every refusal becomes an ApiError with the API's sentence.
import { QueryClient } from "@tanstack/react-query";
import type {
  Analytics, ApiToken, Attention, AuditPage, Calendar, ChannelChange, Channels, Config, ConfigHistory, Executed, GoLive, Health, Kill, ListingChart, ListingDetail, Listings, Monitor, Orders, Performance, Personal, Positions, Risk, Session,
  TradeDetail, Trades,
} from "./types";

export class ApiError extends Error {
  constructor(readonly status: number, readonly code: string, message: string, readonly details: Record<string, unknown> = {}) {
    super(message);
  }
}

export const queries = new QueryClient({
  defaultOptions: {
    queries: { networkMode: "always", retry: 1, retryDelay: 500, staleTime: 5_000, structuralSharing: false, refetchOnWindowFocus: false },
  },
});

const DEADLINE_MS = 6_000;
/** The bot itself waits up to 5 s for the outcome of an order. */
const TRADE_DEADLINE_MS = 9_000;
/** A message to a far service may take its time. */
const TEST_DEADLINE_MS = 24_000;

let prove: (() => Promise<boolean>) | null = null;
/** Who asks for the password when the bot wants it again; false: the person gave up. */
export const onStepUp = (ask: () => Promise<boolean>): void => { prove = ask; };

/** One request and its answer. Where the bot wants the password again it is asked for, and the same request repeated once. */
export async function call<T>(method: string, path: string, body?: unknown, signal?: AbortSignal, deadlineMs = DEADLINE_MS, key = newKey()): Promise<T> {
  try {
    return await once<T>(method, path, key, body, signal, deadlineMs);
  } catch (error) {
    if (!(error instanceof ApiError) || path.startsWith("/auth/step-up")) throw error;
    // The bot has given the session a new proof (after a step-up in another tab): learn it, nothing was done yet.
    if (error.code === "csrf_required") await renewSession();
    else if (error.code !== "step_up_required" || !prove || !(await prove())) throw error;
    return once<T>(method, path, newKey(), body, signal, deadlineMs);
  }
}

async function once<T>(method: string, path: string, key: string, body: unknown, signal: AbortSignal | undefined, deadlineMs: number): Promise<T> {
  const headers: Record<string, string> = { Accept: "application/json" };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (method !== "GET") {
    if (path !== "/auth/session" || method === "DELETE") headers["X-CSRF-Token"] = (await session()).csrfToken;
    headers["Idempotency-Key"] = key;
  }
  const deadline = AbortSignal.timeout(deadlineMs);
  let answer: Response;
  try {
    answer = await fetch(path, {
      method,
      headers,
      body: body === undefined ? null : JSON.stringify(body),
      credentials: "same-origin",
      cache: "no-store",
      signal: signal ? AbortSignal.any([signal, deadline]) : deadline,
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiError(0, deadline.aborted ? "timeout" : "unreachable",
      deadline.aborted ? "The bot did not answer in time. Nothing is known about the result; look again before repeating."
        : "The bot cannot be reached. Is it still running in the terminal?");
  }
  const data: unknown = await answer.json().catch(() => null);
  if (!answer.ok) {
    const said = (data ?? {}) as { code?: string; message?: string; details?: Record<string, unknown> };
    throw new ApiError(answer.status, said.code ?? `http_${answer.status}`,
      said.message ?? `The bot answered with HTTP ${answer.status}.`, said.details);
  }
  return data as T;
}

/** Who is signed in; asked for once and kept. */
export const session = () =>
  queries.ensureQueryData({ queryKey: ["session"], queryFn: () => call<Session>("GET", "/auth/session"), retry: false });

/** Ask anew who is signed in: a step-up or a new password gives the session another proof. */
export async function renewSession(): Promise<void> {
  queries.removeQueries({ queryKey: ["session"] });
  await session();
  void queries.invalidateQueries({ queryKey: ["whoami"] });
}

/** 128 random bits; `crypto.randomUUID` exists on secure origins only. */
export function newKey(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((b) => b.toString(16).padStart(2, "0")).join("");
}

export type KillAction = "pause" | "cancel" | "flatten" | "resume";
export type TradeFilter = { mode?: string; status?: string; symbol?: string };
export type Resolution = "adopt" | "ignore" | "mark";
export type ListingFilter = { text?: string; phase?: string; outcome?: string; kind?: string };

export const api = {
  signIn: (token: string) => call<Session>("POST", "/auth/session", { token }),
  signInWithPassword: (password: string) => call<Session>("POST", "/auth/session", { password }),
  signOut: () => call<unknown>("DELETE", "/auth/session"),
  health: (signal?: AbortSignal) => call<Health>("GET", "/health", undefined, signal),
  monitor: (signal?: AbortSignal) => call<Monitor>("GET", "/monitor/status", undefined, signal),
  calendar: (signal?: AbortSignal) => call<Calendar>("GET", "/calendar?limit=500", undefined, signal),
  config: (signal?: AbortSignal) => call<Config>("GET", "/config", undefined, signal),
  listings: (limit: number, offset: number, filter: ListingFilter = {}, signal?: AbortSignal) => {
    const asked = new URLSearchParams({ limit: String(limit), offset: String(offset) });
    for (const [name, value] of Object.entries(filter)) if (value) asked.set(name, value);
    return call<Listings>("GET", `/listings?${asked}`, undefined, signal);
  },
  listing: (id: string, signal?: AbortSignal) =>
    call<ListingDetail>("GET", `/listings/${encodeURIComponent(id)}`, undefined, signal),
  bars: (id: string, signal?: AbortSignal) => call<ListingChart>("GET", `/listings/${encodeURIComponent(id)}/bars`, undefined, signal),
  trades: (limit: number, offset: number, filter: TradeFilter = {}, signal?: AbortSignal) => {
    const asked = new URLSearchParams({ limit: String(limit), offset: String(offset) });
    for (const [name, value] of Object.entries(filter)) if (value) asked.set(name, value);
    return call<Trades>("GET", `/trade/history?${asked}`, undefined, signal);
  },
  trade: (id: string, signal?: AbortSignal) => call<TradeDetail>("GET", `/trade/${encodeURIComponent(id)}`, undefined, signal),
  positions: (signal?: AbortSignal) => call<Positions>("GET", "/positions?open=true&limit=500", undefined, signal),
  openOrders: (signal?: AbortSignal) => call<Orders>("GET", "/orders?open=true&limit=500", undefined, signal),
  risk: (signal?: AbortSignal) => call<Risk>("GET", "/risk/metrics", undefined, signal),
  latency: (window: string, mode: string, signal?: AbortSignal) => call<Analytics>("GET", `/analytics/latency?window=${window}&mode=${mode}`, undefined, signal),
  performance: (window: string, mode: string, signal?: AbortSignal) => call<Performance>("GET", `/analytics/performance?window=${window}&mode=${mode}`, undefined, signal),
  audit: (limit: number, offset: number, filter: { what?: string | undefined; text?: string | undefined; verify?: boolean }, signal?: AbortSignal) => {
    const asked = new URLSearchParams({ limit: String(limit), offset: String(offset) });
    for (const [name, value] of Object.entries(filter)) if (value) asked.set(name, String(value));
    return call<AuditPage>("GET", `/audit?${asked}`, undefined, signal);
  },
  attention: (signal?: AbortSignal) => call<{ attention: Attention[] }>("GET", "/attention", undefined, signal),
  buy: (symbol: string, quoteQty: string, key: string) => call<Executed>("POST", "/trade/execute", { symbol, quoteQty }, undefined, TRADE_DEADLINE_MS, key),
  decide: (id: string, confirm: boolean) => call<unknown>("POST", `/trade/${encodeURIComponent(id)}/${confirm ? "confirm" : "reject"}`, undefined, undefined, TRADE_DEADLINE_MS),
  closePosition: (id: string) => call<unknown>("POST", `/positions/${encodeURIComponent(id)}/close`),
  cancelOrder: (clientOrderId: string) => call<unknown>("POST", `/orders/${encodeURIComponent(clientOrderId)}/cancel`),
  resolve: (id: string, resolution: Resolution) => call<unknown>("POST", `/attention/${encodeURIComponent(id)}/resolve`, { resolution }),
  kill: (action: KillAction, reason: string) => call<Kill>("POST", "/kill-switch", { action, reason }),
  golive: (signal?: AbortSignal) => call<GoLive>("GET", "/golive", undefined, signal),
  arm: (minutes: number) => call<unknown>("POST", "/arm", { confirm: "LIVE", minutes }),
  disarm: () => call<unknown>("POST", "/disarm"),
  configSchema: (signal?: AbortSignal) => call<unknown>("GET", "/config/schema", undefined, signal),
  configHistory: (signal?: AbortSignal) => call<ConfigHistory>("GET", "/config/history?limit=50", undefined, signal),
  setConfig: (version: number, config: Record<string, unknown>, confirm: boolean) =>
    call<unknown>("PUT", "/config", { version, config, ...(confirm ? { confirm } : {}) }),
  rollback: (version: number, confirm: boolean) => call<unknown>("POST", "/config/rollback", { version, ...(confirm ? { confirm } : {}) }),
  setMonitor: (wanted: boolean) => call<unknown>("POST", wanted ? "/monitor/start" : "/monitor/stop"),
  whoami: (signal?: AbortSignal) => call<Session & Personal>("GET", "/auth/session", undefined, signal),
  stepUp: (password: string) => call<unknown>("POST", "/auth/step-up", { password }),
  setPassword: (current: string, next: string) => call<unknown>("POST", "/auth/password", { ...(current ? { current } : {}), new: next }),
  logoutOthers: () => call<unknown>("POST", "/auth/logout-others"),
  tokens: (signal?: AbortSignal) => call<{ tokens: ApiToken[] }>("GET", "/auth/tokens", undefined, signal),
  makeToken: (name: string, scopes: string[], expiresInDays: number | null) =>
    call<{ token: string }>("POST", "/auth/tokens", { name, scopes, ...(expiresInDays === null ? {} : { expiresInDays }) }),
  revokeToken: (id: string) => call<unknown>("DELETE", `/auth/tokens/${encodeURIComponent(id)}`),
  channels: (signal?: AbortSignal) => call<Channels>("GET", "/notifications", undefined, signal),
  timeEntry: (id: string, capPrice: string | null, offsetMs: number) =>
    call<unknown>("PUT", `/listings/${encodeURIComponent(id)}/timed-entry`, { capPrice, offsetMs }),
  setChannel: (id: string, change: ChannelChange) => call<unknown>("PUT", `/notifications/${encodeURIComponent(id)}`, change),
  testChannel: (id: string) => call<{ ok: boolean; detail: string }>("POST", `/notifications/${encodeURIComponent(id)}/test`, undefined, undefined, TEST_DEADLINE_MS),
  inject: (symbol: string) => call<unknown>("POST", "/listings/inject", { symbol }),
};
