import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Link } from "./host.ts";
import { httpHost } from "./http.ts";

class Stream {
  static last: Stream | undefined;
  static readonly CLOSED = 2;
  readyState = 0;
  onmessage: ((event: { data: string }) => void) | undefined;
  onopen: (() => void) | undefined;
  onerror: (() => void) | undefined;
  close(): void {
    this.readyState = Stream.CLOSED;
  }
  constructor(readonly url: string) {
    Stream.last = this;
  }
}

const fetched = vi.fn<typeof fetch>();
const json = (body: unknown, status = 200): Response => new Response(JSON.stringify(body), { status });

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("fetch", fetched);
  vi.stubGlobal("EventSource", Stream);
  fetched.mockReset();
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

describe("calls", () => {
  it("post the parameters and give the answer", async () => {
    fetched.mockResolvedValue(json([]));
    expect(await httpHost().call("list_sources", {})).toEqual([]);
    expect(fetched.mock.calls[0]?.[0]).toBe("/api/list_sources");
    expect(fetched.mock.calls[0]?.[1]).toMatchObject({ method: "POST", body: "{}" });
  });

  it("fail with the engine's code and words", async () => {
    fetched.mockResolvedValue(json({ code: "not_found", message: "no trace 00ff" }, 404));
    const call = httpHost().call("get_waterfall", { traceId: "00ff", source: 0 });
    await expect(call).rejects.toMatchObject({ code: "not_found", message: "no trace 00ff" });
  });

  it("fail in words when the answer is no error body", async () => {
    fetched.mockResolvedValue(new Response("<html>", { status: 502 }));
    await expect(httpHost().call("get_status", {})).rejects.toMatchObject({
      code: "internal",
      message: /502/,
    });
  });

  it("tell a page without its token from a program that is gone", async () => {
    const host = httpHost();
    const links: Link[] = [];
    host.onLink((link) => links.push(link));
    fetched.mockRejectedValueOnce(new TypeError("failed to fetch"));
    await expect(host.call("get_status", {})).rejects.toMatchObject({ code: "unreachable" });
    fetched.mockResolvedValueOnce(new Response("", { status: 401 }));
    await expect(host.call("get_status", {})).rejects.toMatchObject({ code: "locked" });
    expect(links).toEqual(["open", "away", "locked"]);
  });
});

describe("events", () => {
  it("tell the topics, and that everything may be stale after a break", () => {
    const heard: string[][] = [];
    httpHost().onChanged((topics) => heard.push(topics));
    Stream.last?.onopen?.();
    Stream.last?.onmessage?.({ data: '["spans"]' });
    Stream.last?.onerror?.();
    Stream.last?.onopen?.();
    expect(heard).toEqual([["spans"], ["spans", "sources", "settings", "status"]]);
  });

  it("are given back while the page is hidden, and everything is asked anew when it shows", async () => {
    const hidden = vi.spyOn(document, "hidden", "get").mockReturnValue(false);
    const show = (isShown: boolean): void => {
      hidden.mockReturnValue(!isShown);
      document.dispatchEvent(new Event("visibilitychange"));
    };
    const heard: string[][] = [];
    const links: Link[] = [];
    const host = httpHost();
    host.onLink((link) => links.push(link));
    host.onChanged((topics) => heard.push(topics));
    const first = Stream.last as Stream;
    first.onopen?.();
    show(false);
    expect(first.readyState).toBe(Stream.CLOSED);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(Stream.last).toBe(first);
    show(true);
    const second = Stream.last as Stream;
    expect(second).not.toBe(first);
    second.onopen?.();
    expect(heard).toEqual([["spans", "sources", "settings", "status"]]);
    expect(links).toEqual(["open"]);
    hidden.mockRestore();
  });

  it("wait for a page that was opened out of sight", () => {
    const hidden = vi.spyOn(document, "hidden", "get").mockReturnValue(true);
    const before = Stream.last;
    httpHost().onChanged(() => {});
    expect(Stream.last).toBe(before);
    hidden.mockReturnValue(false);
    document.dispatchEvent(new Event("visibilitychange"));
    expect(Stream.last).not.toBe(before);
    hidden.mockRestore();
  });

  it("find out, after the stream was refused, that the token is of an older start", async () => {
    const host = httpHost();
    const links: Link[] = [];
    host.onLink((link) => links.push(link));
    host.onChanged(() => {});
    const refused = Stream.last as Stream;
    refused.readyState = Stream.CLOSED;
    fetched.mockResolvedValueOnce(new Response("", { status: 401 }));
    refused.onerror?.();
    await vi.advanceTimersByTimeAsync(2_500);
    expect(links).toEqual(["open", "away", "locked"]);
    expect(Stream.last).toBe(refused);
  });
});

describe("files", () => {
  it("go up one by one and come back as tokens", async () => {
    fetched.mockResolvedValueOnce(json({ token: "t1" })).mockResolvedValueOnce(json({ token: "t2" }));
    const files = [new File(["{}"], "a b.json"), new File([""], "ü#.jsonl")];
    expect(await httpHost().giveFiles(files)).toEqual(["t1", "t2"]);
    expect(fetched.mock.calls.map(([url]) => url)).toEqual([
      "/files?name=a%20b.json",
      "/files?name=%C3%BC%23.jsonl",
    ]);
  });
});
