// What is wrong with telemetry, and what attributes of one's own mean.
import { trace } from "../support/otlp.mjs";
import { expect, expectAccessible, sendRecording, test } from "../support/test.ts";

test.describe("Doctor", () => {
  test("names what is wrong, what to change, and a span of it", async ({ page, visit, fresh, context }) => {
    await context.grantPermissions(["clipboard-read", "clipboard-write"]);
    await visit("#/connect", fresh);
    await page.getByText("Doctor", { exact: true }).click();
    await expect(page.getByRole("heading", { name: "Nothing to look at yet" })).toBeVisible();
    // It states content in log records, and this program has no exporter for logs.
    await sendRecording(fresh, "openai_v2_default", ["traces"]);
    await fresh.settled();
    await expect(page).toHaveURL(/tab=doctor/);
    const item = page.getByRole("listitem").filter({ hasText: "Model calls without content" }).first();
    await expect(item).toContainText("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT");
    await expectAccessible(page);
    await item.getByRole("button", { name: /Copy/ }).click();
    await expect.poll(() => page.evaluate(() => navigator.clipboard.readText())).toContain("CAPTURE_MESSAGE_CONTENT");
    await item.getByRole("link", { name: /spans?$/ }).click();
    await expect(page.getByRole("treegrid", { name: "Spans of the trace" })).toBeVisible();
    await expect(page).toHaveURL(/span=/);
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
    await expect(page.getByText("Context length").last()).toBeVisible();
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
    await visit("#/live", fresh);
    const row = page.getByRole("grid", { name: "Traces" }).getByRole("row", { name: /ask/ });
    await expect(row).toContainText("1.2k");
    await visit("#/settings", fresh);
    for (const key of ["acme.in", "acme.model", "acme.kind"]) {
      await page.getByRole("button", { name: `Remove ${key}` }).click();
      await expect(page.getByRole("button", { name: `Remove ${key}` })).toHaveCount(0);
    }
    await visit("#/live", fresh);
    await expect(row).not.toContainText("1.2k");
  });
});
