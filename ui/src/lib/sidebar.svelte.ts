// Whether the sidebar shows words or only its icons.
import { innerWidth } from "svelte/reactivity/window";

const KEY = "clew.sidebar";
/** Below this many pixels the sidebar gives its room to the view, unless it is asked for. */
const ROOMY = 960;

let narrowed = $state(localStorage.getItem(KEY) === "narrow");
let widened = $state(false);

const isCramped = (): boolean => (innerWidth.current ?? ROOMY) < ROOMY;

/** Whether only its icons show. */
export function isNarrow(): boolean {
  return isCramped() ? !widened : narrowed;
}

/** Shows the words, or hides them. In a roomy window that is kept for the next start. */
export function toggleSidebar(): void {
  if (isCramped()) {
    widened = !widened;
    return;
  }
  narrowed = !narrowed;
  localStorage.setItem(KEY, narrowed ? "narrow" : "wide");
}
