import { count, duration, label, NONE, SIGNALS } from "../format";
import type { Analytics } from "../types";
import { Bar, Card, Empty, Scroller, Tag } from "../ui";

const ms = (value: number | null) => (value === null ? <span className="text-dim">{NONE}</span> : duration(value));

/** Which source speaks first, how late each is, and how far behind the first at an opening. */
export function SourceRace({ report }: { report: Analytics }) {
  const sources = report.sources.toSorted((a, b) => b.first - a.first || (a.behind.p50Ms ?? Infinity) - (b.behind.p50Ms ?? Infinity));
  const most = Math.max(1, ...sources.map((source) => source.first));
  return (
    <Card title="Sources" aside="who spoke first, and how far behind the first the others were">
      {!sources.length ? <Empty>No listing was seen in this window.</Empty> : (
        <Scroller label="Sources compared" className="border-t border-line">
          <table className="w-full border-collapse">
            <caption className="sr-only">Sources by how often they spoke first</caption>
            <thead>
              <tr>
                <th scope="col" className="th">Signal</th><th scope="col" className="th num">First</th><th scope="col" className="th w-[12%] max-lg:hidden"><span className="sr-only">Share</span></th>
                <th scope="col" className="th num max-sm:hidden">Listings</th><th scope="col" className="th num">Lag p50</th><th scope="col" className="th num max-sm:hidden">Lag p95</th>
                <th scope="col" className="th num max-sm:hidden">Behind p50</th><th scope="col" className="th num max-md:hidden">Behind p95</th>
              </tr>
            </thead>
            <tbody>
              {sources.map((source) => (
                <tr key={source.kind} className="row">
                  <th scope="row" className="td text-left font-normal">{label(SIGNALS, source.kind)} {!source.official && <Tag title="The venue does not document this source">unofficial</Tag>}</th>
                  <td className="td num font-semibold">{count(source.first)}</td>
                  <td className="td max-lg:hidden"><Bar least="0px" share={source.first / most} /></td>
                  <td className="td num max-sm:hidden">{count(source.listings)}</td>
                  <td className="td num">{ms(source.lag.p50Ms)}</td><td className="td num max-sm:hidden">{ms(source.lag.p95Ms)}</td>
                  <td className="td num max-sm:hidden">{ms(source.behind.p50Ms)}</td><td className="td num max-md:hidden">{ms(source.behind.p95Ms)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </Scroller>
      )}
    </Card>
  );
}
