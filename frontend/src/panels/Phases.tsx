import { useNow } from "../clock";
import { span, time } from "../format";
import { At } from "../time";
import type { PhaseSpan } from "../types";
import { Bar, Card, Empty } from "../ui";
import { PhaseState } from "./ListingsTable";

/** The phases it went through and how long each lasted, one below the other on one time axis. */
export function Phases({ phases }: { phases: PhaseSpan[] }) {
  const now = useNow(1000);
  const start = Math.min(...phases.map((phase) => time(phase.enteredAt)));
  const end = Math.max(now, start + 1);
  return (
    <Card title="Phases" aside="UTC">
      {!phases.length ? <Empty>No phase recorded.</Empty> : (
        <ul className="px-3 pb-1">
          {phases.map((phase) => {
            const from = time(phase.enteredAt);
            const lasted = phase.seconds === null ? now - from : phase.seconds * 1000;
            return (
              <li key={`${phase.phase} ${phase.enteredAt}`} className="grid min-h-9 grid-cols-[96px_92px_minmax(0,1fr)_110px] items-center gap-3 border-t border-line py-1 first:border-t-0 max-sm:grid-cols-[84px_minmax(0,1fr)_92px]">
                <PhaseState phase={phase.phase} />
                <span className="text-dim"><At at={phase.enteredAt} /></span>
                <span className="max-sm:hidden"><Bar from={Math.min(0.99, (from - start) / (end - start))} share={lasted / (end - start)} tone={phase.seconds === null ? "accent" : "dim"} /></span>
                <span className="text-right">{lasted < 1000 ? `${Math.round(lasted)} ms` : span(lasted)}{phase.seconds === null && <span className="text-dim"> so far</span>}</span>
              </li>
            );
          })}
        </ul>
      )}
    </Card>
  );
}
