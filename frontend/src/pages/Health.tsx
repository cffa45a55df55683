import { useMemo } from "react";
import { useNow } from "../clock";
import { count, duration, logShare, NONE, span, time } from "../format";
import { useLink, useWorld } from "../live";
import { inOrder, sourceLag } from "../panels/Sources";
import { useRisk } from "../panels/Exposure";
import { Ago, Countdown } from "../time";
import type { Component, Figure as Value } from "../types";
import { Bar, Blocks, Card, Empty, Facts, Figure, Figures, Scroller, State, STATUS_TONE } from "../ui";
import { componentName, figureName, isSource } from "../words";

export function Health() {
  const health = useWorld((world) => world.health);
  const alive = useWorld((world) => world.engineAlive);
  const monitor = useWorld((world) => world.monitor);
  const link = useLink();
  const throttle = useRisk().data?.throttle;
  const parts = health?.components ?? [];
  const clock = parts.find((part) => part.name === "clock")?.figures;
  const budget = requestBudget(parts);
  const offset = number(clock?.offset_ms);
  const error = number(clock?.uncertainty_ms);
  return (
    <>
      <h1 className="sr-only">Health</h1>
      {!health || !monitor ? <Card title="Health"><Blocks rows={12} /></Card> : (
        <>
          <Figures>
            <Figure label="Engine" note={`version ${health.version}, ${health.environment}`} {...(alive ? {} : { tone: "down" as const })}>{alive ? "answers" : "does not answer"}</Figure>
            <Figure label="Market stream" note={monitor.websocketConnected ? "WebSocket connected" : monitor.wanted ? "not connected" : "monitor stopped"}>{monitor.websocketConnected ? "connected" : "off"}</Figure>
            <Figure label="Venue clock minus ours" note={error === null ? "once the monitor runs" : `± ${duration(error)}`}>{offset === null ? NONE : `${offset > 0 ? "+" : ""}${duration(offset)}`}</Figure>
            <Figure label="Request weight, 10 s" note={budget ? <Bar share={budget.used / budget.limit} tone={budget.used > budget.limit * 0.8 ? "warn" : "accent"} /> : "once the monitor runs"}>
              {budget ? <>{count(budget.used)}<span className="ml-1 text-xs font-normal text-dim">of {count(budget.limit)}</span></> : NONE}
            </Figure>
            <Figure label="Venue's ban" note={throttle?.perSecond == null ? "once the engine tells" : `${throttle.available ?? NONE} of ${throttle.perSecond} orders a second free`} {...(throttle?.bannedUntil ? { tone: "down" as const } : {})}>
              {throttle?.bannedUntil ? <Countdown to={throttle.bannedUntil} done="ended" /> : throttle ? "none" : NONE}
            </Figure>
            <Figure label="This page" note={link.state === "polling" ? "asks every 3 s" : "one WebSocket"}>{link.state}</Figure>
          </Figures>
          <div className="mt-3 grid items-start gap-3 xl:grid-cols-[minmax(0,1fr)_380px]">
            <Parts parts={parts} />
            <div className="grid min-w-0 gap-3">
              <Lags />
              {offset !== null && error !== null && <ClockBar offset={offset} error={error} />}
              <Credits version={health.version} />
            </div>
          </div>
        </>
      )}
    </>
  );
}

/** What the program assumes the venue allows in ten seconds (REFERENCE: undocumented since 2025). */
const WEIGHT_LIMIT = 300;

const number = (value: Value | undefined) => (typeof value === "number" ? value : null);

function requestBudget(parts: Component[]): { used: number; limit: number } | null {
  // Every polled source tells the weight its host had used; the one that is asked most often knows it best.
  const asked = parts.filter((part) => typeof part.figures.weight === "number" && part.lastEventAt);
  const latest = asked.sort((a, b) => time(b.lastEventAt) - time(a.lastEventAt))[0];
  return latest ? { used: Number(latest.figures.weight), limit: WEIGHT_LIMIT } : null;
}

/** The engine, its parts, then the sources. */
const rank = (part: Component) => (part.name === "engine" ? 0 : isSource(part.name) ? 2 : 1);

