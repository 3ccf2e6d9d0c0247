import { supportAgent } from "../support/otlp.mjs";
import { expect, expectAccessible, test } from "../support/test.ts";

test.describe("Quality", () => {
  test("lists what heuristics saw, with its evidence, and leads to the span by keys", async ({ page, visit, fresh }) => {
    const sent = supportAgent("shop", "Where is order 1182?");
    await fresh.send("traces", sent.body);
    await fresh.settled();
    await visit("#/quality", fresh);
    const grid = page.getByRole("grid", { name: /Findings/ });
    const refusal = grid.getByRole("row").filter({ hasText: /cannot help/ }).first();
    await expect(refusal).toBeVisible();
    await expect(refusal.locator("mark").first()).toContainText(/sorry|cannot/i);
    await expectAccessible(page);
    await page.keyboard.press("j");
    await page.keyboard.press("Enter");
    await expect(page).toHaveURL(new RegExp(`#/trace/${sent.traceId}\\?span=`));
  });

  test("keeps scores out of the findings and shows how they are spread", async ({ page, visit, fresh }) => {
    const sent = supportAgent("shop", "Where is order 1182?");
    await fresh.send("traces", sent.body);
    await fresh.settled();
    await visit("#/quality", fresh);
    const sentiment = page.getByRole("region", { name: "Sentiment" });
    await expect(sentiment).toContainText(/-0\.\d+\s*mean/);
    await expect(sentiment.getByRole("img")).toHaveAccessibleName(/1 response below 0, 1 at 0, 0 above/);
    const rows = page.getByRole("grid", { name: /Findings/ }).getByRole("row");
    await expect(rows).toHaveCount(2);
    await expect(rows.nth(1)).toContainText("Refusal");
  });

  test("says what it would read where nothing has been captured", async ({ page, visit, fresh }) => {
    await visit("#/quality", fresh);
    await expect(page.getByText("No responses to read yet")).toBeVisible();
    await expectAccessible(page);
  });
});
