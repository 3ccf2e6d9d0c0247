import type { Action } from "../../lib/actions.ts";
import type { Selection } from "./selection.svelte.ts";

/** What the list of traces can do. */
export interface Live {
  choice: Selection;
  /** How many rows there are. */
  rows: () => number;
  canOpenWindow: boolean;
  open: (elsewhere: boolean) => void;
  remove: () => void;
  pause: () => void;
  search: () => void;
  facets: () => void;
  refresh: () => void;
  copyId: () => void;
  ledger: () => void;
}

/** The actions of the list of traces. */
export function liveActions(live: Live): Action[] {
  const group = "Live";
  const { choice } = live;
  const selected = (): boolean => choice.key !== null;
  const marked = (): boolean => choice.marks.size > 0;
  return [
    { id: "live.search", title: "Filter traces", group, keys: ["/"], run: live.search },
    { id: "live.facets", title: "Choose what is listed", group, keys: ["F"], run: live.facets },
    {
      id: "live.next",
      title: "Next trace",
      group,
      keys: ["j", "ArrowDown"],
      quiet: true,
      run: () => choice.step(1),
    },
    {
      id: "live.previous",
      title: "Previous trace",
      group,
      keys: ["k", "ArrowUp"],
      quiet: true,
      run: () => choice.step(-1),
    },
    { id: "live.first", title: "First trace", group, keys: ["Home"], quiet: true, run: () => choice.move(0) },
    {
      id: "live.last",
      title: "Last loaded trace",
      group,
      keys: ["End"],
      quiet: true,
      run: () => choice.move(live.rows() - 1),
    },
    {
      id: "live.peek",
      title: "Peek at the trace, or close the peek",
      group,
      keys: ["Space"],
      run: () => (selected() ? choice.select(undefined) : choice.move(0)),
    },
    {
      id: "live.open",
      title: "Open the trace",
      group,
      keys: ["Enter"],
      when: selected,
      run: () => live.open(false),
    },
    ...(live.canOpenWindow
      ? [
          {
            id: "live.window",
            title: "Open the trace in a new tab",
            group,
            keys: ["Ctrl+Enter"],
            when: selected,
            run: () => live.open(true),
          },
        ]
      : []),
    {
      id: "live.close",
      title: "Close the peek, then clear the marks",
      group,
      keys: ["Escape"],
      when: () => selected() || marked(),
      quiet: true,
      run: () => (selected() ? choice.select(undefined) : choice.marks.clear()),
    },
    {
      id: "live.extend-down",
      title: "Mark on to the next trace",
      group,
      keys: ["Shift+ArrowDown"],
      when: selected,
      quiet: true,
      run: () => choice.extend(1),
    },
    {
      id: "live.extend-up",
      title: "Mark on to the previous trace",
      group,
      keys: ["Shift+ArrowUp"],
      when: selected,
      quiet: true,
      run: () => choice.extend(-1),
    },
    { id: "live.mark", title: "Mark the trace", group, keys: ["x"], when: selected, run: choice.mark },
    {
      id: "live.delete",
      title: "Delete the marked traces, or the selected one",
      group,
      keys: ["Delete"],
      when: () => selected() || marked(),
      run: live.remove,
    },
    { id: "live.pause", title: "Pause or resume", group, keys: ["p"], run: live.pause },
    { id: "live.refresh", title: "Refresh", group, keys: ["r"], run: live.refresh },
    {
      id: "live.ledger",
      title: "Show the calls that its tokens and cost come from",
      group,
      keys: ["l"],
      when: selected,
      run: live.ledger,
    },
    {
      id: "live.copy",
      title: "Copy the trace id",
      group,
      keys: ["y i"],
      when: selected,
      run: live.copyId,
    },
  ];
}
