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

/** Where a bar's label goes, and how much of it there is room for. */
export interface LabelPlace {
  /** As many of its parts as fit, or the first ones. */
  text: string;
  /** Its edge at the bar in pixels of the lane: the left one of a label right of it. */
  x: number;
  /** Pixels that the label may take. */
  width: number;
  /** On which side of the bar it stands. */
  side: "left" | "right";
}

/** Pixels of a label's usual letter: with fewer, labels would be cut that were held to fit. */
const LETTER = 6.8;
/** Pixels between a bar and its label, and between a label and the lane's edge. */
const GAP = 6;
/** How many letters of words are left where they are cut; figures are whole or not there. */
const WORDS = 10;

/** Pixels that a label takes at most: narrow signs and wide ones apart, since each line of a long list asks. */
export function labelWidth(text: string): number {
  let width = 0;
  for (const letter of text)
    width += " .·,:il".includes(letter) ? 3.4 : "mµMWΣ→…".includes(letter) ? 10 : LETTER;
  return width;
}

/**
 * Places a label beside its bar, right of it or else left of it, and never over it: with all its parts, else with the
 * first ones, the last of which is cut where it is words; without room for the very first there is no label. `mark` is
 * the pixels of what stands before it.
 */
export function placeLabel(
  x: number,
  width: number,
  parts: readonly string[],
  lane: number,
  mark = 0,
): LabelPlace | null {
  const right = Math.max(x + width + GAP, GAP);
  const toRight = lane - right;
  const toLeft = Math.min(x, lane) - 2 * GAP;
  for (let many = parts.length; many > 0; many -= 1) {
    const text = parts.slice(0, many).join(" · ");
    const onRight: LabelPlace = { text, x: right, width: toRight, side: "right" };
    const onLeft: LabelPlace = { text, x: x - GAP, width: toLeft, side: "left" };
    const needed = labelWidth(text) + mark;
    if (needed <= toRight) return onRight;
    if (needed <= toLeft) return onLeft;
    const last = parts[many - 1]!;
    const cut = /\p{L}{5}/u.test(last) ? Math.max(last.length - WORDS, 0) * LETTER : 0;
    if (cut > 0 && needed - cut <= Math.max(toRight, toLeft)) return toRight >= toLeft ? onRight : onLeft;
  }
  return null;
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
