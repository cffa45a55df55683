import { lazy, Suspense } from "react";
import { count, money, signed, SIGNALS } from "../format";
import { ROLES, TRIGGERS } from "../trading";
import type { Group, Performance } from "../types";
import { Bar, Card, Empty, Scroller } from "../ui";
import { Gain } from "./TradesTable";

const EquityChart = lazy(() => import("../charts/EquityChart"));
const DAYS_SHOWN = 31;

export function Equity({ report }: { report: Performance }) {
  return (
    <Card title={<>Profit <span className="font-normal text-dim">realized, USDT</span></>} aside={`${count(report.closed)} positions closed`}>
      {!report.curve.length ? <Empty>No position was closed in this window. The curve begins with the first exit.</Empty> : (
        <>
          <Suspense fallback={<div className="h-[220px]" />}>
            <EquityChart points={report.curve} label={`Realized profit over the window ends at ${signed(report.profit)} USDT; deepest fall ${money(report.maxDrawdown)} USDT.`} />
          </Suspense>
          <p className="border-t border-line px-3 py-1.5 text-xs text-dim">
            UTC. Charts by <a className="text-accent hover:underline" href="https://www.tradingview.com/" target="_blank" rel="noreferrer">TradingView Lightweight Charts</a>.
          </p>
        </>
      )}
    </Card>
  );
}

export function Daily({ report }: { report: Performance }) {
  const days = report.days.slice(-DAYS_SHOWN).toReversed();
  const most = Math.max(...days.map((day) => Math.abs(Number(day.profit))), 0.01);
  return (
    <Card title="Profit by day" aside="UTC days, USDT">
      {!days.length ? <Empty>No day with a closed position.</Empty> : (
        <Scroller label="Profit by day" className="max-h-[266px]">
          <ul className="px-3 pb-1">
            {days.map((day) => (
              <li key={day.day} className="grid min-h-8 grid-cols-[92px_minmax(0,1fr)_92px] items-center gap-3 border-t border-line first:border-t-0">
                <time className="whitespace-nowrap" dateTime={day.day}>{day.day}</time>
                <Bar share={Math.abs(Number(day.profit)) / most} tone={Number(day.profit) < 0 ? "down" : "up"} />
                <span className="text-right" title={`${day.positions} positions`}><Gain of={day.profit} /></span>
              </li>
            ))}
          </ul>
        </Scroller>
      )}
    </Card>
  );
}

const words = (name: string) => ({ ...SIGNALS, ...TRIGGERS, ...ROLES } as Record<string, string>)[name] ?? name;

/** Closed positions by what they have in common. */
export function Groups({ title, groups, first }: { title: string; groups: Group[]; first: string }) {
  return (
    <Card title={title}>
      {!groups.length ? <Empty>No closed position.</Empty> : (
        <Scroller label={title} className="border-t border-line">
          <table className="w-full table-fixed border-collapse">
            <caption className="sr-only">{title}</caption>
            <thead>
              <tr>
                <th scope="col" className="th w-[38%]">{first}</th><th scope="col" className="th num w-[18%]">Closed</th>
                <th scope="col" className="th num w-[20%]">Won</th><th scope="col" className="th num w-[24%]">Profit</th>
              </tr>
            </thead>
            <tbody>
              {groups.toSorted((a, b) => b.positions - a.positions).map((group) => (
                <tr key={group.name} className="row">
                  <th scope="row" className="td cut text-left font-normal">{words(group.name)}</th>
                  <td className="td num">{count(group.positions)}</td><td className="td num">{(group.winRate * 100).toFixed(0)} %</td><td className="td num"><Gain of={group.profit} /></td>
                </tr>
              ))}
            </tbody>
          </table>
        </Scroller>
      )}
    </Card>
  );
}

/** 24 columns, one an hour of the day: up is won, down is lost. */
export function Hours({ groups }: { groups: Group[] }) {
  const by = new Map(groups.map((group) => [Number(group.name), group]));
  const most = Math.max(...groups.map((group) => Math.abs(Number(group.profit))), 0.01);
  const said = groups.map((group) => `${group.name}:00 ${signed(group.profit)}`).join(", ");
  return (
    <Card title="Profit by hour of the entry" aside="UTC">
      {!groups.length ? <Empty>No closed position.</Empty> : (
        <figure role="img" aria-label={`Profit by UTC hour of the entry: ${said}`} className="px-3 pb-2">
          <div aria-hidden className="flex h-24 items-stretch gap-0.5">
            {Array.from({ length: 24 }, (_, hour) => {
              const group = by.get(hour);
              const size = group ? (Math.abs(Number(group.profit)) / most) * 48 : 0;
              const lost = group !== undefined && Number(group.profit) < 0;
              return (
                <div key={hour} className="relative flex-1" title={group ? `${group.name}:00, ${group.positions} closed, ${signed(group.profit)} USDT` : `${hour}:00, none`}>
                  <span className="absolute inset-x-0 top-1/2 h-px bg-line" />
                  {group && <span className={`absolute inset-x-0 rounded-[2px] ${lost ? "top-1/2 bg-down" : "bottom-1/2 bg-up"}`} style={{ height: Math.max(2, size) }} />}
                </div>
              );
            })}
          </div>
          <div aria-hidden className="flex justify-between pt-1 text-[11px] text-dim"><span>00</span><span>06</span><span>12</span><span>18</span><span>23</span></div>
        </figure>
      )}
    </Card>
  );
}

