// The words of a row: its label beside the bar, and its sentence for a screen reader.
import { type Operation, type Waterfall, operations } from "../../generated/api.ts";
import { OPERATIONS, compact, cost, counted, duration, line } from "../../lib/format.ts";

/** Bits of a row's flags. */
export const FLAG = {
  orphan: 1,
  cycle: 2,
  variants: 4,
  clock: 8,
  pending: 16,
  repaired: 32,
  finding: 64,
  underived: 128,
  notCounted: 256,
  skew: 512,
} as const;

/** A badge for a flag: a word, and what it means. */
export interface FlagBadge {
  /** What stands in the row. */
  word: string;
  /** What it means, and why the row is there all the same. */
  meaning: string;
  /** Whether something is odd with the data. */
  warns: boolean;
}

const BADGES: readonly (readonly [number, FlagBadge])[] = [
  [
    FLAG.orphan,
    { word: "orphan", meaning: "Its parent has not arrived, so it stands at the top.", warns: true },
  ],
  [
    FLAG.cycle,
    { word: "cycle cut", meaning: "Its parents lead back to itself; the link was cut here.", warns: true },
  ],
  [
    FLAG.variants,
    { word: "variants", meaning: "Other content arrived under the same span id.", warns: true },
  ],
  [
    FLAG.clock,
    { word: "clock", meaning: "It ends before it starts, so its bar has no length.", warns: true },
  ],
  [
    FLAG.skew,
    {
      word: "skew",
      meaning: "It starts before its parent, so their clocks differ; all times are shown as received.",
      warns: true,
    },
  ],
  [FLAG.repaired, { word: "repaired", meaning: "Text that was not UTF-8 was repaired.", warns: true }],
  [FLAG.finding, { word: "finding", meaning: "A heuristic fired on the response.", warns: true }],
  [FLAG.underived, { word: "reading…", meaning: "What it says is still being worked out.", warns: false }],
  [
    FLAG.notCounted,
    {
      word: "not counted",
      meaning: "It repeats usage that another span states, so no total counts it.",
      warns: false,
    },
  ],
];

/** The badges of a row. */
export function badges(flags: number): FlagBadge[] {
  return BADGES.filter(([bit]) => (flags & bit) !== 0).map(([, badge]) => badge);
}

/** The operation of a row. */
export function operationOf(waterfall: Waterfall, row: number): Operation {
  return operations[waterfall.operation[row]!] ?? "other";
}

/** Whether a row ended in an error. */
export function failed(waterfall: Waterfall, row: number): boolean {
  return waterfall.status[row] === 2;
}

/** Whether a row has no end yet. */
export function pending(waterfall: Waterfall, row: number): boolean {
  return waterfall.duration[row]! < 0;
}

/** A column's figure: -1 is "not stated". */
export function stated(value: number | undefined): number | null {
  return value === undefined || value < 0 ? null : value;
}

/** Text of the column `index` points at, fit for one line. */
export function textOf(waterfall: Waterfall, index: number | undefined): string {
  return line(waterfall.strings[index ?? 0] ?? "");
}

/** Tokens sent and generated: "2.1k→312", or the one that is known. */
function flow(input: number | null, output: number | null): string[] {
  if (input !== null && output !== null) return [`${compact(input)}→${compact(output)}`];
  if (input !== null) return [`${compact(input)} in`];
  return output === null ? [] : [`${compact(output)} out`];
}

/** "Σ" and the sum of the calls below a row, in parts; `null` where there is none, or its own figures count. */
function partsBelow(waterfall: Waterfall, row: number): string[] | null {
  const below = flow(stated(waterfall.inputBelow[row]), stated(waterfall.outputBelow[row]));
  const usd = stated(waterfall.costBelow[row]);
  const [first, ...rest] = [...below, ...(usd === null ? [] : [cost(usd)])];
  return stated(waterfall.cost[row]) !== null || first === undefined ? null : [`Σ ${first}`, ...rest];
}

/** "Σ 4k→600 · $0.0200"; `null` where nothing is summed up. */
export function sumBelow(waterfall: Waterfall, row: number): string | null {
  return partsBelow(waterfall, row)?.join(" · ") ?? null;
}

/** What a row used and cost: its own call, else the sum of the calls below it. */
function figures(waterfall: Waterfall, row: number): string[] {
  const usd = stated(waterfall.cost[row]);
  const own = flow(stated(waterfall.inputTokens[row]), stated(waterfall.outputTokens[row]));
  return partsBelow(waterfall, row) ?? [...own, ...(usd === null ? [] : [cost(usd)])];
}

/**
 * The label beside a bar, in parts of which the first say most: "1.84s", "2.1k→312", "$0.0093"; or
 * "3.1s", "Σ 4k→600", "$0.0200" where calls below are summed up.
 */
export function barLabel(waterfall: Waterfall, row: number, elapsed: number): string[] {
  const isPending = pending(waterfall, row);
  const nanos = isPending ? Math.max(elapsed - waterfall.start[row]!, 0) : waterfall.duration[row]!;
  const parts = [isPending ? `${duration(nanos)}…` : duration(nanos)];
  if (failed(waterfall, row)) parts.push(line(waterfall.strings[waterfall.error[row]!] || "error", 60));
  parts.push(...figures(waterfall, row));
  const documents = waterfall.documents[row]!;
  if (documents > 0) parts.push(counted(documents, "doc"));
  return parts;
}

/** A row as a sentence: "LLM chat gpt-4o, 1.8s, $0.0093, error". */
export function sentence(waterfall: Waterfall, row: number): string {
  const parts = [
    `${OPERATIONS[operationOf(waterfall, row)].title} ${textOf(waterfall, waterfall.name[row])}`,
  ];
  const model = textOf(waterfall, waterfall.model[row]);
  if (model !== "" && !parts[0]!.includes(model)) parts[0] += ` ${model}`;
  parts.push(pending(waterfall, row) ? "in progress" : duration(waterfall.duration[row]!));
  const usd = stated(waterfall.cost[row]);
  if (usd !== null) parts.push(cost(usd));
  if (failed(waterfall, row)) parts.push("error");
  parts.push(...badges(waterfall.flags[row]!).map(({ word }) => word));
  return parts.join(", ");
}
