import { defineConfig } from "@playwright/test";

// The system's Chromium, without the parts that call home: a test machine may have no network at all.
const CHROMIUM = [
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  // Chromium refuses its sandbox to root, which is what a container's tests run as.
  ...(process.getuid?.() === 0 ? ["--no-sandbox"] : []),
];

export default defineConfig({
  testDir: "specs",
  outputDir: "test-results",
  fullyParallel: false,
  workers: 2,
  // Patience, not budgets, which the benchmarks hold: a machine that many share may be ten times slower at times.
  timeout: 180_000,
  expect: { timeout: 45_000 },
  forbidOnly: true,
  reporter: [["list"]],
  use: {
    launchOptions: {
      ...(process.env.CLEW_CHROMIUM === undefined ? {} : { executablePath: process.env.CLEW_CHROMIUM }),
      args: CHROMIUM,
    },
    viewport: { width: 1280, height: 800 },
    locale: "en-GB",
    timezoneId: "UTC",
    trace: "retain-on-failure",
    screenshot: "only-on-failure",
  },
});
