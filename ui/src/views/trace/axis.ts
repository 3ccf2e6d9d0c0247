// The time axis of a waterfall: real nanoseconds, or with idle stretches squeezed to a stub. Places on the axis are
// nanoseconds too; without a squeeze they are the real ones.

/** A time axis. */
export interface Axis {
  /** Length of the axis. */
  length: number;
  /** The place of an instant. */
  to: (nanos: number) => number;
  /** The instant of a place. */
  from: (place: number) => number;
  /** Stretches that stand at their real length, in order: where they lie, and the instants that they hold. */
  parts: { place: number; from: number; to: number }[];
}

/** A squeezed stretch takes this share of all that is not squeezed. */
const STUB = 0.025;

/** The axis of a trace that took `elapsed`, with the `idle` stretches squeezed. */
export function axisOf(elapsed: number, idle: readonly (readonly [number, number])[]): Axis {
  const busy = idle.reduce((rest, [from, to]) => rest - (to - from), elapsed);
  const stub = Math.max(busy, 1) * STUB;
  const parts: Axis["parts"] = [];
  let place = 0;
  let at = 0;
  for (const [from, to] of idle) {
    parts.push({ place, from: at, to: from });
    place += from - at + stub;
    at = to;
  }
  parts.push({ place, from: at, to: Math.max(elapsed, at) });
  const length = place + Math.max(elapsed - at, 0);

  function to(nanos: number): number {
    for (let index = parts.length - 1; index > 0; index -= 1) {
      const part = parts[index]!;
      if (nanos >= part.from) return part.place + nanos - part.from;
      const before = parts[index - 1]!;
      if (nanos > before.to) {
        const share = (nanos - before.to) / (part.from - before.to);
        return part.place - stub + share * stub;
      }
    }
    return nanos;
  }
  function from(at: number): number {
    for (let index = parts.length - 1; index > 0; index -= 1) {
      const part = parts[index]!;
      if (at >= part.place) return part.from + at - part.place;
      const before = parts[index - 1]!;
      const share = (at - (part.place - stub)) / stub;
      if (share > 0) return before.to + share * (part.from - before.to);
    }
    return at;
  }
  return { length, to, from, parts };
}
