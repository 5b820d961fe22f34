import { existsSync } from "node:fs";
import { defineConfig } from "@playwright/test";

/** The browser of this machine: nothing is downloaded for the tests. */
const CHROMIUM = [
  process.env.HOLDPOINT_CHROMIUM,
  "/usr/bin/chromium",
  "/usr/bin/google-chrome",
  "/snap/bin/chromium",
].find((path) => path !== undefined && path !== "" && existsSync(path));
if (CHROMIUM === undefined) {
  throw new Error("No Chromium is here. Install the package chromium, or name one: HOLDPOINT_CHROMIUM=/path/to/it");
}

/** Takes pictures for people to look at; no test, so it is there only for `make shots`. */
const PICTURES = process.env.SHOTS === undefined ? ["shots.spec.ts"] : [];

export default defineConfig({
  testDir: ".",
  outputDir: "./test-results",
  // A server, and so a data folder, belongs to one test; what runs beside it cannot disturb it.
  fullyParallel: true,
  workers: 2,
  forbidOnly: process.env.CI !== undefined,
  retries: 0,
  timeout: 60_000,
  expect: { timeout: 10_000 },
  reporter: [["list"], ["json", { outputFile: process.env.PLAYWRIGHT_JSON_OUTPUT_NAME ?? "test-results/results.json" }]],
  use: {
    viewport: { width: 1280, height: 900 },
    locale: "en-GB",
    timezoneId: "UTC",
    actionTimeout: 10_000,
    trace: "retain-on-failure",
    screenshot: "only-on-failure",
    launchOptions: {
      executablePath: CHROMIUM,
      args: [
        // Chromium's own sandbox cannot start as root; the only pages visited are ours.
        ...(process.getuid?.() === 0 ? ["--no-sandbox"] : []),
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-quic",
        "--disable-sync",
        "--no-first-run",
      ],
    },
  },
  projects: [
    { name: "script", use: { javaScriptEnabled: true }, testIgnore: PICTURES },
    // Every journey must be possible when no script arrives; only `*.script.spec.ts` is about scripts.
    { name: "no-script", use: { javaScriptEnabled: false }, testIgnore: ["*.script.spec.ts", "shots.spec.ts"] },
  ],
});
