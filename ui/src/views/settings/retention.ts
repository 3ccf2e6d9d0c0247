import type { Retention } from "../../generated/api.ts";

/** What the form holds while it is edited. */
export interface Draft {
  /** Size in gigabytes, as typed. */
  gigabytes: string;
  /** Days, as typed; empty is for ever. */
  days: string;
}

const GIGABYTE = 1e9;
const LEAST = 64 * 2 ** 20;

/** The draft of what is set. */
export function draftOf({ maxBytes, maxDays }: Retention): Draft {
  return {
    gigabytes: String(Math.round((maxBytes / GIGABYTE) * 1_000) / 1_000),
    days: maxDays === null ? "" : String(maxDays),
  };
}

/** Reads a draft: the retention, or what is wrong with it. */
export function read({ gigabytes, days }: Draft): Retention | string {
  const maxBytes = Math.round(Number(gigabytes.trim().replace(",", ".")) * GIGABYTE);
  if (gigabytes.trim() === "" || !Number.isSafeInteger(maxBytes) || maxBytes < LEAST)
    return "The size must be at least 0.07 GB.";
  if (days.trim() === "") return { maxBytes, maxDays: null };
  const maxDays = Number(days.trim());
  if (!Number.isInteger(maxDays) || maxDays < 1 || maxDays > 3_650)
    return "The age must be 1 to 3,650 whole days, or empty for ever.";
  return { maxBytes, maxDays };
}
