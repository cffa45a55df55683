import { Link } from "@tanstack/react-router";
import { count, label, OUTCOMES, pairName } from "../format";
import { At } from "../time";
import type { Outcome, Performance } from "../types";
import { Bar, Card, Empty, Scroller, State, type Tone } from "../ui";

const TONES: Record<Outcome, Tone> = { entered: "up", skipped: "dim", missed: "down", failed: "down", pending: "accent" };
const FILLS: Record<Outcome, string> = { entered: "bg-up", skipped: "bg-dim/60", missed: "bg-down", failed: "bg-down/60", pending: "bg-accent" };

/** What became of every new listing, why those that were not bought were not, and which were missed. */
export function HitRate({ report }: { report: Performance }) {
  const most = Math.max(1, ...report.reasons.map((reason) => reason.count));
  return (
    <Card title="What became of new listings" aside={`${count(report.listings)} new in the window`}>
      {!report.listings ? <Empty>No new listing in this window.</Empty> : (
        <>
          <div className="px-3 pb-3">
            <div aria-hidden className="flex h-2.5 gap-px overflow-hidden rounded-full">
              {report.outcomes.map(({ outcome, count: many }) => <span key={outcome} className={FILLS[outcome]} style={{ width: `${(many / report.listings) * 100}%` }} />)}
            </div>
            <ul className="flex flex-wrap gap-x-5 gap-y-1 pt-2">
              {report.outcomes.map(({ outcome, count: many }) => <li key={outcome}><State tone={TONES[outcome]}>{label(OUTCOMES, outcome)} <span className="font-semibold">{count(many)}</span></State></li>)}
            </ul>
          </div>
          {report.reasons.length > 0 && (
            <ul className="border-t border-line px-3 py-1" aria-label="Why new listings were not bought">
              {report.reasons.slice(0, 12).map((reason) => (
                <li key={reason.reason} className="grid min-h-8 grid-cols-[minmax(0,1fr)_100px_40px] items-center gap-3 border-t border-line py-1 first:border-t-0 max-sm:grid-cols-[minmax(0,1fr)_40px]">
                  <span>{reason.text}</span><span className="max-sm:hidden"><Bar share={reason.count / most} tone="dim" /></span><span className="text-right">{count(reason.count)}</span>
                </li>
              ))}
            </ul>
          )}
          {report.missed.length > 0 && (
            <Scroller label="Missed listings" className="max-h-52 border-t border-line">
              <ul className="px-3 pb-1">
                {report.missed.map((listing) => (
                  <li key={listing.id} className="flex min-h-8 flex-wrap items-center gap-x-4 border-t border-line first:border-t-0">
                    <Link to="/listings/$id" params={{ id: listing.id }} className="font-semibold hover:underline"><bdi>{pairName(listing)}</bdi></Link>
                    <span className="text-dim"><At at={listing.detectedAt} /></span><span className="min-w-0 break-words">{listing.reasonText}</span>
                  </li>
                ))}
              </ul>
            </Scroller>
          )}
        </>
      )}
    </Card>
  );
}
