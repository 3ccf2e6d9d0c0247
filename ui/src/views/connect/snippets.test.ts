import { describe, expect, it } from "vitest";
import type { Status } from "../../generated/api.ts";
import { addresses, reachable } from "./addresses.ts";
import { containerStep, STACKS } from "./snippets.ts";

const to = { grpc: "http://127.0.0.1:14317", http: "http://127.0.0.1:14318" };
const all = STACKS.flatMap((stack) => stack.snippets.map((snippet) => ({ stack, snippet })));

describe("snippets", () => {
  it.each(all.map(({ stack, snippet }) => [`${stack.id}/${snippet.id}`, snippet] as const))(
    "%s shortens the batch delay and names no port but ours",
    (_, snippet) => {
      const text = snippet
        .steps(to)
        .map(({ code }) => code)
        .join("\n");
      expect(text).toContain("OTEL_BSP_SCHEDULE_DELAY=200");
      expect(text).not.toMatch(/(?<!\d)431[78]/);
      expect(text).toMatch(/1431[78]/);
    },
  );

  it("have ids of their own", () => {
    const ids = all.map(({ snippet }) => snippet.id);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it("reach the host from a container with the key", () => {
    expect(containerStep(to).code).toContain("host.docker.internal:14318");
    expect(containerStep(to).code).toContain("x-clew-key");
  });
});

describe("addresses", () => {
  const listening = (http: string[]): Status =>
    ({ listening: [{ name: "http", port: 4318, addresses: http, problem: null }] }) as unknown as Status;

  it("are the bound ones, and loopback for a socket on every interface", () => {
    expect(addresses(listening(["127.0.0.1:50123", "[::1]:50123"])).http).toBe("http://127.0.0.1:50123");
    expect(addresses(listening(["0.0.0.0:4318"])).http).toBe("http://127.0.0.1:4318");
    expect(addresses(listening(["[::1]:4318"])).http).toBe("http://[::1]:4318");
    expect(addresses(listening([])).http).toBe("http://127.0.0.1:4318");
    expect(reachable("0.0.0.0:4317")).toBe("http://127.0.0.1:4317");
    expect(reachable("192.168.1.4:4317")).toBe("http://192.168.1.4:4317");
    expect(addresses(undefined).grpc).toBe("http://127.0.0.1:4317");
  });
});
