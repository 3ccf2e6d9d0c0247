import { describe, expect, it } from "vitest";
import { locate, stretches } from "./evidence.ts";
import { nearest } from "./nearest.ts";

describe("locate", () => {
  it("finds a passage across pieces, past Markdown's signs", () => {
    expect(locate(["I am ", "unable", " to do it"], ["am **unable** to"])).toEqual([[0, 2, 2, 3]]);
    expect(locate(["nothing"], ["other"])).toEqual([]);
    expect(locate(["a"], ["**"])).toEqual([]);
  });
});

describe("stretches", () => {
  it("marks what is evidence and keeps every character", () => {
    const found = stretches("I'm unable to help", [
      [4, 13],
      [11, 13],
      [40, 50],
    ]);
    expect(found.map(({ text }) => text).join("")).toBe("I'm unable to help");
    expect(found.filter(({ marked }) => marked).map(({ text }) => text)).toEqual(["unable to"]);
    expect(stretches("", [])).toEqual([{ text: "", marked: false }]);
  });
});

describe("nearest", () => {
  it("takes the closer neighbour, and the ends beyond the ends", () => {
    const keys = [0, 10, 20];
    const at = (wanted: number): number => nearest(keys, (key) => key, wanted);
    expect([at(-5), at(4), at(6), at(14), at(99)]).toEqual([0, 0, 1, 1, 2]);
    expect(nearest([], (key: number) => key, 1)).toBe(-1);
  });
});
