/**
 * How well typed letters find a title: every letter in order, better at the start of a word and in one run; `null`
 * where they do not.
 */
export function rank(typed: string, title: string): number | null {
  const letters = [...typed.toLowerCase().replace(/\s+/g, "")];
  const text = title.toLowerCase();
  let at = 0;
  let score = 0;
  for (const letter of letters) {
    const found = text.indexOf(letter, at);
    if (found < 0) return null;
    const starts = found === 0 || /[\s(./-]/.test(text[found - 1] ?? "");
    if (starts) score += 3;
    else if (found === at) score += 2;
    score -= Math.min(found - at, 10) / 10;
    at = found + letter.length;
  }
  return score - text.length / 100;
}

/** The trace id that is typed or pasted: 32 hex digits, a "#" before them or not. */
export function typedTraceId(typed: string): string | null {
  return /^#?\s*([0-9a-f]{32})$/i.exec(typed.trim())?.[1]?.toLowerCase() ?? null;
}
