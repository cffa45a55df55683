import { duration, label, logShare, name, NONE, SIGNALS, time } from "../format";
import { At } from "../time";
import type { Listing, Signal } from "../types";
import { firstOpening } from "./ListingsTable";
import { Bar, Card, Empty, Scroller, Tag } from "../ui";

/** Every source's word in the order it arrived, with how late it was. */
export function SignalTimeline({ signals, listing }: { signals: Signal[]; listing: Listing }) {
  const ordered = [...signals].sort((a, b) => time(a.receivedAt) - time(b.receivedAt));
  const longest = Math.max(0, ...signals.map((signal) => Math.abs(signal.lagMs ?? 0)));
  const opening = firstOpening(listing) ? time(listing.listedAt) : NaN;
  return (
    <Card title="Signals, in order of arrival" aside="source lag: venue time to arrival, bar in powers of ten">
      {!ordered.length ? <Empty>No signal recorded.</Empty> : (
        <Scroller label="Signals" className="border-t border-line">
          <table className="w-full border-collapse">
            <caption className="sr-only">Signals about this listing in order of arrival, with the lag of each source</caption>
            <thead>
              <tr>
                <th scope="col" className="th">Arrived, UTC</th>
                <th scope="col" className="th">Signal</th>
                <th scope="col" className="th num max-sm:hidden">From opening</th>
                <th scope="col" className="th num">Source lag</th>
                <th scope="col" className="th w-[22%] max-md:hidden"><span className="sr-only">Source lag as a bar</span></th>
              </tr>
            </thead>
            <tbody>
              {ordered.map((signal, i) => (
                <tr key={`${signal.receivedAt} ${signal.kind} ${i}`} className="row align-top">
                  <td className="td py-1.5"><At at={signal.receivedAt} millis /></td>
                  <td className="td py-1.5 whitespace-normal!">
                    <span className="mr-2 font-medium">{label(SIGNALS, signal.kind)}</span>
                    {!signal.official && <Tag title="The venue does not document this source">unofficial</Tag>}
                    {signal.evidence && <p className="mt-0.5 max-w-[60ch] text-xs break-words text-dim"><bdi>{name(signal.evidence)}</bdi></p>}
                  </td>
                  <td className="td num py-1.5 text-dim max-sm:hidden">{Number.isNaN(opening) ? NONE : `${time(signal.receivedAt) >= opening ? "+" : ""}${duration(time(signal.receivedAt) - opening)}`}</td>
                  <td className="td num py-1.5">{signal.lagMs === null ? <span className="text-dim" title="The message carries no venue time">{NONE}</span> : duration(signal.lagMs)}</td>
                  <td className="td py-2.5 max-md:hidden">{signal.lagMs !== null && <Bar share={logShare(signal.lagMs, longest)} />}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </Scroller>
      )}
    </Card>
  );
}
