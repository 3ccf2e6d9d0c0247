import { invoke } from "@tauri-apps/api/core";
import { listen } from "@tauri-apps/api/event";
import { packed, type Topic } from "../generated/api.ts";
import {
  CallError,
  toCallError,
  type CommandName,
  type Host,
  type Params,
  type RecentFile,
  type Reply,
} from "./host.ts";
import { unpack } from "./packed.ts";

/** Listens to an event of the window; what ends it works even before the window has answered. */
function on<T>(event: string, listener: (payload: T) => void): () => void {
  const registered = listen<T>(event, ({ payload }) => listener(payload));
  return () => void registered.then((end) => end());
}

/** Bytes of an answer. Without the `ipc:` protocol they arrive as a plain array. */
function bytes(answer: ArrayBuffer | number[]): ArrayBuffer {
  return answer instanceof ArrayBuffer ? answer : new Uint8Array(answer).buffer;
}

/** Speaks to the window's own process. */
export function tauriHost(): Host {
  return {
    kind: "window",
    async call<N extends CommandName>(name: N, params: Params<N>): Promise<Reply<N>> {
      let answer: ArrayBuffer | number[];
      try {
        answer = await invoke<ArrayBuffer | number[]>("call", { name, params });
      } catch (error) {
        throw toCallError(error, new CallError("internal", String(error)));
      }
      const buffer = bytes(answer);
      return (packed.has(name) ? unpack(buffer) : JSON.parse(new TextDecoder().decode(buffer))) as Reply<N>;
    },
    onChanged: (listener) => on<Topic[]>("changed", listener),
    onLink(listener) {
      // The window and the engine live and die together.
      listener("open");
      return () => {};
    },
    onDropped: (listener) => on<{ tokens: string[] }>("dropped", ({ tokens }) => listener(tokens)),
    onHovering: (listener) => on<boolean>("hovering", listener),
    onPlace(listener) {
      // A link that started the program was there before the page: it is asked for, too.
      const take = (): void =>
        void invoke<string | null>("take_place").then((hash) => hash !== null && listener(hash));
      take();
      return on("place", take);
    },
    async openLink(url) {
      try {
        await invoke("open_link", { url });
      } catch (error) {
        throw toCallError(error, new CallError("internal", String(error)));
      }
    },
    pickFiles: () => invoke<string[]>("pick_files"),
    recentFiles: () => invoke<RecentFile[]>("recent_files"),
    async pickRecent(id) {
      try {
        return await invoke<string[]>("pick_recent", { id });
      } catch (error) {
        throw toCallError(error, new CallError("internal", String(error)));
      }
    },
    setZoom: (factor) => invoke("set_zoom", { factor }),
    giveFiles: async () => [],
  };
}
