import { packed, type Topic } from "../generated/api.ts";
import {
  CallError,
  toCallError,
  type CommandName,
  type Host,
  type Link,
  type Params,
  type Reply,
} from "./host.ts";
import { unpack } from "./packed.ts";

const LOCKED = new CallError("locked", "this page needs its link with the token");
const AWAY = new CallError("unreachable", "cannot reach clew: it has stopped, or the address has changed");

/** Milliseconds before a refused stream of events is asked for again. */
const RETRY = 2_000;

/** Speaks to `clew serve`: `POST /api/<command>`, `GET /events`, `POST /files`. */
export function httpHost(): Host {
  const changed = new Set<(topics: Topic[]) => void>();
  const links = new Set<(link: Link) => void>();
  let link: Link = "open";
  let events: EventSource | null = null;
  let broken = false;
  let followed = false;

  function setLink(next: Link): void {
    if (next === link) return;
    link = next;
    links.forEach((tell) => tell(next));
  }

  async function post(path: string, body: BodyInit, type: string): Promise<Response> {
    let response: Response;
    try {
      response = await fetch(path, { method: "POST", body, headers: { "content-type": type } });
    } catch {
      setLink("away");
      throw AWAY;
    }
    if (response.status === 401) {
      setLink("locked");
      throw LOCKED;
    }
    setLink("open");
    if (!response.ok) {
      const answer: unknown = await response.json().catch(() => null);
      throw toCallError(answer, new CallError("internal", `clew answered ${response.status} to ${path}`));
    }
    return response;
  }

  function listen(): void {
    const stream = new EventSource("/events");
    events = stream;
    stream.onmessage = ({ data }: MessageEvent<string>) => {
      const topics = JSON.parse(data) as Topic[];
      changed.forEach((tell) => tell(topics));
    };
    stream.onopen = () => {
      // After a break anything may have changed.
      if (broken) changed.forEach((tell) => tell(["spans", "sources", "settings", "status"]));
      broken = false;
      setLink("open");
    };
    stream.onerror = () => {
      broken = true;
      if (link === "locked") return;
      setLink("away");
      // A broken stream the browser opens again by itself; a refused one it closes for good.
      if (stream.readyState === EventSource.CLOSED) setTimeout(() => void retry(stream), RETRY);
    };
  }

  /**
   * A hidden page gives its stream back: a browser opens six connections to an origin for all its tabs together, and
   * streams of hidden ones would leave none for questions. Shown again, it asks everything anew.
   */
  function followVisibility(): void {
    if (document.hidden) {
      events?.close();
      events = null;
      broken = true;
    } else if (events === null && link !== "locked") {
      listen();
    }
  }

  /** Opens the stream again, unless a plain question shows that the token is no longer good. */
  async function retry(refused: EventSource): Promise<void> {
    if (events !== refused) return;
    try {
      await post("/api/get_status", "{}", "application/json");
    } catch (error) {
      if (error === LOCKED) return;
    }
    if (events === refused) listen();
  }

  async function giveFiles(files: File[]): Promise<string[]> {
    const tokens: string[] = [];
    for (const file of files) {
      const path = `/files?name=${encodeURIComponent(file.name)}`;
      const response = await post(path, file, "application/octet-stream");
      tokens.push(((await response.json()) as { token: string }).token);
    }
    return tokens;
  }

  return {
    kind: "browser",
    async call<N extends CommandName>(name: N, params: Params<N>): Promise<Reply<N>> {
      const response = await post(`/api/${name}`, JSON.stringify(params), "application/json");
      return (packed.has(name) ? unpack(await response.arrayBuffer()) : await response.json()) as Reply<N>;
    },
    onChanged(listener) {
      changed.add(listener);
      if (!followed) {
        followed = true;
        document.addEventListener("visibilitychange", followVisibility);
        followVisibility();
      }
      return () => changed.delete(listener);
    },
    onLink(listener) {
      links.add(listener);
      listener(link);
      return () => links.delete(listener);
    },
    onDropped: () => () => {},
    onHovering: followDrags,
    onPlace: () => () => {},
    recentFiles: async () => [],
    pickRecent: async () => [],
    async openLink(url) {
      window.open(url, "_blank", "noopener,noreferrer");
    },
    giveFiles,
    pickFiles: async () => giveFiles(await chooseFiles()),
  };
}

/** Tells of files that are dragged over the page: entering and leaving each of its elements is an event of its own. */
function followDrags(listener: (hovering: boolean) => void): () => void {
  let depth = 0;
  const carriesFiles = (event: DragEvent): boolean => event.dataTransfer?.types.includes("Files") ?? false;
  const to = (next: number): void => {
    if (depth > 0 !== next > 0) listener(next > 0);
    depth = next;
  };
  const enter = (event: DragEvent): void => void (carriesFiles(event) && to(depth + 1));
  const leave = (): void => to(Math.max(depth - 1, 0));
  const drop = (): void => to(0);
  const listening = [
    ["dragenter", enter],
    ["dragleave", leave],
    ["drop", drop],
  ] as const;
  for (const [name, act] of listening) addEventListener(name, act);
  return () => listening.forEach(([name, act]) => removeEventListener(name, act));
}

/** Opens the browser's own file dialog. */
function chooseFiles(): Promise<File[]> {
  return new Promise((resolve) => {
    const input = document.createElement("input");
    input.type = "file";
    input.multiple = true;
    input.onchange = () => resolve([...(input.files ?? [])]);
    input.oncancel = () => resolve([]);
    input.click();
  });
}
