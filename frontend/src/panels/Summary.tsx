import { useMemo } from "react";
import { useNow } from "../clock";
import { count, duration, median, money, NONE, quantile, signed, signTone, span, time } from "../format";
import { useWorld } from "../live";
import { Ago } from "../time";
import type { AccountRisk, SignalKind } from "../types";
import { Bar, Figure, Figures } from "../ui";
import { useRisk } from "./Exposure";
import { tradedBefore } from "./ListingsTable";

const DAY_MS = 86_400_000;
/** Words spoken days ahead: how late they are read says nothing about openings. */
const EARLY = new Set<SignalKind>(["calendar", "announcement", "web_symbol", "candles"]);

/** The figures strip. Money is that of the account in use: live once the bot is started for it. */
export function Summary() {
  const listings = useWorld((world) => world.listings);
  const total = useWorld((world) => world.listingsTotal);
  const monitor = useWorld((world) => world.monitor);
  const risk = useRisk();
  const minute = useNow(60_000);
  const figures = useMemo(() => {
    const day = (listings ?? []).filter((listing) => time(listing.detectedAt) > minute - DAY_MS);
    const lags = day.flatMap((listing) => listing.sources.flatMap((source) => (EARLY.has(source.kind) ? [] : (source.lagMs ?? []))));
    const seen = day.flatMap((listing) =>
      listing.late || listing.kind === "injected" || tradedBefore(listing) ? [] : (listing.detectionLagMs ?? []));
    return {
      day: day.length,
      // The page holds the newest 200; when all of them are of today there may be more.
      full: (listings?.length ?? 0) < (total ?? 0) && day.length === listings?.length,
      fresh: day.filter((listing) => listing.kind === "new").length,
      entered: day.filter((listing) => listing.outcome === "entered").length,
      missed: day.filter((listing) => listing.outcome === "missed" || listing.outcome === "failed").length,
      lag: median(lags),
      seen: median(seen), seenTail: quantile(seen, 0.95),
    };
  }, [listings, total, minute]);
  const mode = useWorld((world) => world.health.mode);
  const account = risk.data?.accounts.find((known) => known.mode === mode);
  const running = monitor?.wanted && monitor.startedAt;
  if (!listings || !monitor || (!account && !risk.error))
    return (
      <Figures>
        {Array.from({ length: 6 }, (_, i) => (
          <Figure key={i} label={<span className="grey inline-block h-3 w-20" />} note={<span className="grey inline-block h-3 w-24" />}><span className="grey inline-block h-4 w-16" /></Figure>
        ))}
      </Figures>
    );
  return (
    <Figures>
      <Money account={account} mode={mode ?? "dry-run"} />
      <Figure label="Listings, 24 h" note={`${count(figures.fresh)} new, ${count(figures.entered)} entered${figures.missed ? `, ${count(figures.missed)} missed` : ""}`}>
        {count(figures.day)}{figures.full && "+"}
      </Figure>
      <Figure label="Seen after opening, p50" note={figures.seen === null ? "no opening seen in 24 h" : `p95 ${duration(figures.seenTail ?? 0)}${figures.lag === null ? "" : `, source lag ${duration(figures.lag)}`}`}>
        {figures.seen === null ? NONE : duration(figures.seen)}
      </Figure>
      <Figure label="Monitor" note={running ? <>last event <Ago at={monitor.lastEventAt} /></> : "press Start to see listings"} {...(monitor.status === "degraded" ? { tone: "warn" as const } : {})}>
        {running ? <Uptime since={time(monitor.startedAt)} /> : "stopped"}
      </Figure>
    </Figures>
  );
}

function Money({ account, mode }: { account: AccountRisk | undefined; mode: string }) {
  const limit = (name: string) => account?.limits.find((known) => known.name === name);
  const loss = limit("dailyLossLimitUsdt");
  const held = limit("maxPositionUsdt");
  const tone = signTone(account?.realizedToday);
  return (
    <>
      <Figure label={`Profit today, ${mode}`} unit="USDT" note={account?.spentToday == null ? "realized since 00:00 UTC" : `spent ${money(account.spentToday)} today`} {...(tone ? { tone } : {})}>{signed(account?.realizedToday)}</Figure>
      <Figure label="Loss limit left" unit="USDT" note={loss ? <Meter share={loss.utilisation} text={`${money(loss.used)} of ${money(loss.limit)} used`} /> : undefined}>{money(loss?.left ?? loss?.limit)}</Figure>
      <Figure label="Open positions" note={<Meter share={held?.utilisation} text={`${money(account?.atStake)} USDT at risk`} />}>{account?.openPositions == null ? NONE : count(account.openPositions)}</Figure>
    </>
  );
}

const Meter = ({ share, text }: { share: number | null | undefined; text: string }) => (
  <span className="flex items-center gap-2">
    {share == null ? null : <span className="w-12 shrink-0 max-sm:hidden"><Bar least="0px" share={Math.min(1, share)} tone={share >= 1 ? "down" : share >= 0.8 ? "warn" : "accent"} /></span>}
    <span className="truncate">{text}</span>
  </span>
);

function Uptime({ since }: { since: number }) {
  return <>{span(Math.max(0, useNow(1000) - since))}</>;
}
