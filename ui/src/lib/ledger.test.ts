import { afterEach, describe, expect, it, test } from "vitest";
import { clearLedgerTerms, exact, isNarrowed, ledgerTerms, readLedgerFilter } from "./ledger.ts";
import { go, route } from "./route.svelte.ts";

test("amounts are exact to the nano-dollar", () => {
  expect(exact(0)).toBe("$0.00");
  expect(exact(1)).toBe("$0.000000001");
  expect(exact(2_750_000)).toBe("$0.00275");
  expect(exact(12_000_000_000)).toBe("$12.00");
  expect(exact(12_340_000_001)).toBe("$12.340000001");
});

describe("what narrows the ledger", () => {
  afterEach(() => go("#/ledger"));

  it("is said in words, each term once", () => {
    go("#/ledger?service=a&service=a&error=5xx&kind=llm&only=gpt-4o&range=1h");
    expect(ledgerTerms().map(({ text }) => text)).toEqual([
      "Error: Server error",
      "Kind: LLM",
      "Service: a",
      "Traces of the last hour",
      "Called model: gpt-4o",
    ]);
    ledgerTerms()
      .find(({ id }) => id === "service a")
      ?.drop();
    expect(route.all("service")).toEqual([]);
  });

  it("has a control of its own for the calls' time and for what counts, which clearing resets too", () => {
    go("#/ledger?source=all&calls=1000-2000&counted=1");
    expect(ledgerTerms()).toEqual([]);
    expect(isNarrowed()).toBe(true);
    expect(readLedgerFilter()).toMatchObject({ calls: { from: 1_000, to: 2_000 }, counted: true });
    clearLedgerTerms();
    expect(isNarrowed()).toBe(false);
    expect(route.hash).toBe("#/ledger?source=all");
  });
});
