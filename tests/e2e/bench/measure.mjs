// Measures the release binary and the UI in Chromium, and prints what docs/benchmarks.md reports.

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { cpus, totalmem } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";

import { chromium } from "@playwright/test";

import { Clew, binary } from "../../support/clew.mjs";
import config from "../playwright.config.mjs";
import { trace } from "../support/otlp.mjs";
import { Request } from "./spans.mjs";

const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
const quantile = (values, share) => [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))];
const rows = [];
const report = (what, goal, value, holds) => {
  rows.push(`| ${what} | ${goal} | ${value} | ${holds ? "yes" : "**no**"} |`);
  process.stderr.write(`${what}: ${value}\n`);
};
const memory = (pid, field) => Number(new RegExp(`${field}:\\s+(\\d+)`).exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1024;

async function start() {
  const began = performance.now();
  const clew = await Clew.start();
  return { clew, took: performance.now() - began };
}

// ---- start and idle memory
{
  const times = [];
  for (let run = 0; run < 9; run += 1) {
    const { clew, took } = await start();
    times.push(took);
    await clew.stop();
  }
  report("Start to listening", "≤ 150 ms", `${median(times).toFixed(0)} ms`, median(times) <= 150);
  const { clew } = await start();
  await sleep(5_000);
  const rss = memory(clew.process.pid, "VmRSS");
  report("Idle memory of `clew serve`", "≤ 40 MiB", `${rss.toFixed(1)} MiB`, rss <= 40);
  await clew.stop();
}

const browser = await chromium.launch(config.use.launchOptions);

// ---- first paint
{
  const times = [];
  for (let run = 0; run < 5; run += 1) {
    const began = performance.now();
    const { clew } = await start();
    const page = await browser.newPage();
    await page.goto(clew.link);
    await page.waitForFunction(() => performance.getEntriesByName("first-contentful-paint").length > 0);
    times.push(performance.now() - began);
    await page.close();
    await clew.stop();
  }
  report("Start to first paint", "≤ 1 s", `${median(times).toFixed(0)} ms`, median(times) <= 1_000);
}

// ---- from the reply to the row
{
  const { clew } = await start();
  const page = await browser.newPage();
  await page.goto(`${clew.link}#/live`);
  await page.evaluate(() => {
    globalThis.seen = new Map();
    new MutationObserver(() => {
      for (const row of document.querySelectorAll("[id^='trace-']")) {
        const id = row.id.slice(-32);
        if (!seen.has(id)) seen.set(id, performance.timeOrigin + performance.now());
      }
    }).observe(document.body, { childList: true, subtree: true });
  });
  const acknowledged = new Map();
  for (let second = 0; second < 10; second += 1) {
    for (let tick = 0; tick < 10; tick += 1) {
      const sent = trace("bench", Array.from({ length: 10 }, (_, span) => ({ name: `step ${span}`, ...(span ? { parent: 0 } : {}) })), 200);
      await clew.send("traces", sent.body);
      acknowledged.set(sent.traceId, performance.timeOrigin + performance.now());
      await sleep(95);
    }
  }
  await sleep(1_500);
  const seen = new Map(await page.evaluate(() => [...globalThis.seen]));
  const delays = [...acknowledged].map(([id, at]) => Math.max(0, (seen.get(id) ?? Infinity) - at));
  const p99 = quantile(delays, 0.99);
  report("Acknowledged span to visible row, p99, 100 spans/s", "≤ 300 ms", `${p99.toFixed(0)} ms (median ${median(delays).toFixed(0)})`, p99 <= 300);
  await page.close();
  await clew.stop();
}

/** Sends spans for `seconds`, as fast as they are taken or at `pace` a second: how many, refused requests, bytes a span. */
async function send(clew, seconds, pace = Infinity) {
  const [host, port] = clew.http.split(":");
  const agent = new Agent({ keepAlive: true, maxSockets: 4 });
  const requests = Array.from({ length: 4 }, () => new Request(512, 4_350));
  const post = (body) =>
    new Promise((resolve, reject) => {
      const sent = request({ host, port, agent, method: "POST", path: "/v1/traces", headers: { "content-type": "application/x-protobuf", "content-length": body.length } }, (answer) => {
        answer.resume().once("end", () => resolve(answer.statusCode));
      });
      sent.once("error", reject);
      sent.end(body);
    });
  let spans = 0;
  let due = 0;
  let refused = 0;
  const began = performance.now();
  await Promise.all(
    requests.map(async (each) => {
      while (performance.now() < began + seconds * 1_000) {
        const at = began + (due / pace) * 1_000;
        due += 512;
        await sleep(Math.max(0, at - performance.now()));
        if ((await post(each.fresh())) === 200) spans += 512;
        else {
          refused += 1;
          await sleep(50);
        }
      }
    }),
  );
  agent.destroy();
  return { spans, refused, size: requests[0].size };
}

/** Waits for facts and index: the seconds until each had caught up. */
async function caughtUp(clew) {
  const began = performance.now();
  let facts;
  for (;;) {
    const status = await clew.call("get_status");
    const now = (performance.now() - began) / 1_000;
    if (status.underived === 0) facts ??= now;
    if (status.underived === 0 && status.unindexed === 0) return { facts, index: now };
    if (now > 300) throw new Error(`after ${now.toFixed(0)} s, ${status.underived} spans are without facts and ${status.unindexed} not indexed`);
    await sleep(50);
  }
}

// ---- sustained intake
{
  const { clew } = await start();
  const { spans, refused, size } = await send(clew, 10);
  const rate = spans / 10;
  const peak = memory(clew.process.pid, "VmHWM");
  report("Acknowledged spans a second, sustained", "≥ 10,000", `${Math.round(rate).toLocaleString("en")} (${size} bytes each; ${refused} requests refused; peak ${peak.toFixed(0)} MiB)`, rate >= 10_000);
  const { facts, index } = await caughtUp(clew);
  const over = (after) => Math.round(spans / (10 + after));
  report(
    "Facts and index behind it, spans a second over the whole",
    "≥ 10,000",
    `${over(index).toLocaleString("en")} (facts ${over(facts).toLocaleString("en")}; complete ${facts.toFixed(1)} s and ${index.toFixed(1)} s after the last reply)`,
    over(index) >= 10_000,
  );
  await clew.stop();
}

// ---- intake at the goal's own pace
{
  const { clew } = await start();
  const { spans, refused } = await send(clew, 10, 10_000);
  const { facts, index } = await caughtUp(clew);
  report("Facts and index complete after 10 s at 10,000 spans a second", "≤ 1 s", `${facts.toFixed(1)} s and ${index.toFixed(1)} s (${spans.toLocaleString("en")} spans; ${refused} requests refused)`, index <= 1);
  await clew.stop();
}

// ---- a large trace
{
  const { clew } = await start();
  const large = trace("bench", Array.from({ length: 5_000 }, (_, span) => ({ name: `step ${span % 40}`, ...(span ? { parent: Math.floor((span - 1) / 8) } : {}), at: span, took: 5_000 - span })));
  await clew.send("traces", large.body);
  await clew.settled();
  const page = await browser.newPage();
  await page.goto(`${clew.link}#/live`);
  await page.waitForSelector("[role=grid] [role=row]");
  const times = [];
  for (let run = 0; run < 9; run += 1) {
    times.push(
      await page.evaluate(
        (hash) =>
          new Promise((resolve) => {
            const began = performance.now();
            location.hash = hash;
            const look = () => (document.querySelector("[role=treegrid] [role=row][aria-level]") ? requestAnimationFrame(() => resolve(performance.now() - began)) : requestAnimationFrame(look));
            look();
          }),
        `#/trace/${large.traceId}`,
      ),
    );
    await page.evaluate(() => (location.hash = "#/live"));
    await page.waitForSelector("[role=grid][aria-label=Traces]");
  }
  report("A trace of 5,000 spans opens in", "≤ 100 ms", `${median(times).toFixed(0)} ms`, median(times) <= 100);
  await page.close();
  await clew.stop();
}

await browser.close();
const commit = execFileSync("git", ["rev-parse", "--short", "HEAD"]).toString().trim();
process.stdout.write(
  `\n${new Date().toISOString().slice(0, 10)}, commit ${commit}, ${binary.includes("release") ? "release" : "dev"} profile, ` +
    `${cpus()[0]?.model ?? "?"} x ${cpus().length}, ${(totalmem() / 2 ** 30).toFixed(0)} GiB, Node ${process.version}\n\n` +
    `| What | Goal | Measured | Holds |\n| --- | --- | --- | --- |\n${rows.join("\n")}\n`,
);
