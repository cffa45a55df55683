import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { lazy, Suspense, useState } from "react";
import { api } from "../api";
import { LINES } from "../charts/lines";
import { amount, count, label, pairName, price } from "../format";
import { At } from "../time";
import { ROLES } from "../trading";
import type { ChartLine, ChartMark, Listing, ListingChart } from "../types";
import { Blocks, Card, Empty, Problem, Segments, type Tone } from "../ui";
import { ModeTag } from "./TradesTable";

const CandleChart = lazy(() => import("../charts/CandleChart"));

const GROWS_MS = 2_000;
const WINDOWS = { "2 min": 120, "10 min": 600, all: null } as const;
const TEXT: Record<Tone, string> = { up: "text-up", warn: "text-warn", down: "text-down", dim: "text-dim", accent: "text-accent" };

/** Candles of the first minutes with what we did and the prices our rules stood on. */
export function FirstMinutes({ listing }: { listing: Listing }) {
  const [view, setView] = useState<keyof typeof WINDOWS>("2 min");
  const asked = useQuery({
    queryKey: ["bars", listing.id], queryFn: ({ signal }) => api.bars(listing.id, signal), placeholderData: keepPreviousData,
    refetchInterval: ({ state }) => (state.data?.growing && listing.phase === "open" ? GROWS_MS : false),
  });
  const chart = asked.data;
  const drawn = chart !== undefined && chart.bars.length > 0;
  return (
    <Card title={<>First minutes <span className="font-normal text-dim">1 s candles, UTC</span></>} aside={drawn && <Segments label="Time in view" options={Object.keys(WINDOWS) as (keyof typeof WINDOWS)[]} value={view} onChange={setView} />}>
      {asked.error && <div className="px-3 pb-3"><Problem>{asked.error.message}</Problem></div>}
      {!chart ? !asked.error && <Blocks rows={10} height={34} />
        : !drawn ? <Empty>{listing.phase === "open" ? "No trade of this pair was seen while it was watched, so there is nothing to draw." : "Candles appear with the first trade."}</Empty>
        : (
          <>
            <Suspense fallback={<div className="h-[340px] max-sm:h-[260px]" />}><CandleChart chart={chart} window={WINDOWS[view]} label={summary(listing, chart)} /></Suspense>
            <Legend lines={chart.lines} marks={chart.marks} />
            <p className="border-t border-line px-3 py-2 text-xs text-dim">
              {summary(listing, chart)} An empty second had no trade; after ten minutes a candle is a minute.{" "}
              Charts by <a className="text-accent hover:underline" href="https://www.tradingview.com/" target="_blank" rel="noreferrer">TradingView Lightweight Charts</a>.
            </p>
          </>
        )}
    </Card>
  );
}

/** The chart in a sentence, for those who cannot see it. */
function summary(listing: Listing, chart: ListingChart): string {
  const { bars } = chart;
  const first = bars[0];
  const last = bars.at(-1);
  if (!first || !last) return "";
  const by = (pick: (a: number, b: number) => boolean, of: "high" | "low") =>
    bars.reduce((best, bar) => (pick(Number(bar[of]), Number(best[of])) ? bar : best), first)[of];
  return `${pairName(listing)} opened at ${price(first.open)}, highest ${price(by((a, b) => a > b, "high"))}, lowest ${price(by((a, b) => a < b, "low"))}, last ${price(last.close)}; ${count(bars.reduce((all, bar) => all + bar.trades, 0))} trades.`;
}

function Legend({ lines, marks }: { lines: ChartLine[]; marks: ChartMark[] }) {
  if (!lines.length && !marks.length) return null;
  return (
    <div className="flex flex-wrap gap-x-5 gap-y-1 border-t border-line px-3 py-2 text-xs">
      {marks.map((mark) => (
        <span key={`${mark.at} ${mark.role} ${mark.quantity}`} className="inline-flex items-center gap-1.5">
          <span aria-hidden className={mark.side === "buy" ? "text-accent" : "text-warn"}>{mark.side === "buy" ? "▲" : "▼"}</span>
          {mark.tradeId ? <Link to="/trades/$id" params={{ id: mark.tradeId }} className="hover:underline">{mark.side === "buy" ? "Bought" : "Sold"}</Link> : mark.side}
          {" "}{amount(mark.quantity)} at {price(mark.price)}{mark.role !== "entry" && <span className="text-dim">{label(ROLES, mark.role)}</span>}
          <span className="text-dim"><At at={mark.at} millis /></span><ModeTag mode={mark.mode} />
        </span>
      ))}
      {lines.map((line, i) => (
        <span key={`${line.kind} ${i}`} className="inline-flex items-center gap-1.5">
          <span aria-hidden className={`w-4 border-t ${LINES[line.kind].dotted ? "border-dotted" : "border-dashed"} ${TEXT[LINES[line.kind].tone]}`} style={{ borderColor: "currentColor" }} />
          <span className="text-dim">{LINES[line.kind].name}</span> {price(line.price)}{line.done && line.kind === "take_profit" && <span className="text-dim">done</span>}
        </span>
      ))}
    </div>
  );
}

