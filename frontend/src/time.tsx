// Times on the page: each says the exact moment on hover.
import clsx from "clsx";
import { ago, clock, countdown, exact, NONE, time } from "./format";
import { useNow } from "./clock";
import type { Iso } from "./types";

/** `short`: hours and minutes of today. */
export function At({ at, millis = false, short = false }: { at: Iso | null; millis?: boolean; short?: boolean }) {
  const now = useNow(60_000);
  if (at === null) return <span className="text-dim">{NONE}</span>;
  return <time dateTime={at} title={exact(at)}>{short ? clock(time(at), now).replace(/^(\d\d:\d\d):\d\d$/, "$1") : clock(time(at), now, millis)}</time>;
}

export function Ago({ at }: { at: Iso | null }) {
  const now = useNow(1000);
  if (at === null) return <span className="text-dim">{NONE}</span>;
  return <time dateTime={at} title={exact(at)}>{ago(now - time(at))}</time>;
}

const SOON_MS = 600_000;
const TENTHS_MS = 10_000;

/** Server time left; amber under ten minutes, tenths under ten seconds; afterwards how long it is overdue. */
export function Countdown({ to, big = false, done = "due" }: { to: Iso; big?: boolean; done?: string }) {
  const coarse = useNow(1000);
  const close = time(to) - coarse < TENTHS_MS + 1000 && time(to) - coarse > -1000;
  return close ? <FineCountdown to={to} big={big} done={done} /> : <Left ms={time(to) - coarse} to={to} big={big} done={done} />;
}

function FineCountdown(props: { to: Iso; big: boolean; done: string }) {
  return <Left ms={time(props.to) - useNow(100)} {...props} />;
}

function Left({ ms, to, big, done }: { ms: number; to: Iso; big: boolean; done: string }) {
  const soon = ms > 0 && ms < SOON_MS;
  return (
    <time dateTime={to} title={exact(to)} className={clsx("tabular-nums whitespace-nowrap", soon ? "font-semibold text-warn" : "text-dim", big && soon && "text-[16px]")}>
      {ms > 0 ? countdown(ms) : `${done} ${ago(-ms)}`}
    </time>
  );
}
