// The files that were opened last, in the window: a browser may not open a file again by itself.
import { host } from "../host/connect.ts";
import type { RecentFile } from "../host/host.ts";
import type { Action } from "./actions.ts";
import { line } from "./format.ts";
import { openTokens } from "./open.ts";
import { sayError } from "./toasts.svelte.ts";

let files = $state.raw<RecentFile[]>([]);

/** The files, newest first. */
export function recentFiles(): readonly RecentFile[] {
  return files;
}

/** Asks for them anew. */
export async function readRecent(): Promise<void> {
  files = await host.recentFiles();
}

/** Opens one of them again. */
export async function openRecent({ id, name }: RecentFile): Promise<void> {
  try {
    await openTokens(await host.pickRecent(id));
  } catch (error) {
    sayError(`Could not open ${line(name, 80)}`, error);
  }
}

/** A file in words: its name, and its folder's. */
export function titleOf({ name, folder }: RecentFile): string {
  return folder === "" ? line(name, 80) : `${line(name, 80)} in ${line(folder, 40)}`;
}

/** Opening each of them, for the palette. */
export function recentActions(): Action[] {
  return files.map((file) => ({
    id: `recent.${file.id}`,
    title: `Open ${titleOf(file)}`,
    group: "Recent files",
    keys: [],
    run: () => void openRecent(file),
  }));
}
