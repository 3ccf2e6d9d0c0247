import { expect, test } from "vitest";
import { exact } from "./ledger.ts";

test("amounts are exact to the nano-dollar", () => {
  expect(exact(0)).toBe("$0.00");
  expect(exact(1)).toBe("$0.000000001");
  expect(exact(2_750_000)).toBe("$0.00275");
  expect(exact(12_000_000_000)).toBe("$12.00");
  expect(exact(12_340_000_001)).toBe("$12.340000001");
});
