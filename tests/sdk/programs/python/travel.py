"""A travel desk with Pydantic AI: a tool that asks to be called again, an agent within a tool, a typed result, a stream.

Watched by Pydantic AI's own instrumentation.
"""

import asyncio
import os

import telemetry
from pydantic import BaseModel
from pydantic_ai import Agent, ModelRetry, RunContext
from pydantic_ai.models.instrumented import InstrumentationSettings

PACE = float(os.environ.get("STAND_IN_PACE", "1"))


class Plan(BaseModel):
    title: str
    train: str
    days: list[str]
    budget_eur: float


guide = Agent("anthropic:claude-sonnet-5-5", name="local_guide", instructions="You are a local guide. Be concrete and brief.")
desk = Agent(
    "openai:gpt-4.1",
    name="travel_desk",
    instructions="You run a travel desk. Find a train, ask the local guide, then answer with a plan.",
    output_type=Plan,
    retries=2,
)


@desk.tool_plain
async def find_trains(to: str, day: str) -> list[str]:
    """Finds trains to a station on a day."""
    await asyncio.sleep(0.2 * PACE)
    if to == "Lisbon":
        raise ModelRetry("Lisbon has several stations: name one, as in Lisboa Oriente.")
    return [f"IC 126, 08:09, {day}", f"AP 182, 11:39, {day}"]


@desk.tool
async def ask_local(context: RunContext, city: str, days: int) -> str:
    """Asks somebody who lives there."""
    async with guide.run_stream(f"What is worth seeing in {city} in {days} days?", usage=context.usage) as answer:
        return await answer.get_output()


async def main() -> None:
    telemetry.start()
    Agent.instrument_all(InstrumentationSettings())
    result = await desk.run("Plan three days in Lisbon for two, by train, below 500 euros.")
    print(result.output)


if __name__ == "__main__":
    asyncio.run(main())
