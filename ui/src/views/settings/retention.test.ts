import { describe, expect, it } from "vitest";
import { draftOf, read } from "./retention.ts";

describe("limits", () => {
  it("come back as they were set", () => {
    for (const retention of [
      { maxBytes: 10_000_000_000, maxDays: null },
      { maxBytes: 2_500_000_000, maxDays: 30 },
      { maxBytes: 68_000_000, maxDays: 1 },
    ])
      expect(read(draftOf(retention))).toEqual(retention);
  });

  it.each([
    ["", "30"],
    ["0.01", ""],
    ["much", ""],
    ["1e99", ""],
    ["10", "0"],
    ["10", "1.5"],
    ["10", "9999"],
  ])("refuses %s GB for %s days with a reason", (gigabytes, days) =>
    expect(read({ gigabytes, days })).toEqual(expect.any(String)),
  );

  it("takes a decimal comma", () =>
    expect(read({ gigabytes: "2,5", days: "" })).toEqual({ maxBytes: 2_500_000_000, maxDays: null }));
});
