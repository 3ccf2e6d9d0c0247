/** Figures and foreign text in words. Nothing here computes: figures come from Rust, this only writes them. */
import type { ErrorClass, Operation, Stage, TimingPart } from "../generated/api.ts";

/**
 * The language in which to write figures. Under `LANG=C` WebKitGTK reports "C", which every `Intl` constructor
 * refuses, so the choice is made once, here.
 */
export const locale = saneLocale(globalThis.navigator?.languages ?? []);

/** The first of `wanted` that `Intl` accepts, else English. */
export function saneLocale(wanted: readonly string[]): string {
  for (const each of wanted) {
    try {
      const [found] = Intl.NumberFormat.supportedLocalesOf([each]);
      if (found !== undefined) return found;
    } catch {
      // Not a language tag.
    }
  }
  return "en";
}

/** What stands where nothing is stated. */
export const NONE = "–";

const whole = new Intl.NumberFormat(locale, { maximumFractionDigits: 0 });

/** A count in full: "12,403". */
export function count(value: number): string {
  return whole.format(value);
}

/** A count with its noun: "1 span", "12 spans". */
export function counted(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

/** A number with at most three digits that say something, as "1.2" of 1.234. */
function short(value: number): string {
  if (value >= 100) return value.toFixed(0);
  return value >= 10 ? value.toFixed(1).replace(/\.0$/, "") : value.toFixed(2).replace(/\.?0+$/, "");
}

/** A count made short: "88", "1.2k", "3.4M". */
export function compact(value: number | null): string {
  if (value === null || value < 0) return NONE;
  if (value < 1_000) return count(value);
  const [by, unit] = value < 999_500 ? [1e3, "k"] : value < 999_500_000 ? [1e6, "M"] : [1e9, "B"];
  const scaled = value / (by as number);
  return `${scaled >= 100 ? scaled.toFixed(0) : scaled.toFixed(1).replace(/\.0$/, "")}${unit}`;
}

/** Tokens in and out: "12.4k→1.1k"; "4 in" where only one is stated. */
export function tokens(input: number | null, output: number | null): string {
  if (input !== null && output === null) return `${compact(input)} in`;
  if (input === null && output !== null) return `${compact(output)} out`;
  return input === null && output === null ? NONE : `${compact(input)}→${compact(output)}`;
}

/** A duration in nanoseconds: "840µs", "12ms", "1.84s", "4m 12s", "2h 5m", "3d 4h". */
export function duration(nanos: number | null): string {
  if (nanos === null || nanos < 0) return NONE;
  if (nanos < 1e3) return `${nanos.toFixed(0)}ns`;
  if (nanos < 999_500) return `${short(nanos / 1e3)}µs`;
  if (nanos < 999_500_000) return `${short(nanos / 1e6)}ms`;
  if (nanos < 59_950_000_000) return `${short(nanos / 1e9)}s`;
  const seconds = Math.round(nanos / 1e9);
  const pair = (big: number, bigUnit: string, small: number, smallUnit: string): string =>
    small === 0 ? `${big}${bigUnit}` : `${big}${bigUnit} ${small}${smallUnit}`;
  if (seconds < 3_600) return pair(Math.floor(seconds / 60), "m", seconds % 60, "s");
  const minutes = Math.round(seconds / 60);
  if (minutes < 1_440) return pair(Math.floor(minutes / 60), "h", minutes % 60, "m");
  const hours = Math.round(minutes / 60);
  return pair(Math.floor(hours / 24), "d", hours % 24, "h");
}

// Money is written in two ways and no third. At a glance, where one compares (lists, heads, bars): `cost`. Where it is
// accounted for, so that the lines of a bill add up to its total (the ledger, what if, the sentence on an estimate):
// `exact`. A figure at a glance leads to the exact one.

const cents = new Intl.NumberFormat(locale, { minimumFractionDigits: 2, maximumFractionDigits: 2 });

/**
 * US dollars at a glance, at most eight characters below $1,000: cents from $1 ("$12.41"), a tenth of a cent from ten
 * cents ("$0.840"), a hundredth of one below ("$0.0093"). Less than that is "<$0.0001", and nothing is "$0".
 */
export function cost(usd: number | null): string {
  if (usd === null || usd < 0) return NONE;
  if (usd === 0) return "$0";
  if (usd < 0.0001) return "<$0.0001";
  if (usd < 0.099_95) return `$${usd.toFixed(4)}`;
  return usd < 0.9995 ? `$${usd.toFixed(3)}` : `$${cents.format(usd)}`;
}

/** An exact amount in nano-dollars: "$0.00275", in full and without needless zeros, yet with its cents ("$12.00"). */
export function exact(nanos: number): string {
  const digits = nanos.toFixed(0).padStart(10, "0");
  const fraction = digits.slice(-9).replace(/0+$/, "").padEnd(2, "0");
  return `$${digits.slice(0, -9)}.${fraction}`;
}

/** Bytes in powers of 1,000: "812 B", "214 MB", "2 GB". */
export function bytes(value: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let scaled = value;
  let unit = 0;
  while (scaled >= 999.5 && unit < units.length - 1) {
    scaled /= 1_000;
    unit += 1;
  }
  return `${unit === 0 ? count(scaled) : short(scaled)} ${units[unit]}`;
}

/** How many characters a text has: "1,204 characters"; a pair of surrogates is one. */
export function characters(text: string): string {
  const pairs = text.match(/[\uD800-\uDBFF][\uDC00-\uDFFF]/g)?.length ?? 0;
  return counted(text.length - pairs, "character");
}

/** A share of one: "3.1 %". */
export function percent(share: number | null): string {
  return share === null ? NONE : `${short(share * 100)} %`;
}

/** A difference as a share of what it is compared with: "+27 %", "−94 %", "±0 %"; small ones have decimals. */
export function change(share: number | null): string {
  if (share === null) return NONE;
  const size = short(Math.abs(share) * 100);
  if (Number(size) === 0) return "±0 %";
  return `${share < 0 ? "−" : "+"}${size} %`;
}

/** A share of one without decimals, for where it is only a hint: "54 %". */
export function roughPercent(share: number): string {
  return `${(share * 100).toFixed(0)} %`;
}

/** A rate with no false digits: "88", "9.4". */
export function rate(value: number): string {
  return value >= 10 ? count(value) : value.toFixed(1).replace(/\.0$/, "");
}

/** A heuristic's score, with three decimals and no minus before nothing: "-0.083". */
export function score(value: number): string {
  const text = value.toFixed(3);
  return Number(text) === 0 ? "0" : text;
}

const clock = new Intl.DateTimeFormat(locale, {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hourCycle: "h23",
});
const day = new Intl.DateTimeFormat(locale, { month: "short", day: "numeric" });
const full = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "long" });

