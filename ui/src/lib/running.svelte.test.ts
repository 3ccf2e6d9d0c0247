import { flushSync } from "svelte";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { runningMicros } from "../generated/api.ts";
import { type Clocked, isRunning, whenOneStops } from "./running.svelte.ts";

const START = Date.parse("2026-11-20T12:00:00Z");
const HELD = runningMicros / 1_000;

/** A trace whose newest telemetry came so many milliseconds after the start. */
const heard = (after: number, state: Clocked["state"] = "running"): Clocked => ({
  state,
  receivedMicros: (START + after) * 1_000,
});

beforeEach(() => {
  vi.useFakeTimers();
  vi.setSystemTime(START);
});
afterEach(() => {
  vi.useRealTimers();
});

describe("a trace that sends no more", () => {
  it("runs until its time is over, and not a moment longer", () => {
    expect(isRunning(heard(0), START + HELD - 1)).toBe(true);
    expect(isRunning(heard(0), START + HELD)).toBe(false);
    expect(isRunning(heard(0, "complete"), START)).toBe(false);
  });

  it("is asked for again when the first of several stops, once", () => {
    const act = vi.fn();
    const end = $effect.root(() => whenOneStops(() => [heard(5_000), heard(0), heard(0, "rootless")], act));
    flushSync();
    vi.advanceTimersByTime(HELD - 1);
    expect(act).not.toHaveBeenCalled();
    vi.advanceTimersByTime(200);
    expect(act).toHaveBeenCalledTimes(1);
    vi.advanceTimersByTime(10 * HELD);
    expect(act).toHaveBeenCalledTimes(1);
    end();
  });

  it("waits longer when more of it arrives", () => {
    const act = vi.fn();
    let traces = $state.raw([heard(0)]);
    const end = $effect.root(() => whenOneStops(() => traces, act));
    flushSync();
    vi.advanceTimersByTime(HELD - 1_000);
    traces = [heard(HELD - 1_000)];
    flushSync();
    vi.advanceTimersByTime(HELD - 1);
    expect(act).not.toHaveBeenCalled();
    vi.advanceTimersByTime(200);
    expect(act).toHaveBeenCalledTimes(1);
    end();
  });

  it("is not asked for again and again where the engine's clock is behind", () => {
    const act = vi.fn();
    let traces = $state.raw([heard(-2 * HELD)]);
    const end = $effect.root(() => whenOneStops(() => traces, act));
    flushSync();
    traces = [heard(-2 * HELD)];
    flushSync();
    vi.advanceTimersByTime(HELD);
    expect(act).not.toHaveBeenCalled();
    end();
  });
});
