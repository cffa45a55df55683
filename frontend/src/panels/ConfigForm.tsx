import { ArrowRight, Plus, X } from "lucide-react";
import { useEffect, useMemo, useState } from "react";
import { api, ApiError } from "../api";
import { lookAgain } from "../live";
import { changes, fieldProblems, problemOf, range, sendable, shown, type Change, type Field, type Step, type Value, type Values } from "../limits";
import type { Config } from "../types";
import { Button, Card, Confirm, fieldClass, Problem } from "../ui";

type Ask = { title: string; text: string; confirm: boolean };

/** The limits as a form. Only what was touched is sent, on top of the version it was read from. */
export function ConfigForm({ fields, current }: { fields: Field[]; current: Config }) {
  const [edits, setEdits] = useState<Values>({});
  const [base, setBase] = useState(current.version);
  const [refused, setRefused] = useState<Record<string, string>>({});
  const [problem, setProblem] = useState("");
  const [ask, setAsk] = useState<Ask | null>(null);
  const [busy, setBusy] = useState(false);
  const values = current.config as Values;
  const byName = useMemo(() => new Map(fields.map((field) => [field.name, field])), [fields]);
  const changed = changes(values, edits);
  const touched = Object.keys(edits).length > 0;
  if (!touched && base !== current.version) setBase(current.version);
  const bad = changed.some(({ name, to }) => { const field = byName.get(name); return field && problemOf(field, to) !== ""; });
  const set = (name: string, value: Value) => {
    setEdits((before) => ({ ...before, [name]: value }));
    setRefused(({ [name]: _, ...rest }) => rest);
    setProblem("");
  };
  const discard = () => { setEdits({}); setRefused({}); setProblem(""); };
  // What was saved may arrive as the newest version before (or without) the answer to the save: nothing is left to do.
  const settled = touched && !changed.length && !busy;
  useEffect(() => { if (settled) { setEdits({}); setRefused({}); setProblem(""); } }, [settled]);
  const save = async (confirm: boolean) => {
    setBusy(true);
    setProblem("");
    try {
      await api.setConfig(base, Object.fromEntries(changed.map(({ name, to }) => [name, sendable(byName.get(name), to)])), confirm);
      discard();
      lookAgain();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (error.code === "confirmation_required" && !confirm) return setAsk({ title: "A large raise", text: error.message, confirm: true });
      const named = fieldProblems(error.details);
      setRefused(named);
      if (!Object.keys(named).some((name) => byName.has(name))) setProblem(error.message);
      else document.getElementById(`config-${Object.keys(named)[0]}`)?.focus();
    } finally {
      setBusy(false);
    }
  };
  const press = () => {
    const arms = changed.some(({ name, to }) => name === "autoTrade" && to === true);
    if (arms) setAsk({ title: "Switch automatic live trading on?", confirm: false, text: "While the bot is armed it will buy eligible listings with real money, without asking. Not armed, it goes on trading on paper." });
    else void save(false);
  };
  const groups = [...new Set(fields.map((field) => field.group))];
  return (
    <form className="grid gap-3" noValidate onSubmit={(event) => { event.preventDefault(); if (changed.length && !bad) press(); }}>
      <div className="gap-3 lg:columns-2">
        {groups.map((group) => (
          <Card key={group} title={group} className="mb-3 break-inside-avoid">
            <div className="px-3 pb-2">
              {fields.filter((field) => field.group === group).map((field) => (
                <Line key={field.name} field={field} value={edits[field.name] ?? values[field.name] ?? null} edited={changed.some(({ name }) => name === field.name)}
                  problem={refused[field.name] ?? (field.name in edits ? problemOf(field, edits[field.name]) : "")} onChange={(value) => set(field.name, value)} />
              ))}
            </div>
          </Card>
        ))}
      </div>
      {touched && (
        <section aria-label="What changes" className="sticky bottom-0 z-10 rounded-card border border-edge bg-panel px-3 py-2.5 max-sm:bottom-14">
          {base !== current.version && (
            <p className="mb-2 text-warn">
              Version {current.version} by {current.updatedBy} arrived while you were editing. Below stands what would change now.{" "}
              <button type="button" className="font-medium underline" onClick={() => { setBase(current.version); setProblem(""); }}>Go on from version {current.version}</button>
            </p>
          )}
          <div className="flex flex-wrap items-center justify-between gap-x-3 gap-y-2">
            <div className="min-w-0 flex-1 max-sm:basis-full">{changed.length ? <Changes changes={changed} fields={byName} /> : <p className="text-dim">Nothing differs from version {current.version}.</p>}</div>
            <span className="flex gap-2 max-sm:ml-auto">
              <Button onClick={discard}>Discard</Button>
              <Button primary type="submit" disabled={!changed.length || bad || busy}>Save as a new version</Button>
            </span>
          </div>
          {problem && <div className="mt-2"><Problem>{problem}</Problem></div>}
        </section>
      )}
      {ask && (
        <Confirm open onOpenChange={(open) => !open && setAsk(null)} title={ask.title} danger action={ask.confirm ? "Raise it" : "Switch it on"} perform={async () => { const { confirm } = ask; setAsk(null); await save(confirm); }}>
          <p>{ask.text}</p>
          <Changes changes={changed} fields={byName} />
        </Confirm>
      )}
    </form>
  );
}

