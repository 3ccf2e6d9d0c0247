// How large the window draws the page. A browser does this by itself.
import { host } from "../host/connect.ts";
import type { Action } from "./actions.ts";

const KEY = "clew.zoom";

/** The sizes that the keys go through. */
export const SIZES: readonly number[] = [0.5, 0.67, 0.75, 0.8, 0.9, 1, 1.1, 1.25, 1.5, 1.75, 2];

/** The size that was kept; its own where none was, or where that is none. */
function kept(): number {
  const size = Number(localStorage.getItem(KEY));
  return SIZES.includes(size) ? size : 1;
}

/** The next size in a direction; the last stays. */
export function next(size: number, by: -1 | 1): number {
  return SIZES[Math.min(Math.max(SIZES.indexOf(size) + by, 0), SIZES.length - 1)]!;
}

/** The actions that draw the page larger and smaller; none where the browser has them. */
export function zoomActions(): Action[] {
  const { setZoom } = host;
  if (setZoom === undefined) return [];
  const to = (size: number): void => {
    localStorage.setItem(KEY, String(size));
    void setZoom(size);
  };
  if (kept() !== 1) void setZoom(kept());
  const group = "App";
  return [
    {
      id: "zoom.in",
      title: "Larger",
      group,
      keys: ["Ctrl++", "Ctrl+Shift++", "Ctrl+="],
      run: () => to(next(kept(), 1)),
    },
    { id: "zoom.out", title: "Smaller", group, keys: ["Ctrl+-"], run: () => to(next(kept(), -1)) },
    { id: "zoom.reset", title: "Actual size", group, keys: ["Ctrl+0"], run: () => to(1) },
  ];
}
