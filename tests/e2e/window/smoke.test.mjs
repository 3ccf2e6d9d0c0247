// The real window in WebKitGTK: what Chromium cannot show. It opens, receives, answers through IPC within its policy,
// is alone, takes files over, and does all that in a bare locale too.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { after, before, describe, it } from "node:test";

import { eventually } from "../../support/clew.mjs";
import { supportAgent, trace } from "../support/otlp.mjs";
import { Window } from "./driver.mjs";

const CONTROL = "\uE009";
const ENTER = "\uE007";

const program = process.env.CLEW_DESKTOP_BIN;
assert.ok(program, "CLEW_DESKTOP_BIN names the window's program");

/** A place of its own: database, settings and cache of one test. */
function place(locale) {
  const folder = mkdtempSync(join(tmpdir(), "clew-window-"));
  for (const name of ["data", "config", "cache"]) mkdirSync(join(folder, name));
  const database = join(folder, "data", "clew.db");
  const env = {
    ...process.env,
    LANG: locale,
    LC_ALL: locale,
    CLEW_DB: database,
    CLEW_GRPC: "0",
    CLEW_HTTP: "0",
    CLEW_UI: "0",
    XDG_DATA_HOME: join(folder, "data"),
    XDG_CONFIG_HOME: join(folder, "config"),
    XDG_CACHE_HOME: join(folder, "cache"),
  };
  return { folder, env, instance: join(folder, "data", "instance.json") };
}

/** Starts the program a second time and waits for its end. */
async function second(env, ...args) {
  const child = spawn(program, args, { env, stdio: "inherit" });
  // How it ended: its exit code, or the signal that ended it.
  const ended = new Promise((resolve) => child.once("exit", (code, signal) => resolve(code ?? signal)));
  const timer = setTimeout(() => child.kill(), 90_000);
  const code = await ended;
  clearTimeout(timer);
  return code;
}

