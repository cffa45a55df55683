import { count, duration } from "../format";
import type { Spread } from "../types";

/** How many values lie in each bin; plain bars, with the same in words for those who cannot see them. */
export function Histogram({ spread, height = 132, sparse = false }: { spread: Spread; height?: number; sparse?: boolean }) {
  const { bins } = spread;
  const tallest = Math.max(1, ...bins.map((bin) => bin.count));
  const edge = (ms: number | null) => (ms === null ? "longer" : duration(ms));
  const said = bins.map((bin) => `${count(bin.count)} ${bin.upToMs === null ? "longer" : `up to ${duration(bin.upToMs)}`}`).join(", ");
  const tail = spread.p95Ms ?? Infinity;
  return (
    <figure aria-label={`Histogram: ${said}`} role="img">
      <div aria-hidden className="flex items-end gap-1" style={{ height }}>
        {bins.map((bin, i) => (
          <div key={i} className="relative flex h-full max-w-20 flex-1 flex-col justify-end" title={`${count(bin.count)} ${bin.upToMs === null ? "longer" : `up to ${duration(bin.upToMs)}`}`}>
            <span className="pb-0.5 text-center text-[11px] leading-3 text-dim">{bin.count ? count(bin.count) : ""}</span>
            <span className={`block rounded-t-[3px] ${(bin.upToMs ?? Infinity) > tail * 1.0001 ? "bg-warn/70" : "bg-accent/70"}`} style={{ height: bin.count ? `max(3px, ${(bin.count / tallest) * 82}%)` : 1 }} />
          </div>
        ))}
      </div>
      <div aria-hidden className="flex gap-1 border-t border-line pt-1 text-[11px] text-dim">
        {bins.map((bin, i) => <span key={i} className={`min-w-0 max-w-20 flex-1 text-right whitespace-nowrap ${i % (sparse ? 3 : bins.length > 9 ? 2 : 1) ? (sparse ? "invisible" : "max-sm:invisible") : ""}`}>{edge(bin.upToMs)}</span>)}
      </div>
    </figure>
  );
}
