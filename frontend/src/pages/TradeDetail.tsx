import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { api, ApiError } from "../api";
import { amount, average, duration, label, logShare, money, name, percent, price, signTone } from "../format";
import { Decision } from "../panels/Decision";
import { Executions } from "../panels/Executions";
import { ExitPlan } from "../panels/ExitPlan";
import { Pending } from "../panels/Pending";
import { ModeTag, StatusState, What, whyOf, Gain } from "../panels/TradesTable";
import { At } from "../time";
import { TRIGGERS } from "../trading";
import type { Trade } from "../types";
import { Bar, Blocks, Card, Empty, Facts, Figure, Figures, Problem } from "../ui";

export function TradeDetail() {
  const { id } = useParams({ from: "/trades/$id" });
  const detail = useQuery({
    queryKey: ["trade", id], queryFn: ({ signal }) => api.trade(id, signal),
    // A trade that was just sent may reach the ledger a moment after its answer.
    retry: (failures, error) => failures < 4 && error instanceof ApiError && error.status === 404,
  });
  if (!detail.data)
    return (
      <Card title="Trade" aside={<Link to="/trades" className="text-accent hover:underline">All trades</Link>}>
        {detail.error
          ? <div className="px-3 pb-3"><Problem>{detail.error instanceof ApiError && detail.error.status === 404 ? "There is no trade with this address. It may have been typed wrongly." : detail.error.message}</Problem></div>
          : <Blocks rows={12} />}
      </Card>
    );
  const { trade, decision, orders, fills, position } = detail.data;
  const why = whyOf(trade);
  return (
    <>
      <div className="mb-3 flex flex-wrap items-center gap-x-3 gap-y-2">
        <h1 className="min-w-0 max-w-full text-[22px] leading-7 break-all"><bdi>{name(trade.symbol)}</bdi></h1>
        <What trade={trade} /><ModeTag mode={trade.mode} /><StatusState status={trade.status} />
        {trade.listingId && <Link to="/listings/$id" params={{ id: trade.listingId }} className="text-accent hover:underline">its listing</Link>}
        <Link to="/trades" className="ml-auto text-accent hover:underline">All trades</Link>
      </div>
      <Figures>
        <Figure label={trade.side === "buy" ? "Paid, USDT" : "Got, USDT"} note={trade.requestedQuoteQty ? `wanted ${money(trade.requestedQuoteQty)}` : trade.requestedBaseQty ? `wanted to sell ${amount(trade.requestedBaseQty)}` : undefined}>{money(trade.quoteQty)}</Figure>
        <Figure label="Quantity" note={<At at={trade.createdAt} millis />}>{amount(trade.baseQty)}</Figure>
        <Figure label="Average price" note={`reference ${price(trade.referencePrice)}`}>{average(trade.avgPrice)}</Figure>
        <Figure label="Slippage" note="average against reference">{percent(trade.slippageBps)}</Figure>
        <Figure label={trade.feeAsset ? `Fee, ${name(trade.feeAsset)}` : "Fee"} note={trade.evidence ? `fill rests on: ${name(trade.evidence)}` : undefined}>{amount(trade.fee)}</Figure>
        <Figure label="P&L, USDT" note={!/[1-9]/.test(trade.quoteQty) ? "nothing was filled" : trade.side === "buy" ? "known when it is sold" : "realized by this sell"} {...(signTone(trade.pnl) ? { tone: signTone(trade.pnl)! } : {})}><Gain of={trade.pnl} /></Figure>
      </Figures>
      {why && <p className="mt-3 rounded-card border border-line bg-panel px-3 py-2.5 break-words"><span className="text-dim">Why: </span>{name(why)}</p>}
      <div className="mt-3 grid gap-3 empty:hidden"><Pending only={trade.id} /></div>
      <div className="mt-3 grid items-start gap-3 xl:grid-cols-[minmax(0,1fr)_380px]">
        <div className="grid min-w-0 gap-3">
          <Decision decision={decision} exit={trade.role !== "entry"} />
          <Executions orders={orders} fills={fills} />
        </div>
        <div className="grid min-w-0 gap-3">
          <Latencies trade={trade} />
          {position && <ExitPlan position={position} />}
          <Card title="Record">
            <Facts rows={[
              ["Trigger", trade.trigger && label(TRIGGERS, trade.trigger)],
              ["Attempts", trade.attempts],
              ["Config version", trade.configVersion],
              ["Client order id", trade.clientOrderId && <code className="font-sans break-all">{trade.clientOrderId}</code>],
              ["Venue order id", trade.venueOrderId && <code className="font-sans break-all">{name(trade.venueOrderId)}</code>],
              ["Trade id", <code key="id" className="font-sans break-all">{trade.id}</code>],
            ]} />
          </Card>
        </div>
      </div>
    </>
  );
}

function Latencies({ trade }: { trade: Trade }) {
  const rows = ([
    ["Source lag", "venue time to frame", trade.sourceLagMs],
    ["Tick to trade", "frame to order bytes", trade.tickToTradeMs],
    ["Round trip", "bytes to the answer", trade.roundTripMs],
    ["Ack to fill", "answer to the fill", trade.ackToFillMs],
    ["Open to order", "opening to the bytes", trade.openToOrderMs],
  ] as const).flatMap(([what, note, ms]) => (ms === null ? [] : [{ what, note, ms }]));
  const longest = Math.max(1, ...rows.map(({ ms }) => ms * 1000));
  return (
    <Card title="Latencies" aside="bars in powers of ten">
      {!rows.length ? <Empty>Nothing left the house, so nothing was measured.</Empty> : (
        <ul className="px-3 pb-2">
          {rows.map(({ what, note, ms }) => (
            <li key={what} className="grid min-h-9 grid-cols-[140px_minmax(0,1fr)_64px] items-center gap-3 border-t border-line py-1 first:border-t-0">
              <span>{what}<span className="cut block text-xs text-dim">{note}</span></span>
              <Bar share={logShare(ms * 1000, longest)} />
              <span className="text-right">{duration(ms)}</span>
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}
