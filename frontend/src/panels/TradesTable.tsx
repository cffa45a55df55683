import { Link } from "@tanstack/react-router";
import clsx from "clsx";
import { memo, useEffect, useRef, type ReactNode } from "react";
import { average, duration, label, money, name, NONE, percent, signed, signTone } from "../format";
import { useHeldRows } from "../held";
import { useWorld } from "../live";
import { At } from "../time";
import { ROLES, STATUS_TONES, TRADE_STATUSES } from "../trading";
import type { Mode, Trade, TradeStatus } from "../types";
import { Scroller, State, Tag } from "../ui";

export const StatusState = ({ status }: { status: TradeStatus }) => <State tone={STATUS_TONES[status] ?? "dim"}>{label(TRADE_STATUSES, status)}</State>;
export const ModeTag = ({ mode }: { mode: Mode }) =>
  mode === "live" ? <span className="rounded-[4px] bg-alarm px-1.5 text-[11px] leading-[18px] font-semibold text-white">LIVE</span> : <Tag tone="warn">dry-run</Tag>;
/** Buy or sell with why: colour means the side, the word says it too. */
export const What = ({ trade }: { trade: Trade }) => (
  <><span className={trade.side === "buy" ? "text-up" : "text-down"}>{trade.side}</span>{trade.role !== "entry" && <span className="text-dim"> {label(ROLES, trade.role)}</span>}</>
);
export const Gain = ({ of, places = money }: { of: string | null; places?: (text: string) => string }) => {
  const tone = signTone(of);
  return <span className={tone === "up" ? "text-up" : tone === "down" ? "text-down" : "text-dim"}>{signed(of, places)}</span>;
};
const Lag = ({ ms }: { ms: number | null }) => (ms === null ? <span className="text-dim">{NONE}</span> : <>{duration(ms)}</>);

/** Why it did not become what was wanted; a trade that did says what its fill rests on. */
export function whyOf(trade: Trade): string {
  if (trade.reasonText) return trade.reasonDetail ? `${trade.reasonText.replace(/\.$/, "")} (${trade.reasonDetail}).` : trade.reasonText;
  return trade.reasonDetail;
}

export function TradesTable({ rows, empty, onWaiting, caption }: {
  rows: Trade[]; empty: ReactNode; caption: string; onWaiting?: (waiting: number, release: () => void) => void;
}) {
  const fresh = useWorld((world) => world.fresh) ?? {};
  const { shown, waiting, release, handlers } = useHeldRows(rows);
  const let_in = useRef(release);
  let_in.current = release;
  useEffect(() => onWaiting?.(waiting, () => let_in.current()), [waiting, onWaiting]);
  if (!rows.length) return <>{empty}</>;
  return (
    <div {...handlers}>
      <Scroller label={caption} className="border-t border-line">
        <table className="w-full table-fixed border-collapse">
          <caption className="sr-only">{caption}</caption>
          <thead>
            <tr>
              <th scope="col" className="th w-[7%] max-xl:hidden">Time, UTC</th>
              <th scope="col" className="th w-[12%] max-xl:w-[24%] max-sm:w-[50%]">Pair</th>
              <th scope="col" className="th w-[11%] max-xl:w-[16%] max-sm:hidden">Trade</th>
              <th scope="col" className="th w-[7%] max-xl:w-[12%] max-sm:hidden">Mode</th>
              <th scope="col" className="th w-[10%] max-xl:w-[17%] max-sm:w-[29%]">Status</th>
              <th scope="col" className="th num w-[7%] max-xl:w-[12%] max-sm:w-[21%]">USDT</th>
              <th scope="col" className="th num w-[10%] max-xl:hidden">Price</th>
              <th scope="col" className="th num w-[8%] max-xl:hidden">Slippage</th>
              <th scope="col" className="th num w-[8%] max-xl:w-[12%] max-sm:hidden">P&L</th>
              <th scope="col" className="th num w-[8%] max-xl:hidden" title="The venue's frame to our order's bytes">Tick to trade</th>
              <th scope="col" className="th num w-[7%] max-xl:hidden" title="Send to the venue's answer">Round trip</th>
              <th scope="col" className="th num w-[7%] max-xl:hidden" title="The answer to the fill">Ack to fill</th>
            </tr>
          </thead>
          <tbody>{shown.map((trade) => <Row key={trade.id} trade={trade} freshAt={fresh[trade.id]} />)}</tbody>
        </table>
      </Scroller>
    </div>
  );
}

const Row = memo(function Row({ trade, freshAt }: { trade: Trade; freshAt: number | undefined }) {
  const glows = useRef(freshAt !== undefined && Date.now() - freshAt < 1_200).current;
  const why = whyOf(trade);
  const nothing = !/[1-9]/.test(trade.quoteQty);
  return (
    <tr className={clsx("row", glows && "fresh")}>
      <td className="td text-dim max-xl:hidden"><At at={trade.createdAt} /></td>
      <th scope="row" className="td cut text-left font-normal max-xl:h-12">
        <Link to="/trades/$id" params={{ id: trade.id }} data-row className="hover:text-accent hover:underline"><bdi className="font-semibold" title={name(trade.symbol)}>{name(trade.symbol)}</bdi></Link>
        <span className="cut block text-xs text-dim xl:hidden"><span className="sm:hidden"><What trade={trade} /> · {trade.mode} · </span><At at={trade.createdAt} short /></span>
        {nothing && why && <span className="block pb-1 text-xs break-words whitespace-normal text-dim xl:hidden">{name(why)}</span>}
      </th>
      <td className="td cut max-sm:hidden"><What trade={trade} /></td>
      <td className="td max-sm:hidden"><ModeTag mode={trade.mode} /></td>
      <td className="td cut" title={why}><StatusState status={trade.status} /></td>
      <td className="td num">
        {nothing ? <span className="text-dim" title="wanted, nothing filled">{money(trade.requestedQuoteQty)}</span> : money(trade.quoteQty)}
        {trade.pnl !== null && <span className="block text-xs sm:hidden"><Gain of={trade.pnl} /></span>}
      </td>
      {nothing && why ? <td colSpan={6} className="td cut pl-8! text-dim max-xl:hidden" title={why}>{name(why)}</td> : (
        <>
          <td className="td num cut max-xl:hidden" title={trade.avgPrice ?? ""}>{average(trade.avgPrice)}</td>
          <td className="td num max-xl:hidden">{percent(trade.slippageBps)}</td>
          <td className="td num max-xl:hidden"><Gain of={trade.pnl} /></td>
          <td className="td num max-xl:hidden"><Lag ms={trade.tickToTradeMs} /></td>
          <td className="td num max-xl:hidden"><Lag ms={trade.roundTripMs} /></td>
          <td className="td num max-xl:hidden"><Lag ms={trade.ackToFillMs} /></td>
        </>
      )}
      <td className="td num max-sm:hidden xl:hidden"><Gain of={trade.pnl} /></td>
    </tr>
  );
});
