import { describe, expect, it } from "vitest";
import {
  ago,
  bytes,
  change,
  compact,
  cost,
  counted,
  duration,
  exact,
  instant,
  line,
  percent,
  rate,
  saneLocale,
  score,
  time,
  tokens,
  visible,
} from "./format.ts";

describe("durations", () => {
  it.each([
    [null, "–"],
    [-1, "–"],
    [0, "0ns"],
    [999, "999ns"],
    [840_000, "840µs"],
    [999_499, "999µs"],
    [999_600, "1ms"],
    [12_000_000, "12ms"],
    [1_840_000_000, "1.84s"],
    [8_200_000_000, "8.2s"],
    [59_949_999_999, "59.9s"],
    [59_960_000_000, "1m"],
    [252_000_000_000, "4m 12s"],
    [7_500_000_000_000, "2h 5m"],
    [273_600_000_000_000, "3d 4h"],
  ])("%s ns is %s", (nanos, text) => expect(duration(nanos)).toBe(text));
});

describe("figures", () => {
  it.each([
    [0, "0"],
    [999, "999"],
    [1_234, "1.2k"],
    [12_400, "12.4k"],
    [999_499, "999k"],
    [999_500, "1M"],
    [6_700_000, "6.7M"],
    [null, "–"],
  ])("%s is %s for short", (value, text) => expect(compact(value)).toBe(text));

  it("says what is not stated, and zero where zero is stated", () => {
    expect(tokens(null, null)).toBe("–");
    expect(tokens(12_400, 1_100)).toBe("12.4k→1.1k");
    expect(tokens(9_800, 0)).toBe("9.8k→0");
    expect([tokens(4, null), tokens(null, 8)]).toEqual(["4 in", "8 out"]);
    expect(cost(null)).toBe("–");
    expect(cost(0)).toBe("$0");
  });

  it.each([
    [1_234.5, "$1,234.50"],
    [12.409, "$12.41"],
    [0.9996, "$1.00"],
    [0.84, "$0.840"],
    [0.09997, "$0.100"],
    [0.0093, "$0.0093"],
    [0.0001, "$0.0001"],
    [0.00001, "<$0.0001"],
  ])("%s dollars at a glance is %s", (usd, text) => expect(cost(usd)).toBe(text));

  it.each([
    [0, "$0.00"],
    [1, "$0.000000001"],
    [2_750_000, "$0.00275"],
    [12_000_000_000, "$12.00"],
    [12_340_000_001, "$12.340000001"],
  ])("%s nano-dollars is exactly %s", (nanos, text) => expect(exact(nanos)).toBe(text));

  it.each([
    [812, "812 B"],
    [214_395_264, "214 MB"],
    [10_000_000_000, "10 GB"],
    [999_999, "1 MB"],
  ])("%s bytes is %s", (value, text) => expect(bytes(value)).toBe(text));

  it("writes shares and nouns", () => {
    expect(percent(0.031)).toBe("3.1 %");
    expect(counted(1, "trace")).toBe("1 trace");
    expect(counted(2, "trace")).toBe("2 traces");
  });
});

describe("instants", () => {
  const now = 1_763_650_000_000;
  it.each([
    [0, "now"],
    [12_000, "12s ago"],
    [240_000, "4m ago"],
    [7_200_000, "2h ago"],
    [259_200_000, "3d ago"],
  ])("%s ms before is %s", (before, text) => expect(ago((now - before) * 1_000, now)).toBe(text));

  it("says nothing of an instant that no calendar has", () => {
    expect(time(1.8e19)).toBe("–");
    expect(instant(Number.NaN)).toBe("–");
  });
});

describe("foreign text", () => {
  it("shows controls, bidirectional and zero-width characters instead of obeying them", () => {
    expect(visible("a\u0000b")).toBe("a⟨NUL⟩b");
    expect(visible("\u001b[31mred")).toBe("⟨ESC⟩[31mred");
    expect(visible("abc\u202edef")).toBe("abc⟨U+202E⟩def");
    expect(visible("pay\u200bpal")).toBe("pay⟨U+200B⟩pal");
    expect(visible("\ufeffx")).toBe("⟨U+FEFF⟩x");
    expect(visible("lone \ud800 half")).toBe("lone ⟨U+D800⟩ half");
    expect(visible("tag\u{e0041}")).toBe("tag⟨U+E0041⟩");
  });

  it("leaves ordinary text of any script alone", () => {
    const text = "naïve\tcafé\n日本語 👩‍👩‍👧 العربية हिन्दी";
    expect(visible(text)).toBe(text);
    expect(visible("a\r\nb")).toBe("a\nb");
  });

  it("flattens to one line and cuts whole characters", () => {
    expect(line("  a\n\n b ")).toBe("a b");
    expect(line("👍👍👍", 2)).toBe("👍👍…");
    expect(line("x".repeat(1_000_000), 10)).toBe(`${"x".repeat(10)}…`);
  });
});

describe("rates and scores", () => {
  it("have no false digits", () => {
    expect([rate(88.4), rate(9.44), rate(0)]).toEqual(["88", "9.4", "0"]);
    expect([score(-0.0833), score(-0.0001), score(1)]).toEqual(["-0.083", "0", "1.000"]);
  });
});

describe("the language of figures", () => {
  it("survives what WebKitGTK reports under LANG=C", () => {
    expect(saneLocale(["C"])).toBe("en");
    expect(saneLocale(["C", "de-DE"])).toBe("de-DE");
    expect(saneLocale(["", "zz_!!"])).toBe("en");
    expect(saneLocale([])).toBe("en");
  });
});

describe("changes", () => {
  it.each([
    [null, "–"],
    [0, "±0 %"],
    [0.000_01, "±0 %"],
    [0.12, "+12 %"],
    [-0.94, "−94 %"],
    [75 / 275, "+27.3 %"],
    [4, "+400 %"],
  ])("%s is %s", (share, text) => expect(change(share)).toBe(text));
});
