// The tabs of a span's panel, in the order of their keys.

/** Names a tab. */
export type Tab = "chat" | "io" | "attributes" | "events" | "logs" | "raw";

/** The tabs. */
export const TABS: readonly { id: Tab; title: string }[] = [
  { id: "chat", title: "Chat" },
  { id: "io", title: "I/O" },
  { id: "attributes", title: "Attributes" },
  { id: "events", title: "Events" },
  { id: "logs", title: "Logs" },
  { id: "raw", title: "Raw" },
];
