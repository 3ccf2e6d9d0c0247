import { describe, expect, it } from "vitest";
import {
  carry,
  runsOf,
  fold,
  foldLevel,
  keepNotable,
  lineOf,
  openFolds,
  outline,
  reveal,
  rowOf,
  shows,
  spanId,
  unroll,
} from "./outline.ts";
import { type Node, waterfallOf } from "./testing.ts";

const names = (waterfall: ReturnType<typeof waterfallOf>, lines: ReturnType<typeof outline>): string[] =>
  Array.from(lines.row, (row, line) => {
    const text = waterfall.strings[waterfall.name[row]!]!;
    return `${"  ".repeat(lines.level[line]!)}${text}${lines.members[line]! > 0 ? ` ×${lines.members[line]}` : ""}`;
  });
const lines = (waterfall: ReturnType<typeof waterfallOf>, folds = openFolds(waterfall.parent.length)) =>
  names(waterfall, outline(waterfall, folds, runsOf(waterfall), null));

const agent: Node = {
  name: "agent",
  operation: "agent",
  below: [
    { name: "plan", below: [{ name: "chat", operation: "llm" }] },
    ...Array.from({ length: 6 }, () => ({ name: "embed", operation: "embedding" as const })),
    { name: "tool", operation: "tool", failed: true },
  ],
};

describe("outline", () => {
  it("folds repeated siblings to one line and leaves the rest in order", () => {
    expect(lines(waterfallOf([agent]))).toEqual(["agent", "  plan", "    chat", "  embed ×6", "  tool"]);
  });

  it("shows a run's members one level below its line", () => {
    const waterfall = waterfallOf([agent]);
    const shown = lines(waterfall, unroll(openFolds(waterfall.parent.length), 3, true));
    expect(shown.slice(3, 6)).toEqual(["  embed ×6", "    embed", "    embed"]);
    expect(shown.at(-1)).toBe("  tool");
  });

  it("hides what is below a closed row, and all levels open again one by one", () => {
    const waterfall = waterfallOf([agent]);
    let folds = fold(waterfall, openFolds(waterfall.parent.length), 0, true, true);
    expect(lines(waterfall, folds)).toEqual(["agent"]);
    folds = foldLevel(waterfall, folds, false);
    expect(lines(waterfall, folds)).toEqual(["agent", "  plan", "  embed ×6", "  tool"]);
    folds = foldLevel(waterfall, folds, false);
    expect(lines(waterfall, folds)).toContain("    chat");
    expect(lines(waterfall, foldLevel(waterfall, folds, true))).not.toContain("    chat");
  });

  it("reveals a row inside a closed parent and inside a run", () => {
    const waterfall = waterfallOf([agent]);
    const runs = runsOf(waterfall);
    const closed = fold(waterfall, openFolds(waterfall.parent.length), 0, true, true);
    const folds = reveal(waterfall, closed, runs, 5);
    expect(shows(outline(waterfall, closed, runs, null), 5)).toBe(false);
    expect(shows(outline(waterfall, folds, runs, null), 5)).toBe(true);
  });

  it("names the line that hides a row", () => {
    const waterfall = waterfallOf([agent]);
    const closed = fold(waterfall, openFolds(waterfall.parent.length), 1, true, false);
    const shown = outline(waterfall, closed, runsOf(waterfall), null);
    expect(shown.row[lineOf(shown, 2)]).toBe(1);
  });

  it("keeps folds by span when a live answer puts rows before them", () => {
    const before = waterfallOf([agent]);
    const after = waterfallOf([{ name: "early", id: 900 }, agent]);
    const folds = carry(before, fold(before, openFolds(before.parent.length), 1, true, false), after);
    expect(lines(after, folds)).toEqual(["early", "agent", "  plan", "  embed ×6", "  tool"]);
  });

  it("keeps errors, model calls and what stands above them of a huge trace", () => {
    const quiet = Array.from({ length: 400 }, (_, index): Node => ({ name: `step ${index}`, duration: 1 }));
    const waterfall = waterfallOf([
      {
        name: "root",
        below: [{ name: "branch", below: [...quiet, { name: "bad", failed: true, duration: 0 }] }],
      },
    ]);
    const kept = keepNotable(waterfall);
    const shown = names(waterfall, outline(waterfall, openFolds(403), runsOf(waterfall), kept));
    expect(shown).toContain("    bad");
    expect(shown.slice(0, 2)).toEqual(["root", "  branch"]);
    expect(shown.length).toBeLessThan(210);
  });

  it("finds a row by its id and writes it back", () => {
    const waterfall = waterfallOf([agent]);
    expect(rowOf(waterfall, spanId(waterfall, 4))).toBe(4);
    expect(rowOf(waterfall, "__proto__")).toBe(-1);
    expect(rowOf(waterfall, "0000000000000000")).toBe(-1);
  });

  it("lists a chain of 100,000 without recursion", () => {
    const count = 100_000;
    const waterfall = waterfallOf([{ name: "flat" }]);
    const deep = {
      ...waterfall,
      ...Object.fromEntries(
        (["spanHigh", "spanLow", "start", "duration", "name", "operation", "status"] as const).map((key) => [
          key,
          new Float64Array(count),
        ]),
      ),
      parent: Int32Array.from({ length: count }, (_, row) => row - 1),
      depth: Uint16Array.from({ length: count }, (_, row) => Math.min(row, 65_535)),
      descendants: Uint32Array.from({ length: count }, (_, row) => count - 1 - row),
    } as unknown as typeof waterfall;
    expect(outline(deep, openFolds(count), runsOf(deep), null).count).toBe(count);
    expect(reveal(deep, openFolds(count), runsOf(deep), count - 1).closed[0]).toBe(0);
  });
});
