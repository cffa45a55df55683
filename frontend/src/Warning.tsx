import { useNow } from "./clock";
import { clock, span } from "./format";
import { useLink, useWorld } from "./live";

/** The only full red bar there is: what the page shows may be old. */
export function Warning() {
  const link = useLink();
  const alive = useWorld((world) => world.engineAlive);
  const now = useNow(1000);
  if (link.state === "lost")
    return (
      <p role="alert" className="bg-alarm px-3.5 py-2 font-medium text-white">
        No data from the bot. What you see may be old.{" "}
        <span className="font-normal">{sentence(link.why)} {span(Math.max(0, now - link.since))} ago; figures are as of {clock(link.since, now)} UTC. The page keeps trying.</span>
      </p>
    );
  if (alive === false)
    return (
      <p role="alert" className="bg-alarm px-3.5 py-2 font-medium text-white">
        The engine does not answer. What you see may be old.{" "}
        <span className="font-normal">It is restarted by itself; if this stays, look at the terminal or run mexc-sniper doctor.</span>
      </p>
    );
  if (link.state === "polling")
    return (
      <p role="status" className="border-t border-line px-3.5 py-1.5 text-warn">
        Live updates are blocked between this browser and the bot (WebSocket). The page asks every 3 s instead.
      </p>
    );
  return null;
}

const sentence = (why: string) => why.charAt(0).toUpperCase() + why.slice(1);
