import { promptCall, supportAgent } from "../support/otlp.mjs";
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

  test("opens a bar to the calls that it is drawn from, and nothing where there is none", async ({
    page,
    visit,
    fresh,
  }) => {
    const call = (tokens: number, ago: number) => promptCall("shop", "1", `Answer ${tokens}.`, tokens, ago).body;
    const [before, first, last] = [call(100, 600_400), call(120, 600_000), call(64, 3_000)];
    for (const body of [before, first, last]) await fresh.send("traces", body);
    await fresh.settled();
    const { startTimeUnixNano } = first.resourceSpans[0]!.scopeSpans[0]!.spans[0]!;
    // The range begins within the first bucket, after a call that is not in it.
    const from = Number(BigInt(startTimeUnixNano) / 1_000n) - 50_000;
    const place = `#/trends?range=${from}-${from + 600_000_000}`;
    await visit(place, fresh);
    const plot = page.getByRole("group", { name: /^Tokens/ });
    const input = page.getByRole("main").locator("dl > div").filter({ hasText: "Input tokens" }).locator("dd");
    await plot.focus();
    await page.keyboard.press("Home");
    await expect(plot.getByRole("status")).toContainText("120 tokens");
    await page.keyboard.press("Enter");
    await expect(page).toHaveURL(new RegExp(`#/ledger\\?.*calls=${from}-`));
    await expect(input).toHaveText("120");

    // Clicked anywhere in it, the last bar opens; ten minutes without a call between the two open nothing.
    await visit(place, fresh);
    await plot.focus();
    await page.keyboard.press("End");
    await expect(plot.getByRole("status")).toContainText("64 tokens");
    const box = (await plot.boundingBox())!;
    const cross = (await plot.locator(".cross").boundingBox())!;
    await page.mouse.click(box.x + box.width / 2, cross.y + cross.height / 2);
    await expect(page).toHaveURL(/#\/trends/);
    await expect(plot).not.toHaveClass(/opens/);
    await page.mouse.click(cross.x + 2, cross.y + cross.height - 4);
    await expect(page).toHaveURL(/#\/ledger/);
    await expect(input).toHaveText("64");
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
