import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useCallback, useEffect, useMemo, useState } from "react";
import { api } from "../api";
import { useWorld } from "../live";
import { readTradesSearch, type TradesSearch } from "../search";
import { Buy } from "../panels/Buy";
import { NeedsYou } from "../panels/NeedsYou";
import { Pending } from "../panels/Pending";
import { Positions } from "../panels/Positions";
import { TradesTable } from "../panels/TradesTable";
import { Waiting, type Held } from "../panels/Waiting";
import { MODES, TRADE_STATUSES } from "../trading";
import type { Trade } from "../types";
import { Blocks, Button, Card, Choice, Empty, fieldClass, Pages, Problem } from "../ui";

const PAGE = 50;

const matches = (trade: Trade, { symbol, mode, status }: TradesSearch) =>
  (!symbol || trade.symbol === symbol) && (!mode || trade.mode === mode) && (!status || trade.status === status);

export function Trades() {
  const search = useSearch({ from: "/trades" });
  const go = useNavigate({ from: "/trades" });
  const page = search.page ?? 1;
  const live = useWorld((world) => world.trades);
  const [held, setHeld] = useState<Held>({ waiting: 0, release: () => undefined });
  const onWaiting = useCallback((waiting: number, release: () => void) => setHeld({ waiting, release }), []);
  const asked = useQuery({
    queryKey: ["trades", search],
    queryFn: ({ signal }) => api.trades(PAGE, (page - 1) * PAGE, {
      ...(search.symbol ? { symbol: search.symbol } : {}), ...(search.mode ? { mode: search.mode } : {}), ...(search.status ? { status: search.status } : {}),
    }, signal),
    placeholderData: keepPreviousData,
  });
  const rows = useMemo(() => {
    if (!asked.data || !live) return undefined;
    const known = new Map(live.map((trade) => [trade.id, trade]));
    const stored = asked.data.trades.map((trade) => known.get(trade.id) ?? trade);
    if (page > 1) return stored;
    const ids = new Set(stored.map((trade) => trade.id));
    const newest = stored[0]?.createdAt ?? "";
    const arrived = live.filter((trade) => !ids.has(trade.id) && trade.createdAt >= newest);
    return [...arrived, ...stored].filter((trade) => matches(trade, search));
  }, [asked.data, live, page, search]);
  const filtered = Boolean(search.symbol || search.mode || search.status);
  return (
    <>
      <h1 className="sr-only">Trades</h1>
      <div className="grid gap-3">
        <Pending />
        <NeedsYou />
        <Positions />
        <Card title="Trades" aside={<><Waiting {...held} /><Buy symbol={search.symbol ?? ""} /></>}>
          <Filters search={search} />
          {asked.error && <div className="px-3 pb-3"><Problem>{asked.error.message}</Problem></div>}
          {rows
            ? <TradesTable
                caption="Trades, newest first" rows={rows} onWaiting={onWaiting}
                empty={<Empty>{filtered ? "No trade matches. Change or clear the filter." : page > 1 ? "No older trades." : "No order sent yet. Every attempt stands here, bought or not, with its reason."}</Empty>}
              />
            : !asked.error && <Blocks rows={8} />}
          <Pages page={page} size={PAGE} total={asked.data?.total ?? 0} noun={["trade", "trades"]} to={(next) => void go({ search: (before: TradesSearch) => readTradesSearch({ ...before, page: next }) })} />
        </Card>
      </div>
    </>
  );
}

function Filters({ search }: { search: TradesSearch }) {
  const go = useNavigate({ from: "/trades" });
  const set = (change: Partial<TradesSearch>) =>
    void go({ search: (before: TradesSearch) => readTradesSearch({ ...before, page: undefined, ...change }), replace: true });
  const [text, setText] = useState(search.symbol ?? "");
  const [inUrl, setInUrl] = useState(search.symbol);
  if (search.symbol !== inUrl) {
    setInUrl(search.symbol);
    setText(search.symbol ?? "");
  }
  useEffect(() => {
    const timer = window.setTimeout(() => text.trim() !== (search.symbol ?? "") && set({ symbol: text.trim() }), 250);
    return () => window.clearTimeout(timer);
  }, [text]);
  return (
    <search className="flex flex-wrap items-center gap-2 px-3 pb-3">
      <input
        data-filter type="search" aria-label="Filter by symbol" placeholder="Symbol, such as ABCUSDT" className={`${fieldClass} w-52 max-sm:w-full`}
        value={text} onChange={(event) => setText(event.target.value.toUpperCase())} maxLength={64} autoCapitalize="characters" spellCheck={false}
      />
      <Choice name="Mode" words={MODES} value={search.mode} onChange={(mode) => set({ mode })} />
      <Choice name="Status" words={TRADE_STATUSES} value={search.status} onChange={(status) => set({ status })} />
      {(search.symbol ?? search.mode ?? search.status) && <Button className="font-normal" onClick={() => set({ symbol: "", mode: "", status: "" })}>Clear</Button>}
    </search>
  );
}
