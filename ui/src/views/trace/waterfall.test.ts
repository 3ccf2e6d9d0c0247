import { describe, expect, it } from "vitest";
import { barLabel, badges, sentence } from "./bar.ts";
import { errorRows, findRows, nextRow } from "./find.ts";
import { axisOf } from "./axis.ts";
import { criticalRows, criticalSteps } from "./critical.ts";
import { LEAST_WIDTH, labelWidth, place, placeLabel, runSegments, strokes } from "./geometry.ts";
import { minimap } from "./minimap.ts";
import { marksByPart } from "./response.ts";
import { waterfallOf } from "./testing.ts";
import { toolRows } from "./tools.ts";
import { SHORTEST, clamp, fit, pan, ticks, whole, zoomAt } from "./zoom.ts";

const SECOND = 1e9;

describe("zoom", () => {
  it("keeps the instant under the pointer where it is", () => {
    const view = zoomAt(whole(10 * SECOND), 10 * SECOND, 3 * SECOND, 0.5);
    expect((3 * SECOND - view.from) / (view.to - view.from)).toBeCloseTo(0.3);
    expect(view.to - view.from).toBeCloseTo(5 * SECOND);
  });
  it("never leaves the trace and never shows less than a microsecond", () => {
    expect(pan({ from: 0, to: 5 }, 10 * SECOND, -3).from).toBe(0);
    expect(clamp({ from: 9 * SECOND, to: 12 * SECOND }, 10 * SECOND)).toEqual({
      from: 7 * SECOND,
      to: 10 * SECOND,
    });
    expect(zoomAt(whole(SECOND), SECOND, 0, 1e-12)).toEqual({ from: 0, to: SHORTEST });
    expect(zoomAt(whole(SECOND), SECOND, 0, 1e12)).toEqual(whole(SECOND));
  });
  it("fits a span of no length", () => {
    const view = fit(SECOND, SECOND, 2 * SECOND);
    expect(view.from).toBeLessThan(SECOND);
    expect(view.to).toBeGreaterThan(SECOND);
  });
  it("marks round instants, by the clock from a minute on", () => {
    const marks = (seconds: number): number[] =>
      ticks(whole(seconds * SECOND), 340, 64, axisOf(seconds * SECOND, [])).map(
        ({ nanos }) => nanos / SECOND,
      );
    expect(marks(8.34)).toEqual([0, 2, 4, 6, 8]);
    expect(marks(763)).toEqual([0, 300, 600]);
    expect(ticks({ from: 0, to: 0 }, 340, 64, axisOf(0, []))).toEqual([]);
  });
});

