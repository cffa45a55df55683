import { useNavigate } from "@tanstack/react-router";
import { ShoppingCart } from "lucide-react";
import { useRef, useState, type FormEvent } from "react";
import { api, ApiError, newKey } from "../api";
import { lookAgain, useLink, useWorld } from "../live";
import { Button, fieldClass, Modal, Problem } from "../ui";

/** A manual entry through the same guards. It says before and on the button whose money it is. */
export function Buy({ symbol = "" }: { symbol?: string }) {
  const [open, setOpen] = useState(false);
  return (
    <>
      <Button onClick={() => setOpen(true)} className="font-normal"><ShoppingCart aria-hidden size={15} /> Buy</Button>
      <Modal open={open} onOpenChange={setOpen} title="Buy by hand"><Form symbol={symbol} done={() => setOpen(false)} /></Modal>
    </>
  );
}

/** Live money only in a live process that is armed (DESIGN 7); everything else is paper. */
const useLiveNow = () => {
  const live = useWorld((world) => world.health.mode) === "live";
  return (useWorld((world) => world.trading?.armed) ?? false) && live;
};

function Form({ symbol: given, done }: { symbol: string; done: () => void }) {
  const go = useNavigate();
  const link = useLink();
  const live = useLiveNow();
  const usual = useWorld((world) => world.config?.config.tradeUsdt);
  const [symbol, setSymbol] = useState(given);
  const [quote, setQuote] = useState(() => (usual === undefined ? "" : String(usual)));
  const [busy, setBusy] = useState(false);
  const sent = useRef<{ order: string; key: string } | null>(null);
  const [problem, setProblem] = useState("");
  const mode = live ? "live" : "dry-run";
  const pair = symbol.trim();
  const valid = /^\d+(\.\d+)?$/.test(quote.trim()) && /[1-9]/.test(quote);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!pair || !valid) return;
    setBusy(true);
    setProblem("");
    // While nobody knows whether the first try arrived, pressing again repeats it under the same key: it acts once.
    const order = `${pair} ${quote.trim()}`;
    if (sent.current?.order !== order) sent.current = { order, key: newKey() };
    api.buy(pair, quote.trim(), sent.current.key).then(
      ({ tradeId }) => {
        lookAgain();
        done();
        void go({ to: "/trades/$id", params: { id: tradeId } });
      },
      (error: Error) => {
        if (error instanceof ApiError && error.status !== 0) sent.current = null;
        setProblem(error.message);
        setBusy(false);
      },
    );
  };
  return (
    <form onSubmit={submit} className="grid gap-3">
      <p className="text-dim">
        {live ? <>The bot is <b className="font-semibold text-down">armed: this buys with real money.</b></>
          : "A dry run: bought on paper against the live order book. Nothing is sent to the venue."}{" "}
        Every limit and guard of the configuration is asked first.
      </p>
      <label className="grid gap-1">
        <span className="font-medium">Symbol</span>
        <input className={fieldClass} value={symbol} onChange={(event) => setSymbol(event.target.value)} placeholder="ABCUSDT" required maxLength={64} autoComplete="off" autoCapitalize="characters" spellCheck={false} />
      </label>
      <label className="grid gap-1">
        <span className="font-medium">Amount, USDT</span>
        <input className={fieldClass} value={quote} onChange={(event) => setQuote(event.target.value)} inputMode="decimal" required autoComplete="off" aria-invalid={quote !== "" && !valid} />
        {quote !== "" && !valid && <span className="text-down">A number above zero, such as 20 or 12.5.</span>}
      </label>
      {problem && <Problem>{problem}</Problem>}
      <div className="flex flex-wrap justify-end gap-2">
        <Button onClick={done}>Cancel</Button>
        <Button primary type="submit" disabled={busy || !pair || !valid || link.state === "lost"} className="h-auto! min-h-8 py-1 whitespace-normal!">
          <span className="break-all">Buy {valid ? quote.trim() : "…"} USDT of {pair || "…"}, {mode}</span>
        </Button>
      </div>
    </form>
  );
}
