import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

const api = "http://127.0.0.1:8787";

export default defineConfig({
  plugins: [react(), tailwindcss()],
  base: "/dashboard/",
  build: {
    outDir: "../src/mexc_sniper/web/static",
    emptyOutDir: true,
    // The content policy allows no data: URIs and no inline script.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // One file per page; the chart library (57 kB compressed) is loaded only where a chart stands.
    chunkSizeWarningLimit: 800,
    license: { fileName: "licenses.md" },
  },
  server: {
    proxy: {
      "^/(auth|health|monitor|listings|calendar|config|trade|positions|orders|risk|kill-switch|arm|disarm|attention|audit|analytics|golive|notifications)(/|$|\\?)": api,
      "/live": { target: api, ws: true },
    },
  },
});
