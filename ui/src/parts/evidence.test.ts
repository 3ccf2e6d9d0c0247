import { describe, expect, it } from "vitest";
import { locate, locateCited, nearMark, stretches } from "./evidence.ts";
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
    expect(stretches("", [])).toEqual([{ text: "", marked: false, cited: false }]);
  });

  it("tells what names a document apart from evidence", () => {
    const found = stretches("see [doc-1] now", [[0, 8]], [[5, 10]]);
    expect(found.map(({ text, marked, cited }) => [text, marked, cited])).toEqual([
      ["see [", true, false],
      ["doc", true, true],
      ["-1", false, true],
      ["] now", false, false],
    ]);
  });
});

describe("locateCited", () => {
  const words = (pieces: string[], ids: string[]): string[] =>
    locateCited(pieces, ids).map(([first, from, last, to]) =>
      first === last
        ? pieces[first]!.slice(from, to) + `@${first}.${from}`
        : `${first}.${from}-${last}.${to}`,
    );

  it("marks an id wherever it is a word of its own, and not within longer ones", () => {
    expect(words(["doc-12, then ", "doc-1", ", x/doc-1, doc-1.md"], ["doc-1"])).toEqual(["doc-1@1.0"]);
    // A link's text and a mention after it; the address is not on the page.
    expect(words(["kb/a.md", " and kb/a.md"], ["kb/a.md"])).toEqual(["kb/a.md@0.0", "kb/a.md@1.5"]);
    expect(words(["kb/a.md\n", "Then"], ["kb/a.md"])).toEqual(["kb/a.md@0.0"]);
  });

  it("finds an id that lies in two pieces, and marks nothing where it is gone", () => {
    expect(words(["as do", "c-1 says"], ["doc-1"])).toEqual(["0.3-1.3"]);
    expect(words(["nothing"], ["doc-1", ""])).toEqual([]);
  });

  it("marks a short id in brackets or as a link of its own only", () => {
    expect(words(["3 of [1, 3] and ", "3", " (3)"], ["3"])).toEqual(["3@0.9", "3@1.0"]);
  });

  it("marks a thousand at the most", () => {
    const text = "doc-1 ".repeat(30_000);
    expect(locateCited([text], ["doc-1", "doc-2"])).toHaveLength(1_000);
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

describe("a line that is too short", () => {
  it("begins near the evidence, and marks the same words", () => {
    const text = "Your order shipped on Tuesday. I'm sorry, I cannot help.";
    const at = text.indexOf("I cannot");
    const near = nearMark({ text, marks: [[at, at + 8]] }, 11);
    expect(near.text).toBe("…I'm sorry, I cannot help.");
    expect(near.marks.map(([from, to]) => near.text.slice(from, to))).toEqual(["I cannot"]);
  });

  it("stays whole where the evidence is near its start, or is missing", () => {
    expect(nearMark({ text: "I cannot", marks: [[0, 8]] }, 4)).toEqual({ text: "I cannot", marks: [[0, 8]] });
    expect(nearMark({ text: "anything", marks: [] }, 4)).toEqual({ text: "anything", marks: [] });
  });

  it("never cuts through a character", () => {
    expect(nearMark({ text: "ab🙂🙂cd!", marks: [[8, 9]] }, 5)).toEqual({ text: "…🙂cd!", marks: [[5, 6]] });
  });
});
