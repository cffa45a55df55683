import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { api } from "../api";
import { useNow } from "../clock";
import { amount, average, money, name, NONE, price, signed, span, time } from "../format";
import { lookAgain, useWorld } from "../live";
import { Ago } from "../time";
import type { Position } from "../types";
import { Blocks, Button, Card, Confirm, Empty, Scroller, Tag } from "../ui";
import { Gain, ModeTag } from "./TradesTable";

/** What is held, at the price of the moment. `brief`: beside other panels, without the plan's columns. */
export function Positions({ brief = false, aside }: { brief?: boolean; aside?: React.ReactNode }) {
  const positions = useWorld((world) => world.positions);
  const [closing, setClosing] = useState<Position | null>(null);
  return (
    <Card title="Open positions" aside={aside ?? (brief ? <Link to="/trades" className="text-accent hover:underline">trades</Link> : "at the live price")}>
      {!positions ? <Blocks rows={2} height={48} />
        : !positions.length ? <Empty>Nothing is held. A bought listing stands here from its first fill until it is sold.</Empty>
        : brief ? <Lines positions={positions} onClose={setClosing} /> : <Table positions={positions} onClose={setClosing} />}
      {closing && <Close position={closing} onClose={() => setClosing(null)} />}
    </Card>
  );
}

function Close({ position, onClose }: { position: Position; onClose: () => void }) {
  // The amount follows the live price while the question stands.
  const now = useWorld((world) => world.positions.find((known) => known.id === position.id)) ?? position;
  const base = name(now.base || now.symbol);
  return (
    <Confirm
      open onOpenChange={(open) => !open && onClose()} title="Close a position" danger={now.mode === "live"}
      action={`Sell ${amount(now.quantity)} ${base}, ${now.mode}`}
      perform={() => api.closePosition(now.id).then(lookAgain)}
    >
      <p>
        Sell the whole rest of <bdi className="font-semibold">{name(now.symbol)}</bdi> at the market: {amount(now.quantity)} <bdi>{base}</bdi>
        {now.value !== null && <>, about {money(now.value)} {name(now.quote)}</>}, {now.mode === "live" ? "with real money" : "as a dry run; nothing is sent to the venue"}.
      </p>
      {now.unrealizedPnl !== null && <p className="text-dim">At the live price that is <Gain of={now.unrealizedPnl} /> {name(now.quote)}.</p>}
    </Confirm>
  );
}

const Symbol = ({ position }: { position: Position }) => {
  const text = <bdi className="font-semibold">{name(position.symbol)}</bdi>;
  return position.listingId
    ? <Link to="/listings/$id" params={{ id: position.listingId }} data-row className="hover:text-accent hover:underline">{text}</Link> : text;
};

const SellButton = ({ position, onClose }: { position: Position; onClose: (position: Position) => void }) => (
  <Button className="h-7!" aria-label={`Close ${name(position.symbol)}`} onClick={() => onClose(position)}>{position.status === "closing" ? "Closing" : "Close"}</Button>
);

function Lines({ positions, onClose }: { positions: Position[]; onClose: (position: Position) => void }) {
  return (
    <ul className="max-h-[296px] overflow-auto px-3 pb-1">
      {positions.map((position) => (
        <li key={position.id} className="grid min-h-12 grid-cols-[minmax(0,1fr)_auto_auto] items-center gap-3 border-t border-line py-1.5 first:border-t-0">
          <div className="min-w-0">
            <span className="cut block"><Symbol position={position} /></span>
            <span className="cut block text-xs text-dim">{money(position.remainingCost)} · {position.mode} · <Left position={position} brief /></span>
          </div>
          <div className="text-right"><Gain of={position.unrealizedPnl} /><span className="block text-xs text-dim">{position.unrealizedPct === null ? "no price yet" : `${signed(position.unrealizedPct)} %`}</span></div>
          <SellButton position={position} onClose={onClose} />
        </li>
      ))}
    </ul>
  );
}

/** Time until the plan's own end. */
function Left({ position, brief = false }: { position: Position; brief?: boolean }) {
  const now = useNow(1000);
  const deadline = position.plan?.deadline;
  if (!deadline) return <>held <Ago at={position.openedAt} /></>;
  const left = time(deadline) - now;
  if (brief) return <span title="until the time exit">{left > 0 ? span(left) : "due"}</span>;
  return <>{left > 0 ? `time exit in ${span(left)}` : "time exit due"}</>;
}

function Table({ positions, onClose }: { positions: Position[]; onClose: (position: Position) => void }) {
  return (
    <Scroller label="Open positions" className="border-t border-line">
      <table className="w-full table-fixed border-collapse">
        <caption className="sr-only">Open positions, newest first</caption>
        <thead>
          <tr>
            <th scope="col" className="th w-[15%] max-xl:w-[22%] max-sm:w-[40%]">Pair</th>
            <th scope="col" className="th w-[8%] max-xl:w-[12%] max-sm:hidden">Mode</th>
            <th scope="col" className="th num w-[11%] max-xl:hidden">Quantity</th>
            <th scope="col" className="th num w-[9%] max-xl:w-[13%] max-sm:hidden">Cost</th>
            <th scope="col" className="th num w-[9%] max-xl:hidden">Entry</th>
            <th scope="col" className="th num w-[9%] max-xl:w-[16%] max-sm:hidden">Price</th>
            <th scope="col" className="th num w-[11%] max-xl:w-[19%] max-sm:w-[32%]">P&L</th>
            <th scope="col" className="th w-[20%] pl-5! max-xl:hidden">Exit plan</th>
            <th scope="col" className="th w-[9%] max-xl:w-[18%] max-sm:w-[28%]"><span className="sr-only">Close</span></th>
          </tr>
        </thead>
        <tbody>
          {positions.map((position) => (
            <tr key={position.id} className="row">
              <th scope="row" className="td cut h-11! text-left font-normal">
                <Symbol position={position} />
                <span className="cut block text-xs text-dim sm:hidden">{money(position.remainingCost)} · {position.mode}</span>
                {position.manualExitNeeded && <span className="cut block text-xs text-down" title={position.manualExitNeeded}>manual exit needed</span>}
              </th>
              <td className="td max-sm:hidden"><ModeTag mode={position.mode} /></td>
              <td className="td num cut max-xl:hidden" title={position.quantity}>{amount(position.quantity)}</td>
              <td className="td num max-sm:hidden">{money(position.remainingCost)}</td>
              <td className="td num cut max-xl:hidden" title={position.entryPrice ?? ""}>{average(position.entryPrice)}</td>
              <td className="td num cut max-sm:hidden">{price(position.markPrice)}</td>
              <td className="td num"><Gain of={position.unrealizedPnl} /><span className="block text-xs leading-3 text-dim">{position.unrealizedPct === null ? "no price yet" : `${signed(position.unrealizedPct)} %`}</span></td>
              <td className="td cut pl-5! text-xs text-dim max-xl:hidden"><Plan position={position} /></td>
              <td className="td num"><SellButton position={position} onClose={onClose} /></td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroller>
  );
}

function Plan({ position }: { position: Position }) {
  const plan = position.plan;
  if (!plan) return <>{NONE}</>;
  const next = plan.takeProfit.find((leg) => !leg.done);
  return (
    <>
      <span className="cut block">{next ? `profit at ${price(next.price)}` : plan.takeProfit.length ? "no profit leg left" : "no profit leg"}{plan.stopPrice && `, stop at ${price(plan.stopPrice)}`}</span>
      <span className="cut block"><Left position={position} />{position.trailingArmed && <> <Tag tone="accent">trailing</Tag></>}</span>
    </>
  );
}
