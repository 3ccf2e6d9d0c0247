// The ledger: every total opens to the calls that it is made of, and prices are decided in Settings.
import { supportAgent } from "../support/otlp.mjs";
import { expect, expectAccessible, test } from "../support/test.ts";

test.describe("Ledger", () => {
  test("opens a trace's tokens to its calls, line by line", async ({ page, visit, fresh }) => {
    const sent = supportAgent("shop", "Where is order 1182?");
    await fresh.send("traces", sent.body);
    await fresh.settled();
    await visit(`#/trace/${sent.traceId}`, fresh);
    await page.getByRole("link", { name: "3.1k→220 tok" }).click();
    await expect(page.getByRole("heading", { level: 1 })).toHaveText("Ledger");
    const main = page.getByRole("main");
    await expect(main.getByText("Model calls")).toBeVisible();
    await page.getByRole("button", { name: /^Lines of/ }).first().click();
    await expect(page.getByRole("rowheader", { name: "Output" })).toBeVisible();
    await expectAccessible(page);
    await page.getByRole("button", { name: "Remove this filter" }).click();
    await expect(page).not.toHaveURL(/text=/);
  });

  test("keeps a price of one's own, and prices history when asked", async ({ page, visit, fresh }) => {
    await fresh.send("traces", supportAgent("shop", "Where is order 1182?").body);
    await fresh.settled();
    await visit("#/settings", fresh);
    for (const [field, text] of [
      ["Model", "*"],
      ["Input", "1"],
      ["Output", "1"],
    ] as const)
      await page.getByRole("textbox", { name: field, exact: true }).fill(text);
    await page.getByRole("row", { name: /Add$/ }).getByRole("button", { name: "Add" }).click();
    await page.getByRole("button", { name: "Reprice history" }).click();
    await expect(page.getByText("These prices hold for all of history.")).toBeVisible();
    await visit("#/ledger", fresh);
    await page.getByRole("button", { name: /^Lines of/ }).first().click();
    await expect(page.getByText(/your price of \*/)).toBeVisible();
    await visit("#/settings", fresh);
    await page.getByRole("button", { name: "Take it back" }).click();
    await expect(page.getByRole("button", { name: "Reprice history" })).toBeVisible();
  });
});
