import { SvelteMap } from "svelte/reactivity";
import { SEQUENCE_GAP, caps, isPress, isTyping, stroke } from "./keys.ts";

/** One thing that the user can do: key, palette, help and tooltip follow from it. */
export interface Action {
  /** A dotted name, unique among what is registered ("live.pause"). */
  id: string;
  /** What it does, as a menu would say it. */
  title: string;
  /** The heading under which help lists it. */
  group: string;
  /** Its bindings; the first is shown. */
  keys: string[];
  /** Whether it can be done now; always, if absent. */
  when?: () => boolean;
  /** Whether its keys work while the user types in a field (those with Ctrl do so anyway). */
  typing?: boolean;
  /** Whether the palette leaves it out (keys that only move). */
  quiet?: boolean;
  /** Does it. */
  run: () => void;
}

// Help and palette are drawn anew when a view brings or takes actions.
const registered = new SvelteMap<string, Action>();

/** Adds actions; what is returned takes them out again. A later action of the same id stands before the earlier. */
export function register(actions: Action[]): () => void {
  for (const action of actions) registered.set(action.id, action);
  return () => {
    for (const action of actions) if (registered.get(action.id) === action) registered.delete(action.id);
  };
}

/** Every action that is registered, in order of registration. */
export function everyAction(): Action[] {
  return [...registered.values()];
}

/** Every action that can be done now, in order of registration. */
export function available(): Action[] {
  return [...registered.values()].filter((action) => action.when?.() ?? true);
}

/** The binding of an action that is shown ("y m", "Ctrl+K"); empty where it has none, or is not there. */
export function keyOf(id: string): string {
  return registered.get(id)?.keys[0] ?? "";
}

/** The same as a menu notes it: "y m", "Ctrl K". */
export function note(id: string): string {
  return caps(keyOf(id)).join(" ");
}

/** A tooltip for what an action does too, with its key: "Pause (p)". */
export function hint(id: string, text: string): string {
  const keys = note(id);
  return keys === "" ? text : `${text} (${keys})`;
}

/** Finds the action that a stroke completes, newest registration first; `true` says that a sequence has begun. */
export function match(pressed: string, pending: string, typing: boolean): Action | boolean {
  const sequence = pending ? `${pending} ${pressed}` : pressed;
  let begun = false;
  for (const action of available().reverse()) {
    for (const binding of action.keys) {
      const allowed = !typing || action.typing || binding.startsWith("Ctrl+");
      if (!allowed) continue;
      if (binding === sequence) return action;
      if (binding.startsWith(`${sequence} `)) begun = true;
    }
  }
  return begun;
}

/** Answers keys anywhere in the page. Returns what ends it. */
export function listenToKeys(target: Window): () => void {
  let pending = "";
  let timer: ReturnType<typeof setTimeout> | undefined;

  function clear(): void {
    pending = "";
    clearTimeout(timer);
  }

  function onKeyDown(event: KeyboardEvent): void {
    if (
      event.defaultPrevented ||
      event.isComposing ||
      ["Control", "Shift", "Alt", "Meta"].includes(event.key)
    )
      return;
    // A dialog keeps all keys to itself, and so do an open menu and a popover.
    const isOver =
      event.target instanceof Element && event.target.closest("[role=menu], [role=dialog]") !== null;
    if (isOver || isPress(event) || target.document.querySelector("[data-modal]")) return;
    const pressed = stroke(event);
    const typing = isTyping(event.target);
    let found = match(pressed, pending, typing);
    if (found === false && pending) found = match(pressed, "", typing);
    if (found === false) return clear();
    event.preventDefault();
    if (found === true) {
      clear();
      pending = pressed;
      timer = setTimeout(clear, SEQUENCE_GAP);
      return;
    }
    clear();
    found.run();
  }

  target.addEventListener("keydown", onKeyDown);
  return () => {
    clear();
    target.removeEventListener("keydown", onKeyDown);
  };
}
