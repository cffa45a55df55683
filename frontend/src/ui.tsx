// The page's few building blocks: unstyled, tested behaviour from Base UI, dressed here and only here.
import { Dialog } from "@base-ui/react/dialog";
import clsx from "clsx";
import { ChevronLeft, ChevronRight, X } from "lucide-react";
import { useRef, useState, type ButtonHTMLAttributes, type ReactNode, type Ref, type RefObject } from "react";
import { count, NONE } from "./format";
import type { ComponentStatus } from "./types";

export type Tone = "up" | "warn" | "down" | "dim" | "accent";
const TEXT: Record<Tone, string> = { up: "text-up", warn: "text-warn", down: "text-down", dim: "text-dim", accent: "text-accent" };

export function Button({ primary = false, className, ...rest }: ButtonHTMLAttributes<HTMLButtonElement> & { primary?: boolean; ref?: Ref<HTMLButtonElement> }) {
  return (
    <button
      type="button"
      className={clsx(
        "inline-flex h-8 shrink-0 items-center justify-center gap-2 rounded-control border px-3 font-medium whitespace-nowrap disabled:opacity-60 max-sm:h-9",
        primary ? "border-text bg-text text-panel hover:opacity-90" : "border-edge bg-panel text-text hover:bg-raised",
        className,
      )}
      {...rest}
    />
  );
}

export function Card({ title, aside, children, className, level: Heading = "h2" }: {
  title: ReactNode; aside?: ReactNode; children: ReactNode; className?: string; level?: "h2" | "h3";
}) {
  return (
    <section className={clsx("min-w-0 overflow-hidden rounded-card border border-line bg-panel", className)}>
      <header className="flex min-h-11 flex-wrap items-center justify-between gap-x-3 gap-y-1 px-3 py-1.5">
        <Heading className="text-[13px] font-semibold">{title}</Heading>
        <div className="flex min-w-0 items-center gap-2 text-xs text-dim">{aside}</div>
      </header>
      {children}
    </section>
  );
}

/** A small framed word. Colour never stands alone: the word says it too. */
export function Tag({ tone = "dim", children, title }: { tone?: Tone; children: ReactNode; title?: string }) {
  return (
    <span title={title} className={clsx("inline-flex items-center rounded-[4px] border border-current/40 px-1.5 text-[11px] leading-[18px] font-medium whitespace-nowrap", TEXT[tone])}>
      {children}
    </span>
  );
}

export function State({ tone, children, title }: { tone: Tone; children: ReactNode; title?: string }) {
  return (
    <span title={title} className={clsx("inline-flex items-center gap-1.5 whitespace-nowrap", TEXT[tone])}>
      <span aria-hidden className="size-1.5 shrink-0 rounded-full bg-current" />
      {children}
    </span>
  );
}

export const STATUS_TONE: Record<ComponentStatus, Tone> = { ok: "up", degraded: "warn", down: "down", unavailable: "dim", stopped: "dim" };

/** What will fill this place, and when. */
export function Empty({ children }: { children: ReactNode }) {
  return <p className="px-3 pt-2 pb-4 text-dim">{children}</p>;
}

/** Grey blocks of the final size before the first snapshot, so that nothing jumps. */
export function Blocks({ rows, height = 32 }: { rows: number; height?: number }) {
  return (
    <div aria-hidden className="px-3 pb-2">
      {Array.from({ length: rows }, (_, i) => (
        <div key={i} className="flex items-center" style={{ height }}>
          <div className="grey h-3" style={{ width: `${92 - ((i * 17) % 40)}%` }} />
        </div>
      ))}
    </div>
  );
}

/** An error stands where it happened, with what to do next. */
export function Problem({ children, onClose }: { children: ReactNode; onClose?: () => void }) {
  return (
    <div role="alert" className="flex items-start gap-2 rounded-control border border-current/40 px-3 py-2 text-down">
      <p className="min-w-0 flex-1 break-words">{children}</p>
      {onClose && <button type="button" aria-label="Close this message" onClick={onClose}><X aria-hidden size={16} /></button>}
    </div>
  );
}

