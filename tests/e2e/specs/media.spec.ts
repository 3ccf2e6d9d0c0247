import { call, PIXEL } from "../support/conversation.ts";
import { trace } from "../support/otlp.mjs";
import { expect, test } from "../support/test.ts";

// What records a test for looking at it later connects to the picture's address, which the page's policy forbids.
test.use({ trace: "off" });

test("a broken picture is told of where it is, and of no other", async ({ page, visit, fresh }) => {
  const shown = (content: string) => [
    { role: "user", parts: [{ type: "blob", modality: "image", mime_type: "image/png", content }] },
  ];
  // Type and size are told by its beginning; it has colours of a kind that does not exist.
  const broken = PIXEL.replace("CAYA", "CAcA");
  const sent = trace("shop", [
    { name: "ask", took: 900 },
    { name: "chat one", parent: 0, at: 10, attributes: call(shown(broken), "A dot.") },
    { name: "chat two", parent: 0, at: 200, attributes: call(shown(PIXEL), "A dot, too.") },
  ]);
  await fresh.send("traces", sent.body);
  await fresh.settled();
  await visit(`#/trace/${sent.traceId}?span=${sent.spanIds[1]}`, fresh);
  const part = page.getByRole("tabpanel");
  await part.getByRole("button", { name: "Show image: image/png, 70 B, 1 × 1 pixels" }).click();
  await expect(part.getByRole("alert")).toContainText("could not be decoded as image/png");
  await page.locator(`#line-${sent.spanIds[2]}`).click();
  await expect(part).toContainText("A dot, too.");
  await expect(part.getByRole("alert")).toHaveCount(0);
  await expect(part.getByRole("button", { name: "Show image" })).toBeVisible();
});
