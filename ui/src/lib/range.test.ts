import { describe, expect, it } from "vitest";
import { parseRange } from "./range.svelte.ts";

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
});
