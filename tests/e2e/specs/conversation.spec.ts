import { call, PIXEL } from "../support/conversation.ts";
import { supportAgent, trace } from "../support/otlp.mjs";
import { expect, expectAccessible, test } from "../support/test.ts";

test.describe("Conversation", () => {
  test("says what is new and how much is reused", async ({ page, visit, fresh }) => {
    const { traceId, spanIds, body } = supportAgent("shop", "Where is order 1182?");
    await fresh.send("traces", body);
    await fresh.settled();
    await visit(`#/trace/${traceId}?span=${spanIds[4]}`, fresh);
    const part = page.getByRole("tabpanel");
    await expect(part).not.toContainText("Where is order 1182?");
    await part.getByRole("button", { name: /no new message · 2 earlier reused \(~\d+ tokens\)/ }).click();
    await expect(part).toContainText("Where is order 1182?");
  });

  test("decodes an embedded picture only when asked, and fetches none", async ({ page, visit, fresh }) => {
    const input = [
      {
        role: "user",
        parts: [
          { type: "blob", modality: "image", mime_type: "image/png", content: PIXEL },
          { type: "uri", modality: "image", mime_type: "image/png", uri: "https://pictures.example/cat.png" },
          { type: "blob", modality: "image", mime_type: "image/svg+xml", content: "PHN2Zy8+" },
          { type: "blob", modality: "image", mime_type: "image/png", content: "[REDACTED]" },
        ],
      },
    ];
    const sent = trace("shop", [{ name: "chat gpt-4o", attributes: call(input, "A dot.") }]);
    await fresh.send("traces", sent.body);
    await fresh.settled();
    const asked: string[] = [];
    page.on("request", (request) => asked.push(request.url()));
    await visit(`#/trace/${sent.traceId}?span=${sent.spanIds[0]}`, fresh);
    const part = page.getByRole("tabpanel");
    await expect(part).toContainText("image/png · 70 B · 1 × 1 pixels");
    await expect(part).toContainText("https://pictures.example/cat.png");
    await expect(part).toContainText("It is not base64");
    await expect(part.locator("img")).toHaveCount(0);
    const show = part.getByRole("button", { name: "Show image" });
    await expect(show).toHaveCount(1);
    await show.click();
    const picture = part.getByRole("img", { name: "Embedded in the span" });
    await expect(picture).toHaveAttribute("src", /^blob:/);
    await expect
      .poll(() => picture.evaluate((image) => (image as HTMLImageElement).naturalWidth))
      .toBe(1);
    await part.getByRole("button", { name: "Show text" }).click();
    await expect(part.getByLabel("Embedded text")).toHaveText("<svg/>");
    await expectAccessible(page);
    await part.getByRole("button", { name: "Hide image" }).click();
    await expect(part.locator("img")).toHaveCount(0);
    // Nothing was asked of anybody but Clew's own server.
    const own = new URL(page.url()).host;
    expect(asked.length).toBeGreaterThan(0);
    expect(asked.filter((url) => /^(http|ws)/.test(url) && new URL(url).host !== own)).toEqual([]);
  });

  test("links documents with the answers that name them", async ({ page, visit, fresh }) => {
    const question = [{ role: "user", parts: [{ type: "text", content: "May I return it?" }] }];
    const sent = trace("shop", [
      { name: "ask", took: 900 },
      {
        name: "search",
        parent: 0,
        at: 10,
        attributes: {
          "openinference.span.kind": "RETRIEVER",
          "retrieval.documents.0.document.id": "kb/other.md",
          "retrieval.documents.1.document.id": "kb/returns.md",
          "retrieval.documents.1.document.content": "Returns are free within 30 days.",
          "retrieval.documents.1.document.score": 0.83,
        },
      },
      {
        name: "chat gpt-4o",
        parent: 0,
        at: 200,
        attributes: call(question, "Yes, within 30 days [kb/returns.md]."),
      },
    ]);
    await fresh.send("traces", sent.body);
    await fresh.settled();
    await visit(`#/trace/${sent.traceId}?span=${sent.spanIds[2]}`, fresh);
    const part = page.getByRole("tabpanel");
    const named = part.getByRole("region", { name: "Documents that the answer names" });
    await expect(named).toContainText("kb/returns.md");
    await expect(named).toContainText("score 0.83");
    await expect(named).not.toContainText("kb/other.md");
    await expectAccessible(page);
    await named.getByRole("button", { name: /open retriever/ }).click();
    await expect(page.locator(`#line-${sent.spanIds[1]}`)).toHaveAttribute("aria-selected", "true");
    await expect(part).toContainText("cited in the answer of");
    await part.getByRole("button", { name: /^chat gpt-4o/ }).click();
    await expect(page.locator(`#line-${sent.spanIds[2]}`)).toHaveAttribute("aria-selected", "true");
  });
});