/** The far ends of what a `Date` holds, in microseconds. */
const MAX_MICROS = 8.64e18;

function date(micros: number): Date | null {
  return Math.abs(micros) <= MAX_MICROS ? new Date(micros / 1_000) : null;
}

/** The time of day of an instant in microseconds: "14:03:21". */
export function time(micros: number): string {
  const at = date(micros);
  return at ? clock.format(at) : NONE;
}

/** An instant as a list shows it: the time today, else the day and the time. */
export function when(micros: number, now = Date.now()): string {
  const at = date(micros);
  if (!at) return NONE;
  return at.toDateString() === new Date(now).toDateString()
    ? clock.format(at)
    : `${day.format(at)} ${clock.format(at)}`;
}

/** An instant in full. */
export function instant(micros: number): string {
  const at = date(micros);
  return at ? full.format(at) : NONE;
}

/** How long ago an instant was: "now", "12s ago", "4m ago", "3d ago". */
export function ago(micros: number, now = Date.now()): string {
  const seconds = Math.floor(now / 1_000 - micros / 1_000_000);
  if (seconds < 2) return "now";
  if (seconds < 60) return `${seconds}s ago`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)}m ago`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3_600)}h ago`;
  return `${count(Math.floor(seconds / 86_400))}d ago`;
}

