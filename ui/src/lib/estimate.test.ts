import { describe, expect, it } from "vitest";
import { briefCostOf, costOf, guessed, tokensOf } from "./estimate.ts";

const estimated = { inputTokens: 87, outputTokens: 12, costNanos: 20_250_000 };
const nothing = { inputTokens: null, outputTokens: null, costUsd: null, estimated: null };
const stated = { inputTokens: 1_200, outputTokens: 340, costUsd: 0.041, estimated: null };

describe("Estimates", () => {
  it("stand beside what is stated and are not added to it", () => {
    expect([tokensOf(nothing), costOf(nothing)]).toEqual(["–", "–"]);
    expect([tokensOf(stated), costOf(stated)]).toEqual(["1.2k→340", "$0.0410"]);
    expect([tokensOf({ ...nothing, estimated }), costOf({ ...nothing, estimated })]).toEqual([
      "~87→12",
      "~$0.0203",
    ]);
    expect([tokensOf({ ...stated, estimated }), costOf({ ...stated, estimated })]).toEqual([
      "1.2k→340+",
      "$0.0410+",
    ]);
  });

  it("are written with two digits where they are tiny", () => {
    const tiny = (costNanos: number): string =>
      costOf({ ...nothing, estimated: { ...estimated, costNanos } });
    expect([tiny(12_150), tiny(99_999), tiny(4), tiny(0)]).toEqual([
      "~$0.000012",
      "~$0.0001",
      "~$0.000000004",
      "~$0",
    ]);
    expect(briefCostOf({ ...nothing, estimated: { ...estimated, costNanos: 12_150 } })).toBe("~$0.00");
    expect(briefCostOf({ ...stated, estimated })).toBe("$0.0410+");
  });

  it("say what they are", () => {
    expect(guessed(null)).toBeUndefined();
    expect(guessed(estimated)).toBe(
      "Estimated: 87→12 tokens, $0.0203, of calls that state none. In no total.",
    );
  });
});
