// The few words of WebDriver that the smoke test needs, spoken to WebKitWebDriver directly.

import { spawn } from "node:child_process";
import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

import { eventually } from "../../support/clew.mjs";

const ELEMENT = "element-6066-11e4-a52e-4f735466cecf";

/** A port that was free a moment ago. */
async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** A window of the app, driven. */
export class Window {
  /** Starts the driver, and by it the program. */
  static async open(program, env) {
    const window = new Window();
    const port = await freePort();
    window.driver = spawn("WebKitWebDriver", [`--port=${port}`, "--host=127.0.0.1"], {
      stdio: ["ignore", "inherit", "inherit"],
      // Without this Tauri does not let itself be driven.
      env: { ...env, TAURI_WEBVIEW_AUTOMATION: "true" },
    });
    window.ended = new Promise((resolve) => window.driver.once("exit", resolve));
    window.base = `http://127.0.0.1:${port}`;
    await eventually("WebKitWebDriver listens", () => fetch(`${window.base}/status`).then((r) => r.ok, () => false));
    const { sessionId } = await window.#ask("POST", "/session", {
      capabilities: { alwaysMatch: { "webkitgtk:browserOptions": { binary: program, args: [] } } },
    });
    window.base += `/session/${sessionId}`;
    return window;
  }

  async #ask(method, path, body) {
    const response = await fetch(this.base + path, {
      method,
      body: body === undefined ? undefined : JSON.stringify(body),
      headers: { "content-type": "application/json", connection: "close" },
    });
    const { value } = await response.json();
    if (!response.ok) throw new Error(`${method} ${path}: ${value?.error}: ${value?.message}`);
    return value;
  }

  /** Runs the body of a function in the page; what it returns may be a promise. */
  async run(body, ...args) {
    const script = `
      const done = arguments[arguments.length - 1];
      const values = [...arguments].slice(0, -1);
      (async (...args) => { ${body} })(...values).then((value) => done({ value }), (error) => done({ error: String(error) }));`;
    const answer = await this.#ask("POST", "/execute/async", { script, args });
    if (answer?.error !== undefined) throw new Error(answer.error);
    return answer?.value;
  }

  /** Waits until this text stands on the page. */
  async sees(text) {
    try {
      await eventually(`${text} on the page`, () => this.run("return document.body.innerText.includes(args[0])", text));
    } catch (error) {
      throw new Error(`${error.message}; it shows: ${await this.run("return document.body.innerText.slice(0, 600)")}`);
    }
  }

  /** Presses keys, one after another. */
  async press(...keys) {
    const actions = keys.flatMap((value) => [
      { type: "keyDown", value },
      { type: "keyUp", value },
    ]);
    await this.#ask("POST", "/actions", { actions: [{ type: "key", id: "keys", actions }] });
  }

  /** Presses keys together, as Ctrl and a letter. */
  async chord(...keys) {
    const down = keys.map((value) => ({ type: "keyDown", value }));
    const up = keys.toReversed().map((value) => ({ type: "keyUp", value }));
    await this.#ask("POST", "/actions", { actions: [{ type: "key", id: "keys", actions: [...down, ...up] }] });
  }

  /** Clicks the first element that this selector finds. */
  async click(selector) {
    const element = await this.#ask("POST", "/element", { using: "css selector", value: selector });
    await this.#ask("POST", `/element/${element[ELEMENT]}/click`, {});
  }

  /** Gives the window a size. */
  async resize(width, height) {
    await this.#ask("POST", "/window/rect", { x: 0, y: 0, width, height });
  }

  /** What the window shows, as PNG. */
  async picture() {
    return Buffer.from(await this.#ask("GET", "/screenshot"), "base64");
  }

  /** Closes the window and ends the driver. */
  async close() {
    await this.#ask("DELETE", "").catch(() => undefined);
    this.driver.kill();
    await Promise.race([this.ended, sleep(5_000)]);
  }
}
