/** The time, ticking once a second for as long as something on the screen reads it. */
import { createSubscriber } from "svelte/reactivity";

const subscribe = createSubscriber((update) => {
  const timer = setInterval(update, 1_000);
  return () => clearInterval(timer);
});

/** Milliseconds since the epoch; what reads it in a template is drawn anew each second. */
export function now(): number {
  subscribe();
  return Date.now();
}
