import { defineConfig } from "vitest/config";
import { offline } from "./build/offline";

// `vite --mode fake` runs the page with dev/fake.ts instead of the WebAssembly; it is never part of a build.
// MUSTER_API=http://127.0.0.1:7878 lends the development server the API of running local clouds.
const api = process.env["MUSTER_API"] ?? "http://127.0.0.1:7878";
const lend = {
  target: api,
  changeOrigin: true,
  ws: true,
  // The operator's side takes requests from its own pages only.
  headers: { origin: api },
};

export default defineConfig(({ command }) => ({
  // `muster up` serves index.html at / and everything else of dist at /console/, where no vendor has a path.
  base: command === "build" ? "/console/" : "/",
  build: {
    target: "es2022",
    outDir: "dist",
    assetsDir: "assets",
    // Inlined assets would be data: URLs, which the Content-Security-Policy allows for images alone.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: true,
  },
  plugins: [offline()],
  worker: { format: "es" },
  server: { proxy: { "/api": lend, "/mqtt": lend } },
  test: { include: ["unit/**/*.test.ts"], setupFiles: ["unit/setup.ts"] },
}));
