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

/** The rows that the path goes through in order of time, those at the top left out where there are others. */
export function criticalSteps({ criticalRow, parent }: Waterfall): number[] {
  const below = criticalRow.filter((row) => parent[row]! >= 0);
  const steps: number[] = [];
  for (const row of below.length > 0 ? below : criticalRow) {
    if (steps[steps.length - 1] !== row) steps.push(row);
  }
  return steps;
}
