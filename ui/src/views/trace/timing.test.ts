import { describe, expect, it } from "vitest";
import type { TimingPart, TimingRow } from "../../generated/api.ts";
import { known, unknown } from "./timing.ts";

const PARTS: TimingPart[] = ["queue", "network", "first_token", "generation", "post_processing", "rest"];

/** Rows of these milliseconds. */
function rows(...millis: (number | null)[]): TimingRow[] {
  return PARTS.map((part, index) => {
    const each = millis[index] ?? null;
    return { part, nanos: each === null ? null : each * 1e6, how: "Stated by a test." };
  });
}

describe("The split of a call's time", () => {
  it("names what is known and what is not", () => {
    const split = rows(12, null, 320, 1_200, null, 0);
    expect(known(split).map(({ text }) => text)).toEqual([
      "queue 12ms",
      "first token 320ms",
      "generation 1.2s",
    ]);
    expect(unknown(split)).toBe("network, post-processing not known");
  });

  it("says what no part accounts for", () => {
    const split = rows(null, 100, null, null, null, 900);
    expect(known(split).map(({ text }) => text)).toEqual(["network 100ms", "rest 900ms not known"]);
  });

  it("is no split where nothing is known", () => {
    const split = rows(null, null, null, null, null, 900);
    expect(known(split)).toEqual([]);
    expect(unknown(split)).toBe("Where its time went is not known");
    expect([known([]), unknown([])]).toEqual([[], ""]);
  });
});
