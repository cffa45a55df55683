import { useMemo } from "react";
import { duration, median, NONE } from "../format";
import { useWorld } from "../live";
import { Ago } from "../time";
import type { Component, Listing } from "../types";
import { Blocks, Card, Empty, State, STATUS_TONE } from "../ui";
import { componentName } from "../words";

const KINDS_OF: Record<string, string[]> = {
  "source.exchange_info": ["exchange_info_row", "api_opened"],
  "source.default_symbols": ["default_symbols"],
  "source.self_symbols": ["self_symbols"],
  "source.calendar": ["calendar"],
  "source.web_symbols": ["web_symbol"],
  "source.announcements": ["announcement"],
  "source.offline": ["offline"],
  "source.stream": ["mini_tickers", "first_quote", "first_trade"],
};

/** Median source lag in ms: the engine's own figure, or that of the listings in view. */
export function sourceLag(component: Component, listings: Listing[]): number | null {
  const said = component.figures.lag_ms_p50;
  if (typeof said === "number") return said;
  const kinds = KINDS_OF[component.name] ?? [];
  return median(listings.flatMap((listing) =>
    listing.sources.filter((source) => kinds.includes(source.kind)).flatMap((source) => source.lagMs ?? [])));
}

export function Sources() {
  const sources = useWorld((world) => world.monitor.sources);
  const listings = useWorld((world) => world.listings);
  const lags = useMemo(
    () => new Map((sources ?? []).map((source) => [source.name, sourceLag(source, listings ?? [])])),
    [sources, listings],
  );
  return (
    <Card title="Sources" aside="lag p50 · last event">
      {!sources ? <Blocks rows={6} /> : sources.length === 0 ? (
        <Empty>No source is asked yet. They appear when the monitor is started.</Empty>
      ) : (
        <ul className="px-3 pb-1">
          {sources.map((source) => {
            const lag = lags.get(source.name) ?? null;
            return (
              <li key={source.name} className="flex min-h-8 items-center justify-between gap-3 border-t border-line py-1 first:border-t-0" title={source.detail}>
                <State tone={STATUS_TONE[source.status]}>
                  <span className={source.status === "ok" ? "text-text" : ""}>{componentName(source.name)}</span>
                  {source.status !== "ok" && <span className="text-xs">{source.status}</span>}
                </State>
                <span className="flex items-baseline gap-3 text-right text-xs text-dim">
                  <span>{lag === null ? NONE : duration(lag)}</span>
                  <span className="min-w-16"><Ago at={source.lastEventAt} /></span>
                </span>
              </li>
            );
          })}
        </ul>
      )}
    </Card>
  );
}
