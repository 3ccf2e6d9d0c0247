// OTLP/JSON as a program of the test's own would send it.

import { randomBytes } from "node:crypto";

/**
 * A span to be: `parent` is the index of one that stands before it, `at` and `took` are milliseconds.
 * @typedef {{ name: string, parent?: number, at?: number, took?: number, attributes?: Record<string, unknown>,
 *   error?: string, events?: { name: string, attributes?: Record<string, unknown> }[] }} SpanSketch
 */

export function anyValue(value) {
  if (typeof value === "string") return { stringValue: value };
  if (typeof value === "boolean") return { boolValue: value };
  if (Array.isArray(value)) return { arrayValue: { values: value.map(anyValue) } };
  return Number.isInteger(value) ? { intValue: String(value) } : { doubleValue: value };
}

export function keyValues(attributes) {
  return Object.entries(attributes).map(([key, value]) => ({ key, value: anyValue(value) }));
}

/**
 * Writes a request of one trace that began `ago` milliseconds ago.
 * @param {string} service
 * @param {SpanSketch[]} spans
 */
export function trace(service, spans, ago = 5_000) {
  const traceId = randomBytes(16).toString("hex");
  const spanIds = spans.map(() => randomBytes(8).toString("hex"));
  const origin = BigInt(Date.now() - ago) * 1_000_000n;
  const nanos = (milliseconds) =>
    String(origin + BigInt(Math.round(milliseconds * 1_000)) * 1_000n);
  const written = spans.map((span, index) => ({
    traceId,
    spanId: spanIds[index],
    ...(span.parent === undefined ? {} : { parentSpanId: spanIds[span.parent] }),
    name: span.name,
    kind: 1,
    startTimeUnixNano: nanos(span.at ?? 0),
    endTimeUnixNano: nanos((span.at ?? 0) + (span.took ?? 100)),
    attributes: keyValues(span.attributes ?? {}),
    events: (span.events ?? []).map((event) => ({
      name: event.name,
      timeUnixNano: nanos((span.at ?? 0) + 1),
      attributes: keyValues(event.attributes ?? {}),
    })),
    status: span.error === undefined ? {} : { code: 2, message: span.error },
  }));
  const body = {
    resourceSpans: [
      {
        resource: { attributes: keyValues({ "service.name": service }) },
        scopeSpans: [{ scope: { name: "clew.tests" }, spans: written }],
      },
    ],
  };
  return { traceId, spanIds, body };
}

/** A wrapper that states what the call below it states too, with all that a span's head can say. */
export function wrappedCall(service) {
  const call = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-4o",
    "gen_ai.request.max_tokens": 50,
    "gen_ai.usage.input_tokens": 110_000,
    "gen_ai.usage.output_tokens": 10,
    "gen_ai.usage.cache_read.input_tokens": 66_000,
    "gen_ai.response.time_to_first_chunk": 30,
  };
  return trace(service, [
    { name: "wrapper", took: 900, attributes: call },
    { name: "chat gpt-4o", parent: 0, took: 800, attributes: { ...call, "gen_ai.usage.cost": 1 } },
  ]);
}

const message = (role, content) => ({ role, parts: [{ type: "text", content }] });

/** A support agent's answer: plan, tool, retrieval, two model calls, one failed tool. */
export function supportAgent(service, question, ago = 5_000) {
  const chat = (input, output, tokens) => ({
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-4o",
    "gen_ai.response.model": "gpt-4o-2024-08-06",
    "gen_ai.response.id": `resp-${randomBytes(6).toString("hex")}`,
    "gen_ai.usage.input_tokens": tokens[0],
    "gen_ai.usage.output_tokens": tokens[1],
    "gen_ai.response.finish_reasons": ["stop"],
    "gen_ai.input.messages": JSON.stringify(input),
    "gen_ai.output.messages": JSON.stringify([{ ...output, finish_reason: "stop" }]),
  });
  const user = message("user", question);
  const plan = message("assistant", "I will look the order up.");
  return trace(
    service,
    [
      {
        name: "invoke_agent support",
        took: 1_900,
        attributes: { "gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "support" },
      },
      { name: "chat gpt-4o", parent: 0, at: 20, took: 700, attributes: chat([user], plan, [1_200, 80]) },
      {
        name: "execute_tool get_order",
        parent: 0,
        at: 740,
        took: 180,
        attributes: {
          "gen_ai.operation.name": "execute_tool",
          "gen_ai.tool.name": "get_order",
          "gen_ai.tool.call.arguments": '{"id":1182}',
          "gen_ai.tool.call.result": '{"status":"shipped"}',
        },
      },
      {
        name: "execute_tool refund",
        parent: 0,
        at: 930,
        took: 60,
        error: "payment service timed out",
        attributes: { "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "refund", "error.type": "TimeoutError" },
        events: [{ name: "exception", attributes: { "exception.type": "TimeoutError", "exception.message": "timed out" } }],
      },
      {
        name: "chat gpt-4o",
        parent: 0,
        at: 1_000,
        took: 850,
        attributes: chat(
          [user, plan],
          message("assistant", "Your order shipped **on Tuesday**. I'm sorry, I cannot help with the refund."),
          [1_900, 140],
        ),
      },
    ],
    ago,
  );
}

/** A call that states its prompt's name, version and template. */
export function promptCall(name, version, template, tokens, ago) {
  return trace(
    "shop",
    [
      {
        name: "chat",
        attributes: {
          "gen_ai.operation.name": "chat",
          "gen_ai.request.model": "gpt-4o",
          "gen_ai.usage.input_tokens": tokens,
          "gen_ai.usage.output_tokens": 20,
          "gen_ai.prompt.name": name,
          "gen_ai.prompt.version": version,
          "gen_ai.prompt.template": template,
        },
      },
    ],
    ago,
  );
}

/** Two prompts, the first in three versions. */
export async function sendPrompts(clew) {
  const answer = (many) => `You support {company}.\nAnswer in ${many} sentences.`;
  for (const call of [
    promptCall("support/system", "5", answer("seven"), 90, 30_000),
    promptCall("support/system", "6", answer("five"), 100, 20_000),
    promptCall("support/system", "7", answer("three"), 120, 10_000),
    promptCall("support/system", "7", answer("three"), 124, 9_000),
    promptCall("triage/route", "1", "Name the team for: {question}", 40, 8_000),
  ]) {
    await clew.send("traces", call.body);
  }
}
