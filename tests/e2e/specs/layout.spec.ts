// Small windows and large type: every view at the smallest window, and in a usual one at 200 %.
import { sendPrompts, supportAgent } from "../support/otlp.mjs";
import { expectWhole } from "../support/layout.ts";
import { expect, test } from "../support/test.ts";

const ROOMS = [
  { name: "800 px", viewport: { width: 800, height: 600 }, deviceScaleFactor: 1 },
  // A page at 200 % has half the pixels.
  { name: "200 %", viewport: { width: 640, height: 400 }, deviceScaleFactor: 2 },
];

for (const { name, ...room } of ROOMS) {
  test.describe(`At ${name}`, () => {
    test.use(room);

    test("no view scrolls sideways, and nothing is cut off", async ({ page, visit, fresh }) => {
      const question = "Where is order 1182, which I ordered so long ago that its number must have been used anew?";
      const sent = supportAgent("shop-with-a-long-name-for-a-menu", question);
      await fresh.send("traces", sent.body);
      await sendPrompts(fresh);
      await fresh.call("open_sample");
      await fresh.settled();
      const trace = `#/trace/${sent.traceId}?span=${sent.spanIds[1]}`;
      for (const [place, content] of [
        ["#/live", "support"],
        [`#/live?peek=0.${sent.traceId}`, "get_order"],
        ["#/live?text=nothing+is+called+that", "No trace matches"],
        [trace, "get_order"],
        ["#/prompts/support%2Fsystem", "Medians"],
        ["#/quality", "help with the refund"],
        ["#/trends", "Tokens"],
        ["#/trends?table=1", "Tokens"],
        ["#/ledger?source=all", "Input tokens"],
        ["#/connect", "Either port"],
        ["#/settings", "Addresses"],
      ] as const) {
        await visit(place, fresh);
        await expect(page.getByRole("main").getByText(content).first()).toBeVisible();
        await expectWhole(page, `${place} at ${name}`);
      }
      // Each part of a span, at the length of a real conversation.
      await visit(trace, fresh);
      for (const part of ["Chat", "I/O", "Attributes", "Events", "Logs", "Raw"]) {
        await page.getByRole("tab", { name: new RegExp(`^${part}`) }).click();
        await expect(page.getByRole("tabpanel")).toBeVisible();
        await expectWhole(page, `${part} at ${name}`);
      }
    });

    test("palette, help, menus and facets fit", async ({ page, visit, fresh }) => {
      await fresh.send("traces", supportAgent("shop", "Where is it?").body);
      await fresh.settled();
      await visit("#/live", fresh);
      await expect(page.getByRole("grid", { name: "Traces" }).getByRole("row")).toHaveCount(2);
      await page.keyboard.press("Control+K");
      await expect(page.getByRole("dialog")).toBeVisible();
      await expectWhole(page, "the palette");
      await page.keyboard.press("Escape");
      await page.keyboard.press("?");
      await expect(page.getByRole("dialog")).toBeVisible();
      await expectWhole(page, "the keyboard help");
      await page.keyboard.press("Escape");
      for (const menu of [/^Source/, /^Time range/]) {
        await page.getByRole("button", { name: menu }).click();
        await expect(page.getByRole("menu")).toBeVisible();
        await expectWhole(page, `the menu ${menu}`);
        await page.keyboard.press("Escape");
      }
      await page.keyboard.press("Shift+F");
      await expect(page.getByRole("complementary", { name: "Filters" }).getByRole("button").first()).toBeFocused();
      await expectWhole(page, "the facets");
      await page.keyboard.press("Escape");
      await page.keyboard.press("Control+B");
      await expect(page.getByRole("navigation", { name: "Views" })).toContainText("Settings");
      await expectWhole(page, "the wide sidebar");
    });
  });
}
