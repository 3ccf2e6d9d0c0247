// A shop's support desk with Vercel's AI SDK 4: tools over several steps, an object, a stream without usage, embeddings.

import { createOpenAI } from "@ai-sdk/openai";
import { embedMany, generateObject, generateText, streamText, tool } from "ai";
import { z } from "zod";

import { start } from "./telemetry.mjs";

const provider = start();
const openai = createOpenAI({ baseURL: process.env.OPENAI_BASE_URL, compatibility: "compatible" });

const telemetry = (functionId) => ({
  experimental_telemetry: { isEnabled: true, functionId, metadata: { sessionId: "chat-1190", userId: "ines" } },
});

const retried = await generateText({
  model: openai("gpt-4.1-mini"),
  system: "You are the front desk of a kitchen shop.",
  prompt: "Where is order 1207?",
  tools: {
    look_up_order: tool({
      description: "Finds an order by its number.",
      parameters: z.object({ order: z.number() }),
      execute: async ({ order }) => ({ order, item: "Kestrel 900 blender", delivered: "2026-11-12", total: 89.9 }),
    }),
  },
  maxSteps: 3,
  maxRetries: 3,
  ...telemetry("front-desk"),
});
console.log(retried.text);

const judged = await generateObject({
  model: openai("gpt-5-mini"),
  schema: z.object({ severity: z.string(), service: z.string(), minutes: z.number(), customers: z.number() }),
  system: "You keep the notes of an incident at a shop.",
  prompt: "Judge the severity.",
  ...telemetry("judge-severity"),
});
console.log(judged.object);

await embedMany({
  model: openai.embedding("text-embedding-3-small"),
  values: ["expired certificate", "payment errors"],
  ...telemetry("embed-notes"),
});

const terms = streamText({
  model: openai("gpt-4.1-mini"),
  system: "You are the front desk of a kitchen shop.",
  prompt: "Send me the terms of sale, in full.",
  maxTokens: 80,
  ...telemetry("front-desk"),
});
for await (const part of terms.textStream) process.stdout.write(part);

await provider.shutdown();
