import type { TraceSummary } from "../generated/api.ts";

/** Names a trace: its id may stand in several sources. */
export type Place = Pick<TraceSummary, "traceId" | "source">;

/** A trace as one word: "0.4bf92f3577b34da6a3ce929d0e0e4736". */
export function rowKey({ traceId, source }: Place): string {
  return `${source}.${traceId}`;
}

/** Reads `rowKey` back. */
export function placeOf(key: string): Place | undefined {
  const [, source, traceId] = /^(\d+)\.([0-9a-f]{32})$/.exec(key) ?? [];
  return traceId === undefined ? undefined : { traceId, source: Number(source) };
}

/** Rows on the screen, and how many wait above them. */
export interface Tail<T> {
  rows: T[];
  /** Rows that arrived while the list was held still. */
  waiting: number;
  /** Whether rows stand that were loaded after the page: otherwise what comes next is what follows the page. */
  deep: boolean;
}

/** The newest page of a list, and whether it is the last. */
export interface FirstPage<T> {
  rows: T[];
  last: boolean;
}

/**
 * Joins the rows on the screen with a fresh first page of the same question; `key` names a row.
 *
 * Following, the page comes first and older rows that were loaded after it stay behind it. Held still, no row moves:
 * known rows fill in where they stand, rows that vanished from the page's stretch go, new ones only count.
 */
export function join<T>(
  shown: T[],
  page: FirstPage<T>,
  following: boolean,
  key: (row: T) => string,
): Tail<T> {
  if (shown.length === 0) return { rows: page.rows, waiting: 0, deep: false };
  const fresh = new Map(page.rows.map((row) => [key(row), row]));
  // Rows up to the last one that the page still has lie in its stretch; those after it were loaded later.
  const end = shown.findLastIndex((row) => fresh.has(key(row)));
  const beyond = page.last ? [] : shown.slice(end + 1);
  if (following) {
    // Where the page has none of the rows, others may lie between: the list begins anew.
    const behind = end < 0 ? [] : beyond;
    return { rows: [...page.rows, ...behind], waiting: 0, deep: behind.length > 0 };
  }
  const known = new Set(shown.map(key));
  const still = shown.slice(0, end + 1).flatMap((row) => fresh.get(key(row)) ?? []);
  const waiting = page.rows.filter((row) => !known.has(key(row))).length;
  return { rows: [...still, ...beyond], waiting, deep: beyond.length > 0 };
}
