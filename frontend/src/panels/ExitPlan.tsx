import { amount, average, money, NONE, price } from "../format";
import { Countdown } from "../time";
import type { Position } from "../types";
import { Card, Facts, Tag } from "../ui";
import { Gain, ModeTag } from "./TradesTable";

/** A holding and how it is to end. */
export function ExitPlan({ position }: { position: Position }) {
  const plan = position.plan;
  return (
    <Card title="Position and exit plan" aside={<>{position.status.replaceAll("_", " ")} <ModeTag mode={position.mode} /></>}>
      <Facts rows={[
        ["Left to sell", `${amount(position.quantity)} of ${amount(position.boughtQty)}`],
        ["Cost, USDT", money(position.cost)],
        ["Entry price", average(position.entryPrice)],
        ["Realized, USDT", <Gain key="r" of={position.realizedPnl} />],
        ...(position.open ? [["Unrealized, USDT", <Gain key="u" of={position.unrealizedPnl} />] as [string, React.ReactNode]] : []),
        ...(plan?.takeProfit ?? []).map((leg, i): [string, React.ReactNode] =>
          [`Take profit ${i + 1}`, <span key={i} className={leg.done ? "text-dim line-through" : ""}>{amount(leg.quantity)} at {price(leg.price)}</span>]),
        ["Stop", plan?.stopPrice ? price(plan.stopPrice) : NONE],
        ["Trailing stop", plan?.trailingPct ? <span key="t">{plan.trailingPct} % below the peak {position.trailingArmed ? <Tag tone="accent">armed</Tag> : plan.trailingArmedAt && `from ${price(plan.trailingArmedAt)}`}</span> : NONE],
        ...(position.open && plan?.deadline ? [["Time exit", <Countdown key="d" to={plan.deadline} />] as [string, React.ReactNode]] : []),
      ]} />
    </Card>
  );
}
