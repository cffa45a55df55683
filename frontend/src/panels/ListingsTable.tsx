import { Link } from "@tanstack/react-router";
import clsx from "clsx";
import { memo, useEffect, useRef, type ReactNode } from "react";
import { useNow } from "../clock";
import { duration, KINDS, label, name, NONE, OUTCOMES, PHASES, price, SIGNALS, time } from "../format";
import { useHeldRows } from "../held";
import { useWorld } from "../live";
import { At, Countdown } from "../time";
import type { Listing, ListingKind, Mark, Phase } from "../types";
import { Scroller, State, Tag, type Tone } from "../ui";

const PHASE_TONE: Record<Phase, Tone> = { signaled: "dim", scheduled: "accent", pre_open: "warn", open: "up", withdrawn: "dim" };
const KIND_TONE: Record<ListingKind, Tone> = {
  unproven: "dim", new: "up", relist: "dim", returned: "dim", second_quote: "dim", renamed: "dim", look_alike: "warn", injected: "accent",
};

export const PhaseState = ({ phase }: { phase: Phase }) => <State tone={PHASE_TONE[phase] ?? "dim"}>{label(PHASES, phase)}</State>;
export const KindTag = ({ kind }: { kind: ListingKind }) => <Tag tone={KIND_TONE[kind] ?? "dim"}>{label(KINDS, kind)}</Tag>;

/** Base and quote; hostile names (markup, right-to-left marks, very long ones) stay inside their box. */
export function Pair({ listing }: { listing: Listing }) {
  return (
    <bdi title={name(listing.symbol)}>
      <span className="font-semibold">{name(listing.base || listing.symbol)}</span>
      {listing.base && <span className="text-dim">/{name(listing.quote)}</span>}
    </bdi>
  );
}

/** Its opening lies somewhere in the past; delays from there mean nothing. */
export const tradedBefore = ({ kind }: Listing) => kind === "relist" || kind === "returned";
/** Whether `listedAt` is an opening that delays can be told from. */
export const firstOpening = (listing: Listing) => listing.listedAtFrozen && !tradedBefore(listing);

/** Opening → our first signal that it is open; a countdown before that. */
export function SeenAfter({ listing }: { listing: Listing }) {
  const now = useNow(1000);
  if (tradedBefore(listing)) return <span className="text-dim" title="It traded before; there is no first opening to be late for.">{NONE}</span>;
  if (listing.late) return <Tag tone="warn" title="It opened while nobody watched.">late</Tag>;
  if (listing.detectionLagMs !== null) return <>{duration(listing.detectionLagMs)}</>;
  if (listing.phase !== "open" && listing.phase !== "withdrawn" && listing.scheduledFor && time(listing.scheduledFor) > now)
    return <Countdown to={listing.scheduledFor} />;
  return <span className="text-dim">{NONE}</span>;
}

export function ListingsTable({ rows, empty, onWaiting, className, caption }: {
  rows: Listing[]; empty: ReactNode; className?: string; caption: string;
  /** Tells the card's header how many rows wait, and how to let them in. */
  onWaiting?: (waiting: number, release: () => void) => void;
}) {
  const marks = useWorld((world) => world.marks) ?? {};
  const fresh = useWorld((world) => world.fresh) ?? {};
  const { shown, waiting, release, handlers } = useHeldRows(rows);
  const let_in = useRef(release);
  let_in.current = release;
  useEffect(() => onWaiting?.(waiting, () => let_in.current()), [waiting, onWaiting]);
  if (!rows.length) return <>{empty}</>;
  return (
    <div {...handlers}>
      <Scroller label={caption} className={clsx("border-t border-line", className)}>
        <table className="w-full table-fixed border-collapse">
          <caption className="sr-only">{caption}</caption>
          <thead className="sticky top-0 z-10 bg-panel">
            <tr>
              <th scope="col" className="th w-[16%] max-sm:w-[44%]">Pair</th>
              <th scope="col" className="th w-[11%] max-sm:w-[27%]">State</th>
              <th scope="col" className="th w-[12%] max-sm:hidden">Kind</th>
              <th scope="col" className="th num w-[12%] max-sm:hidden">Opening, UTC</th>
              <th scope="col" className="th num w-[11%] max-sm:w-[29%]">Seen after</th>
              <th scope="col" className="th w-[15%] pl-5! max-lg:hidden">First seen by</th>
              <th scope="col" className="th num w-[11%] max-lg:hidden">Last</th>
              <th scope="col" className="th w-[12%] pl-5! max-md:hidden">Outcome</th>
            </tr>
          </thead>
          <tbody>
            {shown.map((listing) => (
              <Row key={listing.id} listing={listing} mark={marks[listing.symbol]} freshAt={fresh[listing.id]} />
            ))}
          </tbody>
        </table>
      </Scroller>
    </div>
  );
}

const Row = memo(function Row({ listing, mark, freshAt }: { listing: Listing; mark: Mark | undefined; freshAt: number | undefined }) {
  // Decided when the row appears: a table that is opened later does not glow for old news.
  const glows = useRef(freshAt !== undefined && Date.now() - freshAt < 1_200).current;
  return (
    <tr className={clsx("row", glows && "fresh")}>
      <th scope="row" className="td cut text-left font-normal max-sm:h-12">
        <Link to="/listings/$id" params={{ id: listing.id }} data-row className="hover:text-accent hover:underline">
          <Pair listing={listing} />
        </Link>
        <span className="cut block text-xs text-dim sm:hidden">{label(KINDS, listing.kind)} · <At at={listing.listedAt} /></span>
      </th>
      <td className="td"><PhaseState phase={listing.phase} /></td>
      <td className="td max-sm:hidden"><KindTag kind={listing.kind} /></td>
      <td className="td num max-sm:hidden"><At at={listing.listedAt} /></td>
      <td className="td num"><SeenAfter listing={listing} /></td>
      <td className="td cut pl-5! text-dim max-lg:hidden" title={label(SIGNALS, listing.firstSignal)}>{label(SIGNALS, listing.firstSignal)}</td>
      <td className="td num max-lg:hidden">{mark ? <span title={`at ${mark.at}`}>{price(mark.last)}</span> : <span className="text-dim">{NONE}</span>}</td>
      <td className="td cut pl-5! text-dim max-md:hidden" title={listing.reasonText}>{label(OUTCOMES, listing.outcome)}</td>
    </tr>
  );
});
