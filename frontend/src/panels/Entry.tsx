import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { api } from "../api";
import { money } from "../format";
import { useWorld } from "../live";
import { At } from "../time";
import type { Listing } from "../types";
import { Card } from "../ui";
import { Decision } from "./Decision";
import { Gain, ModeTag, StatusState, What, whyOf } from "./TradesTable";

const LATEST = 50;

/** What came of a listing: the guards of its entry decision and its trades. Nothing where none was made. */
export function Entry({ listing }: { listing: Listing }) {
  const moved = useWorld((world) => world.trades.find((trade) => trade.listingId === listing.id)?.updatedAt);
  const asked = useQuery({
    queryKey: ["trades", "of", listing.symbol, moved], queryFn: ({ signal }) => api.trades(LATEST, 0, { symbol: listing.symbol }, signal),
    placeholderData: (known) => known,
  });
  const trades = (asked.data?.trades ?? []).filter((trade) => trade.listingId === listing.id);
  const entry = trades.findLast((trade) => trade.role === "entry");
  const detail = useQuery({ queryKey: ["trade", entry?.id], queryFn: ({ signal }) => api.trade(entry?.id ?? "", signal), enabled: entry !== undefined });
  if (!trades.length) return null;
  return (
    <>
      <Card title="Trades" aside="UTC, oldest first">
        <ul className="px-3 pb-1">
          {trades.toReversed().map((trade) => (
            <li key={trade.id} className="grid min-h-9 grid-cols-[auto_minmax(0,1fr)_auto] items-center gap-x-4 border-t border-line py-1 first:border-t-0">
              <Link to="/trades/$id" params={{ id: trade.id }} data-row className="hover:underline"><At at={trade.createdAt} millis /> <What trade={trade} /></Link>
              <span className="flex flex-wrap items-center gap-x-3"><StatusState status={trade.status} /><ModeTag mode={trade.mode} /><span className="cut text-dim">{whyOf(trade)}</span></span>
              <span className="text-right">{money(trade.quoteQty)} USDT{trade.pnl !== null && <span className="block text-xs"><Gain of={trade.pnl} /></span>}</span>
            </li>
          ))}
        </ul>
      </Card>
      {detail.data?.decision && <Decision decision={detail.data.decision} />}
    </>
  );
}
