// What one waterfall view knows: the answer, what is folded, the stretch of time, the chosen span. Everything that can be
// derived is; folds and zoom are kept with the answer they were made on and carried over to the next.
import type { TraceSummary, Waterfall } from "../../generated/api.ts";
import { live } from "../../lib/live.svelte.ts";
import { isRunning, whenOneStops } from "../../lib/running.svelte.ts";
import { axisOf } from "./axis.ts";
import { criticalRows } from "./critical.ts";
import { errorRows, findRows, nextRow } from "./find.ts";
import {
  MANY_ROWS,
  type Folds,
  carry,
  fold,
  foldLevel,
  keepNotable,
  lineOf,
  openFolds,
  outline,
  reveal,
  rowCount,
  rowOf,
  runsOf,
  shows,
  spanId,
  unroll,
} from "./outline.ts";
import { type Viewport, clamp, fit, pan, whole, zoomAt } from "./zoom.ts";

/** A running trace whose clock is further ahead than this (in nanoseconds) is not stretched to it: its end was lost. */
const LOST = 3_600e9;

/** Where the chosen span is kept: in the URL, or beside a peek. */
export interface Selection {
  /** The span's id; `null` is none. */
  get(): string | null;
  /** Chooses a span. */
  set(id: string | null): void;
}

/** The state of one waterfall view. */
export type TraceView = ReturnType<typeof traceView>;

