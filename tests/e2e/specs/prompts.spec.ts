import { trace } from "../support/otlp.mjs";
import { Clew, expect, expectAccessible, test } from "../support/test.ts";

/** One call that states its prompt's name, version and template. */
async function sendPrompt(clew: Clew, version: string, template: string, tokens: number, ago: number): Promise<void> {
  const { body } = trace("shop", [
    {
      name: "chat",
      attributes: {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": "gpt-4o",
        "gen_ai.usage.input_tokens": tokens,
        "gen_ai.usage.output_tokens": 20,
        "gen_ai.prompt.name": "support/system",
        "gen_ai.prompt.version": version,
        "gen_ai.prompt.template": template,
      },
    },
  ], ago);
  await clew.send("traces", body);
}

test.describe("Prompts", () => {
  test("shows stated versions, their figures and their difference", async ({ page, visit, fresh }) => {
    await sendPrompt(fresh, "6", "You support {company}.\nAnswer in five sentences.", 100, 9_000);
    await sendPrompt(fresh, "7", "You support {company}.\nAnswer in three sentences.", 120, 5_000);
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
