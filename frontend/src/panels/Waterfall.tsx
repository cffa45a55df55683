import { duration, NONE } from "../format";
import { At } from "../time";
import type { Trade } from "../types";
import { Bar, Card, Empty } from "../ui";

type Stage = { what: string; note: string; from: number; ms: number };

/** Each stage begins where the one before it ended; what was not measured is left out and not guessed. */
function stages(trade: Trade): Stage[] {
  const parts: [string, string, number | null][] = [
    ["Venue to us", "opening to frame", trade.openToOrderMs === null || trade.tickToTradeMs === null ? trade.sourceLagMs : Math.max(0, trade.openToOrderMs - trade.tickToTradeMs)],
    ["Decision", "frame to bytes", trade.tickToTradeMs],
    ["Round trip", "bytes to answer", trade.roundTripMs],
    ["Fill", "answer to fill", trade.ackToFillMs],
  ];
  let at = 0;
  return parts.flatMap(([what, note, ms]) => {
    if (ms === null) return [];
    const stage = { what, note, from: at, ms };
    at += ms;
    return [stage];
  });
}

/** Where the time went between the opening and our fill. */
export function Waterfall({ trade }: { trade: Trade }) {
  const found = stages(trade);
  const last = found.at(-1);
  const whole = last ? Math.max(last.from + last.ms, 0.001) : 1;
  return (
    <Card title="From the opening to the fill" aside={<At at={trade.createdAt} millis />}>
      {!last ? <Empty>Nothing left the house, so nothing was measured.</Empty> : (
        <ul className="px-3 pb-1">
          {found.map(({ what, note, from, ms }) => (
            <li key={what} className="grid min-h-10 grid-cols-[112px_minmax(0,1fr)_64px] items-center gap-3 border-t border-line py-1 first:border-t-0">
              <span>{what}<span className="cut block text-xs text-dim" title={note}>{note}</span></span>
              <Bar from={Math.min(0.99, from / whole)} share={ms / whole} tone={what === "Decision" ? "accent" : "dim"} />
              <span className="text-right">{duration(ms)}</span>
            </li>
          ))}
          <li className="flex min-h-8 items-center justify-between border-t border-line font-medium"><span>Together</span><span>{last ? duration(whole) : NONE}</span></li>
        </ul>
      )}
    </Card>
  );
}
