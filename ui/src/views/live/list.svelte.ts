import { untrack } from "svelte";
import type { TraceFilter, TraceSummary } from "../../generated/api.ts";
import { host } from "../../host/connect.ts";
import type { CallError } from "../../host/host.ts";
import { live } from "../../lib/live.svelte.ts";
import { join, rowKey } from "../../lib/tail.ts";
import { sayError } from "../../lib/toasts.svelte.ts";

/** Milliseconds for which a row that arrived is marked. */
const FLASH = 600;

/** The rows on the screen, fed by a fresh first page and by older pages that were asked for. */
export interface TraceList {
  readonly rows: TraceSummary[];
  /** Rows that arrived while the list was held still. */
  readonly waiting: number;
  /** Keys of the rows that have just arrived. */
  readonly fresh: ReadonlySet<string>;
  /** Spans whose text no text filter can see yet. */
  readonly behind: number;
  /** What the list cannot show, and why. */
  readonly notice: string | null;
  /** Whether the rows answer an older filter. */
  readonly stale: boolean;
  readonly slow: boolean;
  /** Whether the present filter has been answered. */
  readonly answered: boolean;
  readonly error: CallError | undefined;
  /** Loads older rows, where there are more. */
  more(): void;
  /** Shows the rows that wait. */
  showWaiting(): void;
  refresh(): void;
}

/**
 * Lists the traces of a filter. `identity` says when it is another list; while `held` says so, nothing moves and
 * arrivals only count; while `paused` says so, nothing is asked.
 */
export function traceList(
  filter: () => TraceFilter,
  identity: () => string,
  held: () => boolean,
  paused: () => boolean,
): TraceList {
  const first = live("list_traces", filter, { paused });
  let rows = $state.raw<TraceSummary[]>([]);
  let waiting = $state(0);
  let fresh = $state.raw<ReadonlySet<string>>(new Set());
  let shownOf = $state.raw<string | null>(null);
  let cursor: string | null = null;
  let paged = false;
  let loading = false;
  let unmark: ReturnType<typeof setTimeout> | undefined;

  function mark(before: TraceSummary[]): void {
    const known = new Set(before.map(rowKey));
    const arrived = rows.map(rowKey).filter((key) => !known.has(key));
    if (before.length === 0 || arrived.length === 0) return;
    fresh = new Set([...fresh, ...arrived]);
    clearTimeout(unmark);
    unmark = setTimeout(() => (fresh = new Set()), FLASH);
  }

  function accept(of: string, following: boolean): void {
    const page = first.data;
    if (!page) return;
    const another = of !== shownOf;
    if (another) paged = false;
    const before = another ? [] : rows;
    const tail = join(before, { rows: page.rows, last: page.next === null }, following, rowKey);
    if (following && !tail.deep) paged = false;
    // Without older pages there is nothing to keep behind the first.
    const whole = tail.waiting === 0 && !paged && (following || another);
    rows = whole ? page.rows : tail.rows;
    waiting = tail.waiting;
    if (whole) cursor = page.next;
    shownOf = of;
    mark(before);
  }

  // A page that answers the present filter becomes rows; so does one that waited, when the list is let go.
  $effect(() => {
    if (!first.data || first.stale) return;
    const of = identity();
    const following = !held();
    untrack(() => accept(of, following));
  });

  async function more(): Promise<void> {
    if (loading || cursor === null || shownOf !== identity()) return;
    loading = true;
    const of = shownOf;
    const from = cursor;
    try {
      const page = await host.call("list_traces", { ...filter(), cursor: from });
      // Another list, or the same begun anew.
      if (of !== shownOf || from !== cursor) return;
      const known = new Set(rows.map(rowKey));
      rows = [...rows, ...page.rows.filter((row) => !known.has(rowKey(row)))];
      cursor = page.next;
      paged = true;
    } catch (error) {
      sayError("Could not load older traces", error);
    } finally {
      loading = false;
    }
  }

  return {
    get rows() {
      return rows;
    },
    get waiting() {
      return waiting;
    },
    get fresh() {
      return fresh;
    },
    get notice() {
      return first.data?.notice ?? null;
    },
    get behind() {
      return first.data?.behind ?? 0;
    },
    get stale() {
      return first.stale;
    },
    get slow() {
      return first.slow;
    },
    get answered() {
      return shownOf !== null && shownOf === identity();
    },
    get error() {
      return first.error;
    },
    more: () => void more(),
    showWaiting: () => accept(identity(), true),
    refresh: first.refresh,
  };
}
