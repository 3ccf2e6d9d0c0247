// Which part of the time axis a waterfall shows, in nanoseconds from the trace's time 0.

import type { Axis } from "./axis.ts";

/** A stretch of the time axis. */
export interface Viewport {
  /** Nanoseconds at the left edge. */
  from: number;
  /** Nanoseconds at the right edge. */
  to: number;
}

/** The shortest stretch, in nanoseconds: below it a pixel is under a nanosecond. */
export const SHORTEST = 1_000;

/** The whole trace. */
export function whole(extent: number): Viewport {
  return { from: 0, to: Math.max(extent, SHORTEST) };
}

/** Keeps a stretch within the trace, preserving its length where it fits. */
export function clamp(view: Viewport, extent: number): Viewport {
  const limit = Math.max(extent, SHORTEST);
  const length = Math.min(Math.max(view.to - view.from, SHORTEST), limit);
  const from = Math.min(Math.max(view.from, 0), limit - length);
  return { from, to: from + length };
}

/** Zooms by `factor` (below 1 shows less) so that the instant `at` keeps its place on the screen. */
export function zoomAt(view: Viewport, extent: number, at: number, factor: number): Viewport {
  const length = Math.max((view.to - view.from) * factor, SHORTEST);
  const share = (at - view.from) / (view.to - view.from);
  return clamp({ from: at - share * length, to: at + (1 - share) * length }, extent);
}

/** Moves by a share of the shown stretch; positive is later. */
export function pan(view: Viewport, extent: number, share: number): Viewport {
  const by = (view.to - view.from) * share;
  return clamp({ from: view.from + by, to: view.to + by }, extent);
}

/** Shows one span with a little air at both sides. */
export function fit(start: number, end: number, extent: number): Viewport {
  const air = Math.max((end - start) * 0.06, SHORTEST / 2);
  return clamp({ from: start - air, to: end + air }, extent);
}

// Steps of a clock, from a minute on; below, steps are 1, 2 or 5 times a power of ten.
const CLOCK = [60, 120, 300, 600, 1_200, 1_800, 3_600, 7_200, 14_400, 21_600, 43_200, 86_400].map(
  (each) => each * 1e9,
);

function stepOf(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  const round = [1, 2, 5, 10].map((unit) => unit * power).find((unit) => unit >= least) ?? 10 * power;
  return round <= 30e9
    ? round
    : (CLOCK.find((unit) => unit >= least) ?? Math.ceil(least / 86_400e9) * 86_400e9);
}

/** A mark of the ruler. */
export interface Tick {
  /** Its place on the axis. */
  place: number;
  /** The instant that it names. */
  nanos: number;
}

/** Marks for the ruler: round instants, at least `apart` pixels from each other; none within a squeezed stretch. */
export function ticks(view: Viewport, pixels: number, apart: number, { parts }: Pick<Axis, "parts">): Tick[] {
  const length = view.to - view.from;
  if (!(pixels > 0) || !(length > 0)) return [];
  const least = (length * apart) / pixels;
  const step = stepOf(least);
  const marks: Tick[] = [];
  for (const part of parts) {
    const shift = part.from - part.place;
    const from = Math.max(part.from, view.from + shift);
    const to = Math.min(part.to, view.to + shift);
    for (let turn = Math.ceil(from / step); turn * step <= to && marks.length < 200; turn += 1) {
      const place = turn * step - shift;
      const last = marks[marks.length - 1];
      if (last === undefined || place - last.place >= least * 0.99) marks.push({ place, nanos: turn * step });
    }
  }
  return marks;
}
