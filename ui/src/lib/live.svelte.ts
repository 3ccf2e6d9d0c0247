import { topics } from "../generated/api.ts";
import { host } from "../host/connect.ts";
import { CallError, type CommandName, type Params, type Reply } from "../host/host.ts";
import { paced } from "./pace.ts";

/**
 * Milliseconds between two refetches of one question. The engine tells at most four times a second; a little less
 * here, so that its jitter never makes a change wait for the next turn.
 */
const GAP = 240;

/** Milliseconds after which a wait may be shown. */
const SLOW = 150;

/** An answer that keeps itself fresh. */
export interface Live<T> {
  /** The newest answer; an older one stays until a fresh one arrives. */
  readonly data: T | undefined;
  /** Why the newest question has no answer. */
  readonly error: CallError | undefined;
  /** The error, where `data` does not answer the question that is asked now: to be shown instead of it. */
  readonly failure: CallError | undefined;
  /** Whether `data` answers an older question than the one that is asked now. */
  readonly stale: boolean;
  /** Whether a question has waited long enough for a skeleton or a dimmed list. */
  readonly slow: boolean;
  /** Asks again now. */
  refresh(): void;
  /** Takes the answer that came as the reply to a change. One that is on its way is of before, and is dropped. */
  take(reply: T): void;
}

/** How an answer is kept fresh. */
export interface LiveOptions {
  /** While true, topics do not ask again (parameters still do). */
  paused?: () => boolean;
  /** Milliseconds between two refetches, where an answer is dear. */
  gap?: number;
}

/**
 * Asks `name` with `params` now, whenever the parameters change, and whenever a topic makes the answer stale.
 *
 * Late answers to older parameters are dropped. Parameters of `null` ask nothing and clear the answer. Call it while a
 * component starts: it ends with the component.
 */
export function live<N extends CommandName>(
  name: N,
  params: () => Params<N> | null,
  options: LiveOptions = {},
): Live<Reply<N>> {
  let data = $state.raw<Reply<N>>();
  let error = $state.raw<CallError>();
  let slow = $state(false);
  let asked: string | null = null;
  let answered = $state.raw<string | null>(null);
  // The question that is on its way, and whether to ask it once more when it is back.
  let flying: string | null = null;
  let again = false;
  let turn = 0;
  let missed = false;

  // Parameters are compared as text, so that an equal object made anew asks nothing.
  const key = $derived.by(() => {
    const now = params();
    return now === null ? null : JSON.stringify(now);
  });

  async function ask(): Promise<void> {
    const question = asked;
    if (question === null) return;
    // A slow answer to this very question is worth waiting for: asking over it would starve a busy list.
    if (flying === question) {
      again = true;
      return;
    }
    flying = question;
    again = false;
    const mine = ++turn;
    const waiting = setTimeout(() => (slow ||= mine === turn), SLOW);
    try {
      const reply = await host.call(name, JSON.parse(question) as Params<N>);
      if (mine !== turn) return;
      data = reply;
      error = undefined;
      answered = question;
    } catch (problem) {
      if (mine !== turn) return;
      error = problem instanceof CallError ? problem : new CallError("internal", String(problem));
    } finally {
      clearTimeout(waiting);
      if (mine === turn) settle();
    }
  }

  function settle(): void {
    slow = false;
    flying = null;
    if (again) request();
  }

  function take(reply: Reply<N>): void {
    if (asked === null) return;
    turn += 1;
    data = reply;
    error = undefined;
    answered = asked;
    settle();
  }

  const request = paced(() => void ask(), options.gap ?? GAP);
  // Held arrow keys change parameters faster than anyone can read: the first asks at once, then the last.
  const follow = paced(() => void ask(), 80);

  // Asks when parameters change.
  $effect(() => {
    asked = key;
    error = undefined;
    if (key !== null) return void follow();
    turn += 1;
    flying = null;
    again = false;
    data = undefined;
    answered = null;
    slow = false;
  });

  // Asks when the engine says that the answer is stale; a pause that ends asks once.
  $effect(() => {
    if (options.paused?.()) return;
    if (missed) {
      missed = false;
      request();
    }
  });
  $effect(() => {
    const mine = topics[name];
    const end = host.onChanged((changed) => {
      if (!mine.some((topic) => changed.includes(topic))) return;
      if (options.paused?.()) missed = true;
      else request();
    });
    return () => {
      end();
      request.cancel();
      follow.cancel();
      turn += 1;
    };
  });

  return {
    get data() {
      return data;
    },
    get error() {
      return error;
    },
    get failure() {
      return answered === key ? undefined : error;
    },
    get stale() {
      return answered !== null && answered !== key;
    },
    get slow() {
      return slow;
    },
    refresh: () => void ask(),
    take,
  };
}
