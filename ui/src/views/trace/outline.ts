// The lines of a waterfall: which rows show, after folding. Rows come in pre-order with their number of descendants, so
// every question here is one pass over typed arrays; nothing recurses, whatever the depth.
import type { Run, Waterfall } from "../../generated/api";

/** A trace with more rows than this opens on its errors, model calls and slowest spans. */
export const MANY_ROWS = 10_000;
/** So many of the slowest rows are kept when a huge trace opens. */
const SLOWEST = 200;

const LLM = 2;
const ERROR = 2;

/** Runs of repeated siblings: `length` and `end` stand at the first row of each run, zero elsewhere. */
export interface Runs {
  /** Members of the run that starts at a row. */
  length: Uint32Array;
  /** The row after the run that starts at a row. */
  end: Uint32Array;
  /** The run that starts at a row. */
  of: ReadonlyMap<number, Run>;
}

/** What is folded; one element a row. */
export interface Folds {
  /** 1 where the rows below a row are hidden. */
  closed: Uint8Array;
  /** 1 where a run of repeated siblings is shown member by member. */
  unrolled: Uint8Array;
}

/** The lines to show, one element a line. */
export interface Outline {
  /** Number of lines. */
  count: number;
  /** The row of each line; a run's line names its first member. */
  row: Uint32Array;
  /** Levels of indentation. */
  level: Uint16Array;
  /** Members of a run's line; 0 on the line of a span. */
  members: Uint32Array;
}

/** Number of rows. */
export function rowCount(waterfall: Waterfall): number {
  return waterfall.parent.length;
}

/** A row's span id in 16 hex digits. */
export function spanId(waterfall: Waterfall, row: number): string {
  const half = (value: number): string => value.toString(16).padStart(8, "0");
  return half(waterfall.spanHigh[row]!) + half(waterfall.spanLow[row]!);
}

/** The row of a span id, or -1. */
export function rowOf(waterfall: Waterfall, id: string | null): number {
  if (id === null || !/^[0-9a-f]{16}$/i.test(id)) return -1;
  const high = Number.parseInt(id.slice(0, 8), 16);
  const low = Number.parseInt(id.slice(8), 16);
  for (let row = waterfall.spanLow.indexOf(low); row >= 0; row = waterfall.spanLow.indexOf(low, row + 1)) {
    if (waterfall.spanHigh[row] === high) return row;
  }
  return -1;
}

/** Everything open. */
export function openFolds(count: number): Folds {
  return { closed: new Uint8Array(count), unrolled: new Uint8Array(count) };
}

/** Spreads the engine's list of runs over the rows, so that each row is looked up at once. */
export function runsOf(waterfall: Waterfall): Runs {
  const count = rowCount(waterfall);
  const runs: Runs = {
    length: new Uint32Array(count),
    end: new Uint32Array(count),
    of: new Map(waterfall.runs.map((run) => [run.row, run])),
  };
  for (const run of waterfall.runs) {
    runs.length[run.row] = run.members;
    runs.end[run.row] = run.end;
  }
  return runs;
}

/** Marks errors, model calls and the slowest rows of a huge trace, each with what stands above it. */
export function keepNotable(waterfall: Waterfall): Uint8Array {
  const { status, operation, duration, parent } = waterfall;
  const count = rowCount(waterfall);
  const kept = new Uint8Array(count);
  const slow = Float64Array.from(duration).sort();
  const bar = slow[Math.max(0, count - SLOWEST)] ?? 0;
  let slowest = SLOWEST;
  for (let row = 0; row < count; row += 1) {
    const isSlow = slowest > 0 && duration[row]! >= bar;
    if (isSlow) slowest -= 1;
    if (!isSlow && status[row] !== ERROR && operation[row] !== LLM && parent[row] !== -1) continue;
    for (let above = row; above >= 0 && !kept[above]; above = parent[above]!) kept[above] = 1;
  }
  return kept;
}

/** Lists the lines to show; `kept`, where given, hides all rows but those marked and shows them without runs. */
export function outline(waterfall: Waterfall, folds: Folds, runs: Runs, kept: Uint8Array | null): Outline {
  const { descendants, depth } = waterfall;
  const total = rowCount(waterfall);
  // A run's line comes on top of its members.
  const room = total + waterfall.runs.length;
  const row = new Uint32Array(room);
  const level = new Uint16Array(room);
  const members = new Uint32Array(room);
  const within: number[] = [];
  let count = 0;
  let at = 0;
  while (at < total) {
    if (kept !== null && !kept[at]) {
      at += descendants[at]! + 1;
      continue;
    }
    while (within.length > 0 && at >= within[within.length - 1]!) within.pop();
    if (kept === null && runs.length[at]! > 0) {
      row[count] = at;
      level[count] = depth[at]! + within.length;
      members[count] = runs.length[at]!;
      count += 1;
      if (!folds.unrolled[at]) {
        at = runs.end[at]!;
        continue;
      }
      within.push(runs.end[at]!);
    }
    row[count] = at;
    level[count] = depth[at]! + within.length;
    count += 1;
    at += folds.closed[at] ? descendants[at]! + 1 : 1;
  }
  return {
    count,
    row: row.subarray(0, count),
    level: level.subarray(0, count),
    members: members.subarray(0, count),
  };
}

