import { QueryClientProvider } from "@tanstack/react-query";
import { createRootRoute, createRoute, createRouter, Link, RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { ApiError, queries, session } from "./api";
import { startLive } from "./live";
import { Calendar } from "./pages/Calendar";
import { Health } from "./pages/Health";
import { ListingDetail } from "./pages/ListingDetail";
import { Listings, readSearch } from "./pages/Listings";
import { Overview } from "./pages/Overview";
import { Risk } from "./pages/Risk";
import { SignIn } from "./pages/SignIn";
import { TradeDetail } from "./pages/TradeDetail";
import { readTradesSearch, Trades } from "./pages/Trades";
import { Shell } from "./Shell";
import { Card, Problem } from "./ui";
import "./styles.css";

const root = createRootRoute({
  component: Shell,
  notFoundComponent: () => (
    <Card title="No such page"><p className="px-3 pb-4"><Link to="/" className="text-accent hover:underline">Back to the overview</Link></p></Card>
  ),
  errorComponent: ({ error }) => (
    <div className="p-4"><Problem>This page failed to draw: {error instanceof Error ? error.message : String(error)}. Reload it; the bot itself is not affected.</Problem></div>
  ),
});
const routes = root.addChildren([
  createRoute({ getParentRoute: () => root, path: "/", component: Overview }),
  createRoute({ getParentRoute: () => root, path: "/listings", component: Listings, validateSearch: readSearch }),
  createRoute({ getParentRoute: () => root, path: "/listings/$id", component: ListingDetail }),
  createRoute({ getParentRoute: () => root, path: "/calendar", component: Calendar }),
  createRoute({ getParentRoute: () => root, path: "/trades", component: Trades, validateSearch: readTradesSearch }),
  createRoute({ getParentRoute: () => root, path: "/trades/$id", component: TradeDetail }),
  createRoute({ getParentRoute: () => root, path: "/risk", component: Risk }),
  createRoute({ getParentRoute: () => root, path: "/health", component: Health }),
]);
const router = createRouter({ routeTree: routes, basepath: "/dashboard", defaultPreload: false });

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
}

void start();
