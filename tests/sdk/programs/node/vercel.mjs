// A shop's support desk with Vercel's AI SDK 6: tools over several steps, streamed; an object by a schema; embeddings; an
// answer after two refusals by a rate limit, and one that is cut.

import { createOpenAI } from "@ai-sdk/openai";
import { embedMany, generateText, Output, stepCountIs, streamText, tool } from "ai";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";

import { start } from "./telemetry.mjs";

const pace = Number(process.env.STAND_IN_PACE ?? "1");
const provider = start();
const openai = createOpenAI();

const telemetry = (functionId) => ({
  experimental_telemetry: { isEnabled: true, functionId, metadata: { sessionId: "chat-1182", userId: "ines" } },
});

const tools = {
  look_up_order: tool({
    description: "Finds an order by its number.",
    inputSchema: z.object({ order: z.number() }),
    execute: async ({ order }) => {
      await sleep(150 * pace);
      return { order, item: "Kestrel 900 blender", delivered: "2026-11-12", total: 89.9 };
    },
  }),
  search_policy: tool({
    description: "Searches the shop's policy.",
    inputSchema: z.object({ question: z.string() }),
    execute: async () => {
      await sleep(120 * pace);
      return ["Items that arrive broken are refunded in full; they need not be sent back."];
    },
  }),
  refund: tool({
    description: "Pays the money for an order back.",
    inputSchema: z.object({ order: z.number(), amount: z.number(), reason: z.string() }),
    execute: async ({ order, amount }) => {
      await sleep(350 * pace);
      return { reference: "RF-20417", order, amount, days: 3 };
    },
  }),
  transfer_to_refunds: tool({
    description: "Hands the chat to the refund desk.",
    inputSchema: z.object({}),
    execute: async () => "You are the refund desk now.",
  }),
};

const refunds = streamText({
  model: openai("gpt-4.1"),
  system: "You are the front desk of a kitchen shop and, once you have transferred a chat there, the refund desk.",
  prompt: "My blender came with a cracked jar, order 1182. Can I have my money back?",
  tools,
  stopWhen: stepCountIs(5),
  ...telemetry("refund-desk"),
});
for await (const part of refunds.textStream) process.stdout.write(part);

const judged = await generateText({
  model: openai.chat("gpt-5-mini"),
  output: Output.object({ schema: z.object({ severity: z.string(), service: z.string(), minutes: z.number(), customers: z.number() }) }),
  system: "You keep the notes of an incident at a shop.",
  prompt: "Judge the severity.",
  ...telemetry("judge-severity"),
});
console.log("\n", judged.output);

await embedMany({
  model: openai.embedding("text-embedding-3-small"),
  values: ["expired certificate", "payment errors"],
  ...telemetry("embed-notes"),
});

const retried = await generateText({
  model: openai.chat("gpt-4.1-mini"),
  system: "You are the front desk of a kitchen shop.",
  prompt: "Where is order 1207?",
  tools: { look_up_order: tools.look_up_order },
  stopWhen: stepCountIs(3),
  maxRetries: 3,
  ...telemetry("front-desk"),
});
console.log(retried.text);

const cut = await generateText({
  model: openai.chat("gpt-4.1-mini"),
  system: "You are the front desk of a kitchen shop.",
  prompt: "Send me the terms of sale, in full.",
  maxOutputTokens: 80,
  ...telemetry("front-desk"),
});
console.log(cut.finishReason);

await provider.shutdown();
