import { describe, expect, it } from "vitest";
import { costOf, guessed, tokensOf } from "./estimate.ts";

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

  it("keep their mark where they are too small for a figure", () => {
    const tiny = { ...estimated, costNanos: 12_150 };
    expect(costOf({ ...nothing, estimated: tiny })).toBe("~<$0.0001");
    expect(costOf({ ...nothing, estimated: { ...tiny, costNanos: 0 } })).toBe("~$0");
    expect(costOf({ ...stated, estimated: tiny })).toBe("$0.0410+");
  });

  it("say what they are", () => {
    expect(guessed(null)).toBeUndefined();
    expect(guessed(estimated)).toBe(
      "Estimated: 87→12 tokens, $0.02025, of calls that state none. In no total.",
    );
  });
});
