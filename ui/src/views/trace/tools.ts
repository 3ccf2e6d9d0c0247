// The way from a tool call in a chat to the span that ran the tool.
import type { Waterfall } from "../../generated/api.ts";
import { host } from "../../host/connect.ts";
import { operationOf } from "./bar.ts";
import { rowCount, spanId } from "./outline.ts";

/** So many spans are asked for their call id before the nearest by name is taken. */
const ASKED = 8;

/** Rows of tool spans that may have run a call made by `caller`: its name in theirs, begun after it, nearest first. */
export function toolRows(waterfall: Waterfall, caller: number, tool: string): number[] {
  const wanted = tool.trim().toLowerCase();
  if (wanted === "" || caller < 0) return [];
  const named = waterfall.strings.map((text) => text.toLowerCase().includes(wanted));
  const from = waterfall.start[caller]!;
  const rows: number[] = [];
  for (let row = 0; row < rowCount(waterfall); row += 1) {
    const isTool = operationOf(waterfall, row) === "tool";
    if (isTool && named[waterfall.name[row]!] && waterfall.start[row]! >= from) rows.push(row);
  }
  return rows.sort((one, other) => waterfall.start[one]! - waterfall.start[other]!);
}

/** The row that ran a call: the one that states the call's id, else the nearest of that name; -1 where none did. */
export async function findToolRow(
  waterfall: Waterfall,
  source: number,
  caller: number,
  call: { id: string | null; name: string },
): Promise<number> {
  const rows = toolRows(waterfall, caller, call.name);
  if (call.id !== null) {
    for (const row of rows.slice(0, ASKED)) {
      try {
        const span = {
          traceId: waterfall.summary.traceId,
          spanId: spanId(waterfall, row),
          source,
          variant: null,
        };
        if ((await host.call("get_span", span)).toolCallId === call.id) return row;
      } catch {
        // A span that cannot be read is not the one.
      }
    }
  }
  return rows[0] ?? -1;
}
