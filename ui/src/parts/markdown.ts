// Markdown as a tree of allowed nodes. marked's lexer finds the structure; what is not on the list below, raw HTML
// above all, becomes plain text. The text of a model is foreign: nothing here ever turns into markup.
import { lexer, type Token, type Tokens } from "marked";

/** Text longer than this is shown raw: the lexer would hold the page up. */
export const LONGEST = 200_000;
/** Nesting beyond this becomes plain text. */
const DEEPEST = 24;

/** An allowed node. */
export type MarkdownNode =
  | { type: "text" | "codespan"; text: string }
  | { type: "code"; text: string; language: string }
  | { type: "rule" | "break" }
  | { type: "paragraph" | "quote" | "strong" | "emphasis" | "deleted" | "plain"; children: MarkdownNode[] }
  | { type: "heading"; level: number; children: MarkdownNode[] }
  | { type: "list"; start: number | null; items: MarkdownItem[] }
  | { type: "table"; header: MarkdownCell[]; rows: MarkdownCell[][] }
  | { type: "link"; target: LinkTarget; children: MarkdownNode[] }
  | { type: "image"; url: string; description: string };

/** One item of a list. */
export interface MarkdownItem {
  /** Whether it is ticked; `null` where it is no task. */
  checked: boolean | null;
  /** What it says. */
  children: MarkdownNode[];
}

/** One cell of a table. */
export interface MarkdownCell {
  /** Its alignment. */
  align: "left" | "center" | "right" | null;
  /** What it says. */
  children: MarkdownNode[];
}

/** Where a link leads. */
export interface LinkTarget {
  /** The address: in its one spelling where it may be opened, else as written. */
  url: string;
  /** The host that would really be asked (in punycode); `null` where the address may not be opened. */
  host: string | null;
}

/** Reads a link's address: only plain http and https may be opened. One that carries a name before its host may not. */
export function linkTarget(url: string): LinkTarget {
  try {
    const { protocol, host, username, password, href } = new URL(url);
    const isPlain = (protocol === "http:" || protocol === "https:") && username === "" && password === "";
    if (isPlain && host !== "") return { url: href, host };
  } catch {
    // Relative and broken addresses lead nowhere: a trace has no base.
  }
  return { url, host: null };
}

const ENTITIES: ReadonlyMap<string, string> = new Map([
  ["amp", "&"],
  ["lt", "<"],
  ["gt", ">"],
  ["quot", '"'],
  ["apos", "'"],
  ["nbsp", "\u00a0"],
]);

/** Resolves the character references that Markdown writers use; others stay as they stand. */
export function decodeEntities(text: string): string {
  return text.replace(/&(#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-z]{2,4});/g, (whole, name: string) => {
    if (!name.startsWith("#")) return ENTITIES.get(name) ?? whole;
    const hex = name[1] === "x" || name[1] === "X";
    const code = Number.parseInt(name.slice(hex ? 2 : 1), hex ? 16 : 10);
    return code > 0 && code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff)
      ? String.fromCodePoint(code)
      : whole;
  });
}

/** Reads Markdown; `null` where it is too long or too deeply nested to be read safely. */
export function readMarkdown(text: string): MarkdownNode[] | null {
  if (text.length > LONGEST) return null;
  try {
    return nodes(lexer(text, { gfm: true, breaks: true }), 0);
  } catch {
    // The lexer recurses over nested quotes and lists; a text made to exhaust it is shown raw.
    return null;
  }
}

function nodes(tokens: Token[], depth: number): MarkdownNode[] {
  return tokens.flatMap((token) => node(token as Tokens.Generic, depth));
}

function children(token: Tokens.Generic, depth: number): MarkdownNode[] {
  if (depth >= DEEPEST || token.tokens === undefined)
    return [{ type: "text", text: String(token["text"] ?? token.raw) }];
  return nodes(token.tokens, depth + 1);
}

function cell(found: Tokens.TableCell, depth: number): MarkdownCell {
  return { align: found.align, children: nodes(found.tokens, depth + 1) };
}

function node(token: Tokens.Generic, depth: number): MarkdownNode[] {
  switch (token.type) {
    case "space":
      return [];
    case "paragraph":
      return [{ type: "paragraph", children: children(token, depth) }];
    case "heading":
      return [{ type: "heading", level: (token as Tokens.Heading).depth, children: children(token, depth) }];
    case "blockquote":
      return [{ type: "quote", children: children(token, depth) }];
    case "strong":
      return [{ type: "strong", children: children(token, depth) }];
    case "em":
      return [{ type: "emphasis", children: children(token, depth) }];
    case "del":
      return [{ type: "deleted", children: children(token, depth) }];
    case "code": {
      const code = token as Tokens.Code;
      return [{ type: "code", text: code.text, language: code.lang ?? "" }];
    }
    case "codespan":
      return [{ type: "codespan", text: (token as Tokens.Codespan).text }];
    case "hr":
      return [{ type: "rule" }];
    case "br":
      return [{ type: "break" }];
    case "checkbox":
      return [];
    case "list": {
      const list = token as Tokens.List;
      const items = list.items.map((item) => ({
        checked: item.task ? item.checked === true : null,
        children: children(item, depth),
      }));
      return [{ type: "list", start: list.ordered ? Number(list.start) || 1 : null, items }];
    }
    case "table": {
      const table = token as Tokens.Table;
      return [
        {
          type: "table",
          header: table.header.map((each) => cell(each, depth)),
          rows: table.rows.map((row) => row.map((each) => cell(each, depth))),
        },
      ];
    }
    case "link":
      return [
        { type: "link", target: linkTarget((token as Tokens.Link).href), children: children(token, depth) },
      ];
    case "image": {
      const image = token as Tokens.Image;
      return [{ type: "image", url: image.href, description: image.text }];
    }
    case "escape":
      return [{ type: "text", text: (token as Tokens.Escape).text }];
    case "text":
      if (token.tokens !== undefined) return [{ type: "plain", children: children(token, depth) }];
      return [{ type: "text", text: decodeEntities((token as Tokens.Text).text) }];
    default:
      // Raw HTML, link definitions and whatever comes later: shown as written.
      return [{ type: "text", text: token.raw }];
  }
}
