// Pointer and wheel on the lane: a held button pans, once the pointer has really moved; Ctrl and the wheel zoom.
import { toNanos } from "./geometry.ts";
import type { TraceView } from "./trace.svelte.ts";

/** Where the lane lies. */
export interface Lane {
  /** Pixels left of it. */
  left: number;
  /** Pixels that the shown stretch of time takes. */
  pixels: number;
}

type OnElement<E> = E & { currentTarget: HTMLElement };

/** Handlers of a lane, to be spread on the element that holds it. */
export function gripOn(trace: TraceView, lane: () => Lane) {
  let grip: { x: number; moved: boolean } | undefined;

  function inLane(event: OnElement<MouseEvent>): number {
    return event.clientX - event.currentTarget.getBoundingClientRect().left - lane().left;
  }
  function end(): void {
    // The click that ends a pan chooses nothing.
    if (grip?.moved)
      addEventListener("click", (event) => event.stopPropagation(), { capture: true, once: true });
    grip = undefined;
  }
  return {
    onpointerdown(event: OnElement<PointerEvent>): void {
      if (event.button === 0 && trace.zoomed && inLane(event) > 0) grip = { x: event.clientX, moved: false };
    },
    onpointermove(event: OnElement<PointerEvent>): void {
      if (grip === undefined) return;
      const by = event.clientX - grip.x;
      if (!grip.moved && Math.abs(by) < 4) return;
      grip = { x: event.clientX, moved: true };
      event.currentTarget.setPointerCapture(event.pointerId);
      trace.pan(-by / lane().pixels);
    },
    onpointerup: end,
    onpointercancel: end,
    onwheel(event: OnElement<WheelEvent>): void {
      const { pixels } = lane();
      if (event.ctrlKey || event.metaKey) {
        event.preventDefault();
        const at = toNanos(trace.view, pixels, Math.min(Math.max(inLane(event), 0), pixels));
        trace.zoom(Math.exp(Math.min(Math.max(event.deltaY, -100), 100) * 0.004), at);
      } else if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
        event.preventDefault();
        trace.pan((event.deltaX || event.deltaY) / pixels);
      }
    },
  };
}
