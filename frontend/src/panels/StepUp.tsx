import { useEffect, useRef, useState, type FormEvent } from "react";
import { api, onStepUp, renewSession } from "../api";
import { Button, fieldClass, Modal, Problem } from "../ui";

/** The password again before something grave; the request that asked for it goes on by itself. */
export function StepUp() {
  const [settle, setSettle] = useState<((proven: boolean) => void) | null>(null);
  useEffect(() => onStepUp(() => new Promise((resolve) => setSettle(() => resolve))), []);
  const end = (proven: boolean) => {
    settle?.(proven);
    setSettle(null);
  };
  const field = useRef<HTMLInputElement>(null);
  return (
    <Modal open={settle !== null} onOpenChange={(open) => !open && end(false)} title="Your password again" initialFocus={field}>
      {settle && <Ask field={field} end={end} />}
    </Modal>
  );
}

function Ask({ field, end }: { field: React.RefObject<HTMLInputElement | null>; end: (proven: boolean) => void }) {
  const [password, setPassword] = useState("");
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState("");
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setProblem("");
    api.stepUp(password).then(
      async () => { await renewSession(); end(true); },
      (error: Error) => { setProblem(error.message); setBusy(false); },
    );
  };
  return (
    <form onSubmit={submit} className="grid gap-3">
      <p className="text-dim">Arming, resuming, raising limits and making tokens need it. Stopping never does.</p>
      <label className="grid gap-1">
        <span className="font-medium">Password</span>
        <input ref={field} className={fieldClass} type="password" autoComplete="current-password" value={password} onChange={(event) => setPassword(event.target.value)} required />
      </label>
      {problem && <Problem>{problem}</Problem>}
      <div className="flex justify-end gap-2">
        <Button onClick={() => end(false)}>Cancel</Button>
        <Button primary type="submit" disabled={busy || !password}>Go on</Button>
      </div>
    </form>
  );
}
