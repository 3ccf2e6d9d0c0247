/** Where the time of a call went, in words. */
import type { TimingPart, TimingRow } from "../../generated/api.ts";
import { TIMING_PARTS, duration } from "../../lib/format.ts";

/** A part that is known, with its share of the bar. */
export interface Known {
  part: TimingPart;
  nanos: number;
  /** "queue 12ms"; of what no part accounts for, "rest 4ms not known". */
  text: string;
}

/** The parts that are known; none where no more than the whole is. */
export function known(rows: readonly TimingRow[]): Known[] {
  const parts = rows.filter(({ part, nanos }) => nanos !== null && (part !== "rest" || nanos > 0));
  if (parts.every(({ part }) => part === "rest")) return [];
  return parts.map(({ part, nanos }) => ({
    part,
    nanos: nanos ?? 0,
    text: `${TIMING_PARTS[part]} ${duration(nanos)}${part === "rest" ? " not known" : ""}`,
  }));
}

/** The parts that are not known, in a few words: "network, post-processing not known"; nothing where all are. */
export function unknown(rows: readonly TimingRow[]): string {
  if (rows.length > 0 && known(rows).length === 0) return "Where its time went is not known";
  const parts = rows.filter(({ nanos }) => nanos === null).map(({ part }) => TIMING_PARTS[part]);
  return parts.length === 0 ? "" : `${parts.join(", ")} not known`;
}