/** Opens a view on a trace. Call it while a component starts. */
export function traceView(params: () => { traceId: string; source: number }, selection: Selection) {
  const answer = live("get_waterfall", params);
  const waterfall = $derived(answer.data);
  const trace = $derived(waterfall?.summary.traceId ?? "");

  let folded = $state.raw<{ on: Waterfall; folds: Folds }>();
  let zoomed = $state.raw<{ trace: string; view: Viewport }>();
  let unabridged = $state<string>();
  let squeezed = $state<string>();
  let critical = $state(false);
  let onRun = $state.raw<string | null>(null);
  // The span that was chosen here, not by a link.
  let own = $state.raw<string | null>(null);
  // The content that was chosen of a span under whose id several arrived.
  let content = $state.raw<{ of: string; variant: string }>();
  const contentOf = (span: string): string => [params().source, params().traceId, span].join(".");
  let query = $state("");
  let now = $state(Date.now());

  const running = $derived(waterfall !== undefined && isRunning(waterfall.summary, now));
  const summaries = (): TraceSummary[] => (waterfall === undefined ? [] : [waterfall.summary]);
  whenOneStops(summaries, answer.refresh);
  // Pending bars grow four times a second, and only while something is pending.
  $effect(() => {
    if (!running) return;
    now = Date.now();
    const timer = setInterval(() => (now = Date.now()), 250);
    return () => clearInterval(timer);
  });

  const elapsed = $derived.by(() => {
    if (waterfall === undefined) return 0;
    if (!running) return waterfall.extentNanos;
    const since = now * 1e6 - Number(waterfall.originNanos);
    return since > waterfall.extentNanos && since < waterfall.extentNanos + LOST
      ? since
      : waterfall.extentNanos;
  });
  // Places on the screen are measured along the axis; what is said is said in real time.
  const axis = $derived(axisOf(elapsed, squeezed === trace ? (waterfall?.idle ?? []) : []));
  const path = $derived(critical && waterfall !== undefined ? criticalRows(waterfall) : null);
  const folds = $derived.by((): Folds => {
    if (waterfall === undefined) return openFolds(0);
    if (folded === undefined) return openFolds(rowCount(waterfall));
    return folded.on === waterfall ? folded.folds : carry(folded.on, folded.folds, waterfall);
  });
  const runs = $derived(waterfall && runsOf(waterfall));
  const kept = $derived(
    waterfall && rowCount(waterfall) > MANY_ROWS && unabridged !== trace ? keepNotable(waterfall) : null,
  );
  const lines = $derived(waterfall && runs && outline(waterfall, folds, runs, kept));
  const view = $derived(zoomed?.trace === trace ? clamp(zoomed.view, axis.length) : whole(axis.length));
  // The span that is asked for; the first, where none is or it has not arrived.
  const asked = $derived.by(() => {
    if (waterfall === undefined) return -1;
    const found = rowOf(waterfall, selection.get());
    return found < 0 && rowCount(waterfall) > 0 ? 0 : found;
  });
  // A run's line and its first member share a row; `onRun` says that the line is meant.
  const cursor = $derived.by(() => {
    if (waterfall === undefined || lines === undefined || asked < 0) return -1;
    const line = lineOf(lines, asked);
    const above = line - 1;
    const isHead = above >= 0 && lines.members[above]! > 0 && lines.row[above] === asked;
    return isHead && onRun === spanId(waterfall, asked) ? above : line;
  });
  // What is folded away is not read: its nearest line above stands for it.
  const row = $derived(lines === undefined || cursor < 0 ? -1 : lines.row[cursor]!);
  // The rows that the chosen one stands below: the way to it from the top.
  const leads = $derived.by(() => {
    const above = new Set<number>();
    if (waterfall === undefined || row < 0) return above;
    for (let at = waterfall.parent[row]!; at >= 0; at = waterfall.parent[at]!) above.add(at);
    return above;
  });
  const errors = $derived(waterfall ? errorRows(waterfall) : new Uint32Array());
  const matches = $derived(waterfall ? findRows(waterfall, query) : null);
  const matched = $derived(matches === null ? null : new Set(matches));

  function setFolds(next: Folds): void {
    if (waterfall !== undefined) folded = { on: waterfall, folds: next };
  }

  function setView(next: Viewport): void {
    zoomed = { trace, view: next };
  }

  function select(to: number, run = false): void {
    if (waterfall === undefined || to < 0 || to >= rowCount(waterfall)) return;
    const id = spanId(waterfall, to);
    onRun = run ? id : null;
    own = id;
    selection.set(id);
  }

  function selectLine(line: number): void {
    if (lines === undefined || line < 0 || line >= lines.count) return;
    select(lines.row[line]!, lines.members[line]! > 0);
  }

  /** Chooses a row wherever it is hidden. */
  function visit(to: number): void {
    if (waterfall === undefined || runs === undefined || lines === undefined || to < 0) return;
    if (!shows(lines, to)) {
      if (kept !== null && !kept[to]) unabridged = trace;
      setFolds(reveal(waterfall, folds, runs, to));
    }
    select(to);
  }

  function end(of: number): number {
    if (waterfall === undefined) return 0;
    const nanos = waterfall.duration[of]!;
    return nanos < 0 ? elapsed : waterfall.start[of]! + nanos;
  }

  return {
    get answer() {
      return answer;
    },
    get waterfall() {
      return waterfall;
    },
    get lines() {
      return lines;
    },
    get runs() {
      return runs;
    },
    get folds() {
      return folds;
    },
    get view() {
      return view;
    },
    get zoomed() {
      return zoomed?.trace === trace && (view.from > 0 || view.to < axis.length);
    },
    /** Nanoseconds from time 0 to the latest end, or to now while the trace runs. */
    get elapsed() {
      return elapsed;
    },
    /** The time axis: real, or with idle stretches squeezed. */
    get axis() {
      return axis;
    },
    /** Whether idle stretches are squeezed. */
    get squeezed() {
      return squeezed === trace;
    },
    /** Squeezes idle stretches, or shows them at length again. */
    squeeze(): void {
      squeezed = squeezed === trace ? undefined : trace;
      zoomed = undefined;
    },
    /** The critical path by row, where it is shown. */
    get critical() {
      return path;
    },
    /** Shows or hides the critical path. */
    toggleCritical: (): void => void (critical = !critical),
    get running() {
      return running;
    },
    /** The chosen row; the first, where none is chosen; -1 without rows. */
    get row() {
      return row;
    },
    /** The rows above the chosen one. */
    get leads() {
      return leads;
    },
    /** The line under the cursor. */
    get cursor() {
      return cursor;
    },
    get errors() {
      return errors;
    },
    get matches() {
      return matches;
    },
    get query() {
      return query;
    },
    set query(text: string) {
      query = text;
    },
    /** Whether only notable rows of a huge trace show. */
    get abridged() {
      return kept !== null;
    },
    /** The hash of the content that is read of a span; `null` is the one shown by default. */
    variant: (span: string): string | null => (content?.of === contentOf(span) ? content.variant : null),
    /** Reads another content of a span. */
    chooseVariant: (span: string, variant: string): void => void (content = { of: contentOf(span), variant }),
    isMatch: (of: number): boolean => matched === null || matched.has(of),
    showAll: (): void => void (unabridged = trace),
    selectLine,
    visit,
    /** The span that a link asks for; `null` where it was chosen here. */
    get linked() {
      const id = selection.get();
      return id === own ? null : id;
    },
    /** Opens what hides the span that is asked for, as when a link leads to it. */
    revealAsked: (): void => {
      if (lines !== undefined && selection.get() !== null && !shows(lines, asked)) visit(asked);
    },
    setView,
    zoom: (factor: number, at = (view.from + view.to) / 2): void =>
      setView(zoomAt(view, axis.length, at, factor)),
    pan: (share: number): void => setView(pan(view, axis.length, share)),
    reset: (): void => void (zoomed = undefined),
    fit: (of = row): void => {
      if (waterfall !== undefined && of >= 0)
        setView(fit(axis.to(waterfall.start[of]!), axis.to(end(of)), axis.length));
    },
    /** Folds or unfolds the line under the cursor; where there is nothing to fold, goes up or down one level. */
    fold(close: boolean, subtree: boolean): void {
      if (waterfall === undefined || lines === undefined || runs === undefined || cursor < 0) return;
      const at = lines.row[cursor]!;
      if (lines.members[cursor]! > 0) {
        if ((folds.unrolled[at] === 1) === close) setFolds(unroll(folds, at, !close));
        else if (close) select(waterfall.parent[at]!);
        else selectLine(cursor + 1);
        return;
      }
      const branches = waterfall.descendants[at]! > 0;
      if (branches && (subtree || (folds.closed[at] === 1) !== close)) {
        setFolds(fold(waterfall, folds, at, close, subtree));
      } else if (!close && branches) selectLine(cursor + 1);
      else if (close) {
        const level = lines.level[cursor]!;
        for (let line = cursor - 1; line >= 0; line -= 1) {
          if (lines.level[line]! < level) return selectLine(line);
        }
      }
    },
    toggle(line: number): void {
      if (waterfall === undefined || lines === undefined) return;
      const at = lines.row[line]!;
      if (lines.members[line]! > 0) setFolds(unroll(folds, at, folds.unrolled[at] === 0));
      else setFolds(fold(waterfall, folds, at, folds.closed[at] === 0, false));
    },
    foldLevel(close: boolean): void {
      if (waterfall !== undefined) setFolds(foldLevel(waterfall, folds, close));
    },
    step: (by: number): void => selectLine(Math.min(Math.max(cursor + by, 0), (lines?.count ?? 0) - 1)),
    nextError: (back: boolean): void => visit(nextRow(errors, row, back)),
    nextMatch: (back: boolean): void => visit(matches === null ? -1 : nextRow(matches, row, back)),
  };
}
