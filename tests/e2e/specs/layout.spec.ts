// Small windows and large type: every view at the smallest window, and in a usual one at 200 %.
import { sendPrompts, supportAgent, wrappedCall } from "../support/otlp.mjs";
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
      const repeats = wrappedCall("shop");
      await fresh.send("traces", repeats.body);
      await fresh.call("open_sample");
      const key = `acme.${"gateway.of.the.shop.".repeat(4)}tokens_in`;
      await fresh.call("set_overrides", { overrides: [{ key, fact: "input_tokens" }] });
      await fresh.settled();
      const wrapper = `#/trace/${repeats.traceId}?span=${repeats.spanIds[0]}`;
      const link = `#/trace/${sent.traceId}?span=${sent.spanIds[1]}`;
      for (const [place, content] of [
        ["#/live", "support"],
        [`#/live?peek=0.${sent.traceId}`, "get_order"],
        ["#/live?text=nothing+is+called+that", "No trace matches"],
        [link, "get_order"],
        [wrapper, "Repeats what a span below it states"],
        ["#/prompts/support%2Fsystem", "Medians"],
        ["#/quality", "help with the refund"],
        ["#/trends", "Tokens"],
        ["#/trends?table=1", "Tokens"],
        ["#/ledger?source=all", "Input tokens"],
        [
          "#/ledger?source=all&service=shop-with-a-long-name-for-a-menu&kind=agent&only=gpt-4o-2024-08-06&range=7d&calls=7d",
          "Traces of the last 7 days",
        ],
        ["#/ledger?source=all&tab=whatif&alt=gpt-4o-mini&alt=no-such-model", "All calls"],
        ["#/connect", "Either port"],
        ["#/connect?tab=doctor", "that came last"],
        ["#/settings", "Addresses"],
        ["#/settings", key],
      ] as const) {
        await visit(place, fresh);
        await expect(page.getByRole("main").getByText(content).first()).toBeVisible();
        await expectWhole(page, `${place} at ${name}`);
      }
      // A wrapper's figures and notes leave its tabs and their content in the window, and what wrapped out of the header
      // is out of the keyboard's way.
      await visit(wrapper, fresh);
      await expect(page.getByRole("tablist", { name: "Parts of the span" })).toBeInViewport();
      await expect(page.getByRole("tabpanel")).toBeInViewport();
      const hidden = page.locator("header dl").evaluate((list) => {
        const { bottom } = list.getBoundingClientRect();
        const links = [...list.querySelectorAll("a")].filter((link) => link.tabIndex >= 0);
        return links.filter((link) => link.getBoundingClientRect().top >= bottom).length;
      });
      expect(await hidden).toBe(0);
      // Each part of a span, at the length of a real conversation.
      await visit(link, fresh);
      for (const part of ["Chat", "I/O", "Attributes", "Events", "Logs", "Raw"]) {
        await page.getByRole("tab", { name: new RegExp(`^${part}`) }).click();
        await expect(page.getByRole("tabpanel")).toBeVisible();
        await expectWhole(page, `${part} at ${name}`);
      }
    });

    test("palette, help, menus and facets fit", async ({ page, visit, fresh }) => {
      const sent = supportAgent("shop", "Where is it?");
      await fresh.send("traces", sent.body);
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
      await visit(`#/trace/${sent.traceId}?span=${sent.spanIds[1]}`, fresh);
      await page.getByRole("button", { name: /What it cost/ }).click();
      await expect(page.getByRole("dialog", { name: /What it cost/ })).toBeVisible();
      await expectWhole(page, "what a span cost");
    });
  });
}
