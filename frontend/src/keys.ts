// Keyboard: `g` + letter goes, `/` filters, `j` `k` move through rows, Enter opens (a link does that by itself).
// No key changes what the bot does; Shift+K only opens the panel that can.
import { useEffect } from "react";
import { toggleTheme } from "./theme";

export type Place = "/" | "/listings" | "/calendar" | "/trades" | "/performance" | "/risk" | "/go-live" | "/audit" | "/health" | "/settings";

export const GO: Record<string, { to: Place; name: string }> = {
  o: { to: "/", name: "Overview" },
  l: { to: "/listings", name: "Listings" },
  c: { to: "/calendar", name: "Calendar" },
  t: { to: "/trades", name: "Trades" },
  p: { to: "/performance", name: "Performance" },
  r: { to: "/risk", name: "Risk" },
  v: { to: "/go-live", name: "Go live" },
  a: { to: "/audit", name: "Audit log" },
  h: { to: "/health", name: "Health" },
  s: { to: "/settings", name: "Settings" },
};

const typing = (target: EventTarget | null) =>
  target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));

function step(by: 1 | -1): void {
  const rows = [...document.querySelectorAll<HTMLAnchorElement>("main [data-row]")];
  const at = rows.indexOf(document.activeElement as HTMLAnchorElement);
  rows[at < 0 ? (by > 0 ? 0 : rows.length - 1) : Math.max(0, Math.min(rows.length - 1, at + by))]?.focus();
}

/** A page that was just gone to may not have its field yet. */
function filter(until = performance.now() + 1_000): void {
  const field = document.querySelector<HTMLInputElement>("main [data-filter]");
  if (field) field.focus();
  else if (performance.now() < until) requestAnimationFrame(() => filter(until));
}

export function useKeys(go: (to: Place) => void, help: () => void, kill: () => void): void {
  useEffect(() => {
    let afterG = 0;
    const onKey = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const inDialog = document.querySelector('[role="dialog"]') !== null;
      if (event.key === "Escape" && !inDialog && document.activeElement instanceof HTMLElement) {
        event.preventDefault(); // a search field would lose its text
        document.activeElement.blur();
        return;
      }
      if (typing(event.target) || inDialog) return;
      const place = GO[event.key];
      if (performance.now() - afterG < 1500 && place) {
        afterG = 0;
        go(place.to);
      } else if (event.key === "g") {
        afterG = performance.now();
        return;
      } else if (event.key === "/") {
        filter();
      } else if (event.key === "j" || event.key === "k") {
        step(event.key === "j" ? 1 : -1);
      } else if (event.key === "K") {
        kill();
      } else if (event.key === "d") {
        toggleTheme();
      } else if (event.key === "?") {
        help();
      } else {
        return;
      }
      afterG = 0;
      event.preventDefault();
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, [go, help, kill]);
}
