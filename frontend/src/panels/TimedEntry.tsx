import { useState, type FormEvent } from "react";
import { api } from "../api";
import { price } from "../format";
import { lookAgain, useLink } from "../live";
import { At } from "../time";
import type { Listing } from "../types";
import { Button, Card, fieldClass, Problem, State } from "../ui";

/** What happens at the opening: whether the entry lies ready, and the operator's word to enter at the announced time itself. */
export function TimedEntry({ listing }: { listing: Listing }) {
  const [problem, setProblem] = useState("");
  const [busy, setBusy] = useState(false);
  const timed = listing.timedEntry;
  const say = (capPrice: string | null, offsetMs: number) => {
    setBusy(true);
    setProblem("");
    api.timeEntry(listing.id, capPrice, offsetMs).then(lookAgain, (error: Error) => setProblem(error.message)).finally(() => setBusy(false));
  };
  return (
    <Card title="At the opening" aside={listing.preparedAt ? <State tone="up">lies ready</State> : <State tone="dim">not prepared</State>}>
      <div className="grid gap-3 px-3 pb-3">
        <p className="text-dim">
          {listing.preparedAt
            ? <>Checked, written down and signed since <At at={listing.preparedAt} />; the first quote or trade sends it.</>
            : "Made ready a minute before its time, once its rules and its newness are known and no limit forbids it."}
        </p>
        {timed
          ? (
            <>
              <p>Sent at the announced time{timed.offsetMs ? ` ${timed.offsetMs > 0 ? "+" : "−"}${Math.abs(timed.offsetMs)} ms` : ""} for at most <b className="font-semibold">{price(timed.capPrice)}</b> a coin, whatever the price then is.</p>
              <Button onClick={() => say(null, 0)} disabled={busy} className="justify-self-start">Take it back</Button>
            </>
          )
          : <Wish busy={busy} say={say} />}
        {problem && <Problem>{problem}</Problem>}
      </div>
    </Card>
  );
}

function Wish({ busy, say }: { busy: boolean; say: (cap: string, offset: number) => void }) {
  const link = useLink();
  const [cap, setCap] = useState("");
  const [offset, setOffset] = useState("0");
  const fine = /^\d+(\.\d+)?$/.test(cap.trim()) && /[1-9]/.test(cap);
  const whole = /^-?\d+$/.test(offset.trim()) && Math.abs(Number(offset)) <= 60_000;
  return (
    <details>
      <summary className="cursor-pointer font-medium">Enter at the announced time itself</summary>
      <form
        className="grid gap-3 pt-3"
        onSubmit={(event: FormEvent) => {
          event.preventDefault();
          if (fine && whole) say(cap.trim(), Number(offset));
        }}
      >
        <p className="text-dim">Without waiting for a price. Nobody looks at spread and depth then: the most you name here is the only protection.</p>
        <label className="grid gap-1">
          <span className="font-medium">At most for one coin, USDT</span>
          <input className={fieldClass} value={cap} onChange={(event) => setCap(event.target.value)} inputMode="decimal" autoComplete="off" required aria-invalid={cap !== "" && !fine} />
          {cap !== "" && !fine && <span className="text-down">A price above zero, such as 0.05.</span>}
        </label>
        <label className="grid gap-1">
          <span className="font-medium">Milliseconds after the announced time</span>
          <input className={fieldClass} value={offset} onChange={(event) => setOffset(event.target.value)} autoComplete="off" required aria-invalid={!whole} />
          {!whole && <span className="text-down">A whole number from −60000 to 60000.</span>}
        </label>
        <Button type="submit" disabled={busy || !fine || !whole || link.state === "lost"} className="justify-self-start">Enter at the announced time</Button>
      </form>
    </details>
  );
}
