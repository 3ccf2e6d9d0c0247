import { afterEach, describe, expect, it } from "vitest";
import { clearLedgerTerms, isNarrowed, ledgerTerms, readLedgerFilter } from "./ledger.ts";
import { go, route } from "./route.svelte.ts";

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
