// What of a trace can be copied, and how.
import { host } from "../../host/connect.ts";
import { copy } from "../../lib/clipboard.ts";
import { traceHash } from "../../lib/route.svelte.ts";
import { sayError } from "../../lib/toasts.svelte.ts";

/** A trace, or one span of it. */
export interface Copied {
  /** 32 hex digits. */
  traceId: string;
  /** Its source; 0 is live telemetry. */
  source: number;
  /** 16 hex digits; `null` is the whole trace. */
  spanId: string | null;
  /** The hash of the span's content that is read; `null` is the one shown by default. */
  variant: string | null;
}

/** Copies the trace's id. */
export function copyId({ traceId }: Copied): void {
  void copy(traceId, "the trace id");
}

/** Copies the span's id. */
export function copySpanId({ spanId }: Copied): void {
  if (spanId !== null) void copy(spanId, "the span id");
}

/** Copies a link that opens the trace at its span. */
export function copyLink({ traceId, source, spanId }: Copied): void {
  const hash = traceHash(traceId, source, spanId ?? undefined);
  void copy(
    host.kind === "browser" ? new URL(hash, location.href).href : `clew://${hash.slice(2)}`,
    "the link",
  );
}

/** Copies the trace, or a span with all below it, as Markdown for a model or as OTLP JSON. */
export async function copyText(
  { traceId, source, spanId, variant }: Copied,
  format: "markdown" | "otlpJson",
): Promise<void> {
  try {
    const params = { traceId, source, spanId, subtree: true, variant, format, maxTokens: null };
    const { text } = await host.call("copy_trace", params);
    const whole = spanId === null ? "the trace" : "the span and what is below it";
    await copy(text, `${whole} as ${format === "markdown" ? "Markdown" : "OTLP JSON"}`);
  } catch (error) {
    sayError("Could not copy the trace", error);
  }
}
