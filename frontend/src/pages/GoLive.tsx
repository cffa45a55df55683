import { useQuery } from "@tanstack/react-query";
import { Check, TriangleAlert, X } from "lucide-react";
import { useState } from "react";
import { api } from "../api";
import { count } from "../format";
import { lookAgain, useLink, useWorld } from "../live";
import { Arm } from "../panels/Arm";
import { Ago, At, Countdown } from "../time";
import type { GoLiveItem } from "../types";
import { ALARM, Blocks, Button, Card, Confirm, Problem } from "../ui";

const RENEW_MS = 5_000;
const LOOKS = {
  ok: [Check, "in order", "text-up"], missing: [X, "missing", "text-down"], warning: [TriangleAlert, "you confirm it", "text-warn"],
} as const;

/** What stands between this program and live orders. It shows; the engine decides. */
export function GoLive() {
  const asked = useQuery({ queryKey: ["golive"], queryFn: ({ signal }) => api.golive(signal), refetchInterval: RENEW_MS });
  const link = useLink();
  const [arming, setArming] = useState(false);
  const [disarming, setDisarming] = useState(false);
  const trading = useWorld((world) => world.trading);
  const list = asked.data;
  const missing = list?.items.filter((item) => item.state === "missing") ?? [];
  const warnings = list?.items.filter((item) => item.state === "warning") ?? [];
  const armed = trading?.armed ?? list?.armed ?? false;
  const until = trading?.armedUntil ?? list?.armedUntil ?? null;
  return (
    <>
      <h1 className="sr-only">Go live</h1>
      <div className="mx-auto grid max-w-[920px] gap-3">
        <section aria-label="Live trading" className={`rounded-card border bg-panel px-4 py-4 ${armed ? "border-alarm" : "border-line"}`}>
          <div className="flex flex-wrap items-center justify-between gap-x-6 gap-y-3">
            <div className="min-w-0">
              <p className="text-[19px] leading-7 font-semibold">{armed ? "Armed: entries are live" : list ? (list.ready ? "Ready to be armed" : `${count(missing.length)} of ${count(list.items.length)} points are missing`) : "Reading…"}</p>
              <p className="text-dim">
                {armed && until ? <>until <At at={until} />, <Countdown to={until} done="ended" /> left{trading?.armedBy && <>, by {trading.armedBy}</>}. Eligible listings are bought with real money.</>
                  : "Everything goes on paper until you arm it, for a limited time. The engine looks again by itself before it agrees."}
              </p>
            </div>
            {armed
              ? <Button onClick={() => setDisarming(true)}>Disarm</Button>
              : <Button className={list?.ready ? ALARM : ""} disabled={!list?.ready || link.state === "lost"} onClick={() => setArming(true)} aria-describedby="golive-list">Arm live trading</Button>}
          </div>
          {list && (
            <div aria-hidden className="mt-3 flex h-1.5 gap-0.5 overflow-hidden rounded-full">
              {list.items.map((item) => <span key={item.id} className={`flex-1 ${item.state === "ok" ? "bg-up" : item.state === "warning" ? "bg-warn" : "bg-down/70"}`} />)}
            </div>
          )}
        </section>
        {asked.error && <Problem>{asked.error.message}</Problem>}
        <Card title="Checklist" aside={list && <>looked at <Ago at={list.checkedAt} /></>}>
          {!list ? <Blocks rows={11} height={56} /> : (
            <ul id="golive-list" className="border-t border-line">
              {list.items.map((item) => <Line key={item.id} item={item} />)}
            </ul>
          )}
        </Card>
      </div>
      <Arm open={arming} onOpenChange={setArming} warnings={warnings} />
      <Confirm open={disarming} onOpenChange={setDisarming} title="Disarm" action="Disarm, entries go to paper" perform={() => api.disarm().then(lookAgain)}>
        <p>New entries go to paper from now on. Live positions keep their live exits for as long as they exist.</p>
      </Confirm>
    </>
  );
}

function Line({ item }: { item: GoLiveItem }) {
  const [Icon, word, tone] = LOOKS[item.state];
  return (
    <li className="grid grid-cols-[20px_minmax(0,1fr)_auto] items-start gap-x-3 border-t border-line px-3 py-2.5 first:border-t-0">
      <Icon aria-hidden size={16} className={`mt-0.5 ${tone}`} />
      <div className="min-w-0">
        <p className="font-medium">{item.label}</p>
        <p className="break-words text-dim">{item.detail}</p>
        {item.mend && <p className="break-words">{item.mend}</p>}
      </div>
      <span className={`text-xs ${tone}`}>{word}</span>
    </li>
  );
}
