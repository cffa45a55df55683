import { duration, NONE } from "../format";
import { useWorld } from "../live";
import { Ago } from "../time";
import type { Component } from "../types";
import { Blocks, Card, Empty, State, STATUS_TONE, Tag, type Tone } from "../ui";
import { componentName } from "../words";
import { inOrder } from "./Sources";

const PLANS: Record<string, [string, Tone]> = {
  calm: ["calm", "dim"], near: ["opening within 10 min", "warn"], imminent: ["opening within a minute", "down"],
};

/** How often every source is asked now; closer to an opening, more often. */
export function PollPlan() {
  const sources = useWorld((world) => world.monitor.sources);
  const polled = sources?.filter((source) => typeof source.figures.interval_ms === "number").toSorted(inOrder);
  const plan = polled?.find((source) => typeof source.figures.plan === "string")?.figures.plan;
  const [word, tone] = PLANS[String(plan)] ?? ["", "dim"];
  return (
    <Card title="Poll plan" aside={word && <Tag tone={tone}>{word}</Tag>}>
      {!polled ? <Blocks rows={6} /> : !polled.length ? <Empty>Nothing is asked while the monitor is stopped.</Empty> : (
        <ul className="px-3 pb-1">{polled.map((source) => <Line key={source.name} source={source} />)}</ul>
      )}
      <p className="border-t border-line px-3 py-2 text-xs text-dim">Calm, then tighter ten minutes and one minute before an announced opening, until half a minute after it. The market stream is always on.</p>
    </Card>
  );
}

function Line({ source }: { source: Component }) {
  const every = source.figures.interval_ms;
  const wait = source.figures.next_attempt_s;
  return (
    <li className="grid min-h-9 grid-cols-[minmax(0,1fr)_auto_84px] items-center gap-3 border-t border-line py-1 first:border-t-0" title={source.detail}>
      <State tone={STATUS_TONE[source.status]}><span className="cut text-text">{componentName(source.name)}</span></State>
      <span className="text-right">{typeof wait === "number" ? <span className="text-warn">again in {duration(wait * 1000)}</span> : <>every {typeof every === "number" ? duration(every) : NONE}</>}</span>
      <span className="text-right text-xs text-dim"><Ago at={source.lastEventAt} /></span>
    </li>
  );
}
