// Finding within a trace, and the way from one error to the next.
import type { Waterfall } from "../../generated/api";
import { rowCount } from "./outline";

const ERROR = 2;

/** Rows whose name, service, model or error holds `text`, whatever the case; `null` without a text. */
export function findRows(waterfall: Waterfall, text: string): Uint32Array | null {
  const wanted = text.trim().toLowerCase();
  if (wanted === "") return null;
  const hit = Uint8Array.from(waterfall.strings, (value) => (value.toLowerCase().includes(wanted) ? 1 : 0));
  const { name, service, model, error } = waterfall;
  const rows = new Uint32Array(rowCount(waterfall));
  let count = 0;
  for (let row = 0; row < rows.length; row += 1) {
    if (hit[name[row]!] || hit[service[row]!] || hit[model[row]!] || hit[error[row]!]) {
      rows[count] = row;
      count += 1;
    }
  }
  return rows.subarray(0, count);
}

/** Rows that ended in an error. */
export function errorRows(waterfall: Waterfall): Uint32Array {
  const rows = new Uint32Array(rowCount(waterfall));
  let count = 0;
  for (let row = 0; row < rows.length; row += 1) {
    if (waterfall.status[row] === ERROR) {
      rows[count] = row;
      count += 1;
    }
  }
  return rows.subarray(0, count);
}

/** The next of sorted `rows` after `from` (or before it), going round at the end; -1 where there is none. */
export function nextRow(rows: Uint32Array, from: number, back: boolean): number {
  if (rows.length === 0) return -1;
  if (back) {
    for (let at = rows.length - 1; at >= 0; at -= 1) if (rows[at]! < from) return rows[at]!;
    return rows[rows.length - 1]!;
  }
  for (const row of rows) if (row > from) return row;
  return rows[0]!;
}
