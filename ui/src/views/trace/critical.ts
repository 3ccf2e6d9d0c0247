// The critical path as the rows of a waterfall show it.
import type { Waterfall } from "../../generated/api.ts";

/** Stretches of the path by row, each as instants of its start and end. */
export type CriticalRows = ReadonlyMap<number, readonly (readonly [number, number])[]>;

/** Groups the path by row. */
export function criticalRows({ criticalRow, criticalFrom, criticalTo }: Waterfall): CriticalRows {
  const rows = new Map<number, [number, number][]>();
  for (let at = 0; at < criticalRow.length; at += 1) {
    const row = criticalRow[at]!;
    const stretches = rows.get(row);
    if (stretches === undefined) rows.set(row, [[criticalFrom[at]!, criticalTo[at]!]]);
    else stretches.push([criticalFrom[at]!, criticalTo[at]!]);
  }
  return rows;
}

/** One step of the path: a row, and how often its name follows itself. */
export interface CriticalStep {
  /** The first row of the step. */
  row: number;
  /** How many rows of one name follow one another. */
  times: number;
}

/** The steps of the path in order of time: what worked, or all of it where nothing but waiting rows is on it. */
export function criticalSteps({ criticalRow, descendants, name }: Waterfall): CriticalStep[] {
  const working = criticalRow.filter((row) => descendants[row] === 0);
  const steps: CriticalStep[] = [];
  let before = -1;
  for (const row of working.length > 0 ? working : criticalRow) {
    const last = steps[steps.length - 1];
    if (row === before) continue;
    if (last !== undefined && name[last.row] === name[row]) last.times += 1;
    else steps.push({ row, times: 1 });
    before = row;
  }
  return steps;
}
