// What a reader without a mouse does all day, view by view: every step is a key.
import type { Page } from "@playwright/test";
import { sendPrompts, supportAgent, trace } from "../support/otlp.mjs";
import { expect, test } from "../support/test.ts";

/** Presses Tab, or Shift+Tab, until what has the focus is called this. */
async function tabTo(page: Page, name: RegExp, key = "Tab"): Promise<void> {
  const names: string[] = [];
  for (let pressed = 0; pressed < 60; pressed += 1) {
    await page.keyboard.press(key);
    const at = await page.evaluate(() => {
      const element = document.activeElement;
      if (element instanceof HTMLSelectElement) return `menu ${element.labels[0]?.firstChild?.textContent}`;
      const label = element instanceof HTMLInputElement ? element.labels?.[0]?.textContent : null;
      return element?.getAttribute("aria-label") ?? label ?? element?.textContent ?? "";
    });
    names.push(at.trim().replace(/\s+/g, " ").slice(0, 40));
    if (name.test(names.at(-1)!)) return;
  }
  throw new Error(`no ${key} leads to ${name}; it met ${names.join(" | ")}`);
}

const rowsOf = (page: Page) => page.getByRole("grid", { name: "Traces" }).getByRole("row");

test.describe("By keys alone", () => {
  test("Settings change theme, limits and host names", async ({ page, visit, fresh }) => {
    await visit("#/live", fresh);
    await page.keyboard.press("Control+,");
    await expect(page).toHaveURL(/#\/settings/);
    await tabTo(page, /^System$/);
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("ArrowRight");
    await expect.poll(async () => (await fresh.call("get_settings")).appearance.theme).toBe("dark");
    await tabTo(page, /^Host name$/);
    await page.keyboard.type("devbox.local");
    await page.keyboard.press("Enter");
    await expect(page.getByRole("list", { name: "Allowed host names" })).toContainText("devbox.local");
    await tabTo(page, /^Remove devbox\.local$/, "Shift+Tab");
    await page.keyboard.press("Enter");
    await expect(page.getByRole("list", { name: "Allowed host names" })).toHaveCount(0);
    await tabTo(page, /^Keep at most/);
    await page.keyboard.press("Control+A");
    await page.keyboard.type("5");
    await page.keyboard.press("Tab");
    await page.keyboard.type("30");
    await page.keyboard.press("Enter");
    await expect
      .poll(async () => (await fresh.call("get_settings")).retention)
      .toEqual({ maxBytes: 5_000_000_000, maxDays: 30 });
  });

  test("Prompts are walked, compared and put into a time range", async ({ page, visit, fresh }) => {
    await sendPrompts(fresh);
    await fresh.settled();
    await visit("#/live", fresh);
    await page.keyboard.press("g");
    await page.keyboard.press("p");
    const heading = page.getByRole("main").getByRole("heading", { level: 2 });
    await expect(heading).toHaveText("triage/route");
    await page.keyboard.press("j");
    await expect(heading).toHaveText("support/system");
    await page.keyboard.press("k");
    await expect(heading).toHaveText("triage/route");
    await page.keyboard.press("j");
    await expect(heading).toHaveText("support/system");
    // The newest version stands as B; the menu of A offers the oldest.
    await tabTo(page, /^menu A$/);
    await page.keyboard.press("ArrowUp");
    await expect(page).toHaveURL(/a=5/);
    await expect(page.getByRole("main")).toContainText("seven");
    await tabTo(page, /^Time range/, "Shift+Tab");
    await page.keyboard.press("x");
    await expect(page).toHaveURL(/b=5/);
    await page.keyboard.press("Enter");
    await expect(page.getByRole("menu")).toBeVisible();
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    await expect(page).toHaveURL(/range=/);
    await expect(page.getByRole("button", { name: /^Time range/ })).toBeFocused();
  });

  test("facets narrow the list and are given up again", async ({ page, visit, fresh }) => {
    await fresh.send("traces", supportAgent("shop", "Where is it?").body);
    await fresh.send("traces", trace("billing", [{ name: "invoice" }]).body);
    await fresh.settled();
    await visit("#/live", fresh);
    await expect(rowsOf(page)).toHaveCount(3);
    await page.keyboard.press("Shift+F");
    const error = page.getByRole("complementary", { name: "Filters" }).getByRole("button").first();
    await expect(error).toBeFocused();
    await page.keyboard.press("Enter");
    await expect(rowsOf(page)).toHaveCount(2);
    await expect(error).toHaveAttribute("aria-pressed", "true");
    await page.keyboard.press("Space");
    await expect(rowsOf(page)).toHaveCount(3);
    await tabTo(page, /billing/);
    await page.keyboard.press("Enter");
    await expect(page).toHaveURL(/service=billing/);
    await expect(rowsOf(page)).toHaveCount(2);
    await page.keyboard.press("Escape");
    await page.keyboard.press("j");
    await expect(rowsOf(page).and(page.locator("[aria-selected=true]"))).toHaveAccessibleName(/invoice/);
  });

  test("the time range is chosen and moved", async ({ page, visit, fresh }) => {
    await fresh.send("traces", trace("shop", [{ name: "just now" }]).body);
    await fresh.send("traces", trace("shop", [{ name: "before" }], 7 * 60_000).body);
    await fresh.settled();
    await visit("#/live", fresh);
    await expect(rowsOf(page)).toHaveCount(3);
    await tabTo(page, /^Time range/);
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("5");
    await page.keyboard.press("ArrowDown");
    await expect(page.getByRole("menuitem", { name: /Last 5 minutes/ })).toBeFocused();
    await page.keyboard.press("Enter");
    await expect(page).toHaveURL(/range=5m/);
    await expect(rowsOf(page)).toHaveCount(2);
    await expect(rowsOf(page).nth(1)).toHaveAccessibleName(/just now/);
    await page.keyboard.press("Shift+ArrowLeft");
    await expect(rowsOf(page).nth(1)).toHaveAccessibleName(/before/);
    await expect(rowsOf(page)).toHaveCount(2);
    await page.keyboard.press("Shift+ArrowRight");
    await expect(rowsOf(page).nth(1)).toHaveAccessibleName(/just now/);
  });

  test("traces are marked, deleted, and taken back", async ({ page, visit, fresh }) => {
    for (const name of ["third", "second", "first"]) {
      await fresh.send("traces", trace("shop", [{ name }], { first: 1, second: 2, third: 3 }[name]! * 60_000).body);
    }
    await fresh.settled();
    await visit("#/live", fresh);
    const rows = rowsOf(page);
    await expect(rows).toHaveCount(4);
    await page.keyboard.press("j");
    await page.keyboard.press("Shift+ArrowDown");
    await page.keyboard.press("Shift+ArrowDown");
    await page.keyboard.press("Shift+ArrowUp");
    await page.keyboard.press("Delete");
    await expect(rows).toHaveCount(2);
    await expect(rows.nth(1)).toHaveAccessibleName(/third/);
    await expect(page.getByText("Deleting 2 traces")).toBeVisible();
    await page.keyboard.press("Control+Z");
    await expect(rows).toHaveCount(4);
    await expect(page.getByText("Deleting 2 traces")).toBeHidden();
    // Not taken back, it is gone for good.
    await page.keyboard.press("Home");
    await page.keyboard.press("Delete");
    await expect(rows).toHaveCount(3);
    await expect.poll(async () => (await fresh.call("list_traces")).rows.length).toBe(2);
  });

  test("the live tail is paused and resumed", async ({ page, visit, fresh }) => {
    await fresh.send("traces", trace("shop", [{ name: "before" }]).body);
    await fresh.settled();
    await visit("#/live", fresh);
    const rows = rowsOf(page);
    await expect(rows).toHaveCount(2);
    await page.keyboard.press("p");
    await expect(page.getByRole("switch", { name: "Live" })).toHaveAttribute("aria-checked", "false");
    await fresh.send("traces", trace("shop", [{ name: "meanwhile" }]).body);
    await fresh.settled();
    await page.waitForTimeout(800);
    await expect(rows).toHaveCount(2);
    await page.keyboard.press("p");
    await expect(page.getByRole("switch", { name: "Live" })).toHaveAttribute("aria-checked", "true");
    await expect(rows).toHaveCount(3);
    await expect(rows.nth(1)).toHaveAccessibleName(/meanwhile/);
  });
});
