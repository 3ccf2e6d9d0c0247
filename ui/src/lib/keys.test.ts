import { describe, expect, it } from "vitest";
import { caps, stroke, type Stroke } from "./keys.ts";

const press = (key: string, held: Partial<Stroke> = {}): Stroke => ({
  key,
  ctrlKey: false,
  metaKey: false,
  altKey: false,
  shiftKey: false,
  ...held,
});

describe("strokes", () => {
  it.each([
    ["j", press("j"), "j"],
    ["a typed sign needs no Shift", press("?", { shiftKey: true }), "?"],
    ["a capital is itself", press("N", { shiftKey: true }), "N"],
    ["Space has a name", press(" "), "Space"],
    ["Ctrl makes letters capital", press("k", { ctrlKey: true }), "Ctrl+K"],
    ["Shift counts with Ctrl", press("K", { ctrlKey: true, shiftKey: true }), "Ctrl+Shift+K"],
    ["Shift counts with named keys", press("ArrowLeft", { shiftKey: true }), "Shift+ArrowLeft"],
  ])("%s", (_, event, text) => expect(stroke(event, false)).toBe(text));

  it("takes the command key for Ctrl on a Mac", () => {
    expect(stroke(press("k", { metaKey: true }), true)).toBe("Ctrl+K");
    expect(stroke(press("k", { ctrlKey: true }), true)).toBe("k");
  });
});

describe("caps", () => {
  it("draws chords, sequences and arrows", () => {
    expect(caps("Ctrl+K", false)).toEqual(["Ctrl", "K"]);
    expect(caps("Ctrl+K", true)).toEqual(["⌘", "K"]);
    expect(caps("Ctrl++", false)).toEqual(["Ctrl", "+"]);
    expect(caps("+", false)).toEqual(["+"]);
    expect(caps("g l", false)).toEqual(["g", "l"]);
    expect(caps("Shift+ArrowLeft", false)).toEqual(["Shift", "←"]);
  });
});
