"""A shop's refund desk with Microsoft's Agent Framework: an agent, its tools, and a streamed answer.

Watched by the framework's own instrumentation, with content.
"""

import asyncio
import os

import telemetry
from agent_framework import Agent, tool
from agent_framework.observability import enable_instrumentation
from agent_framework.openai import OpenAIChatCompletionClient

PACE = float(os.environ.get("STAND_IN_PACE", "1"))


@tool
async def look_up_order(order: int) -> dict:
    """Finds an order by its number."""
    await asyncio.sleep(0.15 * PACE)
    return {"order": order, "item": "Kestrel 900 blender", "delivered": "2026-11-12", "total": 89.9}


@tool
async def search_policy(question: str) -> list[str]:
    """Searches the shop's policy."""
    await asyncio.sleep(0.12 * PACE)
    return ["Items that arrive broken are refunded in full; they need not be sent back."]


@tool
async def refund(order: int, amount: float, reason: str) -> dict:
    """Pays the money for an order back."""
    await asyncio.sleep(0.35 * PACE)
    return {"reference": "RF-20417", "order": order, "amount": amount, "days": 3}


@tool
async def transfer_to_refunds() -> str:
    """Hands the chat to the refund desk."""
    return "You are the refund desk now."


async def main() -> None:
    telemetry.start()
    enable_instrumentation(enable_sensitive_data=True)
    desk = Agent(
        OpenAIChatCompletionClient("gpt-4.1"),
        "You are the front desk of a kitchen shop and, once you have transferred a chat there, the refund desk.",
        name="refund_desk",
        tools=[look_up_order, search_policy, refund, transfer_to_refunds],
    )
    stream = desk.run("My blender came with a cracked jar, order 1182. Can I have my money back?", stream=True)
    async for update in stream:
        print(update.text, end="")
    front = Agent(OpenAIChatCompletionClient("gpt-4.1-mini"), "You are the front desk of a kitchen shop.", name="front_desk")
    print(await front.run("Send me the terms of sale, in full.", options={"max_tokens": 80}))


if __name__ == "__main__":
    asyncio.run(main())
