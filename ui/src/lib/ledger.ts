import type { Bucket, LedgerFilter, LedgerRow } from "../generated/api.ts";
import { clearTerms, readFilter, type Term, terms } from "./filter.ts";
import { exact, NONE, when } from "./format.ts";
import { rangeId, rangeTitle, timeRange } from "./range.svelte.ts";
import { route, setQuery } from "./route.svelte.ts";

/** Buckets in words. */
export const BUCKETS: Record<Bucket, string> = {
  input: "Input",
  cacheRead: "Cache read",
  cacheWrite: "Cache write",
  cacheWrite1h: "Cache write, 1 hour",
  audioInput: "Audio in",
  imageInput: "Images in",
  output: "Output",
  reasoning: "Reasoning",
  audioOutput: "Audio out",
  imageOutput: "Images out",
  request: "Request",
};

/** The trace and span that an entry leaves its call to. */
export function teller(row: LedgerRow): { traceId: string; spanId: string } | null {
  const { standing } = row;
  if (standing.kind === "elsewhere") return { traceId: standing.traceId, spanId: standing.spanId };
  return "spanId" in standing ? { traceId: row.traceId, spanId: standing.spanId } : null;
}

/** What stands where tokens are known and no price is. */
export const UNPRICED = "price unknown";

/** Whether an entry adds to no total. */
export function excluded(row: LedgerRow): boolean {
  return row.standing.kind !== "counted" && row.standing.kind !== "costOnly";
}

/** What an entry adds to the cost: its amount, or why there is none in a word or two. */
export function amount(row: LedgerRow, write: (nanos: number) => string = exact): string {
  if (row.costNanos !== null)
    return row.cost.kind === "listed" && row.price.kind === "local" ? "local, $0" : write(row.costNanos);
  if (excluded(row)) return "not counted";
  if (row.estimate?.costNanos != null) return `~${write(row.estimate.costNanos)}`;
  return row.cost.kind === "unknown" && row.lines.length > 0 ? UNPRICED : NONE;
}

/** Parameters of the ledger's page beside those of the list of traces, and what they are called. */
const OWN = {
  only: "Called model",
  prompt: "Prompt",
  version: "Version",
  feature: "Feature",
  user: "User",
};

/** The entries that the URL asks for. What it states wrongly is left out, never sent. */
export function readLedgerFilter(): LedgerFilter {
  const text = (key: keyof typeof OWN): string | undefined => route.get(key) ?? undefined;
  const own = {
    model: text("only"),
    prompt: text("prompt"),
    promptVersion: text("version"),
    feature: text("feature"),
    user: text("user"),
  };
  const stated = Object.entries(own).filter(([, value]) => value !== undefined);
  return {
    traces: { ...readFilter(), sort: "start", ascending: false, limit: 0 },
    calls: timeRange("calls"),
    counted: route.get("counted") === "1",
    cursor: null,
    limit: 100,
    ...Object.fromEntries(stated),
  };
}

/** The traces' own time range in words: in the ledger the control is that of the calls. */
function tracesRange(): string {
  const { from, to } = timeRange();
  if (rangeId() !== "exact" || from === null || to === null)
    return `Traces of the ${rangeTitle().toLowerCase()}`;
  return `Traces from ${when(from)} to ${when(to)}`;
}

/** The terms that narrow the ledger and have no control of their own, those of its traces among them. */
export function ledgerTerms(): Term[] {
  const found = terms(tracesRange());
  for (const [key, title] of Object.entries(OWN)) {
    const value = route.get(key);
    if (value !== null)
      found.push({
        id: key,
        text: `${title}: ${value || "none"}`,
        drop: () => setQuery({ [key]: null }, "push"),
      });
  }
  return found;
}

/** Whether anything narrows the ledger: a term, the time range of the calls, or "Counted only". */
export function isNarrowed(): boolean {
  return ledgerTerms().length > 0 || timeRange("calls").from !== null || readLedgerFilter().counted;
}

/** Drops all that narrows the ledger but the source. */
export function clearLedgerTerms(): void {
  clearTerms([...Object.keys(OWN), "calls", "counted"]);
}
