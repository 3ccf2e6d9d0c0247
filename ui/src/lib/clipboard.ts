import { say, sayError } from "./toasts.svelte.ts";

/** Puts text on the clipboard, exactly as it is, and says so. */
export async function copy(text: string, what: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    say(`Copied ${what}`, { stay: 2_000 });
    return true;
  } catch (error) {
    sayError(`Could not copy ${what}`, error);
    return false;
  }
}