// Controls but tab and line feed; soft hyphen; zero-width and bidirectional signs; line separators; tags; lone
// surrogates. The zero-width joiner stays: emoji and several scripts are made with it.
const UNSEEN =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200c\u200e\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\u{e0000}-\u{e007f}]|\p{Cs}/gu;

const CONTROLS =
  "NUL SOH STX ETX EOT ENQ ACK BEL BS TAB LF VT FF CR SO SI DLE DC1 DC2 DC3 DC4 NAK SYN ETB CAN EM SUB ESC FS GS RS US".split(
    " ",
  );

/** Writes one unseen character so that it is seen: "⟨ESC⟩" for a control, "⟨U+202E⟩" for the rest. */
function escape(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  return `⟨${CONTROLS[code] ?? `U+${code.toString(16).toUpperCase().padStart(4, "0")}`}⟩`;
}

/**
 * Foreign text made safe to look at: control, bidirectional and zero-width characters are shown, not obeyed. Every
 * text that came with telemetry passes through here on its way to the screen, and never on its way to the clipboard.
 */
export function visible(text: string): string {
  return text.replace(/\r\n/g, "\n").replace(UNSEEN, escape);
}

/** Foreign text on one line, cut to `most` characters. */
export function line(text: string, most = 400): string {
  // Twice the units hold at least as many characters; the rest is never looked at.
  const head = text.slice(0, most * 2);
  const characters = [...visible(head.replace(/\s+/g, " ").trim())];
  const cut = characters.length > most || text.length > head.length;
  return cut ? `${characters.slice(0, most).join("")}…` : characters.join("");
}

/** A message of the engine as a sentence of its own: it begins with a capital. */
export function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** A text with a full stop where it has no end yet. It may begin with a name, which is not written anew. */
export function sentence(text: string): string {
  return /[.!?…]$/.test(text) ? text : `${text}.`;
}

/** Words that name the class of an error. */
export const ERROR_CLASSES = {
  rate_limit: "Rate limit",
  timeout: "Timeout",
  "5xx": "Server error",
  auth: "Authentication",
  context_length: "Context length",
  content_filter: "Content filter",
  tool: "Tool",
  cancelled: "Cancelled",
  other: "Other error",
} as const satisfies Record<ErrorClass, string>;

/** Words that name a stage of a pipeline. */
export const STAGES = {
  retrieval: "Retrieval",
  prompt_assembly: "Prompt assembly",
  inference: "Inference",
  parsing: "Parsing",
  guardrail: "Guardrail",
  post_processing: "Post-processing",
} as const satisfies Record<Stage, string>;

/** Words that name a part of a call's time. */
export const TIMING_PARTS = {
  queue: "queue",
  network: "network",
  first_token: "first token",
  generation: "generation",
  post_processing: "post-processing",
  rest: "rest",
} as const satisfies Record<TimingPart, string>;

/** Words that name an operation and its letter. */
export const OPERATIONS = {
  llm: { title: "LLM", letter: "L" },
  agent: { title: "Agent", letter: "A" },
  chain: { title: "Chain", letter: "C" },
  tool: { title: "Tool", letter: "T" },
  retriever: { title: "Retriever", letter: "R" },
  embedding: { title: "Embedding", letter: "E" },
  reranker: { title: "Reranker", letter: "E" },
  guardrail: { title: "Guardrail", letter: "G" },
  evaluator: { title: "Evaluator", letter: "V" },
  other: { title: "Other", letter: "O" },
} as const satisfies Record<Operation, { title: string; letter: string }>;
