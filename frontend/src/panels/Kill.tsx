import { useQuery } from "@tanstack/react-query";
import { Octagon } from "lucide-react";
import { useEffect, useRef, useState, type RefObject } from "react";
import { api, type KillAction } from "../api";
import { count, duration, money, name } from "../format";
import { lookAgain, useLink, useWorld } from "../live";
import { STATE_TONES, sum } from "../trading";
import { At } from "../time";
import type { Position } from "../types";
import { ALARM, Button, fieldClass, Modal, State } from "../ui";

const PATIENCE_MS = 2_000;
const RESUME = "RESUME";
/** Who set the state when nobody has touched it since the engine began. */
const START = "start";

export function KillButton({ onPress }: { onPress: () => void }) {
  return (
    <Button onClick={onPress} className={ALARM} title="Pause, cancel or flatten (Shift+K)" aria-keyshortcuts="Shift+K" aria-haspopup="dialog">
      <Octagon aria-hidden size={14} /> Kill
    </Button>
  );
}

export function KillPanel({ open, onOpenChange }: { open: boolean; onOpenChange: (open: boolean) => void }) {
  const first = useRef<HTMLButtonElement>(null);
  return (
    <Modal open={open} onOpenChange={onOpenChange} title="Kill switch" initialFocus={first}>
      <Steps first={first} />
    </Modal>
  );
}

type Sent = { number: number; action: KillAction; at: number; ms?: number; said?: string; refused?: boolean; latched?: boolean };

function Steps({ first }: { first: RefObject<HTMLButtonElement | null> }) {
  const [sent, setSent] = useState<Sent | null>(null);
  const number = useRef(0);
  const positions = useWorld((world) => world.positions) ?? [];
  const orders = useQuery({ queryKey: ["orders", "open"], queryFn: ({ signal }) => api.openOrders(signal), staleTime: 1_000, refetchInterval: 2_000 });
  const entries = orders.data?.orders.filter((order) => order.role === "entry").length;
  const press = (action: KillAction) => {
    const mine = (number.current += 1);
    const at = performance.now();
    setSent({ number: mine, action, at });
    const told = (said: string, refused: boolean, latched = false) => {
      setSent((now) => (now?.number === mine ? { ...now, ms: performance.now() - at, said, refused, latched } : now));
      lookAgain();
    };
    api.kill(action, "dashboard").then(
      (answer) => told(answer.message, !answer.engineAnswered, answer.latched),
      (error: Error) => told(error.message, true),
    );
  };
  return (
    <div className="grid gap-3">
      <Standing />
      <ol className="grid gap-2">
        <Step ref={first} name="Pause" what="No new entries. Exits and open orders go on." onPress={() => press("pause")} />
        <Step name="Cancel" what={`The same, and cancel ${!entries ? "every entry order" : entries === 1 ? "1 entry order" : `${count(entries)} entry orders`}.${entries === 0 ? " None is open." : ""}`} onPress={() => press("cancel")} />
        <Step
          alarm name="Flatten" onPress={() => press("flatten")}
          what={positions.length === 0 ? "The same, sell every position, then halt. None is open." : `The same, sell ${["live", "dry-run"].flatMap((mode) => held(positions, mode)).join(" and ")}, then halt.`}
        />
      </ol>
      <div role="status" aria-label="Answer of the engine" className="min-h-9">{sent && <Answer key={sent.number} sent={sent} />}</div>
      <Resume onResume={() => press("resume")} />
    </div>
  );
}

/** "2 dry-run positions that cost 40.02 USDT"; nothing for none. */
function held(positions: Position[], mode: string): string[] {
  const of = positions.filter((position) => position.mode === mode);
  return of.length ? [`${count(of.length)} ${mode} position${of.length === 1 ? "" : "s"} that cost ${money(sum(of.map((position) => position.remainingCost)))} USDT`] : [];
}

function Step({ ref, name, what, onPress, alarm = false }: {
  ref?: RefObject<HTMLButtonElement | null>; name: string; what: string; onPress: () => void; alarm?: boolean;
}) {
  return (
    <li className="grid grid-cols-[88px_minmax(0,1fr)] items-center gap-3">
      <Button {...(ref ? { ref } : {})} onClick={onPress} className={alarm ? ALARM : "border-text"}>{name}</Button>
      <span>{what}</span>
    </li>
  );
}

/** Who said what is allowed now, and since when. */
export function Standing() {
  const trading = useWorld((world) => world.trading);
  const link = useLink();
  if (!trading) return <p className="text-dim">{link.state === "lost" ? "The state is not known: no data from the bot. The buttons work all the same." : "The engine has not said yet what is allowed."}</p>;
  return (
    <p>
      <State tone={STATE_TONES[trading.state]}><span className="font-semibold">{trading.state.toUpperCase()}</span></State>
      <span className="text-dim">{trading.actor && trading.actor !== START && ` by ${name(trading.actor)}`}, since <At at={trading.since} />{trading.reason && trading.state !== "active" && <>. {name(trading.reason)}</>}</span>
    </p>
  );
}

function Answer({ sent }: { sent: Sent }) {
  const [late, setLate] = useState(false);
  useEffect(() => {
    const timer = window.setTimeout(() => setLate(true), PATIENCE_MS);
    return () => window.clearTimeout(timer);
  }, []);
  const asked = sent.action.charAt(0).toUpperCase() + sent.action.slice(1);
  const silent = sent.ms === undefined && late;
  return (
    <div className="grid gap-1.5">
      {sent.ms === undefined
        ? <p className={silent ? "text-down" : ""}>{asked} is sent{silent ? "; no answer for 2 s." : "."}</p>
        : <p className={sent.refused ? "text-down" : ""}><b className="font-semibold">{asked}: {!sent.refused ? "done" : sent.latched ? "latched, the engine has not answered" : "not done"} after {duration(sent.ms)}.</b> {sent.said}</p>}
      {(silent || sent.refused) && sent.action !== "resume" && (
        <p>To stop without the bot, type in a terminal: <code className="rounded-[4px] bg-raised px-1.5 py-0.5 whitespace-nowrap">mexc-sniper panic{sent.action === "flatten" && " --flatten"}</code></p>
      )}
    </div>
  );
}

/** Un-killing takes a typed word: nothing opens trading again by accident. */
function Resume({ onResume }: { onResume: () => void }) {
  const state = useWorld((world) => world.trading?.state);
  const [typed, setTyped] = useState("");
  if (state === undefined || state === null || state === "active") return null;
  return (
    <form
      className="flex flex-wrap items-end gap-2 border-t border-line pt-3"
      onSubmit={(event) => {
        event.preventDefault();
        if (typed !== RESUME) return;
        setTyped("");
        onResume();
      }}
    >
      <label className="grid min-w-0 flex-1 gap-1">
        <span>Allow entries again: type {RESUME}</span>
        <input className={fieldClass} value={typed} onChange={(event) => setTyped(event.target.value)} autoComplete="off" autoCapitalize="characters" spellCheck={false} />
      </label>
      <Button type="submit" disabled={typed !== RESUME}>Resume</Button>
    </form>
  );
}
