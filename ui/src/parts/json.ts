// A JSON reader that keeps what JSON.parse loses: digits of long numbers, duplicate keys, the order of keys, and keys
// such as `__proto__`. It reads to a flat list in pre-order, so neither it nor the tree that shows it recurses.

/** Nesting beyond this is not read as JSON. */
export const DEEPEST = 64;
/** Longer texts are not read as JSON. */
export const LONGEST = 1_048_576;

/** What a node is. */
export type JsonKind = "object" | "array" | "string" | "number" | "literal";

/** One value. */
export interface JsonNode {
  /** Its key in the object above; `null` in arrays and at the top. */
  key: string | null;
  /** What it is. */
  kind: JsonKind;
  /** A string's content, else the characters as they stood; empty for objects and arrays. */
  text: string;
  /** Levels below the top. */
  depth: number;
  /** Number of entries of an object or array. */
  size: number;
  /** Nodes below this one; they follow it directly. */
  descendants: number;
}

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const STRING = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const LITERAL = /true|false|null/y;
const SPACE = /[ \t\r\n]*/y;

/** Reads JSON text to its values in pre-order; `null` where it is not JSON, too deep or too long. */
export function readJson(text: string): JsonNode[] | null {
  if (text.length > LONGEST) return null;
  const nodes: JsonNode[] = [];
  const open: number[] = [];
  let at = 0;

  const skip = (): void => {
    SPACE.lastIndex = at;
    SPACE.exec(text);
    at = SPACE.lastIndex;
  };
  const take = (pattern: RegExp): string | null => {
    pattern.lastIndex = at;
    const found = pattern.exec(text);
    if (found === null) return null;
    at = pattern.lastIndex;
    return found[0];
  };
  const takeString = (): string | null => {
    const found = take(STRING);
    return found === null ? null : (JSON.parse(found) as string);
  };

  for (;;) {
    // A value is due: inside an object its key comes first.
    let key: string | null = null;
    const above = open.length === 0 ? undefined : nodes[open[open.length - 1]!];
    skip();
    if (above?.kind === "object") {
      key = takeString();
      skip();
      if (key === null || text[at] !== ":") return null;
      at += 1;
      skip();
    }
    if (above !== undefined) above.size += 1;
    const node: JsonNode = { key, kind: "literal", text: "", depth: open.length, size: 0, descendants: 0 };
    const first = text[at];
    if (first === "{" || first === "[") {
      if (open.length >= DEEPEST) return null;
      node.kind = first === "{" ? "object" : "array";
      at += 1;
      skip();
      if (text[at] === (first === "{" ? "}" : "]")) at += 1;
      else {
        open.push(nodes.push(node) - 1);
        continue;
      }
    } else if (first === '"') {
      const content = takeString();
      if (content === null) return null;
      node.kind = "string";
      node.text = content;
    } else {
      const number = take(NUMBER);
      const found = number ?? take(LITERAL);
      if (found === null) return null;
      node.kind = number === null ? "literal" : "number";
      node.text = found;
    }
    nodes.push(node);

    // A value has ended: close what ends with it.
    for (;;) {
      skip();
      const index = open[open.length - 1];
      if (index === undefined) return at === text.length ? nodes : null;
      const parent = nodes[index]!;
      const sign = text[at];
      at += 1;
      if (sign === ",") break;
      if (sign !== (parent.kind === "object" ? "}" : "]")) return null;
      parent.descendants = nodes.length - index - 1;
      open.pop();
    }
  }
}

/** Whether a text is a JSON object or array; a Markdown link begins like one. */
export function isJson(text: string): boolean {
  return /^\s*[[{]/.test(text) && readJson(text) !== null;
}