describe("bars", () => {
  const waterfall = waterfallOf([
    { name: "root", start: 0, duration: 1_000 },
    { name: "chat", operation: "llm", start: 200, duration: 400, ttft: 100 },
    { name: "blink", start: 500, duration: 0 },
    { name: "open", start: 600, duration: -1 },
  ]);
  it("place start, length and first token", () => {
    const bars = place(waterfall, { from: 0, to: 1_000 }, 500, 700, 1_000);
    expect([bars.x[1], bars.width[1], bars.split[1]]).toEqual([100, 200, 50]);
    expect(bars.width[2]).toBe(LEAST_WIDTH);
  });
  it("let a pending row reach to now", () => {
    const bars = place(waterfall, { from: 0, to: 1_000 }, 500, 700, 900);
    expect(bars.width[3]).toBe(150);
  });
  it("cut what lies outside the lane", () => {
    const bars = place(waterfall, { from: 400, to: 500 }, 500, 700, 1_000);
    expect(bars.x[0]).toBeGreaterThan(-20);
    expect(bars.width[0]).toBeLessThan(740);
    expect(bars.width[3]).toBe(0);
  });
  it("draw a run's members in one line, joined where they touch", () => {
    const run = waterfallOf([
      { name: "a", start: 0, duration: 10 },
      { name: "a", start: 10, duration: 10 },
      { name: "a", start: 80, duration: 10 },
    ]);
    const bars = place(run, { from: 0, to: 100 }, 1_000, 1_000, 100);
    expect(runSegments(run, bars, 0, 3)).toEqual([
      { x: 0, width: 200 },
      { x: 800, width: 100 },
    ]);
    expect(runSegments(run, bars, 0, 3, 1)).toHaveLength(1);
  });
  it("are never covered by their labels, whatever room there is", () => {
    const parts = ["1.84s", "2.1k→312", "$0.0093"];
    for (const lane of [30, 80, 160, 320, 900]) {
      for (const [x, width] of [
        [0, lane * 0.72],
        [lane * 0.3, lane * 0.2],
        [lane - 4, 3],
        [-8, lane + 16],
      ] as const) {
        const at = placeLabel(x, width, parts, lane, 4);
        if (at === null) continue;
        if (at.side === "right") expect(at.x).toBeGreaterThan(x + width);
        else expect(at.x).toBeLessThan(x);
        expect(labelWidth(at.text) + 4).toBeLessThanOrEqual(at.width);
        expect(at.side === "right" ? at.x + at.width : at.x - at.width).toBeLessThanOrEqual(lane);
      }
    }
  });
  it("have their label at the right, else at the left, with the parts that fit, else none", () => {
    const parts = ["1.84s", "2.1k→312", "$0.0093"];
    expect(placeLabel(10, 20, parts, 300)).toMatchObject({ x: 36, text: parts.join(" · "), side: "right" });
    expect(placeLabel(200, 60, parts, 300)).toMatchObject({ x: 194, text: parts.join(" · "), side: "left" });
    expect(placeLabel(10, 150, parts, 220)).toMatchObject({ text: "1.84s", side: "right" });
    expect(placeLabel(10, 185, parts, 200)).toBeNull();
    // Words are cut rather than left out; figures never are.
    const failed = ["1.1s", "You exceeded your current quota", "$0.0093"];
    expect(placeLabel(10, 20, failed, 250)).toMatchObject({ text: "1.1s · You exceeded your current quota" });
    expect(placeLabel(10, 20, failed, 120)).toMatchObject({ text: "1.1s" });
    expect(placeLabel(10, 90, ["4s", "Σ 12.4k→1.1k"], 200)).toMatchObject({ text: "4s" });
  });
  it("draw the map with errors above all else", () => {
    const map = minimap(
      waterfallOf([
        { name: "a", duration: 100 },
        { name: "b", failed: true, duration: 100 },
      ]),
      50,
      100,
      axisOf(100, []),
    );
    expect(map.map(({ token }) => token)).toEqual(["--kind-chain", "--error"]);
    expect(map[1]?.path).toBe("M0 2h50v1.5h-50z");
  });
});

describe("words", () => {
  it("say what a row is to who cannot see it", () => {
    const waterfall = waterfallOf([
      { name: "chat gpt-4o", operation: "llm", duration: 1.84e9, failed: true },
    ]);
    waterfall.cost[0] = 0.0093;
    waterfall.flags[0] = 1;
    expect(sentence(waterfall, 0)).toBe("LLM chat gpt-4o, 1.84s, $0.0093, error, orphan");
    expect(barLabel(waterfall, 0, 0)).toEqual(["1.84s", "error", "$0.0093"]);
  });
  it("sum up the calls below a row, and say that it is a sum", () => {
    const waterfall = waterfallOf([{ name: "agent", operation: "agent", duration: 3.1e9 }]);
    waterfall.inputTokens[0] = 9_000;
    waterfall.inputBelow[0] = 4_000;
    waterfall.outputBelow[0] = 600;
    waterfall.costBelow[0] = 0.02;
    expect(barLabel(waterfall, 0, 0)).toEqual(["3.1s", "Σ 4k→600", "$0.0200"]);
  });
  it("name every oddity", () => {
    expect(badges(1 | 2 | 4 | 8 | 32).map(({ word }) => word)).toEqual([
      "orphan",
      "cycle cut",
      "variants",
      "clock",
      "repaired",
    ]);
  });
  it("show what is hidden in a name", () => {
    expect(sentence(waterfallOf([{ name: "a\u202eb" }]), 0)).toContain("⟨U+202E⟩");
  });
});

