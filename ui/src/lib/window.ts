/** Arithmetic of lists whose rows all have one height and of which only those in sight are in the document. */

/** Rows to draw: `first` included, `end` not. */
export interface RowWindow {
  first: number;
  end: number;
}

/** Rows beyond those in sight that stand in the document on either side. */
export const OVERSCAN = 8;

/** The most rows that {@link rowsInView} ever answers for a list of this height. */
export function rowsAtOnce(viewHeight: number, rowHeight: number, overscan = OVERSCAN): number {
  return rowHeight <= 0 ? 1 : Math.ceil(Math.max(0, viewHeight) / rowHeight) + 1 + 2 * overscan;
}

/** The rows in sight of a list, and `overscan` more on either side. */
export function rowsInView(
  scrollTop: number,
  viewHeight: number,
  rowHeight: number,
  count: number,
  overscan = OVERSCAN,
): RowWindow {
  if (rowHeight <= 0 || count <= 0) return { first: 0, end: 0 };
  const first = Math.floor(Math.max(0, scrollTop) / rowHeight) - overscan;
  const end = Math.ceil((Math.max(0, scrollTop) + Math.max(0, viewHeight)) / rowHeight) + overscan;
  return { first: Math.min(Math.max(0, first), count), end: Math.min(Math.max(0, end), count) };
}

/** The scroll position that brings a row into view with the least movement; `header` pixels at the top are covered. */
export function scrollToRow(
  index: number,
  scrollTop: number,
  viewHeight: number,
  rowHeight: number,
  header = 0,
): number {
  const top = index * rowHeight;
  if (top < scrollTop + header) return Math.max(0, top - header);
  if (top + rowHeight > scrollTop + viewHeight) return top + rowHeight - viewHeight;
  return scrollTop;
}

/** The neighbour of a row, kept within the list; from nowhere (-1) one starts at the top. */
export function step(index: number, by: number, count: number): number {
  if (count === 0) return -1;
  if (index < 0) return by > 0 ? 0 : count - 1;
  return Math.min(count - 1, Math.max(0, index + by));
}
