import { ArrowRight } from "lucide-react";
import { At } from "../time";
import type { ScheduleChange } from "../types";
import { Card } from "../ui";

const Opening = ({ at }: { at: string | null }) => (at === null ? <span>TBD</span> : <At at={at} />);

/** Every announced time, each change as old → new. */
export function Schedule({ changes }: { changes: ScheduleChange[] }) {
  return (
    <Card title="Announced opening" aside={changes.length > 1 ? `moved ${changes.length - 1}×, UTC` : "UTC"}>
      <ol className="px-3 pb-1">
        {changes.map((change, i) => (
          <li key={change.notedAt + i} className="flex min-h-8 flex-wrap items-center justify-between gap-x-3 border-t border-line py-1 first:border-t-0">
            <span className="text-dim">noted <At at={change.notedAt} /></span>
            <Move from={i ? changes[i - 1] : undefined} to={change} />
          </li>
        ))}
      </ol>
    </Card>
  );
}

export function Move({ from, to }: { from: ScheduleChange | undefined; to: ScheduleChange }) {
  return (
    <span className="inline-flex items-center gap-1.5 whitespace-nowrap">
      {from && <><span className="text-dim line-through"><Opening at={from.opensAt} /></span><ArrowRight aria-label="moved to" size={13} className="text-warn" /></>}
      <Opening at={to.opensAt} />
    </span>
  );
}
