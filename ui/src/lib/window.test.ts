import { describe, expect, it } from "vitest";
import { rowsAtOnce, rowsInView, scrollToRow, step } from "./window.ts";

describe("rows in view", () => {
  it("draws what is in sight and a little more", () => {
    expect(rowsInView(0, 280, 28, 1_000, 8)).toEqual({ first: 0, end: 18 });
    expect(rowsInView(2_800, 280, 28, 1_000, 8)).toEqual({ first: 92, end: 118 });
  });

  it("stays within the list at its ends and beyond", () => {
    expect(rowsInView(999_999, 280, 28, 100, 8)).toEqual({ first: 100, end: 100 });
    expect(rowsInView(-50, 280, 28, 5, 8)).toEqual({ first: 0, end: 5 });
    expect(rowsInView(0, 280, 28, 0)).toEqual({ first: 0, end: 0 });
    expect(rowsInView(0, 280, 0, 10)).toEqual({ first: 0, end: 0 });
  });
});

describe("rows at once", () => {
  it("are never fewer than those in view", () => {
    for (const scrollTop of [0, 1, 13, 27, 28, 5_003, 26_000]) {
      const { first, end } = rowsInView(scrollTop, 613, 26, 1_000);
      expect(end - first).toBeLessThanOrEqual(rowsAtOnce(613, 26));
    }
    expect(rowsAtOnce(613, 0)).toBe(1);
  });
});

describe("scrolling to a row", () => {
  it("moves least", () => {
    expect(scrollToRow(3, 0, 280, 28)).toBe(0);
    expect(scrollToRow(10, 0, 280, 28)).toBe(28);
    expect(scrollToRow(1, 280, 280, 28)).toBe(28);
    expect(scrollToRow(1, 280, 280, 28, 26)).toBe(2);
  });
});

describe("stepping", () => {
  it("starts at an end and stops at the other", () => {
    expect(step(-1, 1, 5)).toBe(0);
    expect(step(-1, -1, 5)).toBe(4);
    expect(step(4, 1, 5)).toBe(4);
    expect(step(0, -1, 5)).toBe(0);
    expect(step(0, 1, 0)).toBe(-1);
  });
});
