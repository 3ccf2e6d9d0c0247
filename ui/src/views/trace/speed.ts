// Output speed of a model call, the one figure of the panel that the engine does not send.
import type { SpanDetail } from "../../generated/api.ts";

/**
 * Output tokens a second from the first token to the end, or over the whole call where no first token is stated; as
 * text with no false digits. `null` where the call states too little.
 */
export function tokensPerSecond(
  span: Pick<SpanDetail, "usage" | "durationNanos" | "ttftNanos">,
): string | null {
  const { usage, durationNanos, ttftNanos } = span;
  if (usage.output === null || usage.output <= 0 || durationNanos === null) return null;
  const streaming = durationNanos - Math.max(ttftNanos ?? 0, 0);
  if (streaming <= 0) return null;
  const speed = (usage.output / streaming) * 1e9;
  return speed >= 10 ? speed.toFixed(0) : speed.toFixed(1);
}
