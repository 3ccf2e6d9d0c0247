// What every spec starts from: a real `clew serve` for each worker, and a page that is watched for what must not happen.

import { readFileSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { test as base, expect, type Page } from "@playwright/test";
import { Clew, eventually } from "../../support/clew.mjs";

export { Clew, eventually, expect };

const fixtures = fileURLToPath(new URL("../../../fixtures/otlp", import.meta.url));
const axeSource = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** Sends what a real program sent when it was recorded, or of some signals only. */
export async function sendRecording(clew: Clew, name: string, signals = ["traces", "logs", "metrics"]): Promise<void> {
  const folder = join(fixtures, name);
  for (const file of readdirSync(folder).filter((each) => each.endsWith(".pb")).sort()) {
    const signal = /-(traces|logs|metrics)-/.exec(file)?.[1];
    if (signal && signals.includes(signal)) await clew.send(signal, new Uint8Array(readFileSync(join(folder, file))));
  }
}

interface Worker {
  /** Holds recordings of real programs; tests that change what is stored start a Clew of their own. */
  clew: Clew;
}

interface Watched {
  /** Opens a place of the app ("#/live"), with the token. */
  visit: (hash: string, clew?: Clew) => Promise<void>;
  /** A Clew of the test's own, empty. */
  fresh: Clew;
}

export const test = base.extend<Watched, Worker>({
  clew: [
    async ({}, use) => {
      const clew = await Clew.start();
      for (const name of ["otel_genai_openai", "openinference_langchain", "google_adk", "manual_generic"]) {
        await sendRecording(clew, name);
      }
      await clew.settled();
      await use(clew);
      expect(await clew.stop(), "clew serve ends well").toBe(0);
    },
    { scope: "worker" },
  ],

  fresh: async ({ page }, use) => {
    const clew = await Clew.start();
    await use(clew);
    // Nobody asks a Clew that has stopped.
    await page.goto("about:blank");
    expect(await clew.stop(), "clew serve ends well").toBe(0);
  },

  // Nothing may leave, no dialog may open, no policy may be violated, no error may be thrown: in every test.
  page: async ({ page }, use) => {
    const wrong: string[] = [];
    page.on("dialog", (dialog) => {
      wrong.push(`a dialog opened: ${dialog.message()}`);
      void dialog.dismiss();
    });
    page.on("pageerror", (error) => wrong.push(`an error was thrown: ${error.stack ?? error.message}`));
    page.on("console", (message) => {
      // Chromium tells of every answer that is not a success: that a thing is not there is an answer like others, and so
      // is what is wrong with a setting.
      const { url } = message.location();
      const isAnswer =
        (url.includes("/api/") && message.text().includes("404")) ||
        (url.endsWith("/api/set_settings") && message.text().includes("400"));
      if (message.type() === "error" && !isAnswer) wrong.push(`the console says: ${message.text()}`);
    });
    page.on("request", (request) => {
      const url = new URL(request.url());
      if (url.hostname !== "127.0.0.1" && !["data:", "blob:"].includes(url.protocol))
        wrong.push(`a request left: ${request.url()}`);
    });
    await page.addInitScript(() => {
      addEventListener("securitypolicyviolation", (event) =>
        console.error(`policy violated: ${event.effectiveDirective} ${event.blockedURI}`),
      );
    });
    await use(page);
    expect(wrong, "what must not happen").toEqual([]);
  },

  visit: async ({ page, clew }, use) => {
    await use(async (hash, at = clew) => {
      await page.goto(`${at.link}${hash}`);
    });
  },
});

/** What axe finds on the page as it stands, one line a finding. */
export async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axeSource);
  return page.evaluate(async () => {
    type Result = { violations: { id: string; help: string; nodes: { target: unknown[]; failureSummary?: string }[] }[] };
    const { axe } = globalThis as unknown as { axe: { run: (context: object, options: object) => Promise<Result> } };
    const { violations } = await axe.run(document, { resultTypes: ["violations"] });
    return violations.flatMap(({ id, help, nodes }) =>
      nodes.map((node) => `${id}: ${help}: ${node.target.join(" ")}: ${node.failureSummary?.split("\n").at(-1)?.trim() ?? ""}`),
    );
  });
}

/** Expects a page without barriers in the light and in the dark theme. */
export async function expectAccessible(page: Page): Promise<void> {
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    expect(await violations(page), `axe, ${colorScheme}`).toEqual([]);
  }
}
