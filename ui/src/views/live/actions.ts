import type { Action } from "../../lib/actions.ts";

/** What the list of traces can do. */
export interface Live {
  selected: () => boolean;
  marked: () => boolean;
  canOpenWindow: boolean;
  move: (by: number) => void;
  edge: (by: -1 | 1) => void;
  open: (elsewhere: boolean) => void;
  peek: () => void;
  close: () => void;
  mark: () => void;
  remove: () => void;
  pause: () => void;
  search: () => void;
  refresh: () => void;
  copyId: () => void;
}

/** The actions of the list of traces. */
export function liveActions(live: Live): Action[] {
  const group = "Live";
  return [
    { id: "live.search", title: "Filter traces", group, keys: ["/"], run: live.search },
    {
      id: "live.next",
      title: "Next trace",
      group,
      keys: ["j", "ArrowDown"],
      quiet: true,
      run: () => live.move(1),
    },
    {
      id: "live.previous",
      title: "Previous trace",
      group,
      keys: ["k", "ArrowUp"],
      quiet: true,
      run: () => live.move(-1),
    },
    { id: "live.first", title: "First trace", group, keys: ["Home"], quiet: true, run: () => live.edge(-1) },
    {
      id: "live.last",
      title: "Last loaded trace",
      group,
      keys: ["End"],
      quiet: true,
      run: () => live.edge(1),
    },
    {
      id: "live.peek",
      title: "Peek at the trace, or close the peek",
      group,
      keys: ["Space"],
      run: live.peek,
    },
    {
      id: "live.open",
      title: "Open the trace",
      group,
      keys: ["Enter"],
      when: live.selected,
      run: () => live.open(false),
    },
    ...(live.canOpenWindow
      ? [
          {
            id: "live.window",
            title: "Open the trace in a new tab",
            group,
            keys: ["Ctrl+Enter"],
            when: live.selected,
            run: () => live.open(true),
          },
        ]
      : []),
    {
      id: "live.close",
      title: "Close the peek, then clear the marks",
      group,
      keys: ["Escape"],
      when: () => live.selected() || live.marked(),
      quiet: true,
      run: live.close,
    },
    { id: "live.mark", title: "Mark the trace", group, keys: ["x"], when: live.selected, run: live.mark },
    {
      id: "live.delete",
      title: "Delete the marked traces, or the selected one",
      group,
      keys: ["Delete"],
      when: () => live.selected() || live.marked(),
      run: live.remove,
    },
    { id: "live.pause", title: "Pause or resume", group, keys: ["p"], run: live.pause },
    { id: "live.refresh", title: "Refresh", group, keys: ["r"], run: live.refresh },
    {
      id: "live.copy",
      title: "Copy the trace id",
      group,
      keys: ["y i"],
      when: live.selected,
      run: live.copyId,
    },
  ];
}
