import { trace } from "../support/otlp.mjs";
import { Clew, expect, expectAccessible, test } from "../support/test.ts";

test.describe("Connect", () => {
  test("is home until the first span, then hands over to the trace that came", async ({ page, visit, fresh }) => {
    await visit("", fresh);
    await expect(page).toHaveURL(/#\/connect/);
    await expect(page.getByRole("heading", { name: /Waiting for the first span/ })).toBeVisible();
    await expectAccessible(page);
    await page.evaluate(() => {
      new MutationObserver(() => {
        if (document.querySelector("main")?.textContent?.includes("The first trace is here"))
          (globalThis as { arrived?: boolean }).arrived = true;
      }).observe(document.body, { subtree: true, childList: true, characterData: true });
    });
    const { traceId, body } = trace("first", [{ name: "hello" }]);
    await fresh.send("traces", body);
    // The heading stands for a moment only: it is recorded, so that a busy machine cannot miss it.
    await expect.poll(() => page.evaluate(() => (globalThis as { arrived?: boolean }).arrived)).toBe(true);
    await expect(page).toHaveURL(new RegExp(`#/live\\?peek=0.${traceId}`));
    await visit("", fresh);
    await expect(page).toHaveURL(/#\/live/);
  });

  test("hands over to a list that goes on following, until somebody does something", async ({
    page,
    visit,
    fresh,
  }) => {
    await visit("#/connect", fresh);
    await expect(page.getByRole("heading", { name: /Waiting/ })).toBeVisible();
    await fresh.send("traces", trace("shop", [{ name: "first" }]).body);
    const list = page.getByRole("grid", { name: "Traces" });
    await expect(list.getByRole("row", { name: /first/ })).toHaveAttribute("aria-selected", "true");
    await fresh.send("traces", trace("shop", [{ name: "second" }]).body);
    await expect(list.getByRole("row", { name: /second/ })).toBeVisible();
    // Whoever reads the trace is not disturbed.
    await page.getByRole("region", { name: "Span" }).click();
    await fresh.send("traces", trace("shop", [{ name: "third" }]).body);
    await expect(page.getByRole("button", { name: "1 new" })).toBeVisible();
    await expect(list.getByRole("row", { name: /third/ })).toHaveCount(0);
  });

  test("says where it listens and how to send there", async ({ page, visit, fresh, context }) => {
    await context.grantPermissions(["clipboard-read", "clipboard-write"]);
    await visit("#/connect", fresh);
    const port = fresh.http.split(":")[1]!;
    await expect(page.getByRole("main")).toContainText(port);
    const snippets = page.getByRole("region", { name: "Snippets" });
    await expect(snippets).toContainText(`:${port}`);
    await expect(snippets).toContainText("OTEL_BSP_SCHEDULE_DELAY");
    for (const tab of await snippets.getByRole("tab").all()) {
      await tab.click();
      await expect(snippets.getByRole("tabpanel")).toContainText(/\S{5}/);
    }
    await snippets.getByRole("button", { name: /Copy/ }).first().click();
    await expect.poll(() => page.evaluate(() => navigator.clipboard.readText())).toMatch(/\S{5}/);
  });

  test("sends a test trace by key", async ({ page, visit, fresh }) => {
    await visit("#/connect", fresh);
    await expect(page.getByRole("heading", { name: /Waiting/ })).toBeVisible();
    await page.keyboard.press("t");
    await expect(page).toHaveURL(/#\/live\?peek=0\.[0-9a-f]{32}/);
    await expect(page.getByRole("treegrid", { name: "Spans of the trace" })).toBeVisible();
  });

  test("opens the sample, which can be closed again", async ({ page, visit, fresh }) => {
    await visit("#/connect", fresh);
    await page.getByRole("button", { name: "Open the sample" }).click();
    const rows = page.getByRole("grid", { name: "Traces" }).getByRole("row");
    await expect(rows.nth(1)).toBeVisible();
    await expect.poll(async () => (await fresh.call("list_sources")).length).toBe(1);
    // The way to close a file stands beside it while it is pointed at or has the keyboard.
    const [source] = await fresh.call("list_sources");
    await page.getByRole("navigation", { name: "Views" }).getByRole("link", { name: source.label }).focus();
    await page.getByRole("button", { name: /^Close/ }).click();
    await expect.poll(async () => (await fresh.call("list_sources")).length).toBe(0);
  });

  test("warns on every screen while it listens beyond this machine", async ({ page, visit }) => {
    const open = await Clew.start({ args: ["--host", "0.0.0.0", "--ingest-key", "a-key-of-the-tests"] });
    try {
      for (const view of ["live", "prompts", "settings"]) {
        await visit(`#/${view}`, open);
        await expect(page.getByText("Clew listens beyond this machine")).toContainText("0.0.0.0:");
      }
      await expectAccessible(page);
      await page.getByRole("link", { name: "Addresses and key" }).click();
      await expect(page).toHaveURL(/#\/connect/);
      await page.goto("about:blank");
    } finally {
      await open.stop();
    }
  });

  test("says where to drop while files are dragged over the page, and opens them", async ({ page, visit, fresh }) => {
    await visit("#/connect", fresh);
    const text = `${JSON.stringify(trace("saved", [{ name: "from a file" }]).body)}\n`;
    const drag = (name: string) =>
      page.evaluate(
        ([type, content]) => {
          const dataTransfer = new DataTransfer();
          dataTransfer.items.add(new File([content!], "saved.jsonl"));
          const at = document.querySelector("main")!;
          at.dispatchEvent(new DragEvent(type!, { dataTransfer, bubbles: true, cancelable: true }));
        },
        [name, text],
      );
    const hint = page.getByText("Drop to open");
    await drag("dragenter");
    await expect(hint).toBeVisible();
    await drag("dragleave");
    await expect(hint).toBeHidden();
    await drag("dragenter");
    await drag("drop");
    await expect(hint).toBeHidden();
    await expect(page.getByRole("grid", { name: "Traces" })).toContainText("from a file");
  });
});
