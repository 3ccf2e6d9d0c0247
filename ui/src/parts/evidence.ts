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

const WORD_BEFORE = /(?:[\p{L}\p{N}_]|[\p{L}\p{N}_][-/.:#@])$/u;
const WORD_AFTER = /^(?:[\p{L}\p{N}_]|[-/.:#@][\p{L}\p{N}_])/u;
const LIST_BEFORE = /[[【][\p{L}\p{N} ,;^#-]*$/u;
const LIST_AFTER = /^[\p{L}\p{N} ,;^#-]*[\]】]/u;
/** An id with fewer characters is a number in brackets. */
const SHORTEST = 3;
const LONGEST_LIST = 40;
/** So many are marked. */
const MOST = 1_000;

/**
 * Finds ids in a text whose pieces are given: as words of their own, as the engine found them in the source; one of one
 * or two characters in brackets, or where it is all of a link's text. At most 1,000.
 */
export function locateCited(pieces: readonly string[], ids: readonly string[]): Found[] {
  const starts: number[] = [];
  let length = 0;
  for (const piece of pieces) {
    starts.push(length);
    length += piece.length;
  }
  const flat = pieces.join("");
  const place = (at: number): [number, number] => {
    let [piece, beyond] = [0, starts.length];
    while (beyond - piece > 1) {
      const middle = (piece + beyond) >> 1;
      if (starts[middle]! <= at) piece = middle;
      else beyond = middle;
    }
    return [piece, at - starts[piece]!];
  };
  const found: Found[] = [];
  for (const id of ids) {
    if (id === "") continue;
    for (let at = flat.indexOf(id); at >= 0; at = flat.indexOf(id, at + id.length)) {
      if (found.length === MOST) return found;
      const end = at + id.length;
      // Three units before are two characters, of which the first may be a half.
      if (
        WORD_BEFORE.test(flat.slice(Math.max(0, at - 3), at)) ||
        WORD_AFTER.test(flat.slice(end, end + 3))
      ) {
        continue;
      }
      const [first, from] = place(at);
      const [last, to] = place(end - 1);
      const listed =
        LIST_BEFORE.test(flat.slice(Math.max(0, at - LONGEST_LIST), at)) &&
        LIST_AFTER.test(flat.slice(end, end + LONGEST_LIST));
      if ([...id].length >= SHORTEST || listed || pieces[first]!.trim() === id) {
        found.push([first, from, last, to + 1]);
      }
    }
  }
  return found;
}

/** Attaches to an element: marks the passages in its text for as long as it is shown. */
export function evidence(passages: readonly string[]): Attached {
  return passages.length === 0 ? nothing : highlight("clew-evidence", (pieces) => locate(pieces, passages));
}

/** Attaches to an element: marks the ids of documents in its text. */
export function cites(ids: readonly string[]): Attached {
  return ids.length === 0 ? nothing : highlight("clew-cited", (pieces) => locateCited(pieces, ids));
}

type Attached = (element: HTMLElement) => (() => void) | undefined;

const nothing: Attached = () => undefined;

/** What stands within a line; any other element begins one. */
const INLINE: ReadonlySet<string> = new Set(["A", "BUTTON", "CODE", "DEL", "EM", "MARK", "SPAN", "STRONG"]);

function highlight(name: Name, find: (pieces: readonly string[]) => Found[]): Attached {
  return (element) => {
    if (!("highlights" in CSS)) return undefined;
    const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT | NodeFilter.SHOW_ELEMENT);
    const texts: Text[] = [];
    const pieces: string[] = [];
    for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
      if (node instanceof Text) {
        texts.push(node);
        pieces.push(node.data);
      } else if (pieces.length > 0 && !INLINE.has((node as Element).tagName)) {
        // No word goes on into the next line.
        pieces[pieces.length - 1] += "\n";
      }
    }
    const ranges = find(pieces).map(([first, from, last, to]) => {
      const range = new Range();
      range.setStart(texts[first]!, Math.min(from, texts[first]!.length));
      range.setEnd(texts[last]!, Math.min(to, texts[last]!.length));
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
