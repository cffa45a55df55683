import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { api, ApiError } from "../api";
import { useNow } from "../clock";
import { BASES, duration, label, money, name, NONE, OUTCOMES, price, SIGNALS, time } from "../format";
import { useWorld } from "../live";
import { Buy } from "../panels/Buy";
import { Decision } from "../panels/Decision";
import { Executions } from "../panels/Executions";
import { ExitPlan } from "../panels/ExitPlan";
import { FirstMinutes } from "../panels/FirstMinutes";
import { firstOpening, KindTag, PhaseState, SeenAfter } from "../panels/ListingsTable";
import { Pending } from "../panels/Pending";
import { Phases } from "../panels/Phases";
import { Schedule } from "../panels/Schedule";
import { SignalTimeline } from "../panels/SignalTimeline";
import { TimedEntry } from "../panels/TimedEntry";
import { Gain, ModeTag, StatusState, What, whyOf } from "../panels/TradesTable";
import { Waterfall } from "../panels/Waterfall";
import { At, Countdown } from "../time";
import type { Listing, Trade } from "../types";
import { Blocks, Card, Facts, Figure, Figures, Problem, Tag } from "../ui";

export function ListingDetail() {
  const { id } = useParams({ from: "/listings/$id" });
  const detail = useQuery({ queryKey: ["listing", id], queryFn: ({ signal }) => api.listing(id, signal) });
  const back = <Link to="/listings" className="text-accent hover:underline">All listings</Link>;
  if (!detail.data) {
    const missing = detail.error instanceof ApiError && detail.error.status === 404;
    return (
      <Card title="Listing" aside={back} level="h2">
        {detail.error
          ? <div className="grid gap-3 px-3 pb-3"><Problem>{missing ? "There is no listing with this address. It may have been typed wrongly." : detail.error.message}</Problem></div>
          : <Blocks rows={12} />}
      </Card>
    );
  }
  const { listing, timeline, schedule, phases, decisions, trades, orders, fills, positions } = detail.data;
  const decision = decisions.at(-1);
  const entry = trades.findLast((trade) => trade.role === "entry" && trade.openToOrderMs !== null) ?? trades.findLast((trade) => trade.role === "entry");
  const position = positions.at(-1);
  return (
    <>
      <Head listing={listing} />
      <div className="mt-3 grid gap-3 empty:hidden">{trades.filter((trade) => trade.status === "high_value_pending").map((trade) => <Pending key={trade.id} only={trade.id} />)}</div>
      <div className="mt-3 grid items-start gap-3 xl:grid-cols-[minmax(0,1fr)_380px]">
        <div className="grid min-w-0 gap-3">
          <FirstMinutes listing={listing} />
          {decision?.reason != null && <Decision decision={decision} attempts={decisions.length} />}
          {trades.length > 0 && <TradesOfListing trades={trades} />}
          {orders.length > 0 && <Executions orders={orders} fills={fills} />}
          {decision?.reason === null && <Decision decision={decision} attempts={decisions.length} />}
          <SignalTimeline signals={timeline} listing={listing} />
        </div>
        <div className="grid min-w-0 gap-3">
          {entry && <Waterfall trade={entry} />}
          {position && <ExitPlan position={position} />}
          {listing.outcome === "pending" && listing.phase !== "open" && <TimedEntry listing={listing} />}
          <Phases phases={phases} />
          <Card title="Is it new?" aside={<KindTag kind={listing.kind} />}>
            <p className="px-3 pb-3 break-words">{name(listing.newnessProof) || "Not decided yet: the proof needs the coin's first candles or its opening time."}</p>
            {(listing.lookAlikeOf ?? listing.relatedTo) && (
              <Facts rows={[
                ...(listing.lookAlikeOf ? [["Looks like", <bdi key="l">{name(listing.lookAlikeOf)}</bdi>] as [string, React.ReactNode]] : []),
                ...(listing.relatedTo ? [["Known pair", <bdi key="r">{name(listing.relatedTo)}</bdi>] as [string, React.ReactNode]] : []),
              ]} />
            )}
          </Card>
          {schedule.length > 0 && <Schedule changes={schedule} />}
          <Times listing={listing} />
        </div>
      </div>
    </>
  );
}

