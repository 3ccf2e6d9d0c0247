import type { TimeRange } from "../generated/api.ts";
import { now } from "./clock.svelte.ts";
import { when } from "./format.ts";
import { route, setQuery, type Step } from "./route.svelte.ts";

const SECOND = 1_000_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** A range that ends now. It stays relative in links. */
interface Preset {
  id: string;
  title: string;
  micros: number;
  /** How far the start may lag, so that a question is not asked anew each second. */
  grain: number;
}

/** The ranges of the menu, between "Live" and "All". */
export const PRESETS: readonly Preset[] = [
  { id: "5m", title: "Last 5 minutes", micros: 5 * MINUTE, grain: 5 * SECOND },
  { id: "15m", title: "Last 15 minutes", micros: 15 * MINUTE, grain: 10 * SECOND },
  { id: "1h", title: "Last hour", micros: HOUR, grain: 30 * SECOND },
  { id: "6h", title: "Last 6 hours", micros: 6 * HOUR, grain: MINUTE },
  { id: "24h", title: "Last 24 hours", micros: 24 * HOUR, grain: 5 * MINUTE },
  { id: "7d", title: "Last 7 days", micros: 168 * HOUR, grain: 30 * MINUTE },
];

/** The parameter that holds a time range: that of the place, or that of the calls in the ledger. */
export type RangeParam = "range" | "calls";

const EVERYTHING: TimeRange = { from: null, to: null };

/** Reads the `range` parameter: "live", "all", a preset's id, or "<from>-<to>" in microseconds. */
export function parseRange(text: string | null, nowMillis: () => number): TimeRange {
  const preset = PRESETS.find(({ id }) => id === text);
  if (preset) {
    const from = nowMillis() * 1_000 - preset.micros;
    return { from: Math.floor(from / preset.grain) * preset.grain, to: null };
  }
  const exact = /^(\d{1,17})-(\d{1,17})$/.exec(text ?? "");
  if (!exact) return EVERYTHING;
  const [from, to] = [Number(exact[1]), Number(exact[2])];
  return from < to ? { from, to } : EVERYTHING;
}

/** The time range of the present place; reading it in an effect or a template follows the clock. */
export function timeRange(of: RangeParam = "range"): TimeRange {
  return parseRange(route.get(of), now);
}

/** The present time range for the `calls` parameter of the ledger; `null` where it has no limits. */
export function callsParam(): string | null {
  const text = route.get("range");
  const { from } = parseRange(text, now);
  return from === null ? null : text;
}

/** The parameter's id: "live" where there is none or it says nothing, "exact" for a brushed range. */
export function rangeId(of: RangeParam = "range"): string {
  const text = route.get(of) ?? "live";
  if (/^\d+-\d+$/.test(text)) return "exact";
  return text === "all" || PRESETS.some(({ id }) => id === text) ? text : "live";
}

/** The time range in words. */
export function rangeTitle(of: RangeParam = "range"): string {
  const id = rangeId(of);
  if (id === "exact") {
    const { from, to } = timeRange(of);
    return from === null || to === null ? "All time" : `${when(from)} – ${when(to)}`;
  }
  return PRESETS.find((preset) => preset.id === id)?.title ?? (id === "all" ? "All time" : "Live");
}

/** Chooses a named range. */
export function setRange(id: string, of: RangeParam = "range"): void {
  setQuery({ [of]: id === "live" ? null : id }, "push");
}

/** Chooses an exact range in microseconds, as a brush does. */
export function setExactRange(from: number, to: number, step: Step = "push", of: RangeParam = "range"): void {
  setQuery({ [of]: `${Math.floor(from)}-${Math.ceil(to)}` }, step);
}

/** A range moved by its own length, earlier or later, but never past `now`; all in microseconds. */
export function shifted({ from, to }: TimeRange, by: -1 | 1, now: number): [number, number] | null {
  if (from === null) return null;
  const length = (to ?? now) - from;
  const end = Math.min((to ?? now) + by * length, now);
  return [end - length, end];
}

/** Moves the time range of the present place; what has no beginning stays. */
export function shiftRange(by: -1 | 1, of: RangeParam = "range"): void {
  const range = shifted(timeRange(of), by, Date.now() * 1_000);
  if (range) setExactRange(...range, "replace", of);
}
