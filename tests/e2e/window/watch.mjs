// Watches real programs live in the real window, and takes the pictures of docs/screenshots.
//
// `npm run watch -- FOLDER [light|dark]` wants CLEW_DESKTOP_BIN, a display of 1440 by 900 or more, and the packages of
// tests/sdk/programs in target/programs (`record.py` installs them).

import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import { eventually } from "../../support/clew.mjs";
import { Window } from "./driver.mjs";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const programs = join(root, "tests/sdk/programs");
const target = join(process.env.CARGO_TARGET_DIR ?? join(root, "target"), "programs");
const pictures = process.argv[2] ?? join(root, "docs/screenshots");
mkdirSync(pictures, { recursive: true });

const here = mkdtempSync(join(tmpdir(), "clew-watch-"));
for (const name of ["data", "config", "cache"]) mkdirSync(join(here, name));
const window = await Window.open(process.env.CLEW_DESKTOP_BIN, {
  ...process.env,
  LANG: "C.UTF-8",
  CLEW_DB: join(here, "data/clew.db"),
  CLEW_GRPC: "0",
  CLEW_HTTP: "0",
  CLEW_UI: "0",
  XDG_DATA_HOME: join(here, "data"),
  XDG_CONFIG_HOME: join(here, "config"),
  XDG_CACHE_HOME: join(here, "cache"),
});
const instance = await eventually("instance.json", () => {
  try {
    return JSON.parse(readFileSync(join(here, "data/instance.json"), "utf8"));
  } catch {
    return null;
  }
});
const host = (address) => String([address].flat()[0]).replace(/^http:\/\//, "");
const http = `http://${host(instance.http)}`;

const provider = spawn(join(target, "langgraph/bin/python"), [join(programs, "provider.py")], {
  stdio: ["ignore", "pipe", "inherit"],
});
const address = await new Promise((resolve) => createInterface({ input: provider.stdout }).once("line", resolve));

/** Runs one of the programs to its end, as a service that sends every 0.2 s. */
async function run(packages, service, script, ...args) {
  const [binary, folder] =
    packages === "node" ? ["node", join(target, "node")] : [join(target, packages, "bin/python"), join(programs, "python")];
  const child = spawn(binary, [script, ...args], {
    cwd: folder,
    stdio: ["ignore", "ignore", process.env.WATCH_VERBOSE ? "inherit" : "ignore"],
    env: {
      ...process.env,
      OTEL_SERVICE_NAME: service,
      OTEL_EXPORTER_OTLP_ENDPOINT: http,
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/protobuf",
      OTEL_BSP_SCHEDULE_DELAY: "200",
      OTEL_BLRP_SCHEDULE_DELAY: "200",
      OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT: "event_only",
      OTEL_SEMCONV_STABILITY_OPT_IN: "gen_ai_latest_experimental",
      OPENAI_BASE_URL: `${address}/v1`,
      OPENAI_API_KEY: "sk-stand-in",
      ANTHROPIC_BASE_URL: address,
      ANTHROPIC_API_KEY: "sk-stand-in",
      LANGSMITH_TRACING: "false",
      TRACELOOP_TELEMETRY: "false",
    },
  });
  const code = await new Promise((resolve) => child.once("exit", resolve));
  if (code !== 0) throw new Error(`${script} ended with ${code}`);
}

/** Asks the window's engine by its HTTP door. */
async function call(name, params = {}) {
  const response = await fetch(`http://${host(instance.ui)}/api/${name}`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${instance.token}` },
    body: JSON.stringify(params),
  });
  if (!response.ok) throw new Error(`${name}: ${response.status} ${await response.text()}`);
  return response.json();
}

/** Asks the driver again where it lost a request: it does so now and then when the machine is busy. */
async function patiently(act) {
  for (let left = 3; ; left -= 1) {
    const late = sleep(8_000).then(() => {
      throw new Error("the driver does not answer");
    });
    try {
      return await Promise.race([act(), late]);
    } catch (error) {
      late.catch(() => undefined);
      if (left === 0) throw error;
      console.log(error.message);
    }
  }
}

const go = (hash) => patiently(() => window.run("location.hash = args[0]", hash));

async function shoot(name) {
  writeFileSync(join(pictures, `${name}.png`), await patiently(() => window.picture()));
  console.log(name);
}

async function paint(theme) {
  const settings = await call("get_settings");
  settings.appearance.theme = theme;
  await call("set_settings", settings);
  await window.run("location.reload()").catch(() => undefined);
  await sleep(1_500);
}

/** The newest trace whose row says this. */
async function newest(text) {
  const { rows } = await call("list_traces", { limit: 50 });
  return rows.find((row) => JSON.stringify(row).includes(text));
}

/** Waits for a trace of the service that runs and has this many spans. */
const underWay = (service, spans) =>
  eventually(`${service}, running`, async () => {
    const row = await newest(service);
    return row?.state === "running" && row.spanCount >= spans && row;
  }, 60);

/** Points at the last span of this name, so that the panel shows it. */
const select = (name) =>
  patiently(() =>
    window.run(
      `const rows = [...document.querySelectorAll('[role="treegrid"] [role="row"]')];
       rows.filter((row) => row.innerText.includes(args[0])).at(-1)?.click();`,
      name,
    ),
  );

try {
  await window.resize(1440, 900);
  let isFirst = true;
  for (const theme of ["light", "dark"].filter((each) => each === (process.argv[3] ?? each))) {
    await paint(theme);
    await go("#/live");
    if (isFirst) {
      isFirst = false;
      await run("retrieval", "manual", "library.py");
      await Promise.all([
        run("agents", "contract-review", "contract.py"),
        run("retrieval", "incident-notes", "incident.py"),
        run("agents", "travel-desk", "travel.py"),
      ]);
    }
    const support = run("agents", "support-desk", "support.py");
    await sleep(2_000);
    const research = run("langgraph", "research-desk", "research.py");
    const row = await underWay("research-desk", 10);
    await go(`#/live?peek=0.${row.traceId}`);
    await sleep(1_000);
    await select("ChatOpenAI");
    await sleep(700);
    await shoot(`live-${theme}`);
    await go(`#/trace/${row.traceId}`);
    await sleep(1_000);
    await shoot(`running-${theme}`);
    await Promise.all([support, research]);
    await eventually("the research, done", async () => (await newest("research-desk")).state === "complete", 30);
    await sleep(500);
    await select("ChatOpenAI");
    await sleep(1_000);
    await shoot(`trace-${theme}`);
    const handed = await newest("cracked jar");
    await go(`#/trace/${handed.traceId}`);
    await sleep(1_500);
    await shoot(`support-${theme}`);
    await go("#/live");
    await sleep(1_000);
    await shoot(`all-${theme}`);
  }
} finally {
  provider.kill();
  await window.close();
  rmSync(here, { recursive: true, force: true });
}
