import type { Bucket, LedgerRow, LedgerStanding, PriceSource, UsageFault } from "../generated/api.ts";

/** Buckets in words. */
export const BUCKETS: Record<Bucket, string> = {
  input: "Input",
  cacheRead: "Cache read",
  cacheWrite: "Cache write",
  cacheWrite1h: "Cache write, 1 hour",
  audioInput: "Audio in",
  imageInput: "Images in",
  output: "Output",
  reasoning: "Reasoning",
  audioOutput: "Audio out",
  imageOutput: "Images out",
  request: "Request",
};

/** Faults of a span's figures in words. */
export const FAULTS: Record<UsageFault, string> = {
  partsAboveInput: "Cached, audio and image tokens are more than the whole prompt.",
  partsAboveOutput: "Reasoning, audio and image tokens are more than the whole output.",
  hourAboveWritten: "More was written to the cache for an hour than was written at all.",
};

/** An exact amount: "$0.00275", to the nano-dollar, without needless zeros. */
export function exact(nanos: number): string {
  const digits = nanos.toFixed(0).padStart(10, "0");
  const fraction = digits.slice(-9).replace(/0+$/, "").padEnd(2, "0");
  return `$${digits.slice(0, -9)}.${fraction}`;
}

/** Why an entry counts in no total, in words; the id that it names is shown beside it. */
export function reason(standing: LedgerStanding): string | null {
  switch (standing.kind) {
    case "counted":
      return null;
    case "costOnly":
      return "Its cost counts; its tokens are counted at the calls below it";
    case "below":
      return "Repeats what a span below it states";
    case "above":
      return "States nothing; a span above states the sum";
    case "sameResponse":
      return "The same response is told by another span, which says more";
    case "sameCall":
      return "The same call is told by another span of its SDK";
    case "elsewhere":
      return "The same response counts in another trace, which says more";
  }
}

/** The trace and span that an entry leaves its call to. */
export function teller(row: LedgerRow): { traceId: string; spanId: string } | null {
  const { standing } = row;
  if (standing.kind === "elsewhere") return { traceId: standing.traceId, spanId: standing.spanId };
  return "spanId" in standing ? { traceId: row.traceId, spanId: standing.spanId } : null;
}

/** A list of prices in words, and since when its price holds. */
export function list(source: PriceSource): string {
  switch (source.kind) {
    case "custom":
      return `your price of ${source.model}${source.since ? ` since ${source.since}` : ""}`;
    case "book":
      return `${source.provider}/${source.model}${source.special ? ", this tier" : ""}${
        source.since ? ` since ${source.since}` : ""
      } in ${source.book}`;
    case "profile":
      return `table ${source.profile.toUpperCase()}`;
    case "local":
      return "a model of this machine: free";
    case "unknown":
      return "no list names this model";
  }
}

/** Where an entry's cost comes from, in words. */
export function basis(row: LedgerRow): string {
  switch (row.cost.kind) {
    case "stated":
      return row.cost.spanId === row.spanId ? "stated by the span" : `stated by span ${row.cost.spanId}`;
    case "above":
      return `in what span ${row.cost.spanId} states`;
    case "below":
      return `in what span ${row.cost.spanId} states`;
    case "listed":
    case "unknown":
      return list(row.price);
  }
}
