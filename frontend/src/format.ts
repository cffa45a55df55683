// How numbers and times are written (the rules of docs: UTC, tabular, a true minus, never an exponent).
import type { Iso, ListedAtBasis, ListingKind, Outcome, Phase, SignalKind } from "./types";

const counts = new Intl.NumberFormat("en-US");
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const two = (n: number) => String(n).padStart(2, "0");

export const NONE = "–";
export const count = (n: number) => counts.format(n).replace("-", "−");
export const time = (at: Iso | null) => (at === null ? NaN : Date.parse(at));

/** A duration in ms with its unit: µs below 1 ms, one place below 10 ms, then ms, s, min, h, d. */
export function duration(ms: number): string {
  const size = Math.abs(ms);
  const sign = ms < 0 ? "−" : "";
  if (size === 0) return "0 ms";
  if (size < 1) return `${sign}${Math.round(size * 1000)} µs`;
  if (size < 10) return `${sign}${size.toFixed(1)} ms`;
  if (size < 10_000) return `${sign}${counts.format(Math.round(size))} ms`;
  if (size < 120_000) return `${sign}${(size / 1000).toFixed(size % 1000 === 0 ? 0 : 1)} s`;
  return sign + span(size);
}

/** A long duration in its two largest units: 4 min 10 s, 3 h 2 min, 5 d 4 h. */
export function span(ms: number): string {
  const s = Math.floor(ms / 1000);
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min${s < 600 && s % 60 ? ` ${s % 60} s` : ""}`;
  if (s < 86_400) return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
  return `${counts.format(Math.floor(s / 86_400))} d ${Math.floor((s % 86_400) / 3600)} h`;
}

export function ago(ms: number): string {
  return ms < 1000 ? "just now" : ms < 60_000 ? `${Math.floor(ms / 1000)} s ago` : `${span(ms).split(" ").slice(0, 2).join(" ")} ago`;
}

/** `HH:MM:SS` of `now`'s UTC day, `22 Nov, 11:30` of its year, `22 Nov 2025` of any other. */
export function clock(at: number, now: number, millis = false): string {
  if (Number.isNaN(at)) return NONE;
  const d = new Date(at);
  const hms = `${two(d.getUTCHours())}:${two(d.getUTCMinutes())}`;
  if (d.toISOString().slice(0, 10) === new Date(now).toISOString().slice(0, 10)) {
    const seconds = `${hms}:${two(d.getUTCSeconds())}`;
    return millis ? `${seconds}.${String(d.getUTCMilliseconds()).padStart(3, "0")}` : seconds;
  }
  const day = `${d.getUTCDate()} ${MONTHS[d.getUTCMonth()]}`;
  return d.getUTCFullYear() === new Date(now).getUTCFullYear() ? `${day}, ${hms}` : `${day} ${d.getUTCFullYear()}`;
}

export const exact = (at: Iso | number | null) =>
  at === null || (typeof at === "number" && Number.isNaN(at)) ? "" : new Date(at).toISOString();

/** Time left: `00:03:59`, `2 d 03:04:05`, with tenths in the last ten seconds. */
export function countdown(ms: number): string {
  if (ms < 10_000) return `00:00:0${(Math.floor(ms / 100) / 10).toFixed(1)}`;
  const s = Math.ceil(ms / 1000);
  const days = Math.floor(s / 86_400);
  const hms = `${two(Math.floor((s % 86_400) / 3600))}:${two(Math.floor((s % 3600) / 60))}:${two(s % 60)}`;
  return days ? `${days} d ${hms}` : hms;
}

/** Decimal text as the API sent it, without an exponent should one ever arrive. */
export function price(text: string | null): string {
  if (text === null) return NONE;
  const found = /^(\d)(?:\.(\d+))?[eE]-(\d+)$/.exec(text);
  if (!found) return text;
  return `0.${"0".repeat(Number(found[3]) - 1)}${found[1]}${found[2] ?? ""}`;
}

type Text = `${number}`;
const cents = new Intl.NumberFormat("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
const plain = new Intl.NumberFormat("en-US", { maximumFractionDigits: 18, useGrouping: false });
const rough = new Intl.NumberFormat("en-US", { maximumSignificantDigits: 7, useGrouping: false });
const grouped = new Intl.NumberFormat("en-US", { maximumFractionDigits: 18 });

/** Money of the quote asset: two places, a true minus. Formatted from the decimal text, never through a float. */
export const money = (text: string | null | undefined) => (text == null ? NONE : cents.format(text as Text).replace("-", "−"));

/** Profit and change always carry their sign. */
export function signed(text: string | null | undefined, places: (text: string) => string = money): string {
  if (text == null) return NONE;
  const said = places(text).replace("-", "−");
  return /[1-9]/.test(said) && !said.startsWith("−") ? `+${said}` : said.replace(/^−(?=[0.]*$)/, "");
}
export const signTone = (text: string | null | undefined) => (text == null || !/[1-9]/.test(text) ? undefined : text.startsWith("-") ? "down" as const : "up" as const);

/** An average of fills has more digits than any price: seven that mean something. */
export const average = (text: string | null | undefined) => (text == null ? NONE : rough.format(text as Text));
export const amount = (text: string | null | undefined) => (text == null ? NONE : grouped.format(text as Text));
export const decimalText = (text: string) => plain.format(text as Text);
/** Basis points of the API as percent, two places. */
export const percent = (bps: string | null | undefined) => (bps == null ? NONE : `${signed(String(Number(bps) / 100))} %`);

const INVISIBLE = /[\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\p{Cc}]/gu;

/** A name from the venue as text: marks that hide or turn letters around become visible instead of working. */
export const name = (text: string) => text.replace(INVISIBLE, "\ufffd");

/** A pair in one word; where only the symbol is known yet, that. */
export const pairName = ({ base, quote, symbol }: { base: string; quote: string; symbol: string }) =>
  base ? `${name(base)}/${name(quote)}` : name(symbol);

/** A bar's share on a scale of powers of ten from 1 ms: 12 ms and 12 s must both be readable. */
export function logShare(ms: number, longest: number): number {
  return Math.max(0, Math.log10(Math.max(Math.abs(ms), 1))) / Math.log10(Math.max(longest, 10));
}

export function median(values: number[]): number | null {
  return quantile(values, 0.5);
}
export function quantile(values: number[], q: number): number | null {
  if (!values.length) return null;
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)] ?? null;
}

export const SIGNALS: Record<SignalKind, string> = {
  calendar: "calendar",
  announcement: "announcement",
  web_symbol: "web symbol list",
  exchange_info_row: "exchangeInfo",
  api_opened: "API opened",
  default_symbols: "defaultSymbols",
  self_symbols: "selfSymbols",
  mini_tickers: "mini tickers",
  first_quote: "first quote",
  first_trade: "first trade",
  candles: "candles",
  offline: "offline list",
  test_injection: "test injection",
};
export const PHASES: Record<Phase, string> = {
  signaled: "signaled", scheduled: "scheduled", pre_open: "pre-open", open: "open", withdrawn: "withdrawn",
};
export const OUTCOMES: Record<Outcome, string> = {
  pending: "pending", entered: "entered", skipped: "skipped", missed: "missed", failed: "failed",
};
export const KINDS: Record<ListingKind, string> = {
  unproven: "unproven", new: "new", relist: "relist", returned: "returned", second_quote: "second quote",
  renamed: "renamed", look_alike: "look-alike", injected: "test",
};
export const BASES: Record<ListedAtBasis, string> = {
  first_seen: "first seen by us", announced: "announced", injection: "time of the injection",
  first_open_time: "the venue's opening time", first_trade: "first trade",
};
export const label = <K extends string>(words: Record<K, string>, key: K): string =>
  words[key] ?? String(key).replaceAll("_", " ");