describe("finding", () => {
  const waterfall = waterfallOf([{ name: "Alpha" }, { name: "beta", failed: true }, { name: "alphabet" }]);
  it("passes over case and goes round", () => {
    const rows = findRows(waterfall, " ALPHA ")!;
    expect([...rows]).toEqual([0, 2]);
    expect(nextRow(rows, 2, false)).toBe(0);
    expect(nextRow(rows, 0, true)).toBe(2);
    expect(findRows(waterfall, " ")).toBeNull();
  });
  it("goes from error to error", () => {
    expect([...errorRows(waterfall)]).toEqual([1]);
    expect(nextRow(new Uint32Array(), 0, false)).toBe(-1);
  });
  it("leads from a call to tools that began after it, by name", () => {
    const trace = waterfallOf([
      { name: "get_order", operation: "tool", start: 0 },
      { name: "chat", operation: "llm", start: 5 },
      { name: "execute_tool get_order", operation: "tool", start: 9 },
    ]);
    expect(toolRows(trace, 1, "get_order")).toEqual([2]);
    expect(toolRows(trace, 1, "")).toEqual([]);
  });
});

describe("evidence", () => {
  it("falls into the parts that make the response", () => {
    const say = (...texts: string[]) => ({
      role: "assistant",
      name: null,
      finishReason: null,
      parts: texts.map((text) => ({ type: "text" as const, text })),
    });
    // The response is "one\ntwo\nthree".
    const marks = marksByPart(
      [say("one", "two"), { ...say("not said"), role: "tool" }, say("three")],
      [
        {
          heuristic: "refusal",
          kind: "finding",
          value: 1,
          evidence: [
            [4, 7],
            [9, 12],
          ],
        },
        { heuristic: "quiet", kind: "finding", value: 0, evidence: [[0, 3]] },
        { heuristic: "sentiment", kind: "score", value: -0.2, evidence: [[0, 3]] },
      ],
    );
    expect([...marks]).toEqual([
      ["0.1", [[0, 3]]],
      ["2.0", [[1, 4]]],
    ]);
  });
});

describe("the squeezed axis", () => {
  const axis = axisOf(1_000, [
    [100, 500],
    [600, 900],
  ]);
  it("shows what works at its length and what idles as a stub", () => {
    expect(axis.length).toBeCloseTo(300 + 2 * 7.5);
    expect(axis.to(50)).toBe(50);
    expect(axis.to(500)).toBeCloseTo(107.5);
    expect(axis.to(1_000)).toBeCloseTo(axis.length);
    expect(axisOf(1_000, []).to(777)).toBe(777);
  });
  it("leads back from every place", () => {
    for (const nanos of [0, 100, 300, 500, 550, 600, 750, 900, 1_000])
      expect(axis.from(axis.to(nanos))).toBeCloseTo(nanos);
  });
  it("never turns back", () => {
    let last = -1;
    for (let nanos = 0; nanos <= 1_000; nanos += 1) {
      expect(axis.to(nanos)).toBeGreaterThan(last);
      last = axis.to(nanos);
    }
  });
  it("marks no instant inside a stub", () => {
    const marks = ticks(whole(axis.length), 630, 40, axis);
    expect(marks.every(({ nanos }) => nanos <= 100 || (nanos >= 500 && nanos <= 600) || nanos >= 900)).toBe(
      true,
    );
  });
});

describe("the critical path", () => {
  const waterfall = {
    ...waterfallOf([{ name: "root", below: [{ name: "a" }, { name: "b" }] }]),
    criticalRow: Uint32Array.from([0, 1, 0, 2, 2]),
    criticalFrom: Float64Array.from([0, 10, 20, 30, 40]),
    criticalTo: Float64Array.from([10, 20, 30, 40, 100]),
  };
  it("goes through what works, step by step", () => {
    expect(criticalSteps(waterfall)).toEqual([
      { row: 1, times: 1 },
      { row: 2, times: 1 },
    ]);
    const repeated = { ...waterfall, name: Uint32Array.from([1, 2, 2]) };
    expect(criticalSteps(repeated)).toEqual([{ row: 1, times: 2 }]);
    expect(criticalSteps(waterfallOf([{ name: "alone" }]))).toEqual([]);
  });
  it("is stroked under the row that was waited for", () => {
    const rows = criticalRows(waterfall);
    expect(rows.get(0)).toEqual([
      [0, 10],
      [20, 30],
    ]);
    expect(strokes(rows.get(2)!, { from: 0, to: 100 }, 1_000, axisOf(100, []))).toEqual([
      { x: 300, width: 100 },
      { x: 400, width: 600 },
    ]);
    expect(strokes(rows.get(2)!, { from: 0, to: 20 }, 1_000, axisOf(100, []))).toEqual([]);
  });
});
