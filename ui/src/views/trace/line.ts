// What one line of a waterfall says, read from the columns once for its parts.
import type { Operation } from "../../generated/api.ts";
import { counted, duration } from "../../lib/format.ts";
import { barLabel, failed, operationOf, textOf } from "./bar.ts";
import type { TraceView } from "./trace.svelte.ts";

/** One line: a span, or a run of repeated siblings. */
export interface Line {
  /** Its row; of a run the first member's. */
  row: number;
  /** The row after those that it stands for. */
  end: number;
  /** Members of a run; 0 for a span. */
  members: number;
  /** Levels of indentation. */
  level: number;
  /** Whether it can be folded. */
  branches: boolean;
  /** Whether it is unfolded. */
  open: boolean;
  /** What kind of step it is. */
  operation: Operation;
  /** Its name. */
  name: string;
  /** Whether the span failed. */
  failed: boolean;
  /** How many rows of a run failed. */
  failures: number;
  /** What stands beside its bar, in parts. */
  label: string[];
}

/** Reads the line at `index` of what is shown. */
export function lineAt(trace: TraceView, index: number): Line {
  const waterfall = trace.waterfall!;
  const lines = trace.lines!;
  const row = lines.row[index] ?? 0;
  const members = lines.members[index] ?? 0;
  const run = members > 0 ? trace.runs!.of.get(row) : undefined;
  return {
    row,
    end: run?.end ?? row + 1,
    members,
    level: lines.level[index] ?? 0,
    branches: members > 0 || waterfall.descendants[row]! > 0,
    open: members > 0 ? trace.folds.unrolled[row] === 1 : trace.folds.closed[row] === 0,
    operation: operationOf(waterfall, row),
    name: textOf(waterfall, waterfall.name[row]) || "(no name)",
    failed: members === 0 && failed(waterfall, row),
    failures: run?.errors ?? 0,
    label:
      run === undefined
        ? barLabel(waterfall, row, trace.elapsed)
        : [
            `${duration(run.durationNanos)} in all`,
            ...(run.errors > 0 ? [counted(run.errors, "error")] : []),
          ],
  };
}
