import { Radar } from "lucide-react";
import { useWorld } from "../live";

/** What will fill the table, and when. */
export function NothingSeen() {
  const status = useWorld((world) => world.monitor.status);
  const known = useWorld((world) => world.monitor.baselineSize);
  return (
    <div className="grid min-h-56 place-items-center content-center gap-3 border-t border-line p-6 text-center">
      <Radar aria-hidden size={28} strokeWidth={1.5} className="text-dim" />
      <p className="text-[15px] font-semibold">No listing seen yet.</p>
      <p className="max-w-[52ch] text-dim">
        {status === "stopped"
          ? <>The monitor is stopped. Press <b className="font-semibold text-text">Start</b> in the top bar: the first check follows within a second, and every new listing appears here by itself.</>
          : known ? "The next check runs within a second. A new listing appears here by itself."
            : "The symbols that exist already are being learned, so that none of them is taken for new. A new listing appears here by itself."}
      </p>
    </div>
  );
}
