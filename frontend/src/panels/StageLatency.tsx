import { useState } from "react";
import { count, duration, NONE } from "../format";
import { At } from "../time";
import type { Analytics, Stage } from "../types";
import { Card, Empty, Scroller, Segments } from "../ui";
import { Histogram } from "./Histogram";

const NAMES: Record<string, [string, string]> = {
  detection: ["Detection", "opening at the venue to our first signal"],
  source_lag: ["Source lag", "venue time to frame"],
  tick_to_trade: ["Tick to trade", "frame to order bytes"],
  open_to_order: ["Open to order", "opening to order bytes"],
  round_trip: ["Round trip", "order bytes to the venue's answer"],
  ack_to_fill: ["Ack to fill", "the venue's answer to the fill"],
};
const ORDER = Object.keys(NAMES);
const title = (stage: Stage) => NAMES[stage.name]?.[0] ?? stage.name.replaceAll("_", " ");
const ms = (value: number | null) => (value === null ? NONE : duration(value));

/** Every named latency: percentiles in a row each; the chosen one with its histogram and course. */
export function StageLatency({ report }: { report: Analytics }) {
  const stages = [report.detection, ...report.stages].toSorted((a, b) => ORDER.indexOf(a.name) - ORDER.indexOf(b.name));
  const measured = stages.filter((stage) => stage.spread.count > 0);
  const [wanted, setWanted] = useState("tick_to_trade");
  const chosen = measured.find((stage) => stage.name === wanted) ?? measured[0];
  return (
    <Card title="Latency by stage" aside={`${count(report.attempts.trades)} trades${report.attempts.errorRate === null ? "" : `, ${(report.attempts.errorRate * 100).toFixed(2)} % failed or in doubt`}`}>
      {!chosen ? <Empty>Nothing was measured in this window. The first order and the first opening fill this.</Empty> : (
        <div className="grid grid-cols-[minmax(0,1fr)] lg:grid-cols-[minmax(0,1fr)_minmax(0,1fr)]">
          <Scroller label="Latency by stage" className="border-t border-line">
            <table className="w-full border-collapse">
              <caption className="sr-only">Percentiles of every stage</caption>
              <thead>
                <tr>
                  <th scope="col" className="th">Stage</th><th scope="col" className="th num">p50</th><th scope="col" className="th num max-sm:hidden">p95</th>
                  <th scope="col" className="th num">p99</th><th scope="col" className="th num max-sm:hidden">Longest</th><th scope="col" className="th num max-sm:hidden">Count</th>
                </tr>
              </thead>
              <tbody>
                {stages.map((stage) => (
                  <tr key={stage.name} className={`row ${stage === chosen ? "bg-raised" : ""}`}>
                    <th scope="row" className="td h-11! text-left font-normal">
                      {stage.spread.count ? (
                        <button type="button" aria-pressed={stage === chosen} className="text-left hover:text-accent" onClick={() => setWanted(stage.name)}>
                          <span className="block">{title(stage)}</span><span className="block text-xs text-dim max-sm:hidden">{NAMES[stage.name]?.[1]}</span>
                        </button>
                      ) : <span className="text-dim">{title(stage)}</span>}
                    </th>
                    <td className="td num font-semibold">{ms(stage.spread.p50Ms)}</td><td className="td num max-sm:hidden">{ms(stage.spread.p95Ms)}</td><td className="td num">{ms(stage.spread.p99Ms)}</td>
                    <td className="td num text-dim max-sm:hidden">{ms(stage.spread.maxMs)}</td><td className="td num text-dim max-sm:hidden">{count(stage.spread.count)}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </Scroller>
          <Chosen stage={chosen} />
        </div>
      )}
    </Card>
  );
}

function Chosen({ stage }: { stage: Stage }) {
  const [view, setView] = useState<"spread" | "course">("spread");
  return (
    <div className="min-w-0 border-line px-3 pt-2 pb-3 max-lg:border-t lg:border-t lg:border-l">
      <div className="flex items-center justify-between gap-3 pb-2">
        <h3 className="text-[13px]">{title(stage)} <span className="font-normal text-dim">{count(stage.spread.count)} measured</span></h3>
        <Segments label="How to show it" options={["spread", "course"]} value={view} onChange={setView} />
      </div>
      {view === "spread" ? <Histogram spread={stage.spread} height={178} /> : <Course stage={stage} />}
    </div>
  );
}

/** Median and tail over the window's 24 parts, as columns: the light part reaches to p95. */
function Course({ stage }: { stage: Stage }) {
  const tallest = Math.max(0.001, ...stage.trend.map((step) => step.p95Ms ?? 0));
  const said = stage.trend.filter((step) => step.count).map((step) => `${step.at.slice(0, 16).replace("T", " ")}: p50 ${ms(step.p50Ms)}, p95 ${ms(step.p95Ms)}`).join("; ");
  return (
    <figure role="img" aria-label={`Course over the window. ${said}`}>
      <div aria-hidden className="flex items-end gap-1" style={{ height: 178 }}>
        {stage.trend.map((step) => (
          <div key={step.at} className="relative h-full flex-1" title={step.count ? `${count(step.count)}: p50 ${ms(step.p50Ms)}, p95 ${ms(step.p95Ms)}` : "nothing measured"}>
            {step.count > 0 && (
              <>
                <span className="absolute inset-x-0 bottom-0 rounded-t-[3px] bg-accent/25" style={{ height: `max(3px, ${((step.p95Ms ?? 0) / tallest) * 92}%)` }} />
                <span className="absolute inset-x-0 bottom-0 rounded-t-[3px] bg-accent/80" style={{ height: `max(3px, ${((step.p50Ms ?? 0) / tallest) * 92}%)` }} />
              </>
            )}
          </div>
        ))}
      </div>
      <figcaption aria-hidden className="flex justify-between border-t border-line pt-1 text-[11px] text-dim"><At at={stage.trend[0]?.at ?? null} /><span>dark: p50, light: p95 (highest {duration(tallest)})</span><span>now</span></figcaption>
    </figure>
  );
}
