import { useMemo } from "react";
import { serverNow, useNow } from "../clock";
import { count, duration, median, name, NONE, quantile, span, time } from "../format";
import { useWorld } from "../live";
import { Ago, Countdown } from "../time";
import type { SignalKind } from "../types";
import { Figure, Figures } from "../ui";
import { tradedBefore } from "./ListingsTable";
import { upcoming } from "./NextListings";

const DAY_MS = 86_400_000;
/** Words spoken days ahead: how late they are read says nothing about openings. */
const EARLY = new Set<SignalKind>(["calendar", "announcement", "web_symbol", "candles"]);

/** The figures strip: what exists in this version, nothing more. */
export function Summary() {
  const listings = useWorld((world) => world.listings);
  const total = useWorld((world) => world.listingsTotal);
  const monitor = useWorld((world) => world.monitor);
  const calendar = useWorld((world) => world.calendar);
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
      late: day.filter((listing) => listing.late).length,
      lag: median(lags), lagTail: quantile(lags, 0.95), lagCount: lags.length,
      seen: median(seen), seenTail: quantile(seen, 0.95), seenCount: seen.length,
    };
  }, [listings, total, minute]);
  const ready = listings && monitor && calendar;
  const next = ready ? upcoming(calendar, serverNow()).find((entry) => time(entry.opensAt) > serverNow()) : undefined;
  const running = monitor?.wanted && monitor.startedAt;
  if (!ready)
    return (
      <Figures>
        {Array.from({ length: 6 }, (_, i) => (
          <Figure key={i} label={<span className="grey inline-block h-3 w-20" />} note={<span className="grey inline-block h-3 w-24" />}><span className="grey inline-block h-4 w-16" /></Figure>
        ))}
      </Figures>
    );
  return (
    <Figures>
      <Figure label="Listings, 24 h" note={`${count(figures.fresh)} new${figures.late ? `, ${count(figures.late)} seen late` : ""}`}>
        {count(figures.day)}{figures.full && "+"}
      </Figure>
      <Figure label={next ? <>Next opening, <bdi>{name(next.asset)}</bdi></> : "Next opening"} note={next ? "at its announced time" : "nothing with a time announced"}>
        {next?.opensAt ? <Countdown to={next.opensAt} /> : NONE}
      </Figure>
      <Figure label="Seen after opening, p50" note={figures.seen === null ? "no opening seen in 24 h" : `p95 ${duration(figures.seenTail ?? 0)} of ${count(figures.seenCount)}`}>
        {figures.seen === null ? NONE : duration(figures.seen)}
      </Figure>
      <Figure label="Source lag, p50" note={figures.lag === null ? "no dated signal in 24 h" : `p95 ${duration(figures.lagTail ?? 0)} of ${count(figures.lagCount)}`}>
        {figures.lag === null ? NONE : duration(figures.lag)}
      </Figure>
      <Figure label="Baseline" note={monitor.baselineLearnedAt ? "symbols known already" : "learned at the first start"}>
        {count(monitor.baselineSize)}
      </Figure>
      <Figure label="Monitor" note={running ? <>last event <Ago at={monitor.lastEventAt} /></> : "press Start to see listings"} {...(monitor.status === "degraded" ? { tone: "warn" as const } : {})}>
        {running ? <Uptime since={time(monitor.startedAt)} /> : "stopped"}
      </Figure>
    </Figures>
  );
}

function Uptime({ since }: { since: number }) {
  return <>{span(Math.max(0, useNow(1000) - since))}</>;
}
