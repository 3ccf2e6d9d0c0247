import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { trace } from "../support/otlp.mjs";
import { Clew, expect, expectAccessible, test } from "../support/test.ts";

/** Runs a test on a Clew that holds some 100 MB: limits below 64 MiB cannot be set. */
async function withNoise(run: (clew: Clew) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "clew-limits-"));
  const clew = await Clew.start({ database: join(folder, "clew.db") });
  try {
    const noise = () => randomBytes(768 * 1024).toString("base64");
    for (let sent = 0; sent < 90; sent += 1) {
      await clew.send("traces", trace("shop", [{ name: "step", attributes: { noise: noise() } }]).body);
    }
    await clew.settled();
    await run(clew);
  } finally {
    await clew.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

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
    // The system says light: only what was kept can make it dark.
    await expect
      .poll(() => page.evaluate(() => getComputedStyle(document.documentElement).colorScheme))
      .toBe("dark");
    await page.getByRole("radio", { name: "System" }).check({ force: true });
    await expect
      .poll(() => page.evaluate(() => getComputedStyle(document.documentElement).colorScheme))
      .not.toBe("dark");
  });

  test("asks before limits delete anything", async ({ page, visit }) => {
    await withNoise(async (clew) => {
      await visit("#/settings", clew);
      await page.getByLabel("Keep at most").fill("0.07");
      await page.getByRole("button", { name: "Save limits" }).click();
      const dialog = page.getByRole("dialog", { name: /^Delete \d+ traces?\?$/ });
      await expect(dialog).toBeVisible();
      await expectAccessible(page);
      const limit = async () => (await clew.call("get_settings")).retention.maxBytes;
      expect(await limit()).toBe(10_000_000_000);
      await dialog.getByRole("button", { name: "Keep them" }).click();
      expect(await limit()).toBe(10_000_000_000);
      await page.getByRole("button", { name: "Save limits" }).click();
      await dialog.getByRole("button", { name: "Delete", exact: true }).click();
      await expect.poll(limit).toBe(70_000_000);
      await expect(page.getByText(/^Deleted \d+ traces?, freed/)).toBeVisible();
      await page.goto("about:blank");
    });
  });

  test("says why limits could not be kept", async ({ page, visit }) => {
    await withNoise(async (clew) => {
      // Another program that reads the database and does not stop.
      const reading = `import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN")
connection.execute("SELECT count(*) FROM spans").fetchall()
print("reading", flush=True)
sys.stdin.read()`;
      const reader = spawn("python3", ["-c", reading, clew.database], { stdio: ["pipe", "pipe", "inherit"] });
      try {
        await once(reader.stdout, "data");
        await visit("#/settings", clew);
        await page.getByLabel("Keep at most").fill("0.068");
        await page.getByRole("button", { name: "Save limits" }).click();
        await page.getByRole("dialog").getByRole("button", { name: "Delete", exact: true }).click();
        const main = page.getByRole("main");
        await expect(main.getByRole("alert")).toContainText("A reader keeps the write-ahead log");
        await expect(page.getByLabel("Keep at most")).toHaveValue("0.068");
        await expect(page.getByRole("button", { name: "Save limits" })).toHaveCount(0);
        await expectAccessible(page);
        await page.goto("about:blank");
      } finally {
        reader.kill();
      }
    });
  });
});
