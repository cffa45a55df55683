// The server's time in the browser: its offset is measured on every frame that carries a server time.
import { useSyncExternalStore } from "react";
import type { Iso } from "./types";

let offset = 0;
let measured = false;

/** A frame is late, never early: the largest (server − browser) of late is closest to the truth. */
export function learnServerTime(at: Iso): void {
  const seen = Date.parse(at) - Date.now();
  if (!measured || Math.abs(seen - offset) > 250) offset = seen;
  else offset = Math.max(seen, offset - 1);
  measured = true;
}

export const serverNow = () => Date.now() + offset;

type Ticker = { now: number; listeners: Set<() => void>; timer: number; subscribe: (f: () => void) => () => void };
const tickers = new Map<number, Ticker>();

/** One timer per period for the whole page, in step with the server's seconds. */
function ticker(period: number): Ticker {
  const known = tickers.get(period);
  if (known) return known;
  const made: Ticker = {
    now: serverNow(),
    listeners: new Set(),
    timer: 0,
    subscribe(listener) {
      if (made.listeners.size === 0) tick();
      made.listeners.add(listener);
      return () => {
        made.listeners.delete(listener);
        if (made.listeners.size === 0) window.clearTimeout(made.timer);
      };
    },
  };
  const tick = () => {
    made.now = serverNow();
    made.timer = window.setTimeout(tick, period - (made.now % period) + 2);
    for (const listener of made.listeners) listener();
  };
  tickers.set(period, made);
  return made;
}

/** Server time in ms, renewed every `period` ms. */
export function useNow(period = 1000): number {
  const source = ticker(period);
  return useSyncExternalStore(source.subscribe, () => source.now);
}
