import { QueryClientProvider } from "@tanstack/react-query";
import { createRootRoute, createRoute, createRouter, lazyRouteComponent, Link, RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { ApiError, queries, session } from "./api";
import { startLive } from "./live";
import { Overview } from "./pages/Overview";
import { SignIn } from "./pages/SignIn";
import { readAuditSearch, readPerformanceSearch, readSearch, readTradesSearch } from "./search";
import { Shell } from "./Shell";
import { Card, Problem } from "./ui";
import "./styles.css";

/** A page that fails must never take the top bar, and with it the kill switch, along. */
function Failed({ error }: { error: unknown }) {
  const gone = error instanceof Error && /dynamically imported|module script/i.test(error.message);
  return (
    <Problem>
      {gone ? "This page could not be loaded: the bot does not answer, or it was renewed while this page was open. Reload once it runs."
        : `This page failed to draw: ${error instanceof Error ? error.message : String(error)}. Reload it; the bot itself is not affected.`}
    </Problem>
  );
}

const root = createRootRoute({
  component: Shell,
  notFoundComponent: () => (
    <Card title="No such page"><p className="px-3 pb-4"><Link to="/" className="text-accent hover:underline">Back to the overview</Link></p></Card>
  ),
});

/** Loaded when opened, or in the first idle moment: a page must open also when the bot has gone meanwhile. */
const pages = {
  Listings: () => import("./pages/Listings"),
  ListingDetail: () => import("./pages/ListingDetail"),
  Calendar: () => import("./pages/Calendar"),
  Trades: () => import("./pages/Trades"),
  TradeDetail: () => import("./pages/TradeDetail"),
  Performance: () => import("./pages/Performance"),
  Risk: () => import("./pages/Risk"),
  GoLive: () => import("./pages/GoLive"),
  Audit: () => import("./pages/Audit"),
  Health: () => import("./pages/Health"),
  Settings: () => import("./pages/Settings"),
};
const parent = { getParentRoute: () => root };

const routes = root.addChildren([
  createRoute({ ...parent, path: "/", component: Overview }),
  createRoute({ ...parent, path: "/listings", component: lazyRouteComponent(pages.Listings, "Listings"), validateSearch: readSearch }),
  createRoute({ ...parent, path: "/listings/$id", component: lazyRouteComponent(pages.ListingDetail, "ListingDetail") }),
  createRoute({ ...parent, path: "/calendar", component: lazyRouteComponent(pages.Calendar, "Calendar") }),
  createRoute({ ...parent, path: "/trades", component: lazyRouteComponent(pages.Trades, "Trades"), validateSearch: readTradesSearch }),
  createRoute({ ...parent, path: "/trades/$id", component: lazyRouteComponent(pages.TradeDetail, "TradeDetail") }),
  createRoute({ ...parent, path: "/performance", component: lazyRouteComponent(pages.Performance, "Performance"), validateSearch: readPerformanceSearch }),
  createRoute({ ...parent, path: "/risk", component: lazyRouteComponent(pages.Risk, "Risk") }),
  createRoute({ ...parent, path: "/go-live", component: lazyRouteComponent(pages.GoLive, "GoLive") }),
  createRoute({ ...parent, path: "/audit", component: lazyRouteComponent(pages.Audit, "Audit"), validateSearch: readAuditSearch }),
  createRoute({ ...parent, path: "/health", component: lazyRouteComponent(pages.Health, "Health") }),
  createRoute({ ...parent, path: "/settings", component: lazyRouteComponent(pages.Settings, "Settings") }),
]);
const router = createRouter({ routeTree: routes, basepath: "/dashboard", defaultPreload: false, defaultErrorComponent: Failed });

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}

/** Who is signed in decides what is drawn; a bot that does not answer is told by the live link, not here. */
async function start(): Promise<void> {
  const signingIn = location.pathname === "/login";
  if (!signingIn) {
    queries.setQueryDefaults(["session"], { staleTime: Infinity, gcTime: Infinity });
    try {
      await session();
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) return location.replace("/login");
    }
    startLive();
  }
  const place = document.getElementById("root");
  if (!place) throw new Error("index.html has no #root");
  createRoot(place).render(
    <StrictMode>
      <QueryClientProvider client={queries}>{signingIn ? <SignIn /> : <RouterProvider router={router} />}</QueryClientProvider>
    </StrictMode>,
  );
  if (!signingIn) whenIdle(() => Object.values(pages).forEach((load) => void load().catch(() => undefined)));
}

function whenIdle(work: () => void): void {
  if ("requestIdleCallback" in window) window.requestIdleCallback(work, { timeout: 5_000 });
  else setTimeout(work, 2_000);
}

void start();