/** Old → new, one line each. */
export function Changes({ changes: list, fields }: { changes: Change[]; fields: Map<string, Field> }) {
  return (
    <ul className="max-h-40 overflow-auto">
      {list.map(({ name, from, to }) => {
        const field = fields.get(name);
        return (
          <li key={name} className="flex flex-wrap items-center gap-x-2">
            <span>{field?.title ?? name}</span>
            <span className="text-dim line-through">{shown(field, from)}</span><ArrowRight aria-label="becomes" size={13} className="text-warn" /><span className="font-semibold break-all">{shown(field, to)}</span>
          </li>
        );
      })}
    </ul>
  );
}

function Line({ field, value, edited, problem, onChange }: { field: Field; value: Value; edited: boolean; problem: string; onChange: (value: Value) => void }) {
  const id = `config-${field.name}`;
  const limits = field.kind === "whole" || field.kind === "decimal" ? range(field) : "";
  const described = problem ? `${id}-problem` : limits || field.help ? `${id}-help` : undefined;
  return (
    <div className="border-t border-line py-2 first:border-t-0">
      <div className={field.kind === "steps" ? "grid gap-2" : "flex min-h-8 flex-wrap items-center justify-between gap-x-3 gap-y-1"}>
        <label htmlFor={id} className="min-w-0 flex-1">
          {field.title}{edited && <span className="text-warn"> · changed</span>}
          {(limits || field.help) && <span id={`${id}-help`} className="block text-xs text-dim">{[field.help, limits].filter(Boolean).join(" ")}</span>}
        </label>
        <Input id={id} field={field} value={value} onChange={onChange} described={described} invalid={problem !== ""} />
      </div>
      {problem && <p id={`${id}-problem`} role="alert" className="pt-1 text-down sm:text-right">{problem}</p>}
    </div>
  );
}

function Input({ id, field, value, onChange, described, invalid }: {
  id: string; field: Field; value: Value; onChange: (value: Value) => void; described: string | undefined; invalid: boolean;
}) {
  const shared = { id, ...(described ? { "aria-describedby": described } : {}), ...(invalid ? { "aria-invalid": true } : {}) };
  if (field.kind === "switch")
    return <input {...shared} type="checkbox" role="switch" checked={value === true} onChange={(event) => onChange(event.target.checked)} className="switch" />;
  if (field.kind === "choice")
    return (
      <select {...shared} className={`${fieldClass} w-40`} value={String(value)} onChange={(event) => onChange(event.target.value)}>
        {field.choices.map((choice) => <option key={choice}>{choice}</option>)}
      </select>
    );
  if (field.kind === "steps") return <Steps id={id} title={field.title} steps={(value ?? []) as Step[]} onChange={onChange} />;
  if (field.kind === "words")
    return <Words {...shared} words={(value ?? []) as string[]} onChange={onChange} />;
  return (
    <span className="flex items-center gap-2">
      <input {...shared} className={`${fieldClass} w-28 text-right ${invalid ? "border-down" : ""}`} inputMode="decimal" autoComplete="off" value={value === null ? "" : String(value)} onChange={(event) => onChange(event.target.value)} />
      <span className="w-12 text-xs text-dim">{field.unit}</span>
    </span>
  );
}

/** Words between commas; what is typed stays as it was typed. */
function Words({ words, onChange, ...rest }: { id: string; words: string[]; onChange: (value: Value) => void }) {
  const [typed, setTyped] = useState<string | null>(null);
  const read = (text: string) => text.split(/[\s,]+/).filter(Boolean);
  const said = words.join(", ");
  return (
    <input {...rest} className={`${fieldClass} w-60 max-sm:w-full`} autoComplete="off" spellCheck={false} value={typed !== null && read(typed).join(", ") === said ? typed : said}
      onChange={(event) => { setTyped(event.target.value); onChange(read(event.target.value)); }} />
  );
}

/** The take-profit ladder: each step sells a share at a gain. */
function Steps({ id, title, steps, onChange }: { id: string; title: string; steps: Step[]; onChange: (value: Value) => void }) {
  const put = (at: number, change: Partial<Step>) => onChange(steps.map((step, i) => (i === at ? { ...step, ...change } : step)));
  return (
    <div className="grid gap-1.5" role="group" aria-label={title}>
      {steps.map((step, i) => (
        <div key={i} className="flex flex-wrap items-center gap-2 text-dim">
          sell <input {...(i === 0 ? { id } : {})} aria-label={`Step ${i + 1}: share in percent`} className={`${fieldClass} w-18 text-right`} inputMode="decimal" value={String(step.sharePct)} onChange={(event) => put(i, { sharePct: event.target.value })} />
          % at + <input aria-label={`Step ${i + 1}: gain in percent`} className={`${fieldClass} w-18 text-right`} inputMode="decimal" value={String(step.gainPct)} onChange={(event) => put(i, { gainPct: event.target.value })} /> %
          <button type="button" aria-label={`Remove step ${i + 1}`} className="grid size-8 place-items-center rounded-control hover:bg-raised" onClick={() => onChange(steps.filter((_, at) => at !== i))}><X aria-hidden size={14} /></button>
        </div>
      ))}
      <span><Button className="h-7! font-normal" {...(steps.length ? {} : { id })} onClick={() => onChange([...steps, { gainPct: "", sharePct: "" }])}><Plus aria-hidden size={14} /> Add a step</Button></span>
    </div>
  );
}
