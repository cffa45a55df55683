import { useWorld } from "../live";
import { Empty } from "../ui";

/** What will fill the table, and when. */
export function NothingSeen() {
  const status = useWorld((world) => world.monitor.status);
  const known = useWorld((world) => world.monitor.baselineSize);
  if (status === "stopped")
    return <Empty>No listing seen yet. Press <b className="text-text">Start monitoring</b>: the first check follows within a second, and every new listing appears here by itself.</Empty>;
  if (!known)
    return <Empty>No listing seen yet. The symbols that exist already are being learned, so that none of them is taken for new.</Empty>;
  return <Empty>No listing seen yet. The next check runs within a second; a new listing appears here by itself.</Empty>;
}
