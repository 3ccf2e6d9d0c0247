// Marks passages of a text that is on the screen as Markdown, where offsets into the source no longer hold.

/** The name of the highlight that `::highlight()` colours. */
const NAME = "clew-evidence";

// Markdown's own signs and all white space are passed over, on both sides.
const PASSED = /[\s*_`~#>[\]()|\\-]/;

/** Finds each passage in a text whose pieces are given; answers piece and offset of both ends. */
export function locate(
  pieces: readonly string[],
  passages: readonly string[],
): [number, number, number, number][] {
  let flat = "";
  const where: [number, number][] = [];
  pieces.forEach((piece, index) => {
    for (let at = 0; at < piece.length; at += 1) {
      const character = piece[at]!;
      if (PASSED.test(character)) continue;
      flat += character;
      where.push([index, at]);
    }
  });
  const found: [number, number, number, number][] = [];
  for (const passage of passages) {
    const wanted = [...passage].filter((character) => !PASSED.test(character)).join("");
    const at = wanted === "" ? -1 : flat.indexOf(wanted);
    const first = where[at];
    const last = where[at + wanted.length - 1];
    if (first !== undefined && last !== undefined) found.push([...first, last[0], last[1] + 1]);
  }
  return found;
}

/** Attaches to an element: marks the passages in its text for as long as it is shown. */
export function evidence(passages: readonly string[]): (element: HTMLElement) => (() => void) | undefined {
  return (element) => {
    if (passages.length === 0 || !("highlights" in CSS)) return undefined;
    const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
    const texts: Text[] = [];
    for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) texts.push(node as Text);
    const ranges = locate(
      texts.map((text) => text.data),
      passages,
    ).map(([first, from, last, to]) => {
      const range = new Range();
      range.setStart(texts[first]!, from);
      range.setEnd(texts[last]!, to);
      return range;
    });
    const highlight = CSS.highlights.get(NAME) ?? new Highlight();
    CSS.highlights.set(NAME, highlight);
    ranges.forEach((range) => highlight.add(range));
    return () => ranges.forEach((range) => highlight.delete(range));
  };
}

/** One stretch of a text. */
export interface Stretch {
  /** The text. */
  text: string;
  /** Whether it is evidence. */
  marked: boolean;
}

/** A text with what is marked in it, as starts and ends in UTF-16 code units. */
export interface Marked {
  text: string;
  marks: readonly (readonly [number, number])[];
}

/** The same without most of what stands before its first mark, so that a short line still shows that. */
export function nearMark({ text, marks }: Marked, before: number): Marked {
  const first = Math.min(...marks.map(([start]) => start));
  let cut = first - before;
  if (!Number.isFinite(cut) || cut <= 1) return { text, marks };
  // Never through a character.
  if (/[\uDC00-\uDFFF]/.test(text[cut]!)) cut += 1;
  return {
    text: `…${text.slice(cut)}`,
    marks: marks.map(([start, end]) => [start - cut + 1, end - cut + 1]),
  };
}

/** Cuts a text at the ends of its marks; marks that overlap or lie outside are joined or cut. */
export function stretches(text: string, marks: readonly (readonly [number, number])[]): Stretch[] {
  const sorted = [...marks].sort((one, other) => one[0] - other[0]);
  const found: Stretch[] = [];
  let at = 0;
  for (const [start, end] of sorted) {
    const from = Math.max(start, at);
    const to = Math.min(end, text.length);
    if (to <= from) continue;
    if (from > at) found.push({ text: text.slice(at, from), marked: false });
    found.push({ text: text.slice(from, to), marked: true });
    at = to;
  }
  if (at < text.length || found.length === 0) found.push({ text: text.slice(at), marked: false });
  return found;
}