/** The line of a row, or of the nearest line above that hides it; -1 without lines. */
export function lineOf(lines: Outline, row: number): number {
  let low = 0;
  let high = lines.count - 1;
  let found = -1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    if (lines.row[middle]! <= row) {
      found = middle;
      low = middle + 1;
    } else high = middle - 1;
  }
  return found;
}

/** Whether a row has a line of its own, so that it can be selected and scrolled to. */
export function shows(lines: Outline, row: number): boolean {
  const line = lineOf(lines, row);
  return line >= 0 && lines.row[line] === row && lines.members[line] === 0;
}

/** Opens what hides a row. */
export function reveal(waterfall: Waterfall, folds: Folds, runs: Runs, row: number): Folds {
  const next: Folds = { closed: folds.closed.slice(), unrolled: folds.unrolled.slice() };
  const { parent, descendants } = waterfall;
  for (let at = row; at >= 0; at = parent[at]!) {
    if (at !== row) next.closed[at] = 0;
    // The run that a row stands in starts at an earlier sibling; walk the siblings from the first.
    const above = parent[at]!;
    let sibling = above < 0 ? 0 : above + 1;
    while (sibling <= at) {
      const isHead = runs.length[sibling]! > 0;
      if (isHead && runs.end[sibling]! > at) next.unrolled[sibling] = 1;
      sibling = isHead ? runs.end[sibling]! : sibling + descendants[sibling]! + 1;
    }
  }
  return next;
}

/** Opens or closes a row, and all below it if `subtree`. */
export function fold(
  waterfall: Waterfall,
  folds: Folds,
  row: number,
  close: boolean,
  subtree: boolean,
): Folds {
  const closed = folds.closed.slice();
  const unrolled = folds.unrolled.slice();
  const last = subtree ? row + waterfall.descendants[row]! : row;
  for (let at = row; at <= last; at += 1) {
    if (waterfall.descendants[at]! > 0) closed[at] = close ? 1 : 0;
  }
  if (subtree && !close) unrolled.fill(1, row + 1, last + 1);
  return { closed, unrolled };
}

/** Shows a run member by member, or as one line. */
export function unroll(folds: Folds, head: number, open: boolean): Folds {
  const unrolled = folds.unrolled.slice();
  unrolled[head] = open ? 1 : 0;
  return { closed: folds.closed, unrolled };
}

/** Closes the deepest open level of the whole trace, or opens the shallowest closed one. */
export function foldLevel(waterfall: Waterfall, folds: Folds, close: boolean): Folds {
  const { depth, descendants } = waterfall;
  const closed = folds.closed.slice();
  const total = rowCount(waterfall);
  let chosen = -1;
  // Only rows that show count: what lies below a closed row is passed over.
  for (let row = 0; row < total; row += closed[row] ? descendants[row]! + 1 : 1) {
    if (descendants[row] === 0 || (closed[row] === 1) === close) continue;
    const level = depth[row]!;
    if (chosen < 0 || (close ? level > chosen : level < chosen)) chosen = level;
  }
  if (chosen < 0) return folds;
  for (let row = 0; row < total; row += 1) {
    if (depth[row] === chosen && descendants[row]! > 0) closed[row] = close ? 1 : 0;
  }
  return { closed, unrolled: folds.unrolled };
}

/** Carries folds over to a newer answer for the same trace, span by span; spans that were not there are open. */
export function carry(before: Waterfall, folds: Folds, after: Waterfall): Folds {
  const next = openFolds(rowCount(after));
  // Keyed by both halves, since an id does not fit a JavaScript number.
  const rows = new Map<number, Map<number, number>>();
  const total = rowCount(before);
  for (let row = 0; row < total; row += 1) {
    if (!folds.closed[row] && !folds.unrolled[row]) continue;
    let byLow = rows.get(before.spanHigh[row]!);
    if (byLow === undefined) rows.set(before.spanHigh[row]!, (byLow = new Map()));
    byLow.set(before.spanLow[row]!, row);
  }
  if (rows.size === 0) return next;
  for (let row = 0; row < rowCount(after); row += 1) {
    const old = rows.get(after.spanHigh[row]!)?.get(after.spanLow[row]!);
    if (old === undefined) continue;
    next.closed[row] = folds.closed[old]!;
    next.unrolled[row] = folds.unrolled[old]!;
  }
  return next;
}
