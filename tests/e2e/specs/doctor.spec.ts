// What is wrong with telemetry, and what attributes of one's own mean.
import type { Route } from "@playwright/test";
import { trace } from "../support/otlp.mjs";
import { expect, expectAccessible, sendRecording, test } from "../support/test.ts";

/** An answer that is a failure, of a kind that a page may meet. */
const refuse = (route: Route) =>
  route.fulfill({ status: 404, json: { code: "not_found", message: "it is not here" } });

test.describe("Doctor", () => {
  test("names what is wrong, what to change, and a span of it", async ({ page, visit, fresh, context }) => {
    await context.grantPermissions(["clipboard-read", "clipboard-write"]);
    await visit("#/connect", fresh);
    await page.getByText("Doctor", { exact: true }).click();
    await expect(page.getByRole("heading", { name: "Nothing to look at yet" })).toBeVisible();
    // It states content in log records, and this program has no exporter for logs.
    await sendRecording(fresh, "openai_v2_default", ["traces"]);
    await fresh.settled();
    const item = page.getByRole("listitem").filter({ hasText: "Model calls without content" }).first();
    await expect(item).toContainText("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT");
    await expectAccessible(page);
    await item.getByRole("button", { name: /Copy/ }).click();
    await expect.poll(() => page.evaluate(() => navigator.clipboard.readText())).toContain("CAPTURE_MESSAGE_CONTENT");
    // Longer than the set-up shows the first trace before it opens it: nobody is taken away from here.
    await page.waitForTimeout(2_500);
    await expect(page).toHaveURL(/tab=doctor/);
    await expect(page.getByRole("heading", { name: /first trace is here|Waiting for the first/ })).toHaveCount(0);
    await page.getByText("Set-up", { exact: true }).click();
    await page.waitForTimeout(2_500);
    await expect(page).toHaveURL(/#\/connect/);
    await page.getByText("Doctor", { exact: true }).click();
    await item.getByRole("link", { name: /^newest of \d+ spans?: Model calls without content/ }).click();
    await expect(page.getByRole("treegrid", { name: "Spans of the trace" })).toBeVisible();
    await expect(page).toHaveURL(/span=/);
  });

  test("is led to by keys, looks again when asked, and says what it could not read", async ({ page, visit, fresh }) => {
    await fresh.send("traces", trace("shop", [{ name: "step" }]).body);
    await fresh.settled();
    await page.route("**/api/lint_telemetry", refuse);
    await visit("#/live", fresh);
    await page.keyboard.press("g");
    await page.keyboard.press("d");
    await expect(page).toHaveURL(/#\/connect\?tab=doctor/);
    const alert = page.getByRole("alert");
    await expect(alert).toContainText("The telemetry could not be looked at");
    await expect(alert).toContainText("It is not here");
    await page.unroute("**/api/lint_telemetry");
    await alert.getByRole("button", { name: "Try again" }).click();
    await expect(page.getByRole("main")).toContainText("that came last");
    await expect(alert).toHaveCount(0);
    const asked = page.waitForRequest("**/api/lint_telemetry");
    await page.getByRole("button", { name: "Look again" }).click();
    await asked;
  });
});

test.describe("Errors", () => {
  test("are told by their class, which narrows the list", async ({ page, visit, fresh }) => {
    const failed = (name: string, message: string) =>
      trace(name, [{ name: "chat", error: message, attributes: { "gen_ai.operation.name": "chat" } }]).body;
    await fresh.send("traces", failed("a", "Error code: 429 - Rate limit reached"));
    await fresh.send("traces", failed("b", "maximum context length is 128000 tokens"));
    await fresh.settled();
    await visit("#/live", fresh);
    const filters = page.getByRole("complementary", { name: "Filters" });
    await filters.getByRole("button", { name: /^Context length/ }).click();
    await expect(page).toHaveURL(/error=context_length/);
    const rows = page.getByRole("grid", { name: "Traces" }).getByRole("row");
    await expect(rows).toHaveCount(2);
    await rows.nth(1).click();
    await expect(page.getByRole("region", { name: "Span" })).toContainText("Context length");
    await visit("#/ledger?source=all&error=context_length", fresh);
    await expect(page.getByRole("button", { name: /^Error: Context length/ })).toBeVisible();
  });

  test("are told where a span states a type and no status", async ({ page, visit, fresh }) => {
    const sent = trace("shop", [{ name: "chat", attributes: { "error.type": "RateLimitError" } }]);
    await fresh.send("traces", sent.body);
    await fresh.settled();
    await visit(`#/trace/${sent.traceId}`, fresh);
    const span = page.getByRole("region", { name: "Span" });
    await expect(span).toContainText("RateLimitError");
    await expect(span).toContainText("Rate limit");
  });
});

test.describe("Attributes", () => {
  test("of one's own state a fact for spans that are there already", async ({ page, visit, fresh }) => {
    const attributes = { "acme.kind": "llm", "acme.model": "gpt-4o", "acme.in": 1200 };
    await fresh.send("traces", trace("shop", [{ name: "ask", attributes }]).body);
    await fresh.settled();
    await visit("#/settings", fresh);
    for (const [key, fact] of [
      ["acme.kind", "operation"],
      ["acme.model", "request_model"],
      ["acme.in", "input_tokens"],
    ] as const) {
      await page.getByRole("textbox", { name: "Attribute of a span" }).fill(key);
      await page.getByRole("combobox", { name: "What it states" }).selectOption(fact);
      await page.getByRole("textbox", { name: "Attribute of a span" }).press("Enter");
      await expect(page.getByRole("button", { name: `Remove ${key}` })).toBeVisible();
    }
    await expectAccessible(page);
    await fresh.settled();
    // Without a reload: what is read again tells of itself.
    await expect(page.getByText(/still to be read again/)).toHaveCount(0);
    await visit("#/live", fresh);
    const row = page.getByRole("grid", { name: "Traces" }).getByRole("row", { name: /ask/ });
    await expect(row).toContainText("1.2k");
    await visit("#/settings", fresh);
    // One right after the other: what was taken out does not come back, and the keyboard stays on the table.
    for (const key of ["acme.in", "acme.model", "acme.kind"])
      await page.getByRole("button", { name: `Remove ${key}` }).click();
    await expect(page.getByRole("button", { name: /^Remove acme/ })).toHaveCount(0);
    await expect(page.getByRole("textbox", { name: "Attribute of a span" })).toBeFocused();
    expect((await fresh.call("get_overrides")).overrides).toEqual([]);
    await visit("#/live", fresh);
    await expect(row).not.toContainText("1.2k");
  });

  test("are not lost while others are being kept", async ({ page, visit, fresh }) => {
    await page.route("**/api/set_overrides", async (route) => {
      await new Promise((resolve) => setTimeout(resolve, 700));
      await route.continue();
    });
    await visit("#/settings", fresh);
    const key = page.getByRole("textbox", { name: "Attribute of a span" });
    await key.fill("acme.in");
    await page.getByRole("combobox", { name: "What it states" }).selectOption("input_tokens");
    await key.press("Enter");
    await key.fill("acme.out");
    await expect(page.getByRole("button", { name: "Remove acme.in" })).toBeVisible();
    await expect(key).toHaveValue("acme.out");
    await page.unroute("**/api/set_overrides");
    await page.route("**/api/get_overrides", refuse);
    await page.reload();
    const alert = page.getByRole("alert").filter({ hasText: "What your attributes mean could not be read" });
    await expect(alert).toBeVisible();
    await page.unroute("**/api/get_overrides");
    await alert.getByRole("button", { name: "Try again" }).click();
    await expect(page.getByRole("button", { name: "Remove acme.in" })).toBeVisible();
  });
});
