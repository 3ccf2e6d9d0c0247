// The ledger: every total opens to the calls that it is made of, and prices are decided in Settings.
import { promptCall, supportAgent, trace, wrappedCall } from "../support/otlp.mjs";
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
    const own = page.getByRole("row").filter({ has: page.getByRole("textbox", { name: "Model", exact: true }) });
    await own.getByRole("button", { name: "Add" }).click();
    await page.getByRole("button", { name: "Reprice history" }).click();
    await expect(page.getByText("These prices hold for all of history.")).toBeVisible();
    await visit("#/ledger", fresh);
    await page.getByRole("button", { name: /^Lines of/ }).first().click();
    await expect(page.getByText(/your price of \*/)).toBeVisible();
    await visit("#/settings", fresh);
    await page.getByRole("button", { name: "Take it back" }).click();
    await expect(page.getByRole("button", { name: "Reprice history" })).toBeVisible();
  });

  test("shows a span's cost with its source, and why a wrapper's does not count", async ({
    page,
    visit,
    fresh,
  }) => {
    const sent = wrappedCall("shop");
    await fresh.send("traces", sent.body);
    await fresh.settled();
    await visit(`#/trace/${sent.traceId}?span=${sent.spanIds[1]}`, fresh);
    const panel = page.locator(".panel");
    await expect(panel).toContainText("86 % of 128k context");
    await expect(panel).toContainText("nearly full");
    await expect(panel).toContainText("60 % from cache");
    await expect(panel).toContainText("max_tokens 50");
    await expect(panel).toContainText("The span states $1.00, the list makes it $0.1926: more than 1 % apart.");
    await expect(panel).toContainText("30.00 s to the first token, and the span took 800 ms");
    await expect(panel).not.toContainText("TTFT");
    await page.getByRole("button", { name: /What it cost/ }).click();
    const lines = page.getByRole("dialog", { name: /What it cost/ });
    await expect(lines.getByRole("row", { name: /Cache read/ })).toContainText("66,000");
    await expect(lines).toContainText("stated by the span");
    await expectAccessible(page);
    await page.keyboard.press("Escape");
    await expect(lines).toBeHidden();

    const header = page.locator("header").first();
    await expect(header).toContainText("60 % from cache");
    await header.getByRole("link", { name: /of 128k context/ }).press("Enter");
    await expect(page).toHaveURL(new RegExp(sent.spanIds[1]!));
    await visit(`#/trace/${sent.traceId}?span=${sent.spanIds[0]}`, fresh);
    await expect(panel).toContainText("not counted");
    await expect(panel).toContainText("Repeats what a span below it states");
    await panel.getByRole("link", { name: /^span / }).click();
    await expect(page).toHaveURL(new RegExp(sent.spanIds[1]!));
  });

  test("is where the figures of prompts and of charts lead", async ({ page, visit, fresh }) => {
    const { body } = promptCall("support/system", "7", "You support {company}.", 120, 5_000);
    await fresh.send("traces", body);
    await fresh.send("traces", supportAgent("shop", "Where is order 1182?").body);
    await fresh.settled();
    const entries = page.getByRole("button", { name: /^Lines of/ });
    await visit("#/prompts", fresh);
    await page.getByRole("link", { name: "120", exact: true }).click();
    await expect(page.getByRole("heading", { level: 1 })).toHaveText("Ledger");
    await expect(page.getByRole("main")).toContainText("Prompt: support/system");
    await expect(entries).toHaveCount(1);

    await visit("#/trends", fresh);
    const cost = page.getByRole("figure").filter({ hasText: "Cost by model" });
    await cost.getByTitle("Show the ledger").click();
    await expect(entries).toHaveCount(3);
    await visit("#/trends", fresh);
    await page.getByRole("group", { name: /^Tokens/ }).focus();
    await page.keyboard.press("End");
    await page.keyboard.press("Enter");
    await expect(page).toHaveURL(/#\/ledger\?.*calls=\d+-\d+/);
    await expect(entries).not.toHaveCount(0);
    await expectAccessible(page);
    const range = page.getByRole("button", { name: /^Time range/ });
    await expect(range).not.toHaveAccessibleName(/All time/);
    await range.click();
    await page.getByRole("menuitem", { name: "All time" }).click();
    await expect(page).not.toHaveURL(/calls=/);
    await expect(range).toHaveAccessibleName(/All time/);
  });

  test("says what narrows it once, and lets go of all of it", async ({ page, visit, fresh }) => {
    await fresh.send("traces", supportAgent("shop", "Where is order 1182?").body);
    await fresh.settled();
    await visit("#/ledger?service=shop&service=shop&range=1h&calls=5m", fresh);
    const chips = page.getByRole("group", { name: "What narrows the ledger" }).getByRole("button");
    await expect(chips).toHaveText([/Service: shop/, /Traces of the last hour/]);
    await expect(page.getByRole("button", { name: /^Time range/ })).toHaveAccessibleName(/Last 5 minutes/);
    // A relative range moves on with the clock, and what has the keyboard keeps it.
    await chips.last().focus();
    await page.waitForTimeout(2_500);
    await expect(chips.last()).toBeFocused();
    await page.keyboard.press("Enter");
    await expect(page).not.toHaveURL(/range=/);
    await page.keyboard.press("c");
    await expect(page).toHaveURL(/counted=1/);
    await visit("#/ledger?text=nothing+is+called+that&counted=1&calls=5m", fresh);
    await page.getByRole("button", { name: "Show all entries" }).click();
    await expect(page).toHaveURL(/#\/ledger$/);
    await expect(page.getByRole("button", { name: /^Lines of/ })).toHaveCount(2);
    // The menu lies over the head of the table, which sticks to its top.
    await page.getByRole("button", { name: /^Time range/ }).click();
    await page.getByRole("menuitem", { name: /Last hour/ }).click();
    await expect(page).toHaveURL(/calls=1h/);
  });

  test("lists each entry once, however quickly more are asked for", async ({ page, visit, fresh }) => {
    const calls = Array.from({ length: 230 }, (_, index) => ({
      name: `call ${index}`,
      at: index,
      attributes: {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": "gpt-4o",
        "gen_ai.usage.input_tokens": 10 + index,
      },
    }));
    await fresh.send("traces", trace("shop", calls).body);
    await fresh.settled();
    await visit("#/ledger", fresh);
    const entries = page.getByRole("button", { name: /^Lines of/ });
    await expect(entries).toHaveCount(100);
    const more = page.getByRole("button", { name: "Show more" });
    await more.evaluate((button: HTMLButtonElement) => {
      button.click();
      button.click();
    });
    await expect(entries).toHaveCount(200);
    await more.click();
    await expect(entries).toHaveCount(230);
    await expect(more).toHaveCount(0);
  });

  test("says what calls would have cost on other models, without a cache, in a batch", async ({
    page,
    visit,
    fresh,
  }) => {
    const { body } = trace("shop", [
      {
        name: "chat gpt-4o",
        attributes: {
          "gen_ai.operation.name": "chat",
          "gen_ai.provider.name": "openai",
          "gen_ai.request.model": "gpt-4o",
          "gen_ai.usage.input_tokens": 100,
          "gen_ai.usage.output_tokens": 10,
          "gen_ai.usage.cache_read.input_tokens": 60,
          "llm.task_type": "search",
        },
      },
    ]);
    await fresh.send("traces", body);
    await fresh.settled();
    await visit("#/ledger", fresh);
    await expect(page.getByRole("button", { name: /^Lines of/ })).toHaveCount(1);
    await page.keyboard.press("w");
    await expect(page).toHaveURL(/tab=whatif/);
    const table = page.getByRole("region", { name: "What calls would have cost" });
    const row = table.getByRole("row", { name: /^search/ });
    // 40 × 2,500 + 60 × 1,250 + 10 × 10,000 nano-dollars, and 100 × 2,500 + 10 × 10,000.
    await expect(row).toContainText("$0.000275");
    await expect(row).toContainText("$0.00035");
    await expect(row).toContainText("+27.3 %");

    const field = page.getByRole("combobox", { name: "Other models" });
    for (const model of ["gpt-4o-mini", "no-such-model"]) {
      await field.fill(model);
      await field.press("Enter");
    }
    await expect(page).toHaveURL(/alt=gpt-4o-mini&alt=no-such-model/);
    // 40 × 150 + 60 × 75 + 10 × 600.
    await expect(row).toContainText("$0.0000165");
    await expect(row).toContainText("−94 %");
    await expect(table.getByRole("columnheader", { name: /no-such-model.*not listed/ })).toBeVisible();
    await expect(table.getByRole("row", { name: /^All calls/ })).toContainText("$0.000275");
    await expectAccessible(page);
    await page.getByRole("button", { name: /^no-such-model/ }).click();
    await expect(table.getByRole("columnheader", { name: /no-such-model/ })).toHaveCount(0);
    await expect(field).toBeFocused();

    await page.getByRole("button", { name: "What if" }).click();
    await expect(page.getByRole("button", { name: /^Lines of/ })).toHaveCount(1);
    await visit("#/ledger?tab=whatif&text=nothing+is+called+that", fresh);
    await page.getByRole("button", { name: "Show all entries" }).click();
    await expect(row).toBeVisible();
  });
});
