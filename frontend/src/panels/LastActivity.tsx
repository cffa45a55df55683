import { Link } from "@tanstack/react-router";
import clsx from "clsx";
import { useNow } from "../clock";
import { ago, clock, exact } from "../format";
import { useWorld } from "../live";
import { Blocks, Card, Empty, State } from "../ui";

export function LastActivity({ rows = 10 }: { rows?: number }) {
  const activity = useWorld((world) => world.activity);
  const now = useNow(1000);
  return (
    <Card title="Last activity" aside="newest first">
      {!activity ? <Blocks rows={5} /> : activity.length === 0 ? (
        <Empty>Nothing has happened yet. Listings, trades, moved openings and your own actions appear here at once.</Empty>
      ) : (
        <ol className="px-3 pb-1">
          {activity.slice(0, rows).map((entry) => (
            <li key={entry.key} className="flex min-h-8 items-center gap-3 border-t border-line py-1 first:border-t-0">
              <time className="w-16 shrink-0 text-dim tabular-nums max-sm:w-14" dateTime={exact(entry.at)} title={exact(entry.at)}>{clock(entry.at, now).split(", ").pop()}</time>
              <span className={clsx("min-w-0 flex-1 break-words", entry.tone === "warn" && "text-warn")}>
                <bdi>
                  {entry.listingId
                    ? <Link to="/listings/$id" params={{ id: entry.listingId }} className="hover:underline">{entry.text}</Link>
                    : entry.tradeId ? <Link to="/trades/$id" params={{ id: entry.tradeId }} className="hover:underline">{entry.text}</Link>
                    : entry.text}
                </bdi>
              </span>
              <span className="shrink-0 text-xs text-dim max-sm:hidden">
                <State tone={entry.who === "operator" ? "accent" : "dim"}><span className="text-dim">{entry.who}, {ago(now - entry.at)}</span></State>
              </span>
            </li>
          ))}
        </ol>
      )}
    </Card>
  );
}
