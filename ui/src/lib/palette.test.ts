import { describe, expect, it } from "vitest";
import { rank, typedTraceId } from "./palette.ts";

describe("the palette", () => {
  it("finds by letters in order, better at the starts of words", () => {
    const titles = ["Pause or resume", "Open files…", "Go to Prompts", "Open the sample"];
    const best = (typed: string): string | undefined =>
      titles
        .map((title) => ({ title, score: rank(typed, title) }))
        .filter(({ score }) => score !== null)
        .sort((a, b) => (b.score ?? 0) - (a.score ?? 0))[0]?.title;
    expect(best("of")).toBe("Open files…");
    expect(best("gtp")).toBe("Go to Prompts");
    expect(best("samp")).toBe("Open the sample");
    expect(rank("xyz", "Open files…")).toBeNull();
  });

  it("knows a trace id with or without its sign", () => {
    const id = "4BF92F3577B34DA6A3CE929D0E0E4736";
    expect(typedTraceId(`#${id}`)).toBe(id.toLowerCase());
    expect(typedTraceId(` ${id} `)).toBe(id.toLowerCase());
    expect(typedTraceId("#4bf9")).toBeNull();
  });
});
