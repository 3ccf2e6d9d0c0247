import { describe, expect, it } from "vitest";
import { SIZES, next } from "./zoom.ts";

describe("the size of the page", () => {
  it("goes step by step, back to its own, and stops at both ends", () => {
    expect(next(1, 1)).toBe(1.1);
    expect(next(next(1, 1), -1)).toBe(1);
    expect(next(SIZES[0]!, -1)).toBe(SIZES[0]);
    expect(next(SIZES.at(-1)!, 1)).toBe(SIZES.at(-1));
  });
});
