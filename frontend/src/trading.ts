// The words of trading, and exact sums of decimal texts.
import type { OrderRole, TradeStatus, TradingState, Trigger } from "./types";
import type { Tone } from "./ui";

export const MODES = { "dry-run": "dry-run", live: "live" } as const;
export const TRIGGERS: Record<Trigger, string> = {
  scheduled: "at the announced time", first_quote: "first quote", first_trade: "first trade", surprise: "unannounced opening",
  manual: "by hand", exit: "exit plan",
};
export const TRADE_STATUSES: Record<TradeStatus, string> = {
  pending: "pending", filled: "filled", partially_filled: "partly filled", canceled: "canceled", rejected: "rejected",
  failed: "failed", in_doubt: "in doubt", high_value_pending: "waits for you",
};
export const STATUS_TONES: Record<TradeStatus, Tone> = {
  pending: "dim", filled: "up", partially_filled: "warn", canceled: "dim", rejected: "dim", failed: "down",
  in_doubt: "down", high_value_pending: "warn",
};
export const ROLES: Record<OrderRole, string> = {
  entry: "entry", take_profit: "take profit", stop_loss: "stop loss", trailing_stop: "trailing stop",
  time_exit: "time exit", manual_close: "manual close", flatten: "flatten",
};
export const STATE_TONES: Record<TradingState, Tone> = { active: "up", reducing: "warn", halted: "down" };

/** What each guard asks; its name is the reason it would refuse with. */
export const GUARDS: Record<string, string> = {
  RULES_UNKNOWN: "Trading rules known",
  NOT_ONLINE: "Pair online",
  API_CLOSED: "Open to API orders",
  ONE_SIDED: "Both sides tradable",
  SPECIAL_TREATMENT: "No warning by the venue",
  MARKET_ORDERS_CLOSED: "Order type allowed",
  CATEGORY_EXCLUDED: "Category allowed",
  BASE_ALREADY_ENTERED: "Coin not entered before",
  NO_OFFICIAL_SOURCE: "Official source",
  ABOVE_HARD_CAP: "Amount within the hard cap",
  ABOVE_POSITION_HARD_CAP: "Exposure within the hard cap",
  ABOVE_MAX_TRADE: "Amount per trade",
  ABOVE_MAX_POSITION: "Exposure",
  TOO_MANY_POSITIONS: "Open positions",
  DAILY_SPEND_REACHED: "Spent today",
  DAILY_LOSS_REACHED: "Lost today",
  DRAWDOWN_REACHED: "Loss from the peak",
  CONSECUTIVE_LOSSES_REACHED: "Losses in a row",
  TRADES_PER_HOUR_REACHED: "Entries in the last hour",
  COOLDOWN: "Time since the last entry",
  INSUFFICIENT_BALANCE: "Free balance",
  BELOW_MINIMUM: "Venue's minimum",
  EXIT_LEG_TOO_SMALL: "Can be sold again",
  SIGNAL_TOO_OLD: "Age of the signal",
  NO_BOOK: "Order book present",
  NO_REFERENCE_PRICE: "Reference price",
  SPREAD_TOO_WIDE: "Spread",
  DEPTH_TOO_THIN: "Depth to buy",
  EXIT_TOO_THIN: "Depth to sell",
  SLIPPAGE_TOO_HIGH: "Slippage",
  PRICE_IMPLAUSIBLE: "Price plausible",
  OUTSIDE_PRICE_BAND: "Inside the price band",
  ENTRIES_OFF: "Automatic entries on",
  NOT_ARMED: "Armed",
  KILL_LATCHED: "Kill switch open",
  MONITOR_STOPPED: "Monitor running",
  CLOCK_UNCERTAIN: "Clock known",
  FEED_STALE: "Market data fresh",
  NOT_RECONCILED: "Compared with the venue",
  JOURNAL_UNHEALTHY: "Journal writable",
};

/** A decimal as a whole number of 10^-scale, so that sums on it are exact. */
type Decimal = { units: bigint; scale: number };

function decimal(text: string): Decimal | null {
  const found = /^(-?)(\d+)(?:\.(\d+))?$/.exec(text);
  if (!found) return null;
  const places = found[3] ?? "";
  return { units: BigInt(`${found[1]}${found[2]}${places}`), scale: places.length };
}

function written({ units, scale }: Decimal): string {
  const digits = String(units < 0n ? -units : units).padStart(scale + 1, "0");
  const whole = digits.slice(0, digits.length - scale);
  return `${units < 0n ? "-" : ""}${whole}${scale ? `.${digits.slice(digits.length - scale)}` : ""}`;
}

/** Sum of decimal texts, exactly. */
export function sum(texts: string[]): string {
  return texts.reduce((total, text) => {
    const [a, b] = [decimal(total), decimal(text)];
    if (!a || !b) return total;
    const scale = Math.max(a.scale, b.scale);
    return written({ units: a.units * 10n ** BigInt(scale - a.scale) + b.units * 10n ** BigInt(scale - b.scale), scale });
  }, "0");
}
