import { untrack } from "svelte";
import type { FindingFilter, FindingPage, FindingRow } from "../../generated/api.ts";
import { host } from "../../host/connect.ts";
import type { Live } from "../../lib/live.svelte.ts";
import { join } from "../../lib/tail.ts";
import { sayError } from "../../lib/toasts.svelte.ts";

/** What names a finding: a heuristic fires once for a response. */
export function findingKey({ source, traceId, spanId, finding }: FindingRow): string {
  return `${source}.${traceId}.${spanId}.${finding.heuristic}`;
}

/** The findings on the screen: a fresh first page, and older ones that were asked for. */
export interface FindingList {
  readonly rows: FindingRow[];
  /** Where older findings begin; `null` where there are none. */
  readonly next: string | null;
  /** Loads the page after the last row. */
  readOlder(): Promise<void>;
}

/** Lists what `first` answers and keeps older pages behind it; `identity` says when it is another list. */
export function findingList(
  first: Live<FindingPage>,
  question: () => FindingFilter,
  identity: () => string,
): FindingList {
  let rows = $state.raw<FindingRow[]>([]);
  let next = $state.raw<string | null>(null);
  let shownOf: string | null = null;
  let reading = false;

  function accept(page: FindingPage, of: string): void {
    const before = of === shownOf ? rows : [];
    const tail = join(before, { rows: page.rows, last: page.next === null }, true, findingKey);
    rows = tail.rows;
    // Behind older pages the place to read on from is theirs.
    if (!tail.deep) next = page.next;
    shownOf = of;
  }

  $effect(() => {
    const page = first.data;
    if (page === undefined || first.stale) return;
    const of = identity();
    untrack(() => accept(page, of));
  });

  return {
    get rows() {
      return rows;
    },
    get next() {
      return next;
    },
    async readOlder() {
      const [of, from] = [shownOf, next];
      if (reading || from === null) return;
      reading = true;
      try {
        const page = await host.call("list_findings", { ...question(), cursor: from });
        if (of !== shownOf || from !== next) return;
        const known = new Set(rows.map(findingKey));
        rows = [...rows, ...page.rows.filter((row) => !known.has(findingKey(row)))];
        next = page.next;
      } catch (error) {
        sayError("Could not read older findings", error);
      } finally {
        reading = false;
      }
    },
  };
}
