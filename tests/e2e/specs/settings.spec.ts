import { expect, expectAccessible, test } from "../support/test.ts";

test.describe("Settings", () => {
  test("shows addresses, storage and appearance", async ({ page, visit, clew }) => {
    await visit("#/settings");
    const main = page.getByRole("main");
    await expect(main).toContainText(clew.http.split(":")[1]!);
    await expect(main).toContainText("clew.db");
    await expectAccessible(page);
  });

  test("takes host names, says what is wrong with one, and gives them up again", async ({ page, visit, fresh }) => {
    await visit("#/settings", fresh);
    const name = page.getByRole("textbox", { name: "Host name" });
    await name.fill("http://devbox");
    await name.press("Enter");
    await expect(page.getByText("is not a host name")).toBeVisible();
    await name.fill("devbox.local");
    await name.press("Enter");
    const names = page.getByRole("list", { name: "Allowed host names" });
    await expect(names).toContainText("devbox.local");
    await expect(name).toHaveValue("");
    expect((await fresh.call("get_settings")).receiving.allowedHosts).toEqual(["devbox.local"]);
    await expectAccessible(page);
    await page.getByRole("button", { name: "Remove devbox.local" }).click();
    await expect(names).toHaveCount(0);
    expect((await fresh.call("get_settings")).receiving.allowedHosts).toEqual([]);
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
