import { Link, Outlet, useNavigate } from "@tanstack/react-router";
import { Activity, ArrowLeftRight, CalendarClock, ChartColumn, Ellipsis, LayoutDashboard, List, LogOut, Moon, Play, Rocket, ScrollText, Settings2, ShieldCheck, Square, Sun } from "lucide-react";
import { useCallback, useEffect, useState } from "react";
import { api } from "./api";
import { useNow } from "./clock";
import { name as plain, span } from "./format";
import { Help } from "./Help";
import { useKeys, type Place } from "./keys";
import { heardAt, lookAgain, useLink, useWorld } from "./live";
import { KillButton, KillPanel } from "./panels/Kill";
import { upcoming } from "./panels/NextListings";
import { StepUp } from "./panels/StepUp";
import { toggleTheme, useTheme } from "./theme";
import { At, Countdown } from "./time";
import { STATE_TONES } from "./trading";
import { Button, Key, Modal, Problem, State, Tag, type Tone } from "./ui";
import { Warning } from "./Warning";

/** A phone has room for four of them; the others stand under "More". */
const PLACES: { to: Place; name: string; Icon: typeof List; phone: boolean }[] = [
  { to: "/", name: "Overview", Icon: LayoutDashboard, phone: true },
  { to: "/calendar", name: "Calendar", Icon: CalendarClock, phone: true },
  { to: "/listings", name: "Listings", Icon: List, phone: false },
  { to: "/trades", name: "Trades", Icon: ArrowLeftRight, phone: true },
  { to: "/performance", name: "Performance", Icon: ChartColumn, phone: false },
  { to: "/risk", name: "Risk", Icon: ShieldCheck, phone: true },
  { to: "/go-live", name: "Go live", Icon: Rocket, phone: false },
  { to: "/audit", name: "Audit log", Icon: ScrollText, phone: false },
  { to: "/health", name: "Health", Icon: Activity, phone: false },
  { to: "/settings", name: "Settings", Icon: Settings2, phone: false },
];

export function Shell() {
  const go = useNavigate();
  const [help, setHelp] = useState(false);
  const [kill, setKill] = useState(false);
  const [more, setMore] = useState(false);
  const openHelp = useCallback(() => setHelp(true), []);
  const openKill = useCallback(() => setKill(true), []);
  const goTo = useCallback((to: Place) => void go({ to }), [go]);
  useKeys(goTo, openHelp, openKill);
  const live = useWorld((world) => world.trading?.armed) ?? false;
  useTitle();
  const link = useLink();
  const stale = useStale();
  useEffect(() => {
    if (link.state === "signed_out") location.replace("/login");
  }, [link.state]);
  return (
    <div className={`flex min-h-dvh flex-col ${live ? "border-t-2 border-alarm" : ""}`}>
      <a href="#main" className="sr-only focus:not-sr-only focus:fixed focus:top-2 focus:left-2 focus:z-50 focus:rounded-control focus:bg-panel focus:px-3 focus:py-2">Skip to the content</a>
      <TopBar onKill={openKill} />
      <div className="flex flex-1">
        <nav aria-label="Pages of the dashboard" className="sticky top-12 h-[calc(100dvh-48px)] w-44 shrink-0 border-r border-line bg-panel p-2 max-lg:w-14 max-sm:hidden">
          <Places of={PLACES} className="flex h-8 items-center gap-3 rounded-control px-2.5" text="max-lg:sr-only" icon={16} />
          <About />
        </nav>
        <main id="main" className={`mx-auto min-w-0 max-w-[1680px] flex-1 p-3 max-sm:pb-20 ${stale ? "stale" : ""}`}>
          <Outlet />
        </main>
      </div>
      <nav aria-label="Pages of the dashboard" className="fixed inset-x-0 bottom-0 z-20 grid grid-cols-5 border-t border-line bg-panel pb-[env(safe-area-inset-bottom)] sm:hidden">
        <Places of={PLACES.filter((place) => place.phone)} className="grid h-14 place-items-center content-center gap-0.5 text-[11px]" text="" icon={18} />
        <button type="button" onClick={() => setMore(true)} aria-haspopup="dialog" className="grid h-14 place-items-center content-center gap-0.5 text-[11px] text-dim">
          <Ellipsis aria-hidden size={18} />More
        </button>
      </nav>
      <Modal open={more} onOpenChange={setMore} title="More">
        <nav aria-label="More pages" onClick={() => setMore(false)}>
          <Places of={PLACES.filter((place) => !place.phone)} className="flex h-11 items-center gap-3 rounded-control px-2.5 text-[15px]" text="" icon={18} />
        </nav>
        <div className="mt-2 flex gap-2 border-t border-line pt-3"><Personal onProblem={() => setMore(false)} words /></div>
      </Modal>
      <KillPanel open={kill} onOpenChange={setKill} />
      <StepUp />
      <Help open={help} onOpenChange={setHelp} />
    </div>
  );
}

/** Whether nobody knows how things stand now. */
function useStale(): boolean {
  const lost = useLink().state === "lost";
  return useWorld((world) => !world.engineAlive) === true || lost;
}

