import { dismiss, say, sayError } from "./toasts.svelte.ts";

/** Milliseconds in which a step that is final can be taken back. */
export const UNDO_TIME = 10_000;

interface Pending {
  undo: () => void;
}

const pending: Pending[] = [];

/**
 * Does something final, but only after ten seconds in which a toast offers to take it back. A page that closes before
 * does nothing: what was to be deleted is then still there.
 */
export function later(text: string, commit: () => Promise<unknown>, takenBack: () => void): void {
  const timer = setTimeout(() => {
    forget();
    commit().catch((error: unknown) => {
      takenBack();
      sayError("Could not delete", error);
    });
  }, UNDO_TIME);

  function forget(): void {
    pending.splice(pending.indexOf(entry), 1);
    dismiss(toast);
  }

  const entry: Pending = {
    undo() {
      clearTimeout(timer);
      forget();
      takenBack();
    },
  };
  pending.push(entry);
  const toast = say(text, { act: { title: "Undo", run: entry.undo }, stay: UNDO_TIME });
}

/** Whether something can be taken back. */
export function canUndo(): boolean {
  return pending.length > 0;
}

/** Takes the newest step back. */
export function undo(): void {
  pending.at(-1)?.undo();
}
