// What can be done to a waterfall: keys, palette and help follow from this list.
import type { Action } from "../../lib/actions.ts";
import { type Copied, copyId, copyLink, copySpanId, copyText } from "./copies.ts";
import { TABS, type Tab } from "./tabs.ts";
import type { TraceView } from "./trace.svelte.ts";

/** What the actions act on. */
export interface TraceParts {
  /** The waterfall's state. */
  trace: TraceView;
  /** Whether keys are meant for this trace now. */
  when: () => boolean;
  /** Whether it is a peek beside a list, which keeps its own Enter and Escape. */
  compact: boolean;
  /** What a copy takes. */
  copied: () => Copied;
  /** Brings the line under the cursor into view. */
  showCursor: () => void;
  /** Puts the keyboard on the rows, the panel or the find field. */
  focus: (part: "rows" | "panel" | "find") => void;
  /** Chooses a tab of the panel. */
  tab: (tab: Tab) => void;
  /** Shows texts as Markdown or as they came. */
  toggleRaw: () => void;
  /** Whether the chosen span's cost has lines, and what shows them. */
  hasLines: () => boolean;
  showLines: () => void;
  /** Goes back to where the reader came from. */
  leave: () => void;
}

/** The actions of a waterfall. */
export function traceActions(parts: TraceParts): Action[] {
  const { trace, when, compact, showCursor, focus, copied } = parts;
  const moved = (act: () => void) => () => {
    act();
    showCursor();
  };
  const act = (
    id: string,
    title: string,
    keys: string[],
    run: () => void,
    more: Partial<Action> = {},
  ): Action => ({
    id: `trace.${id}`,
    title,
    group: "Trace",
    keys,
    when,
    run,
    ...more,
  });
  const quiet = { quiet: true };
  return [
    act(
      "down",
      "Next row",
      ["j", "ArrowDown"],
      moved(() => trace.step(1)),
      quiet,
    ),
    act(
      "up",
      "Previous row",
      ["k", "ArrowUp"],
      moved(() => trace.step(-1)),
      quiet,
    ),
    act(
      "page-down",
      "A page down",
      ["PageDown"],
      moved(() => trace.step(20)),
      quiet,
    ),
    act(
      "page-up",
      "A page up",
      ["PageUp"],
      moved(() => trace.step(-20)),
      quiet,
    ),
    act(
      "first",
      "First row",
      ["Home"],
      moved(() => trace.step(-Infinity)),
      quiet,
    ),
    act(
      "last",
      "Last row",
      ["End"],
      moved(() => trace.step(Infinity)),
      quiet,
    ),
    act(
      "unfold",
      "Unfold, or go to the first below",
      ["ArrowRight"],
      moved(() => trace.fold(false, false)),
      quiet,
    ),
    act(
      "fold",
      "Fold, or go to the one above",
      ["ArrowLeft"],
      moved(() => trace.fold(true, false)),
      quiet,
    ),
    act(
      "unfold-all",
      "Unfold all below",
      ["Shift+ArrowRight"],
      moved(() => trace.fold(false, true)),
    ),
    act(
      "fold-all",
      "Fold all below",
      ["Shift+ArrowLeft"],
      moved(() => trace.fold(true, true)),
    ),
    act(
      "fold-level",
      "Fold the deepest level",
      ["["],
      moved(() => trace.foldLevel(true)),
    ),
    act(
      "unfold-level",
      "Unfold the next level",
      ["]"],
      moved(() => trace.foldLevel(false)),
    ),
    act("zoom-in", "Zoom in", ["w"], () => trace.zoom(0.7)),
    act("zoom-out", "Zoom out", ["s"], () => trace.zoom(1 / 0.7)),
    act("earlier", "Move earlier", ["a"], () => trace.pan(-0.2), quiet),
    act("later", "Move later", ["d"], () => trace.pan(0.2), quiet),
    act("fit", "Zoom to the span", ["f"], () => trace.fit()),
    act("reset", "Show the whole trace", ["0"], () => trace.reset()),
    act("critical", "Show or hide the critical path", ["c"], () => trace.toggleCritical()),
    act("squeeze", "Compress idle time, or show it at length", ["i"], () => trace.squeeze(), {
      when: () => when() && (trace.waterfall?.idle.length ?? 0) > 0,
    }),
    act(
      "error",
      "Next error",
      ["."],
      moved(() => trace.nextError(false)),
      {
        when: () => when() && trace.errors.length > 0,
      },
    ),
    act(
      "error-back",
      "Previous error",
      [","],
      moved(() => trace.nextError(true)),
      {
        when: () => when() && trace.errors.length > 0,
      },
    ),
    act("find", "Find in the trace", ["/", "Ctrl+F"], () => focus("find")),
    act(
      "match",
      "Next match",
      ["n"],
      moved(() => trace.nextMatch(false)),
      quiet,
    ),
    act(
      "match-back",
      "Previous match",
      ["N"],
      moved(() => trace.nextMatch(true)),
      quiet,
    ),
    act("copy-id", "Copy the trace id", ["y i"], () => copyId(copied())),
    act("copy-span-id", "Copy the span id", ["y s"], () => copySpanId(copied())),
    act("copy-link", "Copy a link to the span", ["y l"], () => copyLink(copied())),
    act("copy-markdown", "Copy as Markdown for a model", ["y m"], () => void copyText(copied(), "markdown")),
    act("copy-json", "Copy as OTLP JSON", ["y j"], () => void copyText(copied(), "otlpJson")),
    act("raw", "Switch between rendered and raw text", ["m"], parts.toggleRaw),
    act("cost", "Show what the span cost, line by line", ["$"], parts.showLines, {
      when: () => when() && parts.hasLines(),
    }),
    ...TABS.map(({ id, title }, index) =>
      act(`tab-${id}`, `Show ${title}`, [String(index + 1)], () => parts.tab(id), quiet),
    ),
    ...(compact
      ? []
      : [
          act("enter", "Read the span", ["Enter"], () => focus("panel"), quiet),
          // There is a way back while the trace is still on its way, or is not here at all.
          act("leave", "Back", ["Escape"], parts.leave, { ...quiet, when: () => true }),
        ]),
  ];
}
