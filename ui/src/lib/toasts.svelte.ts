/** What happened, said once at the edge of the screen and kept in a log. */

/** One message. */
export interface Toast {
  id: number;
  tone: "info" | "error";
  /** What happened. */
  text: string;
  /** Why, and what to do next. */
  detail: string | null;
  /** What can be done about it. */
  act: { title: string; run: () => void } | null;
  /** Milliseconds since the epoch. */
  at: number;
}

/** What a message may carry besides its text. */
export interface ToastOptions {
  tone?: Toast["tone"];
  detail?: string | null;
  act?: Toast["act"];
  /** Milliseconds on the screen; `null` stays until dismissed. */
  stay?: number | null;
}

const SHOWN = 3;
const KEPT = 100;

let next = 1;
let shown = $state.raw<Toast[]>([]);
let log = $state.raw<Toast[]>([]);
let unread = $state(0);

/** The messages. */
export const toasts = {
  /** Those on the screen, at most three. */
  get shown(): Toast[] {
    return shown;
  },
  /** All since the start, newest first, at most 100. */
  get log(): Toast[] {
    return log;
  },
  /** Errors since the log was last read. */
  get unread(): number {
    return unread;
  },
};

/** Says something. Returns the id to take it back with. */
export function say(
  text: string,
  { tone = "info", detail = null, act = null, stay }: ToastOptions = {},
): number {
  const toast: Toast = { id: next++, tone, text, detail, act, at: Date.now() };
  shown = [...shown, toast].slice(-SHOWN);
  log = [toast, ...log].slice(0, KEPT);
  if (tone === "error") unread += 1;
  const time = stay === undefined ? (tone === "error" ? 12_000 : 5_000) : stay;
  if (time !== null) setTimeout(() => dismiss(toast.id), time);
  return toast.id;
}

/** Says that something failed. */
export function sayError(what: string, error: unknown): void {
  say(what, { tone: "error", detail: error instanceof Error ? error.message : String(error) });
}

/** Takes a message off the screen; the log keeps it. */
export function dismiss(id: number): void {
  shown = shown.filter((toast) => toast.id !== id);
}

/** Notes that the log was read. */
export function readLog(): void {
  unread = 0;
}
