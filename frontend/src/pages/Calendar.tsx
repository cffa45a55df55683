import { Link } from "@tanstack/react-router";
import clsx from "clsx";
import { useNow } from "../clock";
import { duration, name, NONE, time } from "../format";
import { useWorld } from "../live";
import { NothingAnnounced, useOpenIds } from "../panels/NextListings";
import { PollPlan } from "../panels/PollPlan";
import { Move } from "../panels/Schedule";
import { Ago, At, Countdown } from "../time";
import type { CalendarEntry } from "../types";
import { Blocks, Card, Empty, Scroller, Tag } from "../ui";

export function Calendar() {
  const entries = useWorld((world) => world.calendar);
  const source = useWorld((world) => world.monitor.sources.find((known) => known.name === "source.calendar"));
  return (
    <>
      <h1 className="sr-only">Calendar</h1>
      <div className="grid items-start gap-3 xl:grid-cols-[minmax(0,1fr)_340px]">
      <Card title="Announced openings" aside={<>UTC{source?.lastEventAt && <>, read <Ago at={source.lastEventAt} /></>}</>}>
        {source && source.status !== "ok" && source.status !== "stopped" && (
          <p className="px-3 pb-3 text-warn">The venue's calendar does not answer at the moment. It is an unofficial source; listings are seen without it, only unannounced. {source.detail}</p>
        )}
        {!entries ? <Blocks rows={8} height={44} /> : entries.length === 0
          ? <Empty><NothingAnnounced /></Empty>
          : <Table entries={entries} />}
      </Card>
      <PollPlan />
      </div>
    </>
  );
}

function Table({ entries }: { entries: CalendarEntry[] }) {
  const open = useOpenIds();
  return (
    <Scroller label="Announced openings" className="border-t border-line">
      <table className="w-full table-fixed border-collapse">
        <caption className="sr-only">Announced openings, soonest first</caption>
        <thead>
          <tr>
            <th scope="col" className="th w-[24%] max-sm:w-[36%]">Coin</th>
            <th scope="col" className="th num w-[16%] max-sm:hidden">Opens, UTC</th>
            <th scope="col" className="th num w-[18%] max-sm:w-[32%]">Countdown</th>
            <th scope="col" className="th w-[20%] pl-5! max-sm:w-[32%]">Changes</th>
            <th scope="col" className="th num w-[10%] max-lg:hidden" title="First announced time to the one in force, or to the real opening">Drift</th>
            <th scope="col" className="th num w-[14%] max-md:hidden">Announced</th>
          </tr>
        </thead>
        <tbody>{entries.map((entry) => <Row key={entry.coinId} entry={entry} open={open.has(entry.listingId ?? "")} />)}</tbody>
      </table>
    </Scroller>
  );
}

function Row({ entry, open }: { entry: CalendarEntry; open: boolean }) {
  const now = useNow(60_000);
  const past = entry.opensAt !== null && time(entry.opensAt) < now;
  const coin = <bdi className="font-semibold" title={name(entry.asset)}>{name(entry.asset)}</bdi>;
  const moved = entry.schedule.length > 1;
  return (
    <tr className={clsx("row", (entry.withdrawn || past) && "text-dim")}>
      <th scope="row" className="td cut h-11! text-left font-normal">
        {entry.listingId
          ? <Link to="/listings/$id" params={{ id: entry.listingId }} data-row className="hover:text-accent hover:underline">{coin}</Link>
          : coin}
        {entry.fullName && entry.fullName !== entry.asset && <bdi className="cut block text-xs text-dim">{name(entry.fullName)}</bdi>}
      </th>
      <td className="td num max-sm:hidden">{entry.opensAt === null ? <span className="text-dim">TBD</span> : <At at={entry.opensAt} />}</td>
      <td className="td num">
        {entry.withdrawn ? <span className="text-dim">withdrawn</span> : entry.opensAt === null ? <span className="text-dim">TBD</span> : <Countdown to={entry.opensAt} done={open ? "opened" : "due"} />}
      </td>
      <td className="td pl-5! whitespace-normal!">
        <span className="flex flex-wrap items-center gap-x-2 gap-y-1 py-1">
          {entry.withdrawn && <Tag tone="warn">withdrawn</Tag>}
          {moved && <Tag tone="warn">moved</Tag>}
          {moved && <span className="text-xs max-sm:hidden"><Move from={entry.schedule.at(-2)} to={entry.schedule.at(-1)!} /></span>}
          {!moved && !entry.withdrawn && <span className="text-dim">–</span>}
        </span>
      </td>
      <td className="td num max-lg:hidden"><Drift entry={entry} /></td>
      <td className="td num text-dim max-md:hidden"><Ago at={entry.firstSeenAt} /></td>
    </tr>
  );
}

/** How far the first announced time was from the one in force, or from the opening that really was. */
function Drift({ entry }: { entry: CalendarEntry }) {
  const opened = useWorld((world) => world.listings.find((listing) => listing.id === entry.listingId && listing.phase === "open" && listing.listedAtFrozen)?.listedAt);
  const first = entry.schedule.find((change) => change.opensAt !== null)?.opensAt;
  const last = opened ?? entry.opensAt;
  if (!first || !last || entry.withdrawn) return <span className="text-dim">{NONE}</span>;
  const ms = time(last) - time(first);
  if (Math.abs(ms) < 1000) return <span className="text-dim">on time</span>;
  return <span className={Math.abs(ms) > 60_000 ? "text-warn" : ""} title={opened ? "first announced to opened" : "first announced to announced now"}>{ms > 0 ? "+" : ""}{duration(ms)}</span>;
}
