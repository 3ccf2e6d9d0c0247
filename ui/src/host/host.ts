import type { Commands, ErrorCode, Topic } from "../generated/api.ts";

/** Names a command of the engine. */
export type CommandName = keyof Commands;

/** What a command is asked with. */
export type Params<N extends CommandName> = Commands[N]["params"];

/** What a command answers. */
export type Reply<N extends CommandName> = Commands[N]["reply"];

/** Codes of failures: the engine's, and two of the way to it. */
export type CallErrorCode = ErrorCode | "locked" | "unreachable";

/** A call that failed, in words fit for the screen. */
export class CallError extends Error {
  override name = "CallError";
  constructor(
    readonly code: CallErrorCode,
    message: string,
  ) {
    super(message);
  }
}

/** How the way to the engine stands: `locked` is a page without its token. */
export type Link = "open" | "away" | "locked";

/** A file that was opened before. */
export interface RecentFile {
  /** Names it in {@link Host.pickRecent}, as long as the window is open. */
  id: number;
  /** Its name, without its folder. */
  name: string;
  /** The name of its folder; empty for the root. */
  folder: string;
}

/**
 * What the UI needs of the program around it. The window and the browser each have one; nothing outside `src/host`
 * knows which.
 */
export interface Host {
  readonly kind: "window" | "browser";
  /** Asks the engine; rejects with a {@link CallError} and nothing else. */
  call<N extends CommandName>(name: N, params: Params<N>): Promise<Reply<N>>;
  /** Tells which topics became stale. Returns what ends it. */
  onChanged(listener: (topics: Topic[]) => void): () => void;
  /** Tells how the way to the engine stands, at once and whenever it changes. */
  onLink(listener: (link: Link) => void): () => void;
  /** Tells of files that the operating system dropped on the window, as tokens for `open_files`. */
  onDropped(listener: (tokens: string[]) => void): () => void;
  /** Tells when files begin and cease to hover over the window. Returns what ends it. */
  onHovering(listener: (hovering: boolean) => void): () => void;
  /** Tells of places that a `clew://` link leads to, as hashes. Returns what ends it. */
  onPlace(listener: (hash: string) => void): () => void;
  /** Opens a web address outside of Clew; what is not plain http or https is refused. */
  openLink(url: string): Promise<void>;
  /** Lets the user pick files; their tokens, none when the user backs out. */
  pickFiles(): Promise<string[]>;
  /** The files that were opened last, newest first; none where the host may not open them again. */
  recentFiles(): Promise<RecentFile[]>;
  /** Picks one of them again; its token. */
  pickRecent(id: number): Promise<string[]>;
  /** Draws the page larger or smaller, 0.5 to 2; missing where the browser does that itself. */
  setZoom?: (factor: number) => Promise<void>;
  /** Hands files over that a page received by drag and drop; their tokens. */
  giveFiles(files: File[]): Promise<string[]>;
}

/** Reads an error body that came from the engine. */
export function toCallError(body: unknown, fallback: CallError): CallError {
  if (typeof body === "object" && body !== null && "code" in body && "message" in body) {
    return new CallError(body.code as CallErrorCode, String(body.message));
  }
  return fallback;
}