export function Figure({ label, children, unit, note, tone }: {
  label: ReactNode; children: ReactNode; unit?: string; note?: ReactNode; tone?: Tone;
}) {
  return (
    <div className="min-w-0 border-line px-3.5 py-2.5">
      <dt className="truncate text-xs text-dim">{label}</dt>
      <dd className={clsx("mt-0.5 truncate text-[19px] leading-6 font-semibold", tone && TEXT[tone])}>
        {children}
        {unit && <span className="ml-1 text-xs font-normal text-dim">{unit}</span>}
      </dd>
      <dd className="mt-0.5 truncate text-xs text-dim">{note ?? " "}</dd>
    </div>
  );
}

/** A row of figures with hairlines between them. */
export function Figures({ children }: { children: ReactNode }) {
  return (
    <dl className="grid grid-cols-2 overflow-hidden rounded-card border border-line bg-line gap-px md:grid-cols-3 xl:grid-cols-6 [&>div]:bg-panel">
      {children}
    </dl>
  );
}

export function Facts({ rows }: { rows: [string, ReactNode][] }) {
  return (
    <dl className="px-3 pb-3">
      {rows.map(([name, value]) => (
        <div key={name} className="flex items-baseline justify-between gap-4 border-t border-line py-1.5 first:border-t-0">
          <dt className="shrink-0 text-dim">{name}</dt>
          <dd className="min-w-0 text-right break-words">{value ?? NONE}</dd>
        </div>
      ))}
    </dl>
  );
}

/** A bar of a share 0…1 with its text beside it; the text carries the meaning. */
export function Bar({ share, from = 0, tone = "accent", least = "3px" }: { share: number; from?: number; tone?: Tone; least?: string }) {
  return (
    <span aria-hidden className={clsx("relative block h-2 w-full overflow-hidden rounded-full bg-raised", TEXT[tone])}>
      <span
        className="absolute inset-y-0 rounded-full bg-current"
        style={{ left: `${from * 100}%`, width: `max(${least}, ${Math.max(0, Math.min(1 - from, share)) * 100}%)` }}
      />
    </span>
  );
}

export function Scroller({ label, children, className }: { label: string; children: ReactNode; className?: string }) {
  return (
    <div role="region" aria-label={label} tabIndex={0} className={clsx("relative overflow-auto", className)}>
      {children}
    </div>
  );
}

export function Key({ children }: { children: ReactNode }) {
  return <kbd className="rounded-[4px] border border-line bg-raised px-1.5 font-sans text-[11px] leading-[18px] text-dim">{children}</kbd>;
}

