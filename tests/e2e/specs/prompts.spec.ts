import { promptCall } from "../support/otlp.mjs";
import { expect, expectAccessible, test } from "../support/test.ts";

test.describe("Prompts", () => {
  test("shows stated versions, their figures and their difference", async ({ page, visit, fresh }) => {
    const calls = [
      promptCall("support/system", "6", "You support {company}.\nAnswer in five sentences.", 100, 9_000),
      promptCall("support/system", "7", "You support {company}.\nAnswer in three sentences.", 120, 5_000),
    ];
    for (const { body } of calls) await fresh.send("traces", body);
    await fresh.settled();
    await visit("#/prompts", fresh);
    const main = page.getByRole("main");
    await expect(page.getByRole("heading", { name: "support/system" })).toBeVisible();
    await expect(main).toContainText("2 versions");
    await expect(main).toContainText("You support");
    await expect(main).toContainText("five");
    await expect(main).toContainText("three");
    await expect(main).toContainText("120");
    await expectAccessible(page);
    await page.keyboard.press("x");
    await expect(page).toHaveURL(/a=7.*b=6|b=6.*a=7/);
    await page.reload();
    await expect(main).toContainText("You support");
  });

  test("teaches how to state a prompt where none is stated", async ({ page, visit, fresh }) => {
    await visit("#/prompts", fresh);
    await expect(page.getByText("gen_ai.prompt.name")).toBeVisible();
    await expectAccessible(page);
  });
});
