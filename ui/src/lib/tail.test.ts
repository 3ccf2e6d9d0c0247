import { describe, expect, it } from "vitest";
import type { TraceSummary } from "../generated/api.ts";
import { join as joinRows, rowKey, type FirstPage, type Tail } from "./tail.ts";

const row = (traceId: string, spanCount = 1): TraceSummary =>
  ({ traceId, source: 0, spanCount }) as unknown as TraceSummary;
const rows = (ids: string): TraceSummary[] => [...ids].map((id) => row(id));
const join = (shown: TraceSummary[], page: FirstPage<TraceSummary>, following: boolean): Tail<TraceSummary> =>
  joinRows(shown, page, following, rowKey);
const ids = (list: TraceSummary[]): string => list.map(({ traceId }) => traceId).join("");

describe("following", () => {
  it("shows what arrived on top and keeps older rows that were loaded", () => {
    const tail = join(rows("abcdef"), { rows: rows("xyab"), last: false }, true);
    expect(ids(tail.rows)).toBe("xyabcdef");
    expect(tail.deep).toBe(true);
    expect(tail.waiting).toBe(0);
  });

  it("begins anew when everything on the screen is older than the page", () => {
    const tail = join(rows("ab"), { rows: rows("xyz"), last: false }, true);
    expect(ids(tail.rows)).toBe("xyz");
    expect(tail.deep).toBe(false);
  });
});

describe("held still", () => {
  it("moves no row and counts what waits", () => {
    const tail = join(rows("abc"), { rows: rows("xyabc"), last: true }, false);
    expect(ids(tail.rows)).toBe("abc");
    expect(tail.waiting).toBe(2);
  });

  it("fills known rows in where they stand", () => {
    const tail = join(rows("ab"), { rows: [row("x"), row("b", 7), row("a", 9)], last: true }, false);
    expect(tail.rows.map(({ spanCount }) => spanCount)).toEqual([9, 7]);
  });

  it("drops rows that were deleted, not rows that a full page pushed out", () => {
    expect(ids(join(rows("abc"), { rows: rows("ac"), last: true }, false).rows)).toBe("ac");
    expect(ids(join(rows("abcd"), { rows: rows("xyac"), last: false }, false).rows)).toBe("acd");
    expect(ids(join(rows("abcd"), { rows: rows("xyab"), last: false }, false).rows)).toBe("abcd");
  });

  it("stays put when a burst has pushed everything out of the page", () => {
    const tail = join(rows("ab"), { rows: rows("wxyz"), last: false }, false);
    expect(ids(tail.rows)).toBe("ab");
    expect(tail.waiting).toBe(4);
  });

  it("shows the first rows all the same", () => {
    expect(ids(join([], { rows: rows("ab"), last: true }, false).rows)).toBe("ab");
  });
});
