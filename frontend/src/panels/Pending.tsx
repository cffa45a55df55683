import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { api } from "../api";
import { money, name } from "../format";
import { lookAgain, useWorld } from "../live";
import { Countdown } from "../time";
import type { Trade } from "../types";
import { Button, Card, Confirm } from "../ui";

/** Entries above the high-value threshold: done on paper, offered live until the time is over. */
export function Pending({ only }: { only?: string }) {
  const trades = useWorld((world) => world.trades) ?? [];
  const waiting = trades.filter((trade) => trade.status === "high_value_pending" && (only === undefined || trade.id === only));
  const [asked, setAsked] = useState<{ trade: Trade; confirm: boolean } | null>(null);
  if (!waiting.length && !asked) return null;
  return (
    <Card title="Waits for your word" aside="rejected by itself when the time is over" className="border-warn!">
      <ul className="px-3 pb-1">
        {waiting.map((trade) => (
          <li key={trade.id} className="flex flex-wrap items-center gap-x-4 gap-y-1.5 border-t border-line py-2 first:border-t-0">
            <span className="min-w-0 flex-1 max-sm:basis-full">
              Buy {money(trade.requestedQuoteQty)} USDT of{" "}
              <Link to="/trades/$id" params={{ id: trade.id }} className="font-semibold hover:text-accent hover:underline"><bdi>{name(trade.symbol)}</bdi></Link>, live
            </span>
            {trade.confirmUntil && <Countdown to={trade.confirmUntil} done="over" />}
            <span className="flex gap-2">
              <Button onClick={() => setAsked({ trade, confirm: false })} aria-label={`Reject ${name(trade.symbol)}`}>Reject</Button>
              <Button primary onClick={() => setAsked({ trade, confirm: true })} aria-label={`Confirm ${name(trade.symbol)}`}>Confirm</Button>
            </span>
          </li>
        ))}
      </ul>
      {asked && (
        <Confirm
          open onOpenChange={(open) => !open && setAsked(null)} danger={asked.confirm}
          title={asked.confirm ? "Confirm a high-value entry" : "Reject a high-value entry"}
          action={asked.confirm ? `Buy ${money(asked.trade.requestedQuoteQty)} USDT of ${name(asked.trade.symbol)}, live` : `Reject ${name(asked.trade.symbol)}`}
          perform={() => api.decide(asked.trade.id, asked.confirm).then(lookAgain)}
        >
          {asked.confirm
            ? <p>Buy <b className="font-semibold">{money(asked.trade.requestedQuoteQty)} USDT</b> of <bdi className="font-semibold">{name(asked.trade.symbol)}</bdi> with real money. Every guard but the age of the signal is asked again first.</p>
            : <p>Nothing is bought live; the dry-run trade of <bdi className="font-semibold">{name(asked.trade.symbol)}</bdi> stays as it is.</p>}
          {asked.trade.confirmUntil && <p className="text-dim">Time left: <Countdown to={asked.trade.confirmUntil} done="over" /></p>}
        </Confirm>
      )}
    </Card>
  );
}
