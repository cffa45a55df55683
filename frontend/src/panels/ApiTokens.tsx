import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Copy } from "lucide-react";
import { useState, type FormEvent } from "react";
import { api, ApiError } from "../api";
import { name } from "../format";
import { Ago, At } from "../time";
import type { ApiToken } from "../types";
import { Blocks, Button, Card, Confirm, Empty, fieldClass, Modal, Problem, Scroller, Tag } from "../ui";
import { NotHere } from "./NotHere";

const SCOPES = { read: "see everything", control: "trade and change limits", kill: "stop, never resume" } as const;
type Scope = keyof typeof SCOPES;
const LIVES: Record<string, number | null> = { "30 days": 30, "90 days": 90, "1 year": 365, never: null };

/** Tokens of scripts and Prometheus: made here, shown once, revoked here. */
export function ApiTokens() {
  const client = useQueryClient();
  const asked = useQuery({ queryKey: ["tokens"], queryFn: ({ signal }) => api.tokens(signal), retry: false });
  const [making, setMaking] = useState(false);
  const [revoking, setRevoking] = useState<ApiToken | null>(null);
  const again = () => client.invalidateQueries({ queryKey: ["tokens"] });
  const absent = asked.error instanceof ApiError && (asked.error.status === 404 || asked.error.code === "token_required");
  return (
    <Card title="API tokens" aside={!absent && <Button className="h-7!" onClick={() => setMaking(true)}>New token</Button>}>
      {absent ? <NotHere what="API tokens" how="mexc-sniper user token" />
        : asked.error ? <div className="px-3 pb-3"><Problem>{asked.error.message}</Problem></div>
        : !asked.data ? <Blocks rows={3} />
        : !asked.data.tokens.length ? <Empty>No token yet. Scripts and Prometheus need one; this page does not.</Empty>
        : <Table tokens={asked.data.tokens} onRevoke={setRevoking} />}
      <Modal open={making} onOpenChange={setMaking} title="New API token">{making && <Make done={() => setMaking(false)} made={again} />}</Modal>
      {revoking && (
        <Confirm open onOpenChange={(open) => !open && setRevoking(null)} title="Revoke a token" danger action={`Revoke ${name(revoking.name)}`} perform={() => api.revokeToken(revoking.id).then(again)}>
          <p>Whatever uses <bdi className="font-semibold">{name(revoking.name)}</bdi> is refused from now on. This cannot be undone.</p>
        </Confirm>
      )}
    </Card>
  );
}

function Table({ tokens, onRevoke }: { tokens: ApiToken[]; onRevoke: (token: ApiToken) => void }) {
  return (
    <Scroller label="API tokens" className="border-t border-line">
      <table className="w-full border-collapse">
        <caption className="sr-only">API tokens</caption>
        <thead>
          <tr>
            <th scope="col" className="th">Name</th><th scope="col" className="th">May</th><th scope="col" className="th max-sm:hidden">Made</th>
            <th scope="col" className="th max-sm:hidden">Last used</th><th scope="col" className="th max-sm:hidden">Ends</th><th scope="col" className="th"><span className="sr-only">Revoke</span></th>
          </tr>
        </thead>
        <tbody>
          {tokens.map((token) => (
            <tr key={token.id} className="row">
              <th scope="row" className="td cut max-w-44 text-left font-medium"><bdi title={name(token.name)}>{name(token.name)}</bdi></th>
              <td className="td"><span className="flex flex-wrap gap-1 py-1">{token.scopes.map((scope) => <Tag key={scope} tone={scope === "control" ? "warn" : "dim"}>{scope}</Tag>)}</span></td>
              <td className="td text-dim max-sm:hidden"><At at={token.createdAt} /></td>
              <td className="td text-dim max-sm:hidden">{token.lastUsedAt ? <Ago at={token.lastUsedAt} /> : "never"}</td>
              <td className="td text-dim max-sm:hidden">{token.expiresAt ? <At at={token.expiresAt} /> : "never"}</td>
              <td className="td num"><Button className="h-7!" aria-label={`Revoke ${name(token.name)}`} onClick={() => onRevoke(token)}>Revoke</Button></td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroller>
  );
}

function Make({ done, made }: { done: () => void; made: () => void }) {
  const [called, setCalled] = useState("");
  const [scopes, setScopes] = useState<Scope[]>(["read"]);
  const [life, setLife] = useState("90 days");
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState("");
  const [token, setToken] = useState("");
  if (token) return <Shown token={token} done={done} />;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setProblem("");
    api.makeToken(called.trim(), scopes, LIVES[life] ?? null).then(
      (answer) => { setToken(answer.token); made(); },
      (error: Error) => { setProblem(error.message); setBusy(false); },
    );
  };
  return (
    <form onSubmit={submit} className="grid gap-3">
      <label className="grid gap-1">
        <span className="font-medium">Name</span>
        <input className={fieldClass} value={called} onChange={(event) => setCalled(event.target.value)} maxLength={64} required placeholder="prometheus" autoComplete="off" />
      </label>
      <fieldset className="grid gap-1">
        <legend className="pb-1 font-medium">It may</legend>
        {(Object.keys(SCOPES) as Scope[]).map((scope) => (
          <label key={scope} className="flex items-center gap-2.5">
            <input type="checkbox" className="size-4 accent-(--accent)" checked={scopes.includes(scope)} onChange={(event) => setScopes(event.target.checked ? [...scopes, scope] : scopes.filter((known) => known !== scope))} />
            {scope} <span className="text-dim">{SCOPES[scope]}</span>
          </label>
        ))}
        {!scopes.length && <p role="alert" className="text-down">Choose at least one.</p>}
      </fieldset>
      <label className="grid gap-1">
        <span className="font-medium">Ends after</span>
        <select className={fieldClass} value={life} onChange={(event) => setLife(event.target.value)}>{Object.keys(LIVES).map((word) => <option key={word}>{word}</option>)}</select>
      </label>
      {problem && <Problem>{problem}</Problem>}
      <div className="flex justify-end gap-2"><Button onClick={done}>Cancel</Button><Button primary type="submit" disabled={busy || !called.trim() || !scopes.length}>Make the token</Button></div>
    </form>
  );
}

/** The only moment in which it can be read. */
function Shown({ token, done }: { token: string; done: () => void }) {
  const [copied, setCopied] = useState(false);
  return (
    <div className="grid gap-3">
      <p>Copy it now: it is shown this once and kept as a hash only.</p>
      <code className="rounded-control border border-line bg-raised px-3 py-2 font-sans break-all select-all">{token}</code>
      <div className="flex justify-end gap-2">
        <Button onClick={() => void navigator.clipboard?.writeText(token).then(() => setCopied(true))}><Copy aria-hidden size={14} /> {copied ? "Copied" : "Copy"}</Button>
        <Button primary onClick={done}>I have it</Button>
      </div>
    </div>
  );
}
