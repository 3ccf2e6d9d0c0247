import type { Appearance } from "../generated/api.ts";

const KEY = "clew.appearance";

/** Colours the page and sets the height of rows, and remembers both for the next start. */
export function applyAppearance({ theme, density }: Appearance): void {
  const { dataset } = document.documentElement;
  if (theme === "system") delete dataset["theme"];
  else dataset["theme"] = theme;
  dataset["density"] = density;
  localStorage.setItem(KEY, JSON.stringify({ theme, density }));
}

/** Applies what was set last time, before the engine has answered, so that nothing flashes. */
export function recallAppearance(): void {
  try {
    const kept = JSON.parse(localStorage.getItem(KEY) ?? "null") as Appearance | null;
    if (kept) applyAppearance(kept);
  } catch {
    // What was kept is unreadable: the engine's answer will do.
  }
}
