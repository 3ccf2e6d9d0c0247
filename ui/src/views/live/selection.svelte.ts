// Which row the peek shows, and which rows are marked. The selected row is kept in the URL.
import { tick } from "svelte";
import { SvelteSet } from "svelte/reactivity";
import type { TraceSummary } from "../../generated/api.ts";
import { route, setQuery } from "../../lib/route.svelte.ts";
import { type Place, placeOf, rowKey } from "../../lib/tail.ts";
import { step } from "../../lib/window.ts";

/** The list on the screen. */
export interface Grid {
  /** Brings a row into view. */
  reveal: (index: number) => void;
  /** Puts the keyboard on the rows. */
  focus: () => void;
}

/** What is selected and marked. */
export type Selection = ReturnType<typeof selection>;

/** Follows the selection of a list of traces. Call it while a component starts. */
export function selection(rows: () => readonly TraceSummary[], grid: () => Grid | undefined) {
  const marks = new SvelteSet<string>();
  const key = $derived(route.get("peek"));
  const at = $derived(rows().findIndex((row) => rowKey(row) === key));
  // The row itself may not be loaded.
  const place = $derived(placeOf(key ?? ""));

  function select(row: TraceSummary | undefined): void {
    setQuery({ peek: row ? rowKey(row) : null }, key === null || !row ? "push" : "replace");
    // A peek that closes takes the keyboard with it: it goes back to the rows.
    if (row === undefined)
      void tick().then(() => document.activeElement === document.body && grid()?.focus());
  }

  function move(to: number): void {
    select(rows()[to]);
    void tick().then(() => grid()?.reveal(to));
  }

  return {
    /** The key of the selected row. */
    get key(): string | null {
      return key;
    },
    /** The selected trace. */
    get place(): Place | undefined {
      return place;
    },
    /** Whether somebody reads what is selected, so that the list stands still. A peek that opened by itself asks not. */
    get holds(): boolean {
      return key !== null && route.get("follow") === null;
    },
    /** Somebody does something: what opened by itself holds the list still from now on. */
    hold(): void {
      if (route.get("follow") !== null) setQuery({ follow: null }, "replace");
    },
    /** Keys of the marked rows. */
    marks,
    select,
    move,
    /** Selects a row so many below. */
    step: (by: number): void => move(step(at, by, rows().length)),
    /** Marks the selected row, or takes its mark off. */
    mark(): void {
      if (key !== null && !marks.delete(key)) marks.add(key);
    },
    /** Selects the next row and marks all on the way; on the way back the marks go again. */
    extend(by: -1 | 1): void {
      const to = at + by;
      const next = rows()[to];
      if (key === null || at < 0 || next === undefined) return;
      if (marks.has(rowKey(next))) marks.delete(key);
      else marks.add(key).add(rowKey(next));
      move(to);
    },
    /** What is marked, else what is selected. */
    chosen(): Place[] {
      if (marks.size > 0) return rows().filter((row) => marks.has(rowKey(row)));
      return place ? [place] : [];
    },
  };
}
