// Nothing moves under the pointer: while it (or the focus) is inside, new rows wait and the header counts them.
import { useMemo, useRef, useState, type FocusEvent, type PointerEvent } from "react";

export function useHeldRows<T extends { id: string }>(rows: T[]) {
  const [held, setHeld] = useState<readonly string[] | null>(null);
  const current = useRef(rows);
  current.current = rows;
  const inside = useRef({ pointer: false, focus: false });

  const update = () => {
    const hold = inside.current.pointer || inside.current.focus;
    setHeld((before) => (hold ? (before ?? current.current.map((row) => row.id)) : null));
  };
  const shown = useMemo(() => {
    // An empty table has nothing that could move.
    if (!held?.length) return rows;
    const byId = new Map(rows.map((row) => [row.id, row]));
    const kept = held.flatMap((id) => byId.get(id) ?? []);
    // Another page or filter: none of the rows that were held is among them.
    return kept.length ? kept : rows;
  }, [rows, held]);
  return {
    shown,
    waiting: rows.length - shown.length,
    release: () => setHeld(inside.current.pointer || inside.current.focus ? current.current.map((row) => row.id) : null),
    handlers: {
      // A finger has no hover: only a mouse or pen can rest on the table.
      onPointerEnter: (event: PointerEvent) => {
        if (event.pointerType === "touch") return;
        inside.current.pointer = true;
        update();
      },
      onPointerLeave: () => {
        inside.current.pointer = false;
        update();
      },
      onFocus: () => {
        inside.current.focus = true;
        update();
      },
      onBlur: (event: FocusEvent) => {
        if (event.currentTarget.contains(event.relatedTarget)) return;
        inside.current.focus = false;
        update();
      },
    },
  };
}
