// What a call sends that an earlier call of the trace had already sent or got.
import type { SpanDetail } from "../../generated/api.ts";
import { compact, count, counted } from "../../lib/format.ts";

/** "+3 messages · 14 earlier reused (~41k tokens)"; in characters where tokens cannot be counted. */
export function deltaText({
  reused,
  fresh,
  reusedSize,
}: Pick<SpanDetail, "reused" | "fresh" | "reusedSize">): string {
  const added = fresh === 0 ? "no new message" : `+${counted(fresh, "message")}`;
  const tokens = reusedSize?.tokens ?? null;
  const characters = reusedSize?.characters ?? 0;
  const size =
    tokens !== null
      ? ` (~${compact(tokens)} tokens)`
      : characters > 0
        ? ` (${compact(characters)} characters)`
        : "";
  return `${added} · ${count(reused)} earlier reused${size}`;
}
