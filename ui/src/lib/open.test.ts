import { beforeEach, describe, expect, it, vi } from "vitest";
import type { Opened } from "../generated/api.ts";
import { openTokens, summary } from "./open.ts";
import { toasts } from "./toasts.svelte.ts";

const opened = (more: Partial<Opened>): Opened => ({
  source: 3,
  label: "a.jsonl",
  spans: 0,
  traces: 0,
  logs: 0,
  points: 0,
  problems: [],
  problemCount: 0,
  ...more,
});

const call = vi.hoisted(() => vi.fn());
vi.mock("../host/connect.ts", () => ({ host: { call } }));

beforeEach(() => {
  call.mockReset();
  location.hash = "";
});

describe("opening files", () => {
  it("says what came, and what was wrong", () => {
    expect(summary(opened({ spans: 12_408, traces: 37, problemCount: 3 }))).toBe(
      "12,408 spans, 37 traces, 3 items rejected",
    );
    expect(summary(opened({ spans: 1, traces: 1, logs: 2, points: 1 }))).toBe(
      "1 span, 1 trace, 2 log records, 1 metric point",
    );
    expect(summary(opened({}))).toBe("nothing new");
  });

  it("shows the good file though its neighbour is bad", async () => {
    call.mockImplementation((_: string, { tokens }: { tokens: string[] }) =>
      tokens[0] === "bad"
        ? Promise.reject(new Error("it is of no format that Clew knows"))
        : Promise.resolve([opened({ spans: 2, traces: 1 })]),
    );
    await openTokens(["good", "bad"]);
    expect(location.hash).toBe("#/live?source=3");
    expect(toasts.log.slice(0, 2).map(({ tone }) => tone)).toEqual(["error", "info"]);
  });

  it("keeps a hostile file name from acting", async () => {
    call.mockResolvedValue([
      opened({ source: null, label: "x\u202ely.exe", problems: ["\u001b[2J"], problemCount: 1 }),
    ]);
    await openTokens(["t"]);
    expect(toasts.log[0]).toMatchObject({
      text: "Nothing could be read from x⟨U+202E⟩ly.exe",
      detail: "⟨ESC⟩[2J",
    });
  });
});
