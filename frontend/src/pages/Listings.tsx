import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useCallback, useEffect, useMemo, useState } from "react";
import { api } from "../api";
import { KINDS, OUTCOMES, PHASES } from "../format";
import { useWorld } from "../live";
import { readSearch, type ListingsSearch } from "../search";
import { InjectListing } from "../panels/InjectListing";
import { ListingsTable } from "../panels/ListingsTable";
import { NothingSeen } from "../panels/NothingSeen";
import { Waiting, type Held } from "../panels/Waiting";
import type { Listing } from "../types";
import { Blocks, Button, Card, Choice, Empty, fieldClass, Pages, Problem } from "../ui";

const PAGE = 50;

function matches(listing: Listing, { q, phase, outcome, kind }: ListingsSearch): boolean {
  const text = q?.toLowerCase();
  return (!text || `${listing.symbol} ${listing.base}/${listing.quote} ${listing.fullName}`.toLowerCase().includes(text))
    && (!phase || listing.phase === phase) && (!outcome || listing.outcome === outcome) && (!kind || listing.kind === kind);
}

export function Listings() {
  const search = useSearch({ from: "/listings" });
  const page = search.page ?? 1;
  const live = useWorld((world) => world.listings);
  const [held, setHeld] = useState<Held>({ waiting: 0, release: () => undefined });
  const onWaiting = useCallback((waiting: number, release: () => void) => setHeld({ waiting, release }), []);
  const asked = useQuery({
    queryKey: ["listings", search],
    queryFn: ({ signal }) => api.listings(PAGE, (page - 1) * PAGE, {
      ...(search.q ? { text: search.q } : {}), ...(search.phase ? { phase: search.phase } : {}),
      ...(search.outcome ? { outcome: search.outcome } : {}), ...(search.kind ? { kind: search.kind } : {}),
    }, signal),
    placeholderData: keepPreviousData,
  });
  const rows = useMemo(() => {
    if (!asked.data || !live) return undefined;
    const known = new Map(live.map((listing) => [listing.id, listing]));
    const stored = asked.data.listings.map((listing) => known.get(listing.id) ?? listing);
    if (page > 1) return stored;
    // Arrivals since the answer stand on top of it, as long as they match.
    const ids = new Set(stored.map((listing) => listing.id));
    const newest = stored[0]?.detectedAt ?? "";
    const arrived = live.filter((listing) => !ids.has(listing.id) && listing.detectedAt >= newest && matches(listing, search));
    return [...arrived, ...stored].filter((listing) => matches(listing, search));
  }, [asked.data, live, page, search]);
  const total = asked.data?.total ?? 0;
  const go = useNavigate({ from: "/listings" });
  const turn = (next: number) => void go({ search: (before: ListingsSearch) => readSearch({ ...before, page: next }) });
  const filtered = Boolean(search.q || search.phase || search.outcome || search.kind);
  return (
    <>
      <h1 className="sr-only">Listings</h1>
      <Card title="Listings" aside={<><Waiting {...held} /><InjectListing /></>}>
        <Filters search={search} />
        {asked.error && <div className="px-3 pb-3"><Problem>{asked.error.message}</Problem></div>}
        {rows
          ? <ListingsTable
              caption="Listings, newest first" rows={rows} onWaiting={onWaiting}
              empty={filtered ? <Empty>No listing matches. Change or clear the filter.</Empty> : page > 1 ? <Empty>No older listings.</Empty> : <NothingSeen />}
            />
          : !asked.error && <Blocks rows={12} />}
        <Pages page={page} size={PAGE} total={total} noun={["listing", "listings"]} to={turn} />
      </Card>
    </>
  );
}

function Filters({ search }: { search: ListingsSearch }) {
  const go = useNavigate({ from: "/listings" });
  const set = (change: Partial<ListingsSearch>) =>
    void go({ search: (before: ListingsSearch) => readSearch({ ...before, page: undefined, ...change }), replace: true });
  // Typed letters stand at once; the address follows when the hand rests.
  const [text, setText] = useState(search.q ?? "");
  const [inUrl, setInUrl] = useState(search.q);
  if (search.q !== inUrl) {
    setInUrl(search.q);
    setText(search.q ?? "");
  }
  useEffect(() => {
    const timer = window.setTimeout(() => text !== (search.q ?? "") && set({ q: text }), 150);
    return () => window.clearTimeout(timer);
  }, [text]);
  const active = search.q || search.phase || search.outcome || search.kind;
  return (
    <search className="flex flex-wrap items-center gap-2 px-3 pb-3">
      <input
        data-filter type="search" aria-label="Filter by pair or name" placeholder="Pair or name" className={`${fieldClass} w-48 max-sm:w-full`}
        value={text} onChange={(event) => setText(event.target.value)} maxLength={64}
      />
      <Choice name="Phase" words={PHASES} value={search.phase} onChange={(phase) => set({ phase })} />
      <Choice name="Kind" words={KINDS} value={search.kind} onChange={(kind) => set({ kind })} />
      <Choice name="Outcome" words={OUTCOMES} value={search.outcome} onChange={(outcome) => set({ outcome })} />
      {active && <Button className="font-normal" onClick={() => set({ q: "", phase: "", outcome: "", kind: "" })}>Clear</Button>}
    </search>
  );
}
