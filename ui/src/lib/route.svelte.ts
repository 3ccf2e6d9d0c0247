/**
 * All view state in the URL's hash: `#/<view>/<rest…>?<key>=<value>`. Every change says whether it is a step that the
 * back button undoes (`push`) or a refinement of where one is (`replace`).
 */

/** Whether a change of place is a step of its own. */
export type Step = "push" | "replace";

/** A place in the app. */
export interface Place {
  /** The parts of the path; the first names the view. */
  path: string[];
  /** The parameters. */
  query: URLSearchParams;
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** Reads a hash; anything unreadable is kept as text. */
export function parse(hash: string): Place {
  const [path = "", query = ""] = hash.replace(/^#\/?/, "").split(/\?(.*)/s);
  return { path: path.split("/").filter(Boolean).map(decode), query: new URLSearchParams(query) };
}

/** Writes a hash. */
export function format({ path, query }: Place): string {
  const text = query.toString();
  return `#/${path.map(encodeURIComponent).join("/")}${text ? `?${text}` : ""}`;
}

let hash = $state.raw(globalThis.location?.hash ?? "");
const place = $derived(parse(hash));

function follow(): void {
  // A plain link made this entry: it was taken from within the app.
  if (history.state === null) history.replaceState({ inside: true }, "");
  hash = location.hash;
}

// The entry that the app began with is the only one that leads out of it.
if (globalThis.history?.state === null) history.replaceState({ inside: false }, "");
globalThis.addEventListener?.("popstate", follow);
globalThis.addEventListener?.("hashchange", follow);

/** Where the app is. */
export const route = {
  /** The view's name; empty at the start. */
  get view(): string {
    return place.path[0] ?? "";
  },
  /** The parts of the path after the view's name. */
  get rest(): string[] {
    return place.path.slice(1);
  },
  /** One parameter. */
  get(key: string): string | null {
    return place.query.get(key);
  },
  /** All values of one parameter, each once. */
  all(key: string): string[] {
    return [...new Set(place.query.getAll(key))];
  },
  /** The hash itself. */
  get hash(): string {
    return hash;
  },
};

/** Goes to a hash. */
export function go(to: string, step: Step = "push"): void {
  if (to === location.hash) return;
  // What a step was taken from is within the app, and stays so while the step is refined.
  if (step === "push") history.pushState({ inside: true }, "", to);
  else history.replaceState(history.state, "", to);
  hash = location.hash;
}

/** Goes to where the reader came from within the app, else to a hash: never out of the app. */
export function goBack(otherwise: string): void {
  if ((history.state as { inside?: boolean } | null)?.inside) history.back();
  else go(otherwise, "replace");
}

/** Changes parameters of the present place: `null` and the empty list remove one. */
export function setQuery(changes: Record<string, string | string[] | null>, step: Step): void {
  const query = new URLSearchParams(place.query);
  for (const [key, value] of Object.entries(changes)) {
    query.delete(key);
    for (const each of typeof value === "string" ? [value] : (value ?? [])) query.append(key, each);
  }
  go(format({ path: place.path, query }), step);
}

/** Writes the hash of the ledger, of what the parameters narrow it to. */
export function ledgerHash(narrowed: Record<string, string | string[] | null>): string {
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(narrowed))
    for (const each of typeof value === "string" ? [value] : (value ?? [])) query.append(key, each);
  return format({ path: ["ledger"], query });
}

/** Writes the hash of the ledger of one trace: the calls that its tokens and cost come from. */
export function traceLedgerHash({ traceId, source }: { traceId: string; source: number }): string {
  return ledgerHash({ text: traceId, source: source === 0 ? null : String(source) });
}

/** Writes the hash of a trace, and of a span in it. */
export function traceHash(traceId: string, source: number, spanId?: string): string {
  const query = new URLSearchParams();
  if (source !== 0) query.set("source", String(source));
  if (spanId !== undefined) query.set("span", spanId);
  return format({ path: ["trace", traceId], query });
}
