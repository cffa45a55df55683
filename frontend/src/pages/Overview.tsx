import { useCallback, useState } from "react";
import { Link } from "@tanstack/react-router";
import { useWorld } from "../live";
import { InjectListing } from "../panels/InjectListing";
import { LastActivity } from "../panels/LastActivity";
import { ListingsTable } from "../panels/ListingsTable";
import { NextListings } from "../panels/NextListings";
import { NeedsYou } from "../panels/NeedsYou";
import { NothingSeen } from "../panels/NothingSeen";
import { Pending } from "../panels/Pending";
import { Positions } from "../panels/Positions";
import { Speed } from "../panels/Speed";
import { Sources } from "../panels/Sources";
import { Summary } from "../panels/Summary";
import { Waiting, type Held } from "../panels/Waiting";
import { Blocks, Card } from "../ui";

const ROWS = 100;

export function Overview() {
  const listings = useWorld((world) => world.listings);
  const [held, setHeld] = useState<Held>({ waiting: 0, release: () => undefined });
  const onWaiting = useCallback((waiting: number, release: () => void) => setHeld({ waiting, release }), []);
  return (
    <>
      <h1 className="sr-only">Overview</h1>
      <div className="grid gap-3"><Pending /><NeedsYou /><Summary /></div>
      <div className="mt-3 grid items-start gap-3 xl:grid-cols-[minmax(0,1fr)_340px]">
        <div className="order-2 grid min-w-0 gap-3 xl:order-1">
          <Card
            title="Live listings"
            aside={<><Waiting {...held} /><Link to="/listings" className="text-accent hover:underline max-sm:hidden">all listings</Link><InjectListing /></>}
          >
            {listings
              ? <ListingsTable caption="Live listings, newest first" rows={listings.slice(0, ROWS)} onWaiting={onWaiting} empty={<NothingSeen />} className="max-h-[396px]" />
              : <Blocks rows={11} />}
          </Card>
          <LastActivity />
        </div>
        <div className="order-1 grid min-w-0 grid-cols-[minmax(0,1fr)] gap-3 xl:order-2">
          <NextListings />
          <Positions brief />
          <div className="max-xl:hidden"><Speed /></div>
          <div className="max-xl:hidden"><Sources /></div>
        </div>
        <div className="order-3 grid grid-cols-[minmax(0,1fr)] gap-3 xl:hidden"><Speed /><Sources /></div>
      </div>
    </>
  );
}
