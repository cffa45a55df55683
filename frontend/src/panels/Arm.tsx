import { useState, type FormEvent } from "react";
import { api } from "../api";
import { lookAgain } from "../live";
import type { GoLiveItem } from "../types";
import { ALARM, Button, fieldClass, Modal, Problem } from "../ui";

const LIVE = "LIVE";
const MINUTES: Record<number, string> = { 15: "15 minutes", 60: "1 hour", 240: "4 hours", 720: "12 hours" };

/** Permission for live entries, for a limited time: each open point is confirmed one by one, and the word is typed. */
export function Arm({ open, onOpenChange, warnings }: { open: boolean; onOpenChange: (open: boolean) => void; warnings: GoLiveItem[] }) {
  return (
    <Modal open={open} onOpenChange={onOpenChange} title="Arm live trading">
      {open && <Form done={() => onOpenChange(false)} warnings={warnings} />}
    </Modal>
  );
}

function Form({ done, warnings }: { done: () => void; warnings: GoLiveItem[] }) {
  const [seen, setSeen] = useState<Record<string, boolean>>({});
  const [minutes, setMinutes] = useState(60);
  const [typed, setTyped] = useState("");
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState("");
  const all = warnings.every((item) => seen[item.id]);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (typed !== LIVE || !all) return;
    setBusy(true);
    setProblem("");
    api.arm(minutes).then(() => { lookAgain(); done(); }, (error: Error) => { setProblem(error.message); setBusy(false); });
  };
  return (
    <form onSubmit={submit} className="grid gap-3">
      <p>While it is armed, the bot buys <b className="font-semibold text-down">with real money</b> within the limits under Risk. It disarms itself when the time is over; live positions keep their exits.</p>
      {warnings.length > 0 && (
        <fieldset className="grid gap-2 rounded-control border border-warn/60 px-3 py-2">
          <legend className="px-1 font-medium text-warn">You say that this is in order</legend>
          {warnings.map((item) => (
            <label key={item.id} className="flex items-start gap-2.5 py-0.5">
              <input type="checkbox" className="mt-0.5 size-4 accent-(--accent)" checked={seen[item.id] ?? false} onChange={(event) => setSeen({ ...seen, [item.id]: event.target.checked })} />
              <span><span className="font-medium">{item.label}.</span> <span className="text-dim">{item.detail} {item.mend}</span></span>
            </label>
          ))}
        </fieldset>
      )}
      <div className="grid grid-cols-2 gap-3">
        <label className="grid min-w-0 gap-1">
          <span className="font-medium">For</span>
          <select className={`${fieldClass} w-full min-w-0`} value={minutes} onChange={(event) => setMinutes(Number(event.target.value))}>
            {Object.entries(MINUTES).map(([many, word]) => <option key={many} value={many}>{word}</option>)}
          </select>
        </label>
        <label className="grid min-w-0 gap-1">
          <span className="font-medium">Type {LIVE}</span>
          <input className={`${fieldClass} w-full min-w-0`} value={typed} onChange={(event) => setTyped(event.target.value)} autoComplete="off" autoCapitalize="characters" spellCheck={false} />
        </label>
      </div>
      {problem && <Problem>{problem}</Problem>}
      <div className="flex flex-wrap justify-end gap-2">
        <Button onClick={done}>Cancel</Button>
        <Button type="submit" className={ALARM} disabled={busy || typed !== LIVE || !all}>Arm live trading for {MINUTES[minutes]}</Button>
      </div>
    </form>
  );
}
