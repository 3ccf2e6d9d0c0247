import { describe, expect, it } from "vitest";
import { deltaText } from "./delta.ts";

describe("deltaText", () => {
  it("says what is new and how much is reused", () => {
    const reusedSize = { tokens: 41_200, characters: 160_000 };
    expect(deltaText({ fresh: 3, reused: 14, reusedSize })).toBe(
      "+3 messages · 14 earlier reused (~41.2k tokens)",
    );
  });

  it("counts characters where no vocabulary is known, and nothing where there is no text", () => {
    const text = { tokens: null, characters: 900 };
    expect(deltaText({ fresh: 1, reused: 1, reusedSize: text })).toBe(
      "+1 message · 1 earlier reused (900 characters)",
    );
    const pictures = { tokens: null, characters: 0 };
    expect(deltaText({ fresh: 0, reused: 2, reusedSize: pictures })).toBe(
      "no new message · 2 earlier reused",
    );
  });
});
