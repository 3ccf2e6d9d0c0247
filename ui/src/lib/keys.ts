/**
 * Key bindings as text: `"j"`, `"Ctrl+K"` (⌘ on a Mac), `"Shift+ArrowLeft"`, and sequences such as `"g l"`.
 * A letter or sign stands for what is typed ("?" and "N" need no "Shift+").
 */

/** What of a keyboard event matters here. */
export type Stroke = Pick<KeyboardEvent, "key" | "ctrlKey" | "metaKey" | "altKey" | "shiftKey">;

const NAMES: ReadonlyMap<string, string> = new Map([
  [" ", "Space"],
  ["Esc", "Escape"],
  ["Del", "Delete"],
]);

/** Milliseconds in which the second key of a sequence must follow. */
export const SEQUENCE_GAP = 1_000;

/** Writes an event in the form of a binding. */
export function stroke(event: Stroke, mac = isMac()): string {
  const key = NAMES.get(event.key) ?? event.key;
  const single = [...key].length === 1;
  const mod = mac ? event.metaKey : event.ctrlKey;
  const parts = [];
  if (mod) parts.push("Ctrl");
  if (event.altKey) parts.push("Alt");
  if (event.shiftKey && (!single || mod)) parts.push("Shift");
  parts.push(single && mod ? key.toUpperCase() : key);
  return parts.join("+");
}

/** Whether the machine's keyboard has ⌘ for Ctrl. */
export function isMac(): boolean {
  return /Mac|iPhone|iPad/.test(globalThis.navigator?.platform ?? "");
}

/** Whether keys go into a text field. */
export function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (
    target.isContentEditable ||
    target instanceof HTMLTextAreaElement ||
    target instanceof HTMLSelectElement
  )
    return true;
  return (
    target instanceof HTMLInputElement && !["checkbox", "radio", "range", "button"].includes(target.type)
  );
}

/** Whether a key that presses things is meant for the control that has the focus. */
export function isPress(event: KeyboardEvent): boolean {
  if (!["Enter", " "].includes(event.key) || event.ctrlKey || event.metaKey) return false;
  return (
    event.target instanceof Element &&
    event.target.closest("button, a[href], summary, label, select") !== null
  );
}

const SHOWN: ReadonlyMap<string, string> = new Map([
  ["ArrowUp", "↑"],
  ["ArrowDown", "↓"],
  ["ArrowLeft", "←"],
  ["ArrowRight", "→"],
  ["Escape", "Esc"],
  ["Delete", "Del"],
]);

/** Splits a binding into the caps to draw. */
export function caps(binding: string, mac = isMac()): string[] {
  return binding.split(" ").flatMap((each) => {
    // A binding to "+" itself ends in it.
    const parts = each.endsWith("+") ? [...each.slice(0, -1).split("+").slice(0, -1), "+"] : each.split("+");
    return parts.map((part) => (part === "Ctrl" && mac ? "⌘" : (SHOWN.get(part) ?? part)));
  });
}
