import { useState } from "react";
import { api } from "../api";
import { amount, average, duration, money, name, NONE, price } from "../format";
import { lookAgain } from "../live";
import { At } from "../time";
import type { Fill, Order } from "../types";
import { Button, Card, Confirm, Empty, Scroller, State, type Tone } from "../ui";

const TONES: Partial<Record<Order["status"], Tone>> = {
  filled: "up", partially_filled: "warn", in_doubt: "down", rejected: "warn", never_arrived: "down", not_sent: "warn", cancel_pending: "warn",
};

/** Every order of a trade and every fill, as the venue or the paper venue told them. */
export function Executions({ orders, fills }: { orders: Order[]; fills: Fill[] }) {
  return (
    <>
      <Card title="Orders" aside="UTC">{orders.length ? <Orders orders={orders} /> : <Empty>No order was made.</Empty>}</Card>
      <Card title="Fills" aside="UTC">{fills.length ? <Fills fills={fills} /> : <Empty>Nothing was filled.</Empty>}</Card>
    </>
  );
}

function Orders({ orders }: { orders: Order[] }) {
  const [canceling, setCanceling] = useState<Order | null>(null);
  return (
    <>
      <Scroller label="Orders" className="border-t border-line">
        <table className="w-full border-collapse">
          <caption className="sr-only">Orders of this trade</caption>
          <thead>
            <tr>
              <th scope="col" className="th">Sent</th><th scope="col" className="th max-sm:hidden">Type</th><th scope="col" className="th">Status</th>
              <th scope="col" className="th num max-sm:hidden">Price</th><th scope="col" className="th num">Filled</th>
              <th scope="col" className="th num max-md:hidden">Tick to trade</th><th scope="col" className="th num max-md:hidden">Round trip</th>
              <th scope="col" className="th"><span className="sr-only">Cancel</span></th>
            </tr>
          </thead>
          <tbody>
            {orders.map((order) => (
              <tr key={order.clientOrderId} className="row align-top">
                <td className="td py-1.5"><At at={order.submittedAt ?? order.createdAt} millis /></td>
                <td className="td py-1.5 max-sm:hidden">{order.type.replaceAll("_", " ").toLowerCase()}{order.attempt > 0 && <span className="text-dim">, attempt {order.attempt + 1}</span>}</td>
                <td className="td py-1.5 whitespace-normal!">
                  <State tone={TONES[order.status] ?? "dim"}>{order.status.replaceAll("_", " ")}</State>
                  {(order.reasonText || order.text) && <p className="max-w-[44ch] text-xs break-words text-dim">{order.reasonText} <bdi>{name(order.text)}</bdi>{order.code !== null && ` (code ${order.code})`}</p>}
                </td>
                <td className="td num py-1.5 max-sm:hidden">{order.price ? price(order.price) : <span className="text-dim">market</span>}</td>
                <td className="td num py-1.5">{money(order.filledQuote)}<span className="block text-xs text-dim">{amount(order.filledQty)}{order.avgPrice && ` at ${average(order.avgPrice)}`}</span></td>
                <td className="td num py-1.5 max-md:hidden">{order.tickToTradeMs === null ? NONE : duration(order.tickToTradeMs)}</td>
                <td className="td num py-1.5 max-md:hidden">{order.roundTripMs === null ? NONE : duration(order.roundTripMs)}</td>
                <td className="td num">{order.open && <Button className="h-7!" onClick={() => setCanceling(order)}>Cancel</Button>}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroller>
      {canceling && (
        <Confirm open onOpenChange={(open) => !open && setCanceling(null)} title="Cancel an order" action={`Cancel the ${canceling.side} of ${name(canceling.symbol)}, ${canceling.mode}`} perform={() => api.cancelOrder(canceling.clientOrderId).then(lookAgain)}>
          <p>What is filled already stays; the rest of this {canceling.mode} order of <bdi className="font-semibold">{name(canceling.symbol)}</bdi> is taken back.</p>
        </Confirm>
      )}
    </>
  );
}

function Fills({ fills }: { fills: Fill[] }) {
  return (
    <Scroller label="Fills" className="border-t border-line">
      <table className="w-full border-collapse">
        <caption className="sr-only">Fills of this trade</caption>
        <thead>
          <tr>
            <th scope="col" className="th">Time</th><th scope="col" className="th num">Price</th><th scope="col" className="th num">Quantity</th>
            <th scope="col" className="th num max-sm:hidden">USDT</th><th scope="col" className="th num max-sm:hidden">Fee</th><th scope="col" className="th">Rests on</th>
          </tr>
        </thead>
        <tbody>
          {fills.map((fill) => (
            <tr key={`${fill.id} ${fill.clientOrderId}`} className="row">
              <td className="td"><At at={fill.at} millis /></td>
              <td className="td num">{price(fill.price)}</td>
              <td className="td num">{amount(fill.baseQty)}</td>
              <td className="td num max-sm:hidden">{money(fill.quoteQty)}</td>
              <td className="td num max-sm:hidden">{amount(fill.fee)} <span className="text-dim">{name(fill.feeAsset)}</span></td>
              <td className="td text-dim">{name(fill.evidence)}{fill.maker && ", maker"}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroller>
  );
}
