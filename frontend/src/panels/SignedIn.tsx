import { useQuery } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";
import { api, renewSession } from "../api";
import { name } from "../format";
import { At } from "../time";
import { Blocks, Button, Card, Confirm, Facts, fieldClass, Problem } from "../ui";
import { NotHere } from "./NotHere";

const SHORTEST = 12;

/** Who this browser is to the bot, and the password that grave things need again. */
export function SignedIn() {
  const asked = useQuery({ queryKey: ["whoami"], queryFn: ({ signal }) => api.whoami(signal) });
  const [ending, setEnding] = useState(false);
  const me = asked.data;
  return (
    <Card title="Signed in" aside={me?.passwordSet !== undefined && <Button className="h-7!" onClick={() => setEnding(true)}>Sign out other browsers</Button>}>
      {asked.error ? <div className="px-3 pb-3"><Problem>{asked.error.message}</Problem></div> : !me ? <Blocks rows={3} /> : (
        <>
          <Facts rows={[
            ["As", <bdi key="a">{name(me.actor)}</bdi>],
            ["May", me.scopes.join(", ")],
            ["Until", <At key="e" at={me.expiresAt} />],
            ...(me.passwordSet === undefined ? [] : [
              ["Password", me.passwordSet ? "set" : <span key="p" className="text-warn">none: one-time links only, and nothing asks twice</span>] as [string, React.ReactNode],
              ...(me.stepUpUntil ? [["Proven until", <At key="s" at={me.stepUpUntil} />] as [string, React.ReactNode]] : []),
            ]),
          ]} />
          {me.passwordSet === undefined ? <NotHere what="The password" /> : <Password known={me.passwordSet} />}
        </>
      )}
      <Confirm open={ending} onOpenChange={setEnding} title="Sign out other browsers" action="Sign them out" perform={() => api.logoutOthers()}>
        <p>Every other browser and phone has to sign in again. Programs with a token go on.</p>
      </Confirm>
    </Card>
  );
}

function Password({ known }: { known: boolean }) {
  const [current, setCurrent] = useState("");
  const [next, setNext] = useState("");
  const [again, setAgain] = useState("");
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState("");
  const [done, setDone] = useState(false);
  const short = next !== "" && next.length < SHORTEST;
  const differs = again !== "" && again !== next;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setProblem("");
    api.setPassword(known ? current : "", next).then(
      async () => { setCurrent(""); setNext(""); setAgain(""); setDone(true); await renewSession(); },
      (error: Error) => setProblem(error.message),
    ).finally(() => setBusy(false));
  };
  const field = (label: string, value: string, set: (value: string) => void, complete: string, wrong = "") => (
    <label className="grid gap-1">
      <span>{label}</span>
      <input className={`${fieldClass} ${wrong ? "border-down" : ""}`} type="password" autoComplete={complete} value={value} aria-invalid={wrong !== ""} required onChange={(event) => { set(event.target.value); setDone(false); }} />
      {wrong && <span role="alert" className="text-down">{wrong}</span>}
    </label>
  );
  return (
    <form onSubmit={submit} className="grid gap-3 border-t border-line px-3 py-3">
      <h3 className="text-[13px]">{known ? "Change the password" : "Set a password"}</h3>
      <div className="grid items-start gap-3 sm:grid-cols-3">
        {known && field("Current", current, setCurrent, "current-password")}
        {field("New", next, setNext, "new-password", short ? `At least ${SHORTEST} characters.` : "")}
        {field("New, again", again, setAgain, "new-password", differs ? "The two differ." : "")}
      </div>
      {problem && <Problem>{problem}</Problem>}
      <div className="flex items-center gap-3">
        <Button type="submit" disabled={busy || !next || short || next !== again || (known && !current)}>{known ? "Change it" : "Set it"}</Button>
        <span role="status" className="text-up">{done && "The password is set. Other browsers were signed out."}</span>
      </div>
    </form>
  );
}
