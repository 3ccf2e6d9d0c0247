import type { Host } from "./host.ts";
import { httpHost } from "./http.ts";
import { tauriHost } from "./tauri.ts";

/** The host that this page runs in. */
export const host: Host = "__TAURI_INTERNALS__" in globalThis ? tauriHost() : httpHost();
