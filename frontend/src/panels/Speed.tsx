import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { api } from "../api";
import { count, duration, NONE } from "../format";
import { useWorld } from "../live";
import { Blocks, Card, Empty } from "../ui";
import { Histogram } from "./Histogram";

const RENEW_MS = 30_000;

/** From the venue's frame to our order's bytes, over the last day. */
export function Speed() {
  const mode = useWorld((world) => world.health.mode);
  const asked = useQuery({
    queryKey: ["analytics", "latency", "24h", mode], queryFn: ({ signal }) => api.latency("24h", mode ?? "dry-run", signal),
    enabled: mode !== undefined, refetchInterval: RENEW_MS,
  });
  const spread = asked.data?.stages.find((stage) => stage.name === "tick_to_trade")?.spread;
  const ms = (value: number | null) => (value === null ? NONE : duration(value));
  return (
    <Card title="Tick to trade" aside={<>{spread ? `${count(spread.count)} orders, 24 h` : ""}<Link to="/performance" className="text-accent hover:underline">performance</Link></>}>
      {asked.error ? <Empty>{asked.error.message}</Empty> : !spread ? <Blocks rows={4} /> : !spread.count ? <Empty>No order left the house in the last day. The first one fills this.</Empty> : (
        <div className="px-3 pb-2">
          <dl className="flex gap-6 pb-2">
            {([["p50", spread.p50Ms], ["p95", spread.p95Ms], ["p99", spread.p99Ms]] as const).map(([word, value]) => (
              <div key={word}><dt className="text-xs text-dim">{word}</dt><dd className="text-[15px] leading-5 font-semibold">{ms(value)}</dd></div>
            ))}
          </dl>
          <Histogram spread={spread} height={92} sparse />
        </div>
      )}
    </Card>
  );
}
