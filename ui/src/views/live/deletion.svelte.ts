// Deleting rows of the list: hidden at once, gone after ten seconds in which that can be taken back.
import { SvelteSet } from "svelte/reactivity";
import type { TraceSummary } from "../../generated/api.ts";
import { host } from "../../host/connect.ts";
import { capital, counted, line } from "../../lib/format.ts";
import { type Place, rowKey } from "../../lib/tail.ts";
import { say } from "../../lib/toasts.svelte.ts";
import { later } from "../../lib/undo.svelte.ts";

/** Rows that are deleted, or about to be. */
export interface Deletion {
  /** Whether a row is hidden. */
  hides: (key: string) => boolean;
  /** Deletes traces, in ten seconds. */
  remove: (traces: readonly Place[]) => void;
}

/** Follows the rows of a list; `refresh` asks for them anew. Call it while a component starts. */
export function deletion(rows: () => readonly TraceSummary[], refresh: () => void): Deletion {
  // Rows that are about to be deleted, while that can still be taken back.
  const leaving = new SvelteSet<string>();
  // Rows that were deleted and may still stand in the list.
  const gone = new SvelteSet<string>();

  // Once a deleted row is out of the list it is no longer hidden: a trace that spans still come for lives again.
  $effect(() => {
    if (gone.size === 0) return;
    const present = new Set(rows().map(rowKey));
    for (const key of [...gone].filter((each) => !present.has(each))) {
      gone.delete(key);
      leaving.delete(key);
    }
  });

  return {
    hides: (key) => leaving.has(key),
    remove(traces) {
      const keys = traces.map(rowKey);
      const name = rows().find((row) => rowKey(row) === keys[0])?.name;
      keys.forEach((key) => leaving.add(key));
      const what =
        traces.length > 1
          ? counted(traces.length, "trace")
          : name === undefined
            ? "the trace"
            : line(name, 60);
      const commit = async (): Promise<void> => {
        const places = traces.map(({ traceId, source }) => ({ traceId, source }));
        const { notice } = await host.call("delete_traces", { traces: places });
        if (notice) say(`${capital(line(notice, 400))}.`, { tone: "error" });
        keys.forEach((key) => gone.add(key));
        refresh();
      };
      later(`Deleting ${what}`, commit, () => keys.forEach((key) => leaving.delete(key)));
    },
  };
}
