// Names of the engine's parts and figures, as an operator reads them.
const PARTS: Record<string, string> = {
  clock: "Venue clock",
  ledger: "Ledger",
  engine: "Engine",
  rest: "REST client",
};
const SOURCES: Record<string, string> = {
  stream: "Market stream",
  exchange_info: "exchangeInfo",
  default_symbols: "defaultSymbols",
  self_symbols: "selfSymbols",
  calendar: "Calendar",
  web_symbols: "Web symbol list",
  announcements: "Announcements",
  mini_tickers: "Mini tickers",
  offline: "Offline list",
};

const sentence = (word: string) => (word ? word[0]?.toUpperCase() + word.slice(1).replaceAll("_", " ") : word);

/** Whether listings are heard on it. */
export const isSource = (name: string) => name.startsWith("source.");

export function componentName(name: string): string {
  const source = name.startsWith("source.") ? name.slice("source.".length) : null;
  return source === null ? (PARTS[name] ?? sentence(name)) : (SOURCES[source] ?? sentence(source));
}

/** `lag_ms_p50` → ["Lag p50", "ms"]: the unit leaves the name. */
export function figureName(name: string): [string, string] {
  const unit = /_(ms|s|bytes|pct)(?=_|$)/.exec(name)?.[1] ?? "";
  const rest = unit ? name.replace(new RegExp(`_${unit}(?=_|$)`), "") : name;
  return [sentence(rest), unit === "pct" ? "%" : unit];
}