function Places({ of, className, text, icon }: { of: typeof PLACES; className: string; text: string; icon: number }) {
  return of.map(({ to, name, Icon }) => (
    <Link
      key={to} to={to} title={name} activeOptions={{ exact: to === "/", includeSearch: false }} className={className}
      activeProps={{ className: "bg-raised font-medium text-text" }} inactiveProps={{ className: "text-dim hover:text-text" }}
    >
      <Icon aria-hidden size={icon} /><span className={text}>{name}</span>
    </Link>
  ));
}

function About() {
  const health = useWorld((world) => world.health);
  return (
    <p className="absolute inset-x-0 bottom-0 px-4.5 py-3 text-xs text-dim max-lg:hidden">
      {health && <>version {health.version}<br />{health.environment}</>}
      <br /><span className="inline-flex items-center gap-1.5 pt-1">Keys <Key>?</Key></span>
    </p>
  );
}

function TopBar({ onKill }: { onKill: () => void }) {
  const [problem, setProblem] = useState("");
  return (
    <header className="sticky top-0 z-30 border-b border-line bg-panel">
      <div className="flex min-h-12 flex-wrap items-center gap-x-4 gap-y-1 px-3.5 py-1.5 max-sm:gap-x-3">
        <div className="flex items-center gap-3 max-sm:gap-2">
          <span className="text-[15px] font-semibold max-sm:sr-only">mexc-sniper</span>
          <Mode />
        </div>
        <div className="flex items-center gap-4 max-sm:order-3 max-sm:w-full max-sm:justify-between max-sm:gap-2" role="status" aria-label="State of the bot"><MonitorState /><Feed /><Data /><Trading /></div>
        <NeedsYouLink />
        <div className="ml-auto flex items-center gap-x-4 max-sm:order-1 max-sm:ml-0 max-lg:hidden max-sm:flex"><NextOpening /><span className="max-xl:hidden"><Utc /></span></div>
        <div className="flex items-center gap-1 max-lg:ml-auto max-sm:order-2">
          <span className="mr-1 flex gap-2"><StartStop onProblem={setProblem} /><KillButton onPress={onKill} /></span>
          <span className="flex gap-1 max-sm:hidden"><Personal onProblem={setProblem} /></span>
        </div>
        {problem && <div className="order-last w-full pb-1"><Problem onClose={() => setProblem("")}>{problem}</Problem></div>}
      </div>
      <Warning />
    </header>
  );
}

/** What concerns only this browser: the scheme and the session. */
function Personal({ onProblem, words = false }: { onProblem: (text: string) => void; words?: boolean }) {
  const theme = useTheme();
  const scheme = theme === "dark" ? "Use the light scheme" : "Use the dark scheme";
  return (
    <>
      <IconButton label={scheme} words={words} onClick={toggleTheme}>{theme === "dark" ? <Sun aria-hidden size={16} /> : <Moon aria-hidden size={16} />}</IconButton>
      <IconButton label="Sign out" words={words} onClick={() => api.signOut().then(() => location.replace("/login"), (error: Error) => onProblem(error.message))}><LogOut aria-hidden size={16} /></IconButton>
    </>
  );
}

/** Who set the state when nobody has touched it since the engine began. */
const START = "start";

/** What may be traded now; who said so stands in the kill panel and on hover. */
function Trading() {
  const trading = useWorld((world) => world.trading);
  const stale = useStale();
  if (!trading) return null;
  const who = `${trading.actor ? `by ${trading.actor}` : ""}${trading.reason ? `: ${trading.reason}` : ""}`;
  return (
    <State tone={stale ? "dim" : STATE_TONES[trading.state]} title={who}>
      {trading.state.toUpperCase()}{trading.actor && trading.actor !== START && trading.actor !== "engine" && <span className="font-normal text-dim max-lg:hidden">by {plain(trading.actor)}</span>}
    </State>
  );
}

function NeedsYouLink() {
  const many = useWorld((world) => world.attention.length + world.trades.filter((trade) => trade.status === "high_value_pending").length);
  if (!many) return null;
  return <Link to="/trades" className="rounded-full border border-warn px-2.5 leading-[22px] font-medium whitespace-nowrap text-warn hover:bg-raised max-sm:order-1">{many} {many === 1 ? "needs" : "need"} you</Link>;
}

function IconButton({ label, onClick, children, words }: { label: string; onClick: () => void; children: React.ReactNode; words: boolean }) {
  if (words) return <Button onClick={onClick} className="flex-1 font-normal">{children} {label}</Button>;
  return (
    <button type="button" aria-label={label} title={label} onClick={onClick} className="grid size-8 place-items-center rounded-control text-dim hover:bg-raised hover:text-text">
      {children}
    </button>
  );
}

function Mode() {
  const mode = useWorld((world) => world.health.mode);
  const until = useWorld((world) => (world.trading?.armed ? world.trading.armedUntil : null));
  const link = (what: React.ReactNode) => <Link to="/go-live" className="inline-flex">{what}</Link>;
  if (mode !== "live") return link(<Tag tone="warn" title="Real market data, orders filled on paper; nothing is sent to the venue">DRY-RUN</Tag>);
  if (until) return link(<span className="rounded-[4px] bg-alarm px-1.5 text-[11px] leading-5 font-semibold whitespace-nowrap text-white">LIVE until <At at={until} short /></span>);
  return link(<Tag tone="warn" title="Started for live trading, but not armed: new entries go to paper, live positions keep their exits">LIVE, not armed</Tag>);
}