for (const locale of ["C.UTF-8", "C"]) {
  describe(`the window under LANG=${locale}`, () => {
    let here;
    let window;
    let http;

    before(async () => {
      here = place(locale);
      window = await Window.open(program, here.env);
      const instance = await eventually("instance.json", () => {
        try {
          return JSON.parse(readFileSync(here.instance, "utf8"));
        } catch {
          return null;
        }
      });
      http = String([instance.http].flat()[0]).replace(/^http:\/\//, "");
      await window.run(`
        globalThis.wrong = [];
        addEventListener("securitypolicyviolation", (event) => wrong.push("policy: " + event.effectiveDirective + " " + event.blockedURI));
        addEventListener("error", (event) => wrong.push("error: " + event.message));
        addEventListener("unhandledrejection", (event) => wrong.push("rejection: " + event.reason));
        for (const level of ["warn", "error"]) {
          const say = console[level];
          console[level] = (...words) => { wrong.push(level + ": " + words.join(" ")); say(...words); };
        }`);
    });

    after(async () => {
      await window?.close();
      rmSync(here.folder, { recursive: true, force: true });
    });

    const send = async (body) => {
      const response = await fetch(`http://${http}/v1/traces`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
      });
      assert.equal(response.status, 200, await response.text());
    };

    it("opens on Connect, in Tauri's own origin", async () => {
      await window.sees("Waiting for the first span");
      assert.equal(await window.run("return location.protocol"), "tauri:");
      assert.equal(await window.run("return 'polluted' in {} || '__TAURI__' in globalThis"), false);
    });

    it("shows a span that arrives, and opens its trace by keys", async () => {
      const sent = supportAgent("shop", "Where is order 1182?");
      await send(sent.body);
      await window.run("location.hash = '#/live'");
      await window.sees("support");
      await window.press("j");
      await window.sees("refund");
      await window.press(ENTER);
      await eventually("the trace's page", () => window.run("return location.hash.startsWith('#/trace/')"));
      // The failed tool is the next error from the top; its panel says what went wrong.
      await window.press(".");
      await eventually("the failed span", () => window.run("return /span=/.test(location.hash)"));
      await window.sees("TimeoutError");
    });

    it("updates while it is looked at", async () => {
      await window.run("location.hash = '#/live'");
      await send(trace("late", [{ name: "a late arrival" }]).body);
      await window.sees("a late arrival");
    });

    it("speaks through Tauri's protocol, not its fallback", async () => {
      // The fallback, postMessage, cannot carry bytes: it hands them over as an array of numbers.
      const kind = await window.run(`
        return globalThis.__TAURI_INTERNALS__
          .invoke("call", { name: "get_status", params: {} })
          .then((reply) => Object.prototype.toString.call(reply), (error) => "refused: " + JSON.stringify(error));`);
      assert.equal(kind, "[object ArrayBuffer]");
    });

    it("is refused what its policy forbids", async () => {
      const fetched = await window.run(
        `return fetch("http://${http}/v1/traces").then(() => "reached", () => "refused")`,
      );
      assert.equal(fetched, "refused");
      const seen = await window.run("return wrong.splice(0)");
      assert.ok(seen.some((line) => line.startsWith("policy: connect-src")), "the refusal is the policy's");
      await window.run("location.href = 'https://evil.example/'").catch(() => undefined);
      assert.equal(await window.run("return location.protocol"), "tauri:", "the page stays where it is");
      // A navigation that is refused still cuts off answers under way, which Tauri remarks on when they come.
      await sleep(600);
      await window.run("wrong.length = 0");
    });

    it("stays one: a second start hands its file over and ends", async () => {
      const file = join(here.folder, "saved.jsonl");
      writeFileSync(file, `${JSON.stringify(trace("file", [{ name: "from a file" }]).body)}\n`);
      assert.equal(await second(here.env, file), 0);
      await window.sees("saved.jsonl");
    });

    it("opens the file again once it was closed, from the palette, without knowing its path", async () => {
      const invoke = (name, params) =>
        window.run("return globalThis.__TAURI_INTERNALS__.invoke(args[0], args[1])", name, params);
      const recent = await invoke("recent_files", {});
      assert.deepEqual(recent.map(({ name }) => name), ["saved.jsonl"]);
      assert.equal(JSON.stringify(recent).includes(here.folder), false, "no path reaches the page");
      await window.run("document.querySelector(\"[aria-label='Close saved.jsonl']\").click()");
      await eventually("the file is closed", () =>
        window.run("return document.querySelector(\"[aria-label='Close saved.jsonl']\") === null"),
      );
      await window.chord(CONTROL, "k");
      await window.sees("Recent files");
      await window.press(..."open saved", ENTER);
      await eventually("the file is open again", () =>
        window.run("return document.querySelector(\"[aria-label='Close saved.jsonl']\") !== null"),
      );
    });

    it("draws the page larger and smaller by keys", async () => {
      const width = () => window.run("return innerWidth");
      const own = await width();
      await window.chord(CONTROL, "+");
      await window.chord(CONTROL, "+");
      await eventually("a larger page has fewer pixels", async () => Math.abs((await width()) * 1.25 - own) < 3);
      await window.chord(CONTROL, "-");
      await eventually("one step back", async () => Math.abs((await width()) * 1.1 - own) < 3);
      await window.chord(CONTROL, "0");
      await eventually("its own size", async () => (await width()) === own);
    });

    it("follows a clew:// link that a second start hands over, and no other", async () => {
      const sent = supportAgent("shop", "Where is order 1183?");
      await send(sent.body);
      assert.equal(await second(here.env, `clew://trace/${sent.traceId}?span=${sent.spanIds[1]}`), 0);
      await eventually("the linked span", () =>
        window.run("return location.hash === args[0]", `#/trace/${sent.traceId}?span=${sent.spanIds[1]}`),
      );
      assert.equal(await second(here.env, "clew://trace/../../settings"), 0);
      assert.equal(await second(here.env, "clew://open?text=late"), 0);
      await eventually("the filtered list", () => window.run("return location.hash === '#/live?text=late'"));
    });

    it("refuses to open what is no web address", async () => {
      const opened = (url) =>
        window.run(
          `return globalThis.__TAURI_INTERNALS__.invoke("open_link", { url: args[0] }).then(() => "opened", (error) => error.code);`,
          url,
        );
      for (const url of ["file:///etc/passwd", "javascript:alert(1)", "https://user@evil.example/", "clew://open"])
        assert.equal(await opened(url), "bad_request", url);
    });

    it("went through all views without a violation or an error", async () => {
      for (const view of ["prompts", "quality", "trends", "connect", "settings", "live"]) {
        await window.run(`location.hash = "#/${view}"`);
        await eventually(view, () => window.run("return document.querySelector('main')?.innerText.length > 10"));
      }
      assert.deepEqual(await window.run("return wrong"), []);
    });
  });
}