/** Its entry and its exits, each a link to its own page. */
function TradesOfListing({ trades }: { trades: Trade[] }) {
  return (
    <Card title="Trades" aside="UTC, oldest first">
      <ul className="px-3 pb-1">
        {trades.map((trade) => (
          <li key={trade.id} className="grid min-h-9 grid-cols-[auto_minmax(0,1fr)_auto] items-center gap-x-4 border-t border-line py-1 first:border-t-0">
            <Link to="/trades/$id" params={{ id: trade.id }} data-row className="hover:underline"><At at={trade.createdAt} millis /> <What trade={trade} /></Link>
            <span className="flex min-w-0 flex-wrap items-center gap-x-3"><StatusState status={trade.status} /><ModeTag mode={trade.mode} /><span className="min-w-0 break-words text-dim">{whyOf(trade)}</span></span>
            <span className="text-right">{money(trade.quoteQty)} USDT{trade.pnl !== null && <span className="block text-xs"><Gain of={trade.pnl} /></span>}</span>
          </li>
        ))}
      </ul>
    </Card>
  );
}

function Head({ listing }: { listing: Listing }) {
  const mark = useWorld((world) => world.marks[listing.symbol]);
  const now = useNow(1000);
  const ahead = listing.scheduledFor && time(listing.scheduledFor) > now && listing.phase !== "open" && listing.phase !== "withdrawn";
  return (
    <>
      <div className="mb-3 flex flex-wrap items-center gap-x-3 gap-y-2">
        <h1 className="min-w-0 max-w-full text-[22px] leading-7 break-all">
          <bdi>{name(listing.base || listing.symbol)}{listing.base && <span className="font-normal text-dim">/{name(listing.quote)}</span>}</bdi>
        </h1>
        {listing.fullName && <bdi className="max-w-full truncate text-dim">{name(listing.fullName)}</bdi>}
        <PhaseState phase={listing.phase} />
        <KindTag kind={listing.kind} />
        {listing.late && <Tag tone="warn">seen late</Tag>}
        <span className="ml-auto flex items-center gap-4">
          {listing.phase === "open" && listing.kind !== "injected" && <Buy symbol={listing.symbol} />}
          <Link to="/listings" className="text-accent hover:underline">All listings</Link>
        </span>
      </div>
      <Figures>
        <Figure label={listing.listedAtFrozen ? "Opened" : "Opening, not final yet"} note={label(BASES, listing.listedAtBasis)}><At at={listing.listedAt} /></Figure>
        <Figure label={ahead ? "Opens in" : "Seen after opening"} note={listing.late ? "nobody was watching" : listing.phase === "open" ? "opening to our first signal" : "known once it is open"}>
          {ahead && listing.scheduledFor ? <Countdown to={listing.scheduledFor} /> : <SeenAfter listing={listing} />}
        </Figure>
        <Figure label="First seen by" note={<At at={listing.detectedAt} millis />}>{label(SIGNALS, listing.firstSignal)}</Figure>
        <Figure label="Kinds of signal" note={`${listing.duplicateSignals} repeated`}>{listing.sources.length}</Figure>
        <Figure label={listing.quote ? `Last, ${name(listing.quote)}` : "Last"} note={mark ? `bid ${price(mark.bid)}, ask ${price(mark.ask)}` : "streamed while it is watched"}>{mark ? price(mark.last) : NONE}</Figure>
        <Figure label="Outcome" note={listing.reason ?? "decided after the opening"}>{label(OUTCOMES, listing.outcome)}</Figure>
      </Figures>
      {listing.reasonText && <p className="mt-3 rounded-card border border-line bg-panel px-3 py-2.5"><span className="text-dim">{listing.outcome === "entered" ? "What came of it: " : "Why not bought: "}</span>{listing.reasonText}</p>}
    </>
  );
}

function Times({ listing }: { listing: Listing }) {
  const opening = firstOpening(listing) ? time(listing.listedAt) : NaN;
  const moment = (at: string | null) => at && (
    <span className="flex flex-wrap justify-end gap-x-3">
      <At at={at} millis />
      {!Number.isNaN(opening) && <span className="min-w-16 text-dim">{time(at) >= opening ? "+" : ""}{duration(time(at) - opening)}</span>}
    </span>
  );
  return (
    <Card title="Steps" aside="UTC, from the opening">
      <Facts rows={[
        ["First signal", moment(listing.detectedAt)],
        ["Scheduled for", listing.scheduledFor && <At at={listing.scheduledFor} />],
        ["Row seen", moment(listing.rowSeenAt)],
        ["API opened", moment(listing.apiOpenedAt)],
        ["First quote", moment(listing.firstQuoteAt)],
        ["First trade", moment(listing.firstTradeAt)],
        ["Withdrawn", moment(listing.closedAt)],
        ["Coin id", listing.coinId ? <code className="font-sans break-all">{listing.coinId}</code> : null],
        ["Contract", listing.contractAddress ? <code className="font-sans break-all">{listing.contractAddress}</code> : null],
        ["Listing id", <code key="id" className="font-sans break-all">{listing.id}</code>],
      ]} />
    </Card>
  );
}
