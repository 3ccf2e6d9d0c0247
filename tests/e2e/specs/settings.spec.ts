import { expect, expectAccessible, test } from "../support/test.ts";

test.describe("Settings", () => {
  test("shows addresses, storage and appearance", async ({ page, visit, clew }) => {
    await visit("#/settings");
    const main = page.getByRole("main");
    await expect(main).toContainText(clew.http.split(":")[1]!);
    await expect(main).toContainText("clew.db");
    await expectAccessible(page);
  });

  test("keeps the theme over a reload", async ({ page, visit, fresh }) => {
    await visit("#/settings", fresh);
    await page.getByRole("radio", { name: "Dark" }).check({ force: true });
    await expect.poll(async () => (await fresh.call("get_settings")).appearance.theme).toBe("dark");
    await page.emulateMedia({ colorScheme: "light" });
    await page.reload();
    await expect
      .poll(() => page.evaluate(() => getComputedStyle(document.documentElement).colorScheme))
      .toContain("dark");
  });
});
