import { describe, expect, it } from "vitest";
import { parseRange, shifted } from "./range.svelte.ts";

const now = (): number => 1_763_650_123_456;

describe("time ranges", () => {
  it("ends a relative range now and moves its start in steps", () => {
    const first = parseRange("15m", now);
    expect(first.to).toBeNull();
    expect(now() * 1_000 - (first.from ?? 0)).toBeGreaterThanOrEqual(900_000_000);
    expect(now() * 1_000 - (first.from ?? 0)).toBeLessThan(910_000_000);
    expect(parseRange("15m", () => now() + 1_000)).toEqual(first);
  });

  it("reads a brushed range and takes everything else for all time", () => {
    expect(parseRange("1000-2000", now)).toEqual({ from: 1_000, to: 2_000 });
    for (const text of [null, "all", "live", "2000-1000", "1-", "yesterday", "__proto__"])
      expect(parseRange(text, now)).toEqual({ from: null, to: null });
  });

  it("moves by its own length, and never into the future", () => {
    expect(shifted({ from: 1_000, to: 3_000 }, -1, 10_000)).toEqual([-1_000, 1_000]);
    expect(shifted({ from: 1_000, to: 3_000 }, 1, 10_000)).toEqual([3_000, 5_000]);
    expect(shifted({ from: 1_000, to: 3_000 }, 1, 4_000)).toEqual([2_000, 4_000]);
    expect(shifted({ from: 8_000, to: null }, -1, 10_000)).toEqual([6_000, 8_000]);
    expect(shifted({ from: null, to: null }, -1, 10_000)).toBeNull();
  });
});
