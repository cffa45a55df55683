import { useState } from "react";
import { api, type Resolution } from "../api";
import { label, name } from "../format";
import { lookAgain, useWorld } from "../live";
import { Ago } from "../time";
import type { Attention } from "../types";
import { Button, Card, Confirm, State } from "../ui";
import { ModeTag } from "./TradesTable";

const KINDS: Record<Attention["kind"], string> = {
  discrepancy: "Discrepancy", in_doubt: "Order in doubt", manual_exit: "Manual exit needed", foreign_order: "Foreign order",
  long_absence: "Long absence",
};
/** What each answer means; the engine says which it takes. */
const ANSWERS: Record<Resolution, { name: string; text: string }> = {
  adopt: { name: "Adopt", text: "The bot takes the venue's word into its own books; from now on it counts in every limit." },
  ignore: { name: "Ignore", text: "The books stay as they are, and this is no longer shown." },
  mark: { name: "Mark as done", text: "You have settled it by hand at the venue; the bot has nothing left to do." },
};

/** What only a person can end; nothing is drawn while there is nothing. */
export function NeedsYou() {
  const items = useWorld((world) => world.attention) ?? [];
  const [asked, setAsked] = useState<{ item: Attention; answer: Resolution } | null>(null);
  if (!items.length && !asked) return null;
  return (
    <Card title="Needs you" aside={`${items.length} open`} className="border-warn!">
      <ul className="px-3 pb-1">
        {items.map((item) => (
          <li key={item.id} className="grid gap-1.5 border-t border-line py-2 first:border-t-0">
            <span className="flex flex-wrap items-center gap-x-3 gap-y-1">
              <State tone="warn"><span className="font-semibold">{label(KINDS, item.kind)}</span></State>
              {item.symbol && <bdi className="font-semibold">{name(item.symbol)}</bdi>}
              <ModeTag mode={item.mode} />
              <span className="text-xs text-dim"><Ago at={item.raisedAt} /></span>
            </span>
            <p className="max-w-[90ch] break-words">{name(item.text)}</p>
            <span className="flex flex-wrap gap-2">
              {(Object.keys(ANSWERS) as Resolution[]).map((answer) => (
                <Button key={answer} className="h-7!" aria-label={`${ANSWERS[answer].name}: ${name(item.symbol ?? item.id)}`} onClick={() => setAsked({ item, answer })}>{ANSWERS[answer].name}</Button>
              ))}
            </span>
          </li>
        ))}
      </ul>
      {asked && (
        <Confirm
          open onOpenChange={(open) => !open && setAsked(null)} title={`${ANSWERS[asked.answer].name}?`} action={`${ANSWERS[asked.answer].name} ${name(asked.item.symbol ?? "")}`.trim()}
          perform={() => api.resolve(asked.item.id, asked.answer).then(lookAgain)}
        >
          <p className="break-words">{name(asked.item.text)}</p>
          <p className="text-dim">{ANSWERS[asked.answer].text}</p>
        </Confirm>
      )}
    </Card>
  );
}
