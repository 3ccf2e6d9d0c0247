import { supportAgent } from "../support/otlp.mjs";
import { expect, expectAccessible, test } from "../support/test.ts";

test.describe("Trends", () => {
  test("draws every chart, reads points by keys and as tables", async ({ page, visit, fresh }) => {
    for (const ago of [600_000, 400_000, 200_000, 5_000]) {
      await fresh.send("traces", supportAgent("shop", "Where is it?", ago).body);
    }
    await fresh.settled();
    await visit("#/trends", fresh);
    const charts = await fresh.call("list_charts");
    expect(charts.length).toBeGreaterThanOrEqual(3);
    for (const { title } of charts) {
      await expect(page.getByRole("heading", { name: title, exact: true })).toBeVisible();
    }
    await expect(page.locator("figure svg").first()).toBeVisible();
    await expectAccessible(page);
    const plot = page.getByRole("group", { name: /^Tokens/ });
    await plot.focus();
    await page.keyboard.press("End");
    await expect(plot.getByRole("status")).toContainText(/\d/);
    await page.keyboard.press("v");
    await expect(page.getByRole("table").first()).toContainText(/\d/);
    await expect(page).toHaveURL(/table=1/);
    await expectAccessible(page);
  });

  test("repaints for a theme without being drawn again", async ({ page, visit, fresh }) => {
    await fresh.send("traces", supportAgent("shop", "Where is it?").body);
    await fresh.settled();
    await visit("#/trends", fresh);
    const svg = page.locator("figure svg").first();
    await expect(svg).toBeVisible();
    const colours = () =>
      svg.evaluate((drawing) => [...drawing.querySelectorAll("*")].map((each) => getComputedStyle(each).stroke + getComputedStyle(each).fill).join());
    const requests: string[] = [];
    page.on("request", (request) => requests.push(request.url()));
    await page.emulateMedia({ colorScheme: "light" });
    const light = await colours();
    await page.emulateMedia({ colorScheme: "dark" });
    await expect.poll(colours).not.toBe(light);
    expect(requests.filter((url) => url.includes("draw_chart"))).toEqual([]);
  });
});
