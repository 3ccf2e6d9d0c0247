// Where bars land, in pixels of the lane: one pass over the rows for each zoom.
import type { Waterfall } from "../../generated/api";
import type { Axis } from "./axis";
import { rowCount } from "./outline";
import type { Viewport } from "./zoom";

/** The narrowest bar in pixels. */
export const LEAST_WIDTH = 3;
/** How far bars may reach beyond the lane before they are cut, in pixels. */
const OVERHANG = 8;

/** Bars in pixels of the lane, one element a row. */
export interface Bars {
  /** Left edge. */
  x: Float32Array;
  /** Width; 0 where the bar lies outside the lane. */
  width: Float32Array;
  /** Pixels from the left edge to the first token; 0 where not stated. */
  split: Float32Array;
}

const REAL: Pick<Axis, "to"> = { to: (nanos) => nanos };

/** Pixels of a place on the axis. */
export function toPixels(view: Viewport, pixels: number, at: number): number {
  return ((at - view.from) / (view.to - view.from)) * pixels;
}

/** The place on the axis of a pixel. */
export function toNanos(view: Viewport, pixels: number, x: number): number {
  return view.from + (x / Math.max(pixels, 1)) * (view.to - view.from);
}

/**
 * Places every bar along the axis. The stretch `view` takes `pixels`; the lane goes on to `lane` pixels, where labels have room. A row
 * without an end reaches to `now`.
 */
export function place(
  waterfall: Waterfall,
  view: Viewport,
  pixels: number,
  lane: number,
  now: number,
  axis: Pick<Axis, "to"> = REAL,
): Bars {
  const count = rowCount(waterfall);
  const bars: Bars = {
    x: new Float32Array(count),
    width: new Float32Array(count),
    split: new Float32Array(count),
  };
  const scale = pixels / (view.to - view.from);
  const { start, duration, ttft } = waterfall;
  for (let row = 0; row < count; row += 1) {
    const begin = start[row]!;
    const nanos = duration[row]! < 0 ? Math.max(now - begin, 0) : duration[row]!;
    const left = (axis.to(begin) - view.from) * scale;
    const right = Math.max((axis.to(begin + nanos) - view.from) * scale, left + LEAST_WIDTH);
    const x = Math.max(left, -OVERHANG);
    const end = Math.min(right, lane + OVERHANG);
    if (end <= x) continue;
    bars.x[row] = x;
    bars.width[row] = end - x;
    if (ttft[row]! > 0 && nanos > 0) {
      const first = (axis.to(begin + ttft[row]!) - view.from) * scale;
      bars.split[row] = Math.min(Math.max(first - x, 0), end - x);
    }
  }
  return bars;
}

/** One stretch of a run's bar in pixels: members that touch are drawn as one. */
export interface Segment {
  /** Left edge. */
  x: number;
  /** Width. */
  width: number;
}

/** The bars of a run's members, drawn in one line; at most `limit` stretches, then neighbours are joined. */
export function runSegments(
  waterfall: Waterfall,
  bars: Bars,
  head: number,
  end: number,
  limit = 80,
): Segment[] {
  const segments: Segment[] = [];
  for (let row = head; row < end; row += waterfall.descendants[row]! + 1) {
    const width = bars.width[row]!;
    if (width === 0) continue;
    segments.push({ x: bars.x[row]!, width });
  }
  segments.sort((one, other) => one.x - other.x);
  const joined: Segment[] = [];
  for (const segment of segments) {
    const last = joined[joined.length - 1];
    const gap = joined.length >= limit ? Number.POSITIVE_INFINITY : 1;
    if (last !== undefined && segment.x <= last.x + last.width + gap) {
      last.width = Math.max(last.width, segment.x + segment.width - last.x);
    } else joined.push({ ...segment });
  }
  return joined;
}

/** Where a bar's label goes. */
export interface LabelPlace {
  /** Left edge of the label in pixels of the lane. */
  x: number;
  /** Pixels that the label may take. */
  width: number;
  /** Whether it covers the bar and so needs a ground of its own. */
  over: boolean;
}

/** The fewest pixels in which a cut label still says something. */
const LEAST_LABEL = 90;

/** Places a label right of its bar, else left of it, else on the wider side, cut; over the bar where neither is wide. */
export function placeLabel(x: number, width: number, label: number, lane: number): LabelPlace {
  const gap = 6;
  const right = Math.max(x + width + gap, gap);
  const toRight = lane - right;
  const toLeft = x - 2 * gap;
  if (label <= toRight) return { x: right, width: toRight, over: false };
  if (label <= toLeft) return { x: x - gap - label, width: label, over: false };
  if (Math.max(toLeft, toRight) < LEAST_LABEL) {
    const shown = Math.min(label + gap, lane - 2 * gap);
    return { x: lane - shown - gap, width: shown, over: true };
  }
  return toRight >= toLeft
    ? { x: right, width: toRight, over: false }
    : { x: gap, width: toLeft, over: false };
}

/** Stretches of one row's part of the critical path in pixels of the lane; what lies outside is left out. */
export function strokes(
  stretches: readonly (readonly [number, number])[],
  view: Viewport,
  pixels: number,
  axis: Pick<Axis, "to">,
): Segment[] {
  return stretches.flatMap(([from, to]) => {
    const x = Math.max(toPixels(view, pixels, axis.to(from)), 0);
    const end = Math.min(toPixels(view, pixels, axis.to(to)), pixels);
    return end - x < 0.5 ? [] : [{ x, width: end - x }];
  });
}
