import type { Opened } from "../generated/api.ts";
import { host } from "../host/connect.ts";
import { counted, line } from "./format.ts";
import { go } from "./route.svelte.ts";
import { dismiss, say, sayError } from "./toasts.svelte.ts";

/** The place that lists the traces of one source. */
export function sourceHash(source: number): string {
  return `#/live?source=${source}`;
}

/** What opening a file gave, in words. */
export function summary({ spans, traces, logs, points, problemCount }: Opened): string {
  const parts = [counted(spans, "span"), counted(traces, "trace")];
  if (logs > 0) parts.push(counted(logs, "log record"));
  if (points > 0) parts.push(counted(points, "metric point"));
  if (spans + logs + points === 0 && problemCount === 0) return "nothing new";
  if (problemCount > 0) parts.push(`${counted(problemCount, "item")} rejected`);
  return parts.join(", ");
}

function tell(opened: Opened): void {
  const name = line(opened.label, 80);
  const problems = opened.problems.slice(0, 3).map((problem) => line(problem, 200));
  const more = opened.problemCount - problems.length;
  if (more > 0) problems.push(`and ${counted(more, "more problem")}`);
  const detail = problems.join("\n") || null;
  const { source } = opened;
  if (source === null)
    return void say(`Nothing could be read from ${name}`, { tone: "error", detail, stay: null });
  say(`${name}: ${summary(opened)}`, {
    tone: opened.problemCount > 0 ? "error" : "info",
    detail,
    act: { title: "View", run: () => go(sourceHash(source)) },
  });
}

/** Opens something, tells what came of it and gives its source; `what` names it while that lasts. */
async function open(what: string, ask: () => Promise<Opened[]>): Promise<number | null> {
  const waiting = setTimeout(() => (toast = say(`Opening ${what}…`, { stay: null })), 300);
  let toast: number | undefined;
  try {
    const all = await ask();
    all.forEach(tell);
    return all.findLast((opened) => opened.source !== null)?.source ?? null;
  } catch (error) {
    sayError(`Could not open ${what}`, error);
    return null;
  } finally {
    clearTimeout(waiting);
    if (toast !== undefined) dismiss(toast);
  }
}

function show(source: number | null): void {
  if (source !== null) go(sourceHash(source));
}

/** Opens files that the host gave tokens for, one by one: a bad file costs its neighbours nothing. */
export async function openTokens(tokens: string[]): Promise<void> {
  let last: number | null = null;
  for (const [index, token] of tokens.entries()) {
    const what = tokens.length === 1 ? "the file" : `file ${index + 1} of ${tokens.length}`;
    last = (await open(what, () => host.call("open_files", { tokens: [token] }))) ?? last;
  }
  show(last);
}

/** Lets the user pick files, and opens them. */
export async function pickAndOpen(): Promise<void> {
  try {
    await openTokens(await host.pickFiles());
  } catch (error) {
    sayError("Could not read the files", error);
  }
}

/** Opens files that were dropped on the page. */
export async function openDropped(files: File[]): Promise<void> {
  if (files.length === 0) return;
  try {
    await openTokens(await host.giveFiles(files));
  } catch (error) {
    sayError("Could not read the files", error);
  }
}

/** Opens the built-in sample. */
export async function openSample(): Promise<void> {
  show(await open("the sample", async () => [await host.call("open_sample", {})]));
}
