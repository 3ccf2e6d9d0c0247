// Starts the real binary on free ports with a database of its own, and asks its API. Node's own modules only.

import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** The binary that `cargo xtask test` built. */
export const binary = process.env.CLEW_BIN ?? join(root, "target/debug/clew");

/** host:port of an address, however it is written. */
function authority(address) {
  if (Array.isArray(address)) return authority(address[0]);
  if (typeof address === "number") return `127.0.0.1:${address}`;
  return String(address).replace(/^http:\/\//, "").split("/")[0];
}

/** A running `clew serve`. */
export class Clew {
  /** Starts one and waits until all its sockets listen; `database` keeps a file beyond its life. */
  static async start({ database, args = [], env = {} } = {}) {
    const clew = new Clew();
    clew.folder = mkdtempSync(join(tmpdir(), "clew-test-"));
    clew.database = database ?? join(clew.folder, "clew.db");
    clew.process = spawn(
      binary,
      ["serve", "--json", "--grpc", "0", "--http", "0", "--ui", "0", "--db", clew.database, ...args],
      { stdio: ["ignore", "pipe", "inherit"], env: { ...process.env, ...env } },
    );
    clew.ended = new Promise((resolve) => clew.process.once("exit", (code, signal) => resolve(code ?? signal)));
    const lines = createInterface({ input: clew.process.stdout });
    const first = await Promise.race([
      new Promise((resolve) => lines.once("line", resolve)),
      clew.ended.then((code) => {
        throw new Error(`clew serve ended with ${code} before it listened`);
      }),
    ]);
    const started = JSON.parse(first);
    clew.grpc = authority(started.grpc);
    clew.http = authority(started.http);
    clew.ui = authority(started.ui);
    clew.token = started.token;
    return clew;
  }

  /** The address that a person opens, with the token. */
  get link() {
    return `http://${this.ui}/?token=${this.token}`;
  }

  /** Runs one command of the door. */
  async call(command, params = {}) {
    const response = await fetch(`http://${this.ui}/api/${command}`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${this.token}` },
      body: JSON.stringify(params),
    });
    if (!response.ok) throw new Error(`${command}: ${response.status} ${await response.text()}`);
    return response.json();
  }

  /** Sends a request of spans, logs or metrics, as bytes of protobuf or as an object of OTLP/JSON. */
  async send(signal, body) {
    const isBytes = body instanceof Uint8Array;
    const response = await fetch(`http://${this.http}/v1/${signal}`, {
      method: "POST",
      headers: { "content-type": isBytes ? "application/x-protobuf" : "application/json" },
      body: isBytes ? body : JSON.stringify(body),
    });
    if (response.status !== 200) throw new Error(`${signal}: ${response.status} ${await response.text()}`);
  }

  /** Waits until facts and index have caught up with what was received, for so many seconds at most. */
  async settled(seconds = 90) {
    await eventually("facts and index", async () => {
      const status = await this.call("get_status");
      return status.underived === 0 && status.unindexed === 0;
    }, seconds);
    // A trace's row is summed up anew at most four times a second.
    await sleep(300);
  }

  /** Asks it to stop; how it ended. */
  async stop(signal = "SIGTERM") {
    this.process.kill(signal);
    const code = await this.ended;
    rmSync(this.folder, { recursive: true, force: true });
    return code;
  }
}

/** Asks until the answer is truthy, and returns it. */
export async function eventually(what, ask, seconds = 90) {
  const end = Date.now() + seconds * 1000;
  while (Date.now() < end) {
    const answer = await ask();
    if (answer) return answer;
    await sleep(50);
  }
  throw new Error(`${what}: not within ${seconds} s`);
}
