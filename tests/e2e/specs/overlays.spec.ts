// What lies over a view, open: without barriers in both themes, and left by Escape with the keyboard where it was.
import { sendPrompts, supportAgent } from "../support/otlp.mjs";
import { expect, expectAccessible, test } from "../support/test.ts";

test.describe("Open, without barriers:", () => {
  test("the palette, empty, filtered, and with nothing found", async ({ page, visit }) => {
    await visit("#/live");
    await expect(page.getByRole("grid", { name: "Traces" })).toBeVisible();
    await page.keyboard.press("Control+K");
    await expect(page.getByRole("option").first()).toBeVisible();
    await expectAccessible(page);
    await page.keyboard.type("sidebar");
    await expect(page.getByRole("option")).toHaveText([/Show or hide the sidebar/]);
    await expectAccessible(page);
    await page.keyboard.type("zzz");
    await expect(page.getByText("Nothing is called that.")).toBeVisible();
    await expectAccessible(page);
    await page.keyboard.press("Escape");
    await expect(page.getByRole("dialog")).toHaveCount(0);
  });

  test("the keyboard help of each view", async ({ page, visit, clew }) => {
    const { rows } = await clew.call("list_traces", { limit: 1 });
    for (const place of ["#/live", `#/trace/${rows[0].traceId}`, "#/trends"]) {
      await visit(place);
      await expect(page.getByRole("main")).toContainText(/\w{4}/);
      await page.keyboard.press("?");
      await expect(page.getByRole("dialog", { name: "Keyboard" })).toBeVisible();
      await expectAccessible(page);
      await page.keyboard.press("Escape");
      await expect(page.getByRole("dialog")).toHaveCount(0);
    }
  });

  test("menus: source, time range, copy", async ({ page, visit, fresh }) => {
    const sent = supportAgent("shop", "Where is it?");
    await fresh.send("traces", sent.body);
    await fresh.call("open_sample");
    await fresh.settled();
    await visit("#/live", fresh);
    for (const name of [/^Source/, /^Time range/]) {
      const button = page.getByRole("button", { name });
      await button.focus();
      await page.keyboard.press("Enter");
      await expect(page.getByRole("menuitem").first()).toBeVisible();
      await expectAccessible(page);
      await page.keyboard.press("Escape");
      await expect(button).toBeFocused();
    }
    await visit(`#/trace/${sent.traceId}`, fresh);
    await page.getByRole("button", { name: /^Copy$/ }).click();
    await expect(page.getByRole("menuitem", { name: /Markdown/ })).toContainText("y m");
    await expectAccessible(page);
  });

  test("what a span cost, in a trace and in a peek, which keep still below it", async ({ page, visit, fresh }) => {
    const sent = supportAgent("shop", "Where is it?");
    await fresh.send("traces", sent.body);
    await fresh.settled();
    await visit(`#/trace/${sent.traceId}?span=${sent.spanIds[1]}`, fresh);
    const figure = page.getByRole("button", { name: /What it cost/ });
    const lines = page.getByRole("dialog", { name: /What it cost/ });
    const holdsKeyboard = () => lines.evaluate((dialog) => dialog.contains(document.activeElement));
    await figure.press("Enter");
    await expect(lines).toBeVisible();
    await expect.poll(holdsKeyboard).toBe(true);
    await expectAccessible(page);
    for (const key of ["j", "k", "c", "1"]) await page.keyboard.press(key);
    await expect(lines).toBeVisible();
    await expect(page).toHaveURL(new RegExp(`span=${sent.spanIds[1]}`));
    await page.keyboard.press("Escape");
    await expect(lines).toBeHidden();
    await expect(figure).toBeFocused();
    await expect(page).toHaveURL(/#\/trace\//);
    // By key and by the palette too.
    await page.keyboard.press("$");
    await expect(lines).toBeVisible();
    await page.keyboard.press("Escape");
    await expect(lines).toBeHidden();
    await page.keyboard.press("Control+K");
    await page.keyboard.type("what the span cost");
    await page.keyboard.press("Enter");
    await expect(lines).toBeVisible();

    await visit(`#/live?peek=0.${sent.traceId}`, fresh);
    await page.locator(`#line-${sent.spanIds[1]}`).click();
    await figure.press("Enter");
    await expect(lines).toBeVisible();
    await expect.poll(holdsKeyboard).toBe(true);
    for (const key of ["j", "Delete", "Space"]) await page.keyboard.press(key);
    await expect(lines).toBeVisible();
    await expect(page.getByText(/^Deleting/)).toHaveCount(0);
    await page.keyboard.press("Escape");
    await expect(lines).toBeHidden();
    await expect(figure).toBeFocused();
    await expect(page).toHaveURL(/peek=/);
    await expect(page.getByRole("grid", { name: "Traces" }).getByRole("row")).toHaveCount(2);
  });

  test("facets over a narrow list", async ({ page, visit, fresh }) => {
    await page.setViewportSize({ width: 640, height: 500 });
    await fresh.send("traces", supportAgent("shop", "Where is it?").body);
    await fresh.settled();
    await visit("#/live", fresh);
    await expect(page.getByRole("complementary", { name: "Filters" })).toBeHidden();
    await page.getByRole("button", { name: "Filters" }).press("Enter");
    await expect(page.getByRole("complementary", { name: "Filters" })).toBeVisible();
    await expectAccessible(page);
    await page.keyboard.press("Escape");
    await expect(page.getByRole("complementary", { name: "Filters" })).toBeHidden();
  });

  test("the message log, with a message", async ({ page, visit, fresh }) => {
    await visit("#/connect", fresh);
    await page.getByRole("button", { name: "Open the sample" }).click();
    await expect(page.getByText(/^Sample: /)).toBeVisible();
    await expectAccessible(page);
    await page.getByRole("button", { name: /^Messages/ }).press("Enter");
    await expect(page.getByRole("dialog")).toContainText("Sample");
    await expectAccessible(page);
  });

  test("the question before an address is opened", async ({ page, visit, fresh }) => {
    const sent = supportAgent("shop", "See [the order](https://example.com/orders/1182).");
    await fresh.send("traces", sent.body);
    await fresh.settled();
    await visit(`#/trace/${sent.traceId}?span=${sent.spanIds[1]}`, fresh);
    await page.getByRole("tabpanel").getByRole("button", { name: /the order/ }).click();
    await expect(page.getByRole("dialog")).toContainText("https://example.com/orders/1182");
    await expectAccessible(page);
  });

  test("prompts with their menus, and the bell of a deletion", async ({ page, visit, fresh }) => {
    await sendPrompts(fresh);
    await fresh.settled();
    await visit("#/prompts/support%2Fsystem", fresh);
    await expect(page.getByRole("list", { name: "Versions, oldest first" })).toBeVisible();
    await expectAccessible(page);
    await visit("#/live", fresh);
    await page.keyboard.press("j");
    await page.keyboard.press("Delete");
    await expect(page.getByRole("button", { name: "Undo" })).toBeVisible();
    await expectAccessible(page);
    await page.keyboard.press("Control+Z");
  });

  test("what the keyboard comes to is told as what the pointer rests on", async ({ page, visit, fresh }) => {
    const sent = supportAgent("shop", "Where is it?");
    await fresh.send("traces", sent.body);
    await fresh.settled();
    await visit(`#/trace/${sent.traceId}?span=${sent.spanIds[1]}`, fresh);
    const figure = page.getByRole("button", { name: /What it cost/ });
    await expect(figure).toBeVisible();
    await page.keyboard.press("Tab");
    await figure.focus();
    const tip = page.locator(".tip");
    await expect(tip).toHaveText("What it cost, line by line");
    await expectAccessible(page);
    await page.keyboard.press("Tab");
    await expect(tip).toBeHidden();
    // What letters and signs mean stands beside the keys.
    await page.keyboard.press("?");
    const signs = page.getByRole("region", { name: "Keys and signs" });
    await expect(signs).toContainText("Sum of the calls below");
    await expect(signs).toContainText("Estimated, and in no total");
  });
});
