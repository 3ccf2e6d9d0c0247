// The width of the names beside the bars: one for all traces, as long as the page lives.

/** The least width of the names in pixels. */
const LEAST = 280;

let chosen = $state<number>();

/** The names' width. */
export const gutter = {
  /** Pixels that the names take of `room`. */
  width(room: number): number {
    const wanted = chosen ?? Math.min(Math.max(LEAST, room * 0.34), 440);
    return Math.round(Math.max(Math.min(wanted, room - 180), Math.min(LEAST, room * 0.45)));
  },
  /** Gives the names `pixels` of `room`. */
  move(pixels: number, room: number): void {
    chosen = Math.min(Math.max(pixels, 160), Math.max(room - 180, 160));
  },
};
