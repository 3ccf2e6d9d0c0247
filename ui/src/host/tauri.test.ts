import { beforeEach, describe, expect, it, vi } from "vitest";
import { tauriHost } from "./tauri.ts";

const invoke = vi.hoisted(() => vi.fn());
const listen = vi.hoisted(() => vi.fn());
vi.mock("@tauri-apps/api/core", () => ({ invoke }));
vi.mock("@tauri-apps/api/event", () => ({ listen }));

const bytes = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));

beforeEach(() => {
  invoke.mockReset();
  listen.mockReset();
});

describe("the window", () => {
  it("reads answers from bytes, as a buffer or as the plain array of the slow way", async () => {
    invoke.mockResolvedValueOnce(bytes([1]).buffer).mockResolvedValueOnce([...bytes([2])]);
    const host = tauriHost();
    expect(await host.call("list_sources", {})).toEqual([1]);
    expect(await host.call("list_sources", {})).toEqual([2]);
    expect(invoke).toHaveBeenCalledWith("call", { name: "list_sources", params: {} });
  });

  it("fails with the engine's code, or in words", async () => {
    invoke
      .mockRejectedValueOnce({ code: "busy", message: "the queue is full" })
      .mockRejectedValueOnce("gone");
    await expect(tauriHost().call("get_status", {})).rejects.toMatchObject({ code: "busy" });
    await expect(tauriHost().call("get_status", {})).rejects.toMatchObject({
      code: "internal",
      message: "gone",
    });
  });

  it("hears what the window says, until told not to", async () => {
    const end = vi.fn();
    listen.mockImplementation((event: string, tell: (event: { payload: unknown }) => void) => {
      tell({ payload: event === "dropped" ? { tokens: ["t"] } : ["spans"] });
      return Promise.resolve(end);
    });
    const heard: unknown[] = [];
    const stop = tauriHost().onChanged((topics) => heard.push(topics));
    tauriHost().onDropped((tokens) => heard.push(tokens));
    stop();
    await Promise.resolve();
    expect(heard).toEqual([["spans"], ["t"]]);
    expect(end).toHaveBeenCalledTimes(1);
  });

  it("tells when files hover over it, and lists what was opened before", async () => {
    listen.mockImplementation((event: string, tell: (event: { payload: unknown }) => void) => {
      if (event === "hovering") [true, false].forEach((payload) => tell({ payload }));
      return Promise.resolve(() => {});
    });
    const heard: boolean[] = [];
    tauriHost().onHovering((hovering) => heard.push(hovering));
    expect(heard).toEqual([true, false]);
    invoke.mockRejectedValueOnce({ code: "not_found", message: "the file is not where it was" });
    await expect(tauriHost().pickRecent(3)).rejects.toMatchObject({ code: "not_found" });
    expect(invoke).toHaveBeenCalledWith("pick_recent", { id: 3 });
  });
});
