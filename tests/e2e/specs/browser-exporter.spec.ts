// Browser apps under development may send from this machine's own pages, and no other page may (reliability A15, S3, S4).

import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { expect, test as base, type Page } from "@playwright/test";
import { Clew, eventually } from "../../support/clew.mjs";

interface Sent {
  traceId: string;
  /** 0 is success, 1 failure. */
  code: number;
  error: string | null;
}

const HTML = "<!doctype html><title>An app</title><script src=/app.js></script>";

/** The page's script with the SDK in it. The UI's bundler is there whenever the tests run. */
async function bundle(): Promise<string> {
  const vite = await import(new URL("../../../ui/node_modules/vite/dist/node/index.js", import.meta.url).href);
  const built = await vite.build({
    configFile: false,
    logLevel: "error",
    root: fileURLToPath(new URL("..", import.meta.url)),
    build: {
      write: false,
      minify: false,
      lib: {
        entry: fileURLToPath(new URL("../support/exporter-page.mjs", import.meta.url)),
        formats: ["iife"],
        name: "app",
      },
    },
  });
  return [built].flat()[0].output[0].code;
}

const test = base.extend<{ clew: Clew }, { app: { port: number; script: string } }>({
  app: [
    async ({}, use) => {
      const script = await bundle();
      const server: Server = createServer((request, response) => {
        const isScript = request.url === "/app.js";
        response.setHeader("content-type", isScript ? "text/javascript" : "text/html");
        response.end(isScript ? script : HTML);
      });
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      await use({ port: (server.address() as AddressInfo).port, script });
      server.close();
    },
    { scope: "worker" },
  ],
  clew: async ({}, use) => {
    const clew = await Clew.start();
    await use(clew);
    await clew.stop();
  },
});

function send(page: Page, url: string, encoding: string, headers: Record<string, string> = {}): Promise<Sent> {
  return page.evaluate(
    ([url, encoding, headers]) =>
      (globalThis as unknown as { send: (...all: unknown[]) => Promise<Sent> }).send(url, encoding, headers),
    [url, encoding, headers] as const,
  );
}

test.describe("A page with the OpenTelemetry SDK", () => {
  for (const name of ["localhost", "127.0.0.1"]) {
    test(`sends from ${name}, in both encodings, to both ports`, async ({ page, clew, app }) => {
      await page.goto(`http://${name}:${app.port}/`);
      for (const encoding of ["json", "protobuf"]) {
        for (const address of [clew.http, clew.grpc]) {
          // A header of its own makes the browser ask before it sends, whatever the content type.
          const sent = await send(page, `http://${address}/v1/traces`, encoding, { "x-team": "web" });
          expect(sent, `${encoding} to ${address}`).toMatchObject({ code: 0, error: null });
          await eventually("the trace", async () => {
            const { rows } = await clew.call("list_traces");
            return rows.some((row: { traceId: string }) => row.traceId === sent.traceId);
          });
        }
      }
      const { senders } = await clew.call("get_connections");
      const told = senders.map((sender: { service: string; transport: string; peer: string | null }) => [
        sender.service,
        sender.transport,
        sender.peer,
      ]);
      expect(told.sort()).toEqual([
        ["browser-app", "HTTP/JSON", null],
        ["browser-app", "HTTP/protobuf", null],
      ]);
    });
  }

  test("is let in with the ingest key in a header, and not without", async ({ page, app }) => {
    const clew = await Clew.start({ env: { CLEW_KEY: "s3cret" } });
    await page.goto(`http://localhost:${app.port}/`);
    const url = `http://${clew.http}/v1/traces`;
    expect((await send(page, url, "json")).code).toBe(1);
    expect((await send(page, url, "json", { "x-clew-key": "s3cret" })).code).toBe(0);
    expect((await clew.call("get_status")).spans).toBe(1);
    await clew.stop();
  });

  test("is refused from any other origin before anything is stored", async ({ playwright, launchOptions, clew, app }) => {
    // A name that leads to this machine, as a rebound one does: so the browser itself has no objection.
    const args = [...(launchOptions.args ?? []), "--host-resolver-rules=MAP evil.example 127.0.0.1"];
    const browser = await playwright.chromium.launch({ ...launchOptions, args });
    const page = await browser.newPage();
    await page.goto(`http://evil.example:${app.port}/`);
    for (const encoding of ["json", "protobuf"]) {
      const sent = await send(page, `http://${clew.http}/v1/traces`, encoding);
      expect(sent.code, encoding).toBe(1);
    }
    // Without a preflight too: a form's content type needs none.
    const post = (url: string): Promise<string> =>
      page.evaluate((to) => fetch(to, { method: "POST", mode: "no-cors", body: "{}" }).then((reply) => reply.type, String), url);
    expect(await post(`http://${clew.http}/v1/traces`)).toBe("opaque");
    const count = async (what: string): Promise<number> => {
      const { problems } = await clew.call("get_connections");
      return problems.find((problem: { what: string }) => problem.what === what)?.count ?? 0;
    };
    // Two preflights, which the exporters try again, and the one that came without.
    const refused = await count("a page of another origin may not send");
    expect(refused, "it reached Clew, and Clew refused it").toBeGreaterThanOrEqual(3);
    // Under its own name it is no other origin to the browser, but to Clew another host.
    const port = clew.http.split(":")[1]!;
    expect(await post(`http://evil.example:${port}/v1/traces`)).toBe("opaque");
    expect(await count("the host of the request is not a name of this machine")).toBe(1);
    expect((await clew.call("get_status")).spans).toBe(0);
    await browser.close();
  });
});
