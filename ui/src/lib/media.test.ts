import { describe, expect, it } from "vitest";
import { bytesOf, textOf } from "./media.ts";

describe("bytesOf", () => {
  it("reads both alphabets, with line breaks and without padding", () => {
    expect(bytesOf("-_-_")).toEqual(new Uint8Array([0xfb, 0xff, 0xbf]));
    expect(bytesOf("+/+/")).toEqual(bytesOf("-_-_"));
    expect(bytesOf("aG\nk=")).toEqual(bytesOf("aGk"));
  });

  it("says where there is nothing to decode", () => {
    expect(bytesOf("[REDACTED]")).toBeUndefined();
    expect(textOf("héllo")).toBeUndefined();
  });
});

describe("textOf", () => {
  it("reads UTF-8 and keeps going where it is none", () => {
    expect(textOf("PHN2Zy8+")).toBe("<svg/>");
    expect(textOf("/w==")).toBe("\ufffd");
  });
});
