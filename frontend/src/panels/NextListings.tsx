import { Link } from "@tanstack/react-router";
import { useMemo } from "react";
import { useNow } from "../clock";
import { duration, name, time } from "../format";
import { useWorld } from "../live";
import { At, Countdown } from "../time";
import type { CalendarEntry } from "../types";
import { Blocks, Card, Empty, Tag } from "../ui";

/** Announced, not withdrawn, not over by more than a minute; "to be determined" last. */
export function upcoming(entries: CalendarEntry[], now: number): CalendarEntry[] {
  return entries.filter((entry) => !entry.withdrawn && (entry.opensAt === null || time(entry.opensAt) > now - 60_000));
}

export function NextListings({ rows = 6 }: { rows?: number }) {
  const calendar = useWorld((world) => world.calendar);
  const now = useNow(1000);
  const open = useOpenIds();
  const next = calendar && upcoming(calendar, now).filter((entry) => !open.has(entry.listingId ?? ""));
  return (
    <Card title="Next listings" aside="UTC">
      {!next ? <Blocks rows={4} height={48} /> : next.length === 0 ? (
        <Empty><NothingAnnounced /></Empty>
      ) : (
        <ul className="px-3 pb-1">
          {next.slice(0, rows).map((entry) => <Line key={entry.coinId} entry={entry} />)}
        </ul>
      )}
      {next && next.length > rows && (
        <p className="border-t border-line px-3 py-2 text-xs"><Link to="/calendar" className="text-accent hover:underline">{next.length - rows} more in the calendar</Link></p>
      )}
    </Card>
  );
}

/** When the calendar is read next, as its source reports it. */
export function NothingAnnounced() {
  const source = useWorld((world) => world.monitor.sources.find((known) => known.name === "source.calendar"));
  const every = source?.figures.interval_ms;
  return (
    <>
      Nothing announced. {source && source.status !== "stopped"
        ? <>The venue's calendar is read {typeof every === "number" ? `every ${duration(every)}` : "regularly"}; what it announces appears here by itself.</>
        : "The venue's calendar is read while the monitor runs."}
    </>
  );
}

/** Ids of the listings that are open: they have left the waiting line. */
export function useOpenIds(): ReadonlySet<string> {
  const listings = useWorld((world) => world.listings);
  return useMemo(() => new Set((listings ?? []).filter((listing) => listing.phase === "open").map((listing) => listing.id)), [listings]);
}

function Line({ entry }: { entry: CalendarEntry }) {
  const coin = <bdi className="cut block font-semibold">{name(entry.asset)}</bdi>;
  return (
    <li className="flex min-h-12 items-center justify-between gap-3 border-t border-line py-1.5 first:border-t-0">
      <div className="min-w-0">
        {entry.listingId
          ? <Link to="/listings/$id" params={{ id: entry.listingId }} className="block hover:text-accent hover:underline">{coin}</Link>
          : coin}
        <div className="flex items-center gap-2 text-xs text-dim">
          {entry.opensAt === null ? "time not announced yet" : <At at={entry.opensAt} />}
          {entry.schedule.length > 1 && <Tag tone="warn">moved</Tag>}
        </div>
      </div>
      {entry.opensAt === null ? <span className="text-dim">TBD</span> : <Countdown to={entry.opensAt} big />}
    </li>
  );
}
