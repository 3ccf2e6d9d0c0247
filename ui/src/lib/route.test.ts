import { describe, expect, it } from "vitest";
import { format, parse } from "./route.svelte.ts";

describe("places", () => {
  it("reads and writes the same hash", () => {
    const hash = "#/live?text=a+b&model=gpt-4o&model=o4-mini";
    expect(format(parse(hash))).toBe(hash);
    expect(parse("#/trace/00ff?source=2&span=ab").path).toEqual(["trace", "00ff"]);
  });

  it("keeps signs that mean something in a URL inside values", () => {
    const query = new URLSearchParams({ text: "100 % of #1 & ?x=/y" });
    expect(parse(format({ path: ["live"], query })).query.get("text")).toBe("100 % of #1 & ?x=/y");
  });

  it("survives anything", () => {
    expect(parse("")).toMatchObject({ path: [] });
    expect(parse("#/%E0%A4%A").path).toEqual(["%E0%A4%A"]);
    expect(parse("#/live?__proto__=x&constructor=y").query.get("__proto__")).toBe("x");
    expect(({} as Record<string, unknown>)["x"]).toBeUndefined();
  });
});
