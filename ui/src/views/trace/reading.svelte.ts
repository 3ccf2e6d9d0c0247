// How the reader reads spans: kept from span to span, as long as the page lives.
import type { Tab } from "./tabs.ts";

let tab = $state<Tab>("chat");
let raw = $state(false);

/** The chosen tab, and whether texts are shown as they came instead of as Markdown. */
export const reading = {
  get tab(): Tab {
    return tab;
  },
  set tab(next: Tab) {
    tab = next;
  },
  get raw(): boolean {
    return raw;
  },
  set raw(next: boolean) {
    raw = next;
  },
};