export function Modal({ open, onOpenChange, title, children, initialFocus }: {
  open: boolean; onOpenChange: (open: boolean) => void; title: string; children: ReactNode; initialFocus?: RefObject<HTMLElement | null>;
}) {
  return (
    <Dialog.Root open={open} onOpenChange={onOpenChange}>
      <Dialog.Portal>
        <Dialog.Backdrop className="fixed inset-0 z-40 bg-black/50" />
        <Dialog.Popup {...(initialFocus ? { initialFocus } : {})} className="fixed inset-x-3 top-[12vh] z-50 mx-auto max-h-[76vh] max-w-md overflow-auto rounded-card border border-edge bg-panel p-4">
          <div className="mb-3 flex items-center justify-between gap-3">
            <Dialog.Title className="text-[15px] font-semibold">{title}</Dialog.Title>
            <Dialog.Close aria-label="Close" className="rounded-control p-1 text-dim hover:bg-raised hover:text-text"><X aria-hidden size={16} /></Dialog.Close>
          </div>
          {children}
        </Dialog.Popup>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

export const fieldClass =
  "h-8 rounded-control border border-edge bg-raised px-2.5 text-text placeholder:text-dim max-sm:h-9 max-sm:text-[16px]";

/** Asks before money moves: the sentence says amount, symbol and mode, the button names the deed; Enter alone confirms nothing. */
export function Confirm({ open, onOpenChange, title, children, action, perform, danger = false }: {
  open: boolean; onOpenChange: (open: boolean) => void; title: string; children: ReactNode; action: string;
  perform: () => Promise<unknown>; danger?: boolean;
}) {
  const cancel = useRef<HTMLButtonElement>(null);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState("");
  const close = () => {
    setProblem("");
    onOpenChange(false);
  };
  const press = () => {
    setBusy(true);
    setProblem("");
    perform().then(close, (error: Error) => setProblem(error.message)).finally(() => setBusy(false));
  };
  return (
    <Modal open={open} onOpenChange={(next) => (next ? onOpenChange(true) : close())} title={title} initialFocus={cancel}>
      <div className="grid gap-3">
        {children}
        {problem && <Problem>{problem}</Problem>}
        <div className="flex flex-wrap justify-end gap-2">
          <Button ref={cancel} onClick={close}>Cancel</Button>
          <Button primary={!danger} disabled={busy} onClick={press} className={danger ? ALARM : undefined}>{action}</Button>
        </div>
      </div>
    </Modal>
  );
}

/** Solid red: the kill switch and what sells everything, nothing else. */
export const ALARM = "border-alarm! bg-alarm! text-white! hover:opacity-90";

/** One of several words for a filter; the empty choice is "all". */
export function Choice({ name, words, value, onChange }: {
  name: string; words: Record<string, string>; value: string | undefined; onChange: (value: string) => void;
}) {
  return (
    <select aria-label={name} className={`${fieldClass} max-sm:flex-1`} value={value ?? ""} onChange={(event) => onChange(event.target.value)}>
      <option value="">{name}: all</option>
      {Object.entries(words).map(([key, word]) => <option key={key} value={key}>{word}</option>)}
    </select>
  );
}

/** One of a few, all in sight: a radio group that looks like one control. */
export function Segments<T extends string>({ label, options, value, onChange }: { label: string; options: readonly T[]; value: T; onChange: (value: T) => void }) {
  return (
    <div role="radiogroup" aria-label={label} className="inline-flex overflow-hidden rounded-control border border-edge">
      {options.map((option, i) => (
        <button
          key={option} type="button" role="radio" aria-checked={option === value} tabIndex={option === value ? 0 : -1} onClick={() => onChange(option)}
          onKeyDown={(event) => {
            const step = event.key === "ArrowRight" || event.key === "ArrowDown" ? 1 : event.key === "ArrowLeft" || event.key === "ArrowUp" ? -1 : 0;
            const next = options[(i + step + options.length) % options.length];
            if (!step || next === undefined) return;
            event.preventDefault();
            onChange(next);
            ((event.currentTarget.parentElement?.children[(i + step + options.length) % options.length]) as HTMLElement | undefined)?.focus();
          }}
          className={clsx("h-7 px-2.5 text-xs -outline-offset-2 max-sm:h-9", i > 0 && "border-l border-edge", option === value ? "bg-text font-medium text-panel" : "bg-panel text-dim hover:bg-raised hover:text-text")}
        >
          {option}
        </button>
      ))}
    </div>
  );
}

/** Newer and older; the page's number is in the URL. */
export function Pages({ page, size, total, noun, to }: { page: number; size: number; total: number; noun: [string, string]; to: (page: number) => void }) {
  const last = Math.max(1, Math.ceil(total / size));
  return (
    <nav aria-label="Pages" className="flex items-center justify-between gap-3 border-t border-line px-3 py-2 text-xs text-dim">
      <span>{count(total)} {noun[total === 1 ? 0 : 1]} recorded{last > 1 && `, page ${page} of ${last}`}</span>
      {last > 1 && (
        <span className="flex gap-2">
          <Button disabled={page <= 1} onClick={() => to(page - 1)}><ChevronLeft aria-hidden size={15} /> Newer</Button>
          <Button disabled={page >= last} onClick={() => to(page + 1)}>Older <ChevronRight aria-hidden size={15} /></Button>
        </span>
      )}
    </nav>
  );
}
