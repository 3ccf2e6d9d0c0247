import { tick } from "svelte";

/**
 * Puts the keyboard back on a table whose entries are taken out and added: on what removes the entry at `index`, which
 * is the next one by now, else on the first field. A button that is gone or disabled has let it fall; wherever else it
 * is meanwhile, it stays.
 */
export async function refocus(table: HTMLElement | undefined, index = Infinity): Promise<void> {
  await tick();
  const at = document.activeElement;
  if (at !== null && at !== document.body && !at.matches(":disabled")) return;
  const removes = table?.querySelectorAll<HTMLElement>("[data-remove]");
  (removes?.[index] ?? table?.querySelector<HTMLElement>("input"))?.focus();
}
