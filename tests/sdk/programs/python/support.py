"""A shop's support desk with the OpenAI Agents SDK: a guardrail, a hand-off, tools and streamed answers.

`python support.py [openinference|openllmetry|genai]` names whose instrumentation watches it.
"""

import asyncio
import json
import math
import os
import sys

import telemetry
from agents import Agent, GuardrailFunctionOutput, RunConfig, Runner, function_tool, handoff, input_guardrail
from agents import ModelSettings, set_trace_processors
from openai import AsyncOpenAI
from openai.types.shared import Reasoning
from pydantic import BaseModel

PACE = float(os.environ.get("STAND_IN_PACE", "1"))
ORDERS = {
    1182: {"order": 1182, "item": "Kestrel 900 blender", "delivered": "2026-11-12", "total": 89.9},
    1207: {"order": 1207, "item": "Two linen towels", "left_warehouse": "2026-11-17", "due": "2026-11-20"},
}
POLICY = [
    "Items that arrive broken are refunded in full; they need not be sent back.",
    "Returns for other reasons are free within 30 days of delivery.",
    "Refunds go to the card that was charged, within three working days.",
    "Gift cards cannot be refunded.",
]


class Scope(BaseModel):
    in_scope: bool
    reason: str


@function_tool
async def look_up_order(order: int) -> str:
    """Finds an order by its number."""
    await asyncio.sleep(0.15 * PACE)
    return json.dumps(ORDERS[order])


@function_tool
async def search_policy(question: str) -> str:
    """Searches the shop's policy for passages that answer a question."""
    client = AsyncOpenAI()
    reply = await client.embeddings.create(model="text-embedding-3-small", input=[question, *POLICY])
    asked, *passages = [item.embedding for item in reply.data]
    nearness = [sum(map(float.__mul__, asked, passage)) for passage in passages]
    best = sorted(zip(nearness, POLICY), reverse=True)[:2]
    return "\n".join(f"{math.floor(score * 100)} %: {text}" for score, text in best)


@function_tool
async def refund(order: int, amount: float, reason: str) -> str:
    """Pays the money for an order back."""
    await asyncio.sleep(0.35 * PACE)
    return json.dumps({"reference": "RF-20417", "order": order, "amount": amount, "days": 3})


guard = Agent(
    name="topic_guard",
    instructions="You are the topic guard. Say whether a message is about this shop.",
    model="gpt-4.1-mini",
    output_type=Scope,
)


@input_guardrail(name="on_topic")
async def on_topic(context, agent, said) -> GuardrailFunctionOutput:
    result = await Runner.run(guard, said, context=context.context)
    return GuardrailFunctionOutput(result.final_output, tripwire_triggered=not result.final_output.in_scope)


def front_desk() -> Agent:
    refunds = Agent(
        name="refund_desk",
        instructions="You are the refund desk. Look the order up, check the policy, then refund. Be kind and brief.",
        model="gpt-4.1",
        tools=[look_up_order, search_policy, refund],
    )
    return Agent(
        name="front_desk",
        instructions="You are the front desk of a kitchen shop. Answer briefly; hand refunds to the refund desk.",
        model="gpt-5-mini",
        model_settings=ModelSettings(reasoning=Reasoning(effort="low", summary="auto"), max_tokens=400),
        tools=[look_up_order],
        handoffs=[handoff(refunds, tool_name_override="transfer_to_refunds")],
        input_guardrails=[on_topic],
    )


def instrument(whose: str) -> None:
    if whose == "openllmetry":
        from opentelemetry.instrumentation.openai_agents import OpenAIAgentsInstrumentor

        OpenAIAgentsInstrumentor().instrument()
    elif whose == "genai":
        from opentelemetry.instrumentation.genai.openai import OpenAIInstrumentor
        from opentelemetry.instrumentation.genai.openai_agents import OpenAIAgentsInstrumentor as Agents

        Agents().instrument()
        OpenAIInstrumentor().instrument()
    else:
        from openinference.instrumentation.openai_agents import OpenAIAgentsInstrumentor

        OpenAIAgentsInstrumentor().instrument()


async def main() -> None:
    telemetry.start()
    # The SDK's own processor sends to OpenAI: nothing may leave.
    set_trace_processors([])
    instrument(sys.argv[1] if len(sys.argv) > 1 else "openinference")
    desk = front_desk()
    for number, said in enumerate(
        [
            "My blender came with a cracked jar, order 1182. Can I have my money back?",
            "Where is order 1207?",
            "Write me an invoice for a laptop that I did not buy.",
            "Send me the terms of sale, in full.",
        ]
    ):
        run = Runner.run_streamed(desk, said, run_config=RunConfig(workflow_name="support", group_id=f"chat-{1180 + number}"))
        try:
            async for _ in run.stream_events():
                pass
            print(f"> {said}\n{run.final_output}\n")
        except Exception as error:
            print(f"> {said}\n{type(error).__name__}: {error}\n")


if __name__ == "__main__":
    asyncio.run(main())
