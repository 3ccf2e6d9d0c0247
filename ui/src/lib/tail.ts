import type { TraceSummary } from "../generated/api.ts";

/** What names a row: a trace id may stand in several sources. */
export function rowKey(row: Pick<TraceSummary, "traceId" | "source">): string {
  return `${row.source}.${row.traceId}`;
}

/** Rows on the screen, and how many wait above them. */
export interface Tail {
  rows: TraceSummary[];
  /** Rows that arrived while the list was held still. */
  waiting: number;
}

/** The newest page of a list, and whether it is the last. */
export interface FirstPage {
  rows: TraceSummary[];
  last: boolean;
}

/**
 * Joins the rows on the screen with a fresh first page of the same question.
 *
 * Following, the page comes first and older rows that were loaded after it stay behind it. Held still, no row moves:
 * known rows fill in where they stand, rows that vanished from the page's stretch go, new ones only count.
 */
export function join(shown: TraceSummary[], page: FirstPage, following: boolean): Tail {
  if (shown.length === 0) return { rows: page.rows, waiting: 0 };
  const fresh = new Map(page.rows.map((row) => [rowKey(row), row]));
  // Rows up to the last one that the page still has lie in its stretch; those after it were loaded later.
  const end = shown.findLastIndex((row) => fresh.has(rowKey(row)));
  const beyond = page.last ? [] : shown.slice(end + 1);
  if (following) return { rows: [...page.rows, ...(end < 0 ? [] : beyond)], waiting: 0 };
  const known = new Set(shown.map(rowKey));
  const still = shown.slice(0, end + 1).flatMap((row) => fresh.get(rowKey(row)) ?? []);
  const waiting = page.rows.filter((row) => !known.has(rowKey(row))).length;
  return { rows: [...still, ...beyond], waiting };
}
