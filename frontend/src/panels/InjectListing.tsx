import { FlaskConical } from "lucide-react";
import { useState, type FormEvent } from "react";
import { api } from "../api";
import { lookAgain, useWorld } from "../live";
import { Button, fieldClass, Modal, Problem } from "../ui";

/** A made-up listing through the real path, so that the operator can see the path work. */
export function InjectListing() {
  const [open, setOpen] = useState(false);
  return (
    <>
      <Button onClick={() => setOpen(true)} className="font-normal">
        <FlaskConical aria-hidden size={15} /> Inject test listing
      </Button>
      <Modal open={open} onOpenChange={setOpen} title="Inject a test listing">
        <Form done={() => setOpen(false)} />
      </Modal>
    </>
  );
}

function Form({ done }: { done: () => void }) {
  const stopped = useWorld((world) => world.monitor.status === "stopped");
  const [symbol, setSymbol] = useState("");
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState("");
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setProblem("");
    api.inject(symbol.trim()).then(
      () => {
        lookAgain();
        done();
      },
      (error: Error) => {
        setProblem(error.message);
        setBusy(false);
      },
    );
  };
  return (
    <form onSubmit={submit} className="grid gap-3">
      <p className="text-dim">
        This is a test, not a real listing: it takes the same way through engine, ledger and page, is marked as a
        test for good, is not counted as new, and nothing is sent to the venue.
      </p>
      {stopped && <p className="text-warn">The monitor is stopped. Start it first; a stopped monitor takes no listing.</p>}
      <label className="grid gap-1">
        <span className="font-medium">Symbol</span>
        <input
          className={fieldClass} value={symbol} onChange={(event) => setSymbol(event.target.value)}
          placeholder="MYTESTUSDT" required maxLength={64} autoComplete="off" autoCapitalize="characters" spellCheck={false}
        />
      </label>
      {problem && <Problem>{problem}</Problem>}
      <div className="flex justify-end gap-2">
        <Button onClick={done}>Cancel</Button>
        <Button primary type="submit" disabled={busy || !symbol.trim()}>Inject the test</Button>
      </div>
    </form>
  );
}
