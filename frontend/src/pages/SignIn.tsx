import { useEffect, useRef, useState, type FormEvent } from "react";
import { api, ApiError } from "../api";
import { Button, fieldClass, Problem } from "../ui";

/** The one-time link carries the token behind `#`, so that it never reaches a server log; it leaves the address bar at once. */
function takeToken(): string {
  const token = new URLSearchParams(location.hash.slice(1)).get("token") ?? "";
  if (location.hash) history.replaceState(null, "", location.pathname);
  return token;
}

export function SignIn() {
  const [token, setToken] = useState("");
  const [password, setPassword] = useState("");
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState("");
  const started = useRef(false);

  const signIn = (session: Promise<unknown>) => {
    setBusy(true);
    setProblem("");
    session.then(
      () => location.replace("/dashboard/"),
      (error: Error) => {
        setBusy(false);
        setProblem(error instanceof ApiError && error.code === "login_token_invalid"
          ? "This link was used already or has expired."
          : error.message);
      },
    );
  };
  useEffect(() => {
    if (started.current) return;
    started.current = true;
    const given = takeToken();
    if (given) signIn(api.signIn(given));
  });
  return (
    <main className="mx-auto grid min-h-dvh max-w-md content-center gap-4 p-4">
      <div className="flex items-center gap-3">
        <img src="/dashboard/icon.svg" alt="" width={32} height={32} />
        <h1 className="text-[22px] leading-7">mexc-sniper</h1>
      </div>
      <section className="grid gap-4 rounded-card border border-line bg-panel p-4">
        {problem && <Problem>{problem}</Problem>}
        <p className="text-dim">
          {busy ? "Signing in…" : problem
            ? <>Each link works once. Print a new one in the terminal with <Command>mexc-sniper user link</Command>, then open it or paste its token here.</>
            : <>Open the one-time link that the terminal printed when the bot started, or print a new one with <Command>mexc-sniper user link</Command>.</>}
        </p>
        <form
          className="grid gap-3"
          onSubmit={(event: FormEvent) => {
            event.preventDefault();
            signIn(api.signIn(token.trim().replace(/^.*#token=/, "")));
          }}
        >
          <label className="grid gap-1">
            <span className="font-medium">Token or whole link</span>
            <input className={fieldClass} type="password" autoComplete="off" value={token} onChange={(event) => setToken(event.target.value)} required />
          </label>
          <Button primary type="submit" disabled={busy || !token.trim()}>Sign in</Button>
        </form>
      </section>
      <section className="grid gap-3 rounded-card border border-line bg-panel p-4">
        <form
          className="grid gap-3"
          onSubmit={(event: FormEvent) => {
            event.preventDefault();
            signIn(api.signInWithPassword(password));
          }}
        >
          <label className="grid gap-1">
            <span className="font-medium">Password</span>
            <span className="text-dim">Once you have set one with <Command>mexc-sniper user password</Command>.</span>
            <input className={fieldClass} type="password" autoComplete="current-password" value={password} onChange={(event) => setPassword(event.target.value)} required />
          </label>
          <Button type="submit" disabled={busy || !password}>Use the password</Button>
        </form>
      </section>
      <p className="text-xs text-dim">The bot runs on your own machine; this page talks to nothing else.</p>
    </main>
  );
}

const Command = ({ children }: { children: string }) => (
  <code className="rounded-[4px] border border-line bg-raised px-1 text-text">{children}</code>
);