function MonitorState() {
  const status = useWorld((world) => world.monitor.status);
  const detail = useWorld((world) => world.monitor.lastError);
  const tone: Tone = useStale() ? "dim" : status === "running" ? "up" : status === "degraded" ? "warn" : "dim";
  return <State tone={tone} {...(detail ? { title: detail } : {})}>{status ?? "…"}</State>;
}

const FEED_QUIET_MS = 10_000;
const DATA_OLD_MS = 3_000;

/** The venue's side: whether its stream is up, and how long ago it last said anything. */
function Feed() {
  const link = useLink();
  const now = useNow(1000);
  const alive = useWorld((world) => world.engineAlive);
  const status = useWorld((world) => world.monitor.status);
  const connected = useWorld((world) => world.monitor.websocketConnected);
  const last = useWorld((world) => world.monitor.lastEventAt) ?? null;
  if (link.state === "lost") return <State tone="down">feed stale</State>;
  if (status === undefined) return <State tone="dim">connecting</State>;
  if (!alive) return <State tone="down">engine silent</State>;
  if (status === "stopped") return <State tone="dim">feed off</State>;
  if (!connected) return <State tone="warn">stream down</State>;
  const age = last === null ? null : Math.max(0, now - Date.parse(last));
  return (
    <State tone={age !== null && age > FEED_QUIET_MS ? "warn" : "up"} title="When the venue last said anything">
      feed<span className="sr-only"> live</span>{age === null ? "" : <Age ms={age} />}
    </State>
  );
}

/** Our side: how old what this page shows is. */
function Data() {
  const link = useLink();
  const now = useNow(1000);
  const age = Math.max(0, now - heardAt());
  if (link.state === "connecting") return null;
  const tone = link.state === "lost" ? "down" : link.state === "polling" || age > DATA_OLD_MS ? "warn" : "up";
  return <State tone={tone} title="How long ago this page last heard from the bot">data<Age ms={age} />{link.state === "polling" && <span className="max-lg:hidden">, every 3 s</span>}</State>;
}

const Age = ({ ms }: { ms: number }) => <span className="min-w-6 font-normal">{ms < 120_000 ? `${Math.floor(ms / 1000)} s` : span(ms)}</span>;

function NextOpening() {
  const calendar = useWorld((world) => world.calendar);
  const now = useNow(1000);
  const next = calendar && upcoming(calendar, now).find((entry) => entry.opensAt !== null && Date.parse(entry.opensAt) > now);
  if (!next?.opensAt) return <span className="text-dim max-xl:hidden">no opening announced</span>;
  return (
    <span className="flex min-w-0 items-baseline gap-1.5 text-dim">
      <bdi className="max-w-28 truncate font-medium max-sm:max-w-16" title={plain(next.asset)}>{plain(next.asset)}</bdi>
      <span className="whitespace-nowrap max-sm:hidden">opens in</span> <Countdown to={next.opensAt} />
    </span>
  );
}

function Utc() {
  const now = useNow(1000);
  return <time className="whitespace-nowrap text-dim tabular-nums" dateTime={new Date(now).toISOString()}>{new Date(now).toISOString().slice(11, 19)} UTC</time>;
}

function StartStop({ onProblem }: { onProblem: (text: string) => void }) {
  const status = useWorld((world) => world.monitor.status);
  const [busy, setBusy] = useState(false);
  if (status === undefined) return <span className="h-8 w-36" />;
  const start = status === "stopped";
  const press = () => {
    setBusy(true);
    onProblem("");
    api.setMonitor(start)
      .then(lookAgain, (error: Error) => onProblem(error.message))
      .finally(() => setBusy(false));
  };
  return (
    <Button primary={start} onClick={press} disabled={busy} aria-label={start ? "Start monitoring" : "Stop monitoring"}>
      {start ? <Play aria-hidden size={14} /> : <Square aria-hidden size={14} />}
      <span className="max-sm:sr-only">{start ? "Start" : "Stop"}<span className="max-lg:hidden"> monitoring</span></span>
    </Button>
  );
}

/** The tab's title counts listings that arrived while nobody looked. */
function useTitle(): void {
  const fresh = useWorld((world) => world.fresh);
  const [lookedAt, setLookedAt] = useState(Date.now);
  useEffect(() => {
    const look = () => setLookedAt(Date.now());
    document.addEventListener("visibilitychange", look);
    return () => document.removeEventListener("visibilitychange", look);
  }, []);
  const armed = useWorld((world) => world.trading?.armed) ?? false;
  const unseen = document.hidden ? Object.values(fresh ?? {}).filter((at) => at > lookedAt).length : 0;
  useEffect(() => {
    document.title = `${armed ? "● LIVE " : ""}${unseen ? `(${unseen}) ` : ""}mexc-sniper`;
  }, [unseen, armed]);
}

