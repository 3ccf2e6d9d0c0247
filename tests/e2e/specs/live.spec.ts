import { supportAgent, trace } from "../support/otlp.mjs";
import { expect, expectAccessible, test } from "../support/test.ts";

test.describe("Live", () => {
  test("lists recorded traces with models, tokens and status", async ({ page, visit }) => {
    await visit("#/live");
    const grid = page.getByRole("grid", { name: "Traces" });
    await expect(grid.getByRole("row")).not.toHaveCount(1);
    await expect(grid).toContainText("gpt-4o");
    await expect(page.getByRole("contentinfo")).toContainText("local only");
    await expectAccessible(page);
  });

  test("shows a trace that arrives, without being asked", async ({ page, visit, fresh }) => {
    await visit("#/live", fresh);
    const sent = supportAgent("shop", "Where is order 1182?");
    await fresh.send("traces", sent.body);
    const row = page.getByRole("grid", { name: "Traces" }).getByRole("row", { name: /support/ });
    await expect(row).toBeVisible();
    await expect(row.locator(".spans")).toHaveText("5");
    await expect(row).toContainText("3.1k→220");
    await expect(row).toHaveAccessibleName(/1 error/);
  });

  test("fills a trace in while its spans come, children first", async ({ page, visit, fresh }) => {
    await visit("#/live", fresh);
    const { body, traceId } = trace("slow", [
      { name: "the root", took: 900 },
      { name: "the child", parent: 0, took: 100 },
    ], 1_000);
    const scope = (body as any).resourceSpans[0].scopeSpans[0];
    const [root, child] = scope.spans;
    scope.spans = [child];
    await fresh.send("traces", body);
    const grid = page.getByRole("grid", { name: "Traces" });
    const row = grid.locator(`[id$="${traceId}"]`);
    await expect(row).toContainText("the child");
    await expect(row).toHaveAccessibleName(/running/);
    scope.spans = [root];
    await fresh.send("traces", body);
    await expect(row).toContainText("the root");
    await expect(row).toHaveAccessibleName(/ok/);
    await expect(grid.locator(`[id$="${traceId}"]`)).toHaveCount(1);
  });

  test("filters by content, keeps the filter in the address, and takes it back", async ({ page, visit, fresh }) => {
    await fresh.send("traces", supportAgent("shop", "Where is order 1182?").body);
    await fresh.send("traces", trace("shop", [{ name: "health check" }]).body);
    await fresh.settled();
    await visit("#/live", fresh);
    const rows = page.getByRole("grid", { name: "Traces" }).getByRole("row");
    await expect(rows).toHaveCount(3);
    await page.getByLabel("Filter by name and content").fill("order 1182");
    await expect(rows).toHaveCount(2);
    await expect(page).toHaveURL(/text=order/);
    await page.reload();
    await expect(rows).toHaveCount(2);
    await page.getByRole("button", { name: "Clear the filter" }).click();
    await expect(rows).toHaveCount(3);
  });

  test("narrows by a facet", async ({ page, visit, fresh }) => {
    await fresh.send("traces", supportAgent("shop", "Where is it?").body);
    await fresh.send("traces", trace("billing", [{ name: "invoice" }]).body);
    await fresh.settled();
    await visit("#/live", fresh);
    const rows = page.getByRole("grid", { name: "Traces" }).getByRole("row");
    await expect(rows).toHaveCount(3);
    await page.getByRole("complementary", { name: "Filters" }).getByRole("button", { name: /billing/ }).click();
    await expect(rows).toHaveCount(2);
    await expect(page).toHaveURL(/service=billing/);
  });

  test("keeps its place and the keyboard when a peek opens and closes", async ({ page, visit, fresh }) => {
    for (let at = 0; at < 180; at += 1) {
      await fresh.send("traces", trace("shop", [{ name: `step ${at}` }], 1_000 * (at + 1)).body);
    }
    await fresh.settled();
    await visit("#/live", fresh);
    const grid = page.getByRole("grid", { name: "Traces" });
    await expect(grid.getByRole("row").nth(1)).toBeVisible();
    await grid.evaluate((list) => (list.scrollTop = 140 * 28));
    const row = grid.locator('[data-index="150"]');
    await row.click();
    const peek = page.getByRole("treegrid", { name: "Spans of the trace" });
    await expect(peek).toBeVisible();
    await expect(row).toBeInViewport();
    await expect(grid).toBeFocused();
    await page.keyboard.press("Escape");
    await expect(peek).toBeHidden();
    await expect(row).toBeInViewport();
    await expect(grid).toBeFocused();
    await row.click();
    await page.getByRole("button", { name: "Close the peek" }).click();
    await expect(peek).toBeHidden();
    await expect(row).toBeInViewport();
    await expect(grid).toBeFocused();
  });

  test("is found again where it was left", async ({ page, visit, fresh }) => {
    await fresh.send("traces", trace("billing", [{ name: "invoice" }]).body);
    await fresh.settled();
    await visit("#/live?text=invoice", fresh);
    const views = page.getByRole("navigation", { name: "Views" });
    await views.getByRole("link", { name: "Settings" }).click();
    await expect(page).toHaveURL(/#\/settings/);
    await views.getByRole("link", { name: "Live" }).click();
    await expect(page).toHaveURL(/#\/live\?text=invoice/);
  });

  test("names no row as the active one that it does not list", async ({ page, visit, fresh }) => {
    const sent = supportAgent("shop", "Where is it?");
    await fresh.send("traces", sent.body);
    await fresh.send("traces", trace("billing", [{ name: "invoice" }], 60_000).body);
    await fresh.settled();
    await visit(`#/live?text=invoice&peek=0.${sent.traceId}`, fresh);
    const grid = page.getByRole("grid", { name: "Traces" });
    await expect(grid.getByRole("row", { name: /invoice/ })).toBeVisible();
    await expect(grid).not.toHaveAttribute("aria-activedescendant");
    await page.getByRole("grid", { name: "Traces" }).getByRole("row", { name: /invoice/ }).click();
    await expect(grid).toHaveAttribute("aria-activedescendant", /^trace-0\./);
  });

  test("leads from a trace's figures to the calls that they come from", async ({ page, visit, fresh }) => {
    const sent = supportAgent("shop", "Where is order 1182?");
    await fresh.send("traces", sent.body);
    await fresh.settled();
    const entries = page.getByRole("button", { name: /^Lines of/ });
    for (const figure of [".tokens", ".cost"]) {
      await visit("#/live", fresh);
      await page.getByRole("grid", { name: "Traces" }).locator(figure).getByRole("link").click();
      await expect(page).toHaveURL(new RegExp(`#/ledger\\?text=${sent.traceId}`));
      await expect(entries).not.toHaveCount(0);
    }
    await visit("#/live", fresh);
    await expect(page.getByRole("grid", { name: "Traces" }).getByRole("row", { name: /support/ })).toBeVisible();
    await page.keyboard.press("j");
    await page.keyboard.press("l");
    await expect(page).toHaveURL(new RegExp(`#/ledger\\?text=${sent.traceId}`));
  });

  test("is worked by keys alone", async ({ page, visit, fresh }) => {
    const sent = supportAgent("shop", "Where is it?");
    await fresh.send("traces", sent.body);
    await fresh.send("traces", trace("billing", [{ name: "invoice" }], 60_000).body);
    await fresh.settled();
    await visit("#/live", fresh);
    const grid = page.getByRole("grid", { name: "Traces" });
    await expect(grid.getByRole("row")).toHaveCount(3);
    await page.keyboard.press("/");
    await expect(page.getByLabel("Filter by name and content")).toBeFocused();
    await page.keyboard.type("invoice");
    await expect(grid.getByRole("row")).toHaveCount(2);
    await page.keyboard.press("Escape");
    await expect(grid.getByRole("row")).toHaveCount(3);
    await page.keyboard.press("Escape");
    await page.keyboard.press("j");
    await expect(grid.getByRole("row", { selected: true })).toHaveAccessibleName(/support/);
    await expect(page.getByRole("treegrid", { name: "Spans of the trace" })).toBeVisible();
    await page.keyboard.press("j");
    await expect(grid.getByRole("row", { selected: true })).toHaveAccessibleName(/invoice/);
    await page.keyboard.press("k");
    await page.keyboard.press("Enter");
    await expect(page).toHaveURL(new RegExp(`#/trace/${sent.traceId}`));
    await page.keyboard.press("Escape");
    await expect(page).toHaveURL(/#\/live/);
  });
});
