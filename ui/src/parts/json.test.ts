import { describe, expect, it } from "vitest";
import { DEEPEST, isJson, readJson } from "./json.ts";

describe("readJson", () => {
  it("keeps digits, order, duplicates and dangerous keys", () => {
    const nodes = readJson(
      '{"b": 12345678901234567890, "a": 1e400, "a": [true, null], "__proto__": {"polluted": "yes"}}',
    )!;
    expect(nodes.map(({ key, kind, text }) => [key, kind, text])).toEqual([
      [null, "object", ""],
      ["b", "number", "12345678901234567890"],
      ["a", "number", "1e400"],
      ["a", "array", ""],
      [null, "literal", "true"],
      [null, "literal", "null"],
      ["__proto__", "object", ""],
      ["polluted", "string", "yes"],
    ]);
    expect(nodes.map(({ descendants }) => descendants)).toEqual([7, 0, 0, 2, 0, 0, 1, 0]);
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  });
  it("reads what JSON.parse reads, and nothing else", () => {
    for (const text of ["{}", " [ ] ", '"a\\u00e9\\n"', "-0.5e-3", "null", '[{"a":[]},1]'])
      expect(readJson(text), text).not.toBeNull();
    for (const text of [
      "",
      "{",
      "[1,]",
      '{"a"}',
      "{a:1}",
      "01",
      "NaN",
      "[1] 2",
      '"a\nb"',
      "'a'",
      "[1 2]",
      "}",
    ])
      expect(readJson(text), text).toBeNull();
  });
  it("refuses what is nested too deep, however deep", () => {
    expect(readJson("[".repeat(DEEPEST) + "]".repeat(DEEPEST))).not.toBeNull();
    expect(readJson("[".repeat(DEEPEST + 1) + "]".repeat(DEEPEST + 1))).toBeNull();
    expect(readJson("[".repeat(500_000))).toBeNull();
  });
  it("tells JSON from what begins like it", () => {
    expect(isJson('  {"a":1}')).toBe(true);
    for (const text of ["plain", "[a link](https://a.example)", "{{name}}", "12"])
      expect(isJson(text)).toBe(false);
  });
});
