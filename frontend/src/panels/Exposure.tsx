import { api } from "../api";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { count, NONE, money } from "../format";
import { humanized, type Field } from "../limits";
import { useWorld } from "../live";
import { Ago, At, Countdown } from "../time";
import type { AccountRisk, Risk } from "../types";
import { Bar, Blocks, Card, Empty, Facts, Problem, State, type Tone } from "../ui";
import { ModeTag } from "./TradesTable";

export const useRisk = () => useQuery({ queryKey: ["risk"], queryFn: ({ signal }) => api.risk(signal), refetchInterval: 3_000 });

/** How much of every limit is used, per account. */
export function Exposure({ fields }: { fields: Field[] }) {
  const risk = useRisk();
  const mode = useWorld((world) => world.health.mode);
  const titles = new Map(fields.map((field) => [field.name, field]));
  if (!risk.data) return <Card title="Exposure">{risk.error ? <div className="px-3 pb-3"><Problem>{risk.error.message}</Problem></div> : <Blocks rows={6} />}</Card>;
  return (
    <>
      {risk.data.accounts.filter((account) => account.mode !== "live" || mode === "live" || /[1-9]/.test(account.atStake ?? "")).map((account) => <Meters key={account.mode} account={account} titles={titles} />)}
      <Breakers risk={risk.data} />
    </>
  );
}

const LOUD = 0.8;
const toneOf = (share: number): Tone => (share >= 1 ? "down" : share >= LOUD ? "warn" : "accent");

function Meters({ account, titles }: { account: AccountRisk; titles: Map<string, Field> }) {
  return (
    <Card title="Limits in use" aside={<ModeTag mode={account.mode} />}>
      {!account.limits.length ? <Empty>No limit is in use yet.</Empty> : (
        <ul className="px-3 pb-2">
          {account.limits.map((limit) => {
            const field = titles.get(limit.name);
            const plain = /Usdt$/.test(limit.name) ? money : (text: string | null) => (text === null ? NONE : count(Number(text)));
            return (
              <li key={limit.name} className="border-t border-line py-1.5 first:border-t-0">
                <div className="flex items-baseline justify-between gap-3">
                  <span className="min-w-0">{field?.title ?? humanized(limit.name)}</span>
                  <span className="whitespace-nowrap">{plain(limit.used)} <span className="text-dim">of {plain(limit.limit)} {field?.unit}</span></span>
                </div>
                {limit.utilisation !== null && <div className="pt-1"><Bar least="0px" share={Math.min(1, limit.utilisation)} tone={toneOf(limit.utilisation)} /></div>}
              </li>
            );
          })}
        </ul>
      )}
      {account.source === "ledger" && <p className="border-t border-line px-3 py-2 text-xs text-dim">From the ledger: the engine has not told its own figures yet.</p>}
    </Card>
  );
}

/** What stops entries: latched by a person or a limit, or closed by itself for a while. */
function Breakers({ risk }: { risk: Risk }) {
  const { trading, throttle } = risk;
  return (
    <Card title="Breakers and budget">
      {trading.gates.length > 0 && (
        <ul className="px-3 pb-2">{trading.gates.map((gate) => <li key={gate}><State tone="warn">{gate}</State></li>)}</ul>
      )}
      <Facts rows={[
        ["Trading", <State key="t" tone={trading.state === "active" ? "up" : trading.state === "halted" ? "down" : "warn"}>{trading.state.toUpperCase()}{trading.latched && ", latched"}</State>],
        ...(trading.reason && trading.state !== "active" ? [["Because", trading.reason] as [string, React.ReactNode]] : []),
        ["Compared with the venue", trading.reconciled ? "yes, in this life" : "not yet"],
        ["Armed", trading.armedUntil && trading.armed ? <>until <At at={trading.armedUntil} />, by {trading.armedBy}</> : <span key="arm">no, <Link to="/go-live" className="text-accent hover:underline">what is missing</Link></span>],
        ["Orders open", `${count(risk.ordersOpen)}${risk.ordersInDoubt ? `, ${count(risk.ordersInDoubt)} in doubt` : ""}`],
        ["Order budget", throttle.perSecond === null ? NONE : `${throttle.available ?? NONE} free of ${throttle.perSecond} a second${throttle.waiting ? `, ${throttle.waiting} wait` : ""}`],
        ["Request weight, 10 s", throttle.apiWeightUsed === null ? NONE : `${count(throttle.apiWeightUsed)} used`],
        ["Venue's ban", throttle.bannedUntil === null ? "none" : <span key="b" className="text-down">ends in <Countdown to={throttle.bannedUntil} done="ended" /></span>],
        ...(trading.since ? [["In this state", <Ago key="s" at={trading.since} />] as [string, React.ReactNode]] : []),
      ]} />
    </Card>
  );
}
