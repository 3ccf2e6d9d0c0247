/// <reference types="vitest/config" />
import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vite";

export default defineConfig({
  // Relative addresses: the same build is served by `clew serve` and by the window's own protocol.
  base: "./",
  plugins: [svelte()],
  build: {
    target: "es2023",
    // The content security policy allows no `data:` fonts, so nothing is inlined.
    assetsInlineLimit: 0,
    // The preload polyfill would be an inline script.
    modulePreload: { polyfill: false },
  },
  server: {
    port: 5173,
    strictPort: true,
    // `CLEW_SERVER` points the development server at a running `clew serve`.
    proxy: Object.fromEntries(
      ["/api", "/events", "/files"].map((path) => [
        path,
        process.env["CLEW_SERVER"] ?? "http://127.0.0.1:4319",
      ]),
    ),
  },
  resolve: process.env["VITEST"] ? { conditions: ["browser"] } : {},
  // A document: without one Svelte would be compiled as for a server, where nothing reacts.
  test: { include: ["src/**/*.test.ts"], environment: "happy-dom" },
});
