import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { api } from "../api";
import { count, duration, money, NONE, signed, signTone, span } from "../format";
import { HitRate } from "../panels/HitRate";
import { Daily, Equity, Groups, Hours } from "../panels/Profit";
import { SourceRace } from "../panels/SourceRace";
import { StageLatency } from "../panels/StageLatency";
import { readPerformanceSearch, WINDOWS, type PerformanceSearch, type Window } from "../search";
import type { Performance as Report } from "../types";
import { Blocks, Card, Figure, Figures, Problem, Segments } from "../ui";

const RENEW_MS = 30_000;
const KEYS = Object.keys(WINDOWS) as Window[];
const MODES = ["dry-run", "live"] as const;

/** Time and money over a window of one's choice. */
export function Performance() {
  const search = useSearch({ from: "/performance" });
  const go = useNavigate({ from: "/performance" });
  const window = search.window ?? "7d";
  const mode = search.mode ?? "dry-run";
  const shared = { placeholderData: keepPreviousData, refetchInterval: RENEW_MS } as const;
  const time = useQuery({ queryKey: ["analytics", "latency", window, mode], queryFn: ({ signal }) => api.latency(window, mode, signal), ...shared });
  const gain = useQuery({ queryKey: ["analytics", "performance", window, mode], queryFn: ({ signal }) => api.performance(window, mode, signal), ...shared });
  const set = (change: { mode?: "live" | undefined; window?: Window }) =>
    void go({ search: (before: PerformanceSearch) => readPerformanceSearch({ ...before, ...change }), replace: true });
  const problem = time.error ?? gain.error;
  return (
    <>
      <div className="mb-3 flex flex-wrap items-center justify-between gap-x-4 gap-y-2">
        <h1 className="text-[15px] font-semibold">Performance</h1>
        <div className="flex flex-wrap gap-2">
          <Segments label="Whose money" options={MODES} value={mode} onChange={(chosen) => set({ mode: chosen === "live" ? "live" : undefined })} />
          <Segments label="Window" options={KEYS} value={window} onChange={(chosen) => set({ window: chosen })} />
        </div>
      </div>
      {problem && <div className="mb-3"><Problem>{problem.message}</Problem></div>}
      {!gain.data || !time.data ? !problem && <Card title="Reading the ledger"><Blocks rows={12} /></Card> : (
        <div className="grid gap-3">
          <Strip report={gain.data} />
          <div className="grid items-start gap-3 xl:grid-cols-[minmax(0,1fr)_380px]"><Equity report={gain.data} /><Daily report={gain.data} /></div>
          <StageLatency report={time.data} />
          <div className="grid items-start gap-3 xl:grid-cols-[minmax(0,3fr)_minmax(0,2fr)]"><SourceRace report={time.data} /><HitRate report={gain.data} /></div>
          <div className="grid items-start gap-3 md:grid-cols-2 xl:grid-cols-4">
            <Groups title="By first source" groups={gain.data.bySource} first="Source" />
            <Groups title="By trigger" groups={gain.data.byTrigger} first="Trigger" />
            <Groups title="By exit" groups={gain.data.byExit} first="Exit" />
            <Hours groups={gain.data.byHour} />
          </div>
        </div>
      )}
    </>
  );
}

function Strip({ report }: { report: Report }) {
  const tone = signTone(report.profit);
  return (
    <Figures>
      <Figure label={`Profit, ${report.mode}`} unit="USDT" note={report.returnPct === null ? "nothing was closed" : `${signed(report.returnPct)} % of ${money(report.spent)} spent`} {...(tone ? { tone } : {})}>{signed(report.profit)}</Figure>
      <Figure label="Won" note={`${count(report.wins)} won, ${count(report.losses)} lost`}>{report.winRate === null ? NONE : `${(report.winRate * 100).toFixed(0)} %`}</Figure>
      <Figure label="Won per lost" note={report.averageWin === null ? "profit factor" : `${signed(report.averageWin)} a win, ${signed(report.averageLoss)} a loss`}>{report.profitFactor === null ? NONE : report.profitFactor.toFixed(2)}</Figure>
      <Figure label="Deepest fall" unit="USDT" note={report.worst === null ? "of the profit's curve" : `worst position ${signed(report.worst)}`}>{money(report.maxDrawdown)}</Figure>
      <Figure label="Held, median" note={report.best === null ? "entry to exit" : `best position ${signed(report.best)}`}>{report.medianHoldS === null ? NONE : report.medianHoldS < 10 ? duration(report.medianHoldS * 1000) : span(report.medianHoldS * 1000)}</Figure>
      <Figure label="New listings bought" note={`of ${count(report.listings)} seen`}>{report.hitRate === null ? NONE : `${(report.hitRate * 100).toFixed(0)} %`}</Figure>
    </Figures>
  );
}
