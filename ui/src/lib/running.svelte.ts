// When a trace that sends no more stops counting as running: by the clock alone, without word from the engine.
import { type TraceSummary, runningMicros } from "../generated/api.ts";

/** What the clock needs of a trace. */
export type Clocked = Pick<TraceSummary, "state" | "receivedMicros">;

/** Milliseconds for which the engine's clock is given to pass the same instant. */
const GRACE = 100;

/** Milliseconds since the epoch at which a running trace stops counting as such, unless more of it arrives. */
function stopsAt({ receivedMicros }: Clocked): number {
  return (receivedMicros + runningMicros) / 1_000;
}

/** Whether a trace runs, at an instant in milliseconds since the epoch. */
export function isRunning(trace: Clocked, now: number): boolean {
  return trace.state === "running" && now < stopsAt(trace);
}

/** Acts when the first of the running traces stops by the clock. Call it while a component starts. */
export function whenOneStops(traces: () => readonly Clocked[], act: () => void): void {
  $effect(() => {
    const now = Date.now();
    const running = traces().filter((trace) => isRunning(trace, now));
    if (running.length === 0) return;
    const timer = setTimeout(act, Math.min(...running.map(stopsAt)) - now + GRACE);
    return () => clearTimeout(timer);
  });
}
