import { flushSync } from "svelte";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { GetTrace, Topic } from "../generated/api.ts";
import { CallError } from "../host/host.ts";
import { live, type Live } from "./live.svelte.ts";

interface Asked {
  params: unknown;
  answer: (reply: unknown) => Promise<void>;
  fail: (error: unknown) => Promise<void>;
}

const asked: Asked[] = [];
const listeners = new Set<(topics: Topic[]) => void>();

vi.mock("../host/connect.ts", () => ({
  host: {
    call: (_: string, params: unknown) =>
      new Promise((resolve, reject) => {
        const settled = async (act: () => void): Promise<void> => {
          act();
          await vi.advanceTimersByTimeAsync(0);
          flushSync();
        };
        asked.push({
          params,
          answer: (reply) => settled(() => resolve(reply)),
          fail: (error) => settled(() => reject(error)),
        });
      }),
    onChanged: (listener: (topics: Topic[]) => void) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  },
}));

const changed = (...topics: Topic[]): void => listeners.forEach((tell) => tell(topics));

let params = $state.raw<GetTrace | null>(null);
let held = $state(false);
const question = {
  get: () => params,
  set: (to: GetTrace | null) => (params = to),
  paused: () => held,
  pause: (to: boolean) => (held = to),
};

let end = (): void => {};
function start(params: () => GetTrace | null, paused?: () => boolean): Live<unknown> {
  let answer: Live<unknown> | undefined;
  end = $effect.root(() => {
    answer = live("get_waterfall", params, paused ? { paused } : {});
  });
  flushSync();
  return answer as Live<unknown>;
}

beforeEach(() => {
  vi.useFakeTimers();
  asked.length = 0;
  question.set({ traceId: "a", source: 0 });
});
afterEach(() => {
  end();
  vi.useRealTimers();
});

describe("a live answer", () => {
  it("drops a late answer to older parameters and keeps the old one until the new arrives", async () => {
    const answer = start(question.get);
    await asked[0]?.answer("A");
    expect(answer.data).toBe("A");
    question.set({ traceId: "b", source: 0 });
    flushSync();
    vi.advanceTimersByTime(100);
    question.set({ traceId: "c", source: 0 });
    flushSync();
    vi.advanceTimersByTime(100);
    expect(asked.map(({ params }) => params)).toMatchObject([
      { traceId: "a" },
      { traceId: "b" },
      { traceId: "c" },
    ]);
    expect(answer.stale).toBe(true);
    await asked[1]?.answer("B, late");
    expect(answer.data).toBe("A");
    await asked[2]?.answer("C");
    expect(answer.data).toBe("C");
    expect(answer.stale).toBe(false);
  });

  it("shows why a new question has no answer instead of the old answer", async () => {
    const answer = start(question.get);
    await asked[0]?.answer("A");
    question.set({ traceId: "b", source: 0 });
    flushSync();
    vi.advanceTimersByTime(100);
    await asked[1]?.fail(new CallError("not_found", "there is no trace b"));
    expect(answer.failure?.code).toBe("not_found");
    question.set({ traceId: "a", source: 0 });
    flushSync();
    expect(answer.error).toBeUndefined();
    expect(answer.failure).toBeUndefined();
    vi.advanceTimersByTime(100);
    await asked[2]?.fail(new CallError("internal", "the disk is slow"));
    // The answer on the screen is this question's own, only not fresh.
    expect(answer.data).toBe("A");
    expect(answer.error?.code).toBe("internal");
    expect(answer.failure).toBeUndefined();
  });

  it("asks the first and the last of parameters that fly by", () => {
    start(question.get);
    for (const traceId of ["b", "c", "d", "e"]) {
      question.set({ traceId, source: 0 });
      flushSync();
    }
    vi.advanceTimersByTime(100);
    expect(asked.map(({ params }) => params)).toMatchObject([{ traceId: "a" }, { traceId: "e" }]);
  });

  it("asks again on its topics, at most four times a second, and on no other", async () => {
    start(question.get);
    await asked[0]?.answer("A");
    changed("settings");
    expect(asked).toHaveLength(1);
    for (let passed = 0; passed < 1_000; passed += 50) {
      changed("spans", "status");
      await asked.at(-1)?.answer("A again");
      vi.advanceTimersByTime(50);
    }
    expect(asked.length).toBeLessThanOrEqual(6);
    expect(asked.length).toBeGreaterThanOrEqual(4);
  });

  it("waits for a slow answer instead of asking over it, then asks once more", async () => {
    const answer = start(question.get);
    for (let passed = 0; passed < 1_000; passed += 50) {
      changed("spans");
      vi.advanceTimersByTime(50);
    }
    expect(asked).toHaveLength(1);
    await asked[0]?.answer("A, slow");
    expect(answer.data).toBe("A, slow");
    vi.advanceTimersByTime(250);
    expect(asked).toHaveLength(2);
  });

  it("asks nothing while paused and once when resumed", async () => {
    const answer = start(question.get, question.paused);
    await asked[0]?.answer("A");
    question.pause(true);
    flushSync();
    changed("spans");
    changed("spans");
    vi.advanceTimersByTime(1_000);
    expect(asked).toHaveLength(1);
    question.pause(false);
    flushSync();
    expect(asked).toHaveLength(2);
    expect(answer.data).toBe("A");
  });

  it("says why there is no answer, and keeps what it had", async () => {
    const answer = start(question.get);
    await asked[0]?.answer("A");
    answer.refresh();
    await asked[1]?.fail(new CallError("busy", "the database is locked"));
    expect(answer.error).toMatchObject({ code: "busy" });
    expect(answer.data).toBe("A");
  });

  it("takes the reply to a change, and drops what was asked before it", async () => {
    const answer = start(question.get);
    await asked[0]?.answer("A");
    answer.refresh();
    answer.take("C" as never);
    expect(answer.data).toBe("C");
    await asked[1]?.answer("B");
    expect(answer.data).toBe("C");
    changed("spans");
    vi.advanceTimersByTime(1_000);
    await asked[2]?.answer("D");
    expect(answer.data).toBe("D");
  });

  it("shows a wait only after 150 ms", async () => {
    const answer = start(question.get);
    vi.advanceTimersByTime(149);
    expect(answer.slow).toBe(false);
    vi.advanceTimersByTime(2);
    expect(answer.slow).toBe(true);
    await asked[0]?.answer("A");
    expect(answer.slow).toBe(false);
  });

  it("asks nothing and holds nothing without parameters", async () => {
    const answer = start(question.get);
    await asked[0]?.answer("A");
    question.set(null);
    flushSync();
    expect(answer.data).toBeUndefined();
  });
});
