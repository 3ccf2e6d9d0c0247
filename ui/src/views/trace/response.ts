// Where a finding's evidence stands: heuristics count in the response's text, which is made of parts of its messages.
import type { Finding, Message } from "../../generated/api.ts";

/** Ranges of one part's text, start and end in UTF-16 code units. */
export type Marks = [number, number][];

const NOT_ANSWERS: ReadonlySet<string> = new Set(["system", "developer", "user", "tool"]);

/** Whether a finding fired: one that answers yes or no, and said yes. A score is no finding. */
export function fired({ kind, value }: Finding): boolean {
  return kind === "finding" && value !== 0;
}

/**
 * Cuts evidence to the parts it lies in; the key is "message.part". The response's text is, as the engine puts it
 * together, the text and refusal parts of the answers, one a line.
 */
export function marksByPart(output: readonly Message[], findings: readonly Finding[]): Map<string, Marks> {
  const marks = new Map<string, Marks>();
  const ranges = findings.filter(fired).flatMap(({ evidence }) => evidence);
  if (ranges.length === 0) return marks;
  let at = 0;
  output.forEach((message, index) => {
    if (NOT_ANSWERS.has(message.role)) return;
    message.parts.forEach((part, place) => {
      if (part.type !== "text" && part.type !== "refusal") return;
      const end = at + part.text.length;
      const inside = ranges
        .filter(([from, to]) => from < end && to > at)
        .map(([from, to]): [number, number] => [Math.max(from - at, 0), Math.min(to, end) - at]);
      if (inside.length > 0) marks.set(`${index}.${place}`, inside);
      // The first part has no line break before it, and an empty one leaves none behind.
      at = end === 0 ? 0 : end + 1;
    });
  });
  return marks;
}
