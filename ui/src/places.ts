import type { IconName } from "./parts/Icon.svelte";

/** A view that the sidebar leads to. A trace is a place too, but one is led there by its row. */
export interface PlaceEntry {
  id: string;
  title: string;
  icon: IconName;
  keys: string[];
  /** Stands at the foot of the sidebar. */
  foot?: boolean;
}

/** The views of the sidebar, from top to bottom. */
export const PLACES: readonly PlaceEntry[] = [
  { id: "live", title: "Live", icon: "radio", keys: ["g l"] },
  { id: "prompts", title: "Prompts", icon: "message", keys: ["g p"] },
  { id: "quality", title: "Quality", icon: "shield-check", keys: ["g q"] },
  { id: "trends", title: "Trends", icon: "trend", keys: ["g t"] },
  { id: "ledger", title: "Ledger", icon: "receipt", keys: ["g e"] },
  { id: "connect", title: "Connect", icon: "plug", keys: ["g c"], foot: true },
  { id: "settings", title: "Settings", icon: "settings", keys: ["Ctrl+,", "g ,"], foot: true },
];
