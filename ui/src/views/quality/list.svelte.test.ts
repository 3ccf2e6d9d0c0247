import { flushSync } from "svelte";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { FindingFilter, FindingPage, FindingRow } from "../../generated/api.ts";
import type { Live } from "../../lib/live.svelte.ts";
import { findingList, type FindingList } from "./list.svelte.ts";

const older = vi.hoisted(() => ({ page: {} as unknown, cursors: [] as unknown[] }));
vi.mock("../../host/connect.ts", () => ({
  host: {
    call: (_: string, { cursor }: { cursor: string }) => {
      older.cursors.push(cursor);
      return Promise.resolve(older.page);
    },
  },
}));

const page = (ids: string, next: string | null): FindingPage =>
  ({
    rows: [...ids].map((traceId) => ({ traceId, spanId: "s", source: 0, finding: { heuristic: "h" } })),
    next,
    heuristics: [],
  }) as unknown as FindingPage;
const ids = (rows: FindingRow[]): string => rows.map(({ traceId }) => traceId).join("");

let data = $state.raw<FindingPage>();
const first = {
  get data() {
    return data;
  },
  stale: false,
} as Live<FindingPage>;
let end = (): void => {};
afterEach(() => end());

function start(shown: FindingPage): FindingList {
  let list: FindingList | undefined;
  data = shown;
  end = $effect.root(() => {
    list = findingList(
      first,
      () => ({}) as FindingFilter,
      () => "all",
    );
  });
  flushSync();
  return list as FindingList;
}
function refetch(fresh: FindingPage): void {
  data = fresh;
  flushSync();
}

describe("findings", () => {
  it("keeps older pages when the first is fetched anew, and reads on behind them", async () => {
    const list = start(page("cde", "after e"));
    older.page = page("fg", "after g");
    await list.readOlder();
    refetch(page("bcd", "after d"));
    expect(ids(list.rows)).toBe("bcdefg");
    expect(list.next).toBe("after g");
  });

  it("begins anew where others may lie between", async () => {
    const list = start(page("de", "after e"));
    older.page = page("fg", "after g");
    await list.readOlder();
    refetch(page("ab", "after b"));
    expect(ids(list.rows)).toBe("ab");
    expect(list.next).toBe("after b");
  });
});
