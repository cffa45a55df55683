export type Held = { waiting: number; release: () => void };

/** Rows that wait because the pointer or the focus is in the table. */
export function Waiting({ waiting, release }: Held) {
  if (!waiting) return null;
  return (
    <button type="button" onClick={release} className="rounded-full border border-accent px-2.5 leading-[22px] font-medium text-accent hover:bg-raised">
      {waiting} new
    </button>
  );
}
