import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { ShieldCheck, ShieldX } from "lucide-react";
import { useEffect, useState } from "react";
import { api } from "../api";
import { count, name, NONE } from "../format";
import { AUDIT_KINDS, readAuditSearch, type AuditSearch } from "../search";
import { At } from "../time";
import type { AuditPage } from "../types";
import { Blocks, Button, Card, Choice, Empty, fieldClass, Pages, Problem, Scroller } from "../ui";

const PAGE = 50;
const RENEW_MS = 10_000;

/** Who did what, when, and what came of it; the chain of digests proves that nothing was changed afterwards. */
export function Audit() {
  const search = useSearch({ from: "/audit" });
  const go = useNavigate({ from: "/audit" });
  const page = search.page ?? 1;
  const asked = useQuery({
    queryKey: ["audit", search], queryFn: ({ signal }) => api.audit(PAGE, (page - 1) * PAGE, { what: search.kind, text: search.q }, signal),
    placeholderData: keepPreviousData, refetchInterval: page === 1 ? RENEW_MS : false,
  });
  return (
    <>
      <h1 className="sr-only">Audit log</h1>
      <Card title="Audit log" aside={<Verify />}>
        <Filters search={search} />
        {asked.error && <div className="px-3 pb-3"><Problem>{asked.error.message}</Problem></div>}
        {!asked.data ? !asked.error && <Blocks rows={14} />
          : !asked.data.entries.length ? <Empty>{search.q || search.kind ? "No entry matches. Change or clear the filter." : page > 1 ? "No older entries." : "Nothing was done yet. Commands, configuration changes and everything that moves money stand here."}</Empty>
          : <Table entries={asked.data.entries} />}
        <Pages page={page} size={PAGE} total={asked.data?.total ?? 0} noun={["entry", "entries"]} to={(next) => void go({ search: (before: AuditSearch) => readAuditSearch({ ...before, page: next }) })} />
      </Card>
      {asked.data?.head && <p className="px-3 py-2 text-xs break-all text-dim">End of the chain: <code className="font-sans">{asked.data.head}</code>. Kept elsewhere, it proves later that nothing was cut off.</p>}
    </>
  );
}

function Filters({ search }: { search: AuditSearch }) {
  const go = useNavigate({ from: "/audit" });
  const set = (change: { q?: string; kind?: string }) =>
    void go({ search: (before: AuditSearch) => readAuditSearch({ ...before, page: undefined, ...change }), replace: true });
  const [text, setText] = useState(search.q ?? "");
  const [inUrl, setInUrl] = useState(search.q);
  if (search.q !== inUrl) {
    setInUrl(search.q);
    setText(search.q ?? "");
  }
  useEffect(() => {
    const timer = window.setTimeout(() => text.trim() !== (search.q ?? "") && set({ q: text.trim() }), 250);
    return () => window.clearTimeout(timer);
  }, [text]);
  return (
    <search className="flex flex-wrap items-center gap-2 px-3 pb-3">
      <input
        data-filter type="search" aria-label="Filter by any text" placeholder="Person, pair, id" className={`${fieldClass} w-52 max-sm:w-full`}
        value={text} onChange={(event) => setText(event.target.value)} maxLength={64} spellCheck={false}
      />
      <Choice name="What" words={AUDIT_KINDS} value={search.kind} onChange={(kind) => set({ kind })} />
      {(search.q ?? search.kind) && <Button className="font-normal" onClick={() => set({ q: "", kind: "" })}>Clear</Button>}
    </search>
  );
}

/** Following the whole chain reads every row, so it is done when asked for. */
function Verify() {
  const [wanted, setWanted] = useState(false);
  const proof = useQuery({ queryKey: ["auditProof"], queryFn: ({ signal }) => api.audit(1, 0, { verify: true }, signal), enabled: wanted, staleTime: 0, retry: false });
  const again = () => (wanted ? void proof.refetch() : setWanted(true));
  return (
    <>
      <span role="status" className="flex items-center gap-1.5">
        {proof.error ? <span className="text-down">{proof.error.message}</span>
          : proof.data && !proof.isFetching && (proof.data.firstBroken === null
            ? <span className="flex items-center gap-1.5 text-up"><ShieldCheck aria-hidden size={14} />all {count(proof.data.total)} rows are as they were written</span>
            : <span className="flex items-center gap-1.5 text-down"><ShieldX aria-hidden size={14} />row {count(proof.data.firstBroken)} is missing or was changed</span>)}
      </span>
      <Button className="h-7!" disabled={proof.isFetching} onClick={again}>{proof.isFetching ? "Checking…" : "Check the chain"}</Button>
    </>
  );
}

const words = (text: string) => name(text.replaceAll("_", " "));

function Table({ entries }: { entries: AuditPage["entries"] }) {
  return (
    <Scroller label="Audit log" className="border-t border-line">
      <table className="w-full table-fixed border-collapse">
        <caption className="sr-only">Audit log, newest first</caption>
        <thead>
          <tr>
            <th scope="col" className="th num w-[6%] max-lg:hidden">No.</th><th scope="col" className="th w-[13%] max-sm:w-[28%]">Time, UTC</th>
            <th scope="col" className="th w-[13%] max-sm:w-[30%]">Who</th><th scope="col" className="th w-[16%] max-sm:w-[42%]">What</th>
            <th scope="col" className="th w-[12%] max-sm:hidden">Result</th><th scope="col" className="th max-sm:hidden">Detail</th>
            <th scope="col" className="th num w-[7%] max-lg:hidden">Config</th>
          </tr>
        </thead>
        <tbody>
          {entries.map((entry) => (
            <tr key={entry.number} className="row align-top">
              <td className="td num py-1.5 text-dim max-lg:hidden" title={`digest ${entry.digest}`}>{count(entry.number)}</td>
              <td className="td cut py-1.5"><At at={entry.at} millis /></td>
              <td className="td cut py-1.5" title={name(entry.who)}><bdi>{name(entry.who)}</bdi></td>
              <th scope="row" className="td py-1.5 text-left font-medium whitespace-normal!">
                {words(entry.what)}
                <span className="block text-xs font-normal break-words text-dim sm:hidden">{words(entry.result)} {name(entry.detail)}</span>
              </th>
              <td className="td cut py-1.5 max-sm:hidden"><span className={/refused|failed|rejected|expired/.test(entry.result) ? "text-warn" : ""}>{words(entry.result) || NONE}</span></td>
              <td className="td py-1.5 break-words whitespace-normal! text-dim max-sm:hidden"><bdi>{name(entry.detail)}</bdi>{entry.ref && <span className="block text-xs break-all">{name(entry.ref)}</span>}</td>
              <td className="td num py-1.5 text-dim max-lg:hidden">{entry.configVersion || NONE}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroller>
  );
}
