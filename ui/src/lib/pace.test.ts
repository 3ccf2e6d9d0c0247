import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { paced } from "./pace.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe("pacing", () => {
  it("runs the first at once and later ones at most four a second", () => {
    const run = vi.fn();
    const request = paced(run, 250);
    request();
    expect(run).toHaveBeenCalledTimes(1);
    for (let passed = 0; passed < 1_000; passed += 10) {
      request();
      vi.advanceTimersByTime(10);
    }
    expect(run).toHaveBeenCalledTimes(5);
  });

  it("never loses the last request, and runs at once again after a rest", () => {
    const run = vi.fn();
    const request = paced(run, 250);
    request();
    request();
    vi.advanceTimersByTime(250);
    expect(run).toHaveBeenCalledTimes(2);
    vi.advanceTimersByTime(1_000);
    request();
    expect(run).toHaveBeenCalledTimes(3);
  });

  it("forgets what still waits when told to", () => {
    const run = vi.fn();
    const request = paced(run, 250);
    request();
    request();
    request.cancel();
    vi.advanceTimersByTime(1_000);
    expect(run).toHaveBeenCalledTimes(1);
  });
});
