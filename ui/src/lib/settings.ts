import type { Settings } from "../generated/api.ts";
import { host } from "../host/connect.ts";

let last: Promise<unknown> = Promise.resolve();

/**
 * Changes settings and answers them as they are kept. Changes wait for each other and start from what the engine
 * holds, so that none takes an earlier one back.
 */
export function changeSettings(change: (now: Settings) => Settings): Promise<Settings> {
  const done = last.then(async () => host.call("set_settings", change(await host.call("get_settings", {}))));
  last = done.catch(() => undefined);
  return done;
}