function Parts({ parts }: { parts: Component[] }) {
  const monitor = useWorld((world) => world.monitor);
  const now = useNow(1000);
  const ordered = [...parts].sort((a, b) => rank(a) - rank(b) || inOrder(a, b));
  return (
    <Card title="Parts" aside={`${count(monitor?.baselineSize ?? 0)} symbols known before the monitor ran`}>
      {!parts.length ? <Empty>The engine has not reported yet. Its parts appear as soon as it runs.</Empty> : (
        <Scroller label="Parts of the bot" className="border-t border-line">
          <table className="w-full border-collapse">
            <caption className="sr-only">Parts of the bot, their state and the age of their last event</caption>
            <thead>
              <tr>
                <th scope="col" className="th">Part</th>
                <th scope="col" className="th">State</th>
                <th scope="col" className="th num">Last event</th>
                <th scope="col" className="th max-md:hidden">Figures</th>
              </tr>
            </thead>
            <tbody>
              {ordered.map((part) => (
                <tr key={part.name} className="row align-top">
                  <th scope="row" className="td py-1.5 text-left font-normal whitespace-normal!">
                    <span className="font-medium">{componentName(part.name)}</span>
                    {part.detail && <p className="max-w-[46ch] text-xs break-words text-dim">{part.detail}</p>}
                  </th>
                  <td className="td py-1.5"><State tone={STATUS_TONE[part.status]}>{part.status}</State><p className="text-xs text-dim">for {span(Math.max(0, now - time(part.since)))}</p></td>
                  <td className="td num py-1.5"><Ago at={part.lastEventAt} /></td>
                  <td className="td py-1.5 whitespace-normal! max-md:hidden"><FigureList figures={part.figures} /></td>
                </tr>
              ))}
            </tbody>
          </table>
        </Scroller>
      )}
    </Card>
  );
}

function FigureList({ figures }: { figures: Record<string, Value> }) {
  const shown = Object.entries(figures).filter(([, value]) => value !== null && value !== "");
  if (!shown.length) return <span className="text-dim">{NONE}</span>;
  return (
    <span className="flex flex-wrap gap-x-4 gap-y-0.5 text-xs">
      {shown.map(([name, value]) => {
        const [words, unit] = figureName(name);
        const text = unit === "ms" && typeof value === "number" ? duration(value)
          : typeof value === "number" ? `${Number.isInteger(value) ? count(value) : value.toFixed(2)}${unit && ` ${unit}`}` : String(value);
        return <span key={name} className="whitespace-nowrap"><span className="text-dim">{words}</span> {text}</span>;
      })}
    </span>
  );
}

function Lags() {
  const sources = useWorld((world) => world.monitor.sources);
  const listings = useWorld((world) => world.listings);
  const lags = useMemo(() => (sources ?? []).toSorted(inOrder).flatMap((source) => {
    const lag = sourceLag(source, listings ?? []);
    return lag === null ? [] : [{ name: source.name, lag }];
  }), [sources, listings]);
  const longest = Math.max(1, ...lags.map(({ lag }) => lag));
  return (
    <Card title="Source lag, p50" aside="venue time to arrival, bars in powers of ten">
      {!lags.length ? <Empty>No lag measured yet. The first listing fills this.</Empty> : (
        <ul className="px-3 pb-2">
          {lags.map(({ name, lag }) => (
            <li key={name} className="grid min-h-8 grid-cols-[130px_minmax(0,1fr)_76px] items-center gap-3">
              <span className="truncate">{componentName(name)}</span>
              <Bar share={logShare(lag, longest)} />
              <span className="text-right">{duration(lag)}</span>
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}

/** The offset with its error bar on an axis around zero. */
function ClockBar({ offset, error }: { offset: number; error: number }) {
  const reach = Math.max(Math.abs(offset) + error, 1) * 1.25;
  const place = (ms: number) => (ms + reach) / (2 * reach);
  return (
    <Card title="Clock offset" aside="venue minus ours, with its error">
      <div className="px-3 pb-3" role="img" aria-label={`The venue's clock is ${duration(offset)} from ours, give or take ${duration(error)}`}>
        <div className="relative h-6">
          <span className="absolute inset-x-0 top-1/2 h-px bg-line" />
          <span className="absolute inset-y-1 w-px bg-edge" style={{ left: "50%" }} />
          <span className="absolute top-1/2 h-2 -translate-y-1/2 rounded-full bg-accent/35" style={{ left: `${place(offset - error) * 100}%`, width: `${(error / reach) * 100}%` }} />
          <span className="absolute top-1/2 size-2 -translate-1/2 rounded-full bg-accent" style={{ left: `${place(offset) * 100}%` }} />
        </div>
        <div className="flex justify-between text-xs text-dim"><span>{duration(-reach)}</span><span>0</span><span>+{duration(reach)}</span></div>
      </div>
    </Card>
  );
}

function Credits({ version }: { version: string }) {
  return (
    <Card title="Credits">
      <Facts rows={[
        ["mexc-sniper", <span key="v">{version}, Apache-2.0</span>],
        ["Typeface", <a key="f" className="text-accent hover:underline" href="/dashboard/inter-font-license.txt">Inter, SIL OFL 1.1</a>],
        ["Charts", <a key="c" className="text-accent hover:underline" href="https://www.tradingview.com/" target="_blank" rel="noreferrer">TradingView Lightweight Charts™, Copyright TradingView, Inc.</a>],
        ["Page", <a key="p" className="text-accent hover:underline" href="/dashboard/licenses.md">licences of what it is built from</a>],
      ]} />
      <p className="border-t border-line px-3 py-2 text-xs text-dim">Not made by, and not connected with, MEXC.</p>
    </Card>
  );
}
