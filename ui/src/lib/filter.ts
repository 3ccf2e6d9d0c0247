import type {
  ErrorClass,
  Operation,
  TimeRange,
  TraceFilter,
  TraceSort,
  TraceStatus,
} from "../generated/api.ts";
import { ERROR_CLASSES, line, OPERATIONS } from "./format.ts";
import { timeRange } from "./range.svelte.ts";
import { route, setQuery } from "./route.svelte.ts";

/** A filter whose values the facets list: its parameter in the URL. */
export type Facet = "status" | "error" | "model" | "kind" | "service";

/** Facets in words, in the order in which they are listed. */
export const FACETS: Record<Facet, string> = {
  status: "Status",
  error: "Error",
  kind: "Kind",
  model: "Model",
  service: "Service",
};

/** A value of a facet in words. */
export function facetWords(facet: Facet, value: string): string {
  if (facet === "error" && Object.hasOwn(ERROR_CLASSES, value)) return ERROR_CLASSES[value as ErrorClass];
  if (facet === "kind" && Object.hasOwn(OPERATIONS, value)) return OPERATIONS[value as Operation].title;
  return line(value, 200) || "(none)";
}

const STATUSES: readonly string[] = ["ok", "error", "running"] satisfies TraceStatus[];
const SORTS: readonly string[] = ["start", "duration", "tokens", "cost", "spans"] satisfies TraceSort[];

/** Rows of a page. */
export const PAGE = 200;

/** The source that the URL names: live telemetry unless it says otherwise, `null` for everything. */
export function sourceParam(): number | null {
  const text = route.get("source");
  if (text === "all") return null;
  const id = Number(text ?? 0);
  return Number.isSafeInteger(id) && id >= 0 ? id : 0;
}

/** The filter that the URL states. What it states wrongly is left out, never sent. */
export function readFilter(): TraceFilter {
  const sort = route.get("sort") ?? "start";
  return {
    text: route.get("text") ?? "",
    services: route.all("service"),
    models: route.all("model"),
    operations: route.all("kind").filter((kind): kind is Operation => Object.hasOwn(OPERATIONS, kind)),
    errorClasses: route.all("error").filter((name): name is ErrorClass => Object.hasOwn(ERROR_CLASSES, name)),
    statuses: route.all("status").filter((status): status is TraceStatus => STATUSES.includes(status)),
    session: route.get("session"),
    range: timeRange(),
    source: sourceParam(),
    sort: SORTS.includes(sort) ? (sort as TraceSort) : "start",
    ascending: route.get("asc") === "1",
    cursor: null,
    limit: PAGE,
  };
}

/** The filter that the URL states, for something that can pause: a pause stops the clock of a relative range too. */
export function pausable(paused: () => boolean): () => TraceFilter {
  let stopped: { at: string | null; range: TimeRange } | undefined;
  return () => {
    const now = readFilter();
    const at = route.get("range");
    if (paused() && stopped?.at === at) return { ...now, range: stopped.range };
    stopped = { at, range: now.range };
    return now;
  };
}

/** What makes two filters the same list, though a relative range moves on with the clock. */
export function identity(): string {
  return JSON.stringify([{ ...readFilter(), range: null }, route.get("range")]);
}

/** Adds a value to a facet's filter, or takes it out. */
export function toggle(facet: Facet, value: string): void {
  const now = route.all(facet);
  setQuery({ [facet]: now.includes(value) ? now.filter((each) => each !== value) : [...now, value] }, "push");
}

/** Sorts by a column: largest first, the second time smallest first. */
export function sortBy(sort: TraceSort): void {
  const again = (route.get("sort") ?? "start") === sort;
  const ascending = again && route.get("asc") !== "1";
  setQuery({ sort: sort === "start" ? null : sort, asc: ascending ? "1" : null }, "replace");
}

/** One term of the filter in words, and how to drop it. */
export interface Term {
  /** Parameter and value. */
  id: string;
  text: string;
  drop: () => void;
}

/** The terms that narrow the list, the source aside. */
export function terms(rangeTitle: string): Term[] {
  const found: Term[] = [];
  const text = route.get("text");
  if (text) {
    const title = /^[0-9a-f]{32}$/i.test(text) ? `Trace: ${text.slice(0, 8)}…` : `“${text}”`;
    found.push({ id: "text", text: title, drop: () => setQuery({ text: null }, "push") });
  }
  for (const facet of Object.keys(FACETS) as Facet[]) {
    for (const value of route.all(facet))
      found.push({
        id: `${facet} ${value}`,
        text: `${FACETS[facet]}: ${facetWords(facet, value)}`,
        drop: () => toggle(facet, value),
      });
  }
  const session = route.get("session");
  if (session)
    found.push({
      id: "session",
      text: `Session: ${session}`,
      drop: () => setQuery({ session: null }, "push"),
    });
  const { from, to } = timeRange();
  if (from !== null || to !== null)
    found.push({ id: "range", text: rangeTitle, drop: () => setQuery({ range: null }, "push") });
  return found;
}

/** Drops every term but the source, and further parameters. */
export function clearTerms(further: readonly string[] = []): void {
  const all = ["text", ...Object.keys(FACETS), "session", "range", ...further];
  setQuery(Object.fromEntries(all.map((key) => [key, null])), "push");
}
