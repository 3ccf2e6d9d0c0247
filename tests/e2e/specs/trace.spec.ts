import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { supportAgent, trace } from "../support/otlp.mjs";
import { Clew, expect, expectAccessible, test } from "../support/test.ts";

async function sendAgent(clew: Clew) {
  const sent = supportAgent("shop", "Where is order 1182?");
  await clew.send("traces", sent.body);
  await clew.settled();
  return sent;
}

test.describe("Trace", () => {
  test("opens by its link, with totals, rows and the span that the link names", async ({ page, visit, fresh }) => {
    const { traceId, spanIds } = await sendAgent(fresh);
    await visit(`#/trace/${traceId}?span=${spanIds[4]}`, fresh);
    const rows = page.getByRole("treegrid", { name: "Spans of the trace" }).getByRole("row");
    await expect(rows).toHaveCount(6);
    await expect(rows.nth(1)).toContainText("support");
    await expect(page.getByRole("heading", { level: 1 })).toContainText("support");
    await expect(page.getByRole("link", { name: "3.1k→220 tok" })).toBeVisible();
    await expect(page.locator(`#line-${spanIds[4]}`)).toHaveAttribute("aria-selected", "true");
    await expect(page.getByRole("tabpanel")).toContainText("shipped");
    await expectAccessible(page);
  });

  test("shows each part of a span", async ({ page, visit, fresh }) => {
    const { traceId, spanIds } = await sendAgent(fresh);
    await visit(`#/trace/${traceId}?span=${spanIds[1]}`, fresh);
    const part = page.getByRole("tabpanel");
    await expect(part).toContainText("Where is order 1182?");
    for (const [tab, content] of [
      ["I/O", "order"],
      ["Attributes", "gen_ai.request.model"],
      ["Raw", "resourceSpans"],
    ] as const) {
      await page.getByRole("tab", { name: new RegExp(`^${tab}`) }).click();
      await expect(part).toContainText(content);
      await expectAccessible(page);
    }
    await page.locator(`#line-${spanIds[3]}`).click();
    await page.getByRole("tab", { name: /^Events/ }).click();
    await expect(part).toContainText("exception");
    await expect(page.getByRole("region", { name: "Span" })).toContainText("TimeoutError");
  });

  test("is worked by keys alone", async ({ page, visit, fresh }) => {
    const { traceId, spanIds } = await sendAgent(fresh);
    await visit(`#/trace/${traceId}`, fresh);
    const grid = page.getByRole("treegrid", { name: "Spans of the trace" });
    const selected = grid.getByRole("row", { selected: true });
    await expect(grid.getByRole("row")).toHaveCount(6);
    await page.keyboard.press("Home");
    await page.keyboard.press("j");
    await expect(selected).toHaveId(`line-${spanIds[1]}`);
    await page.keyboard.press(".");
    await expect(selected).toHaveId(`line-${spanIds[3]}`);
    await page.keyboard.press("Home");
    await page.keyboard.press("ArrowLeft");
    await expect(grid.getByRole("row")).toHaveCount(2);
    await page.keyboard.press("ArrowRight");
    await expect(grid.getByRole("row")).toHaveCount(6);
    await page.keyboard.press("/");
    await page.keyboard.type("refund");
    await page.keyboard.press("Enter");
    await page.keyboard.press("Escape");
    await expect(selected).toHaveId(`line-${spanIds[3]}`);
    await page.keyboard.press("3");
    await expect(page.getByRole("tab", { name: /^Attributes/ })).toHaveAttribute("aria-selected", "true");
    await page.keyboard.press("?");
    await expect(page.getByRole("dialog", { name: "Keyboard" })).toContainText("Next error");
    await page.keyboard.press("Escape");
    await expect(page.getByRole("dialog")).toHaveCount(0);
    await page.keyboard.press("Control+k");
    await expect(page.getByRole("dialog", { name: "Command palette" })).toBeVisible();
    await page.keyboard.type("go to live");
    await page.keyboard.press("Enter");
    await expect(page).toHaveURL(/#\/live/);
  });

  test("takes idle time out of the axis and shows what the end waited for", async ({ page, visit, fresh }) => {
    const { traceId, body } = trace("shop", [
      { name: "agent", took: 10_000, attributes: { "gen_ai.operation.name": "invoke_agent" } },
      { name: "ask", parent: 0, at: 0, took: 1_000, attributes: { "gen_ai.operation.name": "chat" } },
      { name: "answer", parent: 0, at: 9_000, took: 1_000, attributes: { "gen_ai.operation.name": "chat" } },
    ]);
    await fresh.send("traces", body);
    await fresh.settled();
    await visit(`#/trace/${traceId}`, fresh);
    const chip = page.getByRole("button", { name: "8s, 80 % idle" });
    await expect(chip).toHaveAttribute("aria-pressed", "false");
    const bars = page.getByRole("treegrid", { name: "Spans of the trace" }).locator(".bar.llm");
    const width = async () => (await bars.first().boundingBox())?.width ?? 0;
    const before = await width();
    await page.keyboard.press("i");
    await expect(chip).toHaveAttribute("aria-pressed", "true");
    await expect.poll(width).toBeGreaterThan(before * 3);
    await page.keyboard.press("c");
    const path = page.getByRole("region", { name: "Critical path" });
    await expect(path).toContainText("Critical path 2s of 10s");
    await expect(path.getByRole("listitem")).toHaveText(["ask", "answer"]);
    await expectAccessible(page);
    await path.getByRole("button", { name: "answer" }).click();
    await expect(page.getByRole("row", { selected: true })).toContainText("answer");
    await page.keyboard.press("c");
    await expect(path).toBeHidden();
  });

  test("opens an address in a text only after it was shown whole", async ({ page, visit, fresh, context }) => {
    const asked: (string | undefined)[] = [];
    const elsewhere = createServer((request, response) => {
      if (request.url === "/a?b=1") asked.push(request.headers.referer);
      response.end("elsewhere");
    });
    await new Promise<void>((resolve) => elsewhere.listen(0, "127.0.0.1", resolve));
    const address = `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}/a?b=1`;
    const text = `Read [the docs](${address}), [these](https://ex\u0430mple.com/) or [pay](https://bank.example@evil.example/).`;
    const messages = JSON.stringify([{ role: "assistant", parts: [{ type: "text", content: text }] }]);
    const attributes = { "gen_ai.operation.name": "chat", "gen_ai.output.messages": messages };
    const sent = trace("shop", [{ name: "chat", attributes }]);
    await fresh.send("traces", sent.body);
    await fresh.settled();
    await visit(`#/trace/${sent.traceId}`, fresh);
    const panel = page.getByRole("tabpanel");
    const dialog = page.getByRole("dialog");
    await panel.getByRole("button", { name: "pay" }).click();
    await expect(dialog).toContainText("https://bank.example@evil.example/");
    await expect(dialog.getByRole("button", { name: /^Open/ })).toHaveCount(0);
    await page.keyboard.press("Escape");
    await panel.getByRole("button", { name: "these" }).click();
    await expect(dialog).toContainText("https://xn--exmple-4nf.com/");
    await expect(dialog).toContainText("other alphabets");
    await expectAccessible(page);
    await page.keyboard.press("Escape");
    await expect(dialog).toBeHidden();
    await panel.getByRole("button", { name: "the docs" }).click();
    await expect(dialog).toContainText(address);
    expect(asked).toEqual([]);
    const opened = context.waitForEvent("page");
    await dialog.getByRole("button", { name: "Open in a new tab" }).click();
    const tab = await opened;
    await expect(tab.getByText("elsewhere")).toBeVisible();
    expect(await tab.evaluate(() => globalThis.opener)).toBeNull();
    expect(asked).toEqual([undefined]);
    await expect(dialog).toBeHidden();
    await tab.close();
    elsewhere.close();
  });

  test("copies what a developer needs elsewhere", async ({ page, visit, fresh, context }) => {
    await context.grantPermissions(["clipboard-read", "clipboard-write"]);
    const { traceId, spanIds } = await sendAgent(fresh);
    await visit(`#/trace/${traceId}?span=${spanIds[1]}`, fresh);
    await expect(page.getByRole("treegrid", { name: "Spans of the trace" })).toBeVisible();
    const clipboard = () => page.evaluate(() => navigator.clipboard.readText());
    await page.keyboard.press("y");
    await page.keyboard.press("i");
    await expect.poll(clipboard).toBe(traceId);
    await page.keyboard.press("y");
    await page.keyboard.press("m");
    await expect.poll(clipboard).toContain("Where is order 1182?");
    await page.keyboard.press("y");
    await page.keyboard.press("j");
    await expect.poll(clipboard).toContain("resourceSpans");
    expect(JSON.parse(await clipboard()).resourceSpans).toHaveLength(1);
  });

  test("shows and copies the content of a span that is read, of several", async ({ page, visit, fresh, context }) => {
    await context.grantPermissions(["clipboard-read", "clipboard-write"]);
    const { traceId, spanIds, body } = supportAgent("shop", "The first question?");
    await fresh.send("traces", body);
    // The same span once more, as a program with a broken id generator sends it: another name, another question.
    const again = JSON.parse(JSON.stringify(body).replaceAll("The first question?", "Another question?"));
    const scope = again.resourceSpans[0].scopeSpans[0];
    const { attributes, ...span } = scope.spans[1];
    scope.spans = [{ ...span, name: "chat again", attributes: attributes.slice(0, -1) }];
    await fresh.send("traces", again);
    await fresh.settled();
    await visit(`#/trace/${traceId}?span=${spanIds[1]}`, fresh);
    const part = page.getByRole("tabpanel");
    await expect(part).toContainText("The first question?");
    await page.getByRole("tab", { name: "Raw" }).click();
    await expect(part).toContainText("OTLP JSON");
    await expect(part).not.toContainText("chat again");
    await page.getByLabel(/2 contents arrived/).selectOption({ index: 1 });
    await expect(part).toContainText("chat again");
    const clipboard = () => page.evaluate(() => navigator.clipboard.readText());
    await page.getByRole("button", { name: "Copy the span as OTLP JSON" }).first().click();
    await expect.poll(clipboard).toContain("Another question?");
    for (const key of ["m", "j"]) {
      await page.evaluate(() => navigator.clipboard.writeText(""));
      await page.keyboard.press("y");
      await page.keyboard.press(key);
      await expect.poll(clipboard).toContain("Another question?");
      expect(await clipboard()).not.toContain("The first question?");
    }
  });

  test("opens a recorded trace of a real program", async ({ page, visit, clew }) => {
    const { rows } = await clew.call("list_traces", { limit: 50 });
    for (const { traceId } of rows.slice(0, 5)) {
      await visit(`#/trace/${traceId}`);
      await expect(page.getByRole("treegrid", { name: "Spans of the trace" }).getByRole("row").nth(1)).toBeVisible();
      await expectAccessible(page);
    }
  });

  test("says so when a trace is not there", async ({ page, visit }) => {
    await visit("#/trace/00000000000000000000000000000bad");
    await expect(page.getByText("This trace is not here")).toBeVisible();
    await page.keyboard.press("Escape");
    await expect(page).toHaveURL(/#\/live/);
    await visit("#/trace/nonsense");
    await expect(page.getByText("This is not a trace id")).toBeVisible();
  });
});
