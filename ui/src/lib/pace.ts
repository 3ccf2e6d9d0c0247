/** A function that runs at once, then at most once in a gap; the last request of a gap is never lost. */
export interface Paced {
  (): void;
  /** Forgets a run that still waits. */
  cancel(): void;
}

/** Paces `run`: the first request runs at once, later ones at the end of the gap of `gap` milliseconds. */
export function paced(run: () => void, gap: number): Paced {
  let last = Number.NEGATIVE_INFINITY;
  let timer: ReturnType<typeof setTimeout> | undefined;

  function fire(): void {
    timer = undefined;
    last = performance.now();
    run();
  }

  function request(): void {
    if (timer !== undefined) return;
    const wait = last + gap - performance.now();
    if (wait <= 0) fire();
    else timer = setTimeout(fire, wait);
  }

  request.cancel = () => {
    clearTimeout(timer);
    timer = undefined;
  };
  return request;
}
