// Marks passages of a text that is on the screen as Markdown, where offsets into the source no longer hold.

/** The names of the highlights that `::highlight()` colours. */
type Name = "clew-evidence" | "clew-cited";

/** Pieces and offsets of both ends of a passage. */
type Found = [number, number, number, number];

// Markdown's own signs and all white space are passed over, on both sides.
const PASSED = /[\s*_`~#>[\]()|\\-]/;

/** Finds each passage in a text whose pieces are given; answers piece and offset of both ends. */
export function locate(pieces: readonly string[], passages: readonly string[]): Found[] {
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
  const found: Found[] = [];
  for (const passage of passages) {
    const wanted = [...passage].filter((character) => !PASSED.test(character)).join("");
    const at = wanted === "" ? -1 : flat.indexOf(wanted);
    const first = where[at];
    const last = where[at + wanted.length - 1];
    if (first !== undefined && last !== undefined) found.push([...first, last[0], last[1] + 1]);
  }
  return found;
}

/** An id that a text names: the how manieth of all its occurrences in the text as received, from 0. */
export interface Cited {
  id: string;
  nth: number;
}

/** Counts the occurrences of ids before where each is named. */
export function citedIn(
  text: string,
  citations: readonly { id: string; range: readonly [number, number] }[],
): Cited[] {
  return citations.map(({ id, range }) => ({ id, nth: occurrences(text.slice(0, range[0]), id).length }));
}

function occurrences(text: string, id: string): number[] {
  const found: number[] = [];
  for (let at = text.indexOf(id); id !== "" && at >= 0; at = text.indexOf(id, at + id.length)) found.push(at);
  return found;
}

/** Finds ids in a text whose pieces are given. */
export function locateCited(pieces: readonly string[], cited: readonly Cited[]): Found[] {
  const starts: number[] = [];
  let length = 0;
  for (const piece of pieces) {
    starts.push(length);
    length += piece.length;
  }
  const flat = pieces.join("");
  const place = (at: number): [number, number] => {
    const piece = starts.findLastIndex((start) => start <= at);
    return [piece, at - starts[piece]!];
  };
  const known = new Map<string, number[]>();
  return cited.flatMap(({ id, nth }): Found[] => {
    const all = known.get(id) ?? occurrences(flat, id);
    known.set(id, all);
    const at = all[nth];
    if (at === undefined) return [];
    const [last, end] = place(at + id.length - 1);
    return [[...place(at), last, end + 1]];
  });
}

/** Attaches to an element: marks the passages in its text for as long as it is shown. */
export function evidence(passages: readonly string[]): Attached {
  return passages.length === 0 ? nothing : highlight("clew-evidence", (pieces) => locate(pieces, passages));
}

/** Attaches to an element: marks the ids of documents in its text. */
export function cites(cited: readonly Cited[]): Attached {
  return cited.length === 0 ? nothing : highlight("clew-cited", (pieces) => locateCited(pieces, cited));
}

type Attached = (element: HTMLElement) => (() => void) | undefined;

const nothing: Attached = () => undefined;

function highlight(name: Name, find: (pieces: readonly string[]) => Found[]): Attached {
  return (element) => {
    if (!("highlights" in CSS)) return undefined;
    const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
    const texts: Text[] = [];
    for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) texts.push(node as Text);
    const ranges = find(texts.map((text) => text.data)).map(([first, from, last, to]) => {
      const range = new Range();
      range.setStart(texts[first]!, from);
      range.setEnd(texts[last]!, to);
      return range;
    });
    const highlight = CSS.highlights.get(name) ?? new Highlight();
    CSS.highlights.set(name, highlight);
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
  /** Whether it names a document. */
  cited: boolean;
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

/** Cuts a text at the ends of its marks; marks that overlap are joined, and what lies outside is cut. */
export function stretches(
  text: string,
  marks: readonly (readonly [number, number])[],
  cited: readonly (readonly [number, number])[] = [],
): Stretch[] {
  const ends = [...marks, ...cited].flat().filter((end) => end > 0 && end < text.length);
  const cuts = [...new Set([0, ...ends, text.length])].sort((one, other) => one - other);
  const within = (ranges: typeof marks, from: number, to: number): boolean =>
    ranges.some(([start, end]) => start <= from && end >= to);
  const found: Stretch[] = [];
  cuts.slice(0, -1).forEach((from, index) => {
    const to = cuts[index + 1]!;
    const stretch = {
      text: text.slice(from, to),
      marked: within(marks, from, to),
      cited: within(cited, from, to),
    };
    const before = found.at(-1);
    if (before?.marked === stretch.marked && before.cited === stretch.cited) before.text += stretch.text;
    else found.push(stretch);
  });
  return found.length === 0 ? [{ text: "", marked: false, cited: false }] : found;
}
